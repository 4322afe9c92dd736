//! A stage behind an `Arc` is a stage, so that a program can choose one at run time.

use crate::backend::{Backend, Masks, Neighbourhood, Sample, Weights};
use crate::error::Result;
use crate::fit::{Fitted, Problem, Seen, Surrogate};
use crate::perturb::{Dependence, Draw, Law, Perturber};
use crate::select::{Selection, Selector};
use crate::uncertainty::Spread;
use crate::weigh::{Proximity, ProximityTable};
use std::sync::Arc;

impl<T: Law + ?Sized> Law for Arc<T> {
    fn total(&self, features: usize, asked: usize) -> Result<usize> {
        (**self).total(features, asked)
    }

    fn grows(&self) -> bool {
        (**self).grows()
    }

    fn dependence(&self) -> Dependence {
        (**self).dependence()
    }

    fn weighs_itself(&self) -> bool {
        (**self).weighs_itself()
    }

    fn is_complete(&self, features: usize, total: usize) -> bool {
        (**self).is_complete(features, total)
    }

    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        (**self).probability(kept, features)
    }
}

impl<B: Backend, T: Perturber<B> + ?Sized> Perturber<B> for Arc<T> {
    fn perturb(&self, on: &B, draw: &Draw<'_>) -> Result<Vec<Sample<B>>> {
        (**self).perturb(on, draw)
    }

    fn perturb_by(&self, on: &B, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<B>>> {
        (**self).perturb_by(on, draw, proximity)
    }
}

impl<B: Backend, T: Proximity<B> + ?Sized> Proximity<B> for Arc<T> {
    fn weigh(&self, on: &B, masks: &[Masks<B>]) -> Result<Vec<Weights<B>>> {
        (**self).weigh(on, masks)
    }

    fn table(&self, features: usize) -> Result<Option<ProximityTable>> {
        (**self).table(features)
    }
}

impl<B: Backend, T: Selector<B> + ?Sized> Selector<B> for Arc<T> {
    fn select(&self, on: &B, around: &[Neighbourhood<B>]) -> Result<Vec<Selection>> {
        (**self).select(on, around)
    }

    fn reselect(&self, on: &B, around: &Neighbourhood<B>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        (**self).reselect(on, around, multiplicities)
    }
}

impl<B: Backend, T: Surrogate<B> + ?Sized> Surrogate<B> for Arc<T> {
    fn fit(&self, on: &B, problems: &[Problem<'_, B>]) -> Result<Vec<Fitted>> {
        (**self).fit(on, problems)
    }

    fn spread(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<Spread>> {
        (**self).spread(on, problem, fitted)
    }

    fn fits_intercept(&self) -> bool {
        (**self).fits_intercept()
    }

    fn requeries(&self) -> bool {
        (**self).requeries()
    }

    fn takes_labels(&self) -> bool {
        (**self).takes_labels()
    }

    fn left_by_penalty(&self, seen: &Seen<'_>, fitted: &Fitted) -> Option<f64> {
        (**self).left_by_penalty(seen, fitted)
    }

    fn relaxed(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<Fitted>> {
        (**self).relaxed(on, problem, fitted)
    }
}
