//! The model that `--model` names.

use crate::options::ModelOptions;
use crate::program;
use lipex::{
    Backend, Batching, BlackBox, CommandModel, DemoModel, Domain, Error, Images, Input, OnnxImage, OnnxOptions,
    OnnxTable, OnnxText, Probabilities, Remembered, Result, Rows, Seen, Texts,
};
use std::path::Path;

/// What takes texts.
pub enum TextModel {
    Demo(DemoModel),
    Program(CommandModel),
    Onnx(Box<OnnxText>),
    /// Any of these, with its answers in a file.
    Kept(Box<Remembered<TextModel>>),
}

/// What takes images.
pub enum ImageModel {
    Program(CommandModel),
    Onnx(Box<OnnxImage>),
    /// Either, with its answers in a file.
    Kept(Box<Remembered<ImageModel>>),
}

/// What takes rows of a table.
pub enum TableModel {
    Program(CommandModel),
    Onnx(Box<OnnxTable>),
}

/// What takes texts or images, whichever it is.
pub enum AnyModel {
    Text(TextModel),
    Image(ImageModel),
}

impl AnyModel {
    /// A folder's graph and a program's first line say what it takes.
    pub fn open(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        let value = options.model.as_deref().unwrap_or("demo");
        if let Some(path) = onnx(value) {
            return match OnnxOptions::input(path)? {
                Input::Image => ImageModel::open(options, threads).map(AnyModel::Image),
                Input::Text => TextModel::open(options, threads).map(AnyModel::Text),
                Input::Table => Err(Error::setting("model", value, "takes rows of a table, not texts or photos")),
            };
        }
        if !value.starts_with("command:") {
            return TextModel::open(options, threads).map(AnyModel::Text);
        }
        no_onnx(options, value)?;
        let program = program::started(value, options)?;
        let program = program.ok_or_else(|| Error::setting("model", value, "is no program"))?;
        if program.pairs().is_some() {
            return Err(Error::setting(
                "model",
                value,
                "the program is for two texts, as its first line says; use lipex match",
            ));
        }
        match program.domain() {
            Domain::Text => TextModel::Program(program).kept(options).map(AnyModel::Text),
            Domain::Image => ImageModel::Program(program).kept(options).map(AnyModel::Image),
            Domain::Rows => {
                Err(Error::setting("model", value, "the program takes rows of a table, as its first line says"))
            }
        }
    }
}

/// The folder or file of `onnx:FOLDER` or `FILE.onnx`.
pub fn onnx(value: &str) -> Option<&str> {
    let file = Path::new(value).extension().is_some_and(|e| e == "onnx") && !value.contains(':');
    value.strip_prefix("onnx:").or(file.then_some(value))
}

impl TextModel {
    pub fn open(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        Self::asked(options, threads)?.kept(options)
    }

    /// With its answers in a file, if that is asked for.
    fn kept(self, options: &ModelOptions) -> Result<Self> {
        let Some(file) = &options.answers else { return Ok(self) };
        let name = options.model.as_deref().unwrap_or("demo");
        Ok(TextModel::Kept(Box::new(Remembered::open(file, name, self)?)))
    }

    /// The model of a folder, if it is one.
    #[cfg(feature = "gradients")]
    pub fn onnx(&self) -> Option<&OnnxText> {
        match self {
            TextModel::Onnx(model) => Some(model),
            TextModel::Kept(model) => model.model().onnx(),
            TextModel::Demo(_) | TextModel::Program(_) => None,
        }
    }

    fn asked(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        let Some(value) = options.model.as_deref().filter(|m| *m != "demo") else {
            program::timeout(options)?;
            no_onnx(options, "demo")?;
            return Ok(TextModel::Demo(DemoModel::embedded()));
        };
        if let Some(path) = onnx(value) {
            return Ok(TextModel::Onnx(Box::new(onnx_options(options, threads)?.open_text(path)?)));
        }
        no_onnx(options, value)?;
        match program::start(value, options, Domain::Text)? {
            Some(program) => Ok(TextModel::Program(program)),
            None => Err(Error::setting(
                "model",
                value,
                format!("choose demo, onnx:FOLDER or 'command:PROGRAM ARGS'{}", hint(value)),
            )),
        }
    }

    /// What of a text the model sees, where it is known to cut.
    pub fn seen(&self, text: &str) -> Result<Option<Seen>> {
        match self {
            TextModel::Onnx(model) => model.seen(text),
            TextModel::Kept(model) => model.model().seen(text),
            TextModel::Demo(_) | TextModel::Program(_) => Ok(None),
        }
    }

    /// Whether it is the embedded classifier.
    pub fn is_demo(&self) -> bool {
        matches!(self, TextModel::Demo(_))
    }
}

impl ImageModel {
    pub fn open(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        Self::asked(options, threads)?.kept(options)
    }

    /// With its answers in a file, if that is asked for.
    fn kept(self, options: &ModelOptions) -> Result<Self> {
        let (Some(file), Some(name)) = (&options.answers, &options.model) else { return Ok(self) };
        Ok(ImageModel::Kept(Box::new(Remembered::open(file, name, self)?)))
    }

    /// The model of a folder, if it is one.
    #[cfg(feature = "gradients")]
    pub fn onnx(&self) -> Option<&OnnxImage> {
        match self {
            ImageModel::Onnx(model) => Some(model),
            ImageModel::Kept(model) => model.model().onnx(),
            ImageModel::Program(_) => None,
        }
    }

    fn asked(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        const GIVE: &str = "give --model onnx:FOLDER, or 'command:PROGRAM ARGS', a program that takes images \
                            (docs/command-protocol.md)";
        let Some(value) = options.model.as_deref() else {
            return Err(Error::Instance(format!("no model: {GIVE}; there is no embedded one for images")));
        };
        if let Some(path) = onnx(value) {
            return Ok(ImageModel::Onnx(Box::new(onnx_options(options, threads)?.open_image(path)?)));
        }
        no_onnx(options, value)?;
        if value == "demo" {
            return Err(Error::setting("model", "demo", format!("the demo reads texts; {GIVE}")));
        }
        match program::start(value, options, Domain::Image)? {
            Some(program) => Ok(ImageModel::Program(program)),
            None => Err(Error::setting("model", value, format!("is no program; {GIVE}{}", hint(value)))),
        }
    }
}

/// What is meant where a folder or file is named without a prefix.
pub fn hint(value: &str) -> String {
    if Path::new(value).is_dir() { format!("; for the folder say onnx:{value}") } else { String::new() }
}

/// Options that only a model in a folder has.
pub fn no_onnx(options: &ModelOptions, model: &str) -> Result<()> {
    let given = [
        ("tokenizer", options.tokenizer.as_deref()),
        ("labels", options.labels.as_deref()),
        ("output", options.output.as_deref()),
        ("max-tokens", options.max_tokens.map(|_| "")),
        ("sigmoid", options.sigmoid.then_some("")),
        ("onnx-runtime", options.onnx_runtime.as_deref()),
    ];
    match given.into_iter().find(|(_, value)| value.is_some()) {
        Some((name, _)) => {
            Err(Error::setting("model", model, format!("--{name} is for models in folders (onnx:FOLDER) alone")))
        }
        None => Ok(()),
    }
}

/// A model that is run as `--onnx-runtime` says.
pub fn run_by(onnx: OnnxOptions, runtime: Option<&str>) -> OnnxOptions {
    match runtime {
        None => onnx,
        Some("auto") => onnx.onnx_runtime(None),
        Some(path) => onnx.onnx_runtime(Some(Path::new(path))),
    }
}

pub fn onnx_options(options: &ModelOptions, threads: Option<usize>) -> Result<OnnxOptions> {
    let mut onnx = run_by(OnnxOptions::new(), options.onnx_runtime.as_deref());
    if let Some(file) = &options.tokenizer {
        onnx = onnx.tokenizer(file);
    }
    if let Some(labels) = &options.labels {
        onnx = match labels.contains(',') && !Path::new(labels).is_file() {
            true => onnx.labels(labels.split(',').map(str::trim)),
            false => onnx.labels_file(labels)?,
        };
    }
    if let Some(most) = options.max_tokens {
        onnx = onnx.max_tokens(most);
    }
    if let Some(name) = &options.output {
        onnx = onnx.output(name);
    }
    if options.sigmoid {
        onnx = onnx.sigmoid();
    }
    if let Some(threads) = threads {
        onnx = onnx.threads(threads);
    }
    Ok(onnx)
}

impl<B: Backend> BlackBox<B, Texts> for TextModel {
    fn labels(&self) -> Option<&[String]> {
        self.one::<B>().labels()
    }

    fn batching(&self) -> Batching {
        self.one::<B>().batching()
    }

    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        self.one().predict(on, batch)
    }
}

impl TextModel {
    fn one<B: Backend>(&self) -> &dyn BlackBox<B, Texts> {
        match self {
            TextModel::Demo(model) => model,
            TextModel::Program(model) => model,
            TextModel::Onnx(model) => model,
            TextModel::Kept(model) => model.as_ref(),
        }
    }
}

impl<B: Backend> BlackBox<B, Images> for ImageModel {
    fn labels(&self) -> Option<&[String]> {
        self.one::<B>().labels()
    }

    fn batching(&self) -> Batching {
        self.one::<B>().batching()
    }

    fn predict(&self, on: &B, batch: &Images) -> Result<Probabilities<B>> {
        self.one().predict(on, batch)
    }
}

impl ImageModel {
    fn one<B: Backend>(&self) -> &dyn BlackBox<B, Images> {
        match self {
            ImageModel::Program(model) => model,
            ImageModel::Onnx(model) => model,
            ImageModel::Kept(model) => model.as_ref(),
        }
    }
}

impl TableModel {
    pub fn open(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        const GIVE: &str = "give --model onnx:FOLDER, or 'command:PROGRAM ARGS', a program that takes rows of a table \
                            (docs/command-protocol.md)";
        if options.answers.is_some() {
            return Err(Error::setting("answers", "a file", "answers to rows of a table are not kept; leave it out"));
        }
        let Some(value) = options.model.as_deref() else {
            return Err(Error::Instance(format!("no model: {GIVE}; there is no embedded one for tables")));
        };
        if let Some(path) = onnx(value) {
            return Ok(TableModel::Onnx(Box::new(onnx_options(options, threads)?.open_table(path)?)));
        }
        no_onnx(options, value)?;
        match program::start(value, options, Domain::Rows)? {
            Some(program) => Ok(TableModel::Program(program)),
            None => Err(Error::setting("model", value, format!("is no program; {GIVE}{}", hint(value)))),
        }
    }

    fn one<B: Backend>(&self) -> &dyn BlackBox<B, Rows> {
        match self {
            TableModel::Program(model) => model,
            TableModel::Onnx(model) => model,
        }
    }
}

impl<B: Backend> BlackBox<B, Rows> for TableModel {
    fn labels(&self) -> Option<&[String]> {
        self.one::<B>().labels()
    }

    fn batching(&self) -> Batching {
        self.one::<B>().batching()
    }

    fn predict(&self, on: &B, batch: &Rows) -> Result<Probabilities<B>> {
        self.one().predict(on, batch)
    }
}
