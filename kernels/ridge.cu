// Ridge: weighted ridge regressions of every class on columns of the masks, in f64.
//
// Works on the sums of lipex_select_moments. lipex_ridge_gram: grid (blocks of 256 pairs of columns, instances).
// lipex_ridge_factor and lipex_ridge_solve: grid (systems, instances), 256 threads: a Cholesky factor a system; a warp a class.
// Shapes: gram columns × columns, f64, row-major; a system's factor size × size, its solutions classes × size.
// Shared memory: 64 bytes. Checked against the CPU.
#include "prelude.cuh"

#define THREADS 256u
#define WARPS (THREADS / WARP)

// Classes that share their columns, and so a factor.
struct System {
    const u32* members;  // positions among the columns
    u64 size;
    u64 first_class, classes;
    double* factor;      // size × size
    double* solutions;   // classes × size
    double* reports;     // classes × 3: intercept, objective, largest component of the gradient
};

struct Ridge {
    const u32* bits;     // N × words
    const float* p;      // N × C
    const float* pi;     // N
    const u32* times;    // N; null: once
    const u32* kept;     // features of the columns; null: all
    u64 rows, words, classes, columns;
    const double* moments;  // (C+1) × columns
    double* gram;        // columns × columns
    const System* systems;
    u64 count;
    double alpha;
};

INLINE double weight_of(const Ridge& o, u32 i) { return (double)o.pi[i] * (double)(o.times ? o.times[i] : 1u); }

KERNEL(256) lipex_ridge_gram(const Ridge* __restrict__ ridges) {
    const Ridge& o = ridges[blockIdx.y];
    u64 e = (u64)blockIdx.x * THREADS + threadIdx.x;
    u32 j = (u32)(e / o.columns), k = (u32)(e % o.columns);
    if (e >= o.columns * o.columns || k > j) return;
    u32 a = o.kept ? o.kept[j] : j, b = o.kept ? o.kept[k] : k;
    double sum = 0.0;
    for (u32 i = 0; i < o.rows; i++) {
        const u32* row = o.bits + (u64)i * o.words;
        sum += bit(row, a) && bit(row, b) ? weight_of(o, i) : 0.0;
    }
    o.gram[(u64)j * o.columns + k] = sum;
    o.gram[(u64)k * o.columns + j] = sum;
}

// Σ w (z_j − z̄_j)(z_k − z̄_k) + α for j = k.
INLINE double entry(const Ridge& o, double total, u32 j, u32 k) {
    const double* ones = o.moments + o.classes * o.columns;
    return o.gram[(u64)j * o.columns + k] - ones[j] * (ones[k] / total) + (j == k ? o.alpha : 0.0);
}

INLINE double warp_sum(double v) {
    for (u32 s = WARP / 2; s > 0; s /= 2) v += __shfl_xor_sync(ALL_LANES, v, s);
    return v;
}

// L below the diagonal and mirrored above it, the diagonal inverted.
INLINE void factorise(const Ridge& o, const System& system, double total) {
    double* a = system.factor;
    u32 n = (u32)system.size;
#pragma unroll 1
    for (u32 i = warp(); i < n; i += WARPS)
#pragma unroll 1
        for (u32 j = lane(); j <= i; j += WARP) a[(u64)i * n + j] = entry(o, total, system.members[i], system.members[j]);
    __syncthreads();
#pragma unroll 1
    for (u32 k = 0; k < n; k++) {
        double least = entry(o, total, system.members[k], system.members[k]) * 1e-15 + 2.2250738585072014e-308;
        double pivot = a[(u64)k * n + k];
        double inverse = 1.0 / sqrt(pivot > least ? pivot : least);
        __syncthreads();
        if (threadIdx.x == 0) a[(u64)k * n + k] = inverse;
#pragma unroll 1
        for (u32 i = k + 1 + threadIdx.x; i < n; i += THREADS) {
            double l = a[(u64)i * n + k] * inverse;
            a[(u64)i * n + k] = l;
            a[(u64)k * n + i] = l;
        }
        __syncthreads();
#pragma unroll 1
        for (u32 i = k + 1 + warp(); i < n; i += WARPS) {
            double l = a[(u64)k * n + i];
#pragma unroll 1
            for (u32 j = k + 1 + lane(); j <= i; j += WARP) a[(u64)i * n + j] -= l * a[(u64)k * n + j];
        }
        __syncthreads();
    }
}

// b ← A⁻¹ b by one warp.
INLINE void solve(const System& system, double* b) {
    const double* a = system.factor;
    u32 n = (u32)system.size;
#pragma unroll 1
    for (u32 i = 0; i < n; i++) {
        double v = b[i] * a[(u64)i * n + i];
        __syncwarp();
        if (lane() == 0) b[i] = v;
#pragma unroll 1
        for (u32 k = i + 1 + lane(); k < n; k += WARP) b[k] -= a[(u64)i * n + k] * v;
        __syncwarp();
    }
#pragma unroll 1
    for (u32 i = n; i-- > 0;) {
        double v = b[i] * a[(u64)i * n + i];
        __syncwarp();
        if (lane() == 0) b[i] = v;
#pragma unroll 1
        for (u32 k = lane(); k < i; k += WARP) b[k] -= a[(u64)i * n + k] * v;
        __syncwarp();
    }
}

// Σ w over the rows, by the block.
INLINE double total_of(const Ridge& o, double* sums) {
    double total = 0.0;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) total += weight_of(o, i);
    return block_sum(total, sums);
}

KERNEL(256) lipex_ridge_factor(const Ridge* __restrict__ ridges) {
    __shared__ double sums[WARPS];
    const Ridge& o = ridges[blockIdx.y];
    if (blockIdx.x < o.count) factorise(o, o.systems[blockIdx.x], total_of(o, sums));
}

// Intercept, objective V − 2 v·r + v·A v, and the largest component of the gradient 2 (A v − r), of one class by one warp.
INLINE void report(const Ridge& o, const System& system, u32 own, double mean, double total) {
    u32 n = (u32)system.size, c = (u32)system.first_class + own;
    const double *with = o.moments + (u64)c * o.columns, *ones = o.moments + o.classes * o.columns;
    const double* b = system.solutions + (u64)own * n;
    double shift = 0.0, objective = 0.0, largest = 0.0;
#pragma unroll 1
    for (u32 a = lane(); a < n; a += WARP) {
        u32 j = system.members[a];
        double product = 0.0;
#pragma unroll 1
        for (u32 k = 0; k < n; k++) product += entry(o, total, j, system.members[k]) * b[k];
        double r = with[j] - ones[j] * mean;
        shift += ones[j] / total * b[a];
        objective += b[a] * (product - 2.0 * r);
        double g = fabs(2.0 * (product - r));
        largest = g > largest ? g : largest;
    }
    double squares = 0.0;
#pragma unroll 1
    for (u32 i = lane(); i < (u32)o.rows; i += WARP) {
        double d = (double)o.p[(u64)i * o.classes + c] - mean;
        squares += weight_of(o, i) * d * d;
    }
    double* out = system.reports + 3 * (u64)own;
    shift = warp_sum(shift);
    if (lane() == 0) out[0] = mean - shift;
    objective = warp_sum(objective) + warp_sum(squares);
    if (lane() == 0) out[1] = objective;
    for (u32 s = WARP / 2; s > 0; s /= 2) {
        double other = __shfl_xor_sync(ALL_LANES, largest, s);
        largest = other > largest ? other : largest;
    }
    if (lane() == 0) out[2] = largest;
}

KERNEL(256) lipex_ridge_solve(const Ridge* __restrict__ ridges) {
    __shared__ double sums[WARPS];
    const Ridge& o = ridges[blockIdx.y];
    if (blockIdx.x >= o.count) return;
    const System& system = o.systems[blockIdx.x];
    u32 n = (u32)system.size, rows = (u32)o.rows;
    double total = total_of(o, sums);
    const double* ones = o.moments + o.classes * o.columns;
#pragma unroll 1
    for (u32 own = warp(); own < system.classes; own += WARPS) {
        u32 c = (u32)system.first_class + own;
        const double* with = o.moments + (u64)c * o.columns;
        double sum = 0.0;
#pragma unroll 1
        for (u32 i = lane(); i < rows; i += WARP) sum += weight_of(o, i) * (double)o.p[(u64)i * o.classes + c];
        double mean = warp_sum(sum) / total;
        double* b = system.solutions + (u64)own * n;
#pragma unroll 1
        for (u32 a = lane(); a < n; a += WARP) b[a] = with[system.members[a]] - ones[system.members[a]] * mean;
        __syncwarp();
        solve(system, b);
        report(o, system, own, mean, total);
    }
}

#define LAYOUT_RIDGE
#include "layout.cuh"
