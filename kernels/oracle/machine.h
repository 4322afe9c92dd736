// What the driver asks of the machine that runs kernels.
#pragma once
#include "device.h"
#include <string>
#include <vector>

namespace oracle {
// A divergence's program as the spliced PTX has it: straight-line instructions on registers of 64 bits.
struct Instruction {
    unsigned char code, wide, operands;
    unsigned short to, from[3];
};
struct Program {
    std::vector<unsigned long long> registers;
    std::vector<Instruction> code;
    unsigned short inputs[5], outputs[2];
    unsigned int given, wanted;
};
// Programs by place, those of the module whose kernel runs.
extern const std::vector<Program>* programs;
// Reads the program between braces after a marked line; what is wrong with it, or "".
std::string read_program(const std::string& marked, const std::string& scope, Program& program);

// Runs every block of a launch; what went wrong, or "".
std::string run(void (*kernel)(void**), void** arguments, uint3 grid, unsigned int threads, unsigned int dynamic_bytes);
}
