//! The bilinear softmax: the surrogate of every other explanation, with all pairs across the parts as terms.

use super::draw::Said;
use crate::Cpu;
use lipex_core::{
    Error, Intercept, Linear, Masks, Neighbourhood, Pairs, Probabilities, Problem, Result, Selection, Softmax,
    Surrogate, Weights, cross_pairs,
};

/// The fit with all pairs across the parts, and the one without.
///
/// # Errors
/// Those of the surrogate.
pub(super) fn fit(on: &Cpu, said: &Said, settings: &Softmax) -> Result<[Linear; 2]> {
    let around = neighbourhood(on, said)?;
    let all = Selection::shared(said.columns(), (0..said.sizes.iter().sum()).collect());
    let plain = settings.clone().intercept(Intercept::Fitted);
    let of = |pairs: Pairs| {
        let fitted = plain.clone().pairs(pairs).fit(on, &[Problem::new(&around, &all)])?.pop();
        let linear = fitted.and_then(|fitted| fitted.answer.linear().cloned());
        linear.ok_or_else(|| Error::model("the surrogate has no linear answer"))
    };
    Ok([of(Pairs::given(cross_pairs(said.sizes))?)?, of(Pairs::None)?])
}

/// The rows as masks over the features of both parts.
fn neighbourhood(on: &Cpu, said: &Said) -> Result<Neighbourhood<Cpu>> {
    let features: usize = said.sizes.iter().sum();
    let words = features.div_ceil(32);
    let mut bits = vec![0; said.rows() * words];
    for (i, row) in bits.chunks_exact_mut(words).enumerate() {
        let kept = said.keeps(i).into_iter().enumerate().filter(|(_, keep)| *keep);
        kept.for_each(|(j, _)| row[j / 32] |= 1 << (j % 32));
    }
    let values = said.values.iter().map(|p| *p as f32).collect();
    let weights = said.weights.iter().map(|w| *w as f32).collect();
    Neighbourhood::new(
        on,
        Masks::new(on, said.rows(), features, bits)?,
        Probabilities::new(on, said.rows(), said.columns(), values)?,
        Weights::new(weights),
    )
}
