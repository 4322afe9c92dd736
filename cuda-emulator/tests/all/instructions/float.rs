//! Single and double precision, against the processor's own arithmetic.

use super::harness::{check, d, double, doubles, f, single, singles};

#[test]
fn arithmetic_rounds_to_nearest() {
    let v = singles();
    let two = |text: &str, g: fn(f32, f32) -> f32| {
        check(&format!("{text} D, A, B"), 32, &[32, 32], &[v.clone(), v.clone()], |[a, b, ..]| single(g(f(a), f(b))));
    };
    for suffix in ["f32", "rn.f32"] {
        two(&format!("add.{suffix}"), |a, b| a + b);
        two(&format!("sub.{suffix}"), |a, b| a - b);
        two(&format!("mul.{suffix}"), |a, b| a * b);
    }
    two("div.rn.f32", |a, b| a / b);
    let one = |text: &str, g: fn(f32) -> f32| {
        check(&format!("{text} D, A"), 32, &[32], &[v.clone()], |[a, ..]| single(g(f(a))));
    };
    one("rcp.rn.f32", |a| 1.0 / a);
    one("sqrt.rn.f32", f32::sqrt);
    for name in ["fma.rn.f32", "mad.rn.f32"] {
        check(&format!("{name} D, A, B, C"), 32, &[32; 3], &[v.clone(), v.clone(), v.clone()], |[a, b, c, _]| {
            single(f(a).mul_add(f(b), f(c)))
        });
    }
}

#[test]
fn double_arithmetic_rounds_to_nearest() {
    let v = doubles();
    let two = |text: &str, g: fn(f64, f64) -> f64| {
        check(&format!("{text} D, A, B"), 64, &[64, 64], &[v.clone(), v.clone()], |[a, b, ..]| double(g(d(a), d(b))));
    };
    two("add.f64", |a, b| a + b);
    two("add.rn.f64", |a, b| a + b);
    two("sub.f64", |a, b| a - b);
    two("mul.f64", |a, b| a * b);
    two("div.rn.f64", |a, b| a / b);
    check("sqrt.rn.f64 D, A", 64, &[64], &[v.clone()], |[a, ..]| double(d(a).sqrt()));
    check("rcp.rn.f64 D, A", 64, &[64], &[v.clone()], |[a, ..]| double(1.0 / d(a)));
    check("fma.rn.f64 D, A, B, C", 64, &[64; 3], &[v.clone(), v.clone(), v], |[a, b, c, _]| {
        double(d(a).mul_add(d(b), d(c)))
    });
}

/// −0 below +0; a NaN gives way to a number.
fn order(a: f32, b: f32, least: bool) -> f32 {
    let key = |x: f32| (x, !x.is_sign_negative());
    match (a.is_nan(), b.is_nan()) {
        (true, true) => f32::NAN,
        (true, false) => b,
        (false, true) => a,
        _ if (key(a) < key(b)) == least => a,
        _ => b,
    }
}

#[test]
fn order_and_signs() {
    let v = singles();
    let pairs = [v.clone(), v.clone()];
    for (name, least) in [("min", true), ("max", false)] {
        check(&format!("{name}.f32 D, A, B"), 32, &[32, 32], &pairs, |[a, b, ..]| single(order(f(a), f(b), least)));
        check(&format!("{name}.NaN.f32 D, A, B"), 32, &[32, 32], &pairs, |[a, b, ..]| {
            if f(a).is_nan() || f(b).is_nan() { 0x7fff_ffff } else { single(order(f(a), f(b), least)) }
        });
        let w = doubles();
        check(&format!("{name}.f64 D, A, B"), 64, &[64, 64], &[w.clone(), w], |[a, b, ..]| {
            let key = |x: f64| (x, !x.is_sign_negative());
            let (x, y) = (d(a), d(b));
            match (x.is_nan(), y.is_nan()) {
                (true, _) => double(y),
                (_, true) => a,
                _ if (key(x) < key(y)) == least => a,
                _ => b,
            }
        });
    }
    check("neg.f32 D, A", 32, &[32], &[v.clone()], |[a, ..]| a ^ 0x8000_0000);
    check("abs.f32 D, A", 32, &[32], &[v.clone()], |[a, ..]| a & 0x7fff_ffff);
    check("copysign.f32 D, A, B", 32, &[32, 32], &pairs, |[a, b, ..]| u64::from(f(b).copysign(f(a)).to_bits()));
    let w = doubles();
    check("neg.f64 D, A", 64, &[64], &[w.clone()], |[a, ..]| a ^ 1 << 63);
    check("abs.f64 D, A", 64, &[64], &[w.clone()], |[a, ..]| a & !(1 << 63));
    check("copysign.f64 D, A, B", 64, &[64, 64], &[w.clone(), w], |[a, b, ..]| d(b).copysign(d(a)).to_bits());
}

#[test]
fn flushing_and_saturation() {
    let v = singles();
    let flush = |x: f32| if x.is_subnormal() { 0.0f32.copysign(x) } else { x };
    let pairs = [v.clone(), v.clone()];
    check("add.ftz.f32 D, A, B", 32, &[32, 32], &pairs, |[a, b, ..]| single(flush(flush(f(a)) + flush(f(b)))));
    check("mul.ftz.f32 D, A, B", 32, &[32, 32], &pairs, |[a, b, ..]| single(flush(flush(f(a)) * flush(f(b)))));
    let limit = |x: f32| if x > 0.0 { x.min(1.0) } else { 0.0 };
    check("add.sat.f32 D, A, B", 32, &[32, 32], &pairs, |[a, b, ..]| single(limit(f(a) + f(b))));
    check("fma.rn.sat.f32 D, A, B, C", 32, &[32; 3], &[v.clone(), v.clone(), v], |[a, b, c, _]| {
        single(limit(f(a).mul_add(f(b), f(c))))
    });
}
