//! `lipex show`.

use crate::options::ShowOptions;
use crate::output::{self, Targets};
use crate::staging::Staging;
use crate::{files, report};
use lipex::{Error, Explanation, Result, distinct_labels, from_json};

pub fn run(options: &ShowOptions) -> Result<()> {
    let targets = Targets::new(files::asked(&options.files))?;
    let explanation = read("FILE", &options.file)?;
    let view = report::Choice::new(&options.view, &explanation.classes)?;
    files::finish(Staging::default(), &targets, &explanation, &view, |_| None, "")
}

/// A saved explanation; `argument` is what the file is called in a message.
pub fn read(argument: &str, file: &str) -> Result<Explanation> {
    let read = from_json(&output::read(argument, file)?).map_err(|e| {
        let reason = match e {
            Error::Setting { name, reason, .. } if name == "explanation" => format!("holds no explanation: {reason}"),
            other => other.to_string(),
        };
        Error::setting(argument, file, reason)
    })?;
    // Older files may have several classes of the same name.
    Ok(Explanation { classes: distinct_labels(read.classes), ..read })
}
