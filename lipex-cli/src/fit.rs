//! `lipex fit`: a surrogate alone.

use crate::arrays::{Arrays, FileOptions, StageOptions, median_ms};
use crate::named::{Named, OfFitting};
use crate::options::EXIT_CODES;
use crate::parse;
use clap::Args;
use lipex::{
    All, AnswerKeys, Cpu, Domain, ErrorBars, Estimate, Evaluator, Fidelity, Fitted, GivenFeatures, OutOfFold, Problem,
    Rank, Result, Selector, Uncertainty, to_json_lines,
};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

#[derive(Args)]
#[command(
    after_help = EXIT_CODES,
    allow_negative_numbers = true,
    mut_arg("select", without_default)
)]
pub struct FitOptions {
    #[command(flatten)]
    pub files: FileOptions,
    /// Fit on these features, by number from 0: 3,5,9. With neither --keep nor --select every feature is kept
    #[arg(long, value_name = "LIST", help_heading = "Method")]
    pub keep: Option<String>,
    #[command(flatten)]
    pub settings: Named<OfFitting>,
    #[command(flatten)]
    pub stage: StageOptions,
}

/// `--select` as elsewhere, but for what happens without it.
fn without_default(select: clap::Arg) -> clap::Arg {
    let help = select.get_help().map(ToString::to_string).unwrap_or_default();
    let said = help.split(" [default").next().unwrap_or_default();
    select.help(format!("{said} [default: every feature]")).conflicts_with("keep")
}

/// What is written; docs/stages.md documents every key.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    #[serde(flatten)]
    answer: AnswerKeys<'a>,
    objective: f64,
    gradient_norm: f64,
    lambda: f64,
    iterations: usize,
    evaluations: usize,
    hessian_products: usize,
    converged: bool,
    stopped: &'a str,
    fidelity: &'a Fidelity,
    std_error: Option<&'a [Vec<f64>]>,
    shrinkage: Option<f64>,
    uncertainty: Option<&'a Uncertainty>,
    timings_ms: Times,
}

#[derive(Serialize)]
struct Times {
    fit: f64,
}

pub fn run(options: &FitOptions) -> Result<()> {
    let target = options.stage.target()?;
    let settings = options.settings.settings()?;
    let on = Cpu::with_threads(settings.threads())?;
    let surrogate = settings.surrogate::<Cpu>(Domain::Text)?;
    let selector: Arc<dyn Selector<Cpu>> = match (&options.keep, settings.get("select")) {
        (Some(list), _) => Arc::new(GivenFeatures(parse::keep(list)?)),
        (None, Some(_)) => settings.selector::<Cpu>(Domain::Text)?,
        (None, None) => Arc::new(All),
    };
    let arrays = Arrays::read(&options.files)?;
    let mut around = arrays.neighbourhood(&on)?;
    let selection = selector.select(&on, std::slice::from_ref(&around))?.remove(0);
    let mut fitted: Vec<Fitted> = Vec::new();
    let mut times = Vec::new();
    for _ in 0..options.stage.repeat {
        let start = Instant::now();
        around = arrays.neighbourhood(&on)?;
        fitted = surrogate.fit(&on, &[Problem::new(&around, &selection)])?;
        times.push(start.elapsed());
    }
    let problem = [Problem::new(&around, &selection)];
    let fidelity = OutOfFold::default().evaluate(&on, &problem, &fitted, surrogate.as_ref())?.remove(0);
    let estimate = Estimate {
        on: &on,
        around: &around,
        selection: &selection,
        fitted: &fitted[0],
        surrogate: surrogate.as_ref(),
        selector: Some(selector.as_ref()),
        rank: Rank::Supporting,
        seed: 0,
    };
    let bars = (settings.get("uncertainty") == Some("true"))
        .then(|| estimate.uncertainty(&ErrorBars::default()))
        .transpose()?;
    let document = document(&fitted[0], &fidelity, bars.as_ref(), median_ms(times));
    target.write("json", to_json_lines(&document)?.into_bytes())
}

fn document<'a>(
    fitted: &'a Fitted,
    fidelity: &'a Fidelity,
    bars: Option<&'a Uncertainty>,
    fit_ms: f64,
) -> Document<'a> {
    let report = &fitted.report;
    Document {
        schema: "lipex.fit/1",
        answer: AnswerKeys::of(&fitted.answer),
        objective: report.objective,
        gradient_norm: report.gradient_norm,
        lambda: report.lambda,
        iterations: report.iterations,
        evaluations: report.evaluations,
        hessian_products: report.hessian_products,
        converged: report.converged,
        stopped: &report.stopped,
        fidelity,
        std_error: bars.map(|bars| bars.std_error.as_slice()),
        shrinkage: bars.and_then(|bars| bars.shrinkage),
        uncertainty: bars,
        timings_ms: Times { fit: fit_ms },
    }
}
