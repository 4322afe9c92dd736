//! Close to the instance a ReLU net is linear, and W is that linear map (the paper's Section 3).

use lipex::prelude::*;
use lipex::{Angle, Result};

const WORDS: [&str; 12] = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "koi", "lark"];
const TEXT: &str = "ant bee cat dog eel fox gnu hen ibis jay koi lark, bee";
const CLASSES: usize = 4;
const UNITS: usize = 10;

/// A number from −1 to 1 that looks random.
fn number(seed: usize) -> f64 {
    let z = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((z ^ (z >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// Weight of a word on a hidden unit.
fn hidden(unit: usize, word: usize) -> f64 {
    0.6 * number(100 * unit + word)
}

/// Weight of a hidden unit on a class.
fn output(class: usize, unit: usize) -> f64 {
    0.5 * number(10_000 + 100 * class + unit)
}

fn counts(text: &str) -> [f64; 12] {
    WORDS.map(|word| text.split(|c: char| !c.is_alphanumeric()).filter(|w| *w == word).count() as f64)
}

/// A hidden unit before its ReLU: for the whole text 1.85 away from 0, on alternate sides, so that no two words switch it.
fn before(unit: usize, counts: &[f64; 12]) -> f64 {
    let sum = |counts: &[f64; 12]| (0..12).map(|j| hidden(unit, j) * counts[j]).sum::<f64>();
    sum(counts) - sum(&self::counts(TEXT)) + if unit.is_multiple_of(2) { 1.85 } else { -1.85 }
}

fn logits(text: &str) -> [f64; CLASSES] {
    let counts = counts(text);
    std::array::from_fn(|c| (0..UNITS).map(|u| output(c, u) * before(u, &counts).max(0.0)).sum())
}

/// The largest difference between W and the local logit map, both centred over classes.
fn distance(within: Option<Angle>) -> Result<f64> {
    let model = TextFn::new(["a", "b", "c", "d"], |texts| texts.iter().map(|t| logits(t)).collect()).logits();
    let text = TextInstance::new(TEXT)?;
    let explanation = lipex().lambda(1e-9).selector(All).perturber(UniformSize { within }).explain(&text, &model)?;
    assert_eq!(explanation.kept().len(), WORDS.len());
    let whole = counts(TEXT);
    let mut largest: f64 = 0.0;
    for j in 0..WORDS.len() {
        let word = WORDS.iter().position(|w| *w == explanation.features[j].name).expect("a word of the text");
        let active = |u: &usize| before(*u, &whole) > 0.0;
        let slope =
            |c: usize| (0..UNITS).filter(active).map(|u| output(c, u) * hidden(u, word) * whole[word]).sum::<f64>();
        let slopes: [f64; CLASSES] = std::array::from_fn(slope);
        let mean = slopes.iter().sum::<f64>() / CLASSES as f64;
        assert!(slopes.iter().any(|s| (s - mean).abs() > 0.02), "{word} does something");
        (0..CLASSES)
            .for_each(|c| largest = largest.max((explanation.shares().matrix()[c][j] - slopes[c] + mean).abs()));
    }
    Ok(largest)
}

#[test]
fn within_a_small_angle_w_is_the_local_logit_map() {
    // 12 sin²δ = 2: one or two words are removed.
    let close = distance(Some(Angle::new((2.0f64 / 12.0).sqrt().asin()).unwrap())).unwrap();
    assert!(close < 1e-3, "{close}");
    // Further out other units are at work, so the agreement above says something.
    let far = distance(None).unwrap();
    assert!(far > 0.02, "{far}");
}
