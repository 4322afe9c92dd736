//! Image classifiers.
//!
//! # Shapes
//! Pictures come as bytes, N × height × width × 3; the graph gets N × channels × height × width or channels last, in f32 or
//! u8, as it wants.
//!
//! # Cost
//! Preprocessing takes as long as a small graph: it runs on the threads of the batches.

use crate::answers::Answers;
use crate::expected::Expected;
use crate::files::Files;
use crate::graph::{Graph, Kind};
use crate::options::OnnxOptions;
use crate::preprocess::Preprocess;
use crate::resize::Pixels;
use crate::workers::Workers;
use lipex_core::{Backend, Batching, BlackBox, Error, Images, Outputs, Probabilities, Result, Watch};
use rten::{ThreadPool, Value};
use std::path::Path;
use std::sync::Arc;

/// An image classifier in an ONNX folder, as a black box.
///
/// Pictures are sized, cut and normalised as `preprocessor_config.json` says, with the defaults of the processor that it
/// names, by a resizer that gives Pillow's bytes. Each picture runs alone, on one of the threads, so that no answer
/// depends on other pictures. What the output's numbers are is found as for [`OnnxText`](crate::OnnxText).
///
/// ```no_run
/// use lipex_onnx::OnnxImage;
///
/// let model = OnnxImage::open("my-photos")?; // model.onnx, config.json, preprocessor_config.json
/// println!("{} classes, {:?}", model.labels().len(), model.outputs());
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct OnnxImage {
    /// The folder.
    files: Files,
    /// The graph.
    pub(crate) graph: Graph,
    /// From pictures to its input.
    pub(crate) preprocess: Preprocess,
    /// From its output to probabilities.
    pub(crate) answers: Answers,
    /// Where channels stand.
    pub(crate) layout: Layout,
    /// Threads that run it.
    workers: Workers,
}

/// How the graph takes a picture.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The name of the input.
    pub input: String,
    /// Whether channels come before rows and columns.
    pub channels_first: bool,
    /// 1 or 3.
    pub channels: usize,
    /// Rows and columns, where they are fixed.
    pub size: [Option<usize>; 2],
    /// Pictures of a call, where that is fixed; all of them the same one.
    pub rows: usize,
    /// Whether it takes bytes as they are.
    pub bytes: bool,
}

impl std::fmt::Debug for OnnxImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxImage")
            .field("file", &self.graph.file)
            .field("classes", &self.answers.labels.len())
            .field("preprocess", &self.preprocess)
            .finish_non_exhaustive()
    }
}

impl OnnxImage {
    /// The classifier of a folder, everything as the folder says; [`OnnxOptions`] for the rest.
    ///
    /// # Errors
    /// Those of [`OnnxOptions::open_image`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        OnnxOptions::new().open_image(folder)
    }

    /// Opens a folder or file with what the user says.
    pub(crate) fn with_options(path: &Path, options: OnnxOptions) -> Result<Self> {
        let workers = options.workers()?;
        let files = Files::find(path)?;
        options.refuse_tokens("images have no tokens")?;
        let graph = options.graph(&files.model, &workers)?;
        let layout = layout(&graph)?;
        let preprocess = Preprocess::open(&files, layout.size, layout.channels)?;
        // One picture tells how many columns there are, and that the graph runs.
        let grey = Pixels { width: 64, height: 64, rgb: vec![128; 3 * 64 * 64] };
        let tried = run(&graph, &layout, &preprocess, grey, workers.first());
        let columns = tried.map_err(|e| graph.wrong(e.to_string()))?.len();
        let answers = Answers::new(options.labels.as_deref(), options.sigmoid, &files, &graph, columns)?;
        Ok(OnnxImage { files, graph, preprocess, answers, layout, workers })
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
        self.graph.describe(&self.answers)
    }

    /// How near it is to the folder's `expected.json`, which has `{"pictures": [{"file", "logits"}]}`; `decode` reads a file.
    /// `None` without such a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file of another form; those of [`logits`](OnnxImage::logits) and of `decode`.
    pub fn expected(&self, decode: impl Fn(&Path) -> Result<Images>) -> Result<Option<Expected>> {
        crate::expected::images(self, &self.files, decode)
    }

    /// The graph's own numbers, a row a picture.
    ///
    /// # Errors
    /// [`Error::Model`] when a picture cannot be brought to the graph's size, or the graph fails.
    pub fn logits(&self, images: &Images) -> Result<Vec<Vec<f32>>> {
        self.rows(images, Watch::none())
    }

    /// What the graph says, a row a picture; asks between batches whether to go on.
    fn rows(&self, images: &Images, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        let (width, height) = (images.width(), images.height());
        let pictures: Vec<&[u8]> = images.iter().collect();
        self.workers.each(pictures.len(), watch, |i, pool| {
            let picture = Pixels { width, height, rgb: pictures[i].to_vec() };
            let row = run(&self.graph, &self.layout, &self.preprocess, picture, pool)?;
            self.answers.check(row.len())?;
            Ok(row)
        })
    }
}

/// The graph's numbers for one picture.
fn run(graph: &Graph, layout: &Layout, how: &Preprocess, picture: Pixels, pool: &Arc<ThreadPool>) -> Result<Vec<f32>> {
    let sized = fitted(layout, how, picture)?;
    let (n, c, h, w) = (layout.rows, layout.channels, sized.height, sized.width);
    let shape = if layout.channels_first { [n, c, h, w] } else { [n, h, w, c] };
    let value = if layout.bytes {
        Value::from_shape(shape, how.bytes(&sized, layout.channels_first).repeat(n))
            .map_err(|e| Error::model(e.to_string()))?
    } else {
        Value::from_shape(shape, how.numbers(&sized, layout.channels_first).repeat(n))
            .map_err(|e| Error::model(e.to_string()))?
    };
    let (mut numbers, columns) = graph.run(vec![(&layout.input, value)], n, pool)?;
    numbers.truncate(columns);
    Ok(numbers)
}

/// A picture at the size that the graph takes.
pub(crate) fn fitted(layout: &Layout, how: &Preprocess, picture: Pixels) -> Result<Pixels> {
    let sized = how.sized(picture)?;
    let (w, h) = (sized.width, sized.height);
    if let [Some(height), Some(width)] = layout.size
        && (height, width) != (h, w)
    {
        return Err(Error::model(format!("the picture became {w}×{h} pixels, and the graph takes {width}×{height}")));
    }
    Ok(sized)
}

/// How the graph takes pictures.
fn layout(graph: &Graph) -> Result<Layout> {
    let [input] = graph.inputs.as_slice() else {
        let names: Vec<&str> = graph.inputs.iter().map(|i| i.name.as_str()).collect();
        return Err(graph.wrong(format!("an image classifier has one input; this has {}", names.join(", "))));
    };
    if !matches!(input.kind, Kind::Float | Kind::Byte) {
        return Err(graph.wrong(format!("the input {} takes {}, no pictures", input.name, input.spelt)));
    }
    let &[rows, a, b, c] = input.axes.as_slice() else {
        let reason = "axes, where pictures have 4 (rows, channels, height, width)";
        return Err(graph.wrong(format!("the input {} has {} {reason}", input.name, input.axes.len())));
    };
    let channels = |n: Option<usize>| n.filter(|n| *n == 1 || *n == 3);
    let (channels_first, channels, size) = match (channels(a), channels(c)) {
        (Some(n), _) => (true, n, [b, c]),
        (None, Some(n)) => (false, n, [a, b]),
        (None, None) => (true, 3, [b, c]),
    };
    let bytes = input.kind == Kind::Byte;
    Ok(Layout { input: input.name.clone(), channels_first, channels, size, rows: rows.unwrap_or(1), bytes })
}

impl<B: Backend> BlackBox<B, Images> for OnnxImage {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.answers.labels)
    }

    /// Each picture runs alone.
    fn batching(&self) -> Batching {
        Batching::Own
    }

    /// # Errors
    /// [`Error::Model`] when the graph fails; [`Error::NotADistribution`] for a row that is none.
    fn predict(&self, on: &B, batch: &Images) -> Result<Probabilities<B>> {
        let rows = self.rows(batch, on.watch())?;
        self.answers.probabilities(on, &rows)
    }
}
