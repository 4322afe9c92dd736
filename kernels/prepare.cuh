// What fit.cu prepares: columns and probabilities in the order of the fit, and the preconditioner. Included by it alone.

// The words of 32 columns in a tile, a warp's so far apart that four of them fall into banks of their own.
#define TURNED 40u

// The bits of a tile's rows in columns 32·w…, a word a row, column by column.
INLINE void turn_over(const Problem& o, u32 t, u32 w, u32 word, u32* turned) {
    u32 own = 0, columns = columns_of(o);
#pragma unroll
    for (u32 j = 0; j < WARP; j++) {
        u32 votes = __ballot_sync(ALL_LANES, word >> j & 1);
        own = lane() == j ? votes : own;
    }
    turned[warp() * TURNED + lane()] = own;
    __syncthreads();
    u32 half = threadIdx.x / 128, j = 32 * w + threadIdx.x % 128 / 4, q = threadIdx.x % 4;
    if (j < columns) o.columns[((u64)(2 * t + half) * columns + j) * 4 + q] = turned[(4 * half + q) * TURNED + j - 32 * w];
    __syncthreads();
}

INLINE bool has(const Problem& o, const u32* bits, u32 feature) { return bit(bits, feature) != (o.removed != 0); }

// Column j of a row.
INLINE bool in_column(const Problem& o, const u32* bits, u32 j) {
    u32 a = o.terms[2 * j], b = o.terms[2 * j + 1];
    return a == ONES || (has(o, bits, a) && has(o, bits, b));
}

// The least probability whose logarithm a start is taken from: what an anchor lets stand, or 10⁻⁶.
INLINE float least_of(const Problem& o) { return o.anchored ? (float)(1e-4 / (double)o.classes) : 1e-6f; }

// ln P₀, clamped and centred, of an anchored fit, else zeros; whether row 0 keeps every feature goes to the report.
INLINE void write_offset(const Problem& o, double* sums) {
    u32 classes = (u32)o.classes, kept = 0;
    double least = 1e-4 / (double)classes, sum = 0.0, mean = 0.0;
#pragma unroll 1
    for (u32 c = threadIdx.x; c < classes; c += THREADS) sum += fmax((double)o.p[c], least);
    sum = block_sum(sum, sums);
#pragma unroll 1
    for (u32 c = threadIdx.x; c < classes; c += THREADS) {
        double v = o.anchored ? ln_of(fmax((double)o.p[c], least) / sum) : 0.0;
        o.offset[c] = v;
        mean += v;
    }
    mean = block_sum(mean, sums) / (double)classes;
#pragma unroll 1
    for (u32 c = threadIdx.x; c < classes; c += THREADS) o.offset[c] -= mean;
    for (u32 w = 0; w < o.words; w++) kept += __popc(o.bits[w]);
    if (threadIdx.x == 0) o.report[WHOLE] = kept == o.features ? 1.0 : 0.0;
}

// A class's penalty: λ, or λ·κ·Σ weight p(1 − p).
INLINE void write_lambdas(const Problem& o) {
#pragma unroll 1
    for (u32 c = warp(); c < o.classes; c += WARPS) {
        double sum = 0.0;
        if (o.by_curvature)
#pragma unroll 1
            for (u32 i = lane(); i < o.rows; i += WARP) {
                double p = (double)o.by_class[(u64)c * padded_of(o) + i];
                sum += (double)o.weights[i] * p * (1.0 - p);
            }
        for (u32 s = WARP / 2; s > 0; s /= 2) sum += __shfl_xor_sync(ALL_LANES, sum, s);
        if (lane() == 0) o.lambdas[c] = o.by_curvature ? o.lambda * o.kappa * sum : o.lambda;
    }
}

KERNEL(256) lipex_fit_prepare(const Problem* __restrict__ problems) {
    __shared__ double sums[WARPS];
    __shared__ u32 turned[WARPS * TURNED];
    const Problem& o = problems[blockIdx.x];
    u32 rows = (u32)o.rows, columns = columns_of(o), code_words = (columns + 31) / 32;
    double divisor = o.divisor;
    if (o.by_weight) {
        double sum = 0.0;
#pragma unroll 1
        for (u32 i = threadIdx.x; i < rows; i += THREADS) sum += (double)o.pi[i] * (o.times ? o.times[i] : 1);
        divisor = block_sum(sum, sums);
    }
    write_offset(o, sums);
    double scale = 0.0;
    float least = least_of(o);
#pragma unroll 1
    for (u32 t = 0; t < tiles_of(o); t++) {
        u32 i = t * TILE + threadIdx.x;
        bool there = i < rows;
        float weight = there ? (float)((double)o.pi[i] * (o.times ? o.times[i] : 1) / divisor) : 0.0f;
        o.weights[i] = weight;
        scale += (double)weight;
        float mean = 0.0f;
#pragma unroll 1
        for (u32 c = 0; c < o.classes; c++) {
            float p = there ? clean(o.p[(u64)i * o.classes + c]) : 0.0f;
            o.by_class[(u64)c * padded_of(o) + i] = p;
            mean += ln_of(p > least ? p : least);
        }
        o.means[i] = mean / (float)o.classes;
#pragma unroll 1
        for (u32 w = 0; w < code_words; w++) {
            u32 word = 0;
            if (there) {
                const u32* bits = o.bits + (u64)i * o.words;
                for (u32 j = 32 * w; j < smaller(columns, 32 * w + 32); j++)
                    word |= (u32)in_column(o, bits, j) << (j % 32);
                o.codes[(u64)i * code_words + w] = word;
            }
            turn_over(o, t, w, word, turned);
        }
    }
    scale = block_sum(scale, sums);
    write_lambdas(o);
    if (threadIdx.x == 0) {
        Search s = {};
        s.scale = scale;
        s.rounding = 1e-7;
        *o.search = s;
    }
}

// The 16 sums of four numbers' subsets, at table[0…15].
INLINE void subsets(float* table, float a, float b, float c, float d) {
    float ab = a + b, ac = a + c, bc = b + c, abc = ab + c;
    table[0] = 0.0f;
    table[1] = a;
    table[2] = b;
    table[3] = ab;
    table[4] = c;
    table[5] = ac;
    table[6] = bc;
    table[7] = abc;
    table[8] = d;
    table[9] = a + d;
    table[10] = b + d;
    table[11] = ab + d;
    table[12] = c + d;
    table[13] = ac + d;
    table[14] = bc + d;
    table[15] = abc + d;
}

// Σ over the rows of four words of bits, by 32 tables of 4 rows each.
INLINE float look_up_rows(const float* tables, uint4 bits) {
    float sum = 0.0f;
#pragma unroll
    for (u32 q = 0; q < 4; q++) {
        u32 word = q == 0 ? bits.x : q == 1 ? bits.y : q == 2 ? bits.z : bits.w;
#pragma unroll
        for (u32 k = 0; k < 8; k++) sum += tables[(q * 8 + k) * 17 + ((word >> (4 * k)) & 15)];
    }
    return sum;
}

INLINE uint4 both(uint4 a, uint4 b) {
    return uint4{a.x & b.x, a.y & b.y, a.z & b.z, a.w & b.w};
}

INLINE uint4 words_of(const Problem& o, u32 j, u32 first_row) {
    return ((const uint4*)o.columns)[(u64)(first_row / 128) * columns_of(o) + j];
}

// What lipex_fit_bend leaves for class c: a number a row, 0 past the last one.
INLINE float* bends_of(const Problem& o, u32 c) { return (float*)o.rows_room + (u64)c * padded_of(o); }

// A row's weight in a class's Gram: its curvature there.
INLINE float curvature(const Problem& o, float p, float weight) {
    float spread = p * (1.0f - p);
    return (float)o.kappa * weight * (spread > 1e-4f ? spread : 1e-4f);
}

// What the start's logits are for: ln p, centred, beyond what they begin from.
INLINE float target(float p, float mean, float least, float offset) { return ln_of(p > least ? p : least) - mean - offset; }

// Adds the Gram (or its diagonal) and Zᵀ(weights·targets) of 128 rows to the class's room.
INLINE void add_rows(const Problem& o, u32 c, u32 first, float* gram_tables, float* target_tables) {
    u32 columns = columns_of(o);
    if (warp() == 0) {
        u32 four = first / 4 + lane();
        float4 p = ((const float4*)(o.by_class + (u64)c * padded_of(o)))[four];
        float4 w = ((const float4*)o.weights)[four], m = ((const float4*)o.means)[four];
        if (o.renew)
            w = ((const float4*)bends_of(o, c))[four];
        else
            w = float4{curvature(o, p.x, w.x), curvature(o, p.y, w.y), curvature(o, p.z, w.z), curvature(o, p.w, w.w)};
        subsets(gram_tables + lane() * 17, w.x, w.y, w.z, w.w);
        float least = least_of(o), offset = (float)o.offset[c];
        subsets(target_tables + lane() * 17, w.x * target(p.x, m.x, least, offset), w.y * target(p.y, m.y, least, offset),
                w.z * target(p.z, m.z, least, offset), w.w * target(p.w, m.w, least, offset));
    }
    __syncthreads();
    float* solved = o.solved + (u64)c * columns;
    float* diagonal = o.diagonals + (u64)c * columns;
#pragma unroll 1
    for (u32 j = threadIdx.x; j < columns; j += THREADS) {
        uint4 words = words_of(o, j, first);
        solved[j] = (first == 0 ? 0.0f : solved[j]) + look_up_rows(target_tables, words);
        diagonal[j] = (first == 0 ? 0.0f : diagonal[j]) + look_up_rows(gram_tables, words);
    }
    if (o.full) {
        float* factor = o.factors + (u64)c * columns * columns;
#pragma unroll 1
        for (u32 i = warp(); i < columns; i += WARPS) {
            uint4 own = words_of(o, i, first);
#pragma unroll 1
            for (u32 j = lane(); j < i; j += WARP) {
                float sum = look_up_rows(gram_tables, both(own, words_of(o, j, first)));
                factor[(u64)i * columns + j] = (first == 0 ? 0.0f : factor[(u64)i * columns + j]) + sum;
            }
        }
    }
    __syncthreads();
}

// Cholesky factor of Gram + penalties. L below the diagonal, mirrored above it, so that both triangular solves read along
// rows; the diagonal is inverted. Pivots are kept well above 0.
INLINE void factorise(const Problem& o, u32 c, float* a, const float* diagonal) {
    u32 n = columns_of(o);
#pragma unroll 1
    for (u32 j = threadIdx.x; j < n; j += THREADS) a[(u64)j * n + j] = diagonal[j] + (float)penalty_of(o, c, j);
    __syncthreads();
#pragma unroll 1
    for (u32 k = 0; k < n; k++) {
        float least = 1e-6f * diagonal[k];
        least = least > 1e-20f ? least : 1e-20f;
        float pivot = a[(u64)k * n + k];
        float inverse = 1.0f / sqrtf(pivot > least ? pivot : least);
        __syncthreads();
        if (threadIdx.x == 0) a[(u64)k * n + k] = inverse;
#pragma unroll 1
        for (u32 i = k + 1 + threadIdx.x; i < n; i += THREADS) {
            float l = a[(u64)i * n + k] * inverse;
            a[(u64)i * n + k] = l;
            a[(u64)k * n + i] = l;
        }
        __syncthreads();
#pragma unroll 1
        for (u32 i = k + 1 + warp(); i < n; i += WARPS) {
            float l = a[(u64)k * n + i];
#pragma unroll 1
            for (u32 j = k + 1 + lane(); j <= i; j += WARP) a[(u64)i * n + j] = __fmaf_rn(-l, a[(u64)k * n + j], a[(u64)i * n + j]);
        }
        __syncthreads();
    }
}

// b ← M⁻¹ b for one class, by one warp.
INLINE void solve(const Problem& o, u32 c, float* b) {
    u32 n = columns_of(o);
    if (!o.full) {
        const float* inverse = o.factors + (u64)c * n;
#pragma unroll 1
        for (u32 j = lane(); j < n; j += WARP) b[j] *= inverse[j];
        __syncwarp();
        return;
    }
    const float* a = o.factors + (u64)c * n * n;
#pragma unroll 1
    for (u32 i = 0; i < n; i++) {
        float v = b[i] * a[(u64)i * n + i];
        __syncwarp();
        if (lane() == 0) b[i] = v;
#pragma unroll 1
        for (u32 k = i + 1 + lane(); k < n; k += WARP) b[k] = __fmaf_rn(-a[(u64)i * n + k], v, b[k]);
        __syncwarp();
    }
#pragma unroll 1
    for (u32 i = n; i-- > 0;) {
        float v = b[i] * a[(u64)i * n + i];
        __syncwarp();
        if (lane() == 0) b[i] = v;
#pragma unroll 1
        for (u32 k = lane(); k < i; k += WARP) b[k] = __fmaf_rn(-a[(u64)i * n + k], v, b[k]);
        __syncwarp();
    }
}

// Grid (classes, instances): the factor of a class, and, if it is not renewed, its weighted least squares of ln p as a start.
KERNEL(256) lipex_fit_precondition(const Problem* __restrict__ problems) {
    __shared__ float gram_tables[OWN], target_tables[OWN];
    const Problem& o = problems[blockIdx.y];
    u32 c = blockIdx.x, n = columns_of(o);
    if (c >= o.classes) return;
    for (u32 first = 0; first < o.rows; first += 128) add_rows(o, c, first, gram_tables, target_tables);
    float* diagonal = o.diagonals + (u64)c * n;
    if (o.full) {
        factorise(o, c, o.factors + (u64)c * n * n, diagonal);
    } else {
#pragma unroll 1
        for (u32 j = threadIdx.x; j < n; j += THREADS) {
            float v = diagonal[j] + (float)penalty_of(o, c, j);
            o.factors[(u64)c * n + j] = 1.0f / (v > 1e-20f ? v : 1e-20f);
        }
        __syncthreads();
    }
    if (o.renew) {
        // The next width begins where the one before ended.
        if (c == 0 && threadIdx.x == 0) {
            o.search->phase = BEGIN;
            o.search->done = 0;
            o.search->refined = NOT_YET;
        }
        return;
    }
    float* solved = o.solved + (u64)c * n;
    if (warp() == 0) solve(o, c, solved);
    __syncwarp();
    if (warp() == 0)
#pragma unroll 1
        for (u32 j = lane(); j < n; j += WARP) x_of(o)[(u64)c * n + j] = (double)solved[j];
}
