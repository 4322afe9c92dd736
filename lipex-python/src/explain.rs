//! One explanation: of a text, an image or a row of a table.

use crate::answers::{Answered, Answers};
use crate::callable::Value;
use crate::errors::raise;
use crate::explanation::Made;
use crate::model::Asked;
use crate::settings::{self, Pairs};
use crate::stop::Stop;
use lipex::{
    AnotherPicture, AnyExplainer, Backend, Baseline, BlackBox, Domain, Error, Explainer, Explanation, GivenMasks,
    GivenWeights, ImageInstance, Perturber, Picture, Reference, Render, Result, SegmentMap, Segmenter, Settings, Table,
    TabularInstance, TextInstance, baseline_by_name, class_by_name, expect_len,
};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::Arc;

/// How a model is asked and what is made of it, for any instance.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct How {
    labels: Option<Vec<String>>,
    outputs: Option<String>,
    settings: Pairs,
    flip_to: Option<String>,
    /// Masks (N, D) of uint8, or a callable of D that gives them; in place of a sampler.
    masks: Option<Py<PyAny>>,
}

impl How {
    fn asked(&self, model: Bound<'_, PyAny>) -> PyResult<Asked> {
        Asked::new(model, self.labels.clone(), self.outputs.as_deref())
    }

    /// The masks that are given, for an instance of so many features.
    fn masks(&self, features: usize) -> Result<Option<GivenMasks>> {
        let Some(given) = &self.masks else { return Ok(None) };
        Python::attach(|py| {
            let given = given.bind(py);
            let masks = if given.is_callable() { given.call1((features,)) } else { Ok(given.clone()) };
            let masks: PyReadonlyArray2<'_, u8> = masks.map_err(Error::model)?.extract().map_err(Error::model)?;
            let [rows, columns] = [masks.shape()[0], masks.shape()[1]];
            expect_len("columns of the masks (one a feature)", features, columns)?;
            let bytes: Vec<u8> = masks.as_array().iter().copied().collect();
            GivenMasks::new(rows, columns, &bytes).map(Some)
        })
    }
}

/// Explains a text. A callable takes a list of str and gives an (n, C) float64 array.
#[pyfunction]
pub fn explain_text(
    py: Python<'_>,
    text: String,
    model: Bound<'_, PyAny>,
    how: How,
    ignore_words: Vec<String>,
) -> PyResult<Made> {
    let (asked, stop) = (how.asked(model)?, Stop::new());
    let work = || {
        let settings = settings::read(&how.settings)?;
        let seen = asked.seen(&text)?;
        let mut builder = settings.text(text)?.ignore(&ignore_words);
        if let Some(seen) = seen {
            builder = builder.seen(seen.bytes);
        }
        let text: TextInstance = builder.build()?;
        match explainer(&settings, Domain::Text)? {
            AnyExplainer::Cpu(explainer) => run(explainer, &text, asked.of_texts()?, &how, &stop),
            AnyExplainer::Cuda(explainer) => run(explainer, &text, asked.of_texts()?, &how, &stop),
            _ => unknown(),
        }
    };
    py.detach(work).map(|made| Made::new(made, None)).map_err(|error| stop.raise(error))
}

/// The segments of a picture: an id a pixel, or a segmenter by name.
#[derive(FromPyObject)]
pub enum Segments<'py> {
    Ids(PyReadonlyArray2<'py, i64>),
    Named(String),
}

/// What a removed segment becomes: a picture, or a baseline by name.
#[derive(FromPyObject)]
pub enum Becomes<'py> {
    Picture(PyReadonlyArray3<'py, u8>),
    Named(String),
}

/// Explains a picture (height, width, 3) of uint8. A callable takes (n, height, width, 3) and gives an (n, C) float64 array.
#[pyfunction]
pub fn explain_image(
    py: Python<'_>,
    image: PyReadonlyArray3<'_, u8>,
    model: Bound<'_, PyAny>,
    how: How,
    segments: Segments<'_>,
    baseline: Becomes<'_>,
) -> PyResult<Made> {
    let (asked, stop) = (how.asked(model)?, Stop::new());
    let picture = picture(&image).map_err(raise)?;
    let ids = match segments {
        Segments::Ids(ids) => Ok((ids.shape()[1], ids.shape()[0], ids.as_array().iter().copied().collect::<Vec<_>>())),
        Segments::Named(name) => Err(name),
    };
    let baseline: Arc<dyn Baseline> = match baseline {
        Becomes::Named(name) => baseline_by_name(&name).map_err(raise)?,
        Becomes::Picture(other) => {
            Arc::new(AnotherPicture { picture: self::picture(&other).map_err(raise)?, name: "array".into() })
        }
    };
    let work = || {
        let map = match ids {
            Ok((width, height, ids)) => SegmentMap::from_ids(width, height, &ids)?,
            Err(name) => Segmenter::by_name(&name)?.cut(&picture)?,
        };
        let image = ImageInstance::builder(picture, map).baseline(baseline).build()?;
        let settings = settings::read(&how.settings)?;
        let made = match explainer(&settings, Domain::Image)? {
            AnyExplainer::Cpu(explainer) => run(explainer, &image, asked.of_images()?, &how, &stop),
            AnyExplainer::Cuda(explainer) => run(explainer, &image, asked.of_images()?, &how, &stop),
            _ => unknown(),
        }?;
        Ok(Made::new(made, Some(image)))
    };
    py.detach(work).map_err(|error| stop.raise(error))
}

/// The segments (height, width) of a picture (height, width, 3), by a segmenter's name.
#[pyfunction]
pub fn cut<'py>(py: Python<'py>, image: PyReadonlyArray3<'py, u8>, segmenter: &str) -> PyResult<Bound<'py, PyAny>> {
    let picture = picture(&image).map_err(raise)?;
    let map = py.detach(|| Segmenter::by_name(segmenter)?.cut(&picture)).map_err(raise)?;
    ids(py, &map)
}

/// The segments (height, width) of a map, counted from 0.
pub fn ids<'py>(py: Python<'py>, map: &SegmentMap) -> PyResult<Bound<'py, PyAny>> {
    let ids = map.of_pixels().iter().map(|&id| i64::from(id)).collect();
    Ok(PyArray1::<i64>::from_vec(py, ids).reshape([map.height(), map.width()])?.into_any())
}

/// The pixels of an array (height, width, 3).
///
/// # Errors
/// [`Error::Shape`] for another number of channels; those of [`Picture::from_rgb`].
pub fn picture(image: &PyReadonlyArray3<'_, u8>) -> Result<Picture> {
    let (height, width, channels) = image.as_array().dim();
    expect_len("channels of the image (height, width, 3)", 3, channels)?;
    Picture::from_rgb(width, height, image.as_array().iter().copied().collect())
}

/// A table of Python's values.
type Cells = Vec<Vec<Value>>;

/// Explains a row against the rows of a background. A callable takes a list of rows and gives an (n, C) float64 array.
#[pyfunction]
pub fn explain_table(
    py: Python<'_>,
    columns: Vec<String>,
    row_and_background: (Cells, Cells),
    model: Bound<'_, PyAny>,
    how: How,
    reference: Option<String>,
) -> PyResult<Made> {
    let (asked, stop) = (how.asked(model)?, Stop::new());
    let (row, background) = row_and_background;
    let work = || {
        let table = |rows: Cells| {
            let cells = rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
            Table::new(columns.clone(), cells)
        };
        let settings = settings::read(&how.settings)?;
        let seed = settings.get("seed").and_then(|seed| seed.parse().ok()).unwrap_or(0);
        let reference = reference.as_deref().map_or_else(|| Ok(Reference::default()), Reference::by_name)?;
        let background = reference.of(&table(background)?, seed)?;
        let row = TabularInstance::new(&table(row)?, &background)?.reference(reference);
        match explainer(&settings, Domain::Rows)? {
            AnyExplainer::Cpu(explainer) => run(explainer, &row, asked.of_rows()?, &how, &stop),
            AnyExplainer::Cuda(explainer) => run(explainer, &row, asked.of_rows()?, &how, &stop),
            _ => unknown(),
        }
    };
    py.detach(work).map(|made| Made::new(made, None)).map_err(|error| stop.raise(error))
}

/// What was asked: features by name, masks of them in `how`, an answer (N, C) to each, and what each weighs.
#[pyfunction]
pub fn explain_answers(
    py: Python<'_>,
    features: Vec<String>,
    answers: PyReadonlyArray2<'_, f64>,
    weights: Option<Vec<f32>>,
    how: How,
) -> PyResult<Made> {
    let stop = Stop::new();
    let [rows, columns] = [answers.shape()[0], answers.shape()[1]];
    let values = answers.as_array().iter().copied().collect();
    let model = Answers::new(values, columns, how.labels.clone(), how.outputs.as_deref()).map_err(raise)?;
    let work = || {
        let settings = settings::read(&how.settings)?;
        let given = Answered::new(features, rows);
        let weights = weights.map(GivenWeights::new).transpose()?;
        if let Some(weights) = &weights {
            expect_len("weights (one a mask)", rows, weights.values().len())?;
        }
        match explainer(&settings, Domain::Rows)? {
            AnyExplainer::Cpu(explainer) => {
                let explainer = weights.into_iter().fold(explainer, |explainer, weights| explainer.proximity(weights));
                run(explainer, &given, &model, &how, &stop)
            }
            _ => Err(Error::setting("backend", "cuda", "answers that are given are explained on the cpu")),
        }
    };
    py.detach(work).map(|made| Made::new(made, None)).map_err(|error| stop.raise(error))
}

fn explainer(settings: &Settings, domain: Domain) -> Result<AnyExplainer> {
    settings.explainer(settings.device(), domain)
}

/// Explains, and looks for what would flip the prediction where that is asked.
fn run<B: Backend, Batch>(
    mut explainer: Explainer<B>,
    instance: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    how: &How,
    stop: &Stop,
) -> Result<Explanation>
where
    GivenMasks: Perturber<B>,
{
    if let Some(masks) = how.masks(instance.features().len())? {
        explainer = explainer.perturber(masks);
    }
    let asks = stop.clone();
    let explainer = explainer.interrupt(move || asks.is_asked());
    if let (Some(to), Some(labels)) = (&how.flip_to, model.labels()) {
        flip_to(to, labels)?;
    }
    let mut explanation = explainer.explain(instance, model)?;
    if let Some(to) = &how.flip_to {
        let to = flip_to(to, &explanation.classes)?;
        explanation.flip = Some(explainer.flip(instance, model, &explanation, to)?);
    }
    Ok(explanation)
}

fn flip_to(to: &str, labels: &[String]) -> Result<usize> {
    let names: Vec<&str> = labels.iter().map(String::as_str).collect();
    class_by_name(to, labels).ok_or_else(|| Error::choice("flip_to", to, &names))
}

/// The answer to a backend that the library has and this package does not.
fn unknown<T>() -> Result<T> {
    Err(Error::Unavailable { backend: "this one", reason: "the package has cpu and cuda".into() })
}
