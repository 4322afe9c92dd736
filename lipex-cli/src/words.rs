//! Texts and their features: what `lipex text` and `lipex batch` share.

use crate::model::TextModel;
use crate::options::WordOptions;
use crate::output;
use lipex::{Result, Seen, Settings, TextInstance};

/// What a feature of a text is.
#[derive(Clone, Debug)]
pub struct Words {
    settings: Settings,
    ignored: Vec<String>,
}

impl Words {
    /// What settings and options say, their file read.
    pub fn read(options: &WordOptions, settings: &Settings) -> Result<Self> {
        let list = options.ignore_words.as_ref().map(|file| output::read("ignore-words", file)).transpose()?;
        let ignored = list.unwrap_or_default().split_whitespace().map(String::from).collect();
        Ok(Words { settings: settings.clone(), ignored })
    }

    /// A text, and what the model sees of it where that is not all.
    pub fn instance(&self, text: String, model: &TextModel) -> Result<(TextInstance, Option<Seen>)> {
        let seen = model.seen(&text)?;
        let mut builder = self.settings.text(text)?.ignore(&self.ignored);
        if let Some(seen) = &seen {
            builder = builder.seen(seen.bytes.clone());
        }
        Ok((builder.build()?, seen))
    }

    /// The words that are never removed, in one text.
    pub fn ignored(&self) -> String {
        self.ignored.join(" ")
    }
}
