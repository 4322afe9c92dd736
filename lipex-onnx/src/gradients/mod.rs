//! Gradients of the graphs of folders: a model as a [`WhiteBox`](lipex_core::WhiteBox), around one text or one picture.
//!
//! # What is differentiated
//! The graph runs on [`lipex_grad`], beside the black box; at each input both must give the same numbers. A text's point is
//! the embeddings of its tokens, fed in place of what the graph's table gives for them; a picture's is the numbers of its
//! pixels, as the graph takes them. Where the graph ends in a softmax or a sigmoid, the logits are what that takes.

mod image;
mod text;

pub use image::{ImageGradients, MarkedPicture};
pub use text::{MarkedText, TextGradients};

use crate::answers::Answers;
use crate::graph::{Ending, Graph};
use lipex_core::{Error, Local, Outputs, Result};
use lipex_grad::{Network, Point, Tensor};

/// How far the two ways to run a graph may be apart, as a share of the largest number (at least 1).
const APART: f32 = 1e-4;

/// What a graph's inputs are given, by name.
type Feeds = Vec<(String, Tensor)>;

/// A graph that gives gradients.
struct Differentiable<'a> {
    graph: &'a Graph,
    network: Network<f32>,
    /// The tensor with a logit a class.
    logits: String,
    independent: bool,
    /// The tensor that stands for the point.
    cut: String,
    /// Whether rules are captum's.
    captum: bool,
}

impl<'a> Differentiable<'a> {
    /// Reads a graph of so many rows a second time; `cut` finds the tensor that stands for the point.
    fn open(
        graph: &'a Graph,
        answers: &Answers,
        rows: usize,
        cut: impl FnOnce(&Network<f32>) -> Result<String>,
    ) -> Result<Self> {
        if rows > 1 {
            return Err(graph.wrong(format!("the graph takes {rows} rows at a time; gradients want one")));
        }
        if answers.is_single() {
            let reason = "the graph gives one column for two classes, and gradients want a column each; \
                          export it with two, or use a method that needs none (leave-one-out)";
            return Err(graph.wrong(reason));
        }
        let network = Network::<f32>::open(&graph.file)?;
        let output = graph.output.name.as_str();
        let absent = || graph.wrong(format!("no node makes the output {output}"));
        let logits = match graph.ending {
            Ending::Softmax | Ending::Sigmoid => network.logits_of(output),
            _ => network.has(output).then_some(output),
        };
        let logits = logits.ok_or_else(absent)?.to_string();
        let cut = cut(&network)?;
        Ok(Differentiable {
            graph,
            network,
            logits,
            independent: answers.outputs == Outputs::Independent,
            cut,
            captum: false,
        })
    }

    /// The numbers of the point for these inputs.
    fn numbers(&self, feeds: &Feeds) -> Result<Vec<f32>> {
        Ok(self.network.forward(&named(feeds), &self.cut)?.floats(&self.cut)?.to_vec())
    }

    /// The graph around the point that it has for these inputs, of which the black box says `black_box`.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails, or its numbers are not those of the black box; those of [`Point::new`].
    fn at(&self, feeds: Feeds, black_box: &[Vec<f32>], owners: Vec<Option<u32>>) -> Result<Box<dyn Local + '_>> {
        let output = self.graph.output.name.as_str();
        let tape = self.network.forward(&named(&feeds), output)?;
        self.agrees(tape.floats(output)?, black_box.first().map_or(&[], Vec::as_slice))?;
        let point = (self.cut.as_str(), tape.value(&self.cut)?.clone());
        let fixed = feeds.into_iter().filter(|(name, _)| *name != self.cut).collect();
        let point = Point::new(&self.network, fixed, point, &self.logits, owners)?;
        let point = if self.independent { point.independent() } else { point };
        Ok(Box::new(if self.captum { point.as_captum() } else { point }))
    }

    /// Passes if the graph's numbers are those of the black box.
    fn agrees(&self, own: &[f32], black_box: &[f32]) -> Result<()> {
        let largest = black_box.iter().fold(1f32, |most, v| most.max(v.abs()));
        let apart = own.iter().zip(black_box).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        // NaN is not near anything.
        if own.len() == black_box.len() && apart <= APART * largest {
            return Ok(());
        }
        let (file, runtime) = (self.graph.file.display(), self.graph.runtime_name());
        Err(Error::model(format!(
            "{file}: run for its gradients, the graph gives numbers that are {apart} away from those by {runtime}; \
             gradients of it would be of another model"
        )))
    }
}

/// The inputs as the network takes them.
fn named(feeds: &Feeds) -> Vec<(&str, Tensor)> {
    feeds.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}
