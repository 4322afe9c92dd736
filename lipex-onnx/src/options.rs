//! What a user may say about a model beyond what its folder says.

use crate::files::Files;
use crate::graph::{Graph, Kind};
use crate::runtime::Wanted;
use crate::workers::Workers;
use crate::{OnnxImage, OnnxPairs, OnnxTable, OnnxText};
use lipex_core::{Error, Result};
use std::path::{Path, PathBuf};

/// What a folder's model takes.
///
/// ```no_run
/// use lipex_onnx::{Input, OnnxOptions};
///
/// // What a folder takes, before it is opened for good.
/// match OnnxOptions::input("my-model")? {
///     Input::Text => println!("texts"),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Tokens.
    Text,
    /// Images: an input of four axes.
    Image,
    /// Rows of a table: one input of fractional numbers, rows × columns.
    Table,
}

/// Settings of a model, each in place of what its folder says.
///
/// ```no_run
/// let model = lipex_onnx::OnnxOptions::new().max_tokens(256).threads(2).open_text("my-classifier")?;
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OnnxOptions {
    /// A tokenizer's file in place of the folder's.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Class names in place of the folder's.
    pub(crate) labels: Option<Vec<String>>,
    /// Where texts are cut.
    pub(crate) max_tokens: Option<usize>,
    /// The output to read.
    pub(crate) output: Option<String>,
    pub(crate) sigmoid: bool,
    /// Threads; all cores if `None`.
    pub(crate) threads: Option<usize>,
    /// What runs the graph.
    pub(crate) runtime: Wanted,
}

impl OnnxOptions {
    /// Refuses what only texts have.
    pub(crate) fn refuse_tokens(&self, reason: &str) -> Result<()> {
        let given = [("tokenizer", self.tokenizer.is_some()), ("max-tokens", self.max_tokens.is_some())];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::setting(name, "", reason)),
            None => Ok(()),
        }
    }

    /// Everything as the folder says.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tokenizer's file; default `tokenizer.json` of the folder.
    pub fn tokenizer(self, file: impl Into<PathBuf>) -> Self {
        OnnxOptions { tokenizer: Some(file.into()), ..self }
    }

    /// The classes' names, in the order of the output's columns; default `id2label` of `config.json`, else the lines of
    /// `labels.txt`.
    pub fn labels(self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        OnnxOptions { labels: Some(labels.into_iter().map(Into::into).collect()), ..self }
    }

    /// The classes' names, one a line of a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that cannot be read or has an empty line.
    pub fn labels_file(self, file: impl AsRef<Path>) -> Result<Self> {
        let labels = crate::classes::lines(file.as_ref())?;
        Ok(self.labels(labels))
    }

    /// Most tokens of a text, those that the tokenizer adds included; the rest is cut. Default: `model_max_length` of
    /// `tokenizer_config.json`, capped by `max_position_embeddings` of `config.json`.
    pub fn max_tokens(self, max_tokens: usize) -> Self {
        OnnxOptions { max_tokens: Some(max_tokens), ..self }
    }

    /// The graph's output that has the classes; default `logits`, else the only one.
    pub fn output(self, name: impl Into<String>) -> Self {
        OnnxOptions { output: Some(name.into()), ..self }
    }

    /// The output's numbers are independent scores, each to go through a sigmoid; default: if `config.json` says
    /// `"problem_type": "multi_label_classification"`.
    pub fn sigmoid(self) -> Self {
        OnnxOptions { sigmoid: true, ..self }
    }

    /// Threads, each with a batch of its own; default: as many as the machine has cores. Does not change the result.
    pub fn threads(self, threads: usize) -> Self {
        OnnxOptions { threads: Some(threads), ..self }
    }

    /// Runs the graph by onnxruntime in place of rten: convolutions are several times as fast, and operators are there that
    /// rten lacks. `library` is the library's file, or a folder with it; `None` looks in the usual places (`ORT_DYLIB_PATH`,
    /// what `pip install onnxruntime` brought to the active Python environment, the user's or the system's, folders for
    /// libraries). Needs the feature `ort`. A process loads one library. Answers differ from rten's in the last digits.
    pub fn onnx_runtime(self, library: Option<&Path>) -> Self {
        OnnxOptions { runtime: Wanted::OnnxRuntime(library.map(Path::to_path_buf)), ..self }
    }

    /// What the model of a folder, or of an `.onnx` file, takes.
    ///
    /// # Errors
    /// [`Error::Setting`] for no folder, or a file that is no graph.
    pub fn input(path: impl AsRef<Path>) -> Result<Input> {
        Ok(match Graph::inputs_of(&Files::find(path.as_ref())?.model)?.as_slice() {
            inputs if inputs.iter().any(|input| input.axes.len() == 4) => Input::Image,
            [one] if one.kind == Kind::Float && one.axes.len() == 2 => Input::Table,
            _ => Input::Text,
        })
    }

    /// A text classifier: a folder, or an `.onnx` file with the other files beside it.
    ///
    /// # Errors
    /// [`Error::Setting`], which names the file and the key, for whatever is missing, contradicts itself or cannot be
    /// run; the graph is tried once.
    pub fn open_text(self, path: impl AsRef<Path>) -> Result<OnnxText> {
        OnnxText::with_options(path.as_ref(), self)
    }

    /// A model of two texts: a dual encoder, or a cross-encoder.
    ///
    /// # Errors
    /// Those of [`open_text`](OnnxOptions::open_text).
    pub fn open_pairs(self, path: impl AsRef<Path>) -> Result<OnnxPairs> {
        OnnxPairs::with_options(path.as_ref(), self)
    }

    /// An image classifier: a folder, or an `.onnx` file with the other files beside it.
    ///
    /// # Errors
    /// Those of [`open_text`](OnnxOptions::open_text).
    pub fn open_image(self, path: impl AsRef<Path>) -> Result<OnnxImage> {
        OnnxImage::with_options(path.as_ref(), self)
    }

    /// A classifier of rows of a table: a folder, or an `.onnx` file with the other files beside it.
    ///
    /// # Errors
    /// Those of [`open_text`](OnnxOptions::open_text).
    pub fn open_table(self, path: impl AsRef<Path>) -> Result<OnnxTable> {
        OnnxTable::with_options(path.as_ref(), self)
    }

    /// The threads to use.
    pub(crate) fn workers(&self) -> Result<Workers> {
        let threads = match self.threads {
            Some(0) => return Err(Error::setting("threads", 0, "at least 1")),
            Some(threads) => threads,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Workers::new(threads, self.runtime.side_by_side(threads)))
    }

    /// The graph of a file.
    pub(crate) fn graph(&self, file: &Path, workers: &Workers) -> Result<Graph> {
        Graph::load(file, self.output.as_deref(), &self.runtime, workers.threads())
    }
}
