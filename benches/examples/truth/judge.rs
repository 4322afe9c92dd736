//! How one explanation fares on masks that it has not seen, and on the removals that it proposes.

use lipex::{BlackBox, Cpu, Explainer, Explanation, Grade, Neighbourhood, Rank, Render, Result, arg_max};
use lipex_experiment::measure::total_variation;
use std::sync::Arc;

/// Rankings are tried to this length.
pub const REMOVED: usize = 5;

/// Rows of a neighbourhood, each with its weight.
pub struct Judges {
    pub pool: Arc<Neighbourhood<Cpu>>,
    pub rows: Vec<(usize, f64)>,
}

pub struct Fresh {
    pub unseen: Judges,
    pub near: Judges,
}

/// One input under one way to fit.
#[derive(Clone)]
pub struct Judged {
    pub at_instance: f64,
    pub unseen: f64,
    /// `None` where no mask is near.
    pub near: Option<f64>,
    /// The out-of-fold total variation that the explanation states.
    pub said: Option<f64>,
    pub pairs: usize,
    /// Whether removing the first 1 … 5 of the ranking changes the class.
    pub flips: Vec<bool>,
    /// The same for the greedy set.
    pub greedy: Vec<bool>,
    pub grade: Option<Grade>,
}

pub fn judge<I, M, Batch>(explainer: &Explainer<Cpu>, instance: &I, fresh: &Fresh, model: &M) -> Result<Judged>
where
    I: Render<Cpu, Batch>,
    M: BlackBox<Cpu, Batch>,
{
    let e = explainer.explain(instance, model)?;
    let class = e.predicted();
    let changes =
        |removed: &[usize]| -> Result<bool> { Ok(arg_max(&explainer.ask_without(instance, model, removed)?) != class) };
    let order: Vec<usize> = e.top_k(class, REMOVED, Rank::Supporting).iter().map(|w| w.feature).collect();
    let greedy: &[usize] = e.removal.as_ref().map_or(&[], |removal| &removal.features);
    let flips = |order: &[usize]| (1..=REMOVED).map(|k| changes(&order[..k.min(order.len())])).collect::<Result<_>>();
    Ok(Judged {
        at_instance: total_variation(&e.probabilities.model, &e.probabilities.surrogate),
        unseen: fresh.unseen.variation(&e)?.unwrap_or(0.0),
        near: fresh.near.variation(&e)?,
        said: e.fidelity.as_ref().and_then(|f| f.out_of_fold.as_ref()).map(|a| a.tv),
        pairs: e.pairs().len(),
        flips: flips(&order)?,
        greedy: flips(greedy)?,
        grade: e.verdict().map(|verdict| verdict.grade),
    })
}

impl Judges {
    /// The weighted mean of the total variation over the rows; `None` without any.
    fn variation(&self, e: &Explanation) -> Result<Option<f64>> {
        let answer = e.answer.as_ref().expect("a fit");
        let (mut weights, mut sum) = (0.0, 0.0);
        for &(i, weight) in &self.rows {
            let keeps: Vec<bool> = answer.kept().iter().map(|&j| self.pool.masks.keeps(i, j)).collect();
            let q = answer.predict(&keeps)?;
            let p: Vec<f64> = self.pool.probabilities.row(i).iter().map(|&p| f64::from(p)).collect();
            sum += weight * total_variation(&p, &q);
            weights += weight;
        }
        Ok((weights > 0.0).then(|| sum / weights))
    }
}
