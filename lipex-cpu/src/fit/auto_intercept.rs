//! Anchored or fitted: anchored, and where the model all but rules a class out whichever is closer to it on held-out rows.
//!
//! # Method
//! Both surrogates are fitted without each of 5 folds, and the mean divergence of the rows left out is compared, weighted like
//! the fit. Anchored wins ties. A refit (bootstrap, fold, smaller penalty) takes the choice of the fit that it is of, so that
//! it is about that fit.
//!
//! # Cost
//! Twice the refits of an out-of-fold fidelity, and only where some class of P₀ is below the least that an anchor lets stand
//! ([`least_anchor`](lipex_core::least_anchor)).

use super::lambda;
use super::shared::Shared;
use crate::Cpu;
use lipex_core::{Base, Compared, Fitted, Intercept, Problem, Result, Softmax, Surrogate, least_anchor};

/// The fits of a batch, each with the intercept that suits it.
pub(super) fn fit(settings: &Softmax, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
    let chosen = on.map(problems.len(), |i| choose(settings, on, &problems[i]))?;
    let mut fitted: Vec<Option<Fitted>> = problems.iter().map(|_| None).collect();
    for intercept in [Intercept::Anchored, Intercept::Fitted] {
        let places: Vec<usize> = (0..problems.len()).filter(|&i| chosen[i].0 == intercept).collect();
        let part: Vec<Problem<'_, Cpu>> = places.iter().map(|&i| Problem { ..problems[i] }).collect();
        let made = settings.clone().intercept(intercept).fit(on, &part)?;
        places.iter().zip(made).for_each(|(&i, fit)| fitted[i] = Some(fit));
    }
    let noted = |(fit, (_, compared)): (Option<Fitted>, (Intercept, Option<Compared>))| {
        let mut fit = fit?;
        fit.report.intercept = compared;
        Some(fit)
    };
    Ok(fitted.into_iter().zip(chosen).filter_map(noted).collect())
}

/// The settings that a fit was made with.
///
/// A fit says itself whether it is anchored: its base tells. Error bars and shrinkage are then of the surrogate that was
/// taken.
pub(super) fn settled(settings: &Softmax, fitted: &Fitted) -> Result<Softmax> {
    let of_base = match fitted.linear()?.base() {
        Base::Anchored(_) => Intercept::Anchored,
        Base::Intercept(_) | Base::None => Intercept::Fitted,
    };
    let auto = settings.intercept_in_use() == Intercept::Auto;
    Ok(if auto { settings.clone().intercept(of_base) } else { settings.clone() })
}

/// The intercept of one problem, with the two divergences where both were tried.
fn choose(settings: &Softmax, on: &Cpu, problem: &Problem<'_, Cpu>) -> Result<(Intercept, Option<Compared>)> {
    if let Some(start) = problem.start {
        return Ok((settled(settings, start)?.intercept_in_use(), None));
    }
    let p = &problem.around.probabilities;
    let least = least_anchor(p.classes()) as f32;
    if p.rows() == 0 || p.row(0).iter().all(|&p| p >= least) {
        return Ok((Intercept::Anchored, None));
    }
    let score = |intercept| -> Result<Option<f64>> {
        let settings = settings.clone().intercept(intercept);
        let shared = Shared::new(on, &settings, std::slice::from_ref(problem), &[0])?;
        let scores = lambda::scores(&settings, &shared, problem, &lambda::candidates(&settings)?)?;
        Ok(scores.map(|scores| scores.into_iter().fold(f64::INFINITY, f64::min)))
    };
    let (Some(anchored), Some(fitted)) = (score(Intercept::Anchored)?, score(Intercept::Fitted)?) else {
        return Ok((Intercept::Anchored, None));
    };
    let better = if fitted < anchored { Intercept::Fitted } else { Intercept::Anchored };
    Ok((better, Some(Compared { anchored, fitted })))
}
