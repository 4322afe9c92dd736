//! Select: the lasso path, by least angle regression on the Gram.
//!
//! Along the path every active feature has the same |correlation| C with the residual, and C falls. With signs s of the
//! active correlations and G w = s, coefficients move by γw, correlations by −γ(Σ G_jk w_k) and C by −γ, until another
//! feature's |correlation| reaches C and it enters, or a coefficient reaches 0 and its feature leaves.
//!
//! # Source
//! Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression (2004), with the lasso modification of section 3.1.
//!
//! # Shapes
//! Correlations and coefficients are D numbers; the Gram's columns are made as features enter, since few of D do.
//!
//! # Cost
//! An event (a feature enters or leaves) takes one solve with the active set's factor, F² operations, and one pass over the
//! Gram columns of the active features, F·D. The path is followed to its end, as LIME does, and the last point with at most K
//! features is taken.
//!
//! # Numerics
//! In f64. Ties enter by the lowest index; the order in which scikit-learn's `lars_path` takes ties of rounding may differ.

use crate::design::ByColumn;
use crate::least_squares::Rows;
use crate::linalg::dot;
use lipex_core::{Result, Watch};
use std::collections::HashMap;

/// Most steps of a path, as in scikit-learn's `lars_path`.
const MOST_STEPS: usize = 500;
/// A column with less than this share of its variance left depends on the active ones.
const DEPENDENT: f64 = 1e-9;
/// The path ends where the correlation is this share of what it was at first.
const SPENT: f64 = 1e-10;
/// Gram columns that are made together.
const BLOCK: usize = 32;

/// The centred Gram of the masks' columns, made a block at a time as it is needed.
pub(crate) struct Gram<'a> {
    /// The rows that count.
    rows: &'a Rows<'a>,
    /// Their patterns by column.
    design: &'a ByColumn,
    /// z̄ of each feature.
    means: &'a [f64],
    /// The diagonal: Σ w (z − z̄)².
    spreads: Vec<f64>,
    /// Centred columns by feature.
    made: HashMap<usize, Vec<f64>>,
}

impl<'a> Gram<'a> {
    /// A Gram none of whose columns is made yet.
    pub fn new(rows: &'a Rows<'a>, design: &'a ByColumn, means: &'a [f64]) -> Self {
        let spreads = means.iter().map(|&m| rows.spread(m)).collect();
        Gram { rows, design, means, spreads, made: HashMap::new() }
    }

    /// Makes column `s` and with it those of the largest |correlation|, which are likely to be wanted next.
    fn make(&mut self, s: usize, correlations: &[f64]) {
        if self.made.contains_key(&s) {
            return;
        }
        let mut next: Vec<usize> = (0..correlations.len())
            .filter(|j| *j != s && !self.made.contains_key(j) && self.spreads[*j] > 0.0)
            .collect();
        next.sort_unstable_by(|&a, &b| correlations[b].abs().total_cmp(&correlations[a].abs()).then(a.cmp(&b)));
        next.truncate(BLOCK - 1);
        next.push(s);
        for (&s, mut column) in next.iter().zip(self.rows.gram_columns(self.design, &next)) {
            let scale = self.rows.total * self.means[s];
            column.iter_mut().zip(self.means).for_each(|(g, m)| *g -= scale * m);
            self.made.insert(s, column);
        }
    }
}

/// The active features of the path's last point that has at most `k` of them, in the order in which they entered.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted); the run is asked at every event of the path.
pub(crate) fn last_with_at_most(
    watch: &Watch,
    k: usize,
    gram: &mut Gram<'_>,
    covariances: Vec<f64>,
) -> Result<Vec<usize>> {
    let mut path = Path::new(covariances);
    let mut last = Vec::new();
    for _ in 0..MOST_STEPS {
        watch.check()?;
        if !path.step(gram) {
            break;
        }
        if path.active.len() <= k {
            last.clone_from(&path.active);
        }
    }
    Ok(last)
}

/// What a feature is to the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Active,
    /// It depends on the active ones.
    Dependent,
    /// It left just now: its |correlation| is C, and falls faster.
    Left,
}

/// A point of the path.
struct Path {
    /// r_j = Σ w (z_j − z̄_j)(p − fit), of every feature.
    correlations: Vec<f64>,
    /// C.
    level: f64,
    /// Below it nothing is left to explain.
    least: f64,
    /// Features with coefficients, in the order of the factor.
    active: Vec<usize>,
    /// The sign of each one's correlation.
    signs: Vec<f64>,
    /// Their coefficients.
    coefficients: Vec<f64>,
    /// The factor of their Gram.
    factor: Factor,
    /// Of every feature.
    states: Vec<State>,
    /// Whether a feature left just now; none enters then.
    left: bool,
}

impl Path {
    /// The path's start: no coefficient, and C the largest |correlation|.
    fn new(correlations: Vec<f64>) -> Self {
        let level = correlations.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
        Path {
            states: vec![State::Free; correlations.len()],
            correlations,
            level,
            least: SPENT * level,
            active: Vec::new(),
            signs: Vec::new(),
            coefficients: Vec::new(),
            factor: Factor::default(),
            left: false,
        }
    }

    /// Goes on to the next point; false at the end of the path.
    ///
    /// One event: correlations are moved to where the next feature enters or a coefficient becomes 0, whichever is sooner.
    fn step(&mut self, gram: &mut Gram<'_>) -> bool {
        if self.level <= self.least || (!self.left && !self.enter(gram)) {
            return false;
        }
        let weights = self.factor.solve(&self.signs);
        let mut slopes = vec![0.0; self.correlations.len()];
        for (k, w) in self.active.iter().zip(&weights) {
            slopes.iter_mut().zip(&gram.made[k]).for_each(|(a, g)| *a += g * w);
        }
        let mut length = self.until_one_enters(gram, &slopes);
        let leaving = self.first_to_leave(&weights, length);
        if let Some((_, earlier)) = leaving {
            length = earlier;
        }
        self.coefficients.iter_mut().zip(&weights).for_each(|(b, w)| *b += length * w);
        self.correlations.iter_mut().zip(&slopes).for_each(|(c, a)| *c -= length * a);
        self.level -= length;
        self.states.iter_mut().filter(|s| **s == State::Left).for_each(|s| *s = State::Free);
        self.left = leaving.is_some();
        if let Some((place, _)) = leaving {
            self.leave(place, gram);
        }
        true
    }

    /// Takes up the inactive feature of largest |correlation|, ties to the lowest index; false if none is of use.
    fn enter(&mut self, gram: &mut Gram<'_>) -> bool {
        loop {
            let mut best: Option<usize> = None;
            for j in self.candidates(gram) {
                if best.is_none_or(|b| self.correlations[j].abs() > self.correlations[b].abs()) {
                    best = Some(j);
                }
            }
            let Some(j) = best else { return false };
            gram.make(j, &self.correlations);
            if self.factor.append(&self.active, &gram.made[&j], j) {
                self.states[j] = State::Active;
                self.active.push(j);
                self.signs.push(self.correlations[j].signum());
                self.coefficients.push(0.0);
                return true;
            }
            self.states[j] = State::Dependent;
        }
    }

    /// Features that may enter.
    fn candidates<'a>(&'a self, gram: &'a Gram<'_>) -> impl Iterator<Item = usize> + 'a {
        (0..self.states.len()).filter(|&j| self.states[j] == State::Free && gram.spreads[j] > 0.0)
    }

    /// The step after which an inactive |correlation| equals C; C itself if none does before.
    fn until_one_enters(&self, gram: &Gram<'_>, slopes: &[f64]) -> f64 {
        let mut length = self.level;
        for j in self.candidates(gram) {
            let (c, a) = (self.correlations[j], slopes[j]);
            // Rounding may have left a correlation a hair above C.
            for (gap, closing) in [(self.level - c, 1.0 - a), (self.level + c, 1.0 + a)] {
                if closing > 0.0 {
                    length = length.min(gap.max(0.0) / closing);
                }
            }
        }
        length
    }

    /// The place of the first active coefficient to reach 0 before `length`, and when.
    fn first_to_leave(&self, weights: &[f64], length: f64) -> Option<(usize, f64)> {
        let zero = |(place, (b, w)): (usize, (&f64, &f64))| (place, -b / w);
        let times = self.coefficients.iter().zip(weights).enumerate().map(zero);
        times.filter(|(_, t)| *t > 0.0 && *t < length).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Takes the feature at a place out of the active set and makes the factor of the rest.
    fn leave(&mut self, place: usize, gram: &Gram<'_>) {
        let j = self.active.remove(place);
        self.signs.remove(place);
        self.coefficients.remove(place);
        self.factor.truncate(place);
        for at in place..self.active.len() {
            let (before, one) = (&self.active[..at], self.active[at]);
            self.factor.append(before, &gram.made[&one], one);
        }
        // What depended on the set that was active may not on the one that is.
        self.states.iter_mut().filter(|s| **s == State::Dependent).for_each(|s| *s = State::Free);
        self.states[j] = State::Left;
    }
}

/// The Cholesky factor of the active features' Gram, a row a feature.
#[derive(Default)]
struct Factor {
    /// Row i has i + 1 numbers.
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// Appends feature `j` with Gram column `column`; false if it depends on the active ones.
    ///
    /// # Cost
    /// One forward substitution, F²/2 operations; a feature that leaves makes the rows after it anew.
    fn append(&mut self, active: &[usize], column: &[f64], j: usize) -> bool {
        let mut row: Vec<f64> = Vec::with_capacity(active.len() + 1);
        for (other, &k) in self.rows.iter().zip(active) {
            let value = (column[k] - dot(&row, &other[..row.len()])) / other[row.len()];
            row.push(value);
        }
        let left = column[j] - dot(&row, &row);
        if left <= DEPENDENT * column[j] {
            return false;
        }
        row.push(left.sqrt());
        self.rows.push(row);
        true
    }

    /// Forgets all but the first features.
    fn truncate(&mut self, features: usize) {
        self.rows.truncate(features);
    }

    /// G⁻¹b.
    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(b.len());
        for (row, b) in self.rows.iter().zip(b) {
            let value = (b - dot(&row[..x.len()], &x)) / row[x.len()];
            x.push(value);
        }
        for i in (0..x.len()).rev() {
            x[i] /= self.rows[i][i];
            let (before, at) = x.split_at_mut(i);
            before.iter_mut().zip(&self.rows[i]).for_each(|(x, l)| *x -= l * at[0]);
        }
        x
    }
}
