//! Render: a model's inputs made out of masks in device memory: tokens of a text, pixels of a picture.
//!
//! # Shapes
//! Tokens: rows × longest ids, row-major, with a length a row. Pixels: rows × channels × stride, NCHW, a channel padded to 16
//! bytes so that threads move whole vectors.
//!
//! ```no_run
//! use lipex_core::{Draw, Perturber, UniformSize};
//! use lipex_cuda::{Cuda, TokenTemplate, When};
//!
//! let on = Cuda::new()?;
//! // Three tokens: one always there, two that features 0 and 1 keep.
//! let template = TokenTemplate { tokens: vec![(101, When::Always), (7, When::Kept(0)), (9, When::Kept(1))] };
//! let masks = UniformSize::default().perturb(&on, &Draw::whole(&[2], 4, 0))?.remove(0).masks;
//! let batch = template.render(&on, &masks, 0..4)?;
//! assert_eq!((batch.longest, batch.rows), (3, 4));
//! # Ok::<(), lipex_core::Error>(())
//! ```

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::launch::Shape;
use lipex_core::{Distinct, Error, Masks, Result, expect_len};
use lipex_kernels::RENDER;
use std::ops::Range;

/// When a token of an instance is there.
///
/// ```
/// use lipex_cuda::{TokenTemplate, When};
///
/// // "not bad" for a model of word pieces, 7 standing for a removed word: [CLS], not, bad or what takes its place.
/// let tokens = vec![(101, When::Always), (2025, When::Kept(0)), (2919, When::Kept(1)), (7, When::Removed(1))];
/// let template = TokenTemplate { tokens };
/// // Without feature 1.
/// let there = |when| matches!(when, When::Always | When::Kept(0) | When::Removed(1));
/// let ids: Vec<u32> = template.tokens.iter().filter(|(_, when)| there(*when)).map(|(id, _)| *id).collect();
/// assert_eq!(ids, [101, 2025, 7]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In every input.
    Always,
    /// If this feature is kept.
    Kept(usize),
    /// If this feature is removed: what takes its place.
    Removed(usize),
}

/// The rules by the kernel's numbers.
const ALWAYS: u32 = 0;
/// There where the feature is kept.
const KEPT: u32 = 1;
/// There where the feature is removed.
const REMOVED: u32 = 2;
/// Numbers that the kernel has too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[
    ("render", "ALWAYS", ALWAYS as usize),
    ("render", "KEPT", KEPT as usize),
    ("render", "REMOVED", REMOVED as usize),
];

/// The tokens of a text in order, each with the rule by which masks leave it there.
///
/// Fits a model whose tokens of a damaged text are tokens of the whole one: then dropping ids is rendering.
///
/// ```no_run
/// use lipex_core::{Backend, Draw, Perturber, UniformSize};
/// use lipex_cuda::{Cuda, TokenTemplate, When};
///
/// let on = Cuda::new()?;
/// let masks = UniformSize::default().perturb(&on, &Draw::whole(&[2], 4, 0))?.remove(0).masks;
/// let template = TokenTemplate { tokens: vec![(101, When::Always), (7, When::Kept(0)), (9, When::Kept(1))] };
/// let batch = template.render(&on, &masks, 0..1)?;
/// assert_eq!(on.download(&batch.ids)?, [101, 7, 9]); // row 0 keeps everything
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTemplate {
    /// The tokens: ids, hashes, whatever the model takes.
    pub tokens: Vec<(u32, When)>,
}

/// Token ids of some masks, in device memory.
///
/// # Shapes
/// `ids` rows × `longest`, row-major, zeros after a row's end; `lengths` one a row.
///
/// ```no_run
/// use lipex_core::{Backend, Probabilities, Result};
/// use lipex_cuda::{Cuda, TokenBatch};
///
/// /// A model on the device: here half and half, whatever the tokens.
/// fn predict(on: &Cuda, batch: &TokenBatch) -> Result<Probabilities<Cuda>> {
///     // A kernel would read `batch.ids` and `batch.lengths` at their addresses.
///     Probabilities::new(on, batch.rows, 2, on.upload(vec![0.5; 2 * batch.rows])?)
/// }
/// ```
#[derive(Debug)]
pub struct TokenBatch {
    /// The ids.
    pub ids: DeviceBuffer<u32>,
    /// The number of tokens of each row.
    pub lengths: DeviceBuffer<u32>,
    /// Tokens of the whole text.
    pub longest: usize,
    /// Rows.
    pub rows: usize,
}

impl TokenTemplate {
    /// The tokens of rows `rows` of the masks. Nothing comes back to the host.
    ///
    /// # Errors
    /// [`Error::Shape`] when a rule names a feature that the masks do not have; those of the device.
    pub fn render(&self, on: &Cuda, masks: &Masks<Cuda>, rows: Range<usize>) -> Result<TokenBatch> {
        let (mut ids, mut features, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for &(token, when) in &self.tokens {
            let (feature, rule) = match when {
                When::Always => (0, ALWAYS),
                When::Kept(feature) => (feature, KEPT),
                When::Removed(feature) => (feature, REMOVED),
            };
            if feature >= masks.features() {
                return Err(Error::shape(
                    "features of the masks (more than the token's)",
                    feature + 1,
                    masks.features(),
                ));
            }
            ids.push(token);
            features.push(feature as u32);
            rules.push(rule);
        }
        if rows.end > masks.rows() {
            return Err(Error::shape("rows of the masks (at least)", rows.end, masks.rows()));
        }
        let (count, len) = (ids.len(), rows.len());
        let (ids, features) = (on.send("render", &ids)?, on.send("render", &features)?);
        let rules = on.send("render", &rules)?;
        let (out, lengths) = (on.room::<u32>("render", len * count)?, on.room::<u32>("render", len)?);
        let shape = Shape { grid: (len.div_ceil(8), 1), threads: 256, shared: 0 };
        let arguments = [
            (&ids).into(),
            (&features).into(),
            (&rules).into(),
            masks.bits().into(),
            (&out).into(),
            (&lengths).into(),
            count.into(),
            masks.words().into(),
            rows.start.into(),
            len.into(),
        ];
        // SAFETY: lipex_render_tokens(tokens, features, when, bits, ids, lengths, count, words, first, rows): three arrays of
        // `count` words with features below the masks', bits that have rows first…first + rows as checked above, ids of
        // rows · count words, lengths of rows.
        unsafe { on.launch("render", (&RENDER, "lipex_render_tokens", None), shape, &arguments) }?;
        Ok(TokenBatch { ids: out, lengths, longest: count, rows: len })
    }
}

/// Which rows have the same mask, found on the device; one number a row comes back.
///
/// # Errors
/// Those of the device.
///
/// # Numerics
/// Rows are compared word by word, so that only equal masks are one; hashes only find the place to compare.
pub fn distinct(on: &Cuda, masks: &Masks<Cuda>) -> Result<Distinct> {
    Ok(Distinct::by_key(crate::evaluate::first_rows(on, masks)?.into_iter()))
}

/// Numbers of a picture: f32, or u16 with the bits of an f16 (`half::f16::to_bits`).
///
/// ```
/// use lipex_cuda::Pixel;
///
/// /// Bytes of a picture of three channels on the device.
/// fn bytes<T: Pixel>(pixels: usize) -> usize {
///     3 * pixels * size_of::<T>()
/// }
///
/// assert_eq!((bytes::<f32>(100), bytes::<u16>(100)), (1200, 600)); // u16 holds the bits of an f16
/// ```
pub trait Pixel: lipex_core::Element + sealed::Sealed {
    #[doc(hidden)]
    const KERNEL: &'static str;
    /// Numbers in 16 bytes.
    #[doc(hidden)]
    const LANES: usize = 16 / size_of::<Self>();
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for u16 {}
}

impl Pixel for f32 {
    const KERNEL: &'static str = "lipex_render_pixels";
}

impl Pixel for u16 {
    const KERNEL: &'static str = "lipex_render_pixels_half";
}

/// A picture in device memory with what takes the place of removed segments.
///
/// # Shapes
/// Channels × pixels, each channel padded to `stride` numbers, a multiple of 16 bytes.
///
/// ```no_run
/// use lipex_core::{Bernoulli, Draw, Perturber};
/// use lipex_cuda::{Cuda, PixelTemplate};
///
/// // A grey picture of 2 × 2 pixels in one channel, black where its left or its right half is removed.
/// let on = Cuda::new()?;
/// let template = PixelTemplate::new(&on, 1, &[0.5f32; 4], &[0.0; 4], &[0, 1, 0, 1])?;
/// let masks = Bernoulli::default().perturb(&on, &Draw::whole(&[2], 3, 0))?.remove(0).masks;
/// let batch = template.render(&on, &masks, 0..3)?;
/// assert_eq!((batch.rows, batch.pixels, batch.stride), (3, 4, 4));
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct PixelTemplate<T: Pixel> {
    image: DeviceBuffer<T>,
    baseline: DeviceBuffer<T>,
    segments: DeviceBuffer<u32>,
    channels: usize,
    pixels: usize,
    stride: usize,
    /// One more than the largest segment.
    segment_count: usize,
}

/// Pictures of some masks, in device memory: NCHW, each channel `stride` numbers apart.
///
/// ```
/// use lipex_cuda::PixelBatch;
///
/// /// Where channel `c` of picture `row` begins, in numbers.
/// fn at(batch: &PixelBatch<f32>, row: usize, c: usize) -> usize {
///     (row * batch.channels + c) * batch.stride
/// }
/// ```
#[derive(Debug)]
pub struct PixelBatch<T: Pixel> {
    /// rows × channels × stride numbers.
    pub values: DeviceBuffer<T>,
    /// N.
    pub rows: usize,
    /// C.
    pub channels: usize,
    /// H·W, the numbers of a channel that are pixels.
    pub pixels: usize,
    /// Numbers from one channel to the next; pixels, rounded up to 16 bytes.
    pub stride: usize,
}

impl<T: Pixel> PixelTemplate<T> {
    /// A picture, its baseline (channels × pixels each) and its segments (one a pixel).
    ///
    /// # Errors
    /// [`Error::Shape`] when the sizes do not fit together; those of the device.
    pub fn new(on: &Cuda, channels: usize, image: &[T], baseline: &[T], segments: &[u32]) -> Result<Self> {
        let pixels = segments.len();
        expect_len("numbers of the image", channels * pixels, image.len())?;
        expect_len("numbers of the baseline", channels * pixels, baseline.len())?;
        let stride = pixels.next_multiple_of(T::LANES);
        let padded = |numbers: &[T]| -> Vec<T> {
            let mut out = vec![T::zeroed(); channels * stride];
            for (to, from) in out.chunks_exact_mut(stride.max(1)).zip(numbers.chunks_exact(pixels.max(1))) {
                to[..pixels].copy_from_slice(from);
            }
            out
        };
        // As the kernel reads them: of each unit of 16 bytes the first four pixels, then the next four.
        let (units, mut of) = (stride / T::LANES, vec![0; stride]);
        for (x, &segment) in segments.iter().enumerate() {
            let (unit, within) = (x / T::LANES, x % T::LANES);
            of[(within / 4 * units + unit) * 4 + within % 4] = segment;
        }
        Ok(PixelTemplate {
            image: on.send("render", &padded(image))?,
            baseline: on.send("render", &padded(baseline))?,
            segments: on.send("render", &of)?,
            channels,
            pixels,
            stride,
            segment_count: segments.iter().map(|&s| s as usize + 1).max().unwrap_or(0),
        })
    }

    /// The pictures of rows `rows` of the masks: the image where the pixel's segment is kept, the baseline elsewhere.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are more segments than features or fewer rows; those of the device.
    pub fn render(&self, on: &Cuda, masks: &Masks<Cuda>, rows: Range<usize>) -> Result<PixelBatch<T>> {
        if self.segment_count > masks.features() {
            return Err(Error::shape("features of the masks (a segment each)", self.segment_count, masks.features()));
        }
        if rows.end > masks.rows() {
            return Err(Error::shape("rows of the masks (at least)", rows.end, masks.rows()));
        }
        let values = on.room::<T>("render", rows.len() * self.channels * self.stride)?;
        let units = self.stride / T::LANES;
        let arguments = |first: usize, out: u64| {
            [
                (&self.image).into(),
                (&self.baseline).into(),
                (&self.segments).into(),
                masks.bits().into(),
                out.into(),
                masks.words().into(),
                first.into(),
                units.into(),
                self.channels.into(),
            ]
        };
        let picture = (self.channels * self.stride * size_of::<T>()) as u64;
        for start in rows.clone().step_by(crate::launch::MOST_DOWN) {
            let down = (rows.end - start).min(crate::launch::MOST_DOWN);
            let shape = Shape { grid: (units.div_ceil(256), down), threads: 256, shared: 0 };
            let out = values.address() + (start - rows.start) as u64 * picture;
            // SAFETY: lipex_render_pixels(image, baseline, segments, bits, out, words, first, units, channels), for f32 and
            // f16 alike: channels · units · 16 bytes of image and baseline, a segment below the masks' features for each of
            // their pixels, bits that have rows first…first + down, and room in `out` for as many pictures.
            unsafe { on.launch("render", (&RENDER, T::KERNEL, None), shape, &arguments(start, out)) }?;
        }
        Ok(PixelBatch { values, rows: rows.len(), channels: self.channels, pixels: self.pixels, stride: self.stride })
    }
}
