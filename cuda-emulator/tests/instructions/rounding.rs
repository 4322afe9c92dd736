//! Directed rounding and half precision, against exact fractions (`tests/golden/rounding.py`).

use std::collections::BTreeMap;

use super::harness::apply;

#[test]
fn results_equal_exact_fractions_rounded_once() {
    let mut by_instruction: BTreeMap<&str, Vec<Vec<u64>>> = BTreeMap::new();
    for line in include_str!("../golden/rounding.txt").lines() {
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
