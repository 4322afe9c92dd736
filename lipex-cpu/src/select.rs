//! Select: forward selection, highest weights and the lasso path.
//!
//! # Method
//! Forward: one Cholesky step a choice (the centred Gram's column of the chosen feature), so that k choices of D candidates
//! cost k·D·(N/4 + k) operations a class in place of k·D regressions. Highest weights: one ridge of all features, α = 0.01.
//! The lasso path is in `lars.rs`.
//!
//! # Shapes
//! Variances and covariances are D numbers a class; Gram columns D numbers, made for all classes of a round together and kept.
//!
//! # Numerics
//! In f64. Gains within a relative 10⁻¹⁰ are ties, which go to the lowest index, so that rounding chooses nothing. A class
//! that does not vary takes the lowest indices.

use crate::Cpu;
use crate::design::ByColumn;
use crate::lanes::{Simd, WithSimd, vectorised};
use crate::lars::{Gram, last_with_at_most};
use crate::least_squares::{Rows, ridge};
use crate::linalg::add_scaled;
use lipex_core::{
    Backend, Forward, HighestWeights, LassoPath, Neighbourhood, Result, Selection, Selector, Watch, expect_len,
};
use std::collections::HashMap;

/// A gain below this share of a class's variance is rounding.
const NO_GAIN: f64 = 1e-12;
/// A column with less than this share of its variance left depends on those chosen.
const DEPENDENT: f64 = 1e-9;
/// Gains closer than this are ties.
const TIE: f64 = 1e-10;
/// The ridge penalty of highest weights.
const ALPHA: f64 = 0.01;

impl Selector<Cpu> for Forward {
    fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
        on.map(around.len(), |i| forward(on, &around[i], None, (self.k(), self.is_exclusive())))
    }

    fn reselect(&self, on: &Cpu, around: &Neighbourhood<Cpu>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        on.map(multiplicities.len(), |r| {
            let times = multiplicities[r].as_slice();
            expect_len("multiplicities", around.rows(), times.len())?;
            forward(on, around, Some(times), (self.k(), self.is_exclusive()))
        })
    }
}

impl Selector<Cpu> for HighestWeights {
    fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
        on.map(around.len(), |i| highest(on, &around[i], None, self.k()))
    }

    fn reselect(&self, on: &Cpu, around: &Neighbourhood<Cpu>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        on.map(multiplicities.len(), |r| {
            let times = multiplicities[r].as_slice();
            expect_len("multiplicities", around.rows(), times.len())?;
            highest(on, around, Some(times), self.k())
        })
    }
}

impl Selector<Cpu> for LassoPath {
    fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
        on.map(around.len(), |i| lasso(on, &around[i], self.k()))
    }
}

/// The lasso path of each class on its own; a class that does not vary has none, and its picks are filled up.
///
/// # Cost
/// A path a class, each to its end: slower than forward selection by the number of events.
fn lasso(on: &Cpu, around: &Neighbourhood<Cpu>, k: usize) -> Result<Selection> {
    let rows = Rows::new(around, None);
    let features = around.masks.features();
    let design = rows.by_column(&(0..features).collect::<Vec<_>>());
    let (means, covariances) = rows.moments(&design);
    let mut gram = Gram::new(&rows, &design, &means);
    let pick = |covariances| {
        let picks = last_with_at_most(on.watch(), k, &mut gram, covariances)?;
        Ok(if picks.is_empty() { (0..k.min(features)).collect() } else { picks })
    };
    Ok(Selection::new(covariances.into_iter().map(pick).collect::<Result<_>>()?))
}

/// The features of largest |coefficient|, at the instance, where every feature is 1; ties to the lowest index.
///
/// # Source
/// LIME 0.2.0.1 sorts by |coefficient × value|, and values are 1 at the instance.
fn highest(on: &Cpu, around: &Neighbourhood<Cpu>, times: Option<&[u32]>, k: usize) -> Result<Selection> {
    let rows = Rows::new(around, times);
    let features: Vec<usize> = (0..around.masks.features()).collect();
    let supports = vec![features.clone(); around.probabilities.classes()];
    let picks = |(coefficients, _): (Vec<f64>, f64)| {
        let mut order = features.clone();
        order.sort_by(|&a, &b| coefficients[b].abs().total_cmp(&coefficients[a].abs()));
        order.truncate(k);
        order
    };
    Ok(Selection::new(ridge(on.watch(), &rows, &features, &supports, ALPHA)?.into_iter().map(picks).collect()))
}

/// Weighted least squares of one class, a feature at a time.
///
/// With the centred Gram G, a candidate j has left after the chosen features a variance g_j and a covariance r_j with the
/// class; it lowers the residual by r_j²/g_j. A chosen feature s takes its share q_j = (G_js − Σ q_t(j) q_t(s))/√g_s out
/// of every candidate.
struct Class {
    /// Features in the order chosen.
    chosen: Vec<usize>,
    /// Σ w (p − p̄)², of which a gain must be a share to count.
    variance: f64,
    /// g, of every feature.
    left: Vec<f64>,
    /// r, of every feature.
    covariances: Vec<f64>,
    /// q of each chosen feature.
    shares: Vec<Vec<f64>>,
}

impl Class {
    /// The feature that lowers the residual most; ties to the lowest index. None if none does.
    ///
    /// A feature whose spread is infinite is no candidate.
    fn best(&self, spreads: &[f64], gains: &mut [f64]) -> Option<usize> {
        let most = vectorised(Gains { left: &self.left, covariances: &self.covariances, spreads, gains });
        let first = || gains.iter().position(|gain| gain * (1.0 + TIE) >= most);
        if most > NO_GAIN * self.variance { first() } else { None }
    }

    /// Takes up feature `s`, whose centred Gram column is `column`.
    fn choose(&mut self, s: usize, column: &[f64]) {
        let root = self.left[s].sqrt();
        let mut share = column.to_vec();
        for q in &self.shares {
            add_scaled(&mut share, -q[s], q);
        }
        let slope = self.covariances[s] / root;
        share.iter_mut().for_each(|v| *v /= root);
        self.left.iter_mut().zip(&share).for_each(|(g, q)| *g -= q * q);
        add_scaled(&mut self.covariances, -slope, &share);
        self.left[s] = 0.0;
        self.shares.push(share);
        self.chosen.push(s);
    }
}

/// Each candidate's gain, 0 for what is none; returns the largest.
struct Gains<'a> {
    /// g of each candidate.
    left: &'a [f64],
    /// r of each candidate.
    covariances: &'a [f64],
    /// Its spread before anything was chosen; infinite for what another class has taken.
    spreads: &'a [f64],
    /// r²/g, or 0.
    gains: &'a mut [f64],
}

impl WithSimd for Gains<'_> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let candidates = self.left.iter().zip(self.covariances).zip(self.spreads);
        for (gain, ((&g, &r), &spread)) in self.gains.iter_mut().zip(candidates) {
            *gain = if g > DEPENDENT * spread { r * r / g } else { 0.0 };
        }
        // Eight at a time: a maximum has no order, which the compiler does not know.
        let (eights, rest) = self.gains.as_chunks::<8>();
        let mut most = [0.0f64; 8];
        for eight in eights {
            for k in 0..8 {
                most[k] = if eight[k] > most[k] { eight[k] } else { most[k] };
            }
        }
        rest.iter().chain(&most).copied().fold(0.0, f64::max)
    }
}

/// Σ w (z − z̄)² of each feature, and each class before anything is chosen.
struct Start {
    /// z̄ of each feature.
    means: Vec<f64>,
    /// Σ w (z − z̄)² of each feature, 0 for one that never varies.
    spreads: Vec<f64>,
    /// The classes before the first choice.
    classes: Vec<Class>,
}

/// The moments of all features and classes.
fn start(rows: &Rows<'_>, design: &ByColumn) -> Start {
    let (means, covariances) = rows.moments(design);
    let spreads: Vec<f64> = means.iter().map(|&m| rows.spread(m)).collect();
    let classes = covariances
        .into_iter()
        .enumerate()
        .map(|(c, covariances)| {
            let variance = rows.variances[c];
            Class { chosen: Vec::new(), variance, left: spreads.clone(), covariances, shares: Vec::new() }
        })
        .collect();
    Start { means, spreads, classes }
}

/// Centred Gram columns, made when first asked for.
struct Columns<'a> {
    /// Asked once a round.
    watch: &'a Watch,
    /// The rows that count.
    rows: &'a Rows<'a>,
    /// Their patterns by column.
    design: &'a ByColumn,
    /// z̄ of each feature.
    means: &'a [f64],
    /// Columns by feature.
    made: HashMap<usize, Vec<f64>>,
}

impl Columns<'_> {
    /// Makes those of `features` that are not there yet, all at once.
    fn make(&mut self, features: impl Iterator<Item = usize>) {
        let mut wanted: Vec<usize> = features.filter(|j| !self.made.contains_key(j)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return;
        }
        for (&s, mut column) in wanted.iter().zip(self.rows.gram_columns(self.design, &wanted)) {
            let scale = self.rows.total * self.means[s];
            column.iter_mut().zip(self.means).for_each(|(g, m)| *g -= scale * m);
            self.made.insert(s, column);
        }
    }
}

/// The picks of each class, together or, if `exclusive`, one class after another.
fn forward(
    on: &Cpu,
    around: &Neighbourhood<Cpu>,
    times: Option<&[u32]>,
    (k, exclusive): (usize, bool),
) -> Result<Selection> {
    let rows = Rows::new(around, times);
    let features = around.masks.features();
    let design = rows.by_column(&(0..features).collect::<Vec<_>>());
    let Start { means, spreads, mut classes } = start(&rows, &design);
    let mut columns = Columns { watch: on.watch(), rows: &rows, design: &design, means: &means, made: HashMap::new() };
    let k = k.min(features);
    if exclusive {
        // What a class has chosen is no candidate for the next.
        let mut spreads = spreads;
        for class in &mut classes {
            run(std::slice::from_mut(class), k, &spreads, &mut columns)?;
            fill_up(class, k, &spreads);
            class.chosen.iter().for_each(|&j| spreads[j] = f64::INFINITY);
        }
    } else {
        run(&mut classes, k, &spreads, &mut columns)?;
        classes.iter_mut().for_each(|class| fill_up(class, k, &spreads));
    }
    Ok(Selection::new(classes.into_iter().map(|class| class.chosen).collect()))
}

/// Up to `k` features for each class, in rounds, so that a round's Gram columns are made together.
fn run(classes: &mut [Class], k: usize, spreads: &[f64], columns: &mut Columns<'_>) -> Result<()> {
    let mut gains = vec![0.0; spreads.len()];
    for round in 1..=k {
        columns.watch.check()?;
        let picks: Vec<Option<usize>> = classes.iter().map(|class| class.best(spreads, &mut gains)).collect();
        if round == k {
            // The last ones need no column.
            classes.iter_mut().zip(picks).for_each(|(class, pick)| class.chosen.extend(pick));
            break;
        }
        columns.make(picks.iter().flatten().copied());
        for (class, pick) in classes.iter_mut().zip(picks) {
            if let Some(s) = pick {
                class.choose(s, &columns.made[&s]);
            }
        }
    }
    Ok(())
}

/// Features that change nothing, by lowest index, until there are `k`.
///
/// LIME's forward selection goes on in the same way: a candidate that gains nothing is still a candidate.
fn fill_up(class: &mut Class, k: usize, spreads: &[f64]) {
    for j in (0..spreads.len()).filter(|&j| spreads[j].is_finite()) {
        if class.chosen.len() >= k {
            break;
        }
        if !class.chosen.contains(&j) {
            class.chosen.push(j);
        }
    }
}
