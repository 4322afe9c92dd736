//! Occlusion of pixels: squares of a photo are covered, and the black box is asked.

use super::instance::ImageInstance;
use lipex_core::{Attributions, Backend, BlackBox, Error, Images, Instance, Output, Result, Setting, checked_answers};

/// Most bytes of a batch's pictures.
const BATCH_BYTES: usize = 32 << 20;
/// Most squares of a picture, if nobody says how far apart they are.
const AFFORDABLE: usize = 1024;
/// Most squares of a picture.
const MOST: usize = 100_000;

/// Squares of a picture: their side and the pixels from one to the next.
///
/// ```
/// use lipex::Squares;
///
/// // The last square touches the edge, wherever the steps lead.
/// assert_eq!(Squares::new(3, 2)?.places(8), [0, 2, 4, 5]);
/// assert!(Squares::new(0, 1).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Squares {
    window: usize,
    stride: usize,
}

impl Squares {
    /// Squares of a side, so many pixels apart. Published with a side of 15 in pictures of 224 × 224, 1 apart, which makes 44,100.
    ///
    /// # Errors
    /// [`Error::Setting`] for a side or a step of 0, or a step beyond the side, which would leave pixels out.
    pub fn new(window: usize, stride: usize) -> Result<Self> {
        if window == 0 {
            return Err(Error::setting("window", window, "a square has at least one pixel"));
        }
        if stride == 0 || stride > window {
            return Err(Error::setting("stride", stride, format!("choose 1 to the window, {window}")));
        }
        Ok(Squares { window, stride })
    }

    /// Squares of 15 pixels, as many times more as the shorter side of a picture is above 224; as far apart as
    /// [`affordable`](Squares::affordable) says.
    ///
    /// ```
    /// use lipex::Squares;
    ///
    /// assert_eq!(Squares::usual(32, 32), Squares::new(15, 1)?); // 324 squares
    /// assert_eq!(Squares::usual(640, 448), Squares::new(30, 17)?);
    /// # Ok::<(), lipex::Error>(())
    /// ```
    pub fn usual(width: usize, height: usize) -> Self {
        let shorter = width.min(height);
        let window = (15 * shorter).div_ceil(224).max(15).min(shorter.max(1));
        Self::affordable(window, width, height)
    }

    /// Squares of a side (at least 1) over a picture, one pixel apart, or the least that makes at most 1024 of them.
    pub fn affordable(window: usize, width: usize, height: usize) -> Self {
        let window = window.max(1);
        let count = |stride: usize| {
            let squares = Squares { window, stride };
            squares.places(width).len().saturating_mul(squares.places(height).len())
        };
        let stride = (1..window).find(|&stride| count(stride) <= AFFORDABLE).unwrap_or(window);
        Squares { window, stride }
    }

    /// The side of a square.
    pub fn window(self) -> usize {
        self.window
    }

    /// The pixels from one square to the next.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Where squares begin along a side of so many pixels.
    pub fn places(self, pixels: usize) -> Vec<usize> {
        let last = pixels.saturating_sub(self.window);
        let mut places: Vec<usize> = (0..=last).step_by(self.stride).collect();
        if places.last() != Some(&last) {
            places.push(last);
        }
        places
    }
}

/// What the outputs lose when a square of the picture is covered by the instance's baseline, added to each pixel under it and
/// then summed over the pixels of a segment.
///
/// # Source
/// As saliency 0.2.1 has it, which covers with 0 (the baseline black) by squares of 15 pixels, one pixel apart.
///
/// # Errors
/// [`Error::Setting`] for more than 100,000 squares; [`Error::Shape`] for a class that does not exist; those of the model.
pub fn occlude<B: Backend>(
    on: &B,
    image: &ImageInstance,
    model: &dyn BlackBox<B, Images>,
    outputs: &[Output],
    squares: Squares,
) -> Result<Attributions> {
    let (down, across) = (squares.places(image.picture().height()), squares.places(image.picture().width()));
    if down.len().saturating_mul(across.len()) > MOST {
        let reason = format!("makes {} squares, the most are {MOST}; take a larger stride", down.len() * across.len());
        return Err(Error::setting("stride", squares.stride, reason));
    }
    let places: Vec<(usize, usize)> = down.iter().flat_map(|&y| across.iter().map(move |&x| (y, x))).collect();
    // A square of no pixel leaves the picture as it is.
    let whole = values(on, image, model, outputs, 0, &[(0, 0)])?.remove(0);
    let mut scores = vec![vec![0.0; image.features().len()]; outputs.len()];
    for part in places.chunks((BATCH_BYTES / image.picture().as_rgb().len().max(1)).max(1)) {
        for (row, &place) in values(on, image, model, outputs, squares.window, part)?.iter().zip(part) {
            for (segment, pixels) in counts(image, squares.window, place) {
                let each = scores.iter_mut().zip(whole.iter().zip(row));
                each.for_each(|(scores, (whole, rest))| scores[segment] += (whole - rest) * pixels as f64);
            }
        }
    }
    let method = vec![
        Setting::new("method", "occlusion"),
        Setting::new("window", squares.window),
        Setting::new("stride", squares.stride),
        Setting::new("squares", places.len()),
    ];
    let (features, outside) = (image.features().to_vec(), vec![0.0; outputs.len()]);
    Ok(Attributions { method, features, scores, outside, ..Attributions::default() })
}

/// The outputs with a square covered, a row a place.
fn values<B: Backend>(
    on: &B,
    image: &ImageInstance,
    model: &dyn BlackBox<B, Images>,
    outputs: &[Output],
    window: usize,
    places: &[(usize, usize)],
) -> Result<Vec<Vec<f64>>> {
    let picture = image.picture();
    let mut bytes = Vec::with_capacity(places.len() * picture.as_rgb().len());
    for &place in places {
        let start = bytes.len();
        bytes.extend_from_slice(picture.as_rgb());
        cover(&mut bytes[start..], image, window, place);
    }
    let p = checked_answers(on, model, &Images::new(picture.width(), picture.height(), bytes)?, places.len())?;
    let numbers: Vec<f64> = on.download(p.values())?.into_iter().map(f64::from).collect();
    let row = |row: &[f64]| outputs.iter().map(|o| o.of_probabilities(row, p.is_independent())).collect();
    numbers.chunks_exact(p.classes().max(1)).map(row).collect()
}

/// The rows of pixels under a square, as ranges of pixel numbers.
fn rows(image: &ImageInstance, window: usize, (y, x): (usize, usize)) -> impl Iterator<Item = std::ops::Range<usize>> {
    let (width, height) = (image.picture().width(), image.picture().height());
    let (bottom, right) = ((y + window).min(height), (x + window).min(width));
    (y..bottom).map(move |row| row * width + x..row * width + right)
}

/// Lays the baseline over a square.
fn cover(picture: &mut [u8], image: &ImageInstance, window: usize, place: (usize, usize)) {
    let other = image.replacement().as_rgb();
    for pixels in rows(image, window, place) {
        let bytes = 3 * pixels.start..3 * pixels.end;
        picture[bytes.clone()].copy_from_slice(&other[bytes]);
    }
}

/// How many pixels of each segment are under a square.
fn counts(image: &ImageInstance, window: usize, place: (usize, usize)) -> Vec<(usize, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for pixels in rows(image, window, place) {
        image.segments().of_pixels()[pixels].iter().for_each(|&s| *counts.entry(usize::from(s)).or_insert(0) += 1);
    }
    counts.into_iter().collect()
}
