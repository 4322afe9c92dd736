//! Models of two inputs whose interactions are planted.

use lipex_core::{
    Bilinear, BlackBox, Error, Feature, Instance, Match, Render, Result, Similarity, TwoPart, TwoTower, Watch,
};
use lipex_cpu::prelude::{Masks, Probabilities, Softmax};
use lipex_cpu::{Cpu, InteractionLime};
use std::ops::Range;

/// An instance whose inputs are the masks.
struct Bits(Vec<Feature>);

impl Bits {
    fn of(features: usize) -> Self {
        Bits((0..features).map(|j| Feature { name: format!("w{j}"), ..Feature::default() }).collect())
    }
}

impl Instance for Bits {
    fn features(&self) -> &[Feature] {
        &self.0
    }
}

impl Render<Cpu, Vec<Vec<bool>>> for Bits {
    fn render(&self, _: &Cpu, masks: &Masks, rows: Range<usize>) -> Result<Vec<Vec<bool>>> {
        Ok(rows.map(|i| (0..self.0.len()).map(|j| masks.keeps(i, j)).collect()).collect())
    }
}

/// Says g(z₁, z₂), or 1/(1 + exp(−g)) as the probability of its second class of two.
struct Planted(Bilinear);

type Rows = Vec<Vec<bool>>;

impl Planted {
    /// 8 features and 6: blocks {1, 2} × {0, 3} and {5} × {4}.
    fn new() -> Self {
        let entry = |i: usize, j: usize| match (i, j) {
            (1 | 2, 0 | 3) => 0.8,
            (5, 4) => -1.2,
            _ => 0.0,
        };
        let together = (0..8).map(|i| (0..6).map(|j| entry(i, j)).collect()).collect();
        let first = vec![0.5, 0.0, -0.4, 0.0, 0.0, 0.7, 0.0, 0.0];
        Planted(Bilinear { base: -0.6, first, second: vec![0.0, 0.3, 0.0, 0.0, 0.2, -0.5], together })
    }

    fn pair(&self) -> TwoPart<Bits, Bits> {
        let [d1, d2] = self.0.sizes();
        TwoPart::new(Bits::of(d1), Bits::of(d2))
    }
}

impl TwoTower<Rows, Rows> for Planted {
    fn first(&self, rows: &Rows, _: &Watch) -> Result<Vec<Vec<f32>>> {
        let code = |row: &Vec<bool>| {
            let mut code: Vec<f32> = row.iter().map(|&z| f32::from(u8::from(z))).collect();
            code.resize(8, 0.0);
            code
        };
        Ok(rows.iter().map(code).collect())
    }

    fn second(&self, rows: &Rows, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.first(rows, watch)
    }

    fn score(&self, first: &[f32], second: &[f32]) -> f64 {
        let keeps = |code: &[f32], size: usize| code[..size].iter().map(|z| *z > 0.5).collect::<Vec<_>>();
        let [d1, d2] = self.0.sizes();
        self.0.at(&keeps(first, d1), &keeps(second, d2))
    }
}

impl Similarity<Rows, Rows> for Planted {
    fn similarities(&self, first: &Rows, second: &Rows, _: &Watch) -> Result<Vec<f64>> {
        Ok(first.iter().zip(second).map(|(a, b)| self.0.at(a, b)).collect())
    }
}

impl BlackBox<Cpu, (Rows, Rows)> for Planted {
    fn labels(&self) -> Option<&[String]> {
        None
    }

    fn predict(&self, on: &Cpu, (first, second): &(Rows, Rows)) -> Result<Probabilities> {
        let odd = |(a, b): (&Vec<bool>, &Vec<bool>)| 1.0 / (1.0 + (-self.0.at(a, b)).exp()) as f32;
        let values: Vec<f32> = first.iter().zip(second).map(odd).flat_map(|p| [1.0 - p, p]).collect();
        Probabilities::new(on, first.len(), 2, values)
    }
}

fn far(a: &Bilinear, b: &Bilinear) -> f64 {
    let flat = |g: &Bilinear| [&[g.base][..], &g.first, &g.second, &g.together.concat()].concat();
    flat(a).iter().zip(flat(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn lime() -> InteractionLime {
    InteractionLime::default().alpha(1e-9).unwrap()
}

#[test]
fn similarities_of_towers_and_of_pairs_come_back() {
    let (on, model) = (Cpu::new(), Planted::new());
    let towers = lime().explain_towers(&on, &model.pair(), &model).unwrap();
    let joint = lime().explain_scores(&on, &model.pair(), &model).unwrap();
    for found in [&towers, &joint] {
        let g = found.bilinear(0).unwrap();
        assert!(far(&g, &model.0) < 1e-4, "{}", far(&g, &model.0));
        assert!((found.value(0).unwrap() - model.0.whole()).abs() < 1e-12);
        assert!((found.fitted(0).unwrap() - model.0.whole()).abs() < 1e-4);
        let [with, without] = found.explained.unwrap();
        assert!(with > 0.9999 && without < 0.9, "{with}, {without}");
        assert_eq!(g.partitions().len(), 2);
    }
    // 64 masks of the second part are all there are.
    assert_eq!(towers.asked.encodings, Some([120, 64]));
    assert_eq!((towers.asked.pairs, towers.asked.fresh), (80 * 64, 40 * 64));
    assert_eq!((joint.asked.encodings, joint.asked.pairs, joint.asked.fresh), (None, 4 * 9 * 7, 9 * 7));
}

/// With all masks of both parts the two designs are one; rank and code see the same.
#[test]
fn complete_designs_agree() {
    let on = Cpu::new();
    let together = vec![vec![0.0, 2.0], vec![-1.0, 0.0], vec![0.0, 0.5]];
    let model = Planted(Bilinear { base: 0.1, first: vec![0.2, 0.0, 0.3], second: vec![0.0, 0.1], together });
    let strong = InteractionLime::default().alpha(0.01).unwrap().samples(32).unwrap();
    let towers = strong.explain_towers(&on, &model.pair(), &model).unwrap();
    let joint = strong.explain_scores(&on, &model.pair(), &model).unwrap();
    assert!(towers.asked.complete && joint.asked.complete && towers.asked.fresh == 0);
    assert!(far(&towers.bilinear(0).unwrap(), &joint.bilinear(0).unwrap()) < 1e-10);
    assert!(far(&towers.bilinear(0).unwrap(), &model.0) > 1e-3); // the penalty is felt
    assert!(towers.explained.unwrap()[0] > joint.explained.unwrap()[1]);
}

/// Log-odds are bilinear; so the softmax finds them, and of a match probability by a scale and a shift as well.
#[test]
fn probabilities_come_back_as_log_odds() {
    let (on, model) = (Cpu::new(), Planted::new());
    let softmax = Softmax::default().lambda(1e-7).unwrap().tolerance(1e-9).unwrap();
    let lime = InteractionLime::default().softmax(softmax).samples(1500).unwrap();
    let found = lime.explain_classes(&on, &model.pair(), &model).unwrap();
    assert_eq!(found.classes, ["0", "1"]);
    let g = found.bilinear(1).unwrap();
    assert!(far(&g, &model.0) < 0.02, "{}", far(&g, &model.0));
    assert!((found.bilinear(0).unwrap().together[5][4] + g.together[5][4]).abs() < 1e-12);
    let odds = lime.clone().match_probability(2.0, 0.5).unwrap();
    let found = odds.explain_towers(&on, &model.pair(), &model).unwrap();
    assert_eq!(found.classes, ["match", "no match"]);
    let known = Bilinear {
        base: 2.0 * (model.0.base - 0.5),
        first: model.0.first.iter().map(|u| 2.0 * u).collect(),
        second: model.0.second.iter().map(|v| 2.0 * v).collect(),
        together: model.0.together.iter().map(|row| row.iter().map(|w| 2.0 * w).collect()).collect(),
    };
    let g = found.bilinear(0).unwrap();
    assert!(far(&g, &known) < 0.02, "{}", far(&g, &known));
    assert!((found.value(0).unwrap() - 1.0 / (1.0 + (-known.whole()).exp())).abs() < 1e-12);
    assert!(found.explained.unwrap()[0] > 0.9999);
}

#[test]
fn swapped_parts_transpose() {
    let (on, model) = (Cpu::new(), Planted::new());
    let other = Planted(model.0.swapped());
    // Masks depend on the number of features alone, so that this holds of any number of encodings.
    let small = InteractionLime::default().encodings(30).unwrap();
    let one = small.explain_towers(&on, &model.pair(), &model).unwrap().bilinear(0).unwrap();
    let swapped = small.explain_towers(&on, &other.pair(), &other).unwrap().bilinear(0).unwrap();
    assert!(far(&one.swapped(), &swapped) < 1e-12, "{}", far(&one.swapped(), &swapped));
}

/// Says the same of everything, or no number.
struct Says(f64);

impl Similarity<Rows, Rows> for Says {
    fn similarities(&self, first: &Rows, _: &Rows, _: &Watch) -> Result<Vec<f64>> {
        Ok(vec![self.0; first.len()])
    }
}

#[test]
fn what_cannot_be_explained_is_told_in_a_line() {
    let (on, model) = (Cpu::new(), Planted::new());
    let found: Match = lime().explain_scores(&on, &model.pair(), &Says(0.25)).unwrap();
    assert_eq!(found.explained, None);
    assert!((found.fitted(0).unwrap() - 0.25).abs() < 1e-6);
    let told = |error: Error| {
        let line = error.to_string();
        assert!(!line.contains('\n'), "{line}");
        line
    };
    let nan = told(lime().explain_scores(&on, &model.pair(), &Says(f64::NAN)).unwrap_err());
    assert!(nan.contains("NaN"), "{nan}");
    let wide = TwoPart::new(Bits::of(60), Bits::of(60));
    let large = told(lime().explain_scores(&on, &wide, &Says(0.0)).unwrap_err());
    assert!(large.contains("60 and 60") && large.contains("3721"), "{large}");
    let twice = lime().match_probability(1.0, 0.0).unwrap();
    assert!(told(twice.explain_classes(&on, &model.pair(), &model).unwrap_err()).contains("already"));
    assert!(lime().match_probability(0.0, 0.0).is_err() && lime().match_probability(1.0, f64::NAN).is_err());
    assert!(lime().encodings(1).is_err() && lime().samples(1).is_err() && lime().alpha(0.0).is_err());
}
