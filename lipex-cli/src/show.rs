//! `lipex show`.

use crate::options::ShowOptions;
use crate::output::{self, Targets};
use crate::staging::Staging;
use crate::{files, report};
use lipex::{Error, Result, from_json};

pub fn run(options: &ShowOptions) -> Result<()> {
    let targets = Targets::new(files::asked(&options.files))?;
    let json = output::read("FILE", &options.file)?;
    let explanation = from_json(&json).map_err(|e| {
        let reason = match e {
            Error::Setting { name, reason, .. } if name == "explanation" => format!("holds no explanation: {reason}"),
            other => other.to_string(),
        };
        Error::setting("FILE", &options.file, reason)
    })?;
    let view = report::Choice::new(&options.view, &explanation.classes)?;
    files::finish(Staging::default(), &targets, &explanation, &view, |_| None, "")
}
