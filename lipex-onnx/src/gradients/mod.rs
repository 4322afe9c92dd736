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
use lipex_core::{Error, Outputs, Result};
use lipex_grad::{Network, Point};

/// How far the two ways to run a graph may be apart, as a share of the largest number (at least 1).
const APART: f32 = 1e-4;

/// A graph that gives gradients.
struct Differentiable {
    network: Network<f32>,
    /// The tensor with a logit a class.
    logits: String,
    /// The graph's own output.
    output: String,
    independent: bool,
}

impl Differentiable {
    /// Reads a graph a second time.
    fn open(graph: &Graph, answers: &Answers) -> Result<Self> {
        if answers.is_single() {
            let reason = "the graph gives one column for two classes, and gradients want a column each; \
                          export it with two, or use a method that needs none (leave-one-out)";
            return Err(graph.wrong(reason));
        }
        let network = Network::<f32>::open(&graph.file)?;
        let output = graph.output.name.clone();
        let absent = || graph.wrong(format!("no node makes the output {output}"));
        let logits = match graph.ending {
            Ending::Softmax | Ending::Sigmoid => network.logits_of(&output),
            _ => network.has(&output).then_some(output.as_str()),
        };
        let logits = logits.ok_or_else(absent)?.to_string();
        Ok(Differentiable { network, logits, output, independent: answers.outputs == Outputs::Independent })
    }

    /// Passes if the graph's numbers are those of the black box.
    fn agrees(&self, graph: &Graph, own: &[f32], black_box: &[f32]) -> Result<()> {
        let largest = black_box.iter().fold(1f32, |most, v| most.max(v.abs()));
        let apart = own.iter().zip(black_box).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        // NaN is not near anything.
        if own.len() == black_box.len() && apart <= APART * largest {
            return Ok(());
        }
        let (file, runtime) = (graph.file.display(), graph.runtime_name());
        Err(Error::model(format!(
            "{file}: run for its gradients, the graph gives numbers that are {apart} away from those by {runtime}; \
             gradients of it would be of another model"
        )))
    }

    /// The graph as a function of a point.
    fn around<'a>(&self, point: Point<'a>) -> Point<'a> {
        if self.independent { point.independent() } else { point }
    }
}
