//! Integer arithmetic.

use super::harness::{check, integers};

/// The value of the low `bits` bits, with or without sign.
fn value(x: u64, bits: u32, signed: bool) -> i128 {
    let x = i128::from(x) & ((1 << bits) - 1);
    if signed && x >> (bits - 1) == 1 { x - (1 << bits) } else { x }
}

fn low(x: i128, bits: u32) -> u64 {
    (x & ((1 << bits) - 1)) as u64
}

fn two(text: &str, bits: u32, signed: bool, expect: impl Fn(i128, i128) -> i128) {
    let v = integers(bits);
    let name = format!("{text}.{}{bits} D, A, B", if signed { 's' } else { 'u' });
    check(&name, bits, &[bits, bits], &[v.clone(), v], |[a, b, ..]| {
        low(expect(value(a, bits, signed), value(b, bits, signed)), bits)
    });
}

#[test]
fn add_sub_min_max_of_every_width() {
    for bits in [16, 32, 64] {
        for signed in [false, true] {
            two("add", bits, signed, |a, b| a + b);
            two("sub", bits, signed, |a, b| a - b);
            two("min", bits, signed, |a, b| a.min(b));
            two("max", bits, signed, |a, b| a.max(b));
            two("mul.lo", bits, signed, |a, b| a.wrapping_mul(b));
        }
    }
    two("add.sat", 32, true, |a, b| (a + b).clamp(i32::MIN.into(), i32::MAX.into()));
    two("sub.sat", 32, true, |a, b| (a - b).clamp(i32::MIN.into(), i32::MAX.into()));
}

#[test]
fn high_and_wide_products() {
    for bits in [16, 32] {
        for signed in [false, true] {
            two("mul.hi", bits, signed, |a, b| (a * b) >> bits);
            let v = integers(bits);
            let name = format!("mul.wide.{}{bits} D, A, B", if signed { 's' } else { 'u' });
            check(&name, 2 * bits, &[bits, bits], &[v.clone(), v.clone()], |[a, b, ..]| {
                low(value(a, bits, signed) * value(b, bits, signed), 2 * bits)
            });
            let name = format!("mad.wide.{}{bits} D, A, B, C", if signed { 's' } else { 'u' });
            let wide = integers(2 * bits);
            check(&name, 2 * bits, &[bits, bits, 2 * bits], &[v.clone(), v, wide], |[a, b, c, _]| {
                low(value(a, bits, signed) * value(b, bits, signed) + i128::from(c), 2 * bits)
            });
        }
    }
    // 64 bits by splitting into halves, since i128 has no room for the product of unsigned values.
    let high = |a: u64, b: u64| {
        let (a1, a0, b1, b0) = (a >> 32, a & 0xffff_ffff, b >> 32, b & 0xffff_ffff);
        let middle = a1 * b0 + (a0 * b0 >> 32);
        let other = a0 * b1 + (middle & 0xffff_ffff);
        a1 * b1 + (middle >> 32) + (other >> 32)
    };
    let v = integers(64);
    check("mul.hi.u64 D, A, B", 64, &[64, 64], &[v.clone(), v.clone()], |[a, b, ..]| high(a, b));
    check("mul.hi.s64 D, A, B", 64, &[64, 64], &[v.clone(), v], |[a, b, ..]| {
        let correction = |x: u64, y: u64| if (x as i64) < 0 { y } else { 0 };
        high(a, b).wrapping_sub(correction(a, b)).wrapping_sub(correction(b, a))
    });
}

#[test]
fn multiply_add() {
    for bits in [16, 32, 64] {
        for signed in [false, true] {
            let v = integers(bits);
            let name = format!("mad.lo.{}{bits} D, A, B, C", if signed { 's' } else { 'u' });
            check(&name, bits, &[bits; 3], &[v.clone(), v.clone(), v], |[a, b, c, _]| {
                let product = value(a, bits, signed).wrapping_mul(value(b, bits, signed));
                low(product.wrapping_add(value(c, bits, signed)), bits)
            });
        }
    }
    for signed in [false, true] {
        let v = integers(32);
        let name = format!("mad.hi.{}32 D, A, B, C", if signed { 's' } else { 'u' });
        check(&name, 32, &[32; 3], &[v.clone(), v.clone(), v], |[a, b, c, _]| {
            low(((value(a, 32, signed) * value(b, 32, signed)) >> 32) + i128::from(c), 32)
        });
    }
    let v = integers(64);
    check("mad.hi.u64 D, A, B, C", 64, &[64; 3], &[v.clone(), v.clone(), v], |[a, b, c, _]| {
        ((u128::from(a) * u128::from(b) >> 64) as u64).wrapping_add(c)
    });
}

#[test]
fn quotients_and_remainders() {
    for bits in [16, 32, 64] {
        for signed in [false, true] {
            two("div", bits, signed, |a, b| if b == 0 { -1 } else { a / b });
            two("rem", bits, signed, |a, b| if b == 0 { a } else { a % b });
        }
    }
}

#[test]
fn absolute_values() {
    for bits in [16, 32, 64] {
        let v = integers(bits);
        let signed = |x| value(x, bits, true);
        check(&format!("abs.s{bits} D, A"), bits, &[bits], &[v.clone()], |[a, ..]| low(signed(a).abs(), bits));
        check(&format!("neg.s{bits} D, A"), bits, &[bits], &[v], |[a, ..]| low(-signed(a), bits));
    }
    let v = integers(32);
    for signed in [false, true] {
        let name = format!("sad.{}32 D, A, B, C", if signed { 's' } else { 'u' });
        check(&name, 32, &[32; 3], &[v.clone(), v.clone(), v.clone()], |[a, b, c, _]| {
            low((value(a, 32, signed) - value(b, 32, signed)).abs() + i128::from(c), 32)
        });
    }
}

#[test]
fn carries_chain() {
    for bits in [32u32, 64] {
        let v = integers(bits);
        let overflow = |a: u64, b: u64| u64::from(i128::from(a) + i128::from(b) >= 1 << bits);
        check(
            &format!("add.cc.u{bits} D, A, B; addc.u{bits} D, C, 0"),
            bits,
            &[bits; 3],
            &[v.clone(), v.clone(), v.clone()],
            |[a, b, c, _]| low(i128::from(c) + i128::from(overflow(a, b)), bits),
        );
        check(
            &format!("add.cc.u{bits} D, A, B; addc.cc.u{bits} D, C, -1; addc.u{bits} D, 0, 0"),
            bits,
            &[bits; 3],
            &[v.clone(), v.clone(), v.clone()],
            |[a, b, c, _]| {
                let all = (1i128 << bits) - 1;
                u64::from(i128::from(c) + all + i128::from(overflow(a, b)) > all)
            },
        );
        check(
            &format!("sub.cc.u{bits} D, A, B; subc.u{bits} D, C, 0"),
            bits,
            &[bits; 3],
            &[v.clone(), v.clone(), v],
            |[a, b, c, _]| low(i128::from(c) - i128::from(a < b), bits),
        );
    }
}

#[test]
fn dot_products_of_bytes() {
    let v = integers(32);
    let bytes = |x: u64, signed: bool| (0..4).map(move |i| value(x >> (8 * i) & 255, 8, signed));
    for (a_sign, b_sign) in [("u", "u"), ("s", "s"), ("u", "s"), ("s", "u")] {
        let text = format!("dp4a.{a_sign}32.{b_sign}32 D, A, B, C");
        check(&text, 32, &[32; 3], &[v.clone(), v.clone(), v.clone()], |[a, b, c, _]| {
            let products = bytes(a, a_sign == "s").zip(bytes(b, b_sign == "s")).map(|(x, y)| x * y);
            low(i128::from(c) + products.sum::<i128>(), 32)
        });
    }
}

#[test]
fn products_chain_by_carry() {
    // The full square of 64 bits plus a third number, from four products of 32.
    let v = integers(64);
    let text = "{ .reg .b32 %m<9>; mov.b64 {%m1, %m2}, A; mov.b64 {%m3, %m4}, B;
 mul.lo.u32 %m5, %m1, %m1; mul.hi.u32 %m6, %m1, %m1; mad.lo.cc.u32 %m6, %m1, %m2, %m6; madc.hi.u32 %m7, %m1, %m2, 0;
 mad.lo.cc.u32 %m6, %m1, %m2, %m6; madc.hi.cc.u32 %m7, %m1, %m2, %m7; addc.u32 %m8, 0, 0;
 mad.lo.cc.u32 %m7, %m2, %m2, %m7; madc.hi.u32 %m8, %m2, %m2, %m8;
 add.cc.u32 %m5, %m5, %m3; addc.cc.u32 %m6, %m6, %m4; addc.cc.u32 %m7, %m7, 0; addc.u32 %m8, %m8, 0; ";
    let full = |a: u64, b: u64| u128::from(a) * u128::from(a) + u128::from(b);
    check(&format!("{text} mov.b64 D, {{%m5, %m6}}; }}"), 64, &[64, 64], &[v.clone(), v.clone()], |[a, b, ..]| {
        full(a, b) as u64
    });
    check(&format!("{text} mov.b64 D, {{%m7, %m8}}; }}"), 64, &[64, 64], &[v.clone(), v.clone()], |[a, b, ..]| {
        (full(a, b) >> 64) as u64
    });
    // The carry of 64 bits, signed and unsigned halves.
    for (text, half) in [
        (
            "mad.hi.cc.u64 D, A, B, C; addc.u64 D, 0, 0",
            (|a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64) as fn(u64, u64) -> u64,
        ),
        ("mad.hi.cc.s64 D, A, B, C; addc.u64 D, 0, 0", |a, b| {
            ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
        }),
        ("mad.lo.cc.s64 D, A, B, C; addc.u64 D, 0, 0", |a, b| a.wrapping_mul(b)),
    ] {
        check(text, 64, &[64; 3], &[v.clone(), v.clone(), v.clone()], |[a, b, c, _]| {
            u64::from(half(a, b).checked_add(c).is_none())
        });
    }
}
