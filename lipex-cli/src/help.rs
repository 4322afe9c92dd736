//! What `-h` says on one screen, what `--help` says in full, letters for common options, completions and manual.

use crate::output;
use clap::builder::StyledStr;
use clap::{Arg, Args, Command, ValueEnum};
use lipex::{Error, Result};

/// Options that `-h` of a command with many lists.
const COMMON: &str = "text photo instance table row file model preset samples uncertainty adaptive segments flip_to classes \
    top contrast html json overlay method out text_column id_column workers precision show first second \
    class help";
/// What `-h` says where the first clause of a help says too little or too much.
const BRIEF: &[(&str, &str)] = &[
    ("model", "The classifier: onnx:FOLDER, 'command:PROGRAM' or demo"),
    ("preset", "All settings at once: lipex, paper, lime, kernel-shap …"),
    ("samples", "Masks drawn; the model is asked for each once at most"),
    ("adaptive", "Add masks until the answer is steady"),
    ("uncertainty", "Add error bars"),
    ("contrast", "What speaks for class A against class B"),
    ("top", "Words or segments listed"),
];
/// Options of a command that are all listed.
const FEW: usize = 20;
/// Letters of the options that are typed most.
const LETTERS: &[(&str, char)] = &[("model", 'm'), ("samples", 'n'), ("classes", 'c'), ("top", 'k'), ("json", 'j')];
/// What `-h` ends with.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "lipex",
        "Examples:
  lipex text \"I was so happy until the rain came\"
  lipex text \"a review of yours\" --model onnx:FOLDER --uncertainty
  lipex image photo.jpg --model onnx:FOLDER --html page.html",
    ),
    (
        "text",
        "Examples:
  lipex text \"I was so happy until the rain came\"
  lipex text --file post.txt -m onnx:FOLDER --uncertainty --html page.html
  lipex text \"a review\" -m 'command:./predict.py' -n 300 --contrast good:bad",
    ),
    (
        "image",
        "Examples:
  lipex image photo.jpg -m onnx:FOLDER
  lipex image photo.jpg -m onnx:FOLDER --segments grid:6x6 --overlay pictures
  lipex image photo.jpg -m 'command:python3 predict.py' --uncertainty --html page.html",
    ),
    (
        "tabular",
        "Examples:
  lipex tabular table.csv --row 3 -m 'command:python3 predict.py'
  lipex tabular table.csv --row 3 -m onnx:FOLDER --reference median
  lipex tabular table.csv --row 3 -m onnx:FOLDER --reference sample:50 --uncertainty",
    ),
    (
        "attribute",
        "Examples:
  lipex attribute \"a review of yours\" --method leave-one-out
  lipex attribute \"a review\" -m onnx:FOLDER --method integrated-gradients
  lipex attribute photo.jpg -m onnx:FOLDER --method deeplift --output contrast:lion:tiger",
    ),
    (
        "rule",
        "Examples:
  lipex rule \"not a bad movie at all, I loved it\"
  lipex rule \"a review of yours\" -m onnx:FOLDER --precision 0.9
  lipex rule photo.jpg -m onnx:FOLDER --segments grid:4x4 --show rule.png",
    ),
    (
        "match",
        "Examples:
  lipex match \"a man plays guitar\" \"music on the street\" -m onnx:FOLDER
  lipex match \"a man plays guitar\" \"music on the street\" -m onnx:FOLDER --html page.html
  lipex match \"a premise\" \"a hypothesis\" -m 'command:python3 entails.py' --class entailment",
    ),
    (
        "batch",
        "Examples:
  lipex batch reviews.csv --text-column review --id-column id -o reviews.jsonl
  lipex batch reviews.csv --text-column review -m onnx:FOLDER --workers 4 -o reviews.jsonl
  lipex batch photos/ -m onnx:FOLDER -o photos.jsonl --html summary.html",
    ),
];

/// A command that says the common on one screen for `-h`, and everything for `--help`.
pub fn on_two_levels(command: Command) -> Command {
    let many = command.get_arguments().count() > FEW;
    let lettered = |arg: Arg| match LETTERS.iter().find(|(id, _)| *id == arg.get_id().as_str()) {
        Some((_, letter)) if !arg.is_positional() => arg.short(*letter),
        _ => arg,
    };
    let of_level = |arg: Arg| {
        let full = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
        let hidden = many && !COMMON.split(' ').any(|id| id == arg.get_id().as_str());
        let told = BRIEF.iter().find(|(id, _)| *id == arg.get_id().as_str());
        let told = told.map_or_else(|| brief(&full), |(_, told)| told).to_string();
        arg.help(told).long_help(full).hide_short_help(hidden)
    };
    let command = command.mut_args(lettered).mut_args(of_level).mut_subcommands(on_two_levels);
    let name = command.get_name().to_string();
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == name) else { return command };
    let full = command.get_after_help().map(StyledStr::to_string).unwrap_or_default();
    let more = if many { "\n\n--help says everything" } else { "" };
    command.after_help(format!("{examples}{more}")).after_long_help(format!("{examples}\n\n{full}"))
}

/// The first clause of a help.
fn brief(help: &str) -> &str {
    let ends = [": ", "; ", ". ", " (", " [default"].into_iter().filter_map(|end| help.find(end));
    help[..ends.min().unwrap_or(help.len())].trim_end_matches('.')
}

/// Options of `lipex completions`.
#[derive(Args)]
pub struct CompletionsOptions {
    /// The shell: bash, zsh, fish, elvish or powershell. For bash: source <(lipex completions bash)
    #[arg(value_name = "SHELL")]
    shell: String,
}

pub fn completions(command: &mut Command, options: &CompletionsOptions) -> Result<()> {
    let Ok(shell) = clap_complete::Shell::from_str(&options.shell, true) else {
        let known: Vec<String> = clap_complete::Shell::value_variants().iter().map(ToString::to_string).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(Error::choice("shell", &options.shell, &known));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "lipex", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// Options of `lipex man`.
#[derive(Args)]
pub struct ManOptions {
    /// The command whose page is wanted: text, image … [default: lipex itself]. To read it: lipex man text | man -l -
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub fn man(command: &Command, options: &ManOptions) -> Result<()> {
    let of = match &options.command {
        None => command.clone(),
        Some(name) => {
            let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let found = command.find_subcommand(name).ok_or_else(|| Error::choice("command", name, &known))?;
            found.clone().display_name(format!("lipex-{name}"))
        }
    };
    let mut page = Vec::new();
    let failed = |e: std::io::Error| Error::setting("man", "-", e.to_string());
    clap_mangen::Man::new(of).render(&mut page).map_err(failed)?;
    output::print(&String::from_utf8_lossy(&page))
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn a_first_clause_is_what_stands_before_the_details() {
        for (full, first) in [
            ("Also find what would make it B: the fewest words", "Also find what would make it B"),
            ("Classes shown [default: top:7]", "Classes shown"),
            ("The classifier", "The classifier"),
        ] {
            assert_eq!(brief(full), first);
        }
    }
}
