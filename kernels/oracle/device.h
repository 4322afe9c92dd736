// What the kernels' sources take from CUDA's compiler, for a C++ compiler: a second oracle beside cuda-emulator, which
// interprets the PTX. No code is shared. See README.md.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstring>

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
// One block runs at a time, so its shared memory is that of the program.
#define __shared__ static

struct uint3 { unsigned int x, y, z; };
struct alignas(16) uint4 { unsigned int x, y, z, w; };
struct alignas(16) float4 { float x, y, z, w; };

namespace oracle {
// The block that runs and the lane of it that does.
extern uint3 thread, block, grid;
// Bytes of shared memory that the launch asked for.
extern unsigned char* dynamic;
// Waits for the threads of the block.
void wait_for_block();
// Leaves `size` bytes for the lanes of the warp, waits for all 32, and gives what lane `from` left.
void exchange(const void* own, void* other, unsigned int size, unsigned int from);
// Whether each lane says yes, a bit a lane.
unsigned int vote(bool yes);
unsigned int lane();
// A divergence's program in place number `place`: inputs p, ln q, q, √q, width, outputs in the order of the place.
void program(unsigned int place, const float* in, float* out);
void program(unsigned int place, const double* in, double* out);

// A kernel, for the driver to find.
struct Entry {
    const char* name;
    void (*launch)(void** arguments);
};
// A file of kernels and, for each place of a divergence in its PTX, in order, the place's number and its marked line.
struct Marked { unsigned int inline_assembly, place; const char* line; };
struct File {
    const char* name;
    const Entry* kernels;
    const Marked* marked;
};
extern const File* const files[];
}

#define threadIdx oracle::thread
#define blockIdx oracle::block
#define gridDim oracle::grid

static inline void __syncthreads() { oracle::wait_for_block(); }
static inline void __syncwarp() { oracle::vote(true); }
static inline unsigned int __ballot_sync(unsigned int, bool yes) { return oracle::vote(yes); }
template <class T>
static inline T __shfl_xor_sync(unsigned int, T own, unsigned int apart) {
    T other;
    oracle::exchange(&own, &other, sizeof(T), oracle::lane() ^ apart);
    return other;
}

template <class To, class From>
static inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "as many bits");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
static inline int __float_as_int(float x) { return same_bits<int>(x); }
static inline float __int_as_float(int x) { return same_bits<float>(x); }
static inline long long __double_as_longlong(double x) { return same_bits<long long>(x); }
static inline double __longlong_as_double(long long x) { return same_bits<double>(x); }
static inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned long long)a * b >> 32; }
static inline unsigned int __popc(unsigned int x) { return __builtin_popcount(x); }
static inline unsigned int __brev(unsigned int x) {
    unsigned int out = 0;
    for (int i = 0; i < 32; i++) out |= (x >> i & 1u) << (31 - i);
    return out;
}

// One lane runs at a time, and none is interrupted: nothing else is needed for these to be atomic.
static inline unsigned int atomicCAS(unsigned int* at, unsigned int expected, unsigned int wanted) {
    unsigned int there = *at;
    if (there == expected) *at = wanted;
    return there;
}
static inline unsigned int atomicMin(unsigned int* at, unsigned int value) {
    unsigned int there = *at;
    if (value < there) *at = value;
    return there;
}
static inline unsigned int atomicOr(unsigned int* at, unsigned int value) {
    unsigned int there = *at;
    *at |= value;
    return there;
}
