//! The tree against scikit-learn's, on numbers that both draw alike.

use lipex_core::{
    Criterion, Fitted, Leaf, Masks, Neighbourhood, Probabilities, Problem, Requery, Result, Selection, Surrogate, Tree,
    TreeSurrogate, Weights,
};
use lipex_cpu::Cpu;
use serde::Deserialize;

/// As `golden/tree.py` writes it.
#[derive(Deserialize)]
struct Case {
    features: usize,
    rows: usize,
    classes: usize,
    seed: u64,
    depth: usize,
    min_weight: f64,
    leaf_of: Vec<usize>,
    values: Vec<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../golden/tree.json")).unwrap()
}

/// A linear congruential generator, of which the upper half is used.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }
}

fn neighbourhood(case: &Case) -> Neighbourhood<Cpu> {
    let (on, n, d, c) = (Cpu::new(), case.rows, case.features, case.classes);
    let mut numbers = Numbers(case.seed);
    let words = d.div_ceil(32);
    let mut bits = vec![0u32; n * words];
    for i in 0..n {
        for j in 0..d {
            let keep = i == 0 || numbers.next() & 1 == 1;
            bits[i * words + j / 32] |= u32::from(keep) << (j % 32);
        }
    }
    let masks = Masks::new(&on, n, d, bits).unwrap();
    let mut p = Vec::new();
    for i in 0..n {
        let kept = |k: usize| (k..3 * c).step_by(c).filter(|&j| masks.keeps(i, j)).count() as u64;
        let s: Vec<u64> = (0..c).map(|k| numbers.next() + (kept(k) << 32)).collect();
        let sum: u64 = s.iter().sum();
        p.extend(s.iter().map(|&s| (s as f64 / sum as f64) as f32));
    }
    let weights = (0..n).map(|_| ((numbers.next() >> 8) + 1) as f32 / (1 << 24) as f32).collect();
    let p = Probabilities::new(&on, n, c, p).unwrap();
    Neighbourhood::new(&on, masks, p, Weights::new(weights)).unwrap()
}

fn all(around: &Neighbourhood<Cpu>) -> Selection {
    Selection::shared(around.probabilities.classes(), (0..around.masks.features()).collect())
}

fn fit(settings: TreeSurrogate, problem: Problem<'_, Cpu>) -> Fitted {
    settings.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

fn grown(settings: TreeSurrogate, around: &Neighbourhood<Cpu>) -> Tree {
    fit(settings, Problem::new(around, &all(around))).answer.tree().unwrap().clone()
}

fn depth(depth: usize) -> TreeSurrogate {
    TreeSurrogate::default().max_depth(depth).unwrap()
}

/// Which features row `i` keeps.
fn keeps(around: &Neighbourhood<Cpu>, i: usize) -> Vec<bool> {
    (0..around.masks.features()).map(|j| around.masks.keeps(i, j)).collect()
}

#[test]
fn predictions_are_those_of_scikit_learn() {
    for case in cases() {
        let around = neighbourhood(&case);
        let tree = grown(depth(case.depth).min_weight(case.min_weight).unwrap(), &around);
        let mut error: f64 = 0.0;
        for i in 0..case.rows {
            let ours = tree.predict(&keeps(&around, i)).unwrap();
            let theirs = &case.values[case.leaf_of[i]];
            error = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(error, f64::max);
        }
        println!("D = {}, depth {}: {} leaves, {error:.1e} apart", case.features, case.depth, tree.leaves().len());
        assert!(error < 1e-12, "D = {}, depth {}: {error:.1e}", case.features, case.depth);
        assert_eq!(tree.leaves().len(), case.values.len());
        if case.min_weight > 0.0 {
            let total: f64 = around.weights.values().iter().map(|&w| f64::from(w)).sum();
            let least = tree.nodes().iter().map(|node| node.weight).fold(f64::INFINITY, f64::min);
            assert!(least >= case.min_weight * total);
        }
    }
}

/// All masks of four features, weighed exp(−c²/(2·.25²)) with c the cosine distance, and a softmax with a pair.
fn game() -> Neighbourhood<Cpu> {
    let on = Cpu::new();
    let bits: Vec<u32> = (0..16).rev().collect();
    let mut p = Vec::new();
    for &mask in &bits {
        let z = |j: u32| f64::from(mask >> j & 1);
        let logits = [2.0 * z(0) + z(1) * z(2), 1.5 * z(3) - 0.5 * z(0), 0.3 * z(1) - z(2)];
        let sum: f64 = logits.iter().map(|l| l.exp()).sum();
        p.extend(logits.iter().map(|l| (l.exp() / sum) as f32));
    }
    let cosine = |mask: &u32| 1.0 - (f64::from(mask.count_ones()) / 4.0).sqrt();
    let weights = bits.iter().map(|mask| (-cosine(mask).powi(2) / (2.0 * 0.0625)).exp() as f32).collect();
    let masks = Masks::new(&on, 16, 4, bits).unwrap();
    Neighbourhood::new(&on, masks, Probabilities::new(&on, 16, 3, p).unwrap(), Weights::new(weights)).unwrap()
}

#[test]
fn a_small_game_has_a_known_answer() {
    let around = game();
    let both = all(&around);
    let whole = [
        [0.789755, 0.147449, 0.062796],
        [0.731362, 0.207105, 0.061533],
        [0.789318, 0.182961, 0.027721],
        [0.862025, 0.116662, 0.021312],
    ];
    let objectives = [0.01955497, 0.00764753, 0.00338850, 0.0];
    for (levels, (objective, whole)) in objectives.into_iter().zip(whole).enumerate() {
        let fitted = fit(depth(levels + 1), Problem::new(&around, &both));
        let tree = fitted.answer.tree().unwrap();
        let root = tree.nodes()[0].branch.unwrap();
        assert_eq!((root.feature, tree.depth()), (0, levels + 1));
        assert!((root.gain - 0.69150468).abs() < 1e-7, "{}", root.gain);
        assert!((fitted.report.objective - objective).abs() < 2e-8, "{levels}: {}", fitted.report.objective);
        let at_whole = fitted.predict(&[true; 4]).unwrap();
        at_whole.iter().zip(whole).for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{levels}: {a} {b}"));
    }
}

#[test]
fn with_every_mask_and_all_levels_it_is_the_model() {
    let around = game();
    for criterion in [Criterion::Squared, Criterion::Hellinger] {
        let tree = grown(depth(4).criterion(criterion), &around);
        for i in 0..16 {
            let q = tree.predict(&keeps(&around, i)).unwrap();
            q.iter().zip(around.probabilities.row(i)).for_each(|(q, &p)| assert!((q - f64::from(p)).abs() < 1e-7));
        }
    }
}

/// Hellinger's leaves from their definition.
#[test]
fn leaves_of_hellinger_are_means_of_roots_squared() {
    let around = game();
    let tree = grown(depth(2).criterion(Criterion::Hellinger), &around);
    for leaf in tree.leaves() {
        let rows = (0..16).filter(|&i| leaf.path.iter().all(|&(j, on)| around.masks.keeps(i, j) == on));
        let mut roots = [0.0; 3];
        for i in rows {
            let w = f64::from(around.weights.values()[i]);
            roots.iter_mut().zip(around.probabilities.row(i)).for_each(|(r, &p)| *r += w * f64::from(p).sqrt());
        }
        let sum: f64 = roots.iter().map(|r| r * r).sum();
        let value = &tree.nodes()[leaf.node].value;
        value.iter().zip(roots).for_each(|(v, r)| assert!((v - r * r / sum).abs() < 1e-12));
        assert!((value.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    // Another criterion, another tree: the leaf at the whole differs.
    let squared = grown(depth(2), &around);
    assert!((squared.nodes()[squared.whole()].value[0] - tree.nodes()[tree.whole()].value[0]).abs() > 1e-3);
}

#[test]
fn features_that_split_alike_tie_to_the_lowest() {
    let on = Cpu::new();
    // Feature 2 is feature 1, and feature 0 its opposite but for the instance, which weighs nothing.
    let masks = Masks::new(&on, 5, 3, vec![0b111, 0b110, 0b001, 0b110, 0b001]).unwrap();
    let p = vec![0.5, 0.5, 0.9, 0.1, 0.2, 0.8, 0.7, 0.3, 0.3, 0.7];
    let p = Probabilities::new(&on, 5, 2, p).unwrap();
    let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![0.0, 1.0, 0.5, 0.25, 1.0])).unwrap();
    let tree = grown(depth(4), &around);
    assert_eq!(tree.nodes()[0].branch.unwrap().feature, 0);
    // The rows on each side are equal masks: nothing is left to ask.
    assert_eq!((tree.depth(), tree.nodes()[0].rows), (1, 4));
    let of = |features: Vec<usize>| {
        let selection = Selection::shared(2, features);
        fit(depth(4), Problem::new(&around, &selection)).answer.tree().unwrap().nodes()[0].branch.unwrap().feature
    };
    assert_eq!((of(vec![1, 2]), of(vec![2])), (1, 2));
}

#[test]
fn a_row_counts_as_often_as_it_is_said_to() {
    let around = game();
    let both = all(&around);
    let times: Vec<u32> = (0..16).map(|i| [1, 0, 2, 3][i % 4]).collect();
    let counted = fit(depth(3), Problem { multiplicities: Some(&times), ..Problem::new(&around, &both) });
    let weights = around.weights.values().iter().zip(&times).map(|(w, &t)| w * t as f32).collect();
    let (on, masks) = (Cpu::new(), around.masks.bits().to_vec());
    let p = Probabilities::new(&on, 16, 3, around.probabilities.values().to_vec()).unwrap();
    let masks = Masks::new(&on, 16, 4, masks).unwrap();
    let weighed = grown(depth(3), &Neighbourhood::new(&on, masks, p, Weights::new(weights)).unwrap());
    assert!(weighed.nodes()[0].rows == 12 && weighed.nodes().len() > 7);
    let counted = counted.answer.tree().unwrap();
    for (a, b) in counted.nodes().iter().zip(weighed.nodes()) {
        assert_eq!((a.rows, a.branch.map(|b| b.feature)), (b.rows, b.branch.map(|b| b.feature)));
        a.value.iter().zip(&b.value).for_each(|(a, b)| assert!((a - b).abs() < 1e-6));
    }
}

/// Answers by the rows of a neighbourhood that has them all.
struct Rows<'a>(&'a Neighbourhood<Cpu>);

impl Requery for Rows<'_> {
    fn ask(&self, bits: &[u32]) -> Result<Vec<f64>> {
        let row = |mask: &u32| (0..16).find(|&i| self.0.masks.row(i)[0] == *mask).unwrap();
        Ok(bits.iter().flat_map(|mask| self.0.probabilities.row(row(mask)).iter().map(|&p| f64::from(p))).collect())
    }
}

#[test]
fn asked_leaves_answer_as_the_model_does() {
    let (around, on) = (game(), Cpu::new());
    let both = all(&around);
    let settings = depth(2).leaf(Leaf::Asked);
    let exact = |tree: &Tree| {
        for leaf in tree.leaves() {
            let keeps: Vec<bool> = (0..4).map(|j| !leaf.removed().contains(&j)).collect();
            let mask = (0..4).map(|j| u32::from(keeps[j]) << j).sum::<u32>();
            let row = Rows(&around).ask(&[mask]).unwrap();
            assert_eq!(tree.predict(&keeps).unwrap(), row);
        }
    };
    // Every mask was drawn: no call.
    let tree = grown(settings, &around);
    assert_eq!((tree.leaf(), tree.leaves().len()), (Leaf::Asked, 4));
    exact(&tree);
    // Without the masks that lack feature 0 and nothing else, or 0 and another, the model is asked for them.
    let rows: Vec<u32> = (0..16).filter(|&i| around.masks.count(i as usize) != 3 || i == 0).collect();
    let bits = rows.iter().map(|&i| around.masks.row(i as usize)[0]).collect();
    let masks = Masks::new(&on, rows.len(), 4, bits).unwrap();
    let p = around.probabilities.gather(&on, &rows).unwrap();
    let weights = rows.iter().map(|&i| around.weights.values()[i as usize]).collect();
    let part = Neighbourhood::new(&on, masks, p, Weights::new(weights)).unwrap();
    let refused = settings.fit(&on, &[Problem::new(&part, &both)]).unwrap_err().to_string();
    assert!(refused.starts_with("leaf = asked: the model is to be asked"), "{refused}");
    let model = Rows(&around);
    let asked = fit(settings, Problem { requery: Some(&model), ..Problem::new(&part, &both) });
    exact(asked.answer.tree().unwrap());
}

#[test]
fn a_feature_that_never_varies_is_never_asked_about() {
    let on = Cpu::new();
    // Feature 1 is always there; weights lie 20 orders apart.
    let masks = Masks::new(&on, 3, 3, vec![0b111, 0b011, 0b110]).unwrap();
    let p = Probabilities::new(&on, 3, 2, vec![0.3, 0.7, 0.6, 0.4, 0.1, 0.9]).unwrap();
    let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0, 1e-20, 1e-3])).unwrap();
    let tree = grown(depth(3), &around);
    let asked: Vec<usize> = tree.nodes().iter().filter_map(|node| Some(node.branch?.feature)).collect();
    assert_eq!(asked, [0]);
}
