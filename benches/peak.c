// The core's peak: gcc -O3 -funroll-loops -march=native benches/peak.c -o target/peak && target/peak
// Ten chains of AVX-512 multiply-adds give the throughput, one chain the clock (a multiply-add takes 4 cycles).
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(void) {
    const int ops = 20000;
    __m512 a[10], b = _mm512_set1_ps(.999f), c = _mm512_set1_ps(.001f);
    double best = 1e9, chain = 1e9;
    for (int k = 0; k < 10; k++) a[k] = _mm512_set1_ps(k);
    for (int run = 0; run < 200; run++) {
        double start = now();
        for (int i = 0; i < ops; i++)
            for (int k = 0; k < 10; k++) a[k] = _mm512_fmadd_ps(a[k], b, c);
        double spent = now() - start;
        if (spent < best) best = spent;
    }
    for (int run = 0; run < 200; run++) {
        double start = now();
        for (int i = 0; i < ops; i++) a[0] = _mm512_fmadd_ps(a[0], b, c);
        double spent = now() - start;
        if (spent < chain) chain = spent;
    }
    float sum = 0;
    for (int k = 0; k < 10; k++) sum += _mm512_reduce_add_ps(a[k]);
    printf("%.0f GFLOP/s in f32, %.2f GHz (%g)\n", ops * 10 * 32 / best / 1e9, 4 * ops / chain / 1e9, sum);
    return 0;
}
