//! Select: forward selection, highest weights and the lasso path.

use crate::Cpu;
use crate::design::Design;
use crate::lars::{Gram, last_with_at_most};
use crate::least_squares::{Rows, ridge};
use lipex_core::{Forward, HighestWeights, LassoPath, Neighbourhood, Result, Selection, Selector, expect_len};
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
        on.map(around.len(), |i| Ok(forward(&around[i], None, self.k(), self.is_exclusive())))
    }

    fn reselect(&self, on: &Cpu, around: &Neighbourhood<Cpu>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        on.map(multiplicities.len(), |r| {
            let times = multiplicities[r].as_slice();
            expect_len("multiplicities", around.rows(), times.len())?;
            Ok(forward(around, Some(times), self.k(), self.is_exclusive()))
        })
    }
}

impl Selector<Cpu> for HighestWeights {
    fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
        on.map(around.len(), |i| Ok(highest(&around[i], None, self.k())))
    }

    fn reselect(&self, on: &Cpu, around: &Neighbourhood<Cpu>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        on.map(multiplicities.len(), |r| {
            let times = multiplicities[r].as_slice();
            expect_len("multiplicities", around.rows(), times.len())?;
            Ok(highest(around, Some(times), self.k()))
        })
    }
}

impl Selector<Cpu> for LassoPath {
    fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
        on.map(around.len(), |i| Ok(lasso(&around[i], self.k())))
    }
}

/// The lasso path of each class on its own; a class that does not vary has none, and its picks are filled up.
fn lasso(around: &Neighbourhood<Cpu>, k: usize) -> Selection {
    let rows = Rows::new(around, None);
    let features = around.masks.features();
    let design = rows.design(&(0..features).collect::<Vec<_>>());
    let (means, covariances) = rows.moments(&design);
    let mut gram = Gram::new(&rows, &design, &means);
    let pick = |covariances| {
        let picks = last_with_at_most(k, &mut gram, covariances);
        if picks.is_empty() { (0..k.min(features)).collect() } else { picks }
    };
    Selection::new(covariances.into_iter().map(pick).collect())
}

/// The features of largest |coefficient|, at the instance, where every feature is 1; ties to the lowest index.
fn highest(around: &Neighbourhood<Cpu>, times: Option<&[u32]>, k: usize) -> Selection {
    let rows = Rows::new(around, times);
    let features: Vec<usize> = (0..around.masks.features()).collect();
    let supports = vec![features.clone(); around.probabilities.classes()];
    let picks = |(coefficients, _): (Vec<f64>, f64)| {
        let mut order = features.clone();
        order.sort_by(|&a, &b| coefficients[b].abs().total_cmp(&coefficients[a].abs()));
        order.truncate(k);
        order
    };
    Selection::new(ridge(&rows, &features, &supports, ALPHA).into_iter().map(picks).collect())
}

/// Weighted least squares of one class, a feature at a time.
///
/// With the centred Gram G, a candidate j has left after the chosen features a variance g_j and a covariance r_j with the
/// class; it lowers the residual by r_j²/g_j. A chosen feature s takes its share q_j = (G_js − Σ q_t(j) q_t(s))/√g_s out
/// of every candidate.
struct Class {
    chosen: Vec<usize>,
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
    fn best(&self, spreads: &[f64], taken: &[bool]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (j, (&g, &r)) in self.left.iter().zip(&self.covariances).enumerate() {
            if taken[j] || g <= DEPENDENT * spreads[j] || self.chosen.contains(&j) {
                continue;
            }
            let gain = r * r / g;
            if gain > NO_GAIN * self.variance && best.is_none_or(|(_, most)| gain > most * (1.0 + TIE)) {
                best = Some((j, gain));
            }
        }
        best.map(|(j, _)| j)
    }

    /// Takes up feature `s`, whose centred Gram column is `column`.
    fn choose(&mut self, s: usize, column: &[f64]) {
        let root = self.left[s].sqrt();
        let earlier: Vec<f64> = self.shares.iter().map(|q| q[s]).collect();
        let mut share = column.to_vec();
        for (q, at_s) in self.shares.iter().zip(&earlier) {
            share.iter_mut().zip(q).for_each(|(v, q)| *v -= q * at_s);
        }
        let slope = self.covariances[s] / root;
        for (j, v) in share.iter_mut().enumerate() {
            *v /= root;
            self.left[j] -= *v * *v;
            self.covariances[j] -= *v * slope;
        }
        self.shares.push(share);
        self.chosen.push(s);
    }
}

/// Σ w (z − z̄)² of each feature, and each class before anything is chosen.
struct Start {
    means: Vec<f64>,
    spreads: Vec<f64>,
    classes: Vec<Class>,
}

fn start(rows: &Rows<'_>, design: &Design) -> Start {
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
    rows: &'a Rows<'a>,
    design: &'a Design,
    means: &'a [f64],
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

fn forward(around: &Neighbourhood<Cpu>, times: Option<&[u32]>, k: usize, exclusive: bool) -> Selection {
    let rows = Rows::new(around, times);
    let features = around.masks.features();
    let design = rows.design(&(0..features).collect::<Vec<_>>());
    let Start { means, spreads, mut classes } = start(&rows, &design);
    let mut columns = Columns { rows: &rows, design: &design, means: &means, made: HashMap::new() };
    let k = k.min(features);
    let mut taken = vec![false; features];
    if exclusive {
        for class in &mut classes {
            run(std::slice::from_mut(class), k, &spreads, &taken, &mut columns);
            fill_up(class, k, &taken);
            class.chosen.iter().for_each(|&j| taken[j] = true);
        }
    } else {
        run(&mut classes, k, &spreads, &taken, &mut columns);
        classes.iter_mut().for_each(|class| fill_up(class, k, &taken));
    }
    Selection::new(classes.into_iter().map(|class| class.chosen).collect())
}

/// Up to `k` features for each class, in rounds, so that a round's Gram columns are made together.
fn run(classes: &mut [Class], k: usize, spreads: &[f64], taken: &[bool], columns: &mut Columns<'_>) {
    for round in 1..=k {
        let picks: Vec<Option<usize>> = classes.iter().map(|class| class.best(spreads, taken)).collect();
        if round == k {
            // The last ones need no column.
            classes.iter_mut().zip(picks).for_each(|(class, pick)| class.chosen.extend(pick));
            return;
        }
        columns.make(picks.iter().flatten().copied());
        for (class, pick) in classes.iter_mut().zip(picks) {
            if let Some(s) = pick {
                class.choose(s, &columns.made[&s]);
            }
        }
    }
}

/// Features that change nothing, by lowest index, until there are `k`.
fn fill_up(class: &mut Class, k: usize, taken: &[bool]) {
    for j in (0..taken.len()).filter(|&j| !taken[j]) {
        if class.chosen.len() >= k {
            break;
        }
        if !class.chosen.contains(&j) {
            class.chosen.push(j);
        }
    }
}
