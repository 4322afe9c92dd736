// The minimiser of fit.cu: L-BFGS on vectors that sum to 0 over classes. Included by it alone.
INLINE double dot(const double* a, const double* b, u32 n, double* sums) {
    double sum = 0.0;
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) sum += a[e] * b[e];
    return block_sum(sum, sums);
}

INLINE void centre(const Problem& o, double* v) {
    u32 classes = (u32)o.classes, columns = columns_of(o);
#pragma unroll 1
    for (u32 j = threadIdx.x; j < columns; j += THREADS) {
        double mean = 0.0;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) mean += v[(u64)c * columns + j];
        mean /= (double)classes;
#pragma unroll 1
        for (u32 c = 0; c < classes; c++) v[(u64)c * columns + j] -= mean;
    }
    __syncthreads();
}

// v ← centre ∘ M⁻¹ ∘ centre (v).
INLINE void precondition(const Problem& o, double* v) {
    u32 columns = columns_of(o);
    centre(o, v);
#pragma unroll 1
    for (u32 c = warp(); c < o.classes; c += WARPS) {
        float* b = o.solved + (u64)c * columns;
        double* own = v + (u64)c * columns;
#pragma unroll 1
        for (u32 j = lane(); j < columns; j += WARP) b[j] = (float)own[j];
        __syncwarp();
        solve(o, c, b);
#pragma unroll 1
        for (u32 j = lane(); j < columns; j += WARP) own[j] = (double)b[j];
    }
    __syncthreads();
    centre(o, v);
}

// The direction −H·g by the two loops over the pairs; returns the predicted excess ½ gᵀHg.
INLINE double find_direction(const Problem& o, const Search& s, double* sums, double* shares) {
    u32 n = numbers_of(o);
    double *q = direction_of(o), *g = gradient_of(o);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) q[e] = g[e];
    __syncthreads();
#pragma unroll 1
    for (u32 k = 0; k < s.pairs; k++) {
        u32 at = (s.newest + MEMORY - k) % MEMORY;
        double share = dot(step_of(o, at), q, n, sums) * s.products[at];
        if (threadIdx.x == 0) shares[at] = share;
#pragma unroll 1
        for (u32 e = threadIdx.x; e < n; e += THREADS) q[e] -= share * change_of(o, at)[e];
        __syncthreads();
    }
    precondition(o, q);
#pragma unroll 1
    for (u32 k = s.pairs; k-- > 0;) {
        u32 at = (s.newest + MEMORY - k) % MEMORY;
        double back = dot(change_of(o, at), q, n, sums) * s.products[at];
        double share = shares[at] - back;
#pragma unroll 1
        for (u32 e = threadIdx.x; e < n; e += THREADS) q[e] += share * step_of(o, at)[e];
        __syncthreads();
    }
    double excess = 0.5 * dot(g, q, n, sums);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) q[e] = -q[e];
    __syncthreads();
    return excess;
}

// The next trial point: x + t·direction.
INLINE void try_step(const Problem& o, double t) {
    u32 n = numbers_of(o);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) trial_of(o)[e] = x_of(o)[e] + t * direction_of(o)[e];
    __syncthreads();
}

// Takes the trial point for the current one.
INLINE void accept(const Problem& o) {
    u32 n = numbers_of(o);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) {
        x_of(o)[e] = trial_of(o)[e];
        gradient_of(o)[e] = trial_gradient_of(o)[e];
    }
    __syncthreads();
}

// Ends a stage of the fit: the next smoothing width starts from here, and after the last one the fit is done.
INLINE void end_stage(const Problem& o, Search& s, u32 stop, double* sums) {
    double largest = 0.0;
#pragma unroll 1
    for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) {
        double g = fabs(gradient_of(o)[e]);
        largest = g > largest ? g : largest;
    }
    largest = block_max(largest, sums);
    // The next smoothing width starts from here.
    u32 n = numbers_of(o);
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) trial_of(o)[e] = x_of(o)[e];
    __syncthreads();
    if (threadIdx.x == 0) {
        s.norm = largest;
        s.stop = stop;
        s.stage++;
        s.done = s.stage >= o.stages;
        s.pairs = s.idle = 0;
        s.phase = START;
    }
    __syncthreads();
}

// From the current point: stop, or a direction and its first trial point.
INLINE void next_direction(const Problem& o, Search& s, double* sums, double* shares) {
    u32 stop = STALLED;
    // A direction that does not descend is tried once more without pairs.
#pragma unroll 1
    for (;;) {
        double excess = find_direction(o, s, sums, shares);
        bool met = excess <= o.tolerance * fabs(s.value) + 2.2250738585072014e-308;
        if (met || s.idle >= 3 || s.evaluations >= o.limit) {
            stop = met ? TOLERANCE : s.idle >= 3 ? STALLED : EVALUATIONS;
            break;
        }
        double slope = dot(gradient_of(o), direction_of(o), numbers_of(o), sums);
        if (slope < 0.0) {
            try_step(o, 1.0);
            if (threadIdx.x == 0) {
                s.slope = slope;
                s.t = 1.0;
                s.low = 0.0;
                s.high = -1.0;
                s.trials = 0;
                s.phase = SEARCH;
            }
            __syncthreads();
            return;
        }
        bool again = s.pairs != 0;
        __syncthreads();
        if (!again) break;
        if (threadIdx.x == 0) s.pairs = 0;
        __syncthreads();
    }
    end_stage(o, s, stop, sums);
}

// Keeps the step and the change of gradient that led to the trial point.
INLINE void remember(const Problem& o, Search& s, double* sums) {
    u32 n = numbers_of(o), at = (s.newest + 1) % MEMORY;
    double *step = step_of(o, at), *change = change_of(o, at);
    double sum = 0.0;
#pragma unroll 1
    for (u32 e = threadIdx.x; e < n; e += THREADS) {
        step[e] = trial_of(o)[e] - x_of(o)[e];
        change[e] = trial_gradient_of(o)[e] - gradient_of(o)[e];
        sum += step[e] * change[e];
    }
    double product = block_sum(sum, sums);
    if (threadIdx.x == 0 && product > 0.0) {
        s.products[at] = 1.0 / product;
        s.newest = at;
        s.pairs = smaller(s.pairs + 1, MEMORY);
    }
    __syncthreads();
}

// The step length to try after one that fails: longer, by a parabola, or halfway.
INLINE double next_length(const Search& s, double low, double high, double value) {
    if (high < 0.0) return 2.0 * s.t;
    if (low != 0.0) return 0.5 * (low + high);
    double parabola = -s.slope * s.t * s.t / (2.0 * (value - s.value - s.slope * s.t));
    if (!(fabs(parabola) <= 1.7976931348623157e308)) return 0.5 * s.t;
    return parabola < 0.1 * s.t ? 0.1 * s.t : parabola > 0.5 * s.t ? 0.5 * s.t : parabola;
}

// Judges the trial point of a line search by the Wolfe conditions, or, near the optimum, where differences of the
// objective are rounding, the approximate ones of Hager and Zhang. Returns whether a new direction is wanted.
INLINE bool judge(const Problem& o, Search& s, double value, double* sums) {
    const double decrease = 1e-4, curvature = 0.9, rounding = s.rounding;
    double slope = dot(trial_gradient_of(o), direction_of(o), numbers_of(o), sums);
    double noise = rounding * (fabs(s.value) + 0.1 * s.scale);
    bool lower = value <= s.value + decrease * s.t * s.slope;
    bool flat = value <= s.value + noise && slope <= (2.0 * decrease - 1.0) * s.slope;
    // A value that is no number fails both.
    bool good = lower || flat;
    if (good && !(slope < curvature * s.slope)) {
        bool progress = s.value - value > rounding * fabs(s.value);
        remember(o, s, sums);
        accept(o);
        if (threadIdx.x == 0) {
            s.iterations++;
            s.idle = progress ? 0 : s.idle + 1;
            s.value = value;
        }
        __syncthreads();
        return true;
    }
    double low = good ? s.t : s.low, high = good ? s.high : s.t;
    double t = next_length(s, low, high, value);
    bool more = s.trials + 1 < 20 && s.evaluations < o.limit;
    __syncthreads();
    if (more) try_step(o, t);
    if (threadIdx.x == 0) {
        s.low = low;
        s.high = high;
        s.t = t;
        s.trials++;
        // A search that fails starts again without pairs; without any there is nothing left to try.
        if (!more) s.idle = s.pairs == 0 ? 3 : s.idle;
        if (!more) s.pairs = 0;
    }
    __syncthreads();
    return !more;
}

// One step of the minimiser: what to do with the trial point that was just evaluated, or, at the beginning, where to start.
// L-BFGS on vectors that sum to 0 over classes.
INLINE void advance(const Problem& o, Search& s, double value, double* sums, double* shares) {
    bool beginning = s.phase == BEGIN, starting = s.phase == START;
    __syncthreads();
    if (beginning) {
        if (o.start)
#pragma unroll 1
            for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) x_of(o)[e] = o.start[e];
        __syncthreads();
        centre(o, x_of(o));
#pragma unroll 1
        for (u32 e = threadIdx.x; e < numbers_of(o); e += THREADS) trial_of(o)[e] = x_of(o)[e];
        if (threadIdx.x == 0) s.phase = START;
        __syncthreads();
        return;
    }
    if (threadIdx.x == 0) {
        s.evaluations++;
        if (starting) s.value = value;
    }
    __syncthreads();
    if (starting) accept(o);
    if (starting || judge(o, s, value, sums)) next_direction(o, s, sums, shares);
}

INLINE void write_report(const Problem& o, const Search& s) {
    o.report[0] = s.value;
    o.report[1] = s.norm;
    o.report[2] = (double)s.iterations;
    o.report[3] = (double)s.evaluations;
    o.report[4] = (double)s.stop;
    o.report[OWN_VALUE] = s.value;
}
