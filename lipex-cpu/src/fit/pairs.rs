//! Pairs of features that a softmax gets a term for, chosen by what the fit without them leaves: E = √P − √Q, whatever the
//! divergence.
//!
//! Five at a time, with a fit of all terms between, by [`Candidates`]. Fits that leave a fold of the rows out choose from
//! their own rows alone: pairs that all rows chose would look good on them whether or not there are any.
//!
//! # Method
//! From the fit of the features alone: (1) each part (all rows; without fold 1; …) takes the five pairs of largest gain on its
//! own rows' residuals, (2) fits all its terms from where it is, with the factor of the features' preconditioner bordered by
//! the pairs' rows, (3) and so on until there are as many as asked for, or, for `auto`, until the divergence on the rows left
//! out no longer falls by [`Pairs::GATE`](lipex_core::Pairs::GATE).
//!
//! # Why √P − √Q
//! The squared Hellinger distance is ½‖√P − √Q‖², so its residual is that of a least-squares problem; residuals P − Q would be
//! all but blind to classes near 0, and logarithms would see nothing else.
//!
//! # Source
//! The gate and the parts that choose for themselves: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
//! section 7.10.2 (the wrong and the right way to do cross-validation).

use super::lbfgs::{Limits, Outcome};
use super::objective::Objective;
use super::precondition::{Border, Preconditioner};
use super::{Shared, minimise, weights};
use crate::Cpu;
use crate::candidates::{Candidates, Growing, Residuals, Wanted, grow, strongest};
use crate::design::Design;
use lipex_core::{Lambda, Pairs, Problem, Result, Softmax};

/// The tolerance of fits on the way: of refits without a fold only averages are read, and a residual needs no more.
const ON_THE_WAY: f64 = 1e-3;

/// Whether there are no pairs: none are wanted, or `auto` has too few rows to judge them by.
///
/// Rows outside a fold must determine five pairs beside the features: otherwise rows held out say nothing of them, and two
/// features would have a pair that nothing speaks for.
pub(super) fn are_idle(settings: &Softmax, problem: &Problem<'_, Cpu>) -> bool {
    let rows = problem.around.rows();
    let few = rows - rows / Lambda::FOLDS < problem.selection.kept.len() + 1 + Pairs::TOGETHER;
    let pairs = settings.pairs_in_use();
    pairs.is_none() || few && *pairs == Pairs::Auto && problem.start.is_none()
}

/// A fit on some of the rows, with its pairs.
#[derive(Clone)]
pub(super) struct Part {
    /// Its pairs, by features, in the order in which they were taken.
    pub pairs: Vec<[usize; 2]>,
    /// In the solver's layout: features, the intercept if there is one, pairs.
    pub x: Vec<f64>,
}

/// What was chosen.
pub(super) struct Chosen {
    /// The fit on all rows; that of the features alone where no pair was taken.
    pub whole: Part,
    /// What its last run did, and the objective there; `None` where no pair was taken.
    pub last: Option<(Outcome, f64)>,
    /// The fits without fold 1, 2 and so on.
    pub folds: Vec<Part>,
    /// All runs on the way.
    pub spent: Outcome,
}

/// Chooses pairs from the fit of the features alone, `main` in the solver's layout; `folds` has the fold of each row, or is
/// empty.
///
/// # Shapes
/// `main.0` K × width, the fit of the features alone; `main.1` its λ. Without folds there is one part, all rows, and no score.
pub(super) fn choose(
    settings: &Softmax,
    shared: &Shared<'_>,
    problem: &Problem<'_, Cpu>,
    (main, lambda): (Vec<f64>, f64),
    (wanted, folds): (Wanted, &[usize]),
) -> Result<Chosen> {
    let (mut chooser, fits) = Chooser::new(settings, shared, problem, (main, lambda), folds)?;
    let mut best = grow(&mut chooser, wanted, fits)?;
    let folds = best.split_off(1);
    let mut whole = best.remove(0);
    let tolerance = problem.tolerance.unwrap_or(settings.tolerance_in_use());
    let last = (!whole.pairs.is_empty()).then(|| chooser.finish(&mut whole, tolerance)).transpose()?;
    Ok(Chosen { whole, last, folds, spent: chooser.spent })
}

/// What choosing needs beside the fits themselves.
struct Chooser<'a> {
    /// The surrogate.
    settings: &'a Softmax,
    /// The design and P of the rows.
    shared: &'a Shared<'a>,
    /// What is fitted.
    problem: &'a Problem<'a, Cpu>,
    /// λ as it enters the objective, the same for all parts.
    lambda: f64,
    /// The fit of the features alone, and the preconditioner there.
    main: Vec<f64>,
    base: Preconditioner,
    /// Rows of the Grams that pairs add to that factor.
    border: Border,
    /// The rows of each part: all first, then without fold 1, 2 and so on.
    parts: Vec<Rows>,
    /// The pairs with what of each the features leave.
    candidates: Candidates,
    /// The work of all fits on the way.
    spent: Outcome,
}

/// The rows of a part and those held out of it.
struct Rows {
    /// Rows that the part is fitted on.
    rows: Vec<u32>,
    /// π·m/n of those.
    weights: Vec<f64>,
    /// Rows that it has not seen.
    held: Vec<u32>,
    /// π·m/n of those.
    held_weights: Vec<f64>,
    /// For each of the problem's rows that count whether it is among them.
    fitted: Vec<bool>,
    /// The features that pairs are chosen among.
    among: Vec<usize>,
}

impl<'a> Chooser<'a> {
    fn new(
        settings: &'a Softmax,
        shared: &'a Shared<'a>,
        problem: &'a Problem<'a, Cpu>,
        (main, lambda): (Vec<f64>, f64),
        folds: &[usize],
    ) -> Result<(Self, Vec<Part>)> {
        let last = folds.iter().copied().max().unwrap_or(0);
        let mut parts: Vec<Rows> = (0..=last).map(|k| Rows::new(settings, problem, folds, k)).collect();
        let whole = Objective::new(shared.terms(settings, lambda), &parts[0].rows, &parts[0].weights);
        let base = Preconditioner::at(&whole, &main);
        let border = Border::new(whole.design.columns(), whole.width);
        let (mut fits, mut spent) = (vec![Part { pairs: Vec::new(), x: main.clone() }], Outcome::default());
        for part in &parts[1..] {
            let mut x = main.clone();
            let mut o = Objective::new(shared.terms(settings, lambda), &part.rows, &part.weights);
            spent.add(minimise(&mut o, &base, &mut x, limits(settings, shared, ON_THE_WAY))?);
            fits.push(Part { pairs: Vec::new(), x });
        }
        let (kept, classes, width) = (shared.kept, whole.classes, whole.width);
        let strength = |x: &[f64], j: usize| x[j * width..][..classes].iter().map(|v| v.abs()).sum();
        let mut places = Vec::new();
        for (part, fit) in parts.iter_mut().zip(&fits) {
            let strong = strongest(&(0..kept.len()).map(|j| strength(&fit.x, j)).collect::<Vec<f64>>());
            part.among = strong.iter().map(|&place| kept[place]).collect();
            places.extend(strong);
        }
        places.sort_unstable();
        places.dedup();
        let candidates = Candidates::new(&problem.around.masks, kept, &places, (&parts[0].rows, &parts[0].weights));
        Ok((Chooser { settings, shared, problem, lambda, main, base, border, parts, candidates, spent }, fits))
    }

    /// The design with these pairs after the features.
    fn design(&self, pairs: &[[usize; 2]]) -> Design {
        Design::new(&self.problem.around.masks, self.shared.form.columns_with(self.shared.kept, pairs))
    }

    /// The next pairs of a part, at most so many.
    ///
    /// Residuals √P − √Q are of the part's own rows; the features among which pairs are made are those of the largest shares
    /// in its own fit.
    fn next(&self, part: &Rows, fit: &Part, most: usize) -> Vec<[usize; 2]> {
        let design = self.design(&fit.pairs);
        let o = Objective::of_values(self.shared.terms_on(self.settings, self.lambda, &design), &[], &[]);
        let rows = &self.parts[0].rows;
        let mut values = o.answers(&fit.x, rows);
        for (q, &i) in values.chunks_exact_mut(o.width).zip(rows) {
            let p = &o.p[i as usize * o.width..][..o.width];
            q.iter_mut().zip(p).for_each(|(q, p)| *q = p.sqrt() - q.sqrt());
        }
        let (width, classes, taken) = (o.width, o.classes, fit.pairs.as_slice());
        let residuals = Residuals { values: &values, width, classes, fitted: &part.fitted, among: &part.among, taken };
        self.candidates.best(&residuals, most)
    }

    /// Makes the rows of Grams that further pairs need, at the fit of the features alone.
    fn widen(&mut self, pairs: &[[usize; 2]]) {
        if !self.border.add(pairs) {
            return;
        }
        let (design, part) = (self.design(self.border.pairs()), &self.parts[0]);
        let terms = self.shared.terms_on(self.settings, self.lambda, &design);
        let o = Objective::new(terms, &part.rows, &part.weights);
        let mut x = self.main.clone();
        x.resize(o.len(), 0.0);
        self.border.fill(&o, &x);
    }

    /// The fit on all rows, to the end.
    fn finish(&self, fit: &mut Part, tolerance: f64) -> Result<(Outcome, f64)> {
        let outcome = self.fit(0, fit, tolerance)?;
        if self.problem.tolerance.is_some() {
            return Ok((outcome, outcome.value));
        }
        let (design, part) = (self.design(&fit.pairs), &self.parts[0]);
        let terms = self.shared.terms_on(self.settings, self.lambda, &design);
        Ok((outcome, Objective::of_values(terms, &part.rows, &part.weights).exact(&fit.x)))
    }

    /// Fits a part with the pairs that it has, from where it is.
    ///
    /// From the point where the part is, new pairs at 0; with the bordered factor where there is one.
    fn fit(&self, k: usize, fit: &mut Part, tolerance: f64) -> Result<Outcome> {
        let (design, part) = (self.design(&fit.pairs), &self.parts[k]);
        let terms = self.shared.terms_on(self.settings, self.lambda, &design);
        let mut o = Objective::new(terms, &part.rows, &part.weights);
        fit.x.resize(o.len(), 0.0);
        let h = match self.base.bordered(&self.border, &fit.pairs, &o) {
            Some(h) => h,
            None => Preconditioner::at(&o, &fit.x),
        };
        minimise(&mut o, &h, &mut fit.x, limits(self.settings, self.shared, tolerance))
    }
}

impl Growing for Chooser<'_> {
    type Fit = Part;

    /// How many it has.
    fn pairs(fit: &Part) -> usize {
        fit.pairs.len()
    }

    /// Up to five more for each part, then a fit of each.
    fn more(&mut self, fits: &mut [Part], most: usize) -> Result<bool> {
        let taken: Vec<[usize; 2]> = fits.iter().flat_map(|fit| fit.pairs.iter().copied()).collect();
        self.candidates.prepare(&taken);
        let next = |(part, fit): (&Rows, &Part)| self.next(part, fit, most);
        let found: Vec<Vec<[usize; 2]>> = self.parts.iter().zip(fits.iter()).map(next).collect();
        if found[0].is_empty() {
            return Ok(false);
        }
        self.widen(&found.concat());
        for (k, (fit, found)) in fits.iter_mut().zip(found).enumerate() {
            fit.pairs.extend(found);
            let outcome = self.fit(k, fit, ON_THE_WAY)?;
            self.spent.add(outcome);
        }
        Ok(true)
    }

    /// The mean divergence of the rows that parts have not seen.
    fn score(&self, fits: &[Part]) -> Result<f64> {
        let score = |(part, fit): (&Rows, &Part)| {
            let design = self.design(&fit.pairs);
            let terms = self.shared.terms_on(self.settings, self.lambda, &design);
            Objective::of_values(terms, &part.held, &part.held_weights).data(&fit.x)
        };
        Ok(self.parts.iter().zip(fits).map(score).sum())
    }
}

impl Rows {
    /// The rows without fold `k`; all of them for 0.
    fn new(settings: &Softmax, problem: &Problem<'_, Cpu>, folds: &[usize], k: usize) -> Self {
        let times = |i: usize| problem.multiplicities.map_or(1, |m| m[i]);
        let is_held = |i: usize| k > 0 && folds[i] == k;
        let all = 0..problem.around.rows();
        let left: Vec<u32> = all.clone().map(|i| if is_held(i) { 0 } else { times(i) }).collect();
        let (rows, row_weights) = weights(settings, problem.around, Some(&left));
        let weight = |i: usize| f64::from(problem.around.weights.values()[i]) * f64::from(times(i));
        let counted: Vec<usize> = all.filter(|&i| weight(i) > 0.0).collect();
        let fitted = counted.iter().map(|&i| !is_held(i)).collect();
        let held: Vec<usize> = counted.into_iter().filter(|&i| is_held(i)).collect();
        let held_weights = held.iter().map(|&i| weight(i)).collect();
        let held = held.into_iter().map(|i| i as u32).collect();
        Rows { rows, weights: row_weights, held, held_weights, fitted, among: Vec::new() }
    }
}

/// The solver's limits for a fit on the way.
fn limits<'s>(settings: &Softmax, shared: &Shared<'s>, tolerance: f64) -> Limits<'s> {
    Limits { tolerance, evaluations: settings.evaluation_limit(), watch: shared.watch }
}
