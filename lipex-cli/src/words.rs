//! Texts and their features: what `lipex text` and `lipex batch` share.

use crate::model::TextModel;
use crate::options::WordOptions;
use crate::output;
use lipex::{Removed, Result, Seen, Split, TextInstance, Unit};

/// What a feature of a text is.
#[derive(Clone, Debug)]
pub struct Words {
    unit: Unit,
    split: Split,
    removed: Removed,
    ignored: Vec<String>,
}

impl Words {
    /// What the options say, their file read.
    pub fn read(options: &WordOptions) -> Result<Self> {
        let WordOptions { unit, split, removed, ignore_words } = options;
        let list = ignore_words.as_ref().map(|file| output::read("ignore-words", file)).transpose()?;
        let ignored = list.unwrap_or_default().split_whitespace().map(String::from).collect();
        Ok(Words {
            unit: Unit::by_name(unit)?,
            split: Split::by_name(split)?,
            removed: Removed::by_name(removed)?,
            ignored,
        })
    }

    /// A text, and what the model sees of it where that is not all.
    pub fn instance(&self, text: String, model: &TextModel) -> Result<(TextInstance, Option<Seen>)> {
        let seen = model.seen(&text)?;
        let mut builder = TextInstance::builder(text).unit(self.unit).split(self.split).removed(self.removed.clone());
        if !self.ignored.is_empty() {
            builder = builder.ignore(&self.ignored);
        }
        if let Some(seen) = &seen {
            builder = builder.seen(seen.bytes.clone());
        }
        Ok((builder.build()?, seen))
    }

    /// The settings by name, for what must be told from other settings.
    pub fn told(&self) -> Vec<(String, String)> {
        let pairs = [
            ("unit", self.unit.to_string()),
            ("split", self.split.to_string()),
            ("removed", self.removed.to_string()),
            ("ignore-words", self.ignored.join(" ")),
        ];
        pairs.map(|(name, value)| (name.to_string(), value)).into()
    }
}
