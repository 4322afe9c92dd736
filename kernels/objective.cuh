// The objective of fit.cu and its gradient, a tile of rows at a time. Included by it alone.
// tables[g·pitch + code·stride + c]: the sum of class c's entries of X for the columns of group g that are in the code; with
// the offset in the first group, which every row looks up once.
INLINE void tabulate(const Problem& o, const double* x, float* tables) {
    u32 classes = (u32)o.classes, columns = columns_of(o), stride = stride_of(classes), groups = (columns + 3) / 4;
#pragma unroll 1
    for (u32 e = threadIdx.x; e < groups * classes; e += THREADS) {
        u32 g = e / classes, c = e % classes;
        float v[4];
#pragma unroll
        for (u32 b = 0; b < 4; b++) v[b] = 4 * g + b < columns ? (float)x[(u64)c * columns + 4 * g + b] : 0.0f;
        float* table = tables + (u64)g * pitch_of(classes) + c;
        float base = g == 0 ? (float)o.offset[c] : 0.0f;
#pragma unroll
        for (u32 code = 0; code < 16; code++) {
            float sum = base;
#pragma unroll
            for (u32 b = 0; b < 4; b++)
                if (code >> b & 1) sum += v[b];
            table[code * stride] = sum;
        }
    }
}

// Row `row` of the tile, by one thread: logits by look-up, softmax, divergence, and the gradient in the logits, which is
// left in the tile. Returns the row's share of the objective.
INLINE double pass_row(const Problem& o, u32 row, const float* tables, float* tile, float* slopes, float width) {
    u32 classes = (u32)o.classes, columns = columns_of(o), stride = stride_of(classes), groups = (columns + 3) / 4;
    float weight = o.weights[row];
    tile += threadIdx.x;
    slopes += threadIdx.x;
    if (!(weight > 0.0f)) {
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) tile[c * TILE] = 0.0f;
        return 0.0;
    }
    const u32* codes = o.codes + (u64)row * ((columns + 31) / 32);
    float top = -3e38f;
    for (u32 c = 0; c < classes; c += 4) {
        // Past the last class, the last one again.
        u32 c1 = smaller(c + 1, classes - 1), c2 = smaller(c + 2, classes - 1), c3 = smaller(c + 3, classes - 1);
        float l0 = 0.0f, l1 = 0.0f, l2 = 0.0f, l3 = 0.0f;
        u32 word = 0;
        for (u32 g = 0; g < groups; g++) {
            if (g % 8 == 0) word = codes[g / 8];
            const float* entry = tables + (u64)g * pitch_of(classes) + (word & 15) * stride;
            word >>= 4;
            l0 += entry[c];
            l1 += entry[c1];
            l2 += entry[c2];
            l3 += entry[c3];
        }
        tile[c * TILE] = l0;
        tile[c1 * TILE] = l1;
        tile[c2 * TILE] = l2;
        tile[c3 * TILE] = l3;
        top = fmaxf(fmaxf(top, fmaxf(l0, l1)), fmaxf(l2, l3));
    }
    // √ of the numerators: q underflows long before its root does.
    float total = 0.0f;
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float s = exp_of(0.5f * (tile[c * TILE] - top));
        total += s * s;
    }
    float scale = 1.0f / sqrtf(total), ln_total = ln_of(total);
    const float* p = o.by_class + row;
    float value = 0.0f, all = 0.0f;
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) {
        float l = tile[c * TILE] - top;
        float s = exp_of(0.5f * l) * scale, q = s * s, v, d;
        divergence(p[(u64)c * padded_of(o)], l - ln_total, q, s, width, v, d);
        value += v;
        all += d;
        tile[c * TILE] = q;
        slopes[c * TILE] = d;
    }
#pragma unroll 1
    for (u32 c = 0; c < classes; c++) tile[c * TILE] = weight * (slopes[c * TILE] - tile[c * TILE] * all);
    return (double)weight * (double)value;
}

// Zᵀ·G of half a tile (128 rows) for the class of this warp: put(j, sum) for each column j.
template <class Put>
INLINE void transpose_half(const Problem& o, const float* tile, float* own, u32 c, u32 first_row, u32 half, Put put) {
    u32 columns = columns_of(o);
    float4 y = *(const float4*)(tile + c * TILE + half * 128 + 4 * lane());
    subsets(own + lane() * 17, y.x, y.y, y.z, y.w);
    __syncwarp();
#pragma unroll 1
    for (u32 j = lane(); j < columns; j += WARP) put(j, look_up_rows(own, words_of(o, j, first_row + half * 128)));
    __syncwarp();
}

// Adds penalties to gradient and objective, and centres the gradient over classes. Returns the objective.
INLINE double finish(const Problem& o, const double* x, double* gradient, double value, double* sums) {
    u32 classes = (u32)o.classes, columns = columns_of(o);
    double squares = 0.0;
#pragma unroll 1
    for (u32 j = threadIdx.x; j < columns; j += THREADS) {
        double mean = 0.0;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) {
            u64 e = (u64)c * columns + j;
            double penalty = penalty_of(o, c, j), g = gradient[e] + penalty * x[e];
            squares += penalty * x[e] * x[e];
            mean += g;
            gradient[e] = g;
        }
        mean /= (double)classes;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) gradient[(u64)c * columns + j] -= mean;
    }
    return value + 0.5 * block_sum(squares, sums);
}
