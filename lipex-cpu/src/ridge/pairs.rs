//! Pairs of features that a ridge gets a term for, chosen by what the fit without them leaves, P − Q.
//!
//! A ridge's fit is in closed form, so every step solves anew: the residuals of the fit so far choose five more pairs, on all
//! rows and without each fold, and the next fit has them all.

use super::removed;
use crate::Cpu;
use crate::candidates::{Candidates, Growing, Residuals, Wanted, grow, strongest};
use crate::lanes::padded_f32;
use lipex_core::{Fitted, Problem, Result, Ridge, without_fold};

/// The fit on all rows, then those without fold 1, 2 and so on, each with pairs that its own rows chose.
pub(super) fn choose(
    on: &Cpu,
    settings: &Ridge,
    problem: &Problem<'_, Cpu>,
    wanted: Wanted,
    folds: &[usize],
) -> Result<Vec<Fitted>> {
    let (mut chooser, fits) = Chooser::new(on, settings, problem, folds)?;
    let fits = grow(&mut chooser, wanted, fits)?;
    Ok(fits.into_iter().map(|(fitted, _)| fitted).collect())
}

/// What choosing needs beside the fits.
struct Chooser<'a> {
    /// The backend, for refits.
    on: &'a Cpu,
    /// The surrogate.
    settings: &'a Ridge,
    /// What is fitted.
    problem: &'a Problem<'a, Cpu>,
    /// Rows that count.
    rows: Vec<u32>,
    /// The rows of each part: all first, then without fold 1, 2 and so on.
    parts: Vec<Part>,
    /// The pairs with what of each the features leave.
    candidates: Candidates,
}

/// The rows that a fit is made on.
struct Part {
    /// How often each row of the neighbourhood counts in it.
    multiplicities: Vec<u32>,
    /// For each of the rows that count whether it is among them.
    fitted: Vec<bool>,
    /// The kept features that its pairs are chosen among.
    among: Vec<usize>,
}

/// A fit with its pairs.
type Fit = (Fitted, Vec<[usize; 2]>);

impl<'a> Chooser<'a> {
    fn new(
        on: &'a Cpu,
        settings: &'a Ridge,
        problem: &'a Problem<'a, Cpu>,
        folds: &[usize],
    ) -> Result<(Self, Vec<Fit>)> {
        let (around, kept) = (problem.around, &problem.selection.kept);
        let times = |i: usize| problem.multiplicities.map_or(1, |m| m[i]);
        let weight = |i: usize| f64::from(around.weights.values()[i]) * f64::from(times(i));
        let rows: Vec<u32> = (0..around.rows()).filter(|&i| weight(i) > 0.0).map(|i| i as u32).collect();
        let weights: Vec<f64> = rows.iter().map(|&i| weight(i as usize)).collect();
        let (mut parts, mut fits, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..=folds.iter().copied().max().unwrap_or(0) {
            // Row 0 is in every fold, so that 0 leaves nothing out.
            let multiplicities: Vec<u32> = match k {
                0 => (0..around.rows()).map(times).collect(),
                k => without_fold(problem, folds, k),
            };
            let fitted = rows.iter().map(|&i| multiplicities[i as usize] > 0).collect();
            let fit = fit(on, settings, problem, &multiplicities, &[])?;
            let matrix = fit.shares().into_matrix();
            let strength = |j: usize| matrix.iter().map(|row| row[j].abs()).sum::<f64>();
            let strong = strongest(&(0..kept.len()).map(strength).collect::<Vec<_>>());
            parts.push(Part { multiplicities, fitted, among: strong.iter().map(|&place| kept[place]).collect() });
            fits.push((fit, Vec::new()));
            places.extend(strong);
        }
        places.sort_unstable();
        places.dedup();
        let candidates = Candidates::new(&around.masks, kept, &places, (&rows, &weights));
        Ok((Chooser { on, settings, problem, rows, parts, candidates }, fits))
    }

    /// P − Q of the rows that count, a row each of padded classes.
    fn residuals(&self, fitted: &Fitted) -> Result<(Vec<f32>, usize)> {
        let around = self.problem.around;
        let width = padded_f32(around.probabilities.classes());
        let mut values = vec![0f32; self.rows.len() * width];
        for (values, &i) in values.chunks_exact_mut(width).zip(&self.rows) {
            let q = fitted.answer.predict_all(around.masks.row(i as usize), around.masks.features())?;
            let p = around.probabilities.row(i as usize);
            values.iter_mut().zip(p.iter().zip(q)).for_each(|(v, (&p, q))| *v = (f64::from(p) - q) as f32);
        }
        Ok((values, width))
    }
}

/// A ridge with those pairs beside the features, each row as often as `multiplicities` says.
fn fit(
    on: &Cpu,
    settings: &Ridge,
    problem: &Problem<'_, Cpu>,
    multiplicities: &[u32],
    pairs: &[[usize; 2]],
) -> Result<Fitted> {
    let support = super::supports(settings, problem, pairs.len())?;
    removed(on, settings, problem, (Some(multiplicities), pairs), &support)
}

impl Growing for Chooser<'_> {
    type Fit = Fit;

    /// How many it has.
    fn pairs(fit: &Fit) -> usize {
        fit.1.len()
    }

    /// Up to five more for each part, then a fit of each.
    fn more(&mut self, fits: &mut [Fit], most: usize) -> Result<bool> {
        let taken: Vec<[usize; 2]> = fits.iter().flat_map(|fit| fit.1.iter().copied()).collect();
        self.candidates.prepare(&taken);
        let classes = self.problem.around.probabilities.classes();
        let mut found = Vec::new();
        for (part, (fitted, taken)) in self.parts.iter().zip(fits.iter()) {
            let (values, width) = self.residuals(fitted)?;
            let residuals =
                Residuals { values: &values, width, classes, fitted: &part.fitted, among: &part.among, taken };
            found.push(self.candidates.best(&residuals, most));
        }
        if found[0].is_empty() {
            return Ok(false);
        }
        for ((part, (fitted, pairs)), found) in self.parts.iter().zip(fits.iter_mut()).zip(found) {
            pairs.extend(found);
            *fitted = fit(self.on, self.settings, self.problem, &part.multiplicities, pairs)?;
        }
        Ok(true)
    }

    /// The mean squared distance on the rows that parts have not seen.
    fn score(&self, fits: &[Fit]) -> Result<f64> {
        let around = self.problem.around;
        let mut score = 0.0;
        for (part, (fitted, _)) in self.parts.iter().zip(fits) {
            let (values, width) = self.residuals(fitted)?;
            for ((values, &i), _) in
                values.chunks_exact(width).zip(&self.rows).zip(&part.fitted).filter(|(_, fitted)| !**fitted)
            {
                let times = self.problem.multiplicities.map_or(1.0, |m| f64::from(m[i as usize]));
                let squares = values.iter().map(|v| f64::from(v * v)).sum::<f64>();
                score += times * f64::from(around.weights.values()[i as usize]) * squares;
            }
        }
        Ok(score)
    }
}
