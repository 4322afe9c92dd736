//! Methods by gradients of texts' models in ONNX folders.

use crate::method::{Method, Outcome};
use crate::occasion::Occasion;
use lipex::{
    Attribution, Attributions, DeepLift, Error, Guided, InputXGradient, IntegratedGradients, MarkedText, OnnxText,
    Output, Pool, Result, Saliency, SmoothGrad, TextGradients, Texts, WhiteBox,
};
use std::time::Instant;

/// A method by gradients with respect to the embeddings of a text's words, from zeros where it has a baseline.
///
/// Scores are made for the logits of the two likeliest classes; those of the others are 0. Its calls are the gradients' forward runs,
/// which are not counted as the black box's.
pub struct Gradients<'a> {
    name: &'static str,
    pool: Pool,
    model: TextGradients<'a>,
}

impl<'a> Gradients<'a> {
    /// The methods' names.
    pub const NAMES: [&'static str; 6] =
        ["saliency", "input-x-gradient", "guided", "integrated-gradients", "deeplift", "smoothgrad"];

    /// The method of a name, of a model.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name; those of [`OnnxText::gradients`].
    pub fn by_name(name: &str, model: &'a OnnxText) -> Result<Self> {
        let found = Self::NAMES.into_iter().find(|own| *own == name);
        let name = found.ok_or_else(|| Error::choice("methods", name, &Self::NAMES))?;
        // A gradient's own numbers cancel over an embedding.
        let pool = if ["saliency", "guided", "smoothgrad"].contains(&name) { Pool::L2 } else { Pool::Sum };
        Ok(Gradients { name, pool, model: model.gradients("word")? })
    }

    fn attribution(&self, seed: u64) -> Result<Box<dyn Attribution>> {
        Ok(match self.name {
            "saliency" => Box::new(Saliency),
            "guided" => Box::new(Guided),
            "input-x-gradient" => Box::new(InputXGradient),
            "smoothgrad" => Box::new(SmoothGrad::new(25, 0.15, seed)?),
            "deeplift" => Box::new(DeepLift::default()),
            _ => Box::new(IntegratedGradients::default()),
        })
    }
}

impl Method<Texts> for Gradients<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn explain(&self, at: &Occasion<'_, Texts>, seed: u64) -> Result<Outcome> {
        let start = Instant::now();
        let text = at.instance().text().ok_or_else(|| Error::Instance("is no text".into()))?;
        let features = at.instance().features();
        let local = self.model.at(&MarkedText { text, features })?;
        let classes = [at.predicted(), at.second()];
        let outputs = classes.map(Output::Logit);
        let method = self.attribution(seed)?;
        let found = Attributions::pool(method.as_ref(), local.as_ref(), &outputs, features.to_vec(), self.pool)?;
        let mut scores = vec![vec![0.0; features.len()]; at.whole().len()];
        let mut outside = vec![0.0; at.whole().len()];
        for ((class, row), rest) in classes.into_iter().zip(&found.scores).zip(&found.outside) {
            (scores[class], outside[class]) = (row.clone(), *rest);
        }
        let all =
            Attributions { method: found.method, features: found.features, scores, outside, ..Attributions::default() };
        Ok(Outcome { milliseconds: start.elapsed().as_secs_f64() * 1e3, ..Outcome::of(all, 0) })
    }
}
