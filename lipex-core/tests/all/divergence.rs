//! The divergences against their formulas, their inequalities, and one another.

use lipex_core::{
    Alpha, Divergence, ErasedDivergence, Hellinger, Inputs, JensenShannon, Kl, Q, QRows, Real, ReverseKl, Step,
    TotalVariation, by_name,
};
use proptest::prelude::*;

fn builtin() -> Vec<(Box<dyn ErasedDivergence>, f64)> {
    vec![
        (Box::new(Hellinger), 0.25),
        (Box::new(Kl), 1.0),
        (Box::new(ReverseKl), 1.0),
        (Box::new(JensenShannon), 0.25),
        (Box::new(TotalVariation), 0.25),
        (Box::new(Alpha::new(0.5).unwrap()), 1.0),
        (Box::new(Alpha::new(0.3).unwrap()), 1.0),
        (Box::new(Alpha::new(2.0).unwrap()), 1.0),
        (Box::new(Alpha::new(-1.0).unwrap()), 1.0),
    ]
}

fn softmax_ln(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().cloned().fold(f64::MIN, f64::max);
    let sum: f64 = logits.iter().map(|l| (l - top).exp()).sum();
    logits.iter().map(|l| l - top - sum.ln()).collect()
}

fn total(d: &dyn ErasedDivergence, p: &[f64], ln_q: &[f64]) -> f64 {
    p.iter().zip(ln_q).map(|(&p, &u)| d.value(p, u)).sum()
}

/// ∂d/∂ℓ_c = φ'_c − q_c Σφ'.
fn gradient(d: &dyn ErasedDivergence, p: &[f64], ln_q: &[f64]) -> Vec<f64> {
    let slopes: Vec<f64> = p.iter().zip(ln_q).map(|(&p, &u)| d.derivatives(p, u, None).1).collect();
    let sum: f64 = slopes.iter().sum();
    slopes.iter().zip(ln_q).map(|(s, u)| s - u.exp() * sum).collect()
}

#[test]
fn kappa_is_computed_from_the_formula_alone() {
    for (d, kappa) in builtin() {
        let got = d.kappa().unwrap_or_else(|| panic!("{} has no kappa", d.name()));
        assert!((got - kappa).abs() < 1e-6, "{}: {got}", d.name());
    }
    struct Brier;
    impl Divergence for Brier {
        fn name(&self) -> String {
            "brier".into()
        }
        fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
            (p - q.value) * (p - q.value)
        }
    }
    assert_eq!(ErasedDivergence::kappa(&Brier), None);
}

#[test]
fn hand_computed_values() {
    let (p, q) = ([0.5, 0.5, 0.0], [0.25f64, 0.25, 0.5]);
    let ln_q = q.map(f64::ln);
    let expect = |d: &dyn ErasedDivergence, value: f64| {
        let got = total(d, &p, &ln_q);
        assert!((got - value).abs() < 1e-6, "{}: {got} {value}", d.name());
    };
    expect(&Hellinger, 1.0 - 0.5f64.sqrt());
    expect(&Kl, 2f64.ln());
    expect(&TotalVariation, 0.5);
    expect(&ReverseKl, 0.5 * (0.5f64).ln() + 0.5 * (0.5f64.ln() - f64::from(1e-7f32).ln()));
    // ½·[2·½·ln(½/.375)] + ½·[2·¼·ln(¼/.375) + ½·ln 2]
    expect(&JensenShannon, 0.5 * (4f64 / 3.0).ln() + 0.25 * (2f64 / 3.0).ln() + 0.25 * 2f64.ln());
    expect(&Alpha::new(0.5).unwrap(), 4.0 * (1.0 - 0.5f64.sqrt()));
}

#[test]
fn names_round_trip() {
    for (d, _) in builtin() {
        assert_eq!(by_name(&d.name()).unwrap().name(), d.name());
    }
    for bad in ["alpha:0", "alpha:1", "alpha:x", "alpha:nan", "alpha:99", "helinger", ""] {
        assert!(by_name(bad).is_err(), "{bad}");
    }
}

#[test]
fn f32_lanes_equal_f64() {
    let mut state = 7u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    for n in [1usize, 2, 7, 8, 15, 16, 17, 33, 1000] {
        let p: Vec<f32> = (0..n).map(|i| if i % 9 == 4 { 0.0 } else { uniform() as f32 }).collect();
        let ln: Vec<f32> = (0..n).map(|i| if i % 11 == 3 { -160.0 } else { (uniform() as f32).ln() }).collect();
        let value: Vec<f32> = ln.iter().map(|u| u.exp()).collect();
        let sqrt: Vec<f32> = ln.iter().map(|u| (0.5 * u).exp()).collect();
        for (d, _) in builtin() {
            for width in [None, Some(0.01)] {
                let (mut v, mut s) = (vec![0.0; n], vec![0.0; n]);
                d.terms(&p, QRows { value: &value, ln: &ln, sqrt: &sqrt }, width, &mut v, &mut s);
                for i in 0..n {
                    let (value, slope, _) = d.derivatives(f64::from(p[i]), f64::from(ln[i]), width);
                    let close = |a: f32, b: f64| (f64::from(a) - b).abs() <= 2e-6 * (1.0 + b.abs()) * 4.0;
                    assert!(close(v[i], value), "{} value at {i}: {} {value}", d.name(), v[i]);
                    assert!(close(s[i], slope), "{} slope at {i}: {} {slope}", d.name(), s[i]);
                }
            }
        }
    }
}

#[test]
fn recorded_programs_equal_f64() {
    let (mut edges, mut curved) = (0, 0);
    for (d, _) in builtin() {
        let programs = [(d.record(false), None), (d.record(true), Some(0.01f32)), (d.record_curved(), None)];
        for (program, width) in &programs {
            for i in 0..=40 {
                for j in 0..=40 {
                    let p = match i {
                        0 => 0.0,
                        1 => 1.0,
                        _ => (-0.25 * (i - 2) as f32).exp(), // never q, where TV has its kink
                    };
                    let ln_q = if j == 0 { -160.0 } else { -0.3537 * (j - 1) as f32 };
                    let (q, sqrt_q) = (ln_q.exp(), (0.5 * ln_q).exp());
                    let inputs = Inputs { p, ln_q, q, sqrt_q, width: width.unwrap_or(0.0) };
                    let (value, slope) = program.run(&inputs);
                    let (v, s, s2) = d.derivatives(f64::from(p), f64::from(ln_q), *width);
                    let close = |a: f32, b: f64| (f64::from(a) - b).abs() <= 8e-6 * (1.0 + b.abs());
                    if let Some(second) = program.run_second(&inputs) {
                        assert!(close(second, s2), "{} at {p}, {ln_q}: {second} {s2}", d.name());
                        curved += 1;
                    }
                    assert!(close(value, v) && close(slope, s), "{} at {p}, {ln_q}: {value} {v} {slope} {s}", d.name());
                    edges += usize::from(p == 0.0 || q == 0.0);
                }
            }
        }
    }
    assert!(edges > 1000 && curved > 10_000);
}

#[test]
fn recorded_programs_are_short_and_always_the_same() {
    for (d, _) in builtin() {
        let program = d.record(!d.is_smooth());
        assert_eq!(program, d.record(!d.is_smooth()));
        let steps = program.steps();
        for (i, step) in steps.iter().enumerate() {
            assert!(step.operands().all(|o| o < i), "{}: {step:?}", d.name());
            assert!(!steps[..i].contains(step), "{}: {step:?} twice", d.name());
        }
        assert!(steps.len() <= 40, "{}: {} steps", d.name(), steps.len());
    }
    // φ = ½(√p − √q)²; the derivative in ln q is (√p − √q)·(−½√q), with the inputs p and √q alone.
    let hellinger = Hellinger.record(false);
    assert_eq!(hellinger.steps().iter().filter(|s| matches!(s, Step::Input(_))).count(), 2);
    assert!(hellinger.steps().len() <= 13, "{hellinger:?}");
}

#[test]
fn second_derivatives_equal_differences_of_slopes() {
    for (d, _) in builtin() {
        for (p, u) in [(0.3, -0.9), (0.0, -2.0), (1.0, -0.1), (0.05, -0.3)] {
            let h = 1e-5;
            let slope = |u: f64| d.derivatives(p, u, None).1;
            let difference = (slope(u + h) - slope(u - h)) / (2.0 * h);
            let second = d.derivatives(p, u, None).2;
            assert!((second - difference).abs() < 1e-6 * (1.0 + difference.abs()), "{} at {p}, {u}", d.name());
        }
    }
}

fn rows() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (2usize..12).prop_flat_map(|c| {
        let p = prop_oneof![
            proptest::collection::vec(0.0f64..1.0, c),
            proptest::collection::vec(prop_oneof![Just(0.0), 0.0f64..1.0], c),
            (0..c).prop_map(move |one| (0..c).map(|k| f64::from(u8::from(k == one))).collect()),
        ];
        let scale = prop_oneof![Just(1.0), Just(10.0), Just(80.0)];
        (p, proptest::collection::vec(-1.0f64..1.0, c), scale).prop_map(|(mut p, logits, scale)| {
            let sum: f64 = p.iter().sum();
            if sum > 0.0 {
                p.iter_mut().for_each(|v| *v /= sum);
            } else {
                p[0] = 1.0;
            }
            (p, logits.iter().map(|l| l * scale).collect())
        })
    })
}

proptest! {
    #[test]
    fn gradients_equal_central_differences_and_sum_to_zero((p, logits) in rows()) {
        let ln_q = softmax_ln(&logits);
        for (d, _) in builtin() {
            // The kinks of TV and of the floors have no derivative to compare with.
            let kink = p.iter().zip(&ln_q).any(|(p, u)| (p - u.exp()).abs() < 1e-4 || (u + 16.118).abs() < 1e-3);
            let g = gradient(d.as_ref(), &p, &ln_q);
            prop_assert!(g.iter().all(|v| v.is_finite()), "{}: {g:?}", d.name());
            let scale = g.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            // α outside (0, 1) has slopes up to 1/FLOOR, which cancel in the gradient and leave their rounding.
            let slopes: f64 = p.iter().zip(&ln_q).map(|(&p, &u)| d.derivatives(p, u, None).1.abs()).sum();
            prop_assert!(g.iter().sum::<f64>().abs() <= 1e-14 * (1.0 + slopes), "{}", d.name());
            if kink { continue; }
            let h = 1e-5;
            for c in 0..p.len() {
                let moved = |step: f64| {
                    let mut l = logits.clone();
                    l[c] += step;
                    total(d.as_ref(), &p, &softmax_ln(&l))
                };
                let difference = (moved(h) - moved(-h)) / (2.0 * h);
                // The difference itself is rounded at about value·ε/h.
                let rounding = 1e-10 * (1.0 + moved(0.0).abs());
                prop_assert!((g[c] - difference).abs() <= 1e-4 * scale + rounding, "{} class {c}: {} {difference}", d.name(), g[c]);
            }
        }
    }

    #[test]
    fn inequalities_hold((p, logits) in rows()) {
        let ln_q = softmax_ln(&logits);
        let h2 = total(&Hellinger, &p, &ln_q);
        let tv = total(&TotalVariation, &p, &ln_q);
        let kl = total(&Kl, &p, &ln_q);
        let js = total(&JensenShannon, &p, &ln_q);
        let affinity: f64 = p.iter().zip(&ln_q).map(|(p, u)| (p * u.exp()).sqrt()).sum();
        let tiny = 1e-7;
        prop_assert!(h2 <= tv + tiny);
        prop_assert!(tv <= (h2 * (2.0 - h2)).max(0.0).sqrt() + tiny);
        prop_assert!(kl >= -2.0 * affinity.ln() - tiny);
        prop_assert!(-2.0 * affinity.ln() >= 2.0 * h2 - tiny);
        prop_assert!((-tiny..=1.0 + tiny).contains(&h2) && (-tiny..=1.0 + tiny).contains(&tv));
        prop_assert!((-tiny..=2f64.ln() + tiny).contains(&js));
        for (d, _) in builtin() {
            prop_assert!(total(d.as_ref(), &p, &ln_q).is_finite(), "{}", d.name());
        }
        let alpha = total(&Alpha::new(0.5).unwrap(), &p, &ln_q);
        prop_assert!((alpha - 4.0 * h2).abs() < 1e-6 * (1.0 + alpha));
    }
}
