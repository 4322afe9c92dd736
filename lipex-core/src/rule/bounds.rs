//! How sure one can be of a share that was estimated from so many rows.
//!
//! # Source
//! Kaufmann and Kalyanakrishnan, Information complexity in bandit subset selection (2013): bounds by the Kullback–Leibler
//! divergence of Bernoulli laws, and the exploration rate of KL-LUCB; Ribeiro, Singh and Guestrin, Anchors (2018), for its use.

/// Bisections between a mean and the edge of its bound.
const BISECTIONS: usize = 16;

/// kl(p ‖ q) of Bernoulli laws in nats, both shares taken as 10⁻⁷ at least and 1 − 10⁻¹⁶ at most.
fn kl(p: f64, q: f64) -> f64 {
    let [p, q] = [p, q].map(|share| share.clamp(1e-7, 1.0 - 1e-16));
    p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln()
}

/// Halves the way between `inside`, where kl(mean ‖ ·) is at most `level`, and `outside`; returns the outer end.
fn bisect(mean: f64, level: f64, mut inside: f64, mut outside: f64) -> f64 {
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (inside + outside);
        *(if kl(mean, middle) > level { &mut outside } else { &mut inside }) = middle;
    }
    outside
}

/// The largest share that a mean of `mean` leaves possible at kl ≤ `level`, which is Pinsker's mean + √(level/2) at most.
pub(super) fn up(mean: f64, level: f64) -> f64 {
    bisect(mean, level, mean, (mean + (0.5 * level).sqrt()).min(1.0))
}

/// The smallest.
pub(super) fn low(mean: f64, level: f64) -> f64 {
    bisect(mean, level, mean, (mean - (0.5 * level).sqrt()).max(0.0))
}

/// β: the exploration rate of round `round` (from 1) among so many candidates, for a chance of error of `delta`.
pub(super) fn exploration(candidates: usize, round: usize, delta: f64) -> f64 {
    let log = (405.5 * candidates as f64 * (round as f64).powf(1.1) / delta).ln();
    log + log.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_published_code() {
        // Values of anchor-exp 0.0.2.0: dup_bernoulli, dlow_bernoulli, compute_beta, kl_bernoulli.
        for (mean, level, high, least) in [
            (0.5, 0.1, 0.712880, 0.287120),
            (0.9, 0.05, 0.968723, 0.779921),
            (1.0, 0.2, 1.0, 0.818730),
            (0.0, 0.3, 0.259188, 0.0),
            (0.95, 0.01, 0.975019, 0.913097),
        ] {
            assert!((up(mean, level) - high).abs() < 1e-6, "{mean} {level}: {}", up(mean, level));
            assert!((low(mean, level) - least).abs() < 1e-6, "{mean} {level}: {}", low(mean, level));
        }
        assert!((exploration(10, 1, 0.1) - 12.972115).abs() < 1e-6);
        assert!((exploration(40, 7, 0.1) - 16.785888).abs() < 1e-6);
        assert!((kl(0.3, 0.5) - 0.082283).abs() < 1e-6 && (kl(1.0, 0.9) - 0.105361).abs() < 1e-6);
    }
}
