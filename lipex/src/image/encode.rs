//! Pictures as the bytes of PNG and .npy files.

use super::picture::Picture;
use png::{BitDepth, ColorType, Compression};

/// A PNG of 8-bit RGB. `rgb` has height × width × 3 bytes.
pub(crate) fn png(width: usize, height: usize, rgb: &[u8], compression: Compression) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(compression);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(rgb)?;
        writer.finish()
    });
    written.expect("checked sizes, written to memory");
    out
}

/// An array of `uint8`, height × width × 3, as `numpy.save` writes it. The bytes are taken as they are, not one by one.
pub(crate) fn npy(width: usize, height: usize, rgb: &[u8]) -> Vec<u8> {
    array("|u1", &format!("({height}, {width}, 3)"), rgb)
}

/// An array of some type and shape, as `numpy.save` writes it.
pub(crate) fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length are 10 bytes; the whole is padded to a multiple of 64 and ends the line.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.push_str(&" ".repeat(padded - header.len() - 1));
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((padded as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(bytes);
    out
}

impl Picture {
    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        png(self.width(), self.height(), self.as_rgb(), Compression::Balanced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.save` of an array of the shape (3, 1000, 3): its first 128 bytes.
    #[test]
    fn npy_is_numpys() {
        let rgb: Vec<u8> = (0..9000).map(|i| i as u8).collect();
        let file = npy(1000, 3, &rgb);
        let start = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1000, 3), }";
        assert_eq!(file[..start.len()], start[..]);
        assert!(file[start.len()..127].iter().all(|&b| b == b' '));
        assert_eq!((file[127], &file[128..]), (b'\n', &rgb[..]));
    }
}
