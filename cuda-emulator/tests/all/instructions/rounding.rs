//! Directed rounding and half precision, against exact fractions (`tests/golden/rounding.py`).

use std::collections::BTreeMap;

use super::harness::apply;

#[test]
fn results_equal_exact_fractions_rounded_once() {
    let mut by_instruction: BTreeMap<&str, Vec<Vec<u64>>> = BTreeMap::new();
    for line in include_str!("../../golden/rounding.txt").lines() {
        let mut words = line.split(' ');
        let name = words.next().expect("an instruction");
        let numbers = words.map(|w| u64::from_str_radix(w, 16).expect("bits")).collect();
        by_instruction.entry(name).or_default().push(numbers);
    }
    assert!(by_instruction.len() > 60);
    for (name, lines) in by_instruction {
        let count = lines[0].len() - 1;
        let types: Vec<u32> = name.split('.').filter_map(|p| p.get(1..)?.parse().ok()).filter(|b| *b >= 16).collect();
        let (to, from) = (types[0], vec![types[types.len() - 1]; count]);
        let letters = ["A", "B", "C"][..count].join(", ");
        let rows: Vec<[u64; 4]> =
            lines.iter().map(|l| std::array::from_fn(|i| if i < count { l[i] } else { 0 })).collect();
        let got = apply(&format!("{name} D, {letters}"), to, &from, &rows, false);
        for (line, got) in lines.iter().zip(got) {
            assert_eq!(got, line[count], "{name} of {:x?}: got {got:#x}, want {:#x}", &line[..count], line[count]);
        }
    }
}

#[test]
fn pairs_of_halves_are_two_halves() {
    let halves = [0x0001u64, 0x3c00, 0xc100, 0x7bff, 0x7c00, 0xfe00, 0x8000, 0x0000, 0x2e66];
    let mut rows = Vec::new();
    for a in halves {
        for b in halves {
            rows.push([a | b << 16, b | a << 16, 0x3c00_b800, 0]);
        }
    }
    for (name, count) in
        [("add", 2), ("sub", 2), ("mul", 2), ("min", 2), ("max", 2), ("fma.rn", 3), ("neg", 1), ("abs", 1)]
    {
        let letters = ["A", "B", "C"][..count].join(", ");
        let both = apply(&format!("{name}.f16x2 D, {letters}"), 32, &vec![32; count], &rows, false);
        let single = |shift: u32| {
            let rows: Vec<[u64; 4]> = rows.iter().map(|r| r.map(|x| x >> shift & 0xffff)).collect();
            apply(&format!("{name}.f16 D, {letters}"), 16, &vec![16; count], &rows, false)
        };
        let (low, high) = (single(0), single(16));
        for i in 0..rows.len() {
            assert_eq!(both[i], low[i] | high[i] << 16, "{name} of {:x?}", rows[i]);
        }
    }
}

#[test]
fn a_pair_is_packed_from_two_singles() {
    let values = [0u64, 0x3f80_0000, 0xbf80_0001, 0x4780_0000, 0x477f_f000, 0x3380_0001, 0x7fc0_0000, 0xff80_0000];
    for mode in ["rn", "rz"] {
        let rows: Vec<[u64; 4]> = values.iter().flat_map(|&a| values.iter().map(move |&b| [a, b, 0, 0])).collect();
        let both = apply(&format!("cvt.{mode}.f16x2.f32 D, A, B"), 32, &[32, 32], &rows, false);
        let one = |i: usize| {
            let rows: Vec<[u64; 4]> = rows.iter().map(|r| [r[i], 0, 0, 0]).collect();
            apply(&format!("cvt.{mode}.f16.f32 D, A"), 16, &[32], &rows, false)
        };
        let (upper, lower) = (one(0), one(1));
        for i in 0..rows.len() {
            assert_eq!(both[i], upper[i] << 16 | lower[i], "{mode} {:x?}", rows[i]);
        }
    }
}
