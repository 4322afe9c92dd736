//! Text classifiers.
//!
//! # Shapes
//! Token ids are padded to the longest of their batch, with a mask of ones where tokens are; a graph of fixed length gets that
//! many. Rows of the answer are in the order of the texts.
//!
//! # Cost
//! Tokenizing is spread over threads; batches over workers, each with a thread of its own, since small graphs gain nothing
//! from many.

use crate::answers::Answers;
use crate::batches::{Batch, Limits, spread};
use crate::expected::Expected;
use crate::files::Files;
use crate::graph::{Graph, Kind, Port};
use crate::options::OnnxOptions;
use crate::tokens::{Seen, Tokens, distinct};
use crate::workers::Workers;
use lipex_core::{Backend, Batching, BlackBox, Error, Outputs, Probabilities, Result, Texts, Watch};
use rten::{ThreadPool, Value};
use std::path::Path;
use std::sync::Arc;

/// A text classifier in an ONNX folder, as a black box.
///
/// A text becomes tokens, cut at [`max_tokens`](OnnxText::max_tokens). Distinct inputs of a call are sorted by length and
/// cut into batches by tokens, each padded to its longest row; threads share the batches out. What a batch holds, and so
/// every answer, depends on the inputs of the call alone.
///
/// The output's numbers are logits, which get a softmax; sigmoids if `config.json` says
/// `"problem_type": "multi_label_classification"`; or probabilities already, where the graph ends in a softmax or a
/// sigmoid. One column beside two names says how likely the second is.
///
/// ```no_run
/// use lipex_onnx::OnnxText;
///
/// let model = OnnxText::open("my-classifier")?; // model.onnx, config.json, tokenizer.json
/// if let Some(seen) = model.seen("a very long text")? {
///     println!("{} of {} tokens are cut", seen.cut, seen.tokens);
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct OnnxText {
    /// The folder.
    files: Files,
    /// The graph.
    pub(crate) graph: Graph,
    /// The tokenizer.
    pub(crate) tokens: Tokens,
    /// From its output to probabilities.
    pub(crate) answers: Answers,
    /// How batches are cut.
    pub(crate) limits: Limits,
    /// What each input of the graph is given.
    pub(crate) given: Vec<(String, Given)>,
    /// Threads that run it.
    workers: Workers,
}

/// What an input of a text's graph means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Ids,
    /// 1 for a token, 0 for padding.
    Mask,
    /// The part of the token, 0 or 1.
    Types,
    /// 0, 1, 2 …
    Positions,
}

impl std::fmt::Debug for OnnxText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxText")
            .field("file", &self.graph.file)
            .field("labels", &self.answers.labels)
            .field("max_tokens", &self.tokens.most)
            .finish_non_exhaustive()
    }
}

impl OnnxText {
    /// The classifier of a folder, everything as the folder says; [`OnnxOptions`] for the rest.
    ///
    /// # Errors
    /// Those of [`OnnxOptions::open_text`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        OnnxOptions::new().open_text(folder)
    }

    /// Opens a folder or file with what the user says.
    pub(crate) fn with_options(path: &Path, options: OnnxOptions) -> Result<Self> {
        let workers = options.workers()?;
        let files = Files::find(path)?;
        let graph = options.graph(&files.model, &workers)?;
        let (given, limits) = inputs(&graph)?;
        let tokens = Tokens::open(options.tokenizer, options.max_tokens, &files, limits.tokens)?;
        // One row tells how many columns there are, and that the graph runs.
        let ids = tokens.ids("a text")?;
        let whole = Batch { of: vec![0], tokens: limits.tokens.unwrap_or(ids.len()) };
        let at = |_: usize, t: usize| ids.get(t).map(|&id| Token { id, part: 0 });
        let values = values(&given, &at, &whole, limits.rows.unwrap_or(1), tokens.pad)?;
        let tried = graph.run(values, limits.rows.unwrap_or(1), workers.first());
        let (_, columns) = tried.map_err(|e| graph.wrong(e.to_string()))?;
        let answers = Answers::new(options.labels.as_deref(), options.sigmoid, &files, &graph, columns)?;
        Ok(OnnxText { files, graph, tokens, answers, limits, given, workers })
    }

    /// Most tokens of a text; `None` where neither folder nor user says.
    pub fn max_tokens(&self) -> Option<usize> {
        self.tokens.most
    }

    /// What of a text the model sees; `None` for all of it.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn seen(&self, text: &str) -> Result<Option<Seen>> {
        self.tokens.seen(text)
    }

    /// A text's tokens as the model gets them: numbers, and what they stand for.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn tokens(&self, text: &str) -> Result<(Vec<u32>, Vec<String>)> {
        Ok((self.tokens.ids(text)?, self.tokens.spelt(text)?))
    }

    /// The classes' names.
    pub fn labels(&self) -> &[String] {
        &self.answers.labels
    }

    /// What the output's numbers are taken as.
    pub fn outputs(&self) -> Outputs {
        self.answers.outputs
    }

    /// What it is, for people: name and value.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let mut told = self.graph.describe(&self.answers);
        let most = self.tokens.most.map_or("as many as a text has".into(), |n| format!("at most {n}"));
        told.push(("tokens", format!("{most}, by {}", self.tokens.file.display())));
        told
    }

    /// How near it is to the folder's `expected.json`, which has `{"examples": [{"text", "input_ids", "logits"}]}`; `None`
    /// without such a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file of another form; those of [`logits`](OnnxText::logits).
    pub fn expected(&self) -> Result<Option<Expected>> {
        crate::expected::texts(self, &self.files)
    }

    /// The graph's own numbers, a row a text.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer or the graph fails.
    pub fn logits(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.rows(texts, Watch::none())
    }

    /// What the graph says, a row a text; asks between batches whether to go on.
    fn rows(&self, texts: &[&str], watch: &Watch) -> Result<Vec<Vec<f32>>> {
        let all = self.tokens.all(texts, self.workers.threads())?;
        let (of, inputs) = distinct(&all);
        let lengths: Vec<usize> = inputs.iter().map(|ids| ids.len()).collect();
        let rows = spread(&self.workers, &lengths, self.limits, watch, |batch, pool| self.batch(&inputs, batch, pool))?;
        Ok(of.into_iter().map(|input| rows[input].clone()).collect())
    }

    /// The rows of one batch.
    fn batch(&self, inputs: &[&[u32]], batch: &Batch, pool: &Arc<ThreadPool>) -> Result<Vec<Vec<f32>>> {
        let rows = self.limits.rows.unwrap_or(batch.of.len());
        let at = |input: usize, t: usize| inputs[input].get(t).map(|&id| Token { id, part: 0 });
        let (numbers, columns) = self.graph.run(values(&self.given, &at, batch, rows, self.tokens.pad)?, rows, pool)?;
        self.answers.check(columns)?;
        Ok(numbers.chunks_exact(columns).take(batch.of.len()).map(<[f32]>::to_vec).collect())
    }
}

/// What the graph's inputs are to be given, and what it allows.
pub(crate) fn inputs(graph: &Graph) -> Result<(Vec<(String, Given)>, Limits)> {
    let mut given = Vec::new();
    for port in &graph.inputs {
        if port.kind != Kind::Whole {
            let reason = format!(
                "the input {} takes {}, and tokens are whole numbers; run it with a program of your own: --model 'command:PROGRAM ARGS'",
                port.name, port.spelt
            );
            return Err(graph.wrong(reason));
        }
        given.push((port.name.clone(), meaning(graph, port)?));
    }
    let Some(ids) = given.iter().position(|g| g.1 == Given::Ids) else {
        return Err(graph.wrong("no input takes tokens (input_ids)"));
    };
    let axes = &graph.inputs[ids].axes;
    if !axes.is_empty() && axes.len() != 2 {
        return Err(graph.wrong(format!("the input {} has {} axes, not rows × tokens", given[ids].0, axes.len())));
    }
    let axis = |i: usize| axes.get(i).copied().flatten();
    let padded = given.iter().any(|g| g.1 == Given::Mask);
    Ok((given, Limits { rows: axis(0), tokens: axis(1), padded }))
}

/// What an input wants, by its name; the only input wants tokens, whatever its name.
fn meaning(graph: &Graph, port: &Port) -> Result<Given> {
    match port.name.as_str() {
        "input_ids" | "input_word_ids" | "ids" | "tokens" => Ok(Given::Ids),
        "attention_mask" | "input_mask" | "mask" => Ok(Given::Mask),
        "token_type_ids" | "segment_ids" | "input_type_ids" => Ok(Given::Types),
        "position_ids" => Ok(Given::Positions),
        _ if graph.inputs.len() == 1 => Ok(Given::Ids),
        other => Err(graph.wrong(format!("the input {other} is nothing that a tokenizer gives"))),
    }
}

/// What an input is given at place `t`, which has a token or, past a text's end, none.
pub(crate) fn number(what: Given, id: Option<u32>, t: usize, pad: u32) -> i32 {
    match what {
        Given::Ids => id.unwrap_or(pad) as i32,
        Given::Mask => i32::from(id.is_some()),
        Given::Types => 0,
        Given::Positions => t as i32,
    }
}

/// A token, and which of two texts it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub id: u32,
    /// 0 or 1.
    pub part: u32,
}

/// The graph's inputs for a batch of `rows` rows, `at` the token of an input at a place; rows beyond the batch's repeat its last.
pub(crate) fn values<'a>(
    given: &'a [(String, Given)],
    at: &dyn Fn(usize, usize) -> Option<Token>,
    batch: &Batch,
    rows: usize,
    pad: u32,
) -> Result<Vec<(&'a str, Value)>> {
    let fill = |what: Given| {
        let mut data = Vec::with_capacity(rows * batch.tokens);
        for r in 0..rows {
            let input = batch.of[r.min(batch.of.len() - 1)];
            data.extend((0..batch.tokens).map(|t| match (what, at(input, t)) {
                (Given::Types, Some(token)) => token.part as i32,
                (_, token) => number(what, token.map(|token| token.id), t, pad),
            }));
        }
        data
    };
    let mut values = Vec::with_capacity(given.len());
    for (name, what) in given {
        let value =
            Value::from_shape(&[rows, batch.tokens][..], fill(*what)).map_err(|e| Error::model(e.to_string()))?;
        values.push((name.as_str(), value));
    }
    Ok(values)
}

impl<B: Backend> BlackBox<B, Texts> for OnnxText {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.answers.labels)
    }

    /// Batches are cut here, over all inputs of an instance.
    fn batching(&self) -> Batching {
        Batching::Own
    }

    /// # Errors
    /// [`Error::Model`] when the tokenizer or the graph fails; [`Error::NotADistribution`] for a row that is none.
    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        let rows = self.rows(&batch.as_strs(), on.watch())?;
        self.answers.probabilities(on, &rows)
    }
}
