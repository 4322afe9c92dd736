//! What a softmax surrogate is fitted as: the columns of its design, what its logits start from, and how its coefficients lie
//! in the solver's vectors.
//!
//! A vector of the solver holds a row a column of the design, classes padded to whole registers with zeros. On masks of what
//! is kept a feature's row is W_j and that of ones b; on those of what is removed a feature's row is −W_j, that of ones the
//! logits at the whole instance, a pair's V.
//!
//! # Why two codings
//! On features that are there the logits at the empty mask are b, on features that are removed they are given at the whole
//! instance. An anchored surrogate fixes the latter, so it needs the second; pairs are named by what removing both does, so
//! they need it too; without either the first has fewer bits set in small neighbourhoods.
//!
//! # Shapes
//! A solver's vector has a row a column of the design: F, then 1 if there is an intercept, then P pairs; each row C numbers
//! and padding.

use crate::Cpu;
use crate::design::{Coding, Columns};
use crate::lanes::padded_f32;
use crate::ridge::whole_instance;
use lipex_core::{
    Base, Error, INTERCEPT_PENALTY, Intercept, Linear, Link, Neighbourhood, Pairs, Problem, Result, Softmax, Term,
    anchor,
};

/// What tells the forms of fits around one instance on the same features apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    anchored: bool,
    ones: bool,
    /// Whether a feature's bit says that it is there or that it is removed.
    coding: Coding,
    /// The pairs, by features, ascending.
    pairs: Vec<[usize; 2]>,
}

impl Shape {
    /// softmax(W z + b).
    fn plain(ones: bool) -> Self {
        Shape { anchored: false, ones, coding: Coding::Kept, pairs: Vec::new() }
    }

    /// The shape of a fit: with the pairs of its start, or with those that are given.
    ///
    /// # Errors
    /// [`Error::Setting`] for a given pair of features that are not kept; rows drawn again may keep others, and lose it.
    pub fn of(settings: &Softmax, problem: &Problem<'_, Cpu>) -> Result<Self> {
        let ones = settings.intercept_in_use() == Intercept::Fitted;
        let anchored = settings.intercept_in_use() == Intercept::Anchored;
        if !anchored && super::pairs::are_idle(settings, problem) {
            return Ok(Self::plain(ones));
        }
        let pairs = match (problem.start, settings.pairs_in_use()) {
            (Some(start), _) => start.answer.pairs().into_iter().map(|pair| pair.features).collect(),
            (None, given) => given_pairs(given, &problem.selection.kept, problem.multiplicities.is_some())?,
        };
        Ok(Shape { anchored, ones, coding: Coding::Removed, pairs })
    }
}

/// Given pairs by features; none where the data are to choose.
///
/// # Errors
/// [`Error::Setting`] for a pair of features that are not kept, unless such pairs may be `lost`.
///
/// # Order
/// Pairs come in the order in which they were given, each ascending; columns and coefficients keep it.
pub fn given_pairs(pairs: &Pairs, kept: &[usize], lost: bool) -> Result<Vec<[usize; 2]>> {
    let Pairs::Given(pairs) = pairs else { return Ok(Vec::new()) };
    let mut found = Vec::with_capacity(pairs.len());
    for &(a, b) in pairs {
        match [a, b].into_iter().find(|j| kept.binary_search(j).is_err()) {
            None => found.push([a, b]),
            Some(_) if lost => {}
            Some(j) => {
                let reason =
                    format!("feature {j} was not selected, and pairs are of kept features; keep it, or every one");
                return Err(Error::setting("pairs", format!("{a}+{b}"), reason));
            }
        }
    }
    Ok(found)
}

/// The columns of a surrogate's design and what its logits start from.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// The columns.
    shape: Shape,
    /// ln P₀, clamped and centred; empty where the surrogate is not anchored.
    pub offset: Vec<f64>,
}

impl Form {
    /// softmax(W z + b).
    pub fn with_intercept() -> Self {
        Form { shape: Shape::plain(true), offset: Vec::new() }
    }

    /// A form of this shape around an instance.
    ///
    /// # Errors
    /// [`Error::Setting`] for an anchored fit whose row 0 is not the instance.
    pub fn new(shape: Shape, around: &Neighbourhood<Cpu>) -> Result<Self> {
        let mut offset = Vec::new();
        if shape.anchored {
            whole_instance(around)?;
            offset = anchor(around.probabilities.row(0));
            centre(&mut offset);
        }
        Ok(Form { shape, offset })
    }

    /// The design's columns.
    pub fn columns<'a>(&'a self, kept: &'a [usize]) -> Columns<'a> {
        self.columns_with(kept, &self.shape.pairs)
    }

    /// The same with other pairs.
    pub fn columns_with<'a>(&self, kept: &'a [usize], pairs: &'a [[usize; 2]]) -> Columns<'a> {
        Columns { coding: self.shape.coding, features: kept, ones: self.shape.ones, pairs }
    }

    /// The column of ones, if there is one.
    pub fn ones(&self, features: usize) -> Option<usize> {
        self.shape.ones.then_some(features)
    }

    /// λ as it enters the objective: with λ = 0 a pair that is never removed, and where features are anchored one that is
    /// not, would have no optimum.
    ///
    /// The least is some 10⁻⁸, as the intercept's: small enough to change no digit that is read.
    pub fn penalty(&self, lambda: f64) -> f64 {
        if self.shape.coding == Coding::Removed && lambda == 0.0 { INTERCEPT_PENALTY } else { lambda }
    }

    /// A fit in the solver's layout, centred over classes.
    ///
    /// # Errors
    /// [`Error::Setting`] for a fit with pairs where this form has none.
    ///
    /// # Shapes
    /// K × width: a row a column of this form. A pair that the form has and the fit has not starts at 0, and so does a
    /// feature.
    pub fn layout(&self, fitted: &Linear, kept: &[usize]) -> Result<Vec<f64>> {
        let columns: Vec<Vec<f64>> = match self.shape.coding {
            Coding::Kept => {
                let told = || Error::setting("start", "a fit with pairs", "this surrogate has none");
                let (matrix, b) = fitted.presence().ok_or_else(told)?;
                let features = (0..kept.len()).map(|j| matrix.iter().map(|row| row[j]).collect());
                features.chain(self.shape.ones.then_some(b)).collect()
            }
            Coding::Removed => {
                let singles = kept.iter().map(|&j| column(fitted, &[j], -1.0));
                let pairs = self.shape.pairs.iter().map(|pair| column(fitted, pair, 1.0));
                singles.chain(self.shape.ones.then(|| fitted.whole())).chain(pairs).collect()
            }
        };
        let width = padded_f32(fitted.coefficients().len());
        let mut x = vec![0.0; columns.len() * width];
        for (x, mut column) in x.chunks_exact_mut(width).zip(columns) {
            centre(&mut column);
            x[..column.len()].copy_from_slice(&column);
        }
        Ok(x)
    }

    /// The fit out of the solver's layout; its pairs are those of the form unless others are named.
    ///
    /// # Errors
    /// Those of [`Linear::new`].
    ///
    /// A vector's columns are centred over classes before: the mean changes no answer.
    pub fn read(&self, x: &[f64], (kept, pairs): (&[usize], &[[usize; 2]]), classes: usize) -> Result<Linear> {
        let (width, features) = (padded_f32(classes), kept.len());
        let first = features + usize::from(self.shape.ones);
        let of_ones = || (0..classes).map(|c| x[features * width + c]).collect::<Vec<f64>>();
        let support = vec![(0..features).collect(); classes];
        if self.shape.coding == Coding::Kept {
            let matrix = (0..classes).map(|c| (0..features).map(|j| x[j * width + c]).collect()).collect();
            let b = self.shape.ones.then(of_ones);
            return Linear::from_presence(kept.to_vec(), matrix, b, support, Link::Softmax);
        }
        let row = |c: usize| -> Vec<f64> {
            let singles = (0..features).map(|j| -x[j * width + c]);
            singles.chain((0..pairs.len()).map(|t| x[(first + t) * width + c])).collect()
        };
        let terms = terms(kept, pairs)?;
        let base = if self.shape.ones { Base::Intercept(of_ones()) } else { Base::Anchored(self.offset.clone()) };
        Linear::new(kept.to_vec(), terms, (0..classes).map(row).collect(), base, support, Link::Softmax)
    }

    /// The pairs of the form.
    pub fn pairs(&self) -> &[[usize; 2]] {
        &self.shape.pairs
    }
}

/// A term a feature, then one a pair.
///
/// # Errors
/// Those of [`Term::pair`].
pub(crate) fn terms(kept: &[usize], pairs: &[[usize; 2]]) -> Result<Vec<Term>> {
    kept.iter().map(|&j| Ok(Term::one(j))).chain(pairs.iter().map(|&[a, b]| Term::pair(a, b))).collect()
}

/// A term's coefficients over classes, times `sign`; zeros where the fit has no such term.
fn column(fitted: &Linear, features: &[usize], sign: f64) -> Vec<f64> {
    let place = fitted.terms().iter().position(|term| term.features() == features);
    fitted.coefficients().iter().map(|row| place.map_or(0.0, |t| sign * row[t])).collect()
}

/// Takes the mean off.
fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|v| *v -= mean);
}
