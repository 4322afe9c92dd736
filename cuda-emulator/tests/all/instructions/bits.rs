//! Logic, shifts, fields, permutations, bit by bit.

use super::harness::{check, integers};

fn mask(bits: u32) -> u64 {
    if bits == 64 { u64::MAX } else { (1 << bits) - 1 }
}

#[test]
fn logic() {
    for bits in [16, 32, 64] {
        let v = integers(bits);
        let two = |name: &str, f: fn(u64, u64) -> u64| {
            check(&format!("{name}.b{bits} D, A, B"), bits, &[bits, bits], &[v.clone(), v.clone()], |[a, b, ..]| {
                f(a, b)
            });
        };
        two("and", |a, b| a & b);
        two("or", |a, b| a | b);
        two("xor", |a, b| a ^ b);
        check(&format!("not.b{bits} D, A"), bits, &[bits], &[v.clone()], |[a, ..]| !a & mask(bits));
        check(&format!("cnot.b{bits} D, A"), bits, &[bits], &[v.clone()], |[a, ..]| u64::from(a == 0));
    }
    let truth = vec![0, 1];
    let both = [truth.clone(), truth.clone()];
    check("and.pred D, A, B", 1, &[1, 1], &both, |[a, b, ..]| a & b);
    check("or.pred D, A, B", 1, &[1, 1], &both, |[a, b, ..]| a | b);
    check("xor.pred D, A, B", 1, &[1, 1], &both, |[a, b, ..]| a ^ b);
    check("not.pred D, A", 1, &[1, 1], &both, |[a, ..]| 1 - a);
}

#[test]
fn shifts_clamp_their_amount() {
    let amounts = vec![0, 1, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 0x8000_0000, 0xffff_ffff];
    for bits in [16u32, 32, 64] {
        let v = integers(bits);
        let left = |a: u64, n: u64| if n >= u64::from(bits) { 0 } else { a << n & mask(bits) };
        let right = |a: u64, n: u64| if n >= u64::from(bits) { 0 } else { a >> n };
        let arithmetic = |a: u64, n: u64| {
            let sign = a >> (bits - 1) == 1;
            let n = n.min(u64::from(bits));
            let filled = if sign { mask(bits) & !(mask(bits).checked_shr(n as u32).unwrap_or(0)) } else { 0 };
            right(a, n) | filled
        };
        let two = |name: String, f: &dyn Fn(u64, u64) -> u64| {
            check(&format!("{name} D, A, B"), bits, &[bits, 32], &[v.clone(), amounts.clone()], |[a, n, ..]| f(a, n));
        };
        two(format!("shl.b{bits}"), &left);
        two(format!("shr.u{bits}"), &right);
        two(format!("shr.b{bits}"), &right);
        two(format!("shr.s{bits}"), &arithmetic);
    }
    let v = integers(32);
    let funnel = |name: &str, f: &dyn Fn(u64, u64) -> u64| {
        let text = format!("shf.{name}.b32 D, A, B, C");
        check(&text, 32, &[32; 3], &[v.clone(), v.clone(), amounts.clone()], |[a, b, n, _]| {
            f(b << 32 | a, n) & mask(32)
        });
    };
    funnel("l.wrap", &|x, n| x << (n % 32) >> 32);
    funnel("l.clamp", &|x, n| if n >= 32 { x } else { x << n >> 32 });
    funnel("r.wrap", &|x, n| x >> (n % 32));
    funnel("r.clamp", &|x, n| x >> n.min(32));
}

fn bit(x: u64, i: u32) -> u64 {
    x >> i & 1
}

#[test]
fn counting() {
    for bits in [32u32, 64] {
        let v = integers(bits);
        let one = |name: String, to: u32, f: &dyn Fn(u64) -> u64| {
            check(&format!("{name} D, A"), to, &[bits], &[v.clone()], |[a, ..]| f(a));
        };
        let highest = |x: u64| (0..bits).rev().find(|&i| bit(x, i) == 1);
        let flip = |x: u64| if bit(x, bits - 1) == 1 { !x & mask(bits) } else { x };
        let or_none = |x: Option<u32>| x.map_or(0xffff_ffff, u64::from);
        one(format!("popc.b{bits}"), 32, &|a| (0..bits).map(|i| bit(a, i)).sum());
        one(format!("clz.b{bits}"), 32, &|a| u64::from(highest(a).map_or(bits, |h| bits - 1 - h)));
        one(format!("brev.b{bits}"), bits, &|a| (0..bits).map(|i| bit(a, i) << (bits - 1 - i)).sum());
        one(format!("bfind.u{bits}"), 32, &|a| or_none(highest(a)));
        one(format!("bfind.s{bits}"), 32, &|a| or_none(highest(flip(a))));
        one(format!("bfind.shiftamt.u{bits}"), 32, &|a| or_none(highest(a).map(|h| bits - 1 - h)));
        one(format!("bfind.shiftamt.s{bits}"), 32, &|a| or_none(highest(flip(a)).map(|h| bits - 1 - h)));
    }
}

#[test]
fn fields() {
    let places = vec![0, 1, 4, 8, 16, 30, 31, 32, 33, 62, 63, 64, 100, 255, 256, 257];
    for bits in [32u32, 64] {
        let v = integers(bits);
        for signed in [false, true] {
            // As PTX's own pseudo-code has it.
            let extract = |a: u64, b: u64, c: u64| {
                let (position, length) = ((b & 255) as u32, (c & 255) as u32);
                let top = bits - 1;
                let sign = if !signed || length == 0 { 0 } else { bit(a, (position + length - 1).min(top)) };
                (0..bits)
                    .map(|i| if i < length && position + i <= top { bit(a, position + i) << i } else { sign << i })
                    .fold(0, |x, y| x | y)
            };
            let name = format!("bfe.{}{bits} D, A, B, C", if signed { 's' } else { 'u' });
            check(&name, bits, &[bits, 32, 32], &[v.clone(), places.clone(), places.clone()], |[a, b, c, _]| {
                extract(a, b, c)
            });
        }
        let few: Vec<u64> = v.iter().copied().step_by(3).collect();
        let name = format!("bfi.b{bits} D, A, B, C, E");
        check(
            &name,
            bits,
            &[bits, bits, 32, 32],
            &[few.clone(), few, places.clone(), places.clone()],
            |[a, b, c, d]| {
                let (position, length) = ((c & 255) as u32, (d & 255) as u32);
                (0..length)
                    .filter(|i| position + i < bits)
                    .fold(b, |x, i| x & !(1 << (position + i)) | bit(a, i) << (position + i))
            },
        );
    }
}

#[test]
fn permutations() {
    let v = vec![0x0123_4567, 0x89ab_cdef, 0x80ff_007f, 0];
    let selectors = vec![0x3210, 0x7654, 0x0123, 0x5410, 0xba98, 0xfedc, 0x8888, 0xffff_3210];
    check("prmt.b32 D, A, B, C", 32, &[32; 3], &[v.clone(), v.clone(), selectors], |[a, b, c, _]| {
        let all = b << 32 | a;
        (0..4).fold(0, |x, i| {
            let n = c >> (4 * i) & 15;
            let byte = all >> (8 * (n & 7)) & 255;
            x | (if n & 8 == 0 {
                byte
            } else if byte & 128 != 0 {
                255
            } else {
                0
            }) << (8 * i)
        })
    });
    for table in [0u64, 0x80, 0x96, 0xca, 0xe8, 0xf0, 0x1b, 0xff] {
        check(
            &format!("lop3.b32 D, A, B, C, {table}"),
            32,
            &[32; 3],
            &[v.clone(), v.clone(), v.clone()],
            |[a, b, c, _]| {
                (0..32).fold(0, |x, i| x | (table >> (bit(a, i) << 2 | bit(b, i) << 1 | bit(c, i)) & 1) << i)
            },
        );
    }
}
