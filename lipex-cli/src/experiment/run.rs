//! From an input to what is measured of every method at it.

use super::plan::{Plan, PlannedInput};
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
                let run = Run { plan, model: &model, versions: as_dyn(&versions), methods };
                run.units(&mut results, |path, measure| photo(plan, path, measure))?;
            }
            _ => {
                let model = TextModel::open(&plan.options.model, threads)?;
                let words = Words::read(&plan.options.words, &plan.settings)?;
                let versions = distorted::open(plan, |of| TextModel::open(of, threads))?;
                let methods = methods::of_texts(&plan.methods, &model)?;
                let run = Run { plan, model: &model, versions: as_dyn(&versions), methods };
                run.units(&mut results, |content, measure| text(plan, &words, &model, content, measure))?;
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

/// What is measured, and of which model.
struct Run<'a, Batch> {
    plan: &'a Plan<'a>,
    model: &'a dyn BlackBox<Cpu, Batch>,
    versions: Vec<Version<'a, Batch>>,
    methods: Vec<Box<dyn Method<Batch> + 'a>>,
}

impl<Batch: Pick> Run<'_, Batch> {
    /// Every unit that is not done, in order; `with` makes an instance of an input's content.
    fn units(
        &self,
        results: &mut Folder,
        with: impl Fn(&str, &mut Measure<'_, Batch>) -> Result<Vec<Line>>,
    ) -> Result<()> {
        let (plan, journal) = (self.plan, &mut results.journal);
        let mut progress = Progress::new(plan.options.quiet, journal.done(), journal.rows());
        let mut first_error = None;
        for unit in 0..plan.units() {
            if journal.has(unit) {
                continue;
            }
            let (round, input) = plan.unit(unit);
            let (lines, error) = match self.unit(input, round, &with) {
                Ok(lines) => (lines, None),
                // What is wrong with the model or a method is wrong at every input.
                Err(error @ (Error::Setting { .. } | Error::Model(_))) if journal.done() == journal.failures() => {
                    progress.end();
                    return Err(error);
                }
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            let told = |error: &String| format!("row {}: {error}", input.row);
            first_error = first_error.or_else(|| error.as_ref().map(told));
            let failed = error.is_some();
            let line = Unit { row: unit, error, lines }.to_json()?;
            journal.add(unit, &line, failed).inspect_err(|_| progress.end())?;
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

    /// An input in a round: the model and its versions are asked each question once, unless the time of that is measured.
    fn unit(
        &self,
        input: &PlannedInput,
        round: usize,
        with: impl Fn(&str, &mut Measure<'_, Batch>) -> Result<Vec<Line>>,
    ) -> Result<Vec<Line>> {
        let content = input.content.as_ref().map_err(|reason| Error::Instance(reason.clone()))?;
        let shared = Shared::new(self.model);
        let asked: &dyn BlackBox<Cpu, Batch> = if self.plan.experiment.shares_answers() { &shared } else { self.model };
        let apart: Vec<(String, Shared<'_, Batch>)> =
            self.versions.iter().map(|(name, model)| (name.clone(), Shared::new(*model))).collect();
        let versions = as_dyn(&apart);
        with(content, &mut |instance, damage| {
            let mut at = Occasion::new(instance, asked)?.distorted(&versions);
            if let Some(damage) = damage {
                at = at.judged_by(damage);
            }
            if let Some(label) = &input.label {
                let labels = self.model.labels().unwrap_or_default();
                at = at.labelled(parse::class("label-column", label, labels)?);
            }
            let lines = self.plan.experiment.run(&at, &self.methods, round)?;
            Ok(lines.into_iter().map(|line| line.of(input.row, round)).collect())
        })
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
