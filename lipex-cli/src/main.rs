//! The command `lipex`.

mod against;
mod arrays;
mod attribute;
mod backend;
mod batch;
mod compare;
mod experiment;
mod explain;
mod files;
mod fit;
mod help;
mod image;
mod instance;
mod matching;
mod model;
mod models;
mod named;
mod options;
mod output;
mod parse;
mod perturb;
mod photo;
mod program;
mod progress;
mod report;
mod rule;
mod segments;
mod select;
mod show;
mod staging;
mod streams;
mod tabular;
mod text;
mod words;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use fit::FitOptions;
use help::{CompletionsOptions, ManOptions};
use options::{
    AttributeOptions, BatchOptions, CompareOptions, EXIT_CODES, ExperimentCommand, ImageOptions, MatchOptions,
    ModelsCommand, RuleOptions, SegmentsOptions, ShowOptions, TabularOptions, TextOptions,
};
use perturb::PerturbOptions;
use select::SelectOptions;
use std::process::ExitCode;

/// The user's mistake.
const MISTAKE: u8 = 2;
/// The model fails.
const MODEL: u8 = 3;

/// Explains what a classifier does around one text, image or row of a table, for every class at once (LIPEX).
#[derive(Parser)]
#[command(name = "lipex", version, after_help = EXIT_CODES)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Explain a text
    Text(Box<TextOptions>),
    /// Explain an image, given its segments
    Image(Box<ImageOptions>),
    /// Explain a row of a table
    Tabular(Box<TabularOptions>),
    /// Score the features of a text or a photo by another method: gradients of the model, or removals one by one
    Attribute(Box<AttributeOptions>),
    /// Find a rule: the fewest words or segments that, kept, keep the prediction
    Rule(Box<RuleOptions>),
    /// Explain what two texts do together, for a model of two texts: which word of the one acts with which of the other
    Match(Box<MatchOptions>),
    /// Explain every row of a table of texts, or every photo of a folder; a run that is killed goes on where it was
    Batch(Box<BatchOptions>),
    /// Measure methods on many inputs: the paper's experiments, with any methods
    #[command(subcommand)]
    Experiment(Box<ExperimentCommand>),
    /// Lay two saved explanations of one input side by side: two models, two runs, two settings
    Compare(CompareOptions),
    /// Render a saved explanation again
    Show(ShowOptions),
    /// Draw masks alone, as a NumPy file (docs/stages.md)
    Perturb(PerturbOptions),
    /// Select features alone, from NumPy files (docs/stages.md)
    Select(SelectOptions),
    /// Fit a surrogate alone, from NumPy files (docs/stages.md)
    Fit(Box<FitOptions>),
    /// Cut a photo into segments, to look at them or to give them on
    Segments(SegmentsOptions),
    /// Models in folders
    #[command(subcommand)]
    Models(ModelsCommand),
    /// List the CUDA devices that --backend cuda can use
    Devices,
    /// A script that completes options in a shell
    Completions(CompletionsOptions),
    /// A manual page, in roff
    Man(ManOptions),
}

fn main() -> ExitCode {
    let mut known = help::on_two_levels(Options::command());
    let parsed = known.try_get_matches_from_mut(std::env::args_os());
    let options = match parsed.and_then(|matches| Options::from_arg_matches(&matches)) {
        Ok(options) => options,
        Err(error) => return refuse(&error),
    };
    let done = match &options.command {
        Command::Batch(options) => {
            return batch::run(options).map_or_else(|error| failed(&error), ExitCode::from);
        }
        Command::Experiment(command) => {
            return experiment::run(command).map_or_else(|error| failed(&error), ExitCode::from);
        }
        Command::Text(options) => text::run(options),
        Command::Image(options) => image::run(options),
        Command::Tabular(options) => tabular::run(options),
        Command::Attribute(options) => attribute::run(options),
        Command::Rule(options) => rule::run(options),
        Command::Match(options) => matching::run(options),
        Command::Compare(options) => compare::run(options),
        Command::Show(options) => show::run(options),
        Command::Perturb(options) => perturb::run(options),
        Command::Select(options) => select::run(options),
        Command::Fit(options) => fit::run(options),
        Command::Segments(options) => segments::run(options),
        Command::Models(command) => models::run(command),
        Command::Devices => backend::list(),
        Command::Completions(options) => help::completions(&mut known, options),
        Command::Man(options) => help::man(&known, options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Tells an error, and gives its exit code.
fn failed(error: &lipex::Error) -> ExitCode {
    fail(&error.to_string());
    ExitCode::from(if matches!(error, lipex::Error::Model(_)) { MODEL } else { MISTAKE })
}

/// One line on standard error, whatever the message holds.
fn fail(message: &str) {
    let line: String = message.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
    eprintln!("error: {}", report::printable(&named::dashed(&line)));
}

/// The argument parser's own answer: help and version as they are, errors in one line.
fn refuse(error: &clap::Error) -> ExitCode {
    if let Some(text) = text_in_place_of_a_command(error) {
        fail(&format!("\"{text}\" is no command; to explain it as a text: lipex text \"{text}\""));
        return ExitCode::from(MISTAKE);
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody is left to tell if this cannot be written.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            fail("what to do? For instance: lipex text \"a text of yours\"; lipex --help lists the rest");
            ExitCode::from(MISTAKE)
        }
        _ => {
            let text = error.to_string();
            let told: Vec<&str> = text
                .lines()
                .take_while(|line| !line.starts_with("Usage:"))
                .map(|line| line.trim().trim_start_matches("error: "))
                .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
                .collect();
            let told = told.join("; ").replace(":;", ":");
            // What the standard library calls them means little to a user.
            let told = told.replace("invalid digit found in string", "a whole number is wanted");
            fail(&told.replace("invalid float literal", "a number is wanted"));
            ExitCode::from(MISTAKE)
        }
    }
}

/// What stands where a command belongs, if it is more than a word.
fn text_in_place_of_a_command(error: &clap::Error) -> Option<&str> {
    match error.get(ContextKind::InvalidSubcommand)? {
        ContextValue::String(text) => Some(text.as_str()).filter(|text| text.trim().contains(' ')),
        _ => None,
    }
}
