//! Several labels at once: each is a problem of two classes, the label against not that label, fitted on its own; here they
//! are made out of the answers, and the fits are read together.

use super::run::Made;
use crate::backend::{Backend, Neighbourhood, Probabilities};
use crate::error::{Error, Result, expect_len};
use crate::evaluate::{Agreement, Fidelity};
use crate::explanation::arg_max;
use crate::fit::{Base, FitReport, Fitted, Linear, Link, Term};
use crate::uncertainty::{ErrorBars, FewRows, InTop, Method, Settling, Spread, Uncertainty};
use std::collections::BTreeSet;

/// The neighbourhood of one label: its probability and the rest.
pub(super) fn of<B: Backend>(on: &B, around: &Neighbourhood<B>, label: usize) -> Result<Neighbourhood<B>> {
    let p = &around.probabilities;
    let host = on.download(p.values())?;
    let values = host.iter().skip(label).step_by(p.classes().max(1)).flat_map(|&p| [p, 1.0 - p]).collect();
    around.answered(on, Probabilities::new(on, around.rows(), 2, on.upload(values)?)?)
}

/// Error bars of one label such that all labels together have bands of the level that was asked for.
pub(super) fn bars(bars: &ErrorBars, labels: usize) -> Result<ErrorBars> {
    bars.level(1.0 - (1.0 - bars.level_in_use()) / labels.max(1) as f64)
}

/// What was made of each label, read together.
pub(super) fn together(made: Vec<Made>, p: &[f64], level: f64, rows: usize) -> Result<Made> {
    let fits: Vec<&Fitted> = made.iter().map(|m| &m.fit).collect();
    let mut fit = fit(&fits)?;
    // Labels that have no pairs of their own are ranked by the fit that they have.
    if fits.iter().any(|one| one.additive.is_some()) {
        let additive: Vec<&Fitted> = fits.iter().map(|one| one.ranking()).collect();
        fit.additive = Some(Box::new(self::fit(&additive)?));
    }
    let fidelity = fidelity(&made);
    let uncertainty = if made.iter().all(|m| m.uncertainty.is_some()) {
        let all: Vec<(&Fitted, &Uncertainty)> =
            made.iter().filter_map(|m| Some((&m.fit, m.uncertainty.as_ref()?))).collect();
        Some(uncertainty(&all, fit.kept(), p, (level, rows))?)
    } else {
        None
    };
    // The label that the masks determine least speaks for the rest.
    let information =
        made.iter().filter_map(|m| m.information).max_by_key(|i| (i.unknowns.saturating_sub(i.rank), i.unknowns));
    Ok(Made { fit, fidelity, uncertainty, information })
}

/// The answers of all labels as one: a row a label, in log-odds of the label against not that label.
fn fit(fits: &[&Fitted]) -> Result<Fitted> {
    let reason =
        "independent labels are read together from surrogates that are linear; use a softmax, a ridge or kernel-shap";
    let refuse = || Error::setting("outputs", "independent", reason);
    let linear: Vec<&Linear> = fits.iter().map(|f| f.answer.linear().ok_or_else(refuse)).collect::<Result<_>>()?;
    let link = match linear.first().map(|l| l.link()) {
        Some(Link::Identity) => Link::Identity,
        _ => Link::Logistic,
    };
    let kept: BTreeSet<usize> = linear.iter().flat_map(|l| l.kept().iter().copied()).collect();
    let kept: Vec<usize> = kept.into_iter().collect();
    let pairs: BTreeSet<Term> =
        linear.iter().flat_map(|l| l.terms()).filter(|t| t.as_pair().is_some()).copied().collect();
    let terms: Vec<Term> = kept.iter().map(|&j| Term::one(j)).chain(pairs).collect();
    let one = |pair: &[f64]| against(pair, link);
    let row = |l: &&Linear| -> Vec<f64> {
        let place = |t: &Term| l.terms().iter().position(|u| u == t);
        let value = |t: usize| one(&l.coefficients().iter().map(|row| row[t]).collect::<Vec<f64>>());
        terms.iter().map(|t| place(t).map_or(0.0, value)).collect()
    };
    let coefficients = linear.iter().map(row).collect();
    let whole = linear.iter().map(|l| one(&l.whole())).collect();
    let base = match linear.first().map(|l| l.base()) {
        Some(Base::Anchored(_)) => Base::Anchored(whole),
        Some(Base::None) => Base::None,
        _ => Base::Intercept(whole),
    };
    let places = |l: &&Linear| l.kept().iter().filter_map(|j| kept.binary_search(j).ok()).collect();
    let support = linear.iter().map(places).collect();
    let answer = Linear::new(kept.clone(), terms, coefficients, base, support, link)?;
    Ok(Fitted::new(answer, report(fits)))
}

/// A label's number out of those of its two classes.
fn against(two: &[f64], link: Link) -> f64 {
    match (two, link) {
        ([label, rest, ..], Link::Logistic) => label - rest,
        ([label, ..], _) => *label,
        ([], _) => 0.0,
    }
}

/// How the fits went, together: objectives and work are summed, the least good speaks for the rest.
fn report(fits: &[&Fitted]) -> FitReport {
    let Some(first) = fits.first() else { return FitReport::solved("there was no label") };
    let all = || fits.iter().map(|f| &f.report);
    let short = all().find(|r| !r.converged).unwrap_or(&first.report);
    FitReport {
        objective: all().map(|r| r.objective).sum(),
        gradient_norm: all().map(|r| r.gradient_norm).fold(0.0, f64::max),
        lambda: all().map(|r| r.lambda).fold(0.0, f64::max),
        iterations: all().map(|r| r.iterations).sum(),
        evaluations: all().map(|r| r.evaluations).sum(),
        hessian_products: all().map(|r| r.hessian_products).sum(),
        ..short.clone()
    }
}

/// The mean over labels.
fn fidelity(made: &[Made]) -> Fidelity {
    let mean = |of: Vec<&Agreement>| {
        let mean = |f: fn(&Agreement) -> f64| of.iter().map(|a| f(a)).sum::<f64>() / of.len().max(1) as f64;
        Agreement {
            tv: mean(|a| a.tv),
            hellinger: mean(|a| a.hellinger),
            kl: mean(|a| a.kl),
            arg_max: mean(|a| a.arg_max),
            off_simplex: mean(|a| a.off_simplex),
        }
    };
    let of_all = |f: fn(&Fidelity) -> Option<&Agreement>| {
        made.iter().map(|m| f(&m.fidelity)).collect::<Option<Vec<&Agreement>>>().map(mean)
    };
    Fidelity {
        out_of_fold: of_all(|f| f.out_of_fold.as_ref()),
        near: of_all(|f| f.near.as_ref()),
        at_instance: mean(made.iter().map(|m| &m.fidelity.at_instance).collect()),
        in_sample: mean(made.iter().map(|m| &m.fidelity.in_sample).collect()),
        r2: made.iter().map(|m| m.fidelity.r2.first().copied().unwrap_or(0.0)).collect(),
    }
}

/// A fit of one label with its error bars.
type Bars<'a> = (&'a Fitted, &'a Uncertainty);

/// The bars of all labels.
fn uncertainty(all: &[Bars<'_>], kept: &[usize], p: &[f64], (level, rows): (f64, usize)) -> Result<Uncertainty> {
    expect_len("labels", p.len(), all.len())?;
    let labels = all.len();
    let std_error: Vec<Vec<f64>> = all.iter().map(|bars| std_errors(bars, kept)).collect();
    let predicted = arg_max(p);
    let (_, main) = all[predicted];
    let contrasted = contrasted(p);
    let covariance = (0..kept.len()).map(|j| independent(&contrasted, &std_error, j)).collect();
    let few_rows = fewest_degrees(all);
    let plain = Spread::exact(labels, kept.len());
    let spread = few_rows.map_or(plain.clone(), |few| plain.few_rows(few));
    let mut not_covered = main.not_covered.clone();
    not_covered.push(
        "How labels vary together: each was fitted on its own, and contrasts of two take their errors as independent."
            .into(),
    );
    let mut whole = Uncertainty {
        level,
        std_error,
        covariance,
        contrasted: if contrasted.len() < labels { contrasted } else { Vec::new() },
        quantile: if main.method == Method::Exact { main.quantile } else { spread.quantile(0.5 + 0.5 * level) },
        band: all.iter().map(|(_, u)| u.band).fold(0.0, f64::max),
        few_rows,
        in_top: in_top(all, main),
        shrinkage: all.iter().filter_map(|(_, u)| u.shrinkage).min_by(f64::total_cmp),
        relaxed: all.iter().map(|bars| relaxed(bars, kept)).collect(),
        needed: None,
        settling: main.settling.as_ref().map(|s| Settling { class: predicted, ..s.clone() }),
        not_covered,
        ..main.clone()
    };
    whole.needed = whole.masks_for(0.5 * whole.half_width(), rows);
    Ok(whole)
}

/// The covariance of one feature's shares between labels that were fitted each on its own.
fn independent(labels: &[usize], std_error: &[Vec<f64>], j: usize) -> Vec<Vec<f64>> {
    let entry = |a: usize, b: usize| if a == b { std_error[a][j].powi(2) } else { 0.0 };
    labels.iter().map(|&a| labels.iter().map(|&b| entry(a, b)).collect()).collect()
}

/// The standard error of one label's share of each kept feature, 0 where the label's fit lacks the feature. In log-odds the
/// share is that of the label less that of the rest.
fn std_errors(&(fit, u): &Bars<'_>, kept: &[usize]) -> Vec<f64> {
    let identity = fit.answer.link() == Link::Identity;
    let value = |j: usize| {
        let v = |a: usize, b: usize| u.covariance[j][a][b];
        let variance = if identity { v(0, 0) } else { v(0, 0) + v(1, 1) - 2.0 * v(0, 1) };
        variance.max(0.0).sqrt()
    };
    kept.iter().map(|j| fit.kept().binary_search(j).map_or(0.0, value)).collect()
}

/// One label's share of each kept feature at a hundredth of the penalty, as [`std_errors`] has its error.
fn relaxed(&(fit, u): &Bars<'_>, kept: &[usize]) -> Option<Vec<f64>> {
    let shares = u.relaxed.as_ref()?;
    let identity = fit.answer.link() == Link::Identity;
    let value = |j: usize| if identity { shares[0][j] } else { shares[0][j] - shares[1][j] };
    Some(kept.iter().map(|j| fit.kept().binary_search(j).map_or(0.0, value)).collect())
}

/// The labels whose covariances are kept: all, or the likeliest where there are many.
fn contrasted(p: &[f64]) -> Vec<usize> {
    let mut contrasted: Vec<usize> = (0..p.len()).collect();
    if p.len() > Uncertainty::CONTRASTED {
        contrasted.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        contrasted.truncate(Uncertainty::CONTRASTED);
    }
    contrasted
}

/// The fewest degrees of freedom of any label.
fn fewest_degrees(all: &[Bars<'_>]) -> Option<FewRows> {
    let degrees = |few: &Option<FewRows>| few.map_or(f64::INFINITY, |few| few.degrees);
    all.iter().map(|(_, u)| u.few_rows).min_by(|a, b| degrees(a).total_cmp(&degrees(b))).flatten()
}

/// How often features are in the top k, a row a label; `None` unless every label has it.
fn in_top(all: &[Bars<'_>], main: &Uncertainty) -> Option<InTop> {
    let share = |u: &Uncertainty| u.in_top.as_ref().and_then(|top| top.share.first().cloned());
    let share = all.iter().map(|(_, u)| share(u)).collect::<Option<Vec<Vec<f64>>>>()?;
    main.in_top.as_ref().map(|top| InTop { k: top.k, refits: top.refits, share })
}
