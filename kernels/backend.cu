// Rows of arrays: gathering them, and checking that they are distributions.
//
// Shapes: arrays are row-major. Launch: one thread an element or a row, 256 threads a block; no shared memory.
// Checked against `Cpu::gather` and `lipex_core::check_row`.
#include "prelude.cuh"

// out[e] = rows[index[e / width]·width + e mod width], in units of 4 bytes. `count` elements.
KERNEL(256) lipex_gather(const u32* __restrict__ rows, const u32* __restrict__ index, u32* __restrict__ out, u64 width, u64 count) {
    u64 e = (u64)blockIdx.x * 256 + threadIdx.x;
    if (e < count) out[e] = rows[index[e / width] * width + e % width];
}

// The same in units of 1 byte.
KERNEL(256) lipex_gather_bytes(const u8* __restrict__ rows, const u32* __restrict__ index, u8* __restrict__ out, u64 width, u64 count) {
    u64 e = (u64)blockIdx.x * 256 + threadIdx.x;
    if (e < count) out[e] = rows[index[e / width] * width + e % width];
}

// *first becomes the first row of `p` (N×C) that is no distribution: not finite, negative, or with a sum beyond 1 ± 10⁻³.
// The least of integers does not depend on the order in which it is taken. *first is 2³² − 1 before the launch.
KERNEL(256) lipex_check(const float* __restrict__ p, u32* __restrict__ first, u64 rows, u64 classes) {
    u64 row = (u64)blockIdx.x * 256 + threadIdx.x;
    if (row >= rows) return;
    double sum = 0.0;
    bool good = true;
    for (u64 c = 0; c < classes; c++) {
        float v = p[row * classes + c];
        // A number that is none fails this too.
        good = good && v >= 0.0f && v <= 3.402823466e38f;
        sum += (double)v;
    }
    double off = sum - 1.0;
    if (!(good && off <= 1e-3 && off >= -1e-3)) atomicMin(first, (u32)row);
}
