// Rows of arrays: gathering them, and checking that they are distributions.
//
// Shapes: arrays are row-major. Launch: one thread an element or a row, 256 threads a block. Shared memory: 17 KB of rows that
// are checked.
// Checked against `Cpu::gather` and `lipex_core::check_row`.
#include "prelude.cuh"

// Classes of a row that are checked at once.
#define STAGE 16u

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
// The least of integers does not depend on the order in which it is taken. *first is 2³² − 1 before the launch. A thread sums
// a row in the order of the classes, as the host does; the block reads its rows as they lie, `STAGE` classes at a time.
KERNEL(256) lipex_check(const float* __restrict__ p, u32* __restrict__ first, u64 rows, u64 classes) {
    __shared__ float staged[256 * STAGE + 8 * STAGE];
    u64 start = (u64)blockIdx.x * 256;
    u32 count = rows - start < 256 ? (u32)(rows - start) : 256u;
    double sum = 0.0;
    bool good = true;
#pragma unroll 1
    for (u64 from = 0; from < classes; from += STAGE) {
        u32 width = classes - from < STAGE ? (u32)(classes - from) : STAGE;
        __syncthreads();
#pragma unroll 1
        for (u32 e = threadIdx.x; e < count * width; e += 256)
            staged[spread(e, width)] = p[(start + e / width) * classes + from + e % width];
        __syncthreads();
#pragma unroll 1
        for (u32 c = 0; c < width && threadIdx.x < count; c++) {
            float v = staged[spread(threadIdx.x * width + c, width)];
            // A number that is none fails this too.
            good = good && v >= 0.0f && v <= 3.402823466e38f;
            sum += (double)v;
        }
    }
    double off = sum - 1.0;
    if (threadIdx.x < count && !(good && off <= 1e-3 && off >= -1e-3)) atomicMin(first, (u32)start + threadIdx.x);
}
