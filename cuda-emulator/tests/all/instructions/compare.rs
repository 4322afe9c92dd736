//! Comparisons and choices.

use std::cmp::Ordering;

use super::harness::{check, d, doubles, f, integers, singles};

fn holds(name: &str, order: Option<Ordering>) -> bool {
    use Ordering::*;
    match (name, order) {
        ("nan", o) => o.is_none(),
        ("num", o) => o.is_some(),
        (name, None) => name.ends_with('u') && name.len() == 3,
        (name, Some(o)) => match &name[..2] {
            "eq" => o == Equal,
            "ne" => o != Equal,
            "lt" | "lo" => o == Less,
            "le" | "ls" => o != Greater,
            "gt" | "hi" => o == Greater,
            _ => o != Less,
        },
    }
}

#[test]
fn integers_compare() {
    for bits in [16u32, 32, 64] {
        let v = integers(bits);
        let pairs = [v.clone(), v.clone()];
        let signed = |x: u64| (x << (64 - bits)) as i64;
        for name in ["eq", "ne", "lt", "le", "gt", "ge"] {
            let text = format!("setp.{name}.s{bits} D, A, B");
            check(&text, 1, &[bits, bits], &pairs, |[a, b, ..]| holds(name, Some(signed(a).cmp(&signed(b)))).into());
            let text = format!("setp.{name}.u{bits} D, A, B");
            check(&text, 1, &[bits, bits], &pairs, |[a, b, ..]| holds(name, Some(a.cmp(&b))).into());
        }
        for name in ["lo", "ls", "hi", "hs"] {
            let text = format!("setp.{name}.u{bits} D, A, B");
            check(&text, 1, &[bits, bits], &pairs, |[a, b, ..]| holds(name, Some(a.cmp(&b))).into());
        }
        for name in ["eq", "ne"] {
            let text = format!("setp.{name}.b{bits} D, A, B");
            check(&text, 1, &[bits, bits], &pairs, |[a, b, ..]| holds(name, Some(a.cmp(&b))).into());
        }
    }
}

#[test]
fn floats_compare() {
    let names = ["eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"];
    let (v, w) = (singles(), doubles());
    for name in names {
        let text = format!("setp.{name}.f32 D, A, B");
        check(&text, 1, &[32, 32], &[v.clone(), v.clone()], |[a, b, ..]| holds(name, f(a).partial_cmp(&f(b))).into());
        let text = format!("setp.{name}.f64 D, A, B");
        check(&text, 1, &[64, 64], &[w.clone(), w.clone()], |[a, b, ..]| holds(name, d(a).partial_cmp(&d(b))).into());
    }
}

#[test]
fn second_destination_and_combination() {
    let v = integers(32);
    let values = [v.clone(), v.clone(), vec![0, 1]];
    for (name, combine) in
        [("and", (|x, y| x & y) as fn(bool, bool) -> bool), ("or", |x, y| x | y), ("xor", |x, y| x ^ y)]
    {
        let text = format!("setp.lt.{name}.u32 D, A, B, C");
        check(&text, 1, &[32, 32, 1], &values, |[a, b, c, _]| combine(a < b, c == 1).into());
        let text = format!("setp.lt.{name}.u32 D|%q1, A, B, !C; mov.pred D, %q1");
        check(&text, 1, &[32, 32, 1], &values, |[a, b, c, _]| combine(a >= b, c == 0).into());
    }
    check("setp.lt.u32 D|%q1, A, B; mov.pred D, %q1", 1, &[32, 32], &values[..2], |[a, b, ..]| (a >= b).into());
}

#[test]
fn choices() {
    let v = integers(32);
    let w = integers(64);
    let truth = vec![0, 1];
    let select = |[a, b, c, _]: [u64; 4]| if c == 1 { a } else { b };
    check("selp.b32 D, A, B, C", 32, &[32, 32, 1], &[v.clone(), v.clone(), truth.clone()], select);
    check("selp.b64 D, A, B, C", 64, &[64, 64, 1], &[w.clone(), w.clone(), truth.clone()], select);
    check("selp.b16 D, A, B, C", 16, &[16, 16, 1], &[integers(16), integers(16), truth], select);
    let by_sign = |[a, b, c, _]: [u64; 4]| if (c as u32 as i32) >= 0 { a } else { b };
    check("slct.b32.s32 D, A, B, C", 32, &[32; 3], &[v.clone(), v.clone(), v.clone()], by_sign);
    check("slct.b64.s32 D, A, B, C", 64, &[64, 64, 32], &[w.clone(), w, v.clone()], by_sign);
    check(
        "slct.f32.f32 D, A, B, C",
        32,
        &[32; 3],
        &[v.clone(), v, singles()],
        |[a, b, c, _]| {
            if f(c) >= 0.0 { a } else { b }
        },
    );
}

#[test]
fn properties() {
    let (v, w) = (singles(), doubles());
    let names: [(&str, fn(f64) -> bool); 4] = [
        ("finite", f64::is_finite),
        ("infinite", f64::is_infinite),
        ("number", |x| !x.is_nan()),
        ("notanumber", f64::is_nan),
    ];
    for (name, holds) in names {
        check(&format!("testp.{name}.f32 D, A"), 1, &[32], &[v.clone()], |[a, ..]| holds(f(a).into()).into());
        check(&format!("testp.{name}.f64 D, A"), 1, &[64], &[w.clone()], |[a, ..]| holds(d(a)).into());
    }
    check("testp.normal.f32 D, A", 1, &[32], &[v.clone()], |[a, ..]| f(a).is_normal().into());
    check("testp.subnormal.f32 D, A", 1, &[32], &[v], |[a, ..]| f(a).is_subnormal().into());
    check("testp.normal.f64 D, A", 1, &[64], &[w.clone()], |[a, ..]| d(a).is_normal().into());
    check("testp.subnormal.f64 D, A", 1, &[64], &[w], |[a, ..]| d(a).is_subnormal().into());
}

#[test]
fn guards_hold_back_lanes() {
    check(
        "mov.b32 D, 7; @C mov.b32 D, A; @!C add.u32 D, D, B",
        32,
        &[32, 32, 1],
        &[integers(32), integers(32), vec![0, 1]],
        |[a, b, c, _]| {
            if c == 1 { a } else { (7 + b) & 0xffff_ffff }
        },
    );
    // An instruction that becomes several steps here must read its guard before it writes it.
    check(
        "mov.pred D, C; @D setp.lt.and.u32 D, A, B, D",
        1,
        &[32, 32, 1],
        &[integers(32), integers(32), vec![0, 1]],
        |[a, b, c, _]| u64::from(c == 1 && a < b),
    );
}
