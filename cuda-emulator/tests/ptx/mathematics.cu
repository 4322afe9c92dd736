// What NVRTC makes of library functions, warp exchanges, barriers and double precision.

extern "C" __global__ void functions(float* out, const float* a, const float* b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float x = a[i], y = b[i];
    out[0 * n + i] = expf(x);
    out[1 * n + i] = logf(y);
    out[2 * n + i] = sinf(x);
    out[3 * n + i] = cosf(100000.0f * x);
    out[4 * n + i] = powf(y, x);
    out[5 * n + i] = x / y;
    out[6 * n + i] = rsqrtf(y);
    out[7 * n + i] = tanhf(x);
    out[8 * n + i] = __expf(x);
    out[9 * n + i] = __fdividef(x, y);
    out[10 * n + i] = erff(x);
    out[11 * n + i] = sqrtf(y);
    out[12 * n + i] = floorf(x) + ceilf(y) + truncf(x) + rintf(y);
    double d = x;
    out[13 * n + i] = (float)(d * d / 3.0 + sqrt(d * d) + exp(d) + log((double)y));
    long long q = (long long)(x * 1000.0f);
    out[14 * n + i] = (float)(q % 7) + (float)(q / 11) + (float)((unsigned)q % 13u);
}

extern "C" __global__ void block_sum(float* out, const float* in, unsigned* votes) {
    extern __shared__ float tile[];
    int t = threadIdx.x;
    tile[t] = in[blockIdx.x * blockDim.x + t];
    __syncthreads();
    float v = tile[t ^ 1];
    for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
    int any = __syncthreads_or(v > 1000.0f);
    unsigned ballot = __ballot_sync(~0u, t & 1);
    __syncthreads();
    if ((t & 31) == 0) tile[t >> 5] = v;
    __syncthreads();
    if (t < 32) {
        float sum = t < blockDim.x / 32 ? tile[t] : 0.0f;
        for (int o = 16; o; o >>= 1) sum += __shfl_down_sync(~0u, sum, o);
        if (t == 0) {
            out[blockIdx.x] = sum;
            atomicAdd(votes, __popc(ballot) + any);
            atomicMax(votes + 1, __reduce_add_sync(1u, 5u));
        }
    }
}
