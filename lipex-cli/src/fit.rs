//! `lipex fit`: a surrogate alone.

use crate::arrays::{Arrays, FileOptions, StageOptions, median_ms};
use crate::options::{EXIT_CODES, SelectOption, SurrogateOptions, ThreadOptions};
use crate::{method, parse};
use clap::Args;
use lipex::{
    All, Cpu, Dependence, Evaluator, Fidelity, Fitted, GivenFeatures, OutOfFold, Preset, Problem, Result, Selector,
    to_json_lines,
};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

#[derive(Args)]
#[command(
    after_help = EXIT_CODES,
    allow_negative_numbers = true,
    mut_arg("select", |select| select.conflicts_with("keep"))
)]
pub struct FitOptions {
    #[command(flatten)]
    pub files: FileOptions,
    /// Fit on these features, by number from 0: 3,5,9. With neither --keep nor --select every feature is kept
    #[arg(long, value_name = "LIST", help_heading = "Method")]
    pub keep: Option<String>,
    #[command(flatten)]
    pub select: SelectOption,
    #[command(flatten)]
    pub surrogate: SurrogateOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
    #[command(flatten)]
    pub stage: StageOptions,
}

/// What is written; docs/stages.md documents every key.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    kept: &'a [usize],
    matrix: &'a [Vec<f64>],
    intercept: &'a [f64],
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
    timings_ms: Times,
}

#[derive(Serialize)]
struct Times {
    fit: f64,
}

pub fn run(options: &FitOptions) -> Result<()> {
    let target = options.stage.target()?;
    let on = Cpu::with_threads(options.threads.threads)?;
    let surrogate = method::surrogate(Preset::Lipex, &options.surrogate)?.shared();
    let selector: Arc<dyn Selector<Cpu>> = match (&options.keep, &options.select.select) {
        (Some(list), _) => Arc::new(GivenFeatures(parse::keep(list)?)),
        (None, Some(select)) => parse::select(select)?,
        (None, None) => Arc::new(All),
    };
    let arrays = Arrays::read(&options.files)?;
    let (mut around, _) = arrays.neighbourhood(&on)?;
    let selection = selector.select(&on, std::slice::from_ref(&around))?.remove(0);
    let mut fitted: Vec<Fitted> = Vec::new();
    let mut times = Vec::new();
    for _ in 0..options.stage.repeat {
        let start = Instant::now();
        (around, _) = arrays.neighbourhood(&on)?;
        fitted = surrogate.fit(&on, &[Problem::new(&around, &selection)])?;
        times.push(start.elapsed());
    }
    let problem = [Problem::new(&around, &selection)];
    let fidelity =
        OutOfFold::default().evaluate(&on, &problem, &fitted, surrogate.as_ref(), Dependence::Unknown)?.remove(0);
    let document = document(&fitted[0], &fidelity, median_ms(times));
    target.write("json", to_json_lines(&document)?.as_bytes())
}

fn document<'a>(fitted: &'a Fitted, fidelity: &'a Fidelity, fit_ms: f64) -> Document<'a> {
    let report = &fitted.report;
    Document {
        schema: "lipex.fit/1",
        kept: &fitted.kept,
        matrix: &fitted.matrix,
        intercept: &fitted.intercept,
        objective: report.objective,
        gradient_norm: report.gradient_norm,
        lambda: report.lambda,
        iterations: report.iterations,
        evaluations: report.evaluations,
        hessian_products: report.hessian_products,
        converged: report.converged,
        stopped: &report.stopped,
        fidelity,
        std_error: None,
        shrinkage: None,
        timings_ms: Times { fit: fit_ms },
    }
}
