// What the kernels share. No header of CUDA is included: NVRTC alone compiles these files.
//
// Letters as everywhere: N rows, D features, C classes, F kept features, K columns of the fit (F, and one for the
// intercept). Arithmetic is f32 with explicit fma, and f64 for sums; without contraction, so that every device gives the
// same bits.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// 1024 threads a multiprocessor at least, half of what it holds: up to 64 registers a thread.
#define KERNEL(threads) extern "C" __global__ void __launch_bounds__(threads, 1024 / threads)
#define INLINE static __device__ __forceinline__

// Warps have 32 threads; every block here has a multiple of that.
#define WARP 32u
#define ALL_LANES 0xffffffffu

INLINE u32 lane() { return threadIdx.x % WARP; }
INLINE u32 warp() { return threadIdx.x / WARP; }
INLINE u32 smaller(u32 a, u32 b) { return a < b ? a : b; }
INLINE bool bit(const u32* bits, u32 j) { return bits[j / 32] >> (j % 32) & 1; }

// Where number `e` of rows of `width` numbers lies in shared memory so that 32 neighbours are in 32 banks, and so are the
// numbers of one column in 32 rows: after as many numbers as bring a row back to the first bank one is left free.
INLINE u32 spread(u32 e, u32 width) { return e + e / (32 * width / smaller(width & (0u - width), 32)); }

// eˣ within 2 ULP on [−87, 88], clamped there: lipex_core's `Lane::exp`, step by step.
INLINE float exp_of(float x) {
    const float round = 12582912.0f;
    x = x > -87.0f ? x : -87.0f;
    x = x < 88.0f ? x : 88.0f;
    float shifted = __fmaf_rn(x, 1.44269504088896341f, round);
    float n = shifted - round;
    float r = __fmaf_rn(n, -0.693359375f, x);
    r = __fmaf_rn(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = __fmaf_rn(p, r, 1.3981999507e-3f);
    p = __fmaf_rn(p, r, 8.3334519073e-3f);
    p = __fmaf_rn(p, r, 4.1665795894e-2f);
    p = __fmaf_rn(p, r, 1.6666665459e-1f);
    p = __fmaf_rn(p, r, 0.5f);
    float e = __fmaf_rn(p, r * r, r + 1.0f);
    return e * __int_as_float((__float_as_int(shifted) << 23) + 0x3f800000);
}

// ln x within 3 ULP; anything below the smallest normal number is taken as that: lipex_core's `Lane::ln`.
INLINE float ln_of(float x) {
    const float least = 1.17549435e-38f;
    int bits = __float_as_int(x > least ? x : least);
    int exponent = (bits - 0x3f3504f3) >> 23;
    float m = __int_as_float(bits - (exponent << 23)) - 1.0f;
    float e = (float)exponent;
    float p = 7.0376836292e-2f;
    p = __fmaf_rn(p, m, -1.1514610310e-1f);
    p = __fmaf_rn(p, m, 1.1676998740e-1f);
    p = __fmaf_rn(p, m, -1.2420140846e-1f);
    p = __fmaf_rn(p, m, 1.4249322787e-1f);
    p = __fmaf_rn(p, m, -1.6668057665e-1f);
    p = __fmaf_rn(p, m, 2.0000714765e-1f);
    p = __fmaf_rn(p, m, -2.4999993993e-1f);
    p = __fmaf_rn(p, m, 3.3333331174e-1f);
    float z = m * m;
    float y = __fmaf_rn(e, -2.12194440e-4f, p * m * z);
    y = __fmaf_rn(z, -0.5f, y);
    return __fmaf_rn(e, 0.693359375f, m + y);
}

// eˣ in f64, within 2 ULP on [−700, 700], clamped there: the Taylor polynomial after reduction by ln 2.
INLINE double exp_of(double x) {
    const double round = 6755399441055744.0;
    x = x > -700.0 ? x : -700.0;
    x = x < 700.0 ? x : 700.0;
    double shifted = __fma_rn(x, 1.4426950408889634, round);
    double n = shifted - round;
    double r = __fma_rn(n, -0.6931471803691238, x);
    r = __fma_rn(n, -1.9082149292705877e-10, r);
    double p = 1.0 / 6227020800.0;
    p = __fma_rn(p, r, 1.0 / 479001600.0);
    p = __fma_rn(p, r, 1.0 / 39916800.0);
    p = __fma_rn(p, r, 1.0 / 3628800.0);
    p = __fma_rn(p, r, 1.0 / 362880.0);
    p = __fma_rn(p, r, 1.0 / 40320.0);
    p = __fma_rn(p, r, 1.0 / 5040.0);
    p = __fma_rn(p, r, 1.0 / 720.0);
    p = __fma_rn(p, r, 1.0 / 120.0);
    p = __fma_rn(p, r, 1.0 / 24.0);
    p = __fma_rn(p, r, 1.0 / 6.0);
    p = __fma_rn(p, r, 0.5);
    double e = __fma_rn(p, r * r, r + 1.0);
    return e * __longlong_as_double((__double_as_longlong(shifted) << 52) + 0x3ff0000000000000LL);
}

// ln x in f64, within 3 ULP; anything below the smallest normal number is taken as that. 2·artanh((m − 1)/(m + 1)).
INLINE double ln_of(double x) {
    const double least = 2.2250738585072014e-308;
    long long bits = __double_as_longlong(x > least ? x : least);
    long long exponent = (bits - 0x3fe6a09e667f3bcdLL) >> 52;
    double m = __longlong_as_double(bits - (exponent << 52)), e = (double)exponent;
    double s = (m - 1.0) / (m + 1.0), z = s * s;
    double p = 1.0 / 23.0;
    p = __fma_rn(p, z, 1.0 / 21.0);
    p = __fma_rn(p, z, 1.0 / 19.0);
    p = __fma_rn(p, z, 1.0 / 17.0);
    p = __fma_rn(p, z, 1.0 / 15.0);
    p = __fma_rn(p, z, 1.0 / 13.0);
    p = __fma_rn(p, z, 1.0 / 11.0);
    p = __fma_rn(p, z, 1.0 / 9.0);
    p = __fma_rn(p, z, 1.0 / 7.0);
    p = __fma_rn(p, z, 1.0 / 5.0);
    p = __fma_rn(p, z, 1.0 / 3.0);
    double y = __fma_rn(p, z * s, s);
    y = __fma_rn(e, 1.9082149292705877e-10, y + y);
    return __fma_rn(e, 0.6931471803691238, y);
}

// Threads of the blocks that sum.
#define BLOCK 256u

// The sum of a number a thread, the same bits in every thread and every run. `room` holds a number a warp.
INLINE double block_sum(double v, double* room) {
    for (u32 o = WARP / 2; o > 0; o /= 2) v += __shfl_xor_sync(ALL_LANES, v, o);
    if (lane() == 0) room[warp()] = v;
    __syncthreads();
    double sum = 0.0;
#pragma unroll
    for (u32 w = 0; w < BLOCK / WARP; w++) sum += room[w];
    __syncthreads();
    return sum;
}

// The largest of a number a thread, in every thread.
INLINE double block_max(double v, double* room) {
    for (u32 o = WARP / 2; o > 0; o /= 2) {
        double other = __shfl_xor_sync(ALL_LANES, v, o);
        v = other > v ? other : v;
    }
    if (lane() == 0) room[warp()] = v;
    __syncthreads();
    double most = room[0];
#pragma unroll
    for (u32 w = 1; w < BLOCK / WARP; w++) most = room[w] > most ? room[w] : most;
    __syncthreads();
    return most;
}
