//! What fits around one instance on the same features have in common: folds, bootstraps, several λ.
//!
//! # What is shared
//! The design, P padded, what logits start from, the classes' penalties, and the preconditioner at a start that several
//! problems have. The objective of each problem is its own: rows and weights differ between folds and bootstraps.

use super::form::{Form, Shape};
use super::objective::{Objective, Terms, padded};
use super::precondition::Preconditioner;
use super::weights;
use crate::Cpu;
use crate::design::Design;
use crate::lanes::Aligned;
use lipex_core::{Backend, Fitted, Lambda, LambdaScale, Neighbourhood, Problem, Result, Softmax, Watch};
use std::collections::HashMap;

/// Problems of one neighbourhood, the same features and the same form, in the order of their first.
///
/// # Errors
/// Those of [`Shape::of`].
///
/// # Shapes
/// Lists of the problems' numbers. Each group can be prepared once; their fits are spread over threads.
pub(super) fn together(settings: &Softmax, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Vec<usize>>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut places: HashMap<(*const Neighbourhood<Cpu>, &[usize], Shape), usize> = HashMap::new();
    for (i, problem) in problems.iter().enumerate() {
        let key =
            (std::ptr::from_ref(problem.around), problem.selection.kept.as_slice(), Shape::of(settings, problem)?);
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(i);
    }
    Ok(groups)
}

/// What fits around one instance on the same features have in common. A fit is the same to the bit whether it shares
/// this with others or not.
pub(super) struct Shared<'a> {
    /// Masks, P and π of the instance.
    pub around: &'a Neighbourhood<Cpu>,
    /// The features, by number, ascending.
    pub kept: &'a [usize],
    /// The columns of the design and what logits start from.
    pub form: Form,
    /// The run that the fits are part of.
    pub watch: &'a Watch,
    /// The masks' patterns on these columns.
    design: Design,
    /// P, padded.
    pub p: Aligned<f32>,
    /// λ_c over λ, C numbers; empty where they are all 1.
    by_class: Vec<f64>,
    /// The preconditioner at a start that several fits have.
    pub warm: Option<Warm<'a>>,
}

/// A start that several problems have, with what is made of it.
pub(super) struct Warm<'a> {
    /// The fit to start from.
    pub start: &'a Fitted,
    /// The λ that the preconditioner was made for.
    pub lambda: f64,
    /// M⁻¹ at the start's answers, from all rows.
    pub preconditioner: Preconditioner,
}

impl<'a> Shared<'a> {
    /// What the problems of one group share.
    pub fn new(on: &'a Cpu, settings: &Softmax, problems: &[Problem<'a, Cpu>], group: &[usize]) -> Result<Self> {
        let Problem { around, selection, start, .. } = problems[group[0]];
        let kept: &[usize] = &selection.kept;
        let form = Form::new(Shape::of(settings, &problems[group[0]])?, around)?;
        let design = Design::new(&around.masks, form.columns(kept));
        let (p, by_class) = (padded(&around.probabilities), by_class(settings, around));
        let mut shared = Shared { around, kept, form, watch: on.watch(), design, p, by_class, warm: None };
        if let (Some(start), true) = (start, group.len() > 1) {
            let lambda = match settings.lambda_set() {
                Lambda::Fixed(_) => settings.lambda_used()?,
                Lambda::Auto => start.report.lambda,
            };
            shared.warm = Some(Warm { start, lambda, preconditioner: shared.at_start(settings, start, lambda)? });
        }
        Ok(shared)
    }

    /// What an objective of the group is made of, with this λ.
    pub fn terms<'b>(&'b self, settings: &'b Softmax, lambda: f64) -> Terms<'b> {
        self.terms_on(settings, lambda, &self.design)
    }

    /// The same on a design with other pairs.
    pub fn terms_on<'b>(&'b self, settings: &'b Softmax, lambda: f64, design: &'b Design) -> Terms<'b> {
        Terms {
            design,
            p: &self.p,
            classes: self.around.probabilities.classes(),
            divergence: settings.divergence_in_use(),
            lambda: self.form.penalty(lambda),
            by_class: &self.by_class,
            ones: self.form.ones(self.kept.len()),
            offset: &self.form.offset,
        }
    }

    /// The preconditioner at a start, from all rows whatever their multiplicities.
    ///
    /// A bootstrap's own rows would do a little better and cost a preconditioner each; all rows serve every one of them.
    pub fn at_start(&self, settings: &Softmax, start: &Fitted, lambda: f64) -> Result<Preconditioner> {
        let (rows, weights) = weights(settings, self.around, None);
        let objective = Objective::new(self.terms(settings, lambda), &rows, &weights);
        Ok(Preconditioner::at(&objective, &self.form.layout(start.linear()?, self.kept)?))
    }
}

/// λ_c over λ, from all rows whatever their multiplicities, so that refits of a fit are about that fit; empty where every
/// class has λ.
///
/// # Source
/// [`Softmax::penalties`](lipex_core::Softmax::penalties), divided by λ.
pub(crate) fn by_class(settings: &Softmax, around: &Neighbourhood<Cpu>) -> Vec<f64> {
    if settings.lambda_scale_in_use() != LambdaScale::Class {
        return Vec::new();
    }
    let p = &around.probabilities;
    settings.penalties(1.0, p.classes(), p.values(), around.weights.values(), around.samples(None))
}
