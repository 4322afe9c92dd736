//! `lipex text`.

use crate::backend::{self, Chosen, Everything};
use crate::options::{ModelOptions, TextOptions, WordOptions};
use crate::output::{self, Target};
use crate::{method, parse, report};
use lipex::{
    Backend, BlackBox, CommandModel, Cpu, Cuda, DemoModel, Error, Explanation, Neighbourhood, Rank, Removed, Render,
    Result, Split, TextInstance, Texts, Unit, lipex_cuda, npy, to_json,
};
use std::time::Duration;

pub fn run(options: &TextOptions) -> Result<()> {
    let target = options.json.as_deref().map(|path| Target::new("json", path)).transpose()?;
    let neighbourhood =
        options.save_neighbourhood.as_deref().map(|path| Target::new("save-neighbourhood", path)).transpose()?;
    if let (Some(Target::StandardOutput), Some(Target::StandardOutput)) = (&target, &neighbourhood) {
        return Err(Error::setting("save-neighbourhood", "-", "--json goes to standard output already; name a file"));
    }
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
    if let Some(target) = &target {
        target.write("json", to_json(&explanation).as_bytes())?;
    }
    if let Some(target) = &neighbourhood {
        target.write("save-neighbourhood", &npy::neighbourhood_to_npz(&around)?)?;
    }
    match (target, neighbourhood) {
        (Some(Target::StandardOutput), _) | (_, Some(Target::StandardOutput)) => Ok(()),
        _ => output::print(&report::render(&explanation, &view, output::width())),
    }
}

type Explained<B> = (Explanation, Neighbourhood<B>, report::Choice);

/// The demo classifier answers on the device if the text is one for it there; any other model answers on the host.
fn on_device(on: &Cuda, text: TextInstance, options: &TextOptions) -> Result<Explained<Cuda>> {
    if options.model.model == "demo"
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
    let mut explainer = on.explainer(&options.method, &options.sampling)?;
    explainer = method::with_noise(explainer, &options.noise, options.view.top)?;
    if let Some(size) = options.model.batch_size {
        explainer = explainer.batch_size(size)?;
    }
    if let Some(rank) = &options.view.rank {
        explainer = explainer.rank(Rank::by_name(rank)?);
    }
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
    let timeout = Duration::try_from_secs_f64(options.timeout).ok().filter(|t| !t.is_zero());
    let timeout = timeout.ok_or_else(|| Error::setting("timeout", options.timeout, "a number of seconds above 0"))?;
    match options.model.as_str() {
        "demo" => Ok(Box::new(DemoModel::embedded())),
        other => match other.strip_prefix("command:") {
            Some(command) => Ok(Box::new(CommandModel::start(command, timeout)?)),
            None => Err(Error::setting("model", other, "choose demo or 'command:PROGRAM ARGS'")),
        },
    }
}
