//! Conversions and moves.

use super::harness::{check, d, double, doubles, f, integers, single, singles};

fn signed(x: u64, bits: u32) -> i128 {
    i128::from((x << (64 - bits)) as i64 >> (64 - bits))
}

#[test]
fn between_integers() {
    let types = [("u", 16u32), ("s", 16), ("u", 32), ("s", 32), ("u", 64), ("s", 64)];
    for (from_sign, from) in types {
        let value = |x: u64| if from_sign == "s" { signed(x, from) } else { i128::from(x) };
        for (to_sign, to) in types {
            let mask = if to == 64 { u64::MAX } else { (1 << to) - 1 };
            let text = format!("cvt.{to_sign}{to}.{from_sign}{from} D, A");
            check(&text, to, &[from], &[integers(from)], |[a, ..]| value(a) as u64 & mask);
            let (least, most) =
                if to_sign == "s" { (-(1i128 << (to - 1)), (1i128 << (to - 1)) - 1) } else { (0, i128::from(mask)) };
            let text = format!("cvt.sat.{to_sign}{to}.{from_sign}{from} D, A");
            check(&text, to, &[from], &[integers(from)], |[a, ..]| value(a).clamp(least, most) as u64 & mask);
        }
    }
    // Bytes have no registers of their own: the value is extended to the register's width.
    check("cvt.s32.s8 D, A", 32, &[32], &[integers(32)], |[a, ..]| signed(a, 8) as u64 & 0xffff_ffff);
    check("cvt.u32.u8 D, A", 32, &[32], &[integers(32)], |[a, ..]| a & 255);
    check("cvt.s8.s32 D, A", 32, &[32], &[integers(32)], |[a, ..]| signed(a, 8) as u64 & 0xffff_ffff);
    check("cvt.u8.u32 D, A", 16, &[32], &[integers(32)], |[a, ..]| a & 255);
    check("cvt.sat.u8.s32 D, A", 16, &[32], &[integers(32)], |[a, ..]| signed(a, 32).clamp(0, 255) as u64);
}

#[test]
fn integers_to_floats() {
    check("cvt.rn.f32.s32 D, A", 32, &[32], &[integers(32)], |[a, ..]| single(a as u32 as i32 as f32));
    check("cvt.rn.f32.u32 D, A", 32, &[32], &[integers(32)], |[a, ..]| single(a as f32));
    check("cvt.rn.f32.s64 D, A", 32, &[64], &[integers(64)], |[a, ..]| single(a as i64 as f32));
    check("cvt.rn.f32.u64 D, A", 32, &[64], &[integers(64)], |[a, ..]| single(a as f32));
    check("cvt.rn.f64.s32 D, A", 64, &[32], &[integers(32)], |[a, ..]| double(a as u32 as i32 as f64));
    check("cvt.rn.f64.u64 D, A", 64, &[64], &[integers(64)], |[a, ..]| double(a as f64));
    check("cvt.rn.f32.s16 D, A", 32, &[16], &[integers(16)], |[a, ..]| single(a as u16 as i16 as f32));
    check("cvt.rn.f32.u8 D, A", 32, &[32], &[integers(32)], |[a, ..]| single((a & 255) as f32));
}

#[test]
fn floats_to_integers() {
    let modes: [(&str, fn(f64) -> f64); 4] =
        [("rni", f64::round_ties_even), ("rzi", f64::trunc), ("rmi", f64::floor), ("rpi", f64::ceil)];
    for (mode, whole) in modes {
        let v =
            [singles().into_iter().chain((-9..9).map(|i| u64::from((i as f32 / 2.0).to_bits()))).collect::<Vec<_>>()];
        let at = |x: u64| whole(f64::from(f(x)));
        check(&format!("cvt.{mode}.s32.f32 D, A"), 32, &[32], &v, |[a, ..]| u64::from(at(a) as i32 as u32));
        check(&format!("cvt.{mode}.u32.f32 D, A"), 32, &[32], &v, |[a, ..]| u64::from(at(a) as u32));
        check(&format!("cvt.{mode}.s16.f32 D, A"), 16, &[32], &v, |[a, ..]| u64::from(at(a) as i16 as u16));
        check(&format!("cvt.{mode}.u8.f32 D, A"), 16, &[32], &v, |[a, ..]| u64::from(at(a) as u8));
        // With 64 bits on either side a NaN becomes the top bit alone.
        let or_top = |x: f64, nan: u64, y: u64| if x.is_nan() { nan } else { y };
        check(&format!("cvt.{mode}.s64.f32 D, A"), 64, &[32], &v, |[a, ..]| {
            or_top(at(a), 1 << 63, at(a) as i64 as u64)
        });
        check(&format!("cvt.{mode}.u64.f32 D, A"), 64, &[32], &v, |[a, ..]| or_top(at(a), 1 << 63, at(a) as u64));
        let w = [doubles()];
        let at = |x: u64| whole(d(x));
        check(&format!("cvt.{mode}.s32.f64 D, A"), 32, &[64], &w, |[a, ..]| {
            or_top(at(a), 1 << 31, u64::from(at(a) as i32 as u32))
        });
        check(&format!("cvt.{mode}.f64.f64 D, A"), 64, &[64], &w, |[a, ..]| double(at(a)));
        check(&format!("cvt.{mode}.f32.f32 D, A"), 32, &[32], &v, |[a, ..]| single(whole(f64::from(f(a))) as f32));
    }
}

#[test]
fn between_floats() {
    check("cvt.f64.f32 D, A", 64, &[32], &[singles()], |[a, ..]| double(f64::from(f(a))));
    check("cvt.rn.f32.f64 D, A", 32, &[64], &[doubles()], |[a, ..]| single(d(a) as f32));
    check("cvt.sat.f32.f32 D, A", 32, &[32], &[singles()], |[a, ..]| {
        single(if f(a) > 0.0 { f(a).min(1.0) } else { 0.0 })
    });
    check("cvt.ftz.f64.f32 D, A", 64, &[32], &[singles()], |[a, ..]| {
        double(f64::from(if f(a).is_subnormal() { 0.0f32.copysign(f(a)) } else { f(a) }))
    });
    // Every half there is.
    let halves: Vec<u64> = (0..=0xffff).collect();
    check("cvt.f32.f16 D, A", 32, &[16], &[halves.clone()], |[a, ..]| {
        let (sign, exponent, fraction) = (a >> 15, (a >> 10 & 31) as i32, (a & 0x3ff) as f64);
        let magnitude = match exponent {
            0 => fraction * 2f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
        };
        single(if sign == 1 { -magnitude } else { magnitude } as f32)
    });
    check("cvt.f32.f16 %i5, A; cvt.rn.f16.f32 D, %i5", 16, &[16], &[halves], |[a, ..]| {
        if a & 0x7fff > 0x7c00 { 0x7fff } else { a }
    });
}

#[test]
fn moves_split_and_join() {
    let (v, w) = (integers(32), integers(64));
    check("mov.b64 D, {A, B}", 64, &[32, 32], &[v.clone(), v.clone()], |[a, b, ..]| b << 32 | a);
    check("mov.b64 {D, %i5}, A", 32, &[64], &[w.clone()], |[a, ..]| a & 0xffff_ffff);
    check("mov.b64 {%i5, D}, A", 32, &[64], &[w.clone()], |[a, ..]| a >> 32);
    check("mov.b32 D, {A, B}", 32, &[16, 16], &[integers(16), integers(16)], |[a, b, ..]| b << 16 | a);
    check("mov.b32 {D, _}, A", 16, &[32], &[v.clone()], |[a, ..]| a & 0xffff);
    check("mov.b32 {_, D}, A", 16, &[32], &[v.clone()], |[a, ..]| a >> 16);
    check("mov.f32 D, 0f3F800000; add.f32 D, D, 0fBF800000; add.u32 D, D, A", 32, &[32], &[v.clone()], |[a, ..]| a);
    check("mov.f64 D, 0d3FF0000000000000; add.u64 D, D, A", 64, &[64], &[w], |[a, ..]| a.wrapping_add(1f64.to_bits()));
    check("mov.f32 D, 1.5; xor.b32 D, D, A", 32, &[32], &[v], |[a, ..]| a ^ u64::from(1.5f32.to_bits()));
}
