//! A model that is asked each text once, however many fits want its answer.

use lipex::{Backend, Batching, BlackBox, Cpu, OnnxText, Probabilities, Result, Texts};
use std::collections::HashMap;
use std::sync::Mutex;

pub struct Remembered {
    model: OnnxText,
    answers: Mutex<(HashMap<String, Vec<f32>>, usize)>,
}

impl Remembered {
    pub fn new(model: OnnxText) -> Self {
        Remembered { model, answers: Mutex::default() }
    }

    /// Forgets the answers, for the next text; the count stays.
    pub fn forget(&self) {
        self.answers.lock().expect("nobody panicked").0.clear();
    }

    /// Distinct texts that the model was asked.
    pub fn asked(&self) -> usize {
        self.answers.lock().expect("nobody panicked").1
    }
}

impl BlackBox<Cpu, Texts> for Remembered {
    fn labels(&self) -> Option<&[String]> {
        Some(self.model.labels())
    }

    fn batching(&self) -> Batching {
        Batching::Own
    }

    fn predict(&self, on: &Cpu, batch: &Texts) -> Result<Probabilities<Cpu>> {
        let mut guard = self.answers.lock().expect("nobody panicked");
        let (known, asked) = &mut *guard;
        let mut new: Vec<String> = batch.as_slice().iter().filter(|text| !known.contains_key(*text)).cloned().collect();
        new.sort();
        new.dedup();
        if !new.is_empty() {
            *asked += new.len();
            let answers = BlackBox::<Cpu, Texts>::predict(&self.model, on, &Texts::from(new.clone()))?;
            for (i, text) in new.into_iter().enumerate() {
                known.insert(text, answers.row(i).to_vec());
            }
        }
        let rows: Vec<f32> = batch.as_slice().iter().flat_map(|text| known[text].iter().copied()).collect();
        Probabilities::new(on, batch.len(), self.model.labels().len(), on.upload(rows)?)
    }
}
