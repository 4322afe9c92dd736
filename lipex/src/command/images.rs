//! Programs that take images.

use super::protocol::Coding;
use super::{CommandModel, refuse};
use crate::image::encode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lipex_core::{Backend, Batching, BlackBox, Images, Probabilities, Result};

impl<B: Backend> BlackBox<B, Images> for CommandModel {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    /// # Errors
    /// As for texts; [`Error::Setting`](lipex_core::Error::Setting) when the program takes texts.
    fn predict(&self, on: &B, batch: &Images) -> Result<Probabilities<B>> {
        let Some(coding) = self.images else {
            let reason = r#"it takes texts; for images its first line must have "images": "png" or "images": "npy""#;
            return Err(refuse(&self.command, reason));
        };
        self.ask(request_images(batch, coding), batch.len())?.on(on)
    }
}

/// The line that asks about `images`.
fn request_images(images: &Images, coding: Coding) -> String {
    let (width, height) = (images.width(), images.height());
    let mut line = String::from("{\"images\":[");
    for (i, image) in images.iter().enumerate() {
        let file = match coding {
            Coding::Npy => npy(width, height, image),
            Coding::Png => encode::png(width, height, image, png::Compression::Fast),
        };
        line.push_str(if i > 0 { ",\"" } else { "\"" });
        BASE64.encode_string(file, &mut line);
        line.push('"');
    }
    line.push_str("]}\n");
    line
}

/// An array of `uint8`, height × width × 3, as `numpy.save` writes it. The bytes are taken as they are, not one by one.
fn npy(width: usize, height: usize, rgb: &[u8]) -> Vec<u8> {
    encode::array("|u1", &format!("({height}, {width}, 3)"), rgb)
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
