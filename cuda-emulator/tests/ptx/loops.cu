// Inner loops as kernels have them, for measuring the interpreter: arithmetic, shared memory, device memory.

extern "C" __global__ void arithmetic(float* out, int n) {
    float a = threadIdx.x, b = 1.0f;
    unsigned h = threadIdx.x;
    for (int i = 0; i < n; ++i) {
        a = __fmaf_rn(a, 0.5f, b);
        b = b + a * 0.25f;
        h = h * 1664525u + 1013904223u;
        b = (h & 4u) ? b : -b;
    }
    out[blockIdx.x * blockDim.x + threadIdx.x] = a + b + h;
}

extern "C" __global__ void shared_memory(float* out, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x;
    tile[t] = t;
    __syncthreads();
    float s = 0.0f;
    for (int i = 0; i < n; ++i) s += tile[(t + i * 33) & 255];
    out[blockIdx.x * blockDim.x + t] = s;
}

extern "C" __global__ void device_memory(float* out, const float* in, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float s = 0.0f;
    for (int k = 0; k < n; ++k) s += in[(i + k * 256) & 65535];
    out[i] = s;
}
