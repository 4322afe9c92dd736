//! `lipex experiment`.

mod distorted;
mod methods;
mod plan;
mod results;
mod run;

use crate::options::{ExperimentCommand, ExperimentOptions, ExperimentReportOptions};
use crate::output::Target;
use lipex::Result;
use lipex_experiment::{Experiment, Summary, figures};
use plan::Plan;

/// Inputs failed.
const FAILED: u8 = 4;

/// Runs, and gives the exit code.
pub fn run(command: &ExperimentCommand) -> Result<u8> {
    let (experiment, options) = match command {
        ExperimentCommand::Fidelity(options) => (Experiment::Fidelity, options),
        ExperimentCommand::Distortion(options) => (Experiment::Distortion, options),
        ExperimentCommand::Ablation(options) => (Experiment::Ablation, options),
        ExperimentCommand::Reprediction(options) => (Experiment::Reprediction, options),
        ExperimentCommand::Stability(options) => (Experiment::Stability, options),
        ExperimentCommand::Classes(options) => (Experiment::Classes, options),
        ExperimentCommand::Time(options) => (Experiment::Time, options),
        ExperimentCommand::Report(options) => return report(options).map(|()| 0),
    };
    measure(experiment, options)
}

fn measure(experiment: Experiment, options: &ExperimentOptions) -> Result<u8> {
    let plan = Plan::new(experiment, options)?;
    let results = results::Folder::open(options, &plan.header(), plan.units())?;
    let failed = run::run(&plan, results)?;
    Ok(if failed > 0 { FAILED } else { 0 })
}

fn report(options: &ExperimentReportOptions) -> Result<()> {
    let target = Target::new("html", &options.html)?;
    let mut all = Vec::new();
    for folder in &options.folders {
        let (experiment, lines) = results::read(folder)?;
        let summary = Summary::of(experiment, &lines);
        let drawn = figures(experiment, &summary, &lines);
        all.push((summary, drawn));
    }
    target.write("html", lipex_experiment::report(&all).into_bytes())
}
