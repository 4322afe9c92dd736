//! Which words does a small text model of candle listen to?

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{AdamW, Embedding, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, embedding, loss, ops};
use lipex::prelude::*;

const TEXTS: [&str; 4] = [
    "a wonderful film with a fine end",
    "what a fine and warm story",
    "a dull film with a weak end",
    "what a weak and dull story",
];
const GOOD: [u32; 4] = [1, 1, 0, 0];

/// Logits of texts: the mean of what each word says, by a hash of the word.
fn logits(words: &Embedding, texts: &[&str]) -> candle_core::Result<Tensor> {
    let hash = |word: &str| word.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(b.into())) % 512;
    let of = |text: &&str| {
        let ids: Vec<u32> = std::iter::once(0).chain(text.split_whitespace().map(hash)).collect();
        words.forward(&Tensor::new(ids, &Device::Cpu)?)?.mean(0)
    };
    Tensor::stack(&texts.iter().map(of).collect::<candle_core::Result<Vec<_>>>()?, 0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let weights = VarMap::new();
    let words = embedding(512, 2, VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu))?;
    let mut optimizer = AdamW::new(weights.all_vars(), ParamsAdamW { lr: 0.1, ..Default::default() })?;
    for _ in 0..100 {
        optimizer.backward_step(&loss::cross_entropy(&logits(&words, &TEXTS)?, &Tensor::new(&GOOD, &Device::Cpu)?)?)?;
    }
    let answer = |texts: &[&str]| ops::softmax(&logits(&words, texts)?, D::Minus1)?.to_vec2::<f32>();
    let model = TextFn::fallible(["bad", "good"], answer);
    let explanation = lipex().explain(&TextInstance::new("a wonderful start and a weak end")?, &model)?;
    for share in explanation.top_k(1, 9, Rank::Supporting) {
        println!("{:+.2} {}", share.value, explanation.features[share.feature].name);
    }
    Ok(())
}
