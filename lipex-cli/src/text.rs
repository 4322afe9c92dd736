//! `lipex text`.

use crate::backend::{self, Chosen};
use crate::explain::{Asked, Explained, explain};
use crate::options::{ModelOptions, TextOptions, WordOptions};
use crate::output::{self, Targets};
use crate::staging::Staging;
use crate::{files, program};
use lipex::{
    Backend, BlackBox, Cpu, Cuda, DemoModel, Domain, Error, Remembered, Removed, Result, Split, TextInstance, Texts,
    Unit, lipex_cuda, npy,
};

pub fn run(options: &TextOptions) -> Result<()> {
    let others = [("json", options.json.as_ref()), ("save-neighbourhood", options.save_neighbourhood.as_ref())];
    let targets = Targets::new(others.into_iter().chain(files::asked(&options.files)))?;
    let text = instance(options)?;
    let (explanation, around, view) = match backend::choose(&options.backend.backend)? {
        Chosen::Cpu => {
            let on = Cpu::with_threads(options.threads.threads)?;
            explain(on, &text, model(&options.model)?.as_ref(), &asked(options))?
        }
        Chosen::Cuda(on) => {
            let (explanation, around, view) = on_device(&on, text, options)?;
            backend::report_traffic(&on);
            (explanation, lipex_cuda::to_host(&on, &around)?, view)
        }
    };
    let others = |option: &str| (option == "save-neighbourhood").then(|| npy::neighbourhood_to_npz(&around));
    files::finish(Staging::default(), &targets, &explanation, &view, others, "")
}

/// The demo classifier answers on the device if the text is one for it there; any other model answers on the host.
fn on_device(on: &Cuda, text: TextInstance, options: &TextOptions) -> Result<Explained<Cuda>> {
    if options.model.answers.is_none()
        && options.model.model.as_deref().is_none_or(|model| model == "demo")
        && let Ok(tokens) = text.clone().with_tokens(lipex::word_hashes)
    {
        return explain(on.clone(), &tokens, &DemoModel::embedded().on_device(on)?, &asked(options));
    }
    explain(on.clone(), &text, model(&options.model)?.as_ref(), &asked(options))
}

fn asked(options: &TextOptions) -> Asked<'_> {
    let TextOptions { model, method, sampling, noise, flip_to, view, .. } = options;
    Asked { domain: Domain::Text, model, method, sampling, noise, flip_to: flip_to.as_deref(), view }
}

fn instance(options: &TextOptions) -> Result<TextInstance> {
    let text = match (options.text.as_deref(), options.file.as_deref()) {
        (Some("-"), _) => output::read("TEXT", "-")?,
        (Some(text), _) => text.to_string(),
        (None, Some(file)) => output::read("file", file)?,
        (None, None) => {
            return Err(Error::Instance("no text: give it in quotes, with --file F, or - for standard input".into()));
        }
    };
    let WordOptions { unit, split, removed, ignore_words } = &options.words;
    let mut builder = TextInstance::builder(text)
        .unit(Unit::by_name(unit)?)
        .split(Split::by_name(split)?)
        .removed(Removed::by_name(removed)?);
    if let Some(file) = ignore_words {
        builder = builder.ignore(output::read("ignore-words", file)?.split_whitespace());
    }
    builder.build()
}

fn model<B: Backend>(options: &ModelOptions) -> Result<Box<dyn BlackBox<B, Texts>>> {
    let model = asked_anew(options)?;
    let name = options.model.as_deref().unwrap_or("demo");
    Ok(match &options.answers {
        Some(file) => Box::new(Remembered::open(file, name, model)?),
        None => model,
    })
}

fn asked_anew<B: Backend>(options: &ModelOptions) -> Result<Box<dyn BlackBox<B, Texts>>> {
    match options.model.as_deref() {
        None | Some("demo") => {
            program::timeout(options)?;
            Ok(Box::new(DemoModel::embedded()))
        }
        Some(other) => {
            let refuse = || Error::setting("model", other, "choose demo or 'command:PROGRAM ARGS'");
            Ok(Box::new(program::start(other, options, Domain::Text)?.ok_or_else(refuse)?))
        }
    }
}
