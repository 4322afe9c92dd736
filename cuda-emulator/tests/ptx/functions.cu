// What NVRTC leaves as functions and tables: calls that are not inlined, double precision powers, a dense switch.

__device__ __noinline__ float horner(float x, const float* c, int n) {
    float s = 0.0f;
    for (int i = 0; i < n; ++i) {
        if (c[i] > 1e30f) return -1.0f;
        s = s * x + c[i];
    }
    return s;
}

__device__ __noinline__ float twice(float x, const float* c, int n) { return horner(x, c, n) + horner(-x, c, n); }

extern "C" __global__ void functions(float* out, const float* in, int n) {
    int i = threadIdx.x;
    float c[4] = {1.0f, 2.0f, 3.0f, i == 7 ? 1e31f : 4.0f};
    out[i] = i & 1 ? twice(in[i], c, 4) : horner(in[i], c, i % 5 < 4 ? i % 5 : 4);
    out[n + i] = (float)pow((double)in[i] + 2.0, 1.5 + i % 3);
}

extern "C" __global__ void table(int* out, const int* in) {
    int i = threadIdx.x, x = in[i];
    switch (x) {
        case 0: x = x * 3 + out[i]; break;
        case 1: x = x ^ (out[i] << 2); break;
        case 2: x = x - out[i] * 7; break;
        case 3: x = __clz(out[i]); break;
        case 4: x = __popc(out[i]) + 9; break;
        case 5: x = out[i] % 13; break;
        case 6: x = out[i] / 3; break;
        case 7: x = out[i] & 0x55; break;
        case 8: x = __brev(out[i]); break;
        default: x = -1;
    }
    out[i] = x;
}
