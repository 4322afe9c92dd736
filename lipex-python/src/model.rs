//! Models that are named, not called: the demo, and graphs in folders.

use crate::callable::Callable;
use crate::errors::raise;
use crate::settings;
use lipex::{
    Backend, BlackBox, DemoModel, Domain, Error, Images, OnnxImage, OnnxOptions, OnnxTable, OnnxText, Outputs, Result,
    Rows, Seen, Texts,
};
use pyo3::prelude::*;
use std::path::Path;

/// A model that runs in process, without Python.
#[pyclass(frozen, module = "lipex._lipex", name = "Opened")]
pub struct Opened(Model);

enum Model {
    Demo(DemoModel),
    Text(Box<OnnxText>),
    Image(Box<OnnxImage>),
    Table(Box<OnnxTable>),
}

#[pymethods]
impl Opened {
    /// The classes' names.
    #[getter]
    fn labels(&self) -> Vec<String> {
        let labels = match &self.0 {
            Model::Demo(demo) => BlackBox::<lipex::Cpu, Texts>::labels(demo),
            Model::Text(model) => BlackBox::<lipex::Cpu, Texts>::labels(model),
            Model::Image(model) => BlackBox::<lipex::Cpu, Images>::labels(model),
            Model::Table(model) => BlackBox::<lipex::Cpu, Rows>::labels(model),
        };
        labels.unwrap_or_default().to_vec()
    }
}

/// What a folder lacks or has otherwise.
#[derive(FromPyObject, Default)]
#[pyo3(from_item_all)]
pub struct FolderOptions {
    tokenizer: Option<String>,
    labels: Option<Vec<String>>,
    max_tokens: Option<usize>,
    output: Option<String>,
    sigmoid: bool,
    threads: Option<usize>,
}

/// Opens `demo`, `onnx:FOLDER` or `FILE.onnx` for such instances.
#[pyfunction]
pub fn open(py: Python<'_>, name: &str, domain: &str, options: FolderOptions) -> PyResult<Opened> {
    let of = settings::domain(domain).map_err(raise)?;
    py.detach(|| opened(name, of, options)).map(Opened).map_err(raise)
}

fn opened(name: &str, domain: Domain, options: FolderOptions) -> Result<Model> {
    let is_file = Path::new(name).extension().is_some_and(|e| e == "onnx") && !name.contains(':');
    let folder = name.strip_prefix("onnx:").or(is_file.then_some(name));
    match (folder, domain) {
        (Some(path), Domain::Text) => Ok(Model::Text(Box::new(options.read().open_text(path)?))),
        (Some(path), Domain::Image) => Ok(Model::Image(Box::new(options.read().open_image(path)?))),
        (Some(path), _) => Ok(Model::Table(Box::new(options.read().open_table(path)?))),
        (None, Domain::Text) if name == "demo" => match options.any() {
            None => Ok(Model::Demo(DemoModel::embedded())),
            Some(option) => Err(Error::setting(option, "given", "is for models in folders (onnx:FOLDER) alone")),
        },
        (None, _) if name == "demo" => Err(Error::setting("model", name, "the demo reads texts")),
        _ => {
            let hint =
                if Path::new(name).is_dir() { format!("; for the folder say onnx:{name}") } else { String::new() };
            Err(Error::setting("model", name, format!("give a callable, \"demo\" or \"onnx:FOLDER\"{hint}")))
        }
    }
}

impl FolderOptions {
    fn read(self) -> OnnxOptions {
        let mut onnx = OnnxOptions::new();
        if let Some(file) = self.tokenizer {
            onnx = onnx.tokenizer(file);
        }
        if let Some(labels) = self.labels {
            onnx = onnx.labels(labels);
        }
        if let Some(most) = self.max_tokens {
            onnx = onnx.max_tokens(most);
        }
        if let Some(output) = self.output {
            onnx = onnx.output(output);
        }
        if self.sigmoid {
            onnx = onnx.sigmoid();
        }
        match self.threads {
            Some(threads) => onnx.threads(threads),
            None => onnx,
        }
    }

    /// The first option that was given.
    fn any(&self) -> Option<&'static str> {
        let given = [
            (self.labels.is_some(), "class_names"),
            (self.tokenizer.is_some(), "tokenizer"),
            (self.max_tokens.is_some(), "max_tokens"),
            (self.output.is_some(), "output"),
            (self.sigmoid, "sigmoid"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }
}

/// What is asked: a callable, or a model that is open.
pub enum Asked {
    Callable(Box<Callable>),
    Opened(Py<Opened>),
}

impl Asked {
    /// A callable with its names and what its numbers are, unless it is a model that is open.
    pub fn new(model: Bound<'_, PyAny>, labels: Option<Vec<String>>, outputs: Option<&str>) -> PyResult<Self> {
        if let Ok(opened) = model.cast::<Opened>() {
            return match outputs {
                None => Ok(Asked::Opened(opened.clone().unbind())),
                Some(value) => {
                    let reason =
                        "a model in a folder says itself what its numbers are; leave it out (or say `sigmoid`)";
                    Err(raise(Error::setting("outputs", value, reason)))
                }
            };
        }
        let outputs = Outputs::by_name(outputs.unwrap_or("probabilities")).map_err(raise)?;
        Ok(Asked::Callable(Box::new(Callable::new(model.unbind(), labels, outputs))))
    }

    /// As what takes texts.
    pub fn of_texts<B: Backend>(&self) -> Result<&dyn BlackBox<B, Texts>> {
        match self.one() {
            Ok(callable) => Ok(callable),
            Err(Model::Demo(demo)) => Ok(demo),
            Err(Model::Text(model)) => Ok(model),
            Err(_) => Err(wrong("texts")),
        }
    }

    /// As what takes images.
    pub fn of_images<B: Backend>(&self) -> Result<&dyn BlackBox<B, Images>> {
        match self.one() {
            Ok(callable) => Ok(callable),
            Err(Model::Image(model)) => Ok(model),
            Err(_) => Err(wrong("images")),
        }
    }

    /// As what takes rows of a table.
    pub fn of_rows<B: Backend>(&self) -> Result<&dyn BlackBox<B, Rows>> {
        match self.one() {
            Ok(callable) => Ok(callable),
            Err(Model::Table(model)) => Ok(model),
            Err(_) => Err(wrong("rows of a table")),
        }
    }

    /// What of a text the model sees, where it is known to cut.
    pub fn seen(&self, text: &str) -> Result<Option<Seen>> {
        match self.one() {
            Err(Model::Text(model)) => model.seen(text),
            _ => Ok(None),
        }
    }

    fn one(&self) -> std::result::Result<&Callable, &Model> {
        match self {
            Asked::Callable(callable) => Ok(callable),
            Asked::Opened(opened) => Err(&opened.get().0),
        }
    }
}

fn wrong(what: &str) -> Error {
    Error::setting("model", "opened", format!("takes no {what}"))
}
