// Weigh: proximity weights by the number of kept features.
//
// Shapes: bits N × ⌈D/32⌉ words, table D + 1 numbers (entry m for m kept features), weights N; arrays an instance.
// Launch: grid (blocks of 256 rows, instances), one thread a row; no shared memory. Checked against the CPU.
#include "prelude.cuh"

struct Weighing {
    const u32* bits;
    const float* table;
    float* weights;
    u64 rows;
    u64 words;
};

// positive[instance] becomes 1 if any of its weights is above 0; it is 0 before the launch.
KERNEL(256) lipex_weigh(const Weighing* __restrict__ weighings, u32* __restrict__ positive) {
    const Weighing o = weighings[blockIdx.y];
    u64 row = (u64)blockIdx.x * 256 + threadIdx.x;
    if (row >= o.rows) return;
    u32 kept = 0;
    for (u64 w = 0; w < o.words; w++) kept += __popc(o.bits[row * o.words + w]);
    float weight = o.table[kept];
    o.weights[row] = weight;
    if (weight > 0.0f) atomicOr(positive + blockIdx.y, 1u);
}

#define LAYOUT_WEIGH
#include "layout.cuh"
