//! Cross-encoders: two texts are one input, joined as the tokenizer joins them.

use crate::answers::Answers;
use crate::batches::{Batch, Limits, spread};
use crate::classes;
use crate::files::Files;
use crate::graph::Graph;
use crate::options::OnnxOptions;
use crate::text::{Given, Token, inputs, values};
use crate::tokens::{Tokens, distinct};
use crate::workers::Workers;
use lipex_core::{Backend, Batching, BlackBox, Probabilities, Result, Similarity, Texts, Watch, expect_len};
use rten::ThreadPool;
use std::sync::Arc;

/// A cross-encoder in an ONNX folder: it takes two texts as one input, and gives classes or one number.
///
/// Texts are joined by the tokenizer's own rule for pairs; `token_type_ids` say which text a token is of. An output of one column
/// is a number ([`Similarity`]), unless there are two names for it; any other has classes, as [`OnnxText`](crate::OnnxText) reads them.
///
/// ```no_run
/// use lipex_core::{Similarity, Texts, Watch};
/// use lipex_onnx::{OnnxOptions, OnnxPairs};
///
/// let OnnxPairs::Cross(model) = OnnxOptions::new().open_pairs("ms-marco-minilm")? else { panic!("a cross-encoder") };
/// let text = |text: &str| Texts::from(vec![text.into()]);
/// println!("{:?}", model.similarities(&text("who sings"), &text("the singer of the song"), Watch::none())?);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct OnnxCross {
    graph: Graph,
    tokens: Tokens,
    /// `None` where it gives one number.
    answers: Option<Answers>,
    limits: Limits,
    given: Vec<(String, Given)>,
    workers: Workers,
}

impl std::fmt::Debug for OnnxCross {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxCross")
            .field("file", &self.graph.file)
            .field("labels", &self.labels())
            .finish_non_exhaustive()
    }
}

impl OnnxCross {
    /// Opens a folder.
    pub(super) fn open(files: Files, options: OnnxOptions) -> Result<Self> {
        let workers = options.workers()?;
        let graph = options.graph(&files.model, &workers)?;
        let (given, limits) = inputs(&graph)?;
        let tokens = Tokens::open(options.tokenizer, options.max_tokens, &files, limits.tokens)?;
        let mut model = OnnxCross { graph, tokens, answers: None, limits, given, workers };
        let tried = model.rows(&["a text"], &["a text"], Watch::none());
        let columns = tried.map_err(|e| model.graph.wrong(e.to_string()))?.first().map_or(0, Vec::len);
        let config = files.json("config.json")?;
        let named = classes::find(options.labels.as_deref(), &files, config.as_ref());
        if columns != 1 || options.sigmoid || named.is_ok_and(|labels| labels.names.len() == 2) {
            let answers = Answers::new(options.labels.as_deref(), options.sigmoid, &files, &model.graph, columns)?;
            model.answers = Some(answers);
        }
        Ok(model)
    }

    /// The classes' names; none where it gives one number.
    pub fn labels(&self) -> &[String] {
        self.answers.as_ref().map_or(&[], |answers| &answers.labels)
    }

    /// Whether it gives one number, and no classes.
    pub fn is_score(&self) -> bool {
        self.answers.is_none()
    }

    /// How many tokens of two texts it does not see.
    ///
    /// # Errors
    /// [`Error::Model`](lipex_core::Error::Model) when the tokenizer fails.
    pub fn cut(&self, first: &str, second: &str) -> Result<usize> {
        self.tokens.cut_of_pair(first, second)
    }

    /// The graph's own numbers, a row a pair.
    ///
    /// # Errors
    /// [`Error::Shape`](lipex_core::Error::Shape) for lists of different lengths;
    /// [`Error::Model`](lipex_core::Error::Model) when the tokenizer or the graph fails.
    pub fn logits(&self, first: &[&str], second: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.rows(first, second, Watch::none())
    }

    fn rows(&self, first: &[&str], second: &[&str], watch: &Watch) -> Result<Vec<Vec<f32>>> {
        expect_len("second texts", first.len(), second.len())?;
        let pairs = first.iter().zip(second).map(|(a, b)| self.tokens.pair(a, b));
        let all = pairs.collect::<Result<Vec<Vec<Token>>>>()?;
        let (of, inputs) = distinct(&all);
        let lengths: Vec<usize> = inputs.iter().map(|tokens| tokens.len()).collect();
        let rows = spread(&self.workers, &lengths, self.limits, watch, |batch, pool| self.batch(&inputs, batch, pool))?;
        Ok(of.into_iter().map(|input| rows[input].clone()).collect())
    }

    /// The rows of one batch.
    fn batch(&self, inputs: &[&[Token]], batch: &Batch, pool: &Arc<ThreadPool>) -> Result<Vec<Vec<f32>>> {
        let rows = self.limits.rows.unwrap_or(batch.of.len());
        let at = |input: usize, t: usize| inputs[input].get(t).copied();
        let given = values(&self.given, &at, batch, rows, self.tokens.pad)?;
        let (numbers, columns) = self.graph.run(given, rows, pool)?;
        if let Some(answers) = &self.answers {
            answers.check(columns)?;
        }
        Ok(numbers.chunks_exact(columns.max(1)).take(batch.of.len()).map(<[f32]>::to_vec).collect())
    }
}

impl Similarity<Texts, Texts> for OnnxCross {
    /// # Errors
    /// [`Error::Setting`](lipex_core::Error::Setting) for a model of classes;
    /// [`Error::Model`](lipex_core::Error::Model) when the tokenizer or the graph fails.
    fn similarities(&self, first: &Texts, second: &Texts, watch: &Watch) -> Result<Vec<f64>> {
        if !self.is_score() {
            return Err(self.graph.wrong("it gives classes, not one number"));
        }
        let rows = self.rows(&first.as_strs(), &second.as_strs(), watch)?;
        Ok(rows.into_iter().map(|row| row.first().copied().map_or(f64::NAN, f64::from)).collect())
    }
}

impl<B: Backend> BlackBox<B, (Texts, Texts)> for OnnxCross {
    fn labels(&self) -> Option<&[String]> {
        self.answers.as_ref().map(|answers| answers.labels.as_slice())
    }

    /// Batches are cut here, over all inputs of an instance.
    fn batching(&self) -> Batching {
        Batching::Own
    }

    /// # Errors
    /// [`Error::Setting`](lipex_core::Error::Setting) for a model of one number; [`Error::Model`](lipex_core::Error::Model) when the
    /// tokenizer or the graph fails; [`Error::NotADistribution`](lipex_core::Error::NotADistribution) for a row that is none.
    fn predict(&self, on: &B, (first, second): &(Texts, Texts)) -> Result<Probabilities<B>> {
        let Some(answers) = &self.answers else {
            return Err(self.graph.wrong("it gives one number and no classes"));
        };
        answers.probabilities(on, &self.rows(&first.as_strs(), &second.as_strs(), on.watch())?)
    }
}
