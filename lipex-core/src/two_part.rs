//! Instances of two parts: a model of two inputs is asked about both.

use crate::backend::{Backend, Masks};
use crate::describe::Setting;
use crate::error::{Result, expect_len};
use crate::render::{Distinct, Feature, Instance, Render};
use std::ops::Range;

/// Two instances that a model takes together: the features of the first, then those of the second.
///
/// Its inputs are pairs of batches, of equal length. Any explainer takes it with a black box for such pairs; what acts
/// together across the parts is what [`Match`](crate::Match) is about.
///
/// ```
/// # use lipex::prelude::*;
/// use lipex::{Masks, TwoPart};
///
/// let both = TwoPart::new(TextInstance::new("a dog")?, TextInstance::new("the puppy")?);
/// assert_eq!(both.sizes(), [2, 2]);
/// // Without "dog" and "the".
/// let masks = Masks::new(&Cpu::new(), 1, 4, vec![0b1001])?;
/// let (first, second): (Texts, Texts) = both.render(&Cpu::new(), &masks, 0..1)?;
/// assert_eq!((first.as_strs(), second.as_strs()), (vec!["a "], vec![" puppy"]));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoPart<I, J> {
    /// The first part.
    pub first: I,
    /// The second part.
    pub second: J,
    /// Of the first, then of the second.
    features: Vec<Feature>,
}

impl<I: Instance, J: Instance> TwoPart<I, J> {
    /// The two parts.
    pub fn new(first: I, second: J) -> Self {
        let features = [first.features(), second.features()].concat();
        TwoPart { first, second, features }
    }

    /// How many features each part has.
    pub fn sizes(&self) -> [usize; 2] {
        [self.first.features().len(), self.second.features().len()]
    }
}

impl<I: Instance, J: Instance> Instance for TwoPart<I, J> {
    fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Those of both parts where they are the same; else those of the first, then those of the second, each named after its part.
    fn settings(&self) -> Vec<(Setting, String)> {
        let (first, second) = (self.first.settings(), self.second.settings());
        if first == second {
            return first;
        }
        let named = |part: &str, settings: Vec<(Setting, String)>| {
            let name = |(setting, usual): (Setting, String)| {
                (Setting::new(format!("{part}-{}", setting.name), setting.value), usual)
            };
            settings.into_iter().map(name).collect::<Vec<_>>()
        };
        [named("first", first), named("second", second)].concat()
    }
}

/// The bits of each part, row by row, of masks over `sizes[0]` and then `sizes[1]` features.
///
/// # Shapes
/// `bits`: whole rows of ⌈(d₁ + d₂)/32⌉ words; what comes back are rows of ⌈d₁/32⌉ and of ⌈d₂/32⌉ words.
///
/// ```
/// // Three features, then two: the second row keeps feature 1 and the last.
/// assert_eq!(lipex_core::split_bits(&[0b11111, 0b10010], [3, 2]), [vec![0b111, 0b010], vec![0b11, 0b10]]);
/// ```
pub fn split_bits(bits: &[u32], sizes: [usize; 2]) -> [Vec<u32>; 2] {
    let words = |features: usize| features.div_ceil(32);
    let whole = words(sizes[0] + sizes[1]).max(1);
    let mut parts = sizes.map(|size| Vec::with_capacity(bits.len() / whole * words(size)));
    for row in bits.chunks_exact(whole) {
        for (part, (from, size)) in parts.iter_mut().zip([(0, sizes[0]), (sizes[0], sizes[1])]) {
            let keeps = |j: usize| row[(from + j) / 32] >> ((from + j) % 32) & 1;
            part.extend(
                (0..words(size)).map(|w| (32 * w..size.min(32 * w + 32)).map(|j| keeps(j) << (j % 32)).sum::<u32>()),
            );
        }
    }
    parts
}

impl<B: Backend, P, Q, I: Render<B, P>, J: Render<B, Q>> Render<B, (P, Q)> for TwoPart<I, J> {
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<(P, Q)> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let index: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
        let bits = on.download(&on.gather(masks.bits(), masks.words(), &index)?)?;
        let [first, second] = self.part_masks(on, &bits, rows.len())?;
        Ok((self.first.render(on, &first, 0..rows.len())?, self.second.render(on, &second, 0..rows.len())?))
    }

    fn largest_batch(&self) -> usize {
        self.first.largest_batch().min(self.second.largest_batch())
    }

    fn distinct(&self, on: &B, masks: &Masks<B>) -> Result<Option<Distinct>> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let [first, second] = self.part_masks(on, &on.download(masks.bits())?, masks.rows())?;
        let (Some(first), Some(second)) = (self.first.distinct(on, &first)?, self.second.distinct(on, &second)?) else {
            return Ok(None);
        };
        Ok(Some(Distinct::by_key(first.of.into_iter().zip(second.of))))
    }
}

impl<I: Instance, J: Instance> TwoPart<I, J> {
    /// The masks of each part.
    fn part_masks<B: Backend>(&self, on: &B, bits: &[u32], rows: usize) -> Result<[Masks<B>; 2]> {
        let [first, second] = split_bits(bits, self.sizes());
        let [d1, d2] = self.sizes();
        Ok([Masks::new(on, rows, d1, on.upload(first)?)?, Masks::new(on, rows, d2, on.upload(second)?)?])
    }
}
