//! Parts of a user's own that do not keep their promises are refused in one line.

use lipex::prelude::*;
use lipex::{Draw, Law, Masks, Perturber, Sample, Setting, Weights};

/// Gives whatever it is told to.
#[derive(Clone)]
struct Told {
    first: u32,
    rows: usize,
    weights: Option<Vec<f32>>,
}

impl Describe for Told {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("sampler", "told")]
    }
}

impl Law for Told {
    fn grows(&self) -> bool {
        false
    }
}

impl Perturber<Cpu> for Told {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> lipex::Result<Vec<Sample<Cpu>>> {
        let mut bits = vec![0b01; self.rows];
        bits.iter_mut().take(1).for_each(|row| *row = self.first);
        let masks = Masks::new(on, self.rows, draw.features[0], bits)?;
        let sample = Sample::new(self, draw.total, masks);
        Ok(vec![Sample { weights: self.weights.clone().map(Weights::new), ..sample }])
    }
}

fn explained(law: Told) -> lipex::Result<Explanation> {
    let model = TextFn::new(["long", "short"], |texts| {
        texts.iter().map(|t| vec![t.len() as f64 / 20.0, 1.0 - t.len() as f64 / 20.0]).collect()
    });
    lipex().perturber(law).explain(&TextInstance::new("good day")?, &model)
}

#[test]
fn a_samplers_rows_and_weights_are_checked() {
    let right = Told { first: 0b11, rows: 3, weights: Some(vec![1.0, 0.5, 0.5]) };
    assert_eq!(explained(right.clone()).unwrap().calls.masks, 3);
    for (wrong, reason) in [
        (Told { first: 0b10, ..right.clone() }, "row 0 keeps 1: row 0 must keep all 2 features"),
        (Told { rows: 0, weights: None, ..right.clone() }, "row 0 must keep all 2 features"),
        (Told { weights: Some(vec![1.0]), ..right.clone() }, "own weights: expected 3, got 1"),
        (Told { weights: Some(vec![1.0, f32::NAN, 1.0]), ..right.clone() }, "weight of row 1"),
        (Told { weights: Some(vec![0.0; 3]), ..right.clone() }, "every weight is 0"),
    ] {
        let message = explained(wrong).unwrap_err().to_string();
        assert!(message.contains(reason) && message.lines().count() == 1, "{message}");
    }
}
