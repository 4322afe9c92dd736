//! Attributions without gradients: features are taken away, and the black box is asked.

use crate::attribution::{Attributions, Output};
use crate::backend::{Backend, Masks, Probabilities, check_score_rows};
use crate::bits::whole_mask;
use crate::describe::Setting;
use crate::divergence::FLOOR;
use crate::error::{Error, Result, expect_len};
use crate::philox::{Draws, Purpose};
use crate::predict::BlackBox;
use crate::render::{Feature, Render};

/// Most inputs that are rendered at a time.
const BATCH: usize = 256;

impl Output {
    /// Its value as far as probabilities tell it. Of classes that exclude each other a logit is known but for a number that all
    /// share: ln p less the mean of all ln p. Of independent labels it is ln p/(1 − p).
    ///
    /// # Numerics
    /// Probabilities are taken as 10⁻⁷ at least, as [`FLOOR`] says.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that does not exist.
    ///
    /// ```
    /// use lipex_core::Output;
    ///
    /// let odds = Output::Contrast { of: 0, against: 1 }.of_probabilities(&[0.75, 0.25], false)?;
    /// assert!((odds - 3f64.ln()).abs() < 1e-12);
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub fn of_probabilities(self, p: &[f64], independent: bool) -> Result<f64> {
        if let Output::Probability(class) = self {
            return p
                .get(class)
                .copied()
                .ok_or_else(|| Error::shape("class (below the number of classes)", p.len(), class));
        }
        let floored = |p: f64| p.max(f64::from(FLOOR)).ln();
        let mut logits: Vec<f64> = match independent {
            true => p.iter().map(|&p| floored(p) - floored(1.0 - p)).collect(),
            false => p.iter().map(|&p| floored(p)).collect(),
        };
        if !independent {
            let mean = logits.iter().sum::<f64>() / logits.len().max(1) as f64;
            logits.iter_mut().for_each(|l| *l -= mean);
        }
        self.value(&logits)
    }
}

/// A black box's checked answers to a batch.
///
/// # Errors
/// [`Error::Shape`] for another number of rows; [`Error::NotADistribution`] for a row that is none; those of the model.
pub fn checked_answers<B: Backend, Batch>(
    on: &B,
    model: &dyn BlackBox<B, Batch>,
    batch: &Batch,
    rows: usize,
) -> Result<Probabilities<B>> {
    let p = model.predict(on, batch)?;
    expect_len("rows from the model", rows, p.rows())?;
    match (p.sums_off(), p.is_independent()) {
        (Some(_), _) => Ok(p),
        (None, true) => check_score_rows(on, p),
        (None, false) => on.normalise(p),
    }
}

/// Asks a black box for the instance under masks, ⌈D/32⌉ words each: a row a mask, C numbers each, and whether they are
/// independent.
pub(crate) fn answers<B: Backend, Batch>(
    on: &B,
    instance: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    masks: &[Vec<u32>],
) -> Result<(Vec<Vec<f64>>, bool)> {
    let masks = Masks::new(on, masks.len(), instance.features().len(), on.upload(masks.concat())?)?;
    let (mut rows, mut independent) = (Vec::with_capacity(masks.rows()), false);
    let size = instance.largest_batch().clamp(1, BATCH);
    for start in (0..masks.rows()).step_by(size) {
        let part = start..masks.rows().min(start + size);
        let batch = instance.render(on, &masks, part.clone())?;
        let p = checked_answers(on, model, &batch, part.len())?;
        independent = p.is_independent();
        let values = on.download(p.values())?;
        rows.extend(values.chunks_exact(p.classes().max(1)).map(|row| row.iter().map(|&v| f64::from(v)).collect()));
    }
    Ok((rows, independent))
}

/// A mask without some features.
fn without(features: usize, gone: &[usize]) -> Vec<u32> {
    let mut words = whole_mask(features);
    gone.iter().for_each(|j| words[j / 32] &= !(1 << (j % 32)));
    words
}

/// What the outputs lose when features are removed: one by one (a `window` of 1: leave one out), or so many neighbours
/// together (occlusion), each window's loss then added to each feature in it.
///
/// Needs as many inputs as there are windows, and the instance.
///
/// # Errors
/// [`Error::Setting`] for a window of no feature; [`Error::Shape`] for a class that does not exist; those of the model.
pub fn leave_out<B: Backend, Batch>(
    on: &B,
    instance: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    outputs: &[Output],
    window: usize,
) -> Result<Attributions> {
    let features = instance.features();
    if window == 0 || window > features.len() {
        let reason = format!("a window has 1 to {} features", features.len());
        return Err(Error::setting("window", window, reason));
    }
    let windows: Vec<Vec<usize>> = (0..=features.len() - window).map(|from| (from..from + window).collect()).collect();
    let every = whole_mask(features.len());
    let masks: Vec<Vec<u32>> =
        std::iter::once(every).chain(windows.iter().map(|gone| without(features.len(), gone))).collect();
    let (rows, independent) = answers(on, instance, model, &masks)?;
    let mut scores = vec![vec![0.0; features.len()]; outputs.len()];
    for (scores, output) in scores.iter_mut().zip(outputs) {
        let whole = output.of_probabilities(&rows[0], independent)?;
        for (row, window) in rows[1..].iter().zip(&windows) {
            let lost = whole - output.of_probabilities(row, independent)?;
            window.iter().for_each(|&j| scores[j] += lost);
        }
    }
    let method = match window {
        1 => vec![Setting::new("method", "leave-one-out")],
        _ => vec![Setting::new("method", "occlusion"), Setting::new("window", window)],
    };
    Ok(Attributions {
        method,
        features: features.to_vec(),
        outside: vec![0.0; outputs.len()],
        scores,
        ..Default::default()
    })
}

/// Scores that know nothing, uniform from 0 to 1: what any method should beat. Row i of the seed is output i.
///
/// ```
/// use lipex_core::{Feature, Output, random_scores};
///
/// let found = random_scores(7, vec![Feature::default(); 3], &[Output::Logit(0), Output::Logit(1)]);
/// assert!(found.scores.iter().flatten().all(|s| (0.0..1.0).contains(s)) && found.scores[0] != found.scores[1]);
/// ```
pub fn random_scores(seed: u64, features: Vec<Feature>, outputs: &[Output]) -> Attributions {
    let row = |i: u32| {
        let mut draws = Draws::new(seed, i, 0, Purpose::Own);
        (0..features.len() as u32).map(|j| draws.unit(j)).collect()
    };
    let scores = (0..outputs.len() as u32).map(row).collect();
    let method = vec![Setting::new("method", "random"), Setting::new("seed", seed)];
    Attributions { method, features, scores, outside: vec![0.0; outputs.len()], ..Attributions::default() }
}
