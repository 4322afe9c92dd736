//! What `select` and `fit` share: a neighbourhood out of files, a stage done more than once, and JSON out.

use crate::named::{Named, OfWeighing};
use crate::output::Target;
use crate::report;
use clap::Args;
use lipex::npy::{self, Array};
use lipex::{
    Cpu, Dependence, Domain, Error, Exhaustive, GivenWeights, Masks, Neighbourhood, Probabilities, Proximity, Result,
    WeightProportional, Weights, pack_bits,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The neighbourhood, as NumPy files.
#[derive(Args)]
pub struct FileOptions {
    /// Masks: .npy, N×D, uint8, bool or float of 0 and 1, row 0 all ones; or a .npz that has them as "masks"
    #[arg(long, value_name = "F", help_heading = "Neighbourhood")]
    pub masks: String,
    /// The model's probabilities of those masks: .npy, N×C, float32 or float64; or a .npz that has them as "probs"
    #[arg(long, value_name = "F", help_heading = "Neighbourhood")]
    pub probs: String,
    /// A weight for each mask, in place of a proximity: .npy, N, float32 or float64; or a .npz that has them as "weights"
    #[arg(long, value_name = "F", conflicts_with = "proximity", help_heading = "Neighbourhood")]
    pub weights: Option<String>,
    #[command(flatten)]
    pub weigh: Named<OfWeighing>,
}

/// How a stage is run, and where its result goes.
#[derive(Args)]
pub struct StageOptions {
    /// Do the stage R times and report the median of the times, from decoded arrays to the answer. Does not change the
    /// result
    #[arg(long, value_name = "R", default_value_t = 1, help_heading = "Running")]
    pub repeat: usize,
    /// Where the result goes as JSON (docs/stages.md); - is standard output
    #[arg(long, value_name = "F", default_value = "-", help_heading = "Output")]
    pub json: String,
}

impl StageOptions {
    /// Where the JSON goes; checked before any work is done, as is the number of repetitions.
    pub fn target(&self) -> Result<Target> {
        if self.repeat == 0 || self.repeat > 1_000_000 {
            return Err(Error::setting("repeat", self.repeat, "from 1 to 1000000 times"));
        }
        Target::new("json", &self.json)
    }
}

/// Decoded files, and how their masks are weighed.
pub struct Arrays {
    /// Features of a mask.
    features: usize,
    /// The masks, a bit a feature: what the file held as numbers is given back.
    bits: Vec<u32>,
    probabilities: Array<f32>,
    proximity: Arc<dyn Proximity<Cpu>>,
}

impl Arrays {
    /// Reads and checks the files.
    pub fn read(files: &FileOptions) -> Result<Self> {
        let proximity = files.weigh.settings()?.proximity::<Cpu>(Domain::Text)?;
        let masks = npy::read_masks(&files.masks)?;
        let same_rows = |option: &str, file: &str, rows: usize| {
            if rows == masks.rows {
                return Ok(());
            }
            let reason = format!("has {rows} rows, but the masks {} have {}", files.masks, masks.rows);
            Err(Error::setting(option, file, reason))
        };
        let probabilities = npy::read_probabilities(&files.probs)?;
        same_rows("probs", &files.probs, probabilities.rows)?;
        let Some(file) = &files.weights else {
            if files.weigh.get("proximity").is_none() && holds_other_weights(&files.masks, &masks, proximity.as_ref()) {
                let name = report::printable(&files.masks);
                eprintln!(
                    "note: weights in {name} are not used, the exponential proximity is; --weights {name} uses them"
                );
            }
            return Ok(Arrays::new(&masks, probabilities, proximity));
        };
        let weights = npy::read_weights(file)?;
        same_rows("weights", file, weights.len())?;
        Ok(Arrays::new(&masks, probabilities, Arc::new(GivenWeights::new(weights)?)))
    }

    fn new(masks: &Array<u8>, probabilities: Array<f32>, proximity: Arc<dyn Proximity<Cpu>>) -> Self {
        let bits = pack_bits(masks.columns, &masks.values);
        Arrays { features: masks.columns, bits, probabilities, proximity }
    }

    /// The weight of every mask.
    pub fn weigh(&self, on: &Cpu, masks: &Masks<Cpu>) -> Result<Weights<Cpu>> {
        Ok(self.proximity.weigh(on, std::slice::from_ref(masks))?.remove(0))
    }

    /// Masks, answers and weights.
    pub fn neighbourhood(&self, on: &Cpu) -> Result<Neighbourhood<Cpu>> {
        let rows = self.probabilities.rows;
        let masks = Masks::new(on, rows, self.features, self.bits.clone())?;
        let weights = self.weigh(on, &masks)?;
        let values = self.probabilities.values.clone();
        let probabilities = Probabilities::new(on, rows, self.probabilities.columns, values)?;
        let dependence = dependence(&masks);
        Ok(Neighbourhood::new(on, masks, probabilities, weights)?.drawn(dependence))
    }
}

/// Whether a file of masks also holds weights, such as a sampler's own, and others than the proximity's.
fn holds_other_weights(file: &str, masks: &Array<u8>, proximity: &dyn Proximity<Cpu>) -> bool {
    // A pipe is read once, and has brought the masks.
    let weights = if Path::new(file).is_file() { npy::read_weights(file).ok() } else { None };
    let (Some(weights), Ok(Some(table))) = (weights, proximity.table(masks.columns)) else { return false };
    let kept = masks.values.chunks_exact(masks.columns).map(|row| row.iter().filter(|&&v| v == 1).count());
    weights.len() == masks.rows
        && kept.zip(&weights).any(|(m, &w)| (f64::from(w) - table.values()[m]).abs() > 1e-6 * table.values()[m])
}

/// How rows depend on one another, as far as the masks themselves show it.
///
/// Whether rows were drawn independently cannot be seen in them; complements side by side, every mask once, and sizes in the
/// order of the weight-proportional law's sequence can.
fn dependence(masks: &Masks<Cpu>) -> Dependence {
    let (rows, features) = (masks.rows(), masks.features());
    if features <= Exhaustive::MOST_FEATURES && rows == 1 << features {
        let mut seen = vec![false; rows];
        (0..rows).for_each(|i| seen[masks.row(i)[0] as usize] = true);
        if seen.into_iter().all(|seen| seen) {
            return Dependence::Exhaustive;
        }
    }
    let instance = masks.row(0);
    let complements = |m: usize| {
        let pair = masks.row(2 * m - 1).iter().zip(masks.row(2 * m));
        pair.zip(instance).all(|((a, b), all)| a ^ b == *all)
    };
    let pairs = (rows - 1) / 2;
    if pairs > 1 && (1..=pairs).all(complements) {
        return Dependence::Pairs;
    }
    let removed: Vec<usize> = (0..rows).map(|i| features - masks.count(i)).collect();
    if WeightProportional::shows_in(&removed) { Dependence::Stratified } else { Dependence::Unknown }
}

/// The median of times, in milliseconds.
pub fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let ms = |i: usize| times[i].as_secs_f64() * 1e3;
    let (low, high) = ((times.len() - 1) / 2, times.len() / 2);
    (ms(low) + ms(high)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_whole_cubes_show() {
        let of = |rows: &[u32]| {
            let on = Cpu::new();
            dependence(&Masks::new(&on, rows.len(), 2, rows.to_vec()).unwrap())
        };
        assert_eq!(of(&[3, 0, 2, 1]), Dependence::Exhaustive);
        assert_eq!(of(&[3, 0, 2, 2]), Dependence::Unknown);
        assert_eq!(of(&[3, 1, 2, 0, 3]), Dependence::Pairs);
        assert_eq!(of(&[3, 1, 2, 0, 3, 1]), Dependence::Pairs);
        assert_eq!(of(&[3, 1, 2, 0, 2]), Dependence::Unknown);
        assert_eq!(of(&[3]), Dependence::Unknown);
    }

    #[test]
    fn medians() {
        let of = |ms: &[u64]| median_ms(ms.iter().map(|&t| Duration::from_millis(t)).collect());
        assert_eq!((of(&[7]), of(&[9, 1, 2]), of(&[4, 1, 2, 100])), (7.0, 2.0, 3.0));
    }
}
