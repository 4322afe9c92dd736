//! Approximate instructions: within their documented error, with the perturbation and without.

use super::harness::{apply, f};

struct Case {
    name: &'static str,
    exact: fn(f64) -> f64,
    /// Bound on the error at an argument with an exact result.
    bound: fn(f64, f64) -> f64,
    /// Arguments.
    range: (f64, f64),
}

fn relative(bound: f64) -> impl Fn(f64) -> f64 {
    move |exact| exact.abs() * bound
}

const CASES: [Case; 8] = [
    Case { name: "ex2", exact: f64::exp2, bound: |_, y| y * 2f64.powi(-22), range: (-125.0, 127.0) },
    Case {
        name: "lg2",
        exact: f64::log2,
        bound: |x, y| if x > 0.5 && x < 2.0 { 2f64.powi(-22) } else { y.abs() * 2f64.powi(-22) },
        range: (1e-3, 40.0),
    },
    Case { name: "rsqrt", exact: |x| 1.0 / x.sqrt(), bound: |_, y| y * 2f64.powf(-22.9), range: (1e-20, 1e3) },
    Case { name: "sqrt", exact: f64::sqrt, bound: |_, y| y * 2f64.powi(-23), range: (1e-20, 1e3) },
    Case { name: "rcp", exact: f64::recip, bound: |_, y| y.abs() * 2f64.powi(-23), range: (-300.0, 7.0) },
    Case { name: "sin", exact: f64::sin, bound: |_, _| 2f64.powf(-20.9), range: (-3.1, 3.1) },
    Case { name: "cos", exact: f64::cos, bound: |_, _| 2f64.powf(-20.9), range: (-3.1, 3.1) },
    Case { name: "tanh", exact: f64::tanh, bound: |_, y| y.abs() * 2f64.powi(-11), range: (-4.0, 4.0) },
];

fn arguments((from, to): (f64, f64)) -> Vec<[u64; 4]> {
    (0..3000)
        .map(|i| [u64::from(((from + (to - from) * (f64::from(i) + 0.37) / 3000.0) as f32).to_bits()), 0, 0, 0])
        .collect()
}

#[test]
fn errors_stay_within_the_documented_bounds() {
    for case in &CASES {
        let rows = arguments(case.range);
        let text = format!("{}.approx.f32 D, A", case.name);
        let [plain, moved] = [false, true].map(|perturb| apply(&text, 32, &[32], &rows, perturb));
        let mut differ = 0;
        for i in 0..rows.len() {
            let x = f64::from(f(rows[i][0]));
            let exact = (case.exact)(x);
            let bound = (case.bound)(x, exact);
            for got in [plain[i], moved[i]] {
                let error = (f64::from(f(got)) - exact).abs();
                assert!(error <= bound, "{text} of {x}: error {error:e} beyond {bound:e}");
            }
            let nearest = exact as f32;
            assert_eq!(f(plain[i]), nearest, "{text} of {x} is the exact result, rounded");
            differ += usize::from(plain[i] != moved[i]);
        }
        assert!(differ > rows.len() / 5, "{text}: the perturbation moves {differ} of {} results", rows.len());
        assert_eq!(moved, apply(&text, 32, &[32], &rows, true), "{text}: the same input gives the same output");
    }
}

#[test]
fn division_stays_within_two_units() {
    let rows: Vec<[u64; 4]> = (0..4000u32)
        .map(|i| {
            let (x, y) = (f64::from(i) - 1900.3, f64::from(i * 7 % 4001) * 0.013 + 0.1);
            [u64::from((x as f32).to_bits()), u64::from((y as f32).to_bits()), 0, 0]
        })
        .collect();
    for text in ["div.approx.f32 D, A, B", "div.full.f32 D, A, B"] {
        for perturb in [false, true] {
            for (row, got) in rows.iter().zip(apply(text, 32, &[32, 32], &rows, perturb)) {
                let exact = f64::from(f(row[0])) / f64::from(f(row[1]));
                let error = (f64::from(f(got)) - exact).abs();
                assert!(error <= relative(2.0 * 2f64.powi(-23))(exact), "{text}: {error:e} at {exact}");
            }
        }
    }
}

#[test]
fn edges_are_exact() {
    let edges = |text: &str, pairs: &[(f32, f32)]| {
        let rows: Vec<[u64; 4]> = pairs.iter().map(|p| [u64::from(p.0.to_bits()), 0, 0, 0]).collect();
        for perturb in [false, true] {
            for (pair, got) in pairs.iter().zip(apply(text, 32, &[32], &rows, perturb)) {
                let same = f(got) == pair.1 && f(got).is_sign_negative() == pair.1.is_sign_negative();
                assert!(same || (f(got).is_nan() && pair.1.is_nan()), "{text} of {}: {}", pair.0, f(got));
            }
        }
    };
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    edges("ex2.approx.f32 D, A", &[(-inf, 0.0), (inf, inf), (-200.0, 0.0), (200.0, inf), (nan, nan)]);
    edges("ex2.approx.ftz.f32 D, A", &[(-140.0, 0.0), (-inf, 0.0), (inf, inf), (nan, nan)]);
    edges("lg2.approx.f32 D, A", &[(0.0, -inf), (-0.0, -inf), (-1.0, nan), (inf, inf), (nan, nan)]);
    edges("rcp.approx.f32 D, A", &[(0.0, inf), (-0.0, -inf), (inf, 0.0), (-inf, -0.0), (nan, nan)]);
    edges("rsqrt.approx.f32 D, A", &[(0.0, inf), (-0.0, -inf), (inf, 0.0), (-1.0, nan), (nan, nan)]);
    edges("sqrt.approx.f32 D, A", &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-1.0, nan), (nan, nan)]);
}
