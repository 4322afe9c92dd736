// Select: forward selection of every class of every instance, by weighted least squares with intercept.
//
// lipex_select_moments: grid (⌈columns/32⌉ · ⌈(C+1)/8⌉, instances), 256 threads: a warp a class, a lane a column.
// lipex_select_forward: grid (C, or 1 if classes must not share features; instances), 256 threads over the columns.
// Shapes: moments (C+1) × columns, f64, row c the sums Σ w z p_c and row C the sums Σ w z; chosen C × k.
// Sums are f64, of the moments in the order of the rows, of Gram columns in the order of eight strands of rows. Shared memory:
// 8.3 KB of staged rows; 2.1 KB of strands.
// Checked against the CPU's picks and, through them, naive refitting (lipex-cpu/tests/select_naive.rs).
#include "prelude.cuh"

#define THREADS 256u
#define WARPS (THREADS / WARP)
// Rows that are staged at once.
#define STAGE 128u
// A gain below this share of a class's variance is rounding; a column with less of its variance left depends on those
// chosen; gains closer than this are ties.
#define NO_GAIN 1e-12
#define DEPENDENT 1e-9
#define TIE 1e-10
// Where there is no column to choose.
#define NONE 0xffffffffu

struct Regression {
    const u32* bits;   // N × words
    const float* p;    // N × C
    const float* pi;   // N
    const u32* times;  // N, how often a row counts; null: once
    const u32* kept;   // the features that the columns are; null: all
    u64 rows, words, classes, columns;
    double* moments;   // (C+1) × columns
    u64 k, exclusive;
    double* room;      // C × (3 + k) × columns
    u32* taken;        // columns; zeros
    u32* chosen;       // C × k; 2³² − 1 where none is chosen
};

INLINE double weight_of(const Regression& o, u32 i) { return (double)o.pi[i] * (double)(o.times ? o.times[i] : 1u); }
INLINE u32 feature_of(const Regression& o, u32 j) { return o.kept ? o.kept[j] : j; }

KERNEL(256) lipex_select_moments(const Regression* __restrict__ regressions) {
    __shared__ double staged[STAGE][WARPS];
    const Regression& o = regressions[blockIdx.y];
    u32 columns = (u32)o.columns, classes = (u32)o.classes, groups = (classes + WARPS) / WARPS;
    u32 j = blockIdx.x / groups * 32 + lane(), first_class = blockIdx.x % groups * WARPS, c = first_class + warp();
    if (blockIdx.x / groups * 32 >= columns) return;
    u32 feature = j < columns ? feature_of(o, j) : 0;
    double sum = 0.0;
#pragma unroll 1
    for (u32 first = 0; first < o.rows; first += STAGE) {
        u32 count = smaller(STAGE, (u32)o.rows - first);
        __syncthreads();
        for (u32 e = threadIdx.x; e < count * WARPS; e += THREADS) {
            u32 i = first + e / WARPS, class_ = first_class + e % WARPS;
            double y = class_ < classes ? (double)o.p[(u64)i * classes + class_] : 1.0;
            staged[e / WARPS][e % WARPS] = weight_of(o, i) * y;
        }
        __syncthreads();
        for (u32 r = 0; r < count; r++) {
            bool there = o.bits[(u64)(first + r) * o.words + feature / 32] >> (feature % 32) & 1;
            sum += there ? staged[r][warp()] : 0.0;
        }
    }
    if (j < columns && c <= classes) o.moments[(u64)c * columns + j] = sum;
}

struct Class {
    double total, mean, variance;
};

// Σw, and the weighted mean and variance (times Σw) of a class's probability; 0 if that is rounding.
INLINE Class class_of(const Regression& o, u32 c, double* sums) {
    Class k;
    double total = 0.0, sum = 0.0, squares = 0.0, size = 0.0;
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        total += weight_of(o, i);
        sum += weight_of(o, i) * (double)o.p[(u64)i * o.classes + c];
    }
    k.total = block_sum(total, sums);
    k.mean = block_sum(sum, sums) / k.total;
    for (u32 i = threadIdx.x; i < o.rows; i += THREADS) {
        double p = (double)o.p[(u64)i * o.classes + c], d = p - k.mean;
        squares += weight_of(o, i) * d * d;
        size += weight_of(o, i) * p * p;
    }
    squares = block_sum(squares, sums);
    k.variance = squares <= 1e-24 * block_sum(size, sums) ? 0.0 : squares;
    return k;
}

// How much column j lowers the residual; 0 if it is out of the question.
INLINE double gain(const Regression& o, const double* spreads, const double* left, const double* covariances, double variance, u32 j) {
    if (o.taken[j] || left[j] <= DEPENDENT * spreads[j]) return 0.0;
    double g = covariances[j] * covariances[j] / left[j];
    return g > NO_GAIN * variance ? g : 0.0;
}

// The column of the largest gain, ties to the lowest; 2³² − 1 if there is none.
INLINE u32 best(const Regression& o, const double* spreads, const double* left, const double* covariances, double variance, double* sums) {
    double most = 0.0;
    for (u32 j = threadIdx.x; j < o.columns; j += THREADS) {
        double g = gain(o, spreads, left, covariances, variance, j);
        most = g > most ? g : most;
    }
    most = block_max(most, sums);
    if (!(most > 0.0)) return NONE;
    double lowest = -4294967295.0;
    for (u32 j = threadIdx.x; j < o.columns; j += THREADS) {
        double g = gain(o, spreads, left, covariances, variance, j);
        if (g > 0.0 && g * (1.0 + TIE) >= most && -(double)j > lowest) lowest = -(double)j;
    }
    return (u32)-block_max(lowest, sums);
}

// Σ w z_s z_j for the 32 columns from `first` on, a column a lane of the first warp. A warp sums every eighth row, and the
// eight sums are added in order.
INLINE double gram(const Regression& o, u32 s, u32 first, double (*parts)[WARP]) {
    double sum = 0.0;
    if (first + lane() < o.columns) {
        u32 a = feature_of(o, s), b = feature_of(o, first + lane()), rows = (u32)o.rows;
#pragma unroll 1
        for (u32 i = warp(); i < rows; i += WARPS) {
            const u32* row = o.bits + (u64)i * o.words;
            if (bit(row, a)) sum += bit(row, b) ? weight_of(o, i) : 0.0;
        }
    }
    parts[warp()][lane()] = sum;
    __syncthreads();
    sum = 0.0;
#pragma unroll 1
    for (u32 w = 0; w < WARPS; w++) sum += parts[w][lane()];
    __syncthreads();
    return sum;
}

// A candidate j has left after the chosen columns a variance left_j and a covariance with the class; a chosen column s
// takes its share (G_js − Σ share_t(j) share_t(s))/√left_s out of every candidate.
KERNEL(256) lipex_select_forward(const Regression* __restrict__ regressions) {
    __shared__ double sums[WARPS], parts[WARPS][WARP];
    const Regression& o = regressions[blockIdx.y];
    u32 columns = (u32)o.columns, k = (u32)o.k;
    if (o.exclusive && blockIdx.x > 0) return;
#pragma unroll 1
    for (u32 c = blockIdx.x; c < o.classes; c += o.exclusive ? 1 : gridDim.x) {
        double* spreads = o.room + (u64)c * (3 + k) * columns;
        double *left = spreads + columns, *covariances = left + columns, *shares = covariances + columns;
        const double *ones = o.moments + (u64)o.classes * columns, *own = o.moments + (u64)c * columns;
        Class of = class_of(o, c, sums);
        for (u32 j = threadIdx.x; j < columns; j += THREADS) {
            double mean = ones[j] / of.total, spread = mean * (1.0 - mean);
            // Sums of the same weights in two orders differ: a column that never varies would seem to, a little.
            spread = spread <= 4.0 * 2.220446049250313e-16 * (double)o.rows ? 0.0 : of.total * spread;
            spreads[j] = left[j] = spread;
            covariances[j] = of.variance == 0.0 ? 0.0 : own[j] - ones[j] * of.mean;
        }
        __syncthreads();
        u32 count = 0;
#pragma unroll 1
        for (u32 round = 0; round < k; round++) {
            u32 s = best(o, spreads, left, covariances, of.variance, sums);
            if (s == NONE) break;
            count++;
            double root = sqrt(left[s]), slope = covariances[s] / root, mean_s = ones[s];
            __syncthreads();
            if (threadIdx.x == 0) o.chosen[(u64)c * k + round] = s;
            // The last column needs no share.
            if (round + 1 < k)
#pragma unroll 1
                for (u32 first = 0; first < columns; first += WARP) {
                    u32 j = first + lane();
                    double product = gram(o, s, first, parts);
                    if (warp() > 0 || j >= columns) continue;
                    double v = product - mean_s * (ones[j] / of.total);
                    for (u32 t = 0; t < round; t++) v -= shares[(u64)t * columns + j] * shares[(u64)t * columns + s];
                    v /= root;
                    shares[(u64)round * columns + j] = v;
                    left[j] = j == s ? -1.0 : left[j] - v * v;
                    covariances[j] -= v * slope;
                }
            __syncthreads();
        }
        for (u32 r = count + threadIdx.x; r < k; r += THREADS) o.chosen[(u64)c * k + r] = NONE;
        __syncthreads();
        // Later classes leave out what this one has, what it is filled up with by lowest index included.
        if (o.exclusive && threadIdx.x == 0) {
            u32 *chosen = o.chosen + (u64)c * k, next = 0;
#pragma unroll 1
            for (u32 r = 0; r < k; r++) {
                if (r >= count) {
                    while (next < columns && o.taken[next]) next++;
                    if (next == columns) break;
                    chosen[r] = next;
                }
                o.taken[chosen[r]] = 1;
            }
        }
        __syncthreads();
    }
}

#define LAYOUT_SELECT
#include "layout.cuh"
