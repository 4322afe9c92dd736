// Fit: the softmax surrogate under any divergence, and its minimiser.
//
//   L(X) = Σ_i weight_i d(P_i ‖ softmax(offset + X x_i)) + ½ Σ_cj penalty_cj X_cj²,   X C × K, row-major
//
// A column of x is a term: a feature, two that act together (their AND), or ones. A feature's bit says that it is kept, or,
// where `removed`, that it is removed: then X is −W, and the coefficients of pairs as they are. The offset is ln P₀, clamped
// and centred, of an anchored fit, else 0. A penalty is λ, or, by_curvature, λ times the class's own curvature at P.
//
// Stages of one fit: lipex_fit_prepare packs the kept columns; lipex_fit_precondition factors, a block a class,
// M_c = Zᵀ diag(κ weight max(p(1−p), 10⁻⁴)) Z + penalties; then one of two launch modes, which give the same bits:
//   * lipex_fit: one block an instance, the whole L-BFGS in one launch, tables and a tile of rows in shared memory;
//   * lipex_fit_tile (a block a tile) and lipex_fit_advance (a block an instance) in turn, tables and tiles in global
//     memory, a done flag on the device. No block waits for another in either mode.
// A divergence with kinks is fitted through ever narrower smoothing, a fit a width: before each, lipex_fit_bend and
// lipex_fit_precondition make the factors anew from its curvature at the point.
// Where f32 stalls, lipex_fit_double goes on in f64, a block an instance; lipex_fit_objective then gives the objective of
// the divergence itself.
//
// Products with masks are sums looked up: 4 columns make a table of 16 rows for Z·Xᵀ, 4 rows one for Zᵀ·G.
// Launch: 256 threads a block. Sums over rows are f32 within 128 rows and f64 beyond, in a fixed order.
// A launch makes at most `most` evaluations (`most_double` in f64), so that none runs for long; the next one goes on where it
// ended, to the same bits. report[6] is 1 once nothing is left to do.
// Shared memory of lipex_fit: tables ⌈K/4⌉·pitch(C), tile C·256, and 8·544 numbers for the warps' own tables.
// Checked against `lipex_fit_reference`, an f64 oracle, and the CPU's fits.
#include "prelude.cuh"

#define THREADS 256u
#define TILE THREADS
#define WARPS (THREADS / WARP)
#define MEMORY 10u
// A warp's tables: 32 groups of 4 rows, 16 sums each, 17 apart so that 32 lanes write to 32 banks.
#define OWN (32u * 17u)
#define INTERCEPT_PENALTY 1e-8
// Both features of the column of ones.
#define ONES 0xffffffffu

enum Phase { BEGIN, START, SEARCH };
enum Stop { TOLERANCE, STALLED, EVALUATIONS };
// What a report has: the last three are the objective in the solver's own terms, whether nothing is left to do, and whether
// row 0 keeps every feature, as an anchored fit wants it.
enum Report { OWN_VALUE = 5, OVER, WHOLE, REPORT };
// What lipex_fit_double has done of a stage.
enum Refined { NOT_YET, HALFWAY, REFINED };

// Where the minimiser is.
struct Search {
    double value, trial, slope, t, low, high, norm, scale, rounding;
    double products[MEMORY];
    u32 phase, trials, pairs, newest, idle, stage, evaluations, iterations, stop, done, refined, unused;
};

struct Problem {
    const u32* bits;      // N × words
    const float* p;       // N × C
    const float* pi;      // N
    const u32* times;     // N, how often a row counts; null: once
    const u32* terms;     // K × 2: the features of a column, the same twice for one alone
    const double* start;  // C × K; null: the preconditioner's
    const float* widths;  // smoothing widths, one a stage of the fit
    u64 rows, words, features, classes, count, ones, removed, anchored, by_weight, by_curvature, full;
    u64 stages, limit, renew, most, most_double;
    double lambda, kappa, tolerance, divisor;
    // Room.
    double* offset;       // C
    double* lambdas;      // C
    u32* codes;           // N × ⌈K/32⌉: the kept columns, row by row
    u32* columns;         // 2·tiles × K × 4: the same, column by column, 128 rows at a time
    float* by_class;      // C × TILE·tiles: p, class by class; 0 past the last row
    float* weights;       // TILE·tiles: π·m/n; 0 past the last row
    float* means;         // TILE·tiles: mean over classes of ln max(p, 10⁻⁶)
    float* factors;       // C × K × K (or C × K if not full)
    float* diagonals;     // C × K
    float* solved;        // C × K
    double* vectors;      // 25 × C × K
    float* slopes;        // C × TILE (a tile's, a block's)
    float* tiles;         // many launches only: tiles × C × TILE
    float* tables;        // many launches only
    float* partial;       // many launches only: 2·tiles × C × K
    double* values;       // many launches only: tiles
    Search* search;
    double* rows_room;    // 2 × C × TILE·tiles, for the last digits in f64 and for curvatures
    double* answer;       // C + C × K: the offset, and X at the fit's end
    double* report;       // objective, gradient norm, iterations, evaluations, stop, and `Report`
};

INLINE u32 columns_of(const Problem& o) { return (u32)o.count; }
INLINE u32 tiles_of(const Problem& o) { return (u32)((o.rows + TILE - 1) / TILE); }
INLINE u32 padded_of(const Problem& o) { return tiles_of(o) * TILE; }
INLINE u32 numbers_of(const Problem& o) { return (u32)o.classes * columns_of(o); }
INLINE double penalty_of(const Problem& o, u32 c, u32 j) { return j == o.ones ? INTERCEPT_PENALTY : o.lambdas[c]; }
// Entries of a table are so far apart that 16 of them lie in 16 banks.
INLINE u32 stride_of(u32 classes) { return classes % 4 == 0 ? classes + 1 : classes; }
// Tables are so far apart that neighbours in (table, class) lie in neighbouring banks.
INLINE u32 pitch_of(u32 classes) { return 16 * stride_of(classes) + ((classes - 16 * stride_of(classes)) & 31); }

INLINE double* x_of(const Problem& o) { return o.vectors; }
INLINE double* trial_of(const Problem& o) { return o.vectors + numbers_of(o); }
INLINE double* gradient_of(const Problem& o) { return o.vectors + 2 * (u64)numbers_of(o); }
INLINE double* trial_gradient_of(const Problem& o) { return o.vectors + 3 * (u64)numbers_of(o); }
INLINE double* direction_of(const Problem& o) { return o.vectors + 4 * (u64)numbers_of(o); }
INLINE double* step_of(const Problem& o, u32 pair) { return o.vectors + (5 + (u64)pair) * numbers_of(o); }
INLINE double* change_of(const Problem& o, u32 pair) { return o.vectors + (5 + MEMORY + (u64)pair) * numbers_of(o); }

// φ and ∂φ/∂ln q. The comment is where a divergence's program is put before the module is loaded.
INLINE void divergence(float p, float ln_q, float q, float sqrt_q, float width, float& value, float& slope) {
    asm("// LIPEX_DIVERGENCE value=%0 slope=%1 p=%2 ln_q=%3 q=%4 sqrt_q=%5 width=%6"
        : "=f"(value), "=f"(slope)
        : "f"(p), "f"(ln_q), "f"(q), "f"(sqrt_q), "f"(width));
}

// The same in f64, for the last digits.
INLINE void divergence(double p, double ln_q, double q, double sqrt_q, double width, double& value, double& slope) {
    asm("// LIPEX_DIVERGENCE_DOUBLE value=%0 slope=%1 p=%2 ln_q=%3 q=%4 sqrt_q=%5 width=%6"
        : "=d"(value), "=d"(slope)
        : "d"(p), "d"(ln_q), "d"(q), "d"(sqrt_q), "d"(width));
}

// The divergence itself where the fit's is a smoothed one.
INLINE void exact_divergence(double p, double ln_q, double q, double sqrt_q, double& value, double& slope) {
    asm("// LIPEX_DIVERGENCE_EXACT value=%0 slope=%1 p=%2 ln_q=%3 q=%4 sqrt_q=%5"
        : "=d"(value), "=d"(slope)
        : "d"(p), "d"(ln_q), "d"(q), "d"(sqrt_q));
}

// Below e⁻⁷⁰ a probability means nothing, and subnormal numbers are slow.
INLINE float clean(float p) { return p < 4e-31f ? 0.0f : p; }

#include "prepare.cuh"

#include "objective.cuh"

#include "minimise.cuh"

// ---- one launch, and many ----

KERNEL(256) lipex_fit(const Problem* __restrict__ problems) {
    extern __shared__ float4 shared[];
    __shared__ double sums[WARPS], shares[MEMORY];
    __shared__ Search s;
    const Problem& o = problems[blockIdx.x];
    u32 classes = (u32)o.classes, columns = columns_of(o);
    float* tile = (float*)shared;
    float* own = tile + classes * TILE + warp() * OWN;
    float* tables = tile + classes * TILE + WARPS * OWN;
    if (threadIdx.x == 0) s = *o.search;
    __syncthreads();
    if (s.done) return;
    double value = 0.0;
    // A trial point of the launch before waits for its evaluation.
    bool waits = s.phase != BEGIN;
    for (u64 left = o.most;; left--) {
        if (!waits) advance(o, s, value, sums, shares);
        waits = false;
        if (s.done || left == 0) break;
        tabulate(o, trial_of(o), tables);
        __syncthreads();
        value = 0.0;
#pragma unroll 1
        for (u32 first = 0; first < o.rows; first += TILE) {
            value += block_sum(pass_row(o, first + threadIdx.x, tables, tile, o.slopes, o.widths[s.stage]), sums);
#pragma unroll 1
            for (u32 c = warp(); c < classes; c += WARPS)
                for (u32 half = 0; half < 2; half++) {
                    double* to = trial_gradient_of(o) + (u64)c * columns;
                    bool fresh = first == 0 && half == 0;
                    transpose_half(o, tile, own, c, first, half, [=](u32 j, float sum) { to[j] = (fresh ? 0.0 : to[j]) + (double)sum; });
                }
            __syncthreads();
        }
        value = finish(o, trial_of(o), trial_gradient_of(o), value, sums);
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        if (s.done) write_report(o, s);
        *o.search = s;
    }
}

// Grid (tiles, instances).
KERNEL(256) lipex_fit_tile(const Problem* __restrict__ problems) {
    __shared__ float tables[WARPS * OWN];
    __shared__ double sums[WARPS];
    const Problem& o = problems[blockIdx.y];
    u32 t = blockIdx.x, classes = (u32)o.classes, columns = columns_of(o);
    if (t >= tiles_of(o) || o.search->done) return;
    float* tile = o.tiles + (u64)t * classes * TILE;
    float* slopes = o.slopes + (u64)t * classes * TILE;
    double value = pass_row(o, t * TILE + threadIdx.x, o.tables, tile, slopes, o.widths[o.search->stage]);
    value = block_sum(value, sums);
    if (threadIdx.x == 0) o.values[t] = value;
#pragma unroll 1
    for (u32 c = warp(); c < classes; c += WARPS)
        for (u32 half = 0; half < 2; half++) {
            float* to = o.partial + (u64)(2 * t + half) * numbers_of(o) + (u64)c * columns;
            transpose_half(o, tile, tables + warp() * OWN, c, t * TILE, half, [=](u32 j, float sum) { to[j] = sum; });
        }
}

// Grid (instances): sums what the tiles left, decides, and tabulates the next trial point.
KERNEL(256) lipex_fit_advance(const Problem* __restrict__ problems) {
    __shared__ double sums[WARPS], shares[MEMORY];
    __shared__ Search s;
    const Problem& o = problems[blockIdx.x];
    if (threadIdx.x == 0) s = *o.search;
    __syncthreads();
    if (s.done) return;
    double value = 0.0;
    if (s.phase != BEGIN) {
        double* gradient = trial_gradient_of(o);
#pragma unroll 1
        for (u32 t = 0; t < tiles_of(o); t++) value += o.values[t];
#pragma unroll 1
        for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) {
            double sum = 0.0;
#pragma unroll 1
            for (u32 h = 0; h < 2 * tiles_of(o); h++) sum += (double)o.partial[(u64)h * numbers_of(o) + e];
            gradient[e] = sum;
        }
        __syncthreads();
        value = finish(o, trial_of(o), gradient, value, sums);
        __syncthreads();
    }
    advance(o, s, value, sums, shares);
    if (!s.done) tabulate(o, trial_of(o), o.tables);
    if (threadIdx.x == 0) {
        if (s.done) write_report(o, s);
        *o.search = s;
    }
}

// ---- without look-ups ----

// The logit of class c at row i: the offset and a sum over the columns.
template <class T>
INLINE T logit(const Problem& o, const double* x, u32 i, u32 c) {
    u32 columns = columns_of(o);
    const u32* codes = o.codes + (u64)i * ((columns + 31) / 32);
    T l = (T)o.offset[c];
    for (u32 j = 0; j < columns; j++)
        if (bit(codes, j)) l += (T)x[(u64)c * columns + j];
    return l;
}

// φ_q(q)/(q − p): what stands for the slope of φ in q², taken a sixteenth of a width from p at least.
INLINE float secant(float p, float q, float width) {
    const float near = width * 0.0625f;
    float x = q - p;
    q = (x < 0.0f ? -x : x) > near ? q : p + near;
    q = q > 1.17549435e-38f ? q : 1.17549435e-38f;
    float value, slope;
    divergence(p, ln_of(q), q, sqrtf(q), width, value, slope);
    return slope / (q * (q - p));
}

// Grid (tiles, instances): curvatures of a smoothed divergence in the logits at the point where the next width starts.
KERNEL(256) lipex_fit_bend(const Problem* __restrict__ problems) {
    const Problem& o = problems[blockIdx.y];
    u32 t = blockIdx.x, i = t * TILE + threadIdx.x, classes = (u32)o.classes, apart = padded_of(o);
    if (t >= tiles_of(o)) return;
    float *q = bends_of(o, 0) + i, *h = bends_of(o, classes) + i;
    if (i >= o.rows) {
        for (u32 c = 0; c < classes; c++) q[(u64)c * apart] = 0.0f;
        return;
    }
    const double* x = o.search->phase == BEGIN && o.start ? o.start : x_of(o);
    float width = o.widths[o.search->stage], kappa = (float)o.kappa, top = -3e38f, total = 0.0f, all = 0.0f;
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float l = logit<float>(o, x, i, c);
        q[(u64)c * apart] = l;
        top = fmaxf(top, l);
    }
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float s = exp_of(0.5f * (q[(u64)c * apart] - top));
        q[(u64)c * apart] = s * s;
        total += s * s;
    }
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float v = q[(u64)c * apart] / total, own = secant(o.by_class[(u64)c * apart + i], v, width);
        q[(u64)c * apart] = v;
        h[(u64)c * apart] = own;
        all += own * v * v;
    }
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float v = q[(u64)c * apart], curvature = v * v * (h[(u64)c * apart] * (1.0f - 2.0f * v) + all) / kappa;
        q[(u64)c * apart] = kappa * o.weights[i] * (curvature > 1e-4f ? curvature : 1e-4f);
    }
}

// ln Σ e^logit of a row whose logits are c·N + i of `logits`; the logits become ln q.
INLINE void normalise(const Problem& o, double* logits, u32 i) {
    double top = -1e300, total = 0.0;
    for (u32 c = 0; c < o.classes; c++) top = fmax(top, logits[c * o.rows + i]);
    for (u32 c = 0; c < o.classes; c++) total += exp_of(logits[c * o.rows + i] - top);
    double ln_sum = top + ln_of(total);
    for (u32 c = 0; c < o.classes; c++) logits[c * o.rows + i] -= ln_sum;
}

// Objective and gradient at x in f64, without penalties. A row that does not count leaves zeros.
INLINE double evaluate_double(const Problem& o, const double* x, double* gradient, double width, double* sums) {
    u32 classes = (u32)o.classes, columns = columns_of(o), rows = (u32)o.rows;
    double *ln_q = o.rows_room, *slopes = o.rows_room + (u64)classes * rows, value = 0.0;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < rows; i += THREADS) {
        double row = 0.0, all = 0.0;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) ln_q[(u64)c * rows + i] = logit<double>(o, x, i, c);
        normalise(o, ln_q, i);
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            double u = ln_q[(u64)c * rows + i], root = exp_of(0.5 * u), v, d;
            divergence((double)o.by_class[(u64)c * padded_of(o) + i], u, root * root, root, width, v, d);
            row += v;
            all += d;
            slopes[(u64)c * rows + i] = d;
        }
        double weight = (double)o.weights[i];
        for (u32 c = 0; c < classes; c++) {
            double g = slopes[(u64)c * rows + i] - exp_of(ln_q[(u64)c * rows + i]) * all;
            slopes[(u64)c * rows + i] = weight > 0.0 ? weight * g : 0.0;
        }
        value += weight > 0.0 ? weight * row : 0.0;
    }
    value = block_sum(value, sums);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) {
        u32 c = e / columns, j = e % columns;
        double sum = 0.0;
#pragma unroll 1
        for (u32 w = 0; w < (rows + 31) / 32; w++) {
            u32 word = o.columns[((u64)(w / 4) * columns + j) * 4 + w % 4];
            for (u32 i = 32 * w; i < smaller(rows, 32 * w + 32); i++) sum += word >> (i % 32) & 1 ? slopes[(u64)c * rows + i] : 0.0;
        }
        gradient[e] = sum;
    }
    __syncthreads();
    return value;
}

// Goes on in f64 where f32 had nothing more to give. Grid (instances).
KERNEL(256) lipex_fit_double(const Problem* __restrict__ problems) {
    __shared__ double sums[WARPS], shares[MEMORY];
    __shared__ Search s;
    const Problem& o = problems[blockIdx.x];
    if (threadIdx.x == 0) s = *o.search;
    __syncthreads();
    bool ready = s.done && s.refined != REFINED && s.stop == STALLED;
    __syncthreads();
    if (!ready) {
        if (threadIdx.x == 0) o.report[OVER] = s.done ? 1.0 : 0.0;
        return;
    }
    if (threadIdx.x == 0) {
        if (s.refined == NOT_YET) {
            s.rounding = 1e-14;
            s.stage = (u32)o.stages - 1;
            s.phase = START;
        }
        s.done = 0;
    }
    __syncthreads();
#pragma unroll 1
    for (u64 left = o.most_double; !s.done && left > 0; left--) {
        double width = (double)o.widths[o.stages - 1];
        double value = evaluate_double(o, trial_of(o), trial_gradient_of(o), width, sums);
        value = finish(o, trial_of(o), trial_gradient_of(o), value, sums);
        __syncthreads();
        advance(o, s, value, sums, shares);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        if (s.done) {
            write_report(o, s);
            s.rounding = 1e-7;
        }
        o.report[OVER] = s.done ? 1.0 : 0.0;
        s.refined = s.done ? REFINED : HALFWAY;
        // While it is halfway the others must not go on in f32.
        s.done = 1;
        *o.search = s;
    }
}

// The objective of the divergence itself, not smoothed, at the fit's end, in f64. Grid (instances).
KERNEL(256) lipex_fit_objective(const Problem* __restrict__ problems) {
    __shared__ double sums[WARPS];
    const Problem& o = problems[blockIdx.x];
    u32 classes = (u32)o.classes, rows = (u32)o.rows, n = numbers_of(o);
    const double* x = x_of(o);
    double value = 0.0, *ln_q = o.rows_room;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < rows; i += THREADS) {
        double weight = (double)o.weights[i], row = 0.0;
        for (u32 c = 0; c < classes; c++) ln_q[(u64)c * rows + i] = logit<double>(o, x, i, c);
        normalise(o, ln_q, i);
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            double u = ln_q[(u64)c * rows + i], root = exp_of(0.5 * u), v, d;
            exact_divergence((double)o.by_class[(u64)c * padded_of(o) + i], u, root * root, root, v, d);
            row += v;
        }
        value += weight > 0.0 ? weight * row : 0.0;
    }
    value = block_sum(value, sums);
    double squares = 0.0;
    for (u32 e = threadIdx.x; e < n; e += THREADS) squares += penalty_of(o, e / columns_of(o), e % columns_of(o)) * x[e] * x[e];
    squares = block_sum(squares, sums);
    if (threadIdx.x == 0) o.report[0] = value + 0.5 * squares;
    for (u32 c = threadIdx.x; c < classes; c += THREADS) o.answer[c] = o.offset[c];
    for (u32 e = threadIdx.x; e < n; e += THREADS) o.answer[classes + e] = x[e];
}

// Objective (report[5]) and gradient (trial gradient) at the start, as plainly as can be: the reference for both modes. Needs room for N·C numbers in `partial`. Grid (instances).
KERNEL(256) lipex_fit_reference(const Problem* __restrict__ problems) {
    __shared__ double sums[WARPS];
    const Problem& o = problems[blockIdx.x];
    u32 classes = (u32)o.classes, columns = columns_of(o);
    const double* x = o.start;
    double value = 0.0;
#pragma unroll 1
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        float top = -3e38f, total = 0.0f, all = 0.0f;
        float* g = o.partial + (u64)i * classes;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) top = fmaxf(top, logit<float>(o, x, i, c));
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) total += exp_of(logit<float>(o, x, i, c) - top);
        float ln_total = ln_of(total);
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            float ln_q = logit<float>(o, x, i, c) - top - ln_total, v, d;
            divergence(clean(o.p[(u64)i * classes + c]), ln_q, exp_of(ln_q), exp_of(0.5f * ln_q), o.widths[0], v, d);
            if (o.weights[i] > 0.0f) value += (double)o.weights[i] * (double)v;
            g[c] = d;
            all += d;
        }
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            float ln_q = logit<float>(o, x, i, c) - top - ln_total;
            g[c] = o.weights[i] > 0.0f ? o.weights[i] * (g[c] - exp_of(ln_q) * all) : 0.0f;
        }
    }
    value = block_sum(value, sums);
    double* gradient = trial_gradient_of(o);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) {
        u32 c = e / columns, j = e % columns;
        double sum = 0.0;
#pragma unroll 1
        for (u32 i = 0; i < o.rows; i++)
            if (bit(o.codes + (u64)i * ((columns + 31) / 32), j)) sum += (double)o.partial[(u64)i * classes + c];
        gradient[e] = sum;
    }
    __syncthreads();
    value = finish(o, x, gradient, value, sums);
    if (threadIdx.x == 0) o.report[OWN_VALUE] = value;
}

#define LAYOUT_FIT
#include "layout.cuh"
