// The demo classifier on the device: hashed words and pairs of words, TF-IDF, 32 ReLU units, softmax over 7 classes.
//
// Launch: a warp a row, 8 rows a block of 256 threads; a lane a hidden unit. No shared memory.
// Shapes: ids rows × longest with lengths; hashes and idf n, hidden n × 32, output 7 × 32; known and values rows × 2·longest;
// p rows × 7. Checked against lipex_demo::Demo.
#include "prelude.cuh"

#define UNITS 32u
#define CLASSES 7u
#define UNKNOWN 0xffffffffu

// The hash of two words that follow one another: lipex_demo's `bigram_hash`.
INLINE u32 pair_hash(u32 first, u32 second) {
    u32 mixed = (first << 13 | first >> 19) * 0x9e3779b1u ^ second * 0x85ebca77u;
    return ((mixed ^ (mixed >> 15)) * 0xc2b2ae3du) | 1u;
}

INLINE u32 find(const u32* hashes, u32 n, u32 hash) {
    u32 low = 0, high = n;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (hashes[middle] < hash) low = middle + 1;
        else high = middle;
    }
    return low < n && hashes[low] == hash ? low : UNKNOWN;
}

INLINE float warp_sum(float v) {
    for (u32 s = WARP / 2; s > 0; s /= 2) v += __shfl_xor_sync(ALL_LANES, v, s);
    return v;
}

struct Net {
    const u32* hashes;
    const float* idf;
    const float* hidden;
    const float* hidden_bias;
    const float* output;
    const float* output_bias;
    u64 tokens;
};

KERNEL(256) lipex_demo(const Net* __restrict__ net, const u32* __restrict__ ids, const u32* __restrict__ lengths, u32* __restrict__ known,
                       float* __restrict__ values, float* __restrict__ p, u64 longest, u64 rows) {
    u64 row = (u64)blockIdx.x * 8 + warp();
    if (row >= rows) return;
    const Net& o = *net;
    const u32* words = ids + row * longest;
    u32 length = lengths[row], count = length == 0 ? 0 : 2 * length - 1;
    known += row * 2 * longest;
    values += row * 2 * longest;
    // Words, then pairs of neighbours.
    for (u32 t = lane(); t < count; t += WARP)
        known[t] = find(o.hashes, (u32)o.tokens, t < length ? words[t] : pair_hash(words[t - length], words[t - length + 1]));
    __syncwarp();
    // The first of equal tokens stands for all.
    float squares = 0.0f;
    for (u32 t = lane(); t < count; t += WARP) {
        u32 same = 0;
        bool first = known[t] != UNKNOWN;
        for (u32 s = 0; s < count; s++) {
            bool equal = known[s] == known[t];
            same += equal;
            first = first && !(equal && s < t);
        }
        float value = first ? (1.0f + ln_of((float)same)) * o.idf[known[t]] : 0.0f;
        values[t] = value;
        squares += value * value;
    }
    float size = sqrtf(warp_sum(squares));
    __syncwarp();
    float unit = o.hidden_bias[lane()];
    for (u32 t = 0; t < count; t++)
        if (values[t] > 0.0f) unit += values[t] / size * o.hidden[(u64)known[t] * UNITS + lane()];
    unit = unit > 0.0f ? unit : 0.0f;
    float own = -3e38f;
    for (u32 c = 0; c < CLASSES; c++) {
        float logit = warp_sum(o.output[c * UNITS + lane()] * unit) + o.output_bias[c];
        own = lane() == c ? logit : own;
    }
    float top = own;
    for (u32 s = WARP / 2; s > 0; s /= 2) top = fmaxf(top, __shfl_xor_sync(ALL_LANES, top, s));
    float e = lane() < CLASSES ? exp_of(own - top) : 0.0f;
    float sum = warp_sum(e);
    if (lane() < CLASSES) p[row * CLASSES + lane()] = e / sum;
}

#define LAYOUT_DEMO
#include "layout.cuh"
