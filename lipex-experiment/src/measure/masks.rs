//! Masks that no fit has seen, with the model's answers to them.

use super::total_variation;
use crate::occasion::Occasion;
use lipex::{Answer, Bernoulli, Cpu, Error, Explainer, Explanation, Neighbourhood, OutOfFold, Pairs, Result, is_near};
use std::sync::Arc;

/// Masks that judge surrogates, each with a weight.
#[derive(Clone)]
pub struct Judges {
    pool: Arc<Neighbourhood<Cpu>>,
    rows: Vec<(usize, f64)>,
}

impl Judges {
    /// `count` masks of the law that LIPEX draws from (for photos Bernoulli(½)), weighted by proximity, without the instance.
    ///
    /// # Errors
    /// Those of the model.
    pub fn unseen<Batch>(at: &Occasion<'_, Batch>, count: usize, seed: u64) -> Result<Self> {
        let pool = Arc::new(asked(at, bare(at), count, seed)?);
        let rows = (1..pool.rows()).map(|i| (i, f64::from(pool.weights.values()[i]))).collect();
        Ok(Judges { pool, rows })
    }

    /// The masks of these that keep more than .8 of the features, all alike; where there are fewer than ten, such masks of
    /// Bernoulli(.9).
    ///
    /// # Errors
    /// Those of the model.
    pub fn near<Batch>(&self, at: &Occasion<'_, Batch>, count: usize, seed: u64) -> Result<Self> {
        let of = |pool: &Neighbourhood<Cpu>| -> Vec<(usize, f64)> {
            let near = |&i: &usize| is_near(pool.masks.count(i), pool.masks.features());
            (1..pool.rows()).filter(near).map(|i| (i, 1.0)).collect()
        };
        let rows = of(&self.pool);
        if rows.len() >= 10 {
            return Ok(Judges { pool: self.pool.clone(), rows });
        }
        let pool = Arc::new(asked(at, bare(at).perturber(Bernoulli::new(0.9)?), count, seed)?);
        let rows = of(&pool);
        Ok(Judges { pool, rows })
    }

    /// `count` masks that keep each feature with probability ½, all alike: uniform over subsets.
    ///
    /// # Errors
    /// Those of the model.
    pub fn uniform<Batch>(at: &Occasion<'_, Batch>, count: usize, seed: u64) -> Result<Self> {
        let pool = Arc::new(asked(at, bare(at).perturber(Bernoulli::new(0.5)?), count, seed)?);
        let rows = (1..pool.rows()).map(|i| (i, 1.0)).collect();
        Ok(Judges { pool, rows })
    }

    /// How many masks there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The weighted mean of the total variation between the model and the surrogate; `None` without masks or surrogate.
    ///
    /// # Errors
    /// Those of [`Answer::predict`].
    pub fn variation(&self, explanation: &Explanation) -> Result<Option<f64>> {
        let Some(answer) = &explanation.answer else { return Ok(None) };
        self.mean(|i| Ok(total_variation(&self.answer(i), &self.predicted(answer, i)?)))
    }

    /// The weighted share of masks at which the surrogate's answer is no distribution: a number below 0, or a sum that is not 1.
    ///
    /// # Errors
    /// Those of [`Answer::predict`].
    pub fn off_simplex(&self, explanation: &Explanation) -> Result<Option<f64>> {
        let Some(answer) = &explanation.answer else { return Ok(None) };
        let is_off = |q: &[f64]| q.iter().any(|&v| v < -1e-6) || (q.iter().sum::<f64>() - 1.0).abs() > 1e-3;
        self.mean(|i| Ok(f64::from(is_off(&self.predicted(answer, i)?))))
    }

    /// The weighted mean of the total variation between these answers and another model's to the same masks; `None` without masks.
    ///
    /// # Errors
    /// [`Error::Shape`] where the other has other masks.
    pub fn between(&self, other: &Judges) -> Result<Option<f64>> {
        if self.pool.masks.bits() != other.pool.masks.bits() {
            return Err(Error::shape("masks (the same for both models)", self.len(), other.len()));
        }
        self.mean(|i| Ok(total_variation(&self.answer(i), &other.answer(i))))
    }

    /// The weighted mean over the masks of the total variation between two surrogates; `None` without masks or surrogates.
    ///
    /// # Errors
    /// Those of [`Answer::predict`].
    pub fn between_surrogates(&self, a: &Explanation, b: &Explanation) -> Result<Option<f64>> {
        let (Some(a), Some(b)) = (&a.answer, &b.answer) else { return Ok(None) };
        self.mean(|i| Ok(total_variation(&self.predicted(a, i)?, &self.predicted(b, i)?)))
    }

    /// The model's answer to a mask.
    fn answer(&self, row: usize) -> Vec<f64> {
        self.pool.probabilities.row(row).iter().map(|&p| f64::from(p)).collect()
    }

    /// A surrogate's answer to a mask.
    fn predicted(&self, answer: &Answer, row: usize) -> Result<Vec<f64>> {
        answer.predict(&answer.kept().iter().map(|&j| self.pool.masks.keeps(row, j)).collect::<Vec<bool>>())
    }

    fn mean(&self, of: impl Fn(usize) -> Result<f64>) -> Result<Option<f64>> {
        let (mut weights, mut sum) = (0.0, 0.0);
        for &(i, weight) in &self.rows {
            sum += weight * of(i)?;
            weights += weight;
        }
        Ok((weights > 0.0).then(|| sum / weights))
    }
}

/// Masks are all that is wanted.
fn bare<Batch>(at: &Occasion<'_, Batch>) -> Explainer<Cpu> {
    let explainer = Explainer::lipex(at.on().clone()).evaluator(OutOfFold { folds: 0 }).pairs(Pairs::None);
    if at.domain() == lipex::Domain::Image { explainer.images() } else { explainer }
}

fn asked<Batch>(
    at: &Occasion<'_, Batch>,
    explainer: Explainer<Cpu>,
    count: usize,
    seed: u64,
) -> Result<Neighbourhood<Cpu>> {
    let explainer = explainer.enumerate(lipex::Enumerate::Never).samples(count + 1).seed(seed);
    Ok(explainer.explain_with_neighbourhood(at.instance(), at.model())?.1)
}
