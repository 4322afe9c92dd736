//! Classifiers of rows of tables.

use crate::answers::Answers;
use crate::expected::Expected;
use crate::files::Files;
use crate::graph::{Graph, Kind};
use crate::options::OnnxOptions;
use crate::workers::Workers;
use lipex_core::{Backend, Batching, BlackBox, Cell, CheckedRows, Error, Outputs, Probabilities, Result, Rows, Watch};
use rten::{ThreadPool, Value};
use std::path::Path;
use std::sync::Arc;

/// Rows of a call of the graph.
const ROWS: usize = 256;

/// A classifier of rows of numbers in an ONNX folder, as a black box: one input of fractional numbers, rows × columns.
///
/// Columns go to the graph in the table's order, as numbers in single precision, NaN where a value is missing; a category is an error.
/// The names of the classes and what the output's numbers are is found as for [`OnnxText`](crate::OnnxText).
///
/// ```
/// use lipex_onnx::OnnxTable;
///
/// let model = OnnxTable::open("../examples/models/iris")?;
/// assert_eq!((model.columns(), model.labels().len()), (4, 3));
/// assert!(model.expected()?.unwrap().furthest < 1e-4); // the same as the runtime that its folder was made with
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct OnnxTable {
    /// The folder.
    files: Files,
    /// The graph.
    graph: Graph,
    /// From its output to probabilities.
    answers: Answers,
    /// Columns that the graph wants.
    columns: usize,
    /// Rows of a call, where that is fixed.
    rows: Option<usize>,
    /// Threads that run it.
    workers: Workers,
}

impl std::fmt::Debug for OnnxTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxTable")
            .field("file", &self.graph.file)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl OnnxTable {
    /// The classifier of a folder or an `.onnx` file, everything as the folder says; [`OnnxOptions`] for the rest.
    ///
    /// # Errors
    /// Those of [`OnnxOptions::open_table`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        OnnxOptions::new().open_table(folder)
    }

    /// Opens a folder or file with what the user says.
    pub(crate) fn with_options(path: &Path, options: OnnxOptions) -> Result<Self> {
        let workers = options.workers()?;
        let files = Files::find(path)?;
        options.refuse_tokens("rows of a table have no tokens")?;
        let graph = options.graph(&files.model, &workers)?;
        let [input] = graph.inputs.as_slice() else {
            let names = graph.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(graph.wrong(format!(
                "for rows of a table there must be one input of fractional numbers; its inputs are {names}"
            )));
        };
        if input.kind != Kind::Float || !matches!(input.axes.len(), 0 | 2) {
            return Err(graph.wrong(format!("the input {input} does not take rows × columns of fractional numbers")));
        }
        let axis = |i: usize| input.axes.get(i).copied().flatten();
        let rows = axis(0);
        let columns = axis(1).ok_or_else(|| graph.wrong("does not say how many columns its input has"))?;
        let n = rows.unwrap_or(1);
        let tried = run(&graph, vec![0.0; n * columns], n, columns, workers.first());
        let (_, classes) = tried.map_err(|e| graph.wrong(e.to_string()))?;
        let answers = Answers::new(options.labels.as_deref(), options.sigmoid, &files, &graph, classes)?;
        Ok(OnnxTable { files, graph, answers, columns, rows, workers })
    }

    /// The classes' names.
    pub fn labels(&self) -> &[String] {
        &self.answers.labels
    }

    /// What the output's numbers are taken as.
    pub fn outputs(&self) -> Outputs {
        self.answers.outputs
    }

    /// How many columns a row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How near it is to the folder's `expected.json`, which has `{"rows": [{"values", "logits"}]}`; `None` without such a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file of another form; those of [`logits`](OnnxTable::logits).
    pub fn expected(&self) -> Result<Option<Expected>> {
        crate::expected::tables(self, &self.files)
    }

    /// What it is, for people: name and value.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        self.graph.describe(&self.answers)
    }

    /// The graph's own numbers, a row a row.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of columns; [`Error::Model`] for a category, or when the graph fails.
    pub fn logits(&self, rows: &Rows) -> Result<Vec<Vec<f32>>> {
        self.answer(rows, Watch::none())
    }

    /// What the graph says, a row a row.
    fn answer(&self, rows: &Rows, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        let columns = rows.columns().len();
        if self.columns != columns {
            return Err(Error::shape(format!("columns for {}", self.graph.file.display()), self.columns, columns));
        }
        let numbers = numbers(rows)?;
        let each = self.rows.unwrap_or(ROWS);
        let pieces: Vec<&[f32]> = numbers.chunks(each * columns).collect();
        let parts = self.workers.each(pieces.len(), watch, |i, pool| {
            let own = pieces[i].len() / columns;
            let mut data = pieces[i].to_vec();
            let count = self.rows.unwrap_or(own);
            // A fixed number of rows is filled up.
            data.resize(count * columns, 0.0);
            let (out, classes) = run(&self.graph, data, count, columns, pool)?;
            self.answers.check(classes)?;
            watch.advance(own);
            Ok(out.chunks_exact(classes).take(own).map(<[f32]>::to_vec).collect::<Vec<_>>())
        })?;
        Ok(parts.into_iter().flatten().collect())
    }
}

/// All values, row after row.
fn numbers(rows: &Rows) -> Result<Vec<f32>> {
    let mut numbers = Vec::with_capacity(rows.distinct().len() * rows.columns().len());
    for row in rows.distinct() {
        for (name, cell) in rows.columns().iter().zip(row) {
            numbers.push(match cell {
                Cell::Number(number) => *number as f32,
                Cell::Missing => f32::NAN,
                Cell::Text(text) => {
                    let told = format!("the column {name} has \"{text}\", and the graph takes numbers alone");
                    return Err(Error::setting("model", "onnx", told));
                }
            });
        }
    }
    Ok(numbers)
}

/// One batch of numbers.
fn run(graph: &Graph, data: Vec<f32>, n: usize, columns: usize, pool: &Arc<ThreadPool>) -> Result<(Vec<f32>, usize)> {
    let value = Value::from_shape(&[n, columns][..], data).map_err(|e| Error::model(e.to_string()))?;
    let name = graph.inputs.first().map_or("", |input| input.name.as_str());
    graph.run(vec![(name, value)], n, pool)
}

impl<B: Backend> BlackBox<B, Rows> for OnnxTable {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.answers.labels)
    }

    /// Batches are cut here, over all inputs of an instance.
    fn batching(&self) -> Batching {
        Batching::Own
    }

    /// # Errors
    /// Those of [`logits`](OnnxTable::logits); [`Error::NotADistribution`] for a row that is none.
    fn predict(&self, on: &B, batch: &Rows) -> Result<Probabilities<B>> {
        let rows = self.answer(batch, on.watch())?;
        let mut checked = CheckedRows::with_capacity(rows.len(), self.answers.labels.len());
        rows.iter().try_for_each(|numbers| checked.push(self.answers.outputs, self.answers.row(numbers)))?;
        batch.answer(on, checked)
    }
}
