//! `lipex text`.

use crate::options::TextOptions;
use crate::output::{self, Target};
use crate::{parse, report};
use lipex::{
    BlackBox, CommandModel, Cpu, DemoModel, Error, Explainer, Intercept, Preset, Rank, Removed, Result, Ridge, Split,
    TextInstance, Texts, Unit, by_name, to_json,
};
use std::time::Duration;

pub fn run(options: &TextOptions) -> Result<()> {
    let target = options.json.as_deref().map(|path| Target::new("json", path)).transpose()?;
    let text = instance(options)?;
    let explainer = explainer(options)?;
    let model = model(options)?;
    let view = report::Choice::new(&options.view, model.labels())?;
    let explanation = explainer.explain(&text, model.as_ref())?;
    if let Some(target) = &target {
        target.write("json", &to_json(&explanation))?;
    }
    match target {
        Some(Target::StandardOutput) => Ok(()),
        _ => output::print(&report::render(&explanation, &view, output::width())),
    }
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
    let mut builder = TextInstance::builder(text)
        .unit(Unit::by_name(&options.unit)?)
        .split(Split::by_name(&options.split)?)
        .removed(Removed::by_name(&options.removed)?);
    if let Some(file) = &options.ignore_words {
        builder = builder.ignore(output::read("ignore-words", file)?.split_whitespace());
    }
    builder.build()
}

fn model(options: &TextOptions) -> Result<Box<dyn BlackBox<Cpu, Texts>>> {
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

fn explainer(options: &TextOptions) -> Result<Explainer<Cpu>> {
    let preset = Preset::by_name(&options.preset)?;
    let mut explainer = Explainer::with_preset(Cpu::with_threads(options.threads)?, preset).seed(options.seed);
    explainer = surrogate(explainer, preset, options)?;
    if let Some(samples) = options.samples {
        explainer = explainer.samples(samples)?;
    }
    if let Some(size) = options.batch_size {
        explainer = explainer.batch_size(size)?;
    }
    if options.sampler.is_some() || options.within_angle.is_some() {
        let name = options.sampler.as_deref().unwrap_or("uniform-size");
        explainer = parse::sampler(explainer, name, options.within_angle, options.samples.is_some())?;
    }
    if let Some(proximity) = &options.proximity {
        explainer = parse::proximity(explainer, proximity)?;
    }
    if let Some(select) = &options.select {
        explainer = parse::select(explainer, select)?;
    }
    if let Some(rank) = &options.view.rank {
        explainer = explainer.rank(Rank::by_name(rank)?);
    }
    Ok(explainer)
}

/// The surrogate, and the settings that a softmax alone has.
fn surrogate(explainer: Explainer<Cpu>, preset: Preset, options: &TextOptions) -> Result<Explainer<Cpu>> {
    let name = options.surrogate.as_deref().unwrap_or(if preset == Preset::Lime { "ridge" } else { "softmax" });
    match name {
        "softmax" => {}
        "ridge" => {
            let own = [
                ("divergence", options.divergence.clone()),
                ("lambda", options.lambda.map(|l| l.to_string())),
                ("lambda-scale", options.lambda_scale.clone()),
                ("normalise", options.normalise.clone()),
                ("no-intercept", options.no_intercept.then(|| "set".to_string())),
            ];
            if let Some((option, value)) = own.into_iter().find_map(|(o, value)| value.map(|v| (o, v))) {
                let reason = "a ridge has no such setting; leave it out, or add --surrogate softmax";
                return Err(Error::setting(option, value, reason));
            }
            return Ok(if options.surrogate.is_some() { explainer.surrogate(Ridge::default()) } else { explainer });
        }
        other => return Err(Error::setting("surrogate", other, "choose softmax or ridge")),
    }
    let mut softmax = preset.softmax();
    if let Some(divergence) = &options.divergence {
        softmax = softmax.erased_divergence(by_name(divergence)?);
    }
    if let Some(lambda) = options.lambda {
        softmax = softmax.lambda(lambda)?;
    }
    if let Some(scale) = &options.lambda_scale {
        softmax = softmax.lambda_scale(parse::lambda_scale(scale)?);
    }
    if let Some(normalise) = &options.normalise {
        softmax = softmax.normalise(parse::normalise(normalise)?);
    }
    if options.no_intercept {
        softmax = softmax.intercept(Intercept::None);
    }
    softmax.lambda_used()?;
    Ok(explainer.surrogate(softmax))
}
