//! From a row of the table to a row of the answer.

use super::input::Row;
use crate::explain::unknown_backend;
use crate::model::{ImageModel, TextModel};
use crate::options::{BatchOptions, PhotoOptions};
use crate::parse;
use crate::photo::Photo;
use crate::words::Words;
use lipex::{
    AnyExplainer, Baseline, BatchRow, Domain, Error, Explanation, ImageInstance, Images, Result, Settings, Texts,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all rows have in common.
pub struct Job<'a> {
    pub options: &'a BatchOptions,
    pub settings: Settings,
    pub kind: Kind,
    /// Threads of a model in process.
    pub threads: usize,
    /// Set when the run is to end.
    pub stop: Arc<AtomicBool>,
}

/// What is explained.
pub enum Kind {
    Texts(Words),
    Photos(Photos),
}

pub struct Photos {
    segments: String,
    baseline: Arc<dyn Baseline>,
    background: Option<String>,
}

impl Photos {
    pub fn read(options: &BatchOptions) -> Result<Self> {
        let baseline = parse::baseline(options.baseline.as_deref().unwrap_or("mean"))?;
        let segments = options.segments.clone().unwrap_or_else(|| crate::options::SEGMENTS.into());
        Ok(Photos { segments, baseline, background: options.background.clone() })
    }

    fn instance(&self, photo: &str) -> Result<ImageInstance> {
        let (segments, background) = (self.segments.clone(), self.background.clone());
        let Photo { picture, segments, .. } = Photo::read(&PhotoOptions { photo: photo.into(), segments, background })?;
        ImageInstance::builder(picture, segments).baseline(self.baseline.clone()).build()
    }
}

pub enum Model {
    Text(TextModel),
    Image(ImageModel),
}

impl Job<'_> {
    pub fn domain(&self) -> Domain {
        match self.kind {
            Kind::Texts(_) => Domain::Text,
            Kind::Photos(_) => Domain::Image,
        }
    }

    /// A model of the worker's own.
    pub fn open(&self) -> Result<Model> {
        let (options, threads) = (&self.options.model, Some(self.threads));
        Ok(match self.kind {
            Kind::Texts(_) => Model::Text(TextModel::open(options, threads)?),
            Kind::Photos(_) => Model::Image(ImageModel::open(options, threads)?),
        })
    }

    /// Whether the model is a program, which is started again when it fails.
    fn is_program(&self) -> bool {
        self.options.model.model.as_deref().is_some_and(|model| model.starts_with("command:"))
    }
}

/// A thread's own model and explainer.
pub struct Worker<'a> {
    job: &'a Job<'a>,
    explainer: AnyExplainer,
    model: Option<Model>,
}

/// What became of a row.
pub struct Outcome {
    pub row: BatchRow,
    /// Whether the program failed, and not the row alone.
    pub died: bool,
}

impl<'a> Worker<'a> {
    pub fn new(job: &'a Job<'a>, model: Option<Model>) -> Result<Self> {
        let stop = job.stop.clone();
        let stopped = move || stop.load(Ordering::Relaxed);
        let explainer = match job.settings.explainer(job.settings.device(), job.domain())? {
            AnyExplainer::Cpu(explainer) => AnyExplainer::Cpu(explainer.interrupt(stopped)),
            AnyExplainer::Cuda(explainer) => AnyExplainer::Cuda(explainer.interrupt(stopped)),
            _ => unknown_backend()?,
        };
        Ok(Worker { job, explainer, model })
    }

    /// Explains a row.
    pub fn work(&mut self, row: Row) -> Outcome {
        let Row { number, id, content } = row;
        let made = match content {
            Err(reason) => Err(Error::Instance(reason)),
            Ok(content) => self.explain(content),
        };
        match made {
            Ok(explanation) => Outcome { row: BatchRow::of(number, id, &explanation), died: false },
            Err(error) => {
                let died = matches!(error, Error::Model(_)) && self.job.is_program();
                if died {
                    self.model = None;
                }
                Outcome { row: BatchRow::failed(number, id, &error.to_string()), died }
            }
        }
    }

    fn explain(&mut self, content: String) -> Result<Explanation> {
        let model = match self.model.take() {
            Some(model) => model,
            None => self.job.open().map_err(|e| Error::model(e.to_string()))?,
        };
        // A fault of one row's is no other row's.
        let work = || match (&self.job.kind, &model) {
            (Kind::Texts(words), Model::Text(model)) => {
                let (text, _) = words.instance(content, model)?;
                match &self.explainer {
                    AnyExplainer::Cpu(explainer) => explainer.explain::<_, _, Texts>(&text, model),
                    AnyExplainer::Cuda(explainer) => explainer.explain::<_, _, Texts>(&text, model),
                    _ => unknown_backend(),
                }
            }
            (Kind::Photos(photos), Model::Image(model)) => {
                let photo = photos.instance(&content)?;
                match &self.explainer {
                    AnyExplainer::Cpu(explainer) => explainer.explain::<_, _, Images>(&photo, model),
                    AnyExplainer::Cuda(explainer) => explainer.explain::<_, _, Images>(&photo, model),
                    _ => unknown_backend(),
                }
            }
            _ => Err(Error::Instance("the model takes something else".into())),
        };
        let made = catch_unwind(AssertUnwindSafe(work));
        self.model = Some(model);
        made.unwrap_or_else(|_| Err(Error::Instance("a fault of lipex, which told it above".into())))
    }
}
