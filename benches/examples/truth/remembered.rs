//! A model that is asked each input once, however many fits want its answer.

use lipex::{Backend, Batching, BlackBox, Cpu, Images, Keys, Probabilities, Result, Texts};
use std::collections::HashMap;
use std::sync::Mutex;

/// A batch of which some inputs can be asked alone.
pub trait Pick: Keys + Sized {
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

pub struct Remembered<M> {
    model: M,
    answers: Mutex<(HashMap<String, Vec<f32>>, usize)>,
}

impl<M> Remembered<M> {
    pub fn new(model: M) -> Self {
        Remembered { model, answers: Mutex::default() }
    }

    /// Forgets the answers, for the next input; the count stays.
    pub fn forget(&self) {
        self.answers.lock().expect("nobody panicked").0.clear();
    }

    /// Distinct inputs that the model was asked.
    pub fn asked(&self) -> usize {
        self.answers.lock().expect("nobody panicked").1
    }
}

impl<M: BlackBox<Cpu, Batch>, Batch: Pick> BlackBox<Cpu, Batch> for Remembered<M> {
    fn labels(&self) -> Option<&[String]> {
        self.model.labels()
    }

    fn batching(&self) -> Batching {
        Batching::Own
    }

    fn predict(&self, on: &Cpu, batch: &Batch) -> Result<Probabilities<Cpu>> {
        let mut guard = self.answers.lock().expect("nobody panicked");
        let (known, asked) = &mut *guard;
        let keys = batch.keys();
        let mut new: Vec<usize> = (0..keys.len()).filter(|&i| !known.contains_key(&keys[i])).collect();
        new.sort_by_key(|&i| &keys[i]);
        new.dedup_by_key(|i| &keys[*i]);
        if !new.is_empty() {
            *asked += new.len();
            let answers = self.model.predict(on, &batch.pick(&new)?)?;
            for (row, &i) in new.iter().enumerate() {
                known.insert(keys[i].clone(), answers.row(row).to_vec());
            }
        }
        let rows: Vec<f32> = keys.iter().flat_map(|key| known[key].iter().copied()).collect();
        let classes = rows.len() / keys.len().max(1);
        Probabilities::new(on, keys.len(), classes, on.upload(rows)?)
    }
}
