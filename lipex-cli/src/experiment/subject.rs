//! From an input to what is measured of every method at it.

use super::plan::Plan;
use super::results::{Folder, Unit};
use super::{distorted, methods};
use crate::batch::Progress;
use crate::model::{ImageModel, TextModel};
use crate::options::PhotoOptions;
use crate::photo::Photo;
use crate::report::render_experiment;
use crate::staging::Staging;
use crate::words::Words;
use crate::{explain, output, parse};
use lipex::{BlackBox, Cpu, Domain, Error, ImageInstance, Images, Render, Result, Settings, TextInstance, Texts};
use lipex_experiment::{AsReleased, Damage, Line, Method, Occasion, Pick, Shared, Version};

/// Runs what is not done, writes the results, and says how many units failed.
pub fn run(plan: &Plan<'_>, mut results: Folder) -> Result<usize> {
    let threads = explain::threads(&plan.settings);
    if results.journal.done() < plan.units() as usize {
        match plan.domain {
            Domain::Image => {
                let model = ImageModel::open(&plan.options.model, threads)?;
                let versions = distorted::open(plan, |of| ImageModel::open(of, threads))?;
                let methods = methods::of_photos(&plan.methods)?;
                units(plan, &mut results, (&model, &as_dyn(&versions)), &methods, |path, measure| {
                    photo(plan, path, measure)
                })?;
            }
            _ => {
                let model = TextModel::open(&plan.options.model, threads)?;
                let words = Words::read(&plan.options.words, &plan.settings)?;
                let versions = distorted::open(plan, |of| TextModel::open(of, threads))?;
                let methods = methods::of_texts(&plan.methods, &model)?;
                units(plan, &mut results, (&model, &as_dyn(&versions)), &methods, |content, measure| {
                    text(plan, &words, &model, content, measure)
                })?;
            }
        }
    }
    let (summary, failed) = results.finish(plan.experiment, &plan.header())?;
    let mut staged = Staging::default();
    staged.report(&render_experiment(&summary, failed, &plan.options.out, output::width()));
    staged.commit()?;
    Ok(failed)
}

fn as_dyn<Batch, M: BlackBox<Cpu, Batch>>(versions: &[(String, M)]) -> Vec<Version<'_, Batch>> {
    versions.iter().map(|(name, model)| (name.clone(), model as &dyn BlackBox<Cpu, Batch>)).collect()
}

/// What is done with an instance, and how it is damaged when methods are judged.
type Measure<'a, Batch> = dyn FnMut(&dyn Render<Cpu, Batch>, Option<&dyn Damage<Batch>>) -> Result<Vec<Line>> + 'a;

/// Every unit that is not done, in order.
fn units<Batch: Pick + 'static>(
    plan: &Plan<'_>,
    results: &mut Folder,
    (model, versions): (&dyn BlackBox<Cpu, Batch>, &[Version<'_, Batch>]),
    methods: &[Box<dyn Method<Batch> + '_>],
    with: impl Fn(&str, &mut Measure<'_, Batch>) -> Result<Vec<Line>>,
) -> Result<()> {
    let journal = &mut results.journal;
    let mut progress = Progress::new(plan.options.quiet, journal.done(), journal.rows());
    let mut first_error = None;
    for unit in 0..plan.units() {
        if journal.has(unit) {
            continue;
        }
        let (round, input) = (unit as usize / plan.inputs.len(), &plan.inputs[unit as usize % plan.inputs.len()]);
        let row = input.row;
        let shared = Shared::new(model);
        let asked: &dyn BlackBox<Cpu, Batch> = if plan.experiment.shares_answers() { &shared } else { model };
        let apart: Vec<Shared<'_, Batch>> = versions.iter().map(|(_, model)| Shared::new(*model)).collect();
        let versions: Vec<Version<'_, Batch>> = versions
            .iter()
            .zip(&apart)
            .map(|((name, _), shared)| (name.clone(), shared as &dyn BlackBox<Cpu, Batch>))
            .collect();
        let mut measure = |instance: &dyn Render<Cpu, Batch>, damage: Option<&dyn Damage<Batch>>| {
            let at = Occasion::new(instance, asked)?;
            let at = if let Some(damage) = damage { at.judged_by(damage) } else { at };
            let at = at.distorted(&versions);
            let at = match &input.label {
                Some(label) => at.labelled(parse::class("label-column", label, model.labels().unwrap_or_default())?),
                None => at,
            };
            let lines = plan.experiment.run(&at, methods, round)?;
            Ok(lines.into_iter().map(|line| line.of(row, round)).collect())
        };
        let lines = match &input.content {
            Ok(content) => with(content, &mut measure),
            Err(reason) => Err(Error::Instance(reason.clone())),
        };
        let (lines, error) = match lines {
            Ok(lines) => (lines, None),
            // What is wrong with the model or a method is wrong at every input.
            Err(error @ (Error::Setting { .. } | Error::Model(_))) if journal.done() == journal.failures() => {
                progress.end();
                return Err(error);
            }
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        first_error = first_error.or_else(|| error.clone().map(|error| format!("row {row}: {error}")));
        let line = Unit { row: unit, error, lines };
        let failed = line.error.is_some();
        let json = serde_json::to_string(&line).map_err(|e| Error::Instance(e.to_string()))?;
        journal.add(unit, &json, failed).inspect_err(|_| progress.end())?;
        progress.tell(journal.done(), journal.failures());
    }
    progress.end();
    match first_error {
        Some(error) if journal.failures() == journal.rows() => {
            Err(Error::Instance(format!("every input failed; {error}")))
        }
        _ => Ok(()),
    }
}

fn text(
    plan: &Plan<'_>,
    words: &Words,
    model: &TextModel,
    content: &str,
    measure: &mut Measure<'_, Texts>,
) -> Result<Vec<Line>> {
    let (instance, _) = words.instance(content.to_string(), model)?;
    if plan.options.as_released {
        return measure(&instance, Some(&AsReleased::new(&instance)));
    }
    let Some(judge) = &plan.options.judge else { return measure(&instance, None) };
    let judged = judged(&plan.settings, plan, judge, content, model)?;
    measure(&instance, Some(&judged))
}

/// The text as rankings are judged: its removed words become something else.
fn judged(settings: &Settings, plan: &Plan<'_>, judge: &str, content: &str, model: &TextModel) -> Result<TextInstance> {
    let settings = settings.clone().with("removed", judge)?;
    let (instance, _) = Words::read(&plan.options.words, &settings)?.instance(content.to_string(), model)?;
    Ok(instance)
}

fn photo(plan: &Plan<'_>, path: &str, measure: &mut Measure<'_, Images>) -> Result<Vec<Line>> {
    let segments = plan.options.segments.clone().unwrap_or_else(|| crate::options::SEGMENTS.into());
    let Photo { picture, segments, .. } =
        Photo::read(&PhotoOptions { photo: path.into(), segments, background: None })?;
    let of = |baseline: &str| {
        ImageInstance::builder(picture.clone(), segments.clone()).baseline(parse::baseline(baseline)?).build()
    };
    let instance = of(plan.options.baseline.as_deref().unwrap_or("mean"))?;
    match &plan.options.judge {
        Some(judge) => measure(&instance, Some(&of(judge)?)),
        None => measure(&instance, None),
    }
}
