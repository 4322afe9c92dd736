//! The text or the photo of a command that takes either.

use crate::model::TextModel;
use crate::options::{InstanceOptions, PhotoOptions, SEGMENTS};
use crate::parse::refuse;
use crate::photo::Photo;
use crate::text::Given;
use lipex::{Error, Result, Settings, TextInstance};

impl InstanceOptions {
    /// The text, and what the report says of words that are left out; options of photos are refused.
    pub fn text(&self, settings: &Settings, model: &TextModel) -> Result<(TextInstance, String)> {
        let given = [("segments", self.segments != SEGMENTS), ("background", self.background.is_some())];
        refuse(given, "is of photos, and this model takes texts")?;
        let of = Given { text: self.instance.as_deref(), file: self.file.as_deref(), words: &self.words };
        of.instance(settings, model)
    }

    /// The photo; options of texts are refused.
    pub fn photo(&self) -> Result<Photo> {
        let Some(photo) = self.instance.clone() else {
            return Err(Error::Instance("no photo: give its file, or - for standard input".into()));
        };
        let given = ["unit", "split", "removed"].map(|name| (name, self.settings.get(name).is_some()));
        let given = given.into_iter().chain([("ignore-words", self.words.ignore_words.is_some())]);
        refuse(given, "is of texts, and this model takes photos")?;
        let of = PhotoOptions { photo, segments: self.segments.clone(), background: self.background.clone() };
        Photo::read(&of)
    }
}
