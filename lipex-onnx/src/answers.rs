//! From the numbers of a graph's output to probabilities.
//!
//! # Which rule
//! `problem_type` of the folder's config, or the user's word ([`OnnxOptions::sigmoid`](crate::OnnxOptions::sigmoid)), says
//! whether labels exclude each other. A graph that ends in a softmax or a sigmoid gives probabilities already; else numbers
//! are logits. One column is the logit of the second of two classes.

use crate::classes::{self, Labels};
use crate::files::{Files, Json};
use crate::graph::{Ending, Graph};
use lipex_core::{Backend, CheckedRows, Error, Outputs, Probabilities, Result, distinct_labels};

/// What the columns of the output are, and the classes' names.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// Class names, in the order of the columns.
    pub labels: Vec<String>,
    /// What the rows are once [`Answers::row`] has made them.
    pub outputs: Outputs,
    /// Columns of the output.
    columns: usize,
    /// Whether the numbers have a sigmoid to come.
    sigmoid: bool,
    /// One column that says how likely the second of two classes is.
    single: bool,
}

impl Answers {
    /// What a folder says of its output, which has so many `columns`.
    ///
    /// # Errors
    /// [`Error::Setting`] for names that are absent or not as many as the columns, and for
    /// contradictions.
    pub fn new(given: Option<&[String]>, sigmoid: bool, files: &Files, graph: &Graph, columns: usize) -> Result<Self> {
        let config = files.json("config.json")?;
        let labels: Labels = classes::find(given, files, config.as_ref())?;
        let multi = several_at_once(config.as_ref())?;
        if sigmoid && graph.ending == Ending::Softmax {
            return Err(graph.wrong("the graph ends in a softmax: a sigmoid of that makes no sense"));
        }
        let single = columns == 1 && labels.names.len() == 2;
        if !single {
            labels.expect(columns, &graph.output.name)?;
        }
        let outputs = match graph.ending {
            _ if single => Outputs::Probabilities,
            Ending::Softmax | Ending::Classifier => Outputs::Probabilities,
            Ending::Sigmoid => Outputs::Independent,
            Ending::Other if sigmoid || multi => Outputs::Independent,
            Ending::Other => Outputs::Logits,
        };
        let sigmoid = graph.ending == Ending::Other && (single || outputs == Outputs::Independent);
        Ok(Answers { labels: distinct_labels(labels.names), outputs, columns, sigmoid, single })
    }

    /// Passes if the output has as many columns as at first.
    ///
    /// # Errors
    /// [`Error::Model`] if not.
    pub fn check(&self, columns: usize) -> Result<()> {
        if columns == self.columns {
            return Ok(());
        }
        Err(Error::model(format!("the graph gives {columns} columns now and gave {} at first", self.columns)))
    }

    /// Whether one column says how likely the second of two classes is.
    #[cfg(feature = "gradients")]
    pub fn is_single(&self) -> bool {
        self.single
    }

    /// What the columns are taken as, in words.
    pub fn taken_as(&self) -> &'static str {
        match (self.sigmoid, self.outputs) {
            (true, _) => "scores before a sigmoid",
            (false, outputs) => outputs.name(),
        }
    }

    /// The graph's numbers for one input as `outputs` says.
    ///
    /// # Numerics
    /// In f64, so that rows of f32 logits lose nothing before they are checked.
    pub fn row(&self, numbers: &[f32]) -> Vec<f64> {
        let one = |&x: &f32| if self.sigmoid { 1.0 / (1.0 + f64::from(-x).exp()) } else { f64::from(x) };
        match numbers {
            [x] if self.single => vec![1.0 - one(x), one(x)],
            _ => numbers.iter().map(one).collect(),
        }
    }

    /// The probabilities of the classes, a row an input.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] for a row that is none.
    pub fn probabilities<B: Backend>(&self, on: &B, rows: &[Vec<f32>]) -> Result<Probabilities<B>> {
        let mut checked = CheckedRows::with_capacity(rows.len(), self.labels.len());
        rows.iter().try_for_each(|numbers| checked.push(self.outputs, self.row(numbers)))?;
        checked.on(on)
    }
}

/// Whether `config.json` says that several classes may hold at once.
fn several_at_once(config: Option<&Json>) -> Result<bool> {
    let Some(config) = config else { return Ok(false) };
    match config.text("problem_type")? {
        Some("multi_label_classification") => Ok(true),
        None | Some("single_label_classification") => Ok(false),
        Some(other) => Err(config.wrong("problem_type", format!("{other} gives no classes"))),
    }
}
