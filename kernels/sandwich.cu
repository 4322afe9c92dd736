// Sandwich: what the standard errors of a softmax fit are made of, A⁺MA⁺/N, summed over rows in f64.
//
//   A = Σ_i weight_i m_i/N · zᵢzᵢᵀ ⊗ Hᵢ,   h_i = weight_i/N · mean of the diagonal of Hᵢ·(zᵢᵀA⁻¹zᵢ),
//   part_u = Σ over the rows of unit u of factor_i (weight_i (zᵢ ⊗ gᵢ + penalty) − mean),   M = Σ_u m_u part_u part_uᵀ
//
// g and H are the gradient and the Hessian of the divergence in the logits, in an orthonormal basis of k = C − 1 contrasts
// (Helmert's): contrast m is +1 on classes 0…m and −(m+1) on class m+1, over √((m+1)(m+2)). In it H is sums of products of
// four vectors of k numbers a row, which is all that is kept. Entry (j, m) of a vector of n = K·k has the place j·k + m.
//
// lipex_sandwich_rows: a thread a row. lipex_sandwich_hessian: grid (k(k+1)/2, instances), a block a pair of contrasts, a
// thread a pair of columns. lipex_sandwich_leverage: grid (N, instances), a block a row. lipex_sandwich_means: grid (n,
// instances), a block an entry. lipex_sandwich_parts: grid (units, instances), a block a unit. lipex_sandwich_noise: grid
// (T(T+1)/2, instances), T = ⌈n/16⌉, a block 16 × 16 entries of M. lipex_sandwich_moved: grid (⌈units/16⌉·T, instances), a
// block 16 × 16 entries of parts·A⁻¹. All 256 threads. Every sum is one thread's, or a block's, in a fixed order.
// Shared memory: up to 24 KiB, of a row's vectors or of two tiles.
// Checked against the CPU's standard errors.
#include "prelude.cuh"

#define THREADS 256u
#define WARPS (THREADS / WARP)
#define SIDE 16u
// The most contrasts: C·K is at most 600, and there are two columns or more, or one and as many classes as that.
#define MOST 600u

struct Sandwich {
    const u32* bits;         // N × words
    const float* p;          // N × C
    const float* pi;         // N
    const u32* times;        // N, how often a row counts; null: once
    const u32* kept;         // F
    const double* x;         // C × (F + 1), the intercept last
    u64 rows, words, classes, features, columns;
    u64 removed;             // 1: the columns of A say what is removed, not what is kept
    u64 near;                // 1: H with q in the place of p (Gauss–Newton)
    double scale, count;     // weight_i = scale·π_i; N
    u32* masks;              // K × ⌈N/32⌉: the kept columns, a bit a row
    double* room;            // 3 × C × N
    double* gradients;       // k × N: g
    double* vectors;         // 4 × k × N: q, φ″, and e = φ″ − q Σφ′ in the basis; the diagonal of e there
    double* curvatures;           // N: Σφ′ + Σφ″
    double* hessian;         // n × n, zero before; the lower triangle of A
    const double* inverse;   // n × n: A⁻¹
    double* leverages;       // N
    u64 units, strata;
    const u32* members;      // rows, unit by unit
    const double* factors;   // of each member
    const u32* starts;       // units + 1: where a unit's members start
    const u32* stratum;      // of each unit
    const u32* firsts;       // strata + 1: the first unit of each
    const double* counts;    // strata: Σ m over its rows
    const double* repeats;   // units: how often it was drawn
    const double* penalty;      // n
    double* means;           // strata × n
    double* parts;           // units × n
    double* noise;           // n × n: M
    double* moved;           // units × n
};

INLINE u32 contrasts_of(const Sandwich& o) { return (u32)o.classes - 1; }
INLINE u32 entries_of(const Sandwich& o) { return (u32)o.columns * contrasts_of(o); }
INLINE u32 words_of(const Sandwich& o) { return ((u32)o.rows + 31) / 32; }
INLINE double times_of(const Sandwich& o, u32 i) { return o.times ? (double)o.times[i] : 1.0; }
INLINE double weight_of(const Sandwich& o, u32 i) { return o.scale * (double)o.pi[i]; }
INLINE bool keeps(const Sandwich& o, u32 i, u32 j) { return bit(o.masks + (u64)j * words_of(o), i); }

// 1/√((m+1)(m+2)).
INLINE double inverse_length(u32 m) { return 1.0 / sqrt((double)(m + 1) * (double)(m + 2)); }

// ∂φ/∂ln q and ∂²φ/∂(ln q)² of the divergence itself. The comment is where its program is put before the module is loaded.
INLINE void derivatives(double p, double ln_q, double q, double sqrt_q, double& slope, double& second) {
    asm("// LIPEX_DIVERGENCE_EXACT slope=%0 second=%1 p=%2 ln_q=%3 q=%4 sqrt_q=%5"
        : "=d"(slope), "=d"(second)
        : "d"(p), "d"(ln_q), "d"(q), "d"(sqrt_q));
}

INLINE double logit(const Sandwich& o, u32 i, u32 c) {
    const u32* row = o.bits + (u64)i * o.words;
    const double* x = o.x + (u64)c * (o.features + 1);
    double sum = x[o.features];
    for (u32 j = 0; j < o.features; j++) sum += bit(row, o.kept[j]) ? x[j] : 0.0;
    return sum;
}

// A vector over classes in the basis of contrasts; numbers of a row are `rows` apart.
INLINE void in_contrasts(const double* from, u32 classes, u32 rows, double* to) {
    double before = from[0];
#pragma unroll 1
    for (u32 c = 1; c < classes; c++) {
        double v = from[(u64)c * rows];
        to[(u64)(c - 1) * rows] = (before - (double)c * v) * inverse_length(c - 1);
        before += v;
    }
}

KERNEL(256) lipex_sandwich_rows(const Sandwich* __restrict__ sandwiches) {
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 i = blockIdx.x * THREADS + threadIdx.x, rows = (u32)o.rows, classes = (u32)o.classes;
    const u32* row = o.bits + (u64)i * o.words;
#pragma unroll 1
    for (u32 j = 0; j < o.columns; j++) {
        bool one = i < rows && (j >= o.features || bit(row, o.kept[j]) != (o.removed != 0));
        u32 word = __ballot_sync(ALL_LANES, one);
        if (lane() == 0 && i < rows) o.masks[(u64)j * words_of(o) + i / 32] = word;
    }
    if (i >= rows) return;
    double *ln_q = o.room + i, *slopes = ln_q + (u64)classes * rows, *seconds = slopes + (u64)classes * rows;
    double top = -1e300, total = 0.0;
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        double l = logit(o, i, c);
        ln_q[(u64)c * rows] = l;
        top = fmax(top, l);
    }
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) total += exp_of(ln_q[(u64)c * rows] - top);
    double ln_sum = top + ln_of(total), all_slopes = 0.0, all_seconds = 0.0;
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        double u = ln_q[(u64)c * rows] - ln_sum, root = exp_of(0.5 * u), q = root * root, slope, second;
        double p = o.near ? (double)(float)q : (double)o.p[(u64)i * classes + c];
        derivatives(p, u, q, root, slope, second);
        ln_q[(u64)c * rows] = q;
        slopes[(u64)c * rows] = slope;
        seconds[(u64)c * rows] = second;
        all_slopes += slope;
        all_seconds += second;
    }
    o.curvatures[i] = all_slopes + all_seconds;
    // Of each class: φ′ − q Σφ′ in the place of φ′.
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) slopes[(u64)c * rows] -= ln_q[(u64)c * rows] * all_slopes;
    u64 size = (u64)contrasts_of(o) * rows;
    double* to = o.vectors + i;
    if (!o.near) in_contrasts(slopes, classes, rows, o.gradients + i);
    in_contrasts(ln_q, classes, rows, to);
    in_contrasts(seconds, classes, rows, to + size);
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) seconds[(u64)c * rows] -= ln_q[(u64)c * rows] * all_slopes;
    in_contrasts(seconds, classes, rows, to + 2 * size);
    double before = seconds[0];
#pragma unroll 1
    for (u32 c = 1; c < classes; c++) {
        double n = (double)c, e = seconds[(u64)c * rows];
        to[3 * size + (u64)(c - 1) * rows] = (before + n * n * e) / (n * (n + 1.0));
        before += e;
    }
}

KERNEL(256) lipex_sandwich_hessian(const Sandwich* __restrict__ sandwiches) {
    __shared__ double summed[THREADS];
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 m = 0, l = blockIdx.x, k = contrasts_of(o), n = entries_of(o), rows = (u32)o.rows;
#pragma unroll 1
    while (l > m) l -= ++m;
    if (m >= k) return;
    u32 columns = (u32)o.columns, pairs = columns * (columns + 1) / 2;
    u64 size = (u64)k * rows;
    double length = inverse_length(m);
#pragma unroll 1
    for (u32 first = 0; first < rows; first += THREADS) {
        u32 i = first + threadIdx.x;
        double h = 0.0;
        if (i < rows) {
            const double* v = o.vectors + i;
            u64 at = (u64)m * rows, other = (u64)l * rows;
            h = m == l ? v[3 * size + at] : v[2 * size + other] * length;
            h += o.curvatures[i] * v[at] * v[other] - v[size + at] * v[other] - v[at] * v[size + other];
            h *= weight_of(o, i) * times_of(o, i) / o.count;
        }
        summed[threadIdx.x] = h;
        __syncthreads();
#pragma unroll 1
        for (u32 e = threadIdx.x; e < pairs; e += THREADS) {
            u32 a = 0, b = e;
            while (b > a) b -= ++a;
            const u32 *one = o.masks + (u64)a * words_of(o), *two = o.masks + (u64)b * words_of(o);
            double* to = o.hessian + (u64)(a * k + m) * n + b * k + l;
            double sum = first == 0 ? 0.0 : *to;
#pragma unroll 1
            for (u32 w = 0; w < WARPS && first / 32 + w < words_of(o); w++) {
                u32 both = one[first / 32 + w] & two[first / 32 + w];
                for (u32 r = 0; r < WARP; r++) sum += both >> r & 1 ? summed[w * WARP + r] : 0.0;
            }
            *to = sum;
            if (a != b && m != l) o.hessian[(u64)(a * k + l) * n + b * k + m] = sum;
        }
        __syncthreads();
    }
}

KERNEL(256) lipex_sandwich_leverage(const Sandwich* __restrict__ sandwiches) {
    __shared__ double room[WARPS];
    __shared__ double q[MOST], d[MOST], e[MOST], diagonal[MOST], lengths[MOST];
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 i = blockIdx.x, k = contrasts_of(o), n = entries_of(o);
    if (i >= o.rows) return;
    u64 size = (u64)k * o.rows;
#pragma unroll 1
    for (u32 m = threadIdx.x; m < k; m += THREADS) {
        const double* v = o.vectors + (u64)m * o.rows + i;
        q[m] = v[0];
        d[m] = v[size];
        e[m] = v[2 * size];
        diagonal[m] = v[3 * size];
        lengths[m] = inverse_length(m);
    }
    __syncthreads();
    double sum = 0.0, s = o.curvatures[i];
#pragma unroll 1
    for (u32 f = threadIdx.x; f < n; f += THREADS) {
        u32 j = f / k, l = f % k;
        if (!keeps(o, i, j)) continue;
#pragma unroll 1
        for (u32 a = 0; a < o.columns; a++) {
            if (!keeps(o, i, a)) continue;
            const double* column = o.inverse + (u64)a * k * n + f;
#pragma unroll 1
            for (u32 m = 0; m < k; m++) {
                double h = m == l ? diagonal[m] : m > l ? e[l] * lengths[m] : e[m] * lengths[l];
                h += s * q[m] * q[l] - d[m] * q[l] - q[m] * d[l];
                sum += h * column[(u64)m * n];
            }
        }
    }
    sum = block_sum(sum, room);
    if (threadIdx.x == 0) o.leverages[i] = sum / (double)k * weight_of(o, i) / o.count;
}

// Entry f of a row's gradient, with its share of the penalty's gradient.
INLINE double gradient_of(const Sandwich& o, u32 i, u32 f) {
    u32 k = contrasts_of(o);
    double own = keeps(o, i, f / k) ? o.gradients[(u64)(f % k) * o.rows + i] : 0.0;
    return weight_of(o, i) * (own + o.penalty[f]);
}

KERNEL(256) lipex_sandwich_means(const Sandwich* __restrict__ sandwiches) {
    __shared__ double room[WARPS];
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 f = blockIdx.x, n = entries_of(o);
    if (f >= n) return;
#pragma unroll 1
    for (u32 s = 0; s < o.strata; s++) {
        double sum = 0.0;
#pragma unroll 1
        for (u32 r = o.starts[o.firsts[s]] + threadIdx.x; r < o.starts[o.firsts[s + 1]]; r += THREADS)
            sum += times_of(o, o.members[r]) * gradient_of(o, o.members[r], f);
        sum = block_sum(sum, room);
        if (threadIdx.x == 0) o.means[(u64)s * n + f] = sum / o.counts[s];
    }
}

KERNEL(256) lipex_sandwich_parts(const Sandwich* __restrict__ sandwiches) {
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 u = blockIdx.x, n = entries_of(o);
    if (u >= o.units) return;
    const double* mean = o.means + (u64)o.stratum[u] * n;
#pragma unroll 1
    for (u32 f = threadIdx.x; f < n; f += THREADS) {
        double sum = 0.0;
#pragma unroll 1
        for (u32 r = o.starts[u]; r < o.starts[u + 1]; r++)
            sum += o.factors[r] * (gradient_of(o, o.members[r], f) - mean[f]);
        o.parts[(u64)u * n + f] = sum;
    }
}

KERNEL(256) lipex_sandwich_noise(const Sandwich* __restrict__ sandwiches) {
    __shared__ double one[SIDE][SIDE], two[SIDE][SIDE];
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 n = entries_of(o), x = threadIdx.x % SIDE, y = threadIdx.x / SIDE, down = 0, across = blockIdx.x;
#pragma unroll 1
    while (across > down) across -= ++down;
    if (down * SIDE >= n) return;
    double sum = 0.0;
#pragma unroll 1
    for (u32 first = 0; first < o.units; first += SIDE) {
        u32 u = first + y, a = down * SIDE + x, b = across * SIDE + x;
        one[y][x] = u < o.units && a < n ? o.parts[(u64)u * n + a] : 0.0;
        two[y][x] = u < o.units && b < n ? o.repeats[u] * o.parts[(u64)u * n + b] : 0.0;
        __syncthreads();
        for (u32 v = 0; v < SIDE; v++) sum += one[v][y] * two[v][x];
        __syncthreads();
    }
    u32 a = down * SIDE + y, b = across * SIDE + x;
    if (a >= n || b > a) return;
    o.noise[(u64)a * n + b] = sum;
    o.noise[(u64)b * n + a] = sum;
}

KERNEL(256) lipex_sandwich_moved(const Sandwich* __restrict__ sandwiches) {
    __shared__ double one[SIDE][SIDE + 1], two[SIDE][SIDE];
    const Sandwich& o = sandwiches[blockIdx.y];
    u32 n = entries_of(o), wide = (n + SIDE - 1) / SIDE, x = threadIdx.x % SIDE, y = threadIdx.x / SIDE;
    u32 u = blockIdx.x / wide * SIDE + y, f = blockIdx.x % wide * SIDE + x;
    double sum = 0.0;
#pragma unroll 1
    for (u32 first = 0; first < n; first += SIDE) {
        one[y][x] = u < o.units && first + x < n ? o.parts[(u64)u * n + first + x] : 0.0;
        two[y][x] = first + y < n && f < n ? o.inverse[(u64)(first + y) * n + f] : 0.0;
        __syncthreads();
        for (u32 v = 0; v < SIDE; v++) sum += one[y][v] * two[v][x];
        __syncthreads();
    }
    if (u < o.units && f < n) o.moved[(u64)u * n + f] = sum;
}

#define LAYOUT_SANDWICH
#include "layout.cuh"
