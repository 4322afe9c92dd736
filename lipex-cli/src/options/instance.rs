//! Options of commands that take a text or a photo, as their model does.

use super::{SEGMENTS, WordOptions};
use crate::named::{Named, OfAttribution};
use clap::Args;

/// A text or a photo, and its features.
#[derive(Args)]
pub struct InstanceOptions {
    /// The text, or the photo's file for a model of photos; - reads it from standard input
    #[arg(value_name = "TEXT|PHOTO", conflicts_with = "file")]
    pub instance: Option<String>,
    /// Read the text from a file (UTF-8)
    #[arg(long, value_name = "F")]
    pub file: Option<String>,

    #[command(flatten)]
    pub settings: Named<OfAttribution>,
    #[command(flatten)]
    pub words: WordOptions,
    /// The segments of a photo, as lipex image takes them
    #[arg(long, value_name = "SEGMENTS", default_value = SEGMENTS, help_heading = "Image")]
    pub segments: String,
    /// What shines through a transparent photo: white, black or #RRGGBB [default: white]
    #[arg(long, value_name = "COLOUR", help_heading = "Image")]
    pub background: Option<String>,
}
