// Perturb: masks drawn by counter-based random numbers, bit for bit those of the CPU.
//
// Shapes: bits N × ⌈D/32⌉ words, row-major, an array an instance. Launch: grid (blocks of rows, instances), 128 threads;
// a thread draws a row in shared memory, then the block writes its rows out as one run of words.
// Shared memory: rows_a_block × ⌈D/32⌉ words twice, and 1/32 of that. Rows are drawn column by column, so that a thread keeps
// to its bank whatever word a draw falls into, and then laid out row by row.
// Checked against `lipex_perturb_reference` and the CPU.
#include "prelude.cuh"

enum Law { UNIFORM_SIZE, ANTITHETIC, BERNOULLI, EXHAUSTIVE, WEIGHT_PROPORTIONAL };

struct Drawing {
    u32* bits;
    u64 features; // D
    u64 rows;     // rows to draw
    u64 start;    // the number of the first of them
    u64 most;     // uniform size: the most features that are removed
    // Weight-proportional: r + 1 features are removed by points below entry r and not below the one before, of 2³².
    const u64* ends;
};

struct Four {
    u32 x, y, z, w;
};

// Philox4x32-10 (Salmon et al. 2011).
INLINE Four philox(Four c, u32 k0, u32 k1) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        u32 a_high = __umulhi(0xD2511F53u, c.x), a_low = 0xD2511F53u * c.x;
        u32 b_high = __umulhi(0xCD9E8D57u, c.z), b_low = 0xCD9E8D57u * c.z;
        c = Four{b_high ^ c.y ^ k0, b_low, a_high ^ c.w ^ k1, a_low};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

// The draws of a row: word j of block b is draw 4b + j. Stream 0, purpose 0 (masks).
struct Draws {
    u32 k0, k1, row, block;
    Four words;
};

INLINE Draws draws(u64 seed, u32 row) {
    Draws d = {(u32)seed, (u32)(seed >> 32), row, 0, {0, 0, 0, 0}};
    d.words = philox(Four{0, row, 0, 0}, d.k0, d.k1);
    return d;
}

INLINE u32 draw(Draws& d, u32 index) {
    if (index / 4 != d.block) {
        d.block = index / 4;
        d.words = philox(Four{d.block, d.row, 0, 0}, d.k0, d.k1);
    }
    u32 j = index % 4;
    return j == 0 ? d.words.x : j == 1 ? d.words.y : j == 2 ? d.words.z : d.words.w;
}

INLINE u32 below(Draws& d, u32 index, u32 n) { return __umulhi(draw(d, index), n); }

// A row that is drawn: its words lie `apart` words from each other.
struct Row {
    u32* words;
    u32 apart;
};

INLINE u32& word(Row row, u32 w) { return row.words[w * row.apart]; }

// The word w of a row that keeps all D features.
INLINE u32 ones(u32 features, u32 w) {
    u32 left = features - 32 * w;
    return left >= 32 ? 0xffffffffu : (1u << left) - 1;
}

INLINE void invert(Row row, u32 features) {
    for (u32 w = 0; w < (features + 31) / 32; w++) word(row, w) = ~word(row, w) & ones(features, w);
}

// Keeps all features but a random `removed` of them: Floyd's algorithm for the smaller side, on draws 1, 2, …
INLINE void remove_subset(Row row, u32 features, u32 removed, Draws& d) {
    u32 fewer = smaller(removed, features - removed);
    for (u32 w = 0; w < (features + 31) / 32; w++) word(row, w) = 0;
    for (u32 m = 0; m < fewer; m++) {
        u32 j = features - fewer + m;
        u32 t = below(d, 1 + m, j + 1);
        u32 taken = word(row, t / 32) >> (t % 32) & 1 ? j : t;
        word(row, taken / 32) |= 1u << (taken % 32);
    }
    if (removed <= features - removed) invert(row, features);
}

INLINE void draw_row(Row row, const Drawing& o, u32 law, u64 threshold, u64 seed, u32 i) {
    u32 features = (u32)o.features;
    if (i == 0) {
        for (u32 w = 0; w < (features + 31) / 32; w++) word(row, w) = ones(features, w);
    } else if (law == UNIFORM_SIZE) {
        Draws d = draws(seed, i);
        u32 removed = 1 + below(d, 0, (u32)o.most);
        remove_subset(row, features, removed, d);
    } else if (law == ANTITHETIC) {
        // Row 2m is the complement of row 2m − 1, whose draws both use.
        Draws d = draws(seed, i - (i % 2 == 0 ? 1 : 0));
        u32 removed = features == 1 ? 1 : 1 + below(d, 0, features - 1);
        remove_subset(row, features, removed, d);
        if (i % 2 == 0) invert(row, features);
    } else if (law == BERNOULLI) {
        Draws d = draws(seed, i);
        for (u32 w = 0; w < (features + 31) / 32; w++) {
            u32 bits = 0;
            for (u32 j = 32 * w; j < smaller(features, 32 * w + 32); j++)
                bits |= (u32)(draw(d, j) < threshold) << (j % 32);
            word(row, w) = bits;
        }
    } else if (law == WEIGHT_PROPORTIONAL) {
        // The point of the row: its number with its bits reversed, turned.
        u32 point = __brev(i) + (u32)threshold, removed = 1;
        while (removed < features && o.ends[removed - 1] <= point) removed++;
        Draws d = draws(seed, i);
        remove_subset(row, features, removed, d);
    } else {
        word(row, 0) = i;
        invert(row, features);
    }
}

KERNEL(128) lipex_perturb(const Drawing* __restrict__ drawings, u32 rows_a_block, u32 law, u64 threshold, u64 seed) {
    extern __shared__ u32 tile[];
    const Drawing o = drawings[blockIdx.y];
    u32 words = (u32)(o.features + 31) / 32;
    u64 first = (u64)blockIdx.x * rows_a_block;
    if (first >= o.rows) return;
    u32 count = (u32)(o.rows - first < rows_a_block ? o.rows - first : rows_a_block);
    u32* rows = tile + rows_a_block * words;
    if (threadIdx.x < count) {
        Row row = {tile + threadIdx.x, rows_a_block};
        draw_row(row, o, law, threshold, seed, (u32)(o.start + first) + threadIdx.x);
#pragma unroll 1
        for (u32 w = 0; w < words; w++) rows[spread(threadIdx.x * words + w, words)] = word(row, w);
    }
    __syncthreads();
#pragma unroll 1
    for (u32 e = threadIdx.x; e < count * words; e += 128) o.bits[first * words + e] = rows[spread(e, words)];
}

// The same with one thread a row that works in global memory.
KERNEL(128) lipex_perturb_reference(const Drawing* __restrict__ drawings, u32 law, u64 threshold, u64 seed) {
    const Drawing o = drawings[blockIdx.y];
    u64 i = (u64)blockIdx.x * 128 + threadIdx.x;
    if (i < o.rows) draw_row(Row{o.bits + i * ((o.features + 31) / 32), 1}, o, law, threshold, seed, (u32)(o.start + i));
}

#define LAYOUT_PERTURB
#include "layout.cuh"
