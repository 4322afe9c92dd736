//! Errors of the library as exceptions, in Python's spelling.

use lipex::{Error, SettingInfo};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The exception for an error: the callable's own as it was raised; a refusal is a `ValueError`, an unknown name a `TypeError`,
/// the rest a `RuntimeError`.
pub fn raise(error: Error) -> PyErr {
    match error {
        Error::Model(source) => match source.downcast::<PyErr>() {
            Ok(own) => *own,
            Err(other) => PyRuntimeError::new_err(format!("the model failed: {other}")),
        },
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
        Error::UnknownSetting { name, hint } => {
            PyTypeError::new_err(format!("unknown setting `{}`{}", spelt(&name), quoted(&hint)))
        }
        Error::Setting { name, value, reason } => {
            let name = if is_setting(&name) { spelt(&name) } else { name };
            PyValueError::new_err(format!("{name} = {value}: {}", quoted(&reason)))
        }
        Error::Backend { .. } | Error::Unavailable { .. } => PyRuntimeError::new_err(quoted(&error.to_string())),
        refusal => PyValueError::new_err(refusal.to_string()),
    }
}

fn is_setting(name: &str) -> bool {
    SettingInfo::ALL.iter().any(|info| info.name() == name)
}

/// A setting's name as a keyword of Python: no dashes, and `lambda` is a word of the language.
pub fn spelt(name: &str) -> String {
    if name == "lambda" { "lambda_".into() } else { name.replace('-', "_") }
}

/// A text of the library with the settings that it quotes, `` `batch-size` ``, in Python's spelling.
fn quoted(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let told = parts.map(|(i, part)| if i % 2 == 1 && is_setting(part) { spelt(part) } else { part.to_string() });
    told.collect::<Vec<_>>().join("`")
}
