use super::*;
use crate::lanes::{padded_f32, padded_f64};

fn masks(rows: usize, features: usize) -> Masks<Cpu> {
    let words = features.div_ceil(32);
    let keep = |i: usize, j: usize| (i * 7 + j * j * 3 + i * j) % 5 < 3;
    let mut bits = vec![0u32; rows * words];
    for i in 0..rows {
        (0..features).filter(|&j| keep(i, j)).for_each(|j| bits[i * words + j / 32] |= 1 << (j % 32));
    }
    Masks::new(&Cpu::new(), rows, features, bits).unwrap()
}

#[test]
fn codes_are_the_masks_bits() {
    for features in [1, 3, 4, 5, 31, 32, 33, 70] {
        let masks = masks(9, features);
        let all: Vec<usize> = (0..features).collect();
        let odd: Vec<usize> = (0..features).filter(|j| j % 2 == 1).collect();
        for kept in [all.clone(), all[..features.div_ceil(2)].to_vec(), odd] {
            for intercept in [false, true] {
                let design = Design::new(&masks, Columns::kept(&kept, intercept));
                for i in 0..9 {
                    let bit = |column: usize| design.row(i)[column / GROUP] >> (column % GROUP) & 1 == 1;
                    assert!(kept.iter().enumerate().all(|(at, &j)| bit(at) == masks.keeps(i, j)));
                    assert!((kept.len()..design.groups() * GROUP).all(|c| bit(c) == (intercept && c == kept.len())));
                }
            }
        }
    }
}

#[test]
fn removed_features_and_pairs_of_them_are_columns() {
    let masks = masks(70, 37);
    let (kept, pairs) = ([0, 5, 31, 32, 36], [[0, 5], [5, 36], [31, 32]]);
    for ones in [false, true] {
        let design = Design::new(&masks, Columns::removed(&kept, ones, &pairs));
        assert_eq!(design.columns(), 8 + usize::from(ones));
        for i in 0..70 {
            let removed = |j: usize| !masks.keeps(i, j);
            let singles = kept.iter().map(|&j| removed(j)).chain(ones.then_some(true));
            let bits: Vec<bool> = singles.chain(pairs.iter().map(|&[a, b]| removed(a) && removed(b))).collect();
            let bit = |column: usize| design.row(i)[column / GROUP] >> (column % GROUP) & 1 == 1;
            assert!((0..design.groups() * GROUP).all(|c| bit(c) == bits.get(c).copied().unwrap_or(false)), "{i}");
        }
        assert!((0..70).any(|i| !masks.keeps(i, 5) && !masks.keeps(i, 36)));
    }
}

#[test]
fn products_equal_sums() {
    let masks = masks(40, 37);
    let design = Design::new(&masks, Columns::kept(&(0..37).collect::<Vec<_>>(), true));
    let rows: Vec<u32> = (0..40).filter(|i| i % 3 != 1).collect();
    for classes in [1, 5, 8, 9, 24, 70] {
        let width = padded_f64(classes).max(padded_f32(classes));
        let x: Vec<f32> = (0..38 * width).map(|e| (e % 11) as f32 - 4.0).collect();
        let answers = product(&design, &rows, &x, width);
        for (r, &i) in rows.iter().enumerate() {
            for c in 0..classes {
                let kept = |j: &usize| *j == 37 || masks.keeps(i as usize, *j);
                let sum: f32 = (0..38).filter(kept).map(|j| x[j * width + c]).sum();
                assert_eq!(answers[r * width + c], sum);
            }
        }
    }
}

#[test]
fn transposed_products_equal_sums() {
    let masks = masks(40, 37);
    let kept: Vec<usize> = (0..37).collect();
    let design = Design::new(&masks, Columns::kept(&kept, true));
    let rows: Vec<u32> = (0..40).filter(|i| i % 3 != 1).collect();
    for classes in [1, 5, 8, 9, 16, 17, 70] {
        let width = padded_f64(classes).max(padded_f32(classes));
        let y: Vec<f64> = (0..rows.len() * width).map(|e| (e % 11) as f64 - 4.0).collect();
        let by_column = ByColumn::new(&design, &rows);
        let sums = transposed(&by_column, &y, width);
        let single: Vec<f32> = y.iter().map(|&v| v as f32).collect();
        let single = transposed(&by_column, &single, width);
        for column in 0..38 {
            for c in 0..classes {
                let kept = |i: u32| column == 37 || masks.keeps(i as usize, column);
                let terms = rows.iter().enumerate().filter(|(_, i)| kept(**i)).map(|(r, _)| y[r * width + c]);
                let sum: f64 = terms.sum();
                assert_eq!(sums[column * width + c], sum);
                assert_eq!(f64::from(single[column * width + c]), sum);
            }
        }
    }
}
