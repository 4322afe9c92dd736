//! A model that is asked each input once, however many methods want its answer.

use lipex::{Backend, Batching, BlackBox, Cpu, Images, Keys, Probabilities, Result, Texts};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A batch of which some inputs can be asked alone.
pub trait Pick: Keys + Sized {
    /// The inputs of such rows, in that order.
    ///
    /// # Errors
    /// None for rows of the batch.
    fn pick(&self, rows: &[usize]) -> Result<Self>;
}

impl Pick for Texts {
    fn pick(&self, rows: &[usize]) -> Result<Self> {
        Ok(Texts::from(rows.iter().map(|&i| self.as_slice()[i].clone()).collect::<Vec<_>>()))
    }
}

impl Pick for Images {
    fn pick(&self, rows: &[usize]) -> Result<Self> {
        let all: Vec<&[u8]> = self.iter().collect();
        Images::new(self.width(), self.height(), rows.iter().flat_map(|&i| all[i]).copied().collect())
    }
}

/// A black box that is asked each input once; the answers are shared by all that ask it, until they are forgotten.
///
/// ```
/// use lipex::prelude::*;
/// use lipex_experiment::{LeaveOneOut, Method, Occasion, Shared};
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| vec![[0.4, 0.6]; texts.len()]);
/// let shared = Shared::new(&model);
/// let text = TextInstance::new("a fine day")?;
/// let at = Occasion::new(&text, &shared)?;
/// LeaveOneOut.explain(&at, 0)?;
/// LeaveOneOut.explain(&at, 1)?;
/// assert_eq!(shared.asked(), 4); // the text, and each word left out
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Shared<'a, Batch> {
    model: &'a dyn BlackBox<Cpu, Batch>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    answers: HashMap<String, Vec<f32>>,
    independent: bool,
    asked: usize,
}

impl<'a, Batch> Shared<'a, Batch> {
    /// Knows nothing yet.
    pub fn new(model: &'a dyn BlackBox<Cpu, Batch>) -> Self {
        Shared { model, known: Mutex::default() }
    }

    /// Forgets the answers, for the next input; the count stays.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).answers.clear();
    }

    /// Distinct inputs that the model was asked.
    pub fn asked(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).asked
    }
}

impl<Batch: Pick> BlackBox<Cpu, Batch> for Shared<'_, Batch> {
    fn labels(&self) -> Option<&[String]> {
        self.model.labels()
    }

    fn batching(&self) -> Batching {
        self.model.batching()
    }

    fn predict(&self, on: &Cpu, batch: &Batch) -> Result<Probabilities<Cpu>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = batch.keys();
        let mut new: Vec<usize> = (0..keys.len()).filter(|&i| !known.answers.contains_key(&keys[i])).collect();
        new.sort_by_key(|&i| &keys[i]);
        new.dedup_by_key(|i| &keys[*i]);
        new.sort_unstable();
        if !new.is_empty() {
            let answers = self.model.predict(on, &batch.pick(&new)?)?;
            lipex::expect_len("rows from the model", new.len(), answers.rows())?;
            known.asked += new.len();
            known.independent = answers.is_independent();
            let rows: Vec<f32> = on.download(answers.values())?;
            for (&i, row) in new.iter().zip(rows.chunks_exact(answers.classes().max(1))) {
                known.answers.insert(keys[i].clone(), row.to_vec());
            }
        }
        let rows: Vec<f32> = keys.iter().flat_map(|key| known.answers[key].iter().copied()).collect();
        let classes = rows.len() / keys.len().max(1);
        let p = Probabilities::new(on, keys.len(), classes, on.upload(rows)?)?;
        Ok(if known.independent { p.independent() } else { p })
    }
}
