//! Pictures from the bytes of files.
//!
//! # Formats
//! PNG, JPEG, GIF (the first frame), WebP, BMP and TIFF, by what the bytes say, not by the name. Sixteen bits lose their lower
//! eight; palettes, greys and CMYK become RGB; the EXIF orientation is applied. What is transparent lies on a background,
//! white unless said otherwise, and the report says so.
//!
//! # Limits
//! At most [`MOST_PIXELS`](crate::MOST_PIXELS) pixels, checked from the header before anything is allocated. Decoders are pure
//! Rust and fuzzed.
//!
//! # Errors
//! A damaged file, one that is no picture, and one that is too large: a line that says which, never a panic.

mod others;

use super::picture::{Picture, check_size};
use exif::{In, Reader, Tag};
use lipex_core::{Error, Result};
use png::{ColorType, Transformations};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Bmp,
    Tiff,
    Npy,
}

/// The format that the first bytes are of.
pub(super) fn format(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some(Format::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [b'G', b'I', b'F', b'8', ..] => Some(Format::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        [b'B', b'M', ..] => Some(Format::Bmp),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Format::Tiff),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some(Format::Npy),
        _ => None,
    }
}

/// A picture as a file stores it.
struct Stored {
    /// Pixels in a row, as stored.
    width: usize,
    /// Rows, as stored.
    height: usize,
    /// Their colours.
    layer: Layer,
    /// The EXIF orientation, 1 to 8.
    orientation: Option<u32>,
}

/// Rows of pixels, with opacity or without.
enum Layer {
    Rgb(Vec<u8>),
    Rgba(Vec<u8>),
}

impl Picture {
    /// A picture from the bytes of a PNG, JPEG, GIF, WebP, BMP or TIFF file, upright: the EXIF orientation is applied.
    ///
    /// Grey becomes RGB, 16 bits a channel lose the lower 8, transparency is laid over white; colour profiles are not
    /// looked at. Of an animation the first picture is taken, of a TIFF the first page.
    ///
    /// # Errors
    /// [`Error::Instance`] for anything else, a damaged file, CMYK colours, or more than
    /// [`MOST_PIXELS`](crate::MOST_PIXELS) pixels, which is found out before decoding.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Ok(Self::decode_on(bytes, WHITE)?.0)
    }

    /// The same, with transparency laid over a colour of your choice; whether there is any comes with it.
    ///
    /// # Errors
    /// Those of [`decode`](Picture::decode).
    pub fn decode_on(bytes: &[u8], background: [u8; 3]) -> Result<(Self, bool)> {
        let Stored { width, height, layer, orientation } = match format(bytes) {
            Some(Format::Png) => png(bytes)?,
            Some(Format::Jpeg) => jpeg(bytes)?,
            Some(Format::Gif) => others::gif(bytes)?,
            Some(Format::WebP) => others::webp(bytes)?,
            Some(Format::Bmp) => others::bmp(bytes)?,
            Some(Format::Tiff) => others::tiff(bytes)?,
            Some(Format::Npy) | None => {
                let reason = "is no picture that can be read: give a PNG, JPEG, GIF, WebP, BMP or TIFF";
                return Err(Error::Instance(reason.into()));
            }
        };
        let (rgb, transparent) = match layer {
            Layer::Rgb(rgb) => (rgb, false),
            Layer::Rgba(rgba) => {
                let pixels = rgba.as_chunks::<4>().0;
                let over = |&[r, g, b, a]: &[u8; 4]| {
                    [over(r, background[0], a), over(g, background[1], a), over(b, background[2], a)]
                };
                (pixels.iter().flat_map(over).collect(), pixels.iter().any(|p| p[3] < 255))
            }
        };
        Ok((upright(Picture::from_rgb(width, height, rgb)?, orientation.unwrap_or(1)), transparent))
    }
}

/// The usual background of transparent pictures.
const WHITE: [u8; 3] = [255; 3];

/// A file that its decoder cannot read.
pub(super) fn damaged(format: &str, error: impl std::fmt::Display) -> Error {
    let error = error.to_string().replace(char::is_control, " ");
    Error::Instance(format!("the {format} cannot be decoded: {}", error.trim()))
}

/// A PNG, with its transparency.
fn png(bytes: &[u8]) -> Result<Stored> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    let header = decoder.read_header_info().map_err(|e| damaged("PNG", e))?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width, height)?;
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(|e| damaged("PNG", e))?;
    let len = reader.output_buffer_size().ok_or_else(|| damaged("PNG", "it is too large"))?;
    let mut raw = vec![0; len];
    let info = reader.next_frame(&mut raw).map_err(|e| damaged("PNG", e))?;
    raw.truncate(info.buffer_size());
    let layer = match info.color_type {
        ColorType::Rgb => Layer::Rgb(raw),
        ColorType::Rgba => Layer::Rgba(raw),
        ColorType::Grayscale => Layer::Rgb(raw.iter().flat_map(|&v| [v; 3]).collect()),
        ColorType::GrayscaleAlpha => Layer::Rgba(raw.as_chunks().0.iter().flat_map(|&[v, a]| [v, v, v, a]).collect()),
        ColorType::Indexed => return Err(damaged("PNG", "its palette was not resolved")),
    };
    let orientation = reader.info().exif_metadata.as_ref().and_then(|e| orientation(e.to_vec()));
    Ok(Stored { width, height, layer, orientation })
}

/// A value of opacity `alpha` in front of another, rounded.
fn over(value: u8, behind: u8, alpha: u8) -> u8 {
    let [v, b, a] = [value, behind, alpha].map(u32::from);
    ((v * a + b * (255 - a) + 127) / 255) as u8
}

/// A JPEG, with its orientation.
fn jpeg(bytes: &[u8]) -> Result<Stored> {
    // The decoder's own limit is a side's; the number of pixels is checked below.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| damaged("JPEG", e))?;
    let info = decoder.info().ok_or_else(|| damaged("JPEG", "it has no header"))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    if matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK)) {
        return Err(Error::Instance("the JPEG has CMYK colours, made for print; convert it to RGB first".into()));
    }
    let rgb = decoder.decode().map_err(|e| damaged("JPEG", e))?;
    let orientation = decoder.exif().cloned().and_then(orientation);
    Ok(Stored { width, height, layer: Layer::Rgb(rgb), orientation })
}

/// The EXIF orientation, 1 to 8, if there is one that can be read.
fn orientation(exif: Vec<u8>) -> Option<u32> {
    let exif = Reader::new().read_raw(exif).ok()?;
    exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)
}

/// Undoes an EXIF orientation.
fn upright(picture: Picture, orientation: u32) -> Picture {
    // Where each pixel of the upright picture is in the stored one: (column, row) of the upright → of the stored.
    let (w, h) = (picture.width(), picture.height());
    let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
        2 => |x, y, w, _| (w - 1 - x, y),
        3 => |x, y, w, h| (w - 1 - x, h - 1 - y),
        4 => |x, y, _, h| (x, h - 1 - y),
        5 => |x, y, _, _| (y, x),
        6 => |x, y, _, h| (y, h - 1 - x),
        7 => |x, y, w, h| (w - 1 - y, h - 1 - x),
        8 => |x, y, w, _| (w - 1 - y, x),
        _ => return picture,
    };
    let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
    let stored = picture.as_rgb().as_chunks::<3>().0;
    let mut rgb = Vec::with_capacity(3 * w * h);
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = from(x, y, w, h);
            rgb.extend(stored[sy * w + sx]);
        }
    }
    // The same pixels in another order.
    Picture::from_rgb(width, height, rgb).unwrap_or(picture)
}
