// Render: inputs of a model out of masks, in device memory.
//
// lipex_render_tokens: a warp a row, 8 rows a block of 256 threads; keeps the tokens of an instance that a mask leaves, in
// order. Shapes: tokens T, ids rows × T (what is left of a row is 0), lengths rows.
// lipex_render_pixels, lipex_render_pixels_half: a thread 16 bytes of one channel of one picture, 256 threads a block, grid
// (blocks of a picture, rows). Shapes: image and baseline channels × pixels, segments one a pixel, out rows × channels ×
// pixels, all with `stride` numbers a channel, a multiple of 16 bytes. f16 numbers are copied, never computed with.
// Shared memory: 2 KB for tokens. Checked against the same on the host.
#include "prelude.cuh"

// When a token is there.
enum When { ALWAYS, KEPT, REMOVED };

// What is left of a row gathers in 64 words of a warp; 32 of them at a time are written, from one sector's edge to another's.
KERNEL(256) lipex_render_tokens(const u32* __restrict__ tokens, const u32* __restrict__ features, const u32* __restrict__ when,
                                const u32* __restrict__ bits, u32* __restrict__ ids, u32* __restrict__ lengths, u64 count,
                                u64 words, u64 first, u64 rows) {
    __shared__ u32 gathered[8][2 * WARP];
    u64 row = (u64)blockIdx.x * 8 + warp();
    if (row >= rows) return;
    const u32* mask = bits + (first + row) * words;
    u32* own = gathered[warp()];
    // The row's first word is number `edge` of its sector; `end` is where its tokens end and `written` where what is written
    // does, both counted from that sector on.
    u32 edge = (u32)(row * count % 8), last = edge + (u32)count, end = edge, written = 0;
    u32* out = ids + (row * count - edge);
#pragma unroll 1
    for (u32 base = 0; base < count; base += WARP) {
        u32 t = base + lane(), token = 0;
        bool there = false;
        if (t < count) {
            u32 rule = when[t];
            token = tokens[t];
            there = rule == ALWAYS || bit(mask, features[t]) == (rule == KEPT);
        }
        u32 votes = __ballot_sync(ALL_LANES, there);
        u32 before = __popc(votes & ((1u << lane()) - 1));
        if (there) own[(end + before) % (2 * WARP)] = token;
        end += __popc(votes);
        __syncwarp();
        if (end - written >= WARP) {
            u32 at = written + lane();
            if (at >= edge) out[at] = own[at % (2 * WARP)];
            written += WARP;
        }
        __syncwarp();
    }
#pragma unroll 1
    for (; written < last; written += WARP) {
        u32 at = written + lane();
        if (at >= edge && at < last) out[at] = at < end ? own[at % (2 * WARP)] : 0;
    }
    if (lane() == 0) lengths[row] = end - edge;
}

INLINE u32 pick(u32 keep, u32 yes, u32 no) { return keep ? yes : no; }

// Four pixels of 4 bytes.
KERNEL(256) lipex_render_pixels(const uint4* __restrict__ image, const uint4* __restrict__ baseline, const uint4* __restrict__ segments,
                                const u32* __restrict__ bits, uint4* __restrict__ out, u64 words, u64 first, u64 quads, u64 channels) {
    u64 q = (u64)blockIdx.x * 256 + threadIdx.x;
    if (q >= quads) return;
    const u32* mask = bits + (first + blockIdx.y) * words;
    uint4 s = segments[q];
    u32 a = bit(mask, s.x), b = bit(mask, s.y), c = bit(mask, s.z), d = bit(mask, s.w);
    for (u64 channel = 0; channel < channels; channel++) {
        uint4 i = image[channel * quads + q], r = baseline[channel * quads + q];
        out[(blockIdx.y * channels + channel) * quads + q] = uint4{pick(a, i.x, r.x), pick(b, i.y, r.y), pick(c, i.z, r.z), pick(d, i.w, r.w)};
    }
}

// Eight pixels of 2 bytes. Segments of the first four of each eight come first, then those of the others.
KERNEL(256) lipex_render_pixels_half(const uint4* __restrict__ image, const uint4* __restrict__ baseline, const uint4* __restrict__ segments,
                                     const u32* __restrict__ bits, uint4* __restrict__ out, u64 words, u64 first, u64 octets, u64 channels) {
    u64 q = (u64)blockIdx.x * 256 + threadIdx.x;
    if (q >= octets) return;
    const u32* mask = bits + (first + blockIdx.y) * words;
    uint4 s = segments[q], t = segments[octets + q];
    u32 a = (bit(mask, s.x) ? 0xffffu : 0) | (bit(mask, s.y) ? 0xffff0000u : 0);
    u32 b = (bit(mask, s.z) ? 0xffffu : 0) | (bit(mask, s.w) ? 0xffff0000u : 0);
    u32 c = (bit(mask, t.x) ? 0xffffu : 0) | (bit(mask, t.y) ? 0xffff0000u : 0);
    u32 d = (bit(mask, t.z) ? 0xffffu : 0) | (bit(mask, t.w) ? 0xffff0000u : 0);
    for (u64 channel = 0; channel < channels; channel++) {
        uint4 i = image[channel * octets + q], r = baseline[channel * octets + q];
        out[(blockIdx.y * channels + channel) * octets + q] =
            uint4{(i.x & a) | (r.x & ~a), (i.y & b) | (r.y & ~b), (i.z & c) | (r.z & ~c), (i.w & d) | (r.w & ~d)};
    }
}

#define LAYOUT_RENDER
#include "layout.cuh"
