//! `lipex text`.

use crate::backend::{self, Chosen, Everything};
use crate::options::{ModelOptions, TextOptions, WordOptions};
use crate::output::{self, Targets};
use crate::progress::Watched;
use crate::staging::Staging;
use crate::{files, method, parse, program, report};
use lipex::{
    Backend, BlackBox, Cpu, Cuda, DemoModel, Domain, Error, Explanation, Neighbourhood, Rank, Removed, Render, Result,
    Split, TextInstance, Texts, Unit, lipex_cuda, npy,
};

pub fn run(options: &TextOptions) -> Result<()> {
    let others = [("json", options.json.as_ref()), ("save-neighbourhood", options.save_neighbourhood.as_ref())];
    let targets = Targets::new(others.into_iter().chain(files::asked(&options.files)))?;
    let text = instance(options)?;
    let (explanation, around, view) = match backend::choose(&options.backend)? {
        Chosen::Cpu => {
            let on = Cpu::with_threads(options.threads.threads)?;
            explain(on, &text, model(&options.model)?.as_ref(), options)?
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

type Explained<B> = (Explanation, Neighbourhood<B>, report::Choice);

/// The demo classifier answers on the device if the text is one for it there; any other model answers on the host.
fn on_device(on: &Cuda, text: TextInstance, options: &TextOptions) -> Result<Explained<Cuda>> {
    if options.model.model.as_deref().is_none_or(|model| model == "demo")
        && let Ok(tokens) = text.clone().with_tokens(lipex::word_hashes)
    {
        return explain(on.clone(), &tokens, &DemoModel::embedded().on_device(on)?, options);
    }
    explain(on.clone(), &text, model(&options.model)?.as_ref(), options)
}

fn explain<B: Everything, Batch>(
    on: B,
    text: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    options: &TextOptions,
) -> Result<Explained<B>> {
    let mut explainer = on.explainer(&options.method, &options.sampling, Domain::Text)?;
    explainer = method::with_noise(explainer, &options.noise, options.view.top)?;
    if let Some(size) = options.model.batch_size {
        explainer = explainer.batch_size(size)?;
    }
    if let Some(rank) = &options.view.rank {
        explainer = explainer.rank(Rank::by_name(rank)?);
    }
    let model = &Watched::new(model);
    let view = report::Choice::new(&options.view, model.labels())?;
    let flip_to = options.flip_to.as_deref().map(|to| parse::class("flip-to", to, model.labels())).transpose()?;
    let (mut explanation, around) = explainer.explain_with_neighbourhood(text, model)?;
    if let Some(to) = flip_to {
        explanation.flip = Some(explainer.flip(text, model, &explanation, to)?);
    }
    Ok((explanation, around, view))
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
