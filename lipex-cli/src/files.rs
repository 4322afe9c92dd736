//! The files that a run leaves, and the report in their place or beside them.

use crate::options::{FileOptions, SaveOptions};
use crate::output::{self, Targets};
use crate::report::{self, Choice};
use crate::staging::Staging;
use lipex::{Explanation, Result, to_csv, to_html, to_json, to_svg};

/// Which files for people were asked for, and where.
pub fn asked(options: &FileOptions) -> [(&'static str, Option<&String>); 3] {
    [("html", options.html.as_ref()), ("svg", options.svg.as_ref()), ("csv", options.csv.as_ref())]
}

/// Everything that a run is asked to save.
///
/// # Errors
/// Those of [`Targets::new`].
pub fn targets(options: &SaveOptions) -> Result<Targets> {
    let others = [("json", options.json.as_ref()), ("save-neighbourhood", options.save_neighbourhood.as_ref())];
    Targets::new(others.into_iter().chain(asked(&options.files)))
}

/// Writes what was asked for and what is `staged` already, all of it or nothing; prints the report, which ends with
/// `closing`, unless a file took its place.
///
/// `others` makes the content of options that are not about the explanation alone.
pub fn finish(
    mut staged: Staging,
    targets: &Targets,
    explanation: &Explanation,
    view: &Choice,
    others: impl Fn(&str) -> Option<Result<Vec<u8>>>,
    closing: &str,
) -> Result<()> {
    targets.stage(&mut staged, |option| {
        if let Some(content) = others(option) {
            return content;
        }
        let page = || view.page(explanation);
        let content = match option {
            "html" => to_html(explanation, &page())?,
            "svg" => to_svg(explanation, &page())?,
            "csv" => to_csv(explanation)?,
            _ => to_json(explanation),
        };
        Ok(content.into_bytes())
    })?;
    if !targets.take_standard_output() {
        staged.report(&(report::render(explanation, view, output::width()) + closing));
    }
    staged.commit()
}
