//! Weigh: proximity weights, looked up by the number of kept features.
//!
//! # Shapes
//! A table has D + 1 weights, entry m for masks that keep m features; weights are one f32 a row.

use crate::Cpu;
use lipex_core::weigh::check_weights;
use lipex_core::{
    CosineDistance, CosineSimilarity, Exponential, GivenWeights, Masks, Proximity, ProximityTable, Result,
    ShapleyKernel, Weights, expect_len,
};

/// The table of each instance at the number of features that each row keeps.
fn by_table(
    on: &Cpu,
    masks: &[Masks<Cpu>],
    table: impl Fn(usize) -> ProximityTable + Sync,
) -> Result<Vec<Weights<Cpu>>> {
    on.map(masks.len(), |i| {
        let table = table(masks[i].features());
        let values: Vec<f32> = (0..masks[i].rows()).map(|r| table.values()[masks[i].count(r)] as f32).collect();
        check_weights(&values)?;
        Ok(Weights::new(values))
    })
}

macro_rules! by_count {
    ($($proximity:ty),*) => {$(
        impl Proximity<Cpu> for $proximity {
            fn weigh(&self, on: &Cpu, masks: &[Masks<Cpu>]) -> Result<Vec<Weights<Cpu>>> {
                by_table(on, masks, |features| <$proximity>::table(self, features))
            }

            fn table(&self, features: usize) -> Result<Option<ProximityTable>> {
                Ok(Some(<$proximity>::table(self, features)))
            }
        }
    )*};
}
by_count!(Exponential, CosineSimilarity, CosineDistance, ShapleyKernel);

impl Proximity<Cpu> for GivenWeights {
    fn weigh(&self, _: &Cpu, masks: &[Masks<Cpu>]) -> Result<Vec<Weights<Cpu>>> {
        let one = |m: &Masks<Cpu>| {
            expect_len("given proximity weights", m.rows(), self.values().len())?;
            Ok(Weights::new(self.values().to_vec()))
        };
        masks.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_table_at_the_number_of_ones() {
        let on = Cpu::new();
        let masks = || vec![Masks::new(&on, 3, 4, vec![0b1111, 0b0100, 0]).unwrap()];
        let weights = Exponential::default().weigh(&on, &masks()).unwrap();
        let by_hand = [1.0, (-2f64).exp(), (-8f64).exp()];
        assert!(weights[0].values().iter().zip(by_hand).all(|(w, h)| (f64::from(*w) - h).abs() < 1e-7));
        assert_eq!(CosineSimilarity.weigh(&on, &masks()).unwrap()[0].values(), &[1.0, 0.5, 0.0]);
        assert_eq!(CosineDistance.weigh(&on, &masks()).unwrap()[0].values(), &[0.0, 0.5, 1.0]);
        let given = GivenWeights::new(vec![1.0, 2.0]).unwrap();
        assert!(given.weigh(&on, &masks()).is_err_and(|e| e.to_string().contains("expected 3, got 2")));
    }

    #[test]
    fn weights_that_are_all_zero_are_refused() {
        let on = Cpu::new();
        let alone = vec![Masks::new(&on, 1, 4, vec![0b1111]).unwrap()];
        let message = CosineDistance.weigh(&on, &alone).err().map_or_else(String::new, |e| e.to_string());
        assert!(message.contains("every weight is 0"), "{message}");
    }
}
