// Lambda: how far refits are from the black box on the rows that they were not fitted on.
//
//   Σ π_i m_i d(P_i ‖ softmax(W z_i + b)) over the rows of one fold, in f64 throughout
//
// lipex_lambda_held_out: grid (evaluations), 256 threads, one a row; sums in a fixed order.
// Shapes: x C × (F + 1), the intercept last; one sum an evaluation. Shared memory: 64 bytes.
// Checked against the CPU's choice of λ and its scores.
#include "prelude.cuh"

#define THREADS 256u
#define WARPS (THREADS / WARP)

struct HeldOut {
    const u32* bits;   // N × words
    const float* p;    // N × C
    const float* pi;   // N
    const u32* times;  // N; null: once
    const u32* folds;  // N: the fold of each row
    const u32* kept;   // F
    const double* x;   // C × (F + 1)
    u64 rows, words, classes, features, fold;
    double* sum;
};

// The divergence itself, never smoothed. The comment is where its program is put before the module is loaded.
INLINE double exact_divergence(double p, double ln_q, double q, double sqrt_q) {
    double value;
    asm("// LIPEX_DIVERGENCE_EXACT value=%0 p=%1 ln_q=%2 q=%3 sqrt_q=%4"
        : "=d"(value)
        : "d"(p), "d"(ln_q), "d"(q), "d"(sqrt_q));
    return value;
}

INLINE double logit(const HeldOut& o, u32 i, u32 c) {
    const u32* row = o.bits + (u64)i * o.words;
    const double* x = o.x + (u64)c * (o.features + 1);
    double sum = x[o.features];
    for (u32 j = 0; j < o.features; j++) sum += bit(row, o.kept[j]) ? x[j] : 0.0;
    return sum;
}

KERNEL(256) lipex_lambda_held_out(const HeldOut* __restrict__ evaluations) {
    __shared__ double room[WARPS];
    const HeldOut& o = evaluations[blockIdx.x];
    u32 classes = (u32)o.classes;
    double sum = 0.0;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        double weight = (double)o.pi[i] * (double)(o.times ? o.times[i] : 1u);
        if (o.folds[i] != o.fold || !(weight > 0.0)) continue;
        double top = -1e300, total = 0.0, row = 0.0;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) top = fmax(top, logit(o, i, c));
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) total += exp_of(logit(o, i, c) - top);
        double ln_sum = top + ln_of(total);
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            double ln_q = logit(o, i, c) - ln_sum, root = exp_of(0.5 * ln_q);
            row += exact_divergence((double)o.p[(u64)i * classes + c], ln_q, root * root, root);
        }
        sum += weight * row;
    }
    sum = block_sum(sum, room);
    if (threadIdx.x == 0) *o.sum = sum;
}

#define LAYOUT_LAMBDA
#include "layout.cuh"
