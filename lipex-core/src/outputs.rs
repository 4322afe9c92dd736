//! What a model's numbers mean.

use crate::error::{Error, Result};
use crate::fit::softmax_in_place;

/// What the numbers of a model's rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Probabilities: not negative, sum 1 ± 10⁻³ a row. Taken as they are.
    #[default]
    Probabilities,
    /// Logits: each row goes through a softmax, in f64.
    Logits,
    /// Independent probabilities, one sigmoid a class: class c becomes p_c / Σ p.
    ///
    /// This keeps the order of the classes and the ratios between them, and forgets how many classes the model found. A
    /// row with a number outside \[0, 1\], or of zeros only, is left as it is, so that the check of rows names it.
    Independent,
}

impl Outputs {
    /// The name that the command protocol uses, also as the key of a reply.
    pub fn name(self) -> &'static str {
        match self {
            Outputs::Probabilities => "probabilities",
            Outputs::Logits => "logits",
            Outputs::Independent => "independent",
        }
    }

    /// The outputs of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        Outputs::ALL
            .into_iter()
            .find(|o| o.name() == name)
            .ok_or_else(|| Error::setting("outputs", name, "choose probabilities, logits or independent"))
    }

    /// Every kind.
    pub const ALL: [Outputs; 3] = [Outputs::Probabilities, Outputs::Logits, Outputs::Independent];

    /// Turns a row of such numbers into probabilities, in place. What is no such number is left as it is, for
    /// [`check_row`](crate::check_row) to name.
    pub fn to_probabilities(self, row: &mut [f64]) {
        match self {
            Outputs::Probabilities => {}
            Outputs::Logits => softmax_in_place(row),
            Outputs::Independent => {
                let sum: f64 = row.iter().sum();
                if sum > 0.0 && row.iter().all(|p| (0.0..=1.0).contains(p)) {
                    row.iter_mut().for_each(|p| *p /= sum);
                }
            }
        }
    }
}
