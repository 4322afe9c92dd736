//! Fit: the tree, LIMEtree's surrogate.
//!
//! A node sums w·P and w over the rows that keep each feature, and over those that lack it; the split whose means lie
//! furthest apart wins. Both sums are look-ups on the bits (design.rs), so that neither is the small difference of two large ones.
//!
//! # Shapes
//! Targets: T numbers a row, P or √P, of independent labels √P and √(1 − P). A row of sums has them, then Σ w.
//!
//! # Cost
//! ½ N·F·(T + 1) additions a level, as look-ups of four rows.
//!
//! # Numerics
//! In f64. A side without a row sums to 0 exactly, so a feature that does not vary in a node never splits it. Equal rows
//! give equal sums to the bit: features that split a node alike tie, and the lowest wins.
//!
//! # Source
//! Sokol and Flach, LIMEtree (2020); the criterion is that of CART for several outputs. Equal to scikit-learn's
//! `DecisionTreeRegressor` within 10⁻¹².

use crate::Cpu;
use crate::design::{ByColumn, Columns, Design, transposed_by_parts};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::Rows;
use lipex_core::{
    Backend, Branch, Criterion, Error, FitReport, Fitted, Leaf, Problem, Result, Surrogate, Tree, TreeLeaf, TreeNode,
    TreeSurrogate, Watch, whole_mask,
};

/// What a split must gain at least, as a share of the weight of all rows.
const LEAST_GAIN: f64 = 1e-14;

impl Surrogate<Cpu> for TreeSurrogate {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        problems.iter().try_for_each(Problem::check)?;
        let grown = on.map(problems.len(), |i| grow(on.watch(), self, &problems[i]))?;
        // One after the other: the black box is asked from here.
        let answered = problems.iter().zip(grown).map(|(problem, tree)| {
            let tree = if self.leaf_in_use() == Leaf::Asked { asked(tree, problem)? } else { tree };
            Ok(Fitted::new(tree.clone(), report(self, problem, &tree)?))
        });
        answered.collect()
    }

    fn requeries(&self) -> bool {
        self.leaf_in_use() == Leaf::Asked
    }

    fn takes_labels(&self) -> bool {
        true
    }
}

/// The tree of one problem, with leaves of means.
fn grow(watch: &Watch, settings: &TreeSurrogate, problem: &Problem<'_, Cpu>) -> Result<Tree> {
    let rows = Rows::new(problem.around, problem.multiplicities);
    if rows.index.is_empty() {
        return Err(Error::shape("rows of weight above 0 (at least)", 1, 0));
    }
    let kept = &problem.selection.kept;
    let mut grower = Grower::new(watch, settings, &rows, kept);
    grower.node((0..rows.index.len() as u32).collect(), 0)?;
    Tree::new(kept.clone(), grower.nodes, Leaf::Mean)
}

/// A tree that grows.
struct Grower<'a> {
    watch: &'a Watch,
    settings: &'a TreeSurrogate,
    rows: &'a Rows<'a>,
    kept: &'a [usize],
    /// The columns of features that are there, and of features that are not.
    designs: [Design; 2],
    /// w·t and w for each row that counts, `width` numbers each.
    numbers: Aligned<f64>,
    /// T + 1, and the same in whole registers.
    sums: usize,
    width: usize,
    nodes: Vec<TreeNode>,
}

/// The best split of a node so far.
struct Best {
    place: usize,
    gain: f64,
}

impl<'a> Grower<'a> {
    fn new(watch: &'a Watch, settings: &'a TreeSurrogate, rows: &'a Rows<'a>, kept: &'a [usize]) -> Self {
        let mut targets = Vec::new();
        write_targets(settings.criterion_in_use(), rows, 0, &mut targets);
        let sums = targets.len() + 1;
        let width = padded_f64(sums);
        let mut numbers = Aligned::zeros(rows.index.len() * width);
        for (k, (row, &w)) in numbers.chunks_exact_mut(width).zip(&rows.weights).enumerate() {
            write_targets(settings.criterion_in_use(), rows, k, &mut targets);
            row.iter_mut().zip(&targets).for_each(|(o, t)| *o = w * t);
            row[sums - 1] = w;
        }
        let design = |columns| Design::of(rows.masks, columns, false);
        let designs = [design(Columns::kept(kept, false)), design(Columns::removed(kept, false, &[]))];
        Grower { watch, settings, rows, kept, designs, numbers, sums, width, nodes: Vec::new() }
    }

    /// Adds the node of some rows, by their places among those that count, and all below it; gives its number.
    fn node(&mut self, rows: Vec<u32>, depth: usize) -> Result<usize> {
        self.watch.check()?;
        let mut total = vec![0.0; self.sums];
        rows.iter().for_each(|&k| total.iter_mut().zip(self.row(k)).for_each(|(sum, v)| *sum += v));
        let weight = total[self.sums - 1];
        let number = self.nodes.len();
        self.nodes.push(TreeNode { branch: None, value: self.value(&total), rows: rows.len(), weight });
        if depth >= self.settings.max_depth_in_use() || rows.len() < 2 {
            return Ok(number);
        }
        let Some(Best { place, gain }) = self.best(&rows) else { return Ok(number) };
        let feature = self.kept[place];
        let keeps = |k: &u32| self.rows.masks.keeps(self.rows.index[*k as usize] as usize, feature);
        let (on, off): (Vec<u32>, Vec<u32>) = rows.iter().copied().partition(keeps);
        let off = self.node(off, depth + 1)?;
        let on = self.node(on, depth + 1)?;
        self.nodes[number].branch = Some(Branch { feature, off, on, gain });
        Ok(number)
    }

    /// The numbers of a row.
    fn row(&self, k: u32) -> &[f64] {
        &self.numbers[k as usize * self.width..][..self.sums]
    }

    /// The split that gains most; `None` where none gains anything.
    fn best(&self, rows: &[u32]) -> Option<Best> {
        let index: Vec<u32> = rows.iter().map(|&k| self.rows.index[k as usize]).collect();
        let [on, off] = [0, 1].map(|d| {
            let columns = ByColumn::new(&self.designs[d], &index);
            transposed_by_parts(&columns, (rows.len(), self.width), |part, y| {
                for (&k, row) in rows[part].iter().zip(y.chunks_exact_mut(self.width)) {
                    row[..self.sums].copy_from_slice(self.row(k));
                }
            })
        });
        let least = self.settings.min_weight_in_use() * self.rows.total;
        let mut best = Best { place: 0, gain: LEAST_GAIN * self.rows.total };
        let mut found = false;
        for (place, (on, off)) in on.chunks_exact(self.width).zip(off.chunks_exact(self.width)).enumerate() {
            let Some(gain) = gain(&on[..self.sums], &off[..self.sums], least) else { continue };
            if gain > best.gain {
                (best, found) = (Best { place, gain }, true);
            }
        }
        found.then_some(best)
    }

    /// A leaf's answer out of the sums of its rows.
    fn value(&self, total: &[f64]) -> Vec<f64> {
        let weight = total[self.sums - 1];
        let means = total[..self.sums - 1].iter().map(|sum| sum / weight);
        if self.settings.criterion_in_use() == Criterion::Squared {
            return means.collect();
        }
        let squares: Vec<f64> = means.map(|root| root * root).collect();
        if self.rows.probabilities.is_independent() {
            return squares.chunks_exact(2).map(|two| two[0] / (two[0] + two[1])).collect();
        }
        let sum: f64 = squares.iter().sum();
        squares.iter().map(|square| square / sum).collect()
    }
}

/// What a row is split and averaged by.
fn write_targets(criterion: Criterion, rows: &Rows<'_>, k: usize, targets: &mut Vec<f64>) {
    let p = rows.probabilities.row(rows.index[k] as usize).iter().map(|&p| f64::from(p));
    targets.clear();
    match (criterion, rows.probabilities.is_independent()) {
        (Criterion::Squared, _) => targets.extend(p),
        (Criterion::Hellinger, false) => targets.extend(p.map(f64::sqrt)),
        (Criterion::Hellinger, true) => targets.extend(p.flat_map(|p| [p.sqrt(), (1.0 - p).max(0.0).sqrt()])),
    }
}

/// w_off·w_on/(w_off + w_on)·‖v_off − v_on‖², out of sums; `None` where a side has no row, or weighs less than `least`.
fn gain(on: &[f64], off: &[f64], least: f64) -> Option<f64> {
    let ([on @ .., w_on], [off @ .., w_off]) = (on, off) else { return None };
    if *w_on == 0.0 || *w_off == 0.0 || w_on.min(*w_off) < least {
        return None;
    }
    let squares: f64 = on.iter().zip(off).map(|(a, b)| (a / w_on - b / w_off).powi(2)).sum();
    Some(w_on * w_off / (w_on + w_off) * squares)
}

/// The tree whose leaves have the model's answers to their minimal masks.
fn asked(tree: Tree, problem: &Problem<'_, Cpu>) -> Result<Tree> {
    let (masks, p) = (&problem.around.masks, &problem.around.probabilities);
    let minimal: Vec<Vec<u32>> = tree.leaves().iter().map(|leaf| mask(masks.features(), leaf)).collect();
    let drawn: Vec<Option<usize>> =
        minimal.iter().map(|mask| (0..masks.rows()).find(|&i| masks.row(i) == mask.as_slice())).collect();
    let lacking: Vec<u32> =
        minimal.iter().zip(&drawn).filter(|(_, row)| row.is_none()).flat_map(|(mask, _)| mask.clone()).collect();
    let answers = match (lacking.is_empty(), problem.requery) {
        (true, _) => Vec::new(),
        (false, Some(model)) => model.ask(&lacking)?,
        (false, None) => {
            let reason =
                "the model is to be asked for the leaves, and is not at hand where a fit is made alone; choose mean";
            return Err(Error::setting("leaf", Leaf::Asked.name(), reason));
        }
    };
    lipex_core::expect_len("answers for leaves", lacking.len() / masks.words().max(1) * p.classes(), answers.len())?;
    let mut answers = answers.chunks_exact(p.classes().max(1)).map(<[f64]>::to_vec);
    let own = |row: usize| p.row(row).iter().map(|&p| f64::from(p)).collect();
    let values = drawn.iter().map(|row| row.map(own).or_else(|| answers.next()).unwrap_or_default()).collect();
    tree.answered(values, Leaf::Asked)
}

/// The instance without what a leaf's path lacks, as bits.
fn mask(features: usize, leaf: &TreeLeaf) -> Vec<u32> {
    let mut bits = whole_mask(features);
    leaf.removed().iter().for_each(|j| bits[j / 32] &= !(1 << (j % 32)));
    bits
}

/// How far the tree is from the model on the rows of the fit: the mean of ½‖P − Q‖², or of H².
fn report(settings: &TreeSurrogate, problem: &Problem<'_, Cpu>, tree: &Tree) -> Result<FitReport> {
    let rows = Rows::new(problem.around, problem.multiplicities);
    let mut keeps = vec![false; tree.kept().len()];
    let mut objective = 0.0;
    for (&i, w) in rows.index.iter().zip(&rows.weights) {
        keeps.iter_mut().zip(tree.kept()).for_each(|(keep, &j)| *keep = rows.masks.keeps(i as usize, j));
        let p = rows.probabilities.row(i as usize).iter().map(|&p| f64::from(p));
        let distance = p.zip(tree.predict(&keeps)?).map(|(p, q)| match settings.criterion_in_use() {
            Criterion::Squared => 0.5 * (p - q).powi(2),
            Criterion::Hellinger => 0.5 * (p.sqrt() - q.max(0.0).sqrt()).powi(2),
        });
        objective += w * distance.sum::<f64>() / rows.total;
    }
    let splits = tree.nodes().iter().filter(|node| node.branch.is_some()).count();
    let stopped =
        if tree.depth() >= settings.max_depth_in_use() { "grown to its depth" } else { "no split gains more" };
    Ok(FitReport { objective, iterations: splits, evaluations: splits, ..FitReport::solved(stopped) })
}
