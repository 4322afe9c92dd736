//! What a feature of a text is, and what takes the place of a removed one.

use lipex_core::{Error, Result};
use std::fmt;

/// What one feature of a text is.
///
/// ```
/// use lipex::{Instance, TextInstance, Unit};
///
/// let of = |unit| TextInstance::builder("so sad, so sad. Then not.").unit(unit).build();
/// let counts = [of(Unit::Word)?, of(Unit::Occurrence)?, of(Unit::Sentence)?].map(|text| text.features().len());
/// assert_eq!(counts, [4, 6, 2]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A distinct word, case-sensitive; removing it removes every occurrence. LIME's `bow=True`.
    #[default]
    Word,
    /// One occurrence of a word.
    Occurrence,
    /// One sentence by Unicode's rules (UAX #29), without the spaces around it; "Dr.", "e.g.", an initial and the like end none.
    /// How words are split then does not matter.
    Sentence,
}

impl Unit {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Word => "word",
            Unit::Occurrence => "occurrence",
            Unit::Sentence => "sentence",
        }
    }

    /// The unit of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        [Unit::Word, Unit::Occurrence, Unit::Sentence]
            .into_iter()
            .find(|u| u.name() == name)
            .ok_or_else(|| Error::choice("unit", name, &["word", "occurrence", "sentence"]))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What takes the place of a removed feature. Separators always stay as they are.
///
/// ```
/// use lipex::{Removed, TextInstance};
///
/// let without = |removed| TextInstance::builder("a fine day").removed(removed).build()?.without(&[1]);
/// assert_eq!(without(Removed::Drop)?, "a  day");
/// assert_eq!(without(Removed::Mask("[MASK]".into()))?, "a [MASK] day");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Removed {
    /// Nothing. LIME's `bow=True`.
    #[default]
    Drop,
    /// This word. LIME's `bow=False` with `UNKWORDZ`.
    Mask(String),
}

impl Removed {
    /// The replacement of that name: `drop` or `mask:WORD`.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name, or without a word.
    pub fn by_name(name: &str) -> Result<Self> {
        let removed = match name.strip_prefix("mask:") {
            Some(word) => Removed::Mask(word.into()),
            None if name == "drop" => Removed::Drop,
            None if name.starts_with("nearest:") => {
                let reason = "a removed word has no counterpart in another text; of texts the nearest one is a baseline of \
                              gradients: lipex attribute --baseline nearest:FILE --against CLASS";
                return Err(Error::setting("removed", name, reason));
            }
            None => return Err(Error::choice("removed", name, &["drop", "mask:WORD"])),
        };
        removed.check()?;
        Ok(removed)
    }

    /// Passes unless the mask is empty.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Removed::Mask(word) if word.is_empty() => {
                Err(Error::setting("removed", "mask:", "give a word, as in mask:UNK, or choose drop"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Removed::Drop => f.write_str("drop"),
            Removed::Mask(word) => write!(f, "mask:{word}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for unit in [Unit::Word, Unit::Occurrence, Unit::Sentence] {
            assert_eq!(Unit::by_name(&unit.to_string()).unwrap(), unit);
        }
        for removed in [Removed::Drop, Removed::Mask("[MASK]".into()), Removed::Mask("a:b".into())] {
            assert_eq!(Removed::by_name(&removed.to_string()).unwrap(), removed);
        }
    }

    #[test]
    fn other_names_are_refused() {
        assert!(Unit::by_name("words").unwrap_err().to_string().contains("occurrence"));
        for name in ["mask", "mask:", "Drop"] {
            assert!(Removed::by_name(name).unwrap_err().to_string().contains("drop"));
        }
    }
}
