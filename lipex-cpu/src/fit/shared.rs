//! What fits around one instance on the same features have in common: folds, bootstraps, several λ.

use super::objective::{Objective, Terms, padded};
use super::precondition::Preconditioner;
use super::{at, weights};
use crate::Cpu;
use crate::design::Design;
use crate::lanes::Aligned;
use lipex_core::{Backend, Fitted, Lambda, LambdaScale, Neighbourhood, Problem, Result, Softmax, Watch};
use std::collections::HashMap;

/// Problems of one neighbourhood and the same features, in the order of their first.
pub(super) fn together(problems: &[Problem<'_, Cpu>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut places: HashMap<(*const Neighbourhood<Cpu>, &[usize]), usize> = HashMap::new();
    for (i, problem) in problems.iter().enumerate() {
        let place =
            *places.entry((std::ptr::from_ref(problem.around), &problem.selection.kept)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(i);
    }
    groups
}

/// What fits around one instance on the same features have in common. A fit is the same to the bit whether it shares
/// this with others or not.
pub(super) struct Shared<'a> {
    pub around: &'a Neighbourhood<Cpu>,
    pub kept: &'a [usize],
    /// The run that the fits are part of.
    pub watch: &'a Watch,
    design: Design,
    /// P, padded.
    pub p: Aligned<f32>,
    /// λ_c over λ, C numbers; empty where they are all 1.
    by_class: Vec<f64>,
    /// The preconditioner at a start that several fits have.
    pub warm: Option<Warm<'a>>,
}

pub(super) struct Warm<'a> {
    pub start: &'a Fitted,
    pub lambda: f64,
    pub preconditioner: Preconditioner,
}

impl<'a> Shared<'a> {
    pub fn new(on: &'a Cpu, settings: &Softmax, problems: &[Problem<'a, Cpu>], group: &[usize]) -> Result<Self> {
        let Problem { around, selection, start, .. } = problems[group[0]];
        let kept: &[usize] = &selection.kept;
        let design = Design::new(&around.masks, kept, settings.has_intercept());
        let mut shared = Shared {
            around,
            kept,
            watch: on.watch(),
            design,
            p: padded(&around.probabilities),
            by_class: by_class(settings, around),
            warm: None,
        };
        if let (Some(start), true) = (start, group.len() > 1) {
            let lambda = match settings.lambda_set() {
                Lambda::Fixed(_) => settings.lambda_used()?,
                Lambda::Auto => start.report.lambda,
            };
            shared.warm = Some(Warm { start, lambda, preconditioner: shared.at_start(settings, start, lambda)? });
        }
        Ok(shared)
    }

    pub fn terms<'b>(&'b self, settings: &'b Softmax, lambda: f64) -> Terms<'b> {
        Terms {
            design: &self.design,
            p: &self.p,
            classes: self.around.probabilities.classes(),
            divergence: settings.divergence_in_use(),
            lambda,
            by_class: &self.by_class,
            intercept: settings.has_intercept(),
        }
    }

    /// The preconditioner at a start, from all rows whatever their multiplicities.
    pub fn at_start(&self, settings: &Softmax, start: &Fitted, lambda: f64) -> Result<Preconditioner> {
        let (rows, weights) = weights(settings, self.around, None);
        let objective = Objective::new(self.terms(settings, lambda), &rows, &weights);
        Ok(Preconditioner::at(&objective, &at(&objective, start)?))
    }
}

/// λ_c over λ, from all rows whatever their multiplicities, so that refits of a fit are about that fit; empty where every
/// class has λ.
pub(crate) fn by_class(settings: &Softmax, around: &Neighbourhood<Cpu>) -> Vec<f64> {
    if settings.lambda_scale_in_use() != LambdaScale::Class {
        return Vec::new();
    }
    let p = &around.probabilities;
    settings.penalties(1.0, p.classes(), p.values(), around.weights.values())
}
