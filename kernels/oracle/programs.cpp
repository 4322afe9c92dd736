// Divergences' programs: what lipex-cuda put into the PTX at marked lines, read there and run where the sources have them.
#include "machine.h"
#include <cmath>
#include <map>
#include <sstream>

namespace oracle {
namespace {
enum Code { MOVE, ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, ABSOLUTE, ROOT, FMA, LESS, GREATER, CHOOSE, LEFT, RIGHT, SUM, DIFFERENCE, FLOAT };

// Instructions without the width at their end, and how many operands each has.
const std::map<std::string, std::pair<Code, unsigned>> CODES = {
    {"mov.f", {MOVE, 1}},       {"mov.b", {MOVE, 1}},       {"add.rn.f", {ADD, 2}},    {"sub.rn.f", {SUBTRACT, 2}},
    {"mul.rn.f", {MULTIPLY, 2}}, {"div.rn.f", {DIVIDE, 2}},  {"neg.f", {NEGATE, 1}},    {"abs.f", {ABSOLUTE, 1}},
    {"sqrt.rn.f", {ROOT, 1}},   {"fma.rn.f", {FMA, 3}},     {"setp.lt.f", {LESS, 2}},  {"setp.gt.f", {GREATER, 2}},
    {"selp.f", {CHOOSE, 3}},    {"shl.b", {LEFT, 2}},       {"shr.s", {RIGHT, 2}},     {"add.s", {SUM, 2}},
    {"sub.s", {DIFFERENCE, 2}}, {"cvt.rn.f32.s", {FLOAT, 1}}, {"cvt.rn.f64.s", {FLOAT, 1}},
};

using Word = unsigned long long;
float single(Word w) { return same_bits<float>((unsigned)w); }
double wide(Word w) { return same_bits<double>(w); }
Word word(float x) { return same_bits<unsigned>(x); }
Word word(double x) { return same_bits<Word>(x); }

struct Reader {
    Program& program;
    std::map<std::string, unsigned short> names;

    // The register of that name or of that number.
    unsigned short at(const std::string& name) {
        auto found = names.find(name);
        if (found != names.end()) return found->second;
        Word value = 0;
        if (name.rfind("0f", 0) == 0 || name.rfind("0d", 0) == 0) value = std::stoull(name.substr(2), nullptr, 16);
        else if (name[0] != '%') value = (Word)std::stoll(name);
        program.registers.push_back(value);
        return names[name] = (unsigned short)(program.registers.size() - 1);
    }

    std::string line(std::string text) {
        for (char& c : text) c = c == ',' || c == ';' ? ' ' : c;
        std::istringstream words(text);
        std::string name, operand;
        words >> name;
        if (name.empty() || name == ".reg") return "";
        unsigned bits = name.size() > 2 && name.compare(name.size() - 2, 2, "64") == 0 ? 64 : 32;
        auto found = CODES.find(name.substr(0, name.size() < 2 ? 0 : name.size() - 2));
        if (found == CODES.end()) return "an instruction that no program has: " + text;
        Instruction next{(unsigned char)found->second.first, bits == 64, 0, 0, {0, 0, 0}};
        words >> operand;
        next.to = at(operand);
        while (words >> operand) {
            if (next.operands == 3) return "too many operands: " + text;
            next.from[next.operands++] = at(operand);
        }
        if (next.operands != found->second.second) return "too few operands: " + text;
        program.code.push_back(next);
        return "";
    }
};

template <class T> T number(Word w);
template <> float number<float>(Word w) { return single(w); }
template <> double number<double>(Word w) { return wide(w); }

template <class T, class Signed, class Unsigned>
Word step(const Instruction& i, const Word* r) {
    Word a = r[i.from[0]], b = r[i.from[1]], c = r[i.from[2]];
    T x = number<T>(a), y = number<T>(b), z = number<T>(c);
    switch (i.code) {
    case MOVE: return a;
    case ADD: return word((T)(x + y));
    case SUBTRACT: return word((T)(x - y));
    case MULTIPLY: return word((T)(x * y));
    case DIVIDE: return word((T)(x / y));
    case NEGATE: return word((T)-x);
    case ABSOLUTE: return word((T)std::fabs(x));
    case ROOT: return word((T)std::sqrt(x));
    case FMA: return word((T)std::fma(x, y, z));
    case LESS: return x < y;
    case GREATER: return x > y;
    case CHOOSE: return c ? a : b;
    case LEFT: return (Unsigned)((Unsigned)a << b);
    case RIGHT: return (Unsigned)((Signed)a >> b);
    case SUM: return (Unsigned)((Unsigned)a + (Unsigned)b);
    case DIFFERENCE: return (Unsigned)((Unsigned)a - (Unsigned)b);
    default: return word((T)(Signed)a);
    }
}

template <class T, class Signed, class Unsigned>
void execute(unsigned place, const T* in, T* out) {
    const Program& p = (*programs)[place];
    static std::vector<Word> registers;
    registers = p.registers;
    Word* r = registers.data();
    for (unsigned i = 0; i < p.given; i++) r[p.inputs[i]] = word(in[i]);
    for (const Instruction& i : p.code) r[i.to] = step<T, Signed, Unsigned>(i, r);
    for (unsigned i = 0; i < p.wanted; i++) out[i] = number<T>(r[p.outputs[i]]);
}
}

std::string read_program(const std::string& marked, const std::string& scope, Program& program) {
    program = Program{};
    Reader reader{program, {}};
    std::istringstream words(marked), lines(scope);
    for (std::string word; words >> word;) {
        size_t equals = word.find('=');
        if (equals == std::string::npos) continue;
        std::string name = word.substr(0, equals), value = word.substr(equals + 1);
        if (value.back() == ';') value.pop_back();
        bool output = name == "value" || name == "slope" || name == "second";
        if (output && program.wanted < 2) program.outputs[program.wanted++] = reader.at(value);
        else if (!output && program.given < 5) program.inputs[program.given++] = reader.at(value);
    }
    for (std::string line; std::getline(lines, line);) {
        std::string wrong = reader.line(line);
        if (!wrong.empty()) return wrong;
    }
    return "";
}

void program(unsigned place, const float* in, float* out) { execute<float, int, unsigned>(place, in, out); }
void program(unsigned place, const double* in, double* out) { execute<double, long long, Word>(place, in, out); }
}
