//! Photos, and what they are laid on and cut into: what `lipex image` and `lipex segments` share.

use crate::options::PhotoOptions;
use crate::{output, parse};
use lipex::{Error, Picture, PlainColour, Result, SegmentMap};

/// A photo with its segments.
pub struct Photo {
    pub picture: Picture,
    pub segments: SegmentMap,
    /// What the report says of transparent places; empty without any.
    pub told: String,
}

impl Photo {
    pub fn read(options: &PhotoOptions) -> Result<Self> {
        let background = match &options.background {
            Some(colour) => PlainColour::by_name(colour)?,
            None => PlainColour([255; 3]),
        };
        let bytes = output::read_bytes("PHOTO", &options.photo)?;
        let decoded = Picture::decode_on(&bytes, background.0);
        let (picture, transparent) = decoded.map_err(|e| Error::setting("PHOTO", &options.photo, e.to_string()))?;
        let on = options.background.as_deref().unwrap_or("white; --background #RRGGBB chooses another colour");
        let told = if transparent {
            format!("\nThe photo is transparent in places: it is laid on {on}.\n")
        } else {
            String::new()
        };
        let segments = parse::segments(&options.segments, &picture)?;
        Ok(Photo { picture, segments, told })
    }
}
