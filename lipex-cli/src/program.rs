//! Programs as black boxes.

use crate::options::ModelOptions;
use lipex::{CommandModel, Domain, Error, Result};
use std::time::Duration;

/// How long a program may be silent.
pub fn timeout(options: &ModelOptions) -> Result<Duration> {
    let timeout = Duration::try_from_secs_f64(options.timeout).ok().filter(|t| !t.is_zero());
    timeout.ok_or_else(|| Error::setting("timeout", options.timeout, "a number of seconds above 0"))
}

/// Starts `command:PROGRAM ARGS`, which must take what is explained; `None` for another value.
pub fn start(value: &str, options: &ModelOptions, domain: Domain) -> Result<Option<CommandModel>> {
    let Some(model) = started(value, options)? else { return Ok(None) };
    if model.pairs().is_some() {
        return Err(Error::setting(
            "model",
            value,
            "the program is for two texts, as its first line says; use lipex match",
        ));
    }
    let reason = match (domain, model.domain()) {
        (wanted, taken) if wanted == taken => return Ok(Some(model)),
        (Domain::Rows, _) => "the program takes no rows of a table; for them its first line must have \"rows\": true",
        (_, Domain::Rows) => "the program takes rows of a table, as its first line says; use lipex tabular",
        (_, Domain::Image) => "the program takes images, as its first line says; use lipex image",
        (_, Domain::Text) => {
            "the program takes texts; for images its first line must have \"images\": \"png\" or \"images\": \"npy\""
        }
    };
    Err(Error::setting("model", value, reason))
}

/// Starts `command:PROGRAM ARGS`, whatever it takes; `None` for another value.
pub fn started(value: &str, options: &ModelOptions) -> Result<Option<CommandModel>> {
    let timeout = timeout(options)?;
    value.strip_prefix("command:").map(|command| CommandModel::start(command, timeout)).transpose()
}
