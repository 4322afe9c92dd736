//! GIF, WebP, BMP and TIFF.

use super::{Layer, Stored, damaged};
use crate::image::picture::check_size;
use gif::{ColorOutput, DecodeOptions};
use image_webp::WebPDecoder;
use lipex_core::{Error, Result};
use std::io::Cursor;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use zune_bmp::BmpDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The first picture of an animation, where it lies on the screen.
pub(super) fn gif(bytes: &[u8]) -> Result<Stored> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(bytes).map_err(|e| damaged("GIF", e))?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check_size(width, height)?;
    let frame = decoder.read_next_frame().map_err(|e| damaged("GIF", e))?;
    let frame = frame.ok_or_else(|| damaged("GIF", "it has no picture"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let mut rgba = vec![0; 4 * width * height];
    for (y, row) in frame.buffer.chunks_exact(4 * usize::from(frame.width).max(1)).enumerate() {
        let at = 4 * ((top + y) * width + left);
        if let Some(place) = rgba.get_mut(at..at + row.len()) {
            place.copy_from_slice(row);
        }
    }
    Ok(Stored { width, height, layer: Layer::Rgba(rgba), orientation: None })
}

/// A WebP picture; of an animation the first frame.
pub(super) fn webp(bytes: &[u8]) -> Result<Stored> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| damaged("WebP", e))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let len = decoder.output_buffer_size().ok_or_else(|| damaged("WebP", "it is too large"))?;
    let mut raw = vec![0; len];
    decoder.read_image(&mut raw).map_err(|e| damaged("WebP", e))?;
    let orientation = decoder.exif_metadata().ok().flatten().and_then(super::orientation);
    let layer = if decoder.has_alpha() { Layer::Rgba(raw) } else { Layer::Rgb(raw) };
    Ok(Stored { width, height, layer, orientation })
}

/// A Windows bitmap.
pub(super) fn bmp(bytes: &[u8]) -> Result<Stored> {
    let most = usize::from(u16::MAX);
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(most).set_max_height(most);
    let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| damaged("BMP", format!("{e:?}")))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| damaged("BMP", "it has no header"))?;
    check_size(width, height)?;
    let colours = decoder.colorspace();
    let raw = decoder.decode().map_err(|e| damaged("BMP", format!("{e:?}")))?;
    let layer = match colours {
        Some(ColorSpace::RGBA) => Layer::Rgba(raw),
        Some(ColorSpace::Luma) => Layer::Rgb(raw.into_iter().flat_map(|v| [v; 3]).collect()),
        _ => Layer::Rgb(raw),
    };
    Ok(Stored { width, height, layer, orientation: None })
}

/// The first page.
pub(super) fn tiff(bytes: &[u8]) -> Result<Stored> {
    let bad = |e: tiff::TiffError| damaged("TIFF", e);
    let mut limits = Limits::default();
    // Four numbers of 16 bits a pixel, of as many pixels as are taken.
    limits.decoding_buffer_size = 8 * crate::MOST_PIXELS;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(bad)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(bad)?;
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let colours = decoder.colortype().map_err(bad)?;
    let white_is_zero = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(bad)? == Some(0);
    let orientation = decoder.find_tag_unsigned::<u16>(Tag::Orientation).ok().flatten().map(u32::from);
    let raw = in_bytes(decoder.read_image().map_err(bad)?)?;
    let grey = |v: u8| [if white_is_zero { 255 - v } else { v }; 3];
    let layer = match colours {
        ColorType::Gray(8 | 16) => Layer::Rgb(raw.into_iter().flat_map(grey).collect()),
        ColorType::GrayA(8 | 16) => {
            let pixels = raw.as_chunks().0.iter();
            Layer::Rgba(pixels.flat_map(|&[v, a]| [v, v, v, a]).collect())
        }
        ColorType::RGB(8 | 16) => Layer::Rgb(raw),
        ColorType::RGBA(8 | 16) => Layer::Rgba(raw),
        other => {
            let reason = format!("the TIFF has colours that are not taken ({other:?}); convert it to RGB first");
            return Err(Error::Instance(reason));
        }
    };
    Ok(Stored { width, height, layer, orientation })
}

/// The numbers of a TIFF as bytes; of 16 bits the upper 8.
fn in_bytes(decoded: DecodingResult) -> Result<Vec<u8>> {
    match decoded {
        DecodingResult::U8(values) => Ok(values),
        DecodingResult::U16(values) => Ok(values.into_iter().map(|v| (v >> 8) as u8).collect()),
        _ => {
            let reason = "the TIFF has numbers of another kind than 8 or 16 bits; convert it first";
            Err(Error::Instance(reason.into()))
        }
    }
}
