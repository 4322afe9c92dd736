//! The one error type of the framework.

use crate::nearest::{listed, nearest};
use std::error::Error as StdError;

/// What every fallible call of lipex returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Any failure of lipex. The text says what is wrong, where, and what to do.
///
/// Not converging is no error: see [`FitReport`](crate::FitReport).
///
/// ```
/// use lipex_core::{Error, Forward};
///
/// let error = Forward::new(0).unwrap_err();
/// assert!(matches!(&error, Error::Setting { name, .. } if name == "select"), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What was being matched, in words.
        what: String,
        /// The size that the call needs.
        expected: usize,
        /// The size that it was given.
        got: usize,
    },
    /// A setting has a value that it cannot have, alone or beside another one.
    #[error("{name} = {value}: {reason}")]
    Setting {
        /// The setting's name, as the command and the reports spell it.
        name: String,
        /// The offending value.
        value: String,
        /// Why it is refused, and what would be accepted.
        reason: String,
    },
    /// There is no setting of that name.
    #[error("unknown setting `{name}`{hint}")]
    UnknownSetting {
        /// The name that was given.
        name: String,
        /// `; did you mean …?`, or which there are.
        hint: String,
    },
    /// The instance cannot be explained, for instance because it has no words.
    #[error("{0}")]
    Instance(String),
    /// A row of the black box's answer is no probability distribution.
    #[error(
        "the model's row {row} is no distribution: {problem}; rows must be non-negative and sum to 1 ± 0.001, or what rounding to their digits can do (for logits or independent scores say so)"
    )]
    NotADistribution {
        /// The row of the model's answer, counted over the distinct inputs from 0 (the unperturbed instance).
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A number that must be finite is not.
    #[error("{stage}: row {row} is not finite")]
    NotFinite {
        /// The stage that found it.
        stage: &'static str,
        /// The row.
        row: usize,
    },
    /// The black box failed.
    #[error("the model failed: {0}")]
    Model(#[source] Box<dyn StdError + Send + Sync>),
    /// A backend failed while running a stage.
    #[error("{backend}, {stage}: {source}")]
    Backend {
        /// The backend's name.
        backend: &'static str,
        /// The stage.
        stage: &'static str,
        /// The driver's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The run was told to stop; see [`Explainer::interrupt`](crate::Explainer::interrupt).
    #[error("interrupted")]
    Interrupted,
    /// A backend is not there on this machine.
    #[error("the backend {backend} is not available: {reason}")]
    Unavailable {
        /// The backend's name.
        backend: &'static str,
        /// Why, and how to go on.
        reason: String,
    },
}

impl Error {
    /// A [`Error::Setting`] from anything printable.
    pub fn setting(name: impl Into<String>, value: impl ToString, reason: impl Into<String>) -> Self {
        Error::Setting { name: name.into(), value: value.to_string(), reason: reason.into() }
    }

    /// A [`Error::Setting`] for a value that is none of `choices`: offers the nearest one, and lists all.
    pub fn choice(name: impl Into<String>, value: &str, choices: &[&str]) -> Self {
        let meant = nearest(value, choices).map(|meant| format!("did you mean `{meant}`? "));
        Error::setting(name, value, format!("{}choose {}", meant.unwrap_or_default(), listed(choices)))
    }

    /// A [`Error::UnknownSetting`]: offers the nearest one, or lists all.
    pub fn unknown_setting(name: &str, names: &[&str]) -> Self {
        let hint = match nearest(name, names) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => format!("; there are {}", names.join(", ")),
        };
        Error::UnknownSetting { name: name.into(), hint }
    }

    /// A [`Error::Model`] from a message or an error.
    pub fn model(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error::Model(source.into())
    }

    /// A [`Error::Shape`].
    pub fn shape(what: impl Into<String>, expected: usize, got: usize) -> Self {
        Error::Shape { what: what.into(), expected, got }
    }
}

/// Passes if two sizes agree.
///
/// # Errors
/// [`Error::Shape`] with both sizes.
pub fn expect_len(what: &str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::shape(what, expected, got)) }
}
