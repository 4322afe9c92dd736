// Evaluate: agreement of a surrogate with the black box, π-weighted over rows.
//
// lipex_evaluate: grid (1, evaluations), 256 threads, one a row; sums f64 in a fixed order.
// lipex_evaluate_classes: grid (C, evaluations), sums for R² of a class.
// lipex_evaluate_enter, lipex_evaluate_first: which rows have the same mask, one thread a row.
// Shapes: x C × (F + 1), the intercept last; answers C × N; sums 12 numbers; squares C × 3. Shared memory: 64 bytes.
// Checked against the CPU's fidelities.
#include "prelude.cuh"

#define THREADS 256u
#define WARPS (THREADS / WARP)
// The least probability that a row of a ridge is clipped to before H² and KL.
#define FLOOR 1e-7f

enum Rows { ALL, FOLD, INSTANCE };
// Of all rows, and again of those near the instance.
#define SUMS 12u

struct Evaluation {
    const u32* bits;   // N × words
    const float* p;    // N × C
    const float* pi;   // N
    const u32* times;  // N; null: once
    const u32* folds;  // N: the fold of each row
    const u32* kept;   // F
    const double* x;   // C × (F + 1)
    u64 rows, words, classes, features, all;
    u64 which, fold, identity;
    float* answers;    // C × N, of the instance alone C: room for the surrogate's answers
    double* sums;      // weight, TV, H², KL, same arg max, off the simplex; again, of near rows
    double* squares;   // C × 3: Σ w p, Σ w p², Σ w (p − q)²
};

INLINE double weight_of(const Evaluation& o, u32 i) {
    if (o.which == INSTANCE) return i == 0 ? 1.0 : 0.0;
    if (o.which == FOLD && o.folds[i] != o.fold) return 0.0;
    return (double)o.pi[i] * (double)(o.times ? o.times[i] : 1u);
}

// A near row, which keeps more than .8 of all features, counts as often as it stands there, whatever its weight.
INLINE double near_weight_of(const Evaluation& o, u32 i) {
    u32 kept = 0;
    for (u64 w = 0; w < o.words; w++) kept += __popc(o.bits[(u64)i * o.words + w]);
    return 5 * (u64)kept > 4 * o.all ? (double)(o.times ? o.times[i] : 1u) : 0.0;
}

INLINE float score(const Evaluation& o, u32 i, u32 c) {
    const u32* row = o.bits + (u64)i * o.words;
    const double* x = o.x + (u64)c * (o.features + 1);
    double sum = x[o.features];
    for (u32 j = 0; j < o.features; j++) sum += bit(row, o.kept[j]) ? x[j] : 0.0;
    return (float)sum;
}

// Where the answer for class c at row i lies.
INLINE u64 place_of(const Evaluation& o, u32 i, u32 c) { return o.which == INSTANCE ? c : c * o.rows + i; }

// The surrogate's answer as a distribution.
INLINE float on_simplex(const Evaluation& o, float q, float inverse) {
    return o.identity ? (q > FLOOR ? q : FLOOR) * inverse : q;
}

KERNEL(256) lipex_evaluate(const Evaluation* __restrict__ evaluations) {
    __shared__ double room[WARPS];
    const Evaluation& o = evaluations[blockIdx.y];
    u32 classes = (u32)o.classes;
    double sums[SUMS] = {};
#pragma unroll 1
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        double w = weight_of(o, i);
        if (!(w > 0.0)) continue;
        float top = -3e38f, total = 0.0f;
        for (u32 c = 0; c < classes; c++) {
            float s = score(o, i, c);
            o.answers[place_of(o, i, c)] = s;
            top = fmaxf(top, s);
        }
        for (u32 c = 0; c < classes; c++) {
            float s = o.answers[place_of(o, i, c)];
            total += o.identity ? (s > FLOOR ? s : FLOOR) : exp_of(s - top);
        }
        float inverse = 1.0f / total;
        double row_tv = 0.0, row_hellinger = 0.0, row_kl = 0.0;
        float most_p = -1.0f, most_q = -3e38f;
        u32 best_p = 0, best_q = 0;
        bool outside = false;
        for (u32 c = 0; c < classes; c++) {
            float p = o.p[(u64)i * classes + c], s = o.answers[place_of(o, i, c)];
            float q = o.identity ? s : exp_of(s - top) * inverse;
            o.answers[place_of(o, i, c)] = q;
            float r = on_simplex(o, q, inverse), d = sqrtf(p) - sqrtf(r);
            float ln_r = o.identity ? ln_of(r) : s - top + ln_of(inverse);
            row_tv += 0.5 * fabs((double)p - (double)q);
            row_hellinger += 0.5 * (double)(d * d);
            if (p > 0.0f) row_kl += (double)p * ((double)ln_of(p) - (double)ln_r);
            if (p > most_p) most_p = p, best_p = c;
            // Scores tell apart what rounds to the same probability.
            if (s > most_q) most_q = s, best_q = c;
            outside = outside || (o.identity && !(q >= 0.0f && q <= 1.0f));
        }
        double row[] = {1.0, row_tv, row_hellinger, row_kl, best_p == best_q ? 1.0 : 0.0, outside ? 1.0 : 0.0};
        double near = near_weight_of(o, i);
#pragma unroll
        for (u32 s = 0; s < SUMS / 2; s++) {
            sums[s] += w * row[s];
            sums[s + SUMS / 2] += near * row[s];
        }
    }
#pragma unroll
    for (u32 s = 0; s < SUMS; s++) {
        double sum = block_sum(sums[s], room);
        if (threadIdx.x == 0) o.sums[s] = sum;
    }
}

KERNEL(256) lipex_evaluate_classes(const Evaluation* __restrict__ evaluations) {
    __shared__ double room[WARPS];
    const Evaluation& o = evaluations[blockIdx.y];
    u32 c = blockIdx.x;
    if (o.which != ALL || c >= o.classes) return;
    double sum = 0.0, squares = 0.0, residual = 0.0;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        double w = weight_of(o, i);
        if (!(w > 0.0)) continue;
        double p = (double)o.p[(u64)i * o.classes + c], q = (double)o.answers[place_of(o, i, c)];
        sum += w * p;
        squares += w * p * p;
        residual += w * (p - q) * (p - q);
    }
    sum = block_sum(sum, room);
    squares = block_sum(squares, room);
    residual = block_sum(residual, room);
    if (threadIdx.x == 0) {
        o.squares[3 * c] = sum;
        o.squares[3 * c + 1] = squares;
        o.squares[3 * c + 2] = residual;
    }
}

INLINE bool equal(const u32* bits, u64 words, u32 a, u32 b) {
    u64 w = 0;
    while (w < words && bits[(u64)a * words + w] == bits[(u64)b * words + w]) w++;
    return w == words;
}

// Where the search for a row's mask begins.
INLINE u32 hash(const u32* bits, u64 words, u32 i) {
    u32 h = 0;
    for (u64 w = 0; w < words; w++) {
        h = (h ^ bits[(u64)i * words + w]) * 0x85ebca6bu;
        h ^= h >> 15;
    }
    return h;
}

// Enters each row into a table of a power of two of slots, at least twice as many as rows, all 0 before: one more than the
// first row of a mask. Which slot a mask gets depends on the order of the rows, the row that stays there does not.
KERNEL(256) lipex_evaluate_enter(const u32* __restrict__ bits, u32* __restrict__ slots, u64 rows, u64 words, u32 last) {
    u32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= rows) return;
    for (u32 at = hash(bits, words, i) & last;; at = (at + 1) & last) {
        u32 there = atomicCAS(slots + at, 0u, i + 1);
        if (there == 0) return;
        if (equal(bits, words, there - 1, i)) {
            atomicMin(slots + at, i + 1);
            return;
        }
    }
}

// first[i]: the first row whose mask equals that of row i, out of the table in which all rows are.
KERNEL(256) lipex_evaluate_first(const u32* __restrict__ bits, const u32* __restrict__ slots, u32* __restrict__ first, u64 rows,
                                 u64 words, u32 last) {
    u32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= rows) return;
    u32 at = hash(bits, words, i) & last;
    while (!equal(bits, words, slots[at] - 1, i)) at = (at + 1) & last;
    first[i] = slots[at] - 1;
}

#define LAYOUT_EVALUATE
#include "layout.cuh"
