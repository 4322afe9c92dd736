//! What an explanation answers. Classes and features are numbers here; names are Python's part.

use crate::errors::raise;
use crate::explain::{ids, picture};
use lipex::{
    AnotherPicture, BatchRow, Explanation, ImageInstance, Overlays, PageOptions, Picture, Rank, Result, RowId,
    SegmentMap, Weighted, from_json, to_csv, to_html, to_json, to_json_canonical, to_svg,
};
use numpy::{PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// An explanation, and the image if one was explained.
#[pyclass(frozen, module = "lipex._lipex")]
pub struct Made {
    explanation: Explanation,
    image: Option<ImageInstance>,
}

/// Features and numbers.
type Reading = Vec<(usize, f64)>;

fn reading(list: Vec<Weighted>) -> Reading {
    list.into_iter().map(|w| (w.feature, w.value)).collect()
}

impl Made {
    /// An explanation as it was made.
    pub fn new(explanation: Explanation, image: Option<ImageInstance>) -> Self {
        Made { explanation, image }
    }

    fn options(&self, classes: Option<Vec<usize>>, contrast: Option<(usize, usize)>) -> PageOptions {
        let mut options = PageOptions::default();
        if let Some(classes) = classes {
            options = options.classes(classes);
        }
        if let Some((a, b)) = contrast {
            options = options.contrast(a, b);
        }
        match &self.image {
            Some(image) => options.image(image),
            None => options,
        }
    }
}

#[pymethods]
impl Made {
    /// Reads what `to_json` wrote.
    #[staticmethod]
    fn from_json(json: &str) -> PyResult<Self> {
        Ok(Made::new(from_json(json).map_err(raise)?, None))
    }

    /// The same with the picture (height, width, 3) that was explained and its segments (height, width).
    fn with_picture(&self, image: PyReadonlyArray3<'_, u8>, segments: PyReadonlyArray2<'_, i64>) -> PyResult<Self> {
        let ids: Vec<i64> = segments.as_array().iter().copied().collect();
        let [height, width] = [segments.shape()[0], segments.shape()[1]];
        let instance = || -> Result<ImageInstance> {
            let picture = picture(&image)?;
            // Pages look at pixels and segments alone; a baseline must be another picture everywhere.
            let inverted = picture.as_rgb().iter().map(|v| !v).collect();
            let other = Picture::from_rgb(picture.width(), picture.height(), inverted)?;
            let baseline = AnotherPicture { picture: other, name: "inverted".into() };
            ImageInstance::builder(picture, SegmentMap::from_ids(width, height, &ids)?).baseline(baseline).build()
        };
        Ok(Made::new(self.explanation.clone(), Some(instance().map_err(raise)?)))
    }

    /// The segments (height, width) of the picture that was explained, counted from 0.
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.image.as_ref().map(|image| ids(py, image.segments())).transpose()
    }

    fn to_json(&self) -> String {
        to_json(&self.explanation)
    }

    fn canonical(&self) -> String {
        to_json_canonical(&self.explanation)
    }

    /// The row of a batch's table, as JSON.
    fn row(&self) -> String {
        BatchRow::of(0, RowId::Number(0), &self.explanation).to_json()
    }

    /// The features' names, numbered where they are alike.
    fn names(&self) -> Vec<String> {
        (0..self.explanation.features.len()).map(|j| self.explanation.name(j)).collect()
    }

    fn predicted(&self) -> usize {
        self.explanation.predicted()
    }

    fn class_index(&self, name: &str) -> PyResult<usize> {
        self.explanation.class(name).map_err(raise)
    }

    #[pyo3(signature = (class_, k, rank=None))]
    fn top_k(&self, class_: usize, k: usize, rank: Option<&str>) -> PyResult<Reading> {
        let rank = rank.map_or(Ok(self.explanation.rank), Rank::by_name).map_err(raise)?;
        Ok(reading(self.explanation.top_k(class_, k, rank)))
    }

    fn contrast(&self, a: usize, b: usize) -> Reading {
        reading(self.explanation.contrast(a, b))
    }

    fn without(&self, features: Vec<usize>) -> PyResult<Vec<f64>> {
        self.explanation.without(&features).map_err(raise)
    }

    fn what_would_change(&self, to: usize) -> PyResult<Option<(Vec<usize>, Vec<f64>)>> {
        let change = self.explanation.what_would_change(to).map_err(raise)?;
        Ok(change.map(|change| (change.remove, change.surrogate)))
    }

    fn what_to_remove(&self, class_: usize) -> PyResult<(Vec<usize>, Vec<f64>)> {
        let removal = self.explanation.what_to_remove(class_).map_err(raise)?;
        Ok((removal.features, removal.surrogate))
    }

    #[pyo3(signature = (classes=None, contrast=None))]
    fn to_html(&self, classes: Option<Vec<usize>>, contrast: Option<(usize, usize)>) -> PyResult<String> {
        to_html(&self.explanation, &self.options(classes, contrast)).map_err(raise)
    }

    #[pyo3(signature = (classes=None))]
    fn to_svg(&self, classes: Option<Vec<usize>>) -> PyResult<String> {
        to_svg(&self.explanation, &self.options(classes, None)).map_err(raise)
    }

    fn to_csv(&self) -> PyResult<String> {
        to_csv(&self.explanation).map_err(raise)
    }

    /// The picture tinted for a class, (height, width, 3) of uint8; `None` where no picture is known.
    fn overlay<'py>(&self, py: Python<'py>, class_: usize) -> PyResult<Option<Bound<'py, PyArray3<u8>>>> {
        let Some(image) = &self.image else { return Ok(None) };
        let tinted = Overlays::new(image, &self.explanation, &[class_]).and_then(|overlays| overlays.of(class_));
        let tinted = tinted.map_err(raise)?;
        let shape = [tinted.height(), tinted.width(), 3];
        Ok(Some(PyArray1::from_slice(py, tinted.as_rgb()).reshape(shape)?))
    }
}
