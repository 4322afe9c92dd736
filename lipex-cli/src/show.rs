//! `lipex show`.

use crate::options::ShowOptions;
use crate::{output, report};
use lipex::{Error, Result, from_json};

pub fn run(options: &ShowOptions) -> Result<()> {
    let json = output::read("FILE", &options.file)?;
    let explanation = from_json(&json).map_err(|e| Error::setting("FILE", &options.file, e.to_string()))?;
    let view = report::Choice::new(&options.view, &explanation.classes)?;
    output::print(&report::render(&explanation, &view, output::width()))
}
