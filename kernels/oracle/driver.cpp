// The functions of CUDA's driver that lipex-cuda calls, over kernels that are compiled for the CPU.
//
// Device memory is the host's, work is done when it is asked for, and a module is told by the names of the kernels in its PTX.
// A fault stays, as on a device.
#include "machine.h"
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

namespace {
enum Result { SUCCESS, INVALID_VALUE, OUT_OF_MEMORY, INVALID_PTX = 218, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719 };
constexpr size_t MEMORY = size_t(4) << 30, GUARD = 256;

struct Module {
    const oracle::File* file;
    std::vector<oracle::Program> programs;
};
struct Function {
    Module* module;
    const oracle::Entry* entry;
};

std::recursive_mutex one_at_a_time;
std::map<unsigned long long, size_t> allocations;
size_t used = 0;
int fault = SUCCESS;
int context;

#define CALL extern "C" __attribute__((visibility("default"))) int
#define ENTER std::lock_guard<std::recursive_mutex> guard(one_at_a_time); if (fault) return fault

int failed(int code, const std::string& what) {
    std::fprintf(stderr, "oracle: %s\n", what.c_str());
    return fault = code;
}

// The file whose kernels a text has.
const oracle::File* file_of(const std::string& ptx) {
    for (const oracle::File* const* file = oracle::files; *file; file++)
        if (ptx.find(std::string(".visible .entry ") + (*file)->kernels[0].name + "(") != std::string::npos) return *file;
    return nullptr;
}

// Reads the programs that stand in the marked places of a text.
std::string read_programs(const std::string& ptx, Module& module) {
    const std::string begin = "// begin inline asm\n", end = "// end inline asm";
    size_t at = 0, assembly = 0;
    for (const oracle::Marked* m = module.file->marked; m->line; m++) {
        for (; assembly <= m->inline_assembly; assembly++) {
            at = ptx.find(begin, at);
            if (at == std::string::npos) return "a place for a divergence is missing";
            at += begin.size();
        }
        std::string text = ptx.substr(at, ptx.find(end, at) - at);
        size_t open = text.find('{'), close = text.rfind('}');
        if (open == std::string::npos || close == std::string::npos) return "a place without a program";
        if (module.programs.size() <= m->place) module.programs.resize(m->place + 1);
        std::string wrong = oracle::read_program(m->line, text.substr(open + 1, close - open - 1), module.programs[m->place]);
        if (!wrong.empty()) return wrong;
    }
    return "";
}
}

CALL cuInit(unsigned) { return SUCCESS; }
CALL cuDriverGetVersion(int* version) { return *version = 12000, SUCCESS; }
CALL cuGetErrorName(int code, const char** name) {
    switch (code) {
    case SUCCESS: *name = "CUDA_SUCCESS"; break;
    case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    case INVALID_PTX: *name = "CUDA_ERROR_INVALID_PTX"; break;
    case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
    case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
    case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
    default: *name = "CUDA_ERROR_INVALID_VALUE";
    }
    return SUCCESS;
}
CALL cuGetErrorString(int, const char** text) { return *text = "see standard error", SUCCESS; }

CALL cuDeviceGetCount(int* count) { return *count = 1, SUCCESS; }
CALL cuDeviceGet(int* device, int ordinal) { return *device = 0, ordinal == 0 ? SUCCESS : INVALID_VALUE; }
CALL cuDeviceGetName(char* name, int length, int) { return std::snprintf(name, length, "CUDA oracle (kernels compiled for the CPU)"), SUCCESS; }
CALL cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = MEMORY, SUCCESS; }
CALL cuDeviceGetAttribute(int* value, int attribute, int) {
    static const std::map<int, int> known = {
        {1, 1024},   // threads a block
        {2, 1024}, {3, 1024}, {4, 64}, {5, 2147483647}, {6, 65535}, {7, 65535},
        {8, 49152},  // shared memory a block
        {10, 32},    // lanes a warp
        {16, 108},   // multiprocessors
        {39, 2048},  // threads a multiprocessor
        {75, 8},     // compute capability
        {76, 0},
        {97, 166912},  // shared memory that a block may ask for
        {115, 1},      // allocations in the order of a stream
    };
    auto found = known.find(attribute);
    return *value = found == known.end() ? 0 : found->second, SUCCESS;
}

CALL cuDevicePrimaryCtxRetain(void** to, int) { return *to = &context, SUCCESS; }
CALL cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
CALL cuCtxSetCurrent(void*) { return SUCCESS; }
CALL cuCtxGetCurrent(void** to) { return *to = &context, SUCCESS; }
CALL cuCtxSynchronize() { ENTER; return SUCCESS; }
CALL cuStreamSynchronize(void*) { ENTER; return SUCCESS; }
CALL cuStreamCreate(void** to, unsigned) { return *to = &context, SUCCESS; }
CALL cuStreamDestroy_v2(void*) { return SUCCESS; }
CALL cuEventCreate(void** to, unsigned) { return *to = &context, SUCCESS; }
CALL cuEventDestroy_v2(void*) { return SUCCESS; }
CALL cuEventRecord(void*, void*) { return SUCCESS; }
CALL cuEventSynchronize(void*) { ENTER; return SUCCESS; }
CALL cuStreamWaitEvent(void*, void*, unsigned) { return SUCCESS; }

CALL cuMemGetInfo_v2(size_t* free, size_t* total) { return *free = MEMORY - used, *total = MEMORY, SUCCESS; }
CALL cuMemAlloc_v2(unsigned long long* address, size_t bytes) {
    ENTER;
    if (bytes == 0) return INVALID_VALUE;
    if (bytes > MEMORY - used) return OUT_OF_MEMORY;
    size_t whole = (bytes + 2 * GUARD + 255) / 256 * 256;
    auto* room = (unsigned char*)std::aligned_alloc(256, whole);
    if (!room) return OUT_OF_MEMORY;
    // What was never written is no number, and the guards are seen to when the memory is given back.
    std::memset(room, 0xff, whole);
    used += bytes;
    allocations[*address = (unsigned long long)(room + GUARD)] = bytes;
    return SUCCESS;
}
CALL cuMemFree_v2(unsigned long long address) {
    ENTER;
    auto found = allocations.find(address);
    if (found == allocations.end()) return INVALID_VALUE;
    auto* room = (unsigned char*)address - GUARD;
    size_t bytes = found->second;
    used -= bytes;
    allocations.erase(found);
    bool whole = true;
    for (size_t i = 0; i < GUARD; i++) whole &= room[i] == 0xff && room[GUARD + bytes + i] == 0xff;
    std::free(room);
    return whole ? (int)SUCCESS : failed(ILLEGAL_ADDRESS, "a write beside an array of " + std::to_string(bytes) + " bytes");
}
CALL cuMemAllocAsync(unsigned long long* address, size_t bytes, void*) { return cuMemAlloc_v2(address, bytes); }
CALL cuMemFreeAsync(unsigned long long address, void*) { return cuMemFree_v2(address); }
CALL cuMemsetD8Async(unsigned long long address, unsigned char value, size_t bytes, void*) {
    ENTER;
    return std::memset((void*)address, value, bytes), SUCCESS;
}
CALL cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void*) {
    ENTER;
    return std::memcpy((void*)to, from, bytes), SUCCESS;
}
CALL cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
    ENTER;
    return std::memcpy(to, (const void*)from, bytes), SUCCESS;
}
CALL cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void*) {
    ENTER;
    return std::memcpy((void*)to, (const void*)from, bytes), SUCCESS;
}

CALL cuModuleLoadData(void** to, const void* image) {
    ENTER;
    std::string ptx = (const char*)image;
    Module module{file_of(ptx), {}};
    std::string wrong = module.file ? read_programs(ptx, module) : "PTX without a kernel of lipex";
    if (!wrong.empty()) return std::fprintf(stderr, "oracle: %s\n", wrong.c_str()), INVALID_PTX;
    return *to = new Module(module), SUCCESS;
}
CALL cuModuleLoadDataEx(void** to, const void* image, unsigned, void*, void*) { return cuModuleLoadData(to, image); }
CALL cuModuleUnload(void* module) { return delete (Module*)module, SUCCESS; }
CALL cuModuleGetFunction(void** to, void* module, const char* name) {
    ENTER;
    for (const oracle::Entry* e = ((Module*)module)->file->kernels; e->name; e++)
        // Functions are few and live as long as the program, as their module may be asked for them again.
        if (!std::strcmp(e->name, name)) return *to = new Function{(Module*)module, e}, SUCCESS;
    return NOT_FOUND;
}
// A kernel's own arrays are the program's, not of the memory that a launch asks for.
CALL cuFuncGetAttribute(int* value, int, void*) { return *value = 0, SUCCESS; }
CALL cuFuncSetAttribute(void*, int, int) { return SUCCESS; }
CALL cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                    unsigned shared, void*, void** arguments, void**) {
    ENTER;
    const Function& f = *(const Function*)function;
    if (gz != 1 || by != 1 || bz != 1) return INVALID_VALUE;
    oracle::programs = &f.module->programs;
    std::string wrong = oracle::run(f.entry->launch, arguments, uint3{gx, gy, gz}, bx, shared);
    return wrong.empty() ? (int)SUCCESS : failed(LAUNCH_FAILED, std::string(f.entry->name) + ": " + wrong);
}
