//! What a removed segment becomes.
//!
//! # Which one
//! The mean of the segment (default; LIME's) keeps brightness and hides shape. A plain colour is what a model may take for an
//! object. A blur keeps colours and destroys edges. Noise is unlike any photo. Another picture asks "as against that": give
//! the nearest one of the target class to explain one class against another.
//!
//! Reports name the baseline, since explanations depend on it.

use super::blur::blur;
use super::picture::Picture;
use super::segments::SegmentMap;
use lipex_core::philox::{Purpose, philox4x32};
use lipex_core::{Error, Result};
use std::sync::Arc;

/// What a [`Baseline`] is asked with.
///
/// ```
/// use lipex::{Baseline, BaselineContext, ImageInstance, Picture, PlainColour, Replacement, Result, SegmentMap};
///
/// /// Black for dark pictures, white for light ones.
/// struct LikeIt;
///
/// impl Baseline for LikeIt {
///     fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
///         let bytes = asked.picture.as_rgb();
///         let light = bytes.iter().map(|&b| u64::from(b)).sum::<u64>() > 127 * bytes.len() as u64;
///         PlainColour(if light { [255; 3] } else { [0; 3] }).replace(asked)
///     }
/// }
///
/// let light = Picture::from_rgb(2, 1, vec![200; 6])?;
/// let instance = ImageInstance::builder(light, SegmentMap::grid(2, 1, 1, 2)?).baseline(LikeIt).build()?;
/// assert_eq!(instance.without(&[0])?.as_rgb(), [255, 255, 255, 200, 200, 200]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BaselineContext<'a> {
    /// The picture to be explained.
    pub picture: &'a Picture,
    /// Its segments.
    pub segments: &'a SegmentMap,
    /// The model's probabilities for the picture, if they were given to the instance's builder.
    pub prediction: Option<&'a [f64]>,
    /// A class to explain against, if one was given.
    pub target: Option<usize>,
}

/// A baseline's answer.
///
/// ```
/// use lipex::{Picture, Replacement};
///
/// // `used` is what the report says.
/// let grey = Replacement { picture: Picture::filled(2, 2, [128; 3])?, used: "colour:#808080".into() };
/// assert_eq!(grey.picture.as_rgb().len(), 12);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// A picture of the same size: pixels of removed segments are taken from it.
    pub picture: Picture,
    /// What was used, for reports, spelled as on the command line where there is such a spelling.
    pub used: String,
}

/// What a removed segment becomes: a policy that sees the picture, what the model says of it, and a target class.
///
/// ```
/// use lipex::{Baseline, ImageInstance, BaselineContext, Picture, Replacement, Result, SegmentMap};
///
/// /// Mirrors the picture.
/// struct Mirrored;
///
/// impl Baseline for Mirrored {
///     fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
///         let mut picture = asked.picture.clone();
///         let width = picture.width();
///         let (pixels, _) = picture.as_rgb_mut().as_chunks_mut::<3>();
///         pixels.chunks_exact_mut(width).for_each(|row| row.reverse());
///         Ok(Replacement { picture, used: "mirrored".into() })
///     }
/// }
///
/// let picture = Picture::from_rgb(2, 1, vec![10, 20, 30, 40, 50, 60])?;
/// let instance = ImageInstance::builder(picture, SegmentMap::grid(2, 1, 1, 2)?).baseline(Mirrored).build()?;
/// assert_eq!(instance.without(&[0])?.as_rgb(), [40, 50, 60, 40, 50, 60]);
/// # Ok::<(), lipex::Error>(())
/// ```
pub trait Baseline: Send + Sync {
    /// The picture that pixels of removed segments are taken from.
    ///
    /// # Errors
    /// Whatever the policy needs and lacks, for instance a prediction.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement>;
}

impl<T: Baseline + ?Sized> Baseline for Arc<T> {
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        (**self).replace(asked)
    }
}

/// Each segment's own mean colour, truncated to whole numbers as LIME's is. The default.
///
/// # Source
/// LIME 0.2.0.1, `LimeImageExplainer.explain_instance` with `hide_color=None`; equal to it byte for byte.
///
/// ```
/// use lipex::{ImageInstance, Picture, SegmentMap, SegmentMean};
///
/// // Two rows of two pixels, a segment each.
/// let picture = Picture::from_rgb(2, 2, vec![10, 20, 30, 20, 30, 41, 0, 0, 0, 9, 9, 9])?;
/// let instance = ImageInstance::builder(picture, SegmentMap::grid(2, 2, 2, 1)?).baseline(SegmentMean).build()?;
/// assert_eq!(instance.without(&[0])?.as_rgb(), [15, 25, 35, 15, 25, 35, 0, 0, 0, 9, 9, 9]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentMean;

impl Baseline for SegmentMean {
    /// Each segment in its own mean colour.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let mut sums = vec![[0u64; 4]; asked.segments.len()];
        let of = asked.segments.of_pixels();
        for (pixel, &segment) in asked.picture.as_rgb().as_chunks::<3>().0.iter().zip(of) {
            let [r, g, b, count] = &mut sums[usize::from(segment)];
            *r += u64::from(pixel[0]);
            *g += u64::from(pixel[1]);
            *b += u64::from(pixel[2]);
            *count += 1;
        }
        // Every segment has a pixel; a mean of bytes is a byte.
        let means: Vec<[u8; 3]> = sums.iter().map(|&[r, g, b, n]| [r, g, b].map(|v| (v / n.max(1)) as u8)).collect();
        let mut picture = asked.picture.clone();
        for (pixel, &segment) in picture.as_rgb_mut().as_chunks_mut::<3>().0.iter_mut().zip(of) {
            *pixel = means[usize::from(segment)];
        }
        Ok(Replacement { picture, used: "mean".into() })
    }
}

/// One colour: red, green and blue from 0 to 255. LIME's `hide_color`.
///
/// ```
/// use lipex::PlainColour;
///
/// assert_eq!(PlainColour::by_name("#ff8000")?, PlainColour([255, 128, 0]));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlainColour(pub [u8; 3]);

impl PlainColour {
    /// Black.
    pub const BLACK: PlainColour = PlainColour([0; 3]);

    /// The colour `#rrggbb`, or white, black.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "white" => Ok(PlainColour([255; 3])),
            "black" => Ok(Self::BLACK),
            other => {
                let refuse = || Error::setting("background", other, "give white, black or a colour as #RRGGBB");
                Ok(PlainColour(hexadecimal(other).ok_or_else(refuse)?))
            }
        }
    }
}

impl Baseline for PlainColour {
    /// The whole picture in one colour.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let picture = Picture::filled(asked.picture.width(), asked.picture.height(), self.0)?;
        let [r, g, b] = self.0;
        let used = if *self == Self::BLACK { "black".into() } else { format!("colour:#{r:02x}{g:02x}{b:02x}") };
        Ok(Replacement { picture, used })
    }
}

/// The picture, blurred by a Gaussian.
///
/// The edge repeats outwards; the kernel is cut at 4 σ. Takes time in proportion to σ.
///
/// ```
/// use lipex::Blur;
///
/// assert!(Blur::new(2.5).is_ok() && Blur::new(0.0).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Blur(Option<f64>);

impl Blur {
    /// Largest σ.
    pub const LARGEST: f64 = 200.0;

    /// A Gaussian of standard deviation `sigma`, in pixels, above 0 and at most [`Blur::LARGEST`]. `Blur::default()`
    /// has a twentieth of the picture's shorter side, at least 1 and at most 30.
    ///
    /// # Errors
    /// [`Error::Setting`] outside that range.
    pub fn new(sigma: f64) -> Result<Self> {
        if sigma > 0.0 && sigma <= Self::LARGEST {
            Ok(Blur(Some(sigma)))
        } else {
            let reason = format!("a standard deviation in pixels, above 0 and at most {}", Self::LARGEST);
            Err(Error::setting("baseline", format!("blur:{sigma}"), reason))
        }
    }
}

impl Baseline for Blur {
    /// The picture through a Gaussian, in linear sums of its bytes.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let short = asked.picture.width().min(asked.picture.height());
        let sigma = self.0.unwrap_or((short as f64 / 20.0).clamp(1.0, 30.0));
        Ok(Replacement { picture: blur(asked.picture, sigma)?, used: format!("blur:{sigma}") })
    }
}

/// Noise: every byte uniform on 0…255, whatever the picture.
///
/// Philox draws of the purpose [`Purpose::Noise`], row 0; byte i of the picture is byte i mod 4 (lowest first) of draw i / 4.
///
/// ```
/// use lipex::{ImageInstance, Noise, Picture, SegmentMap};
///
/// let noisy = |seed| {
///     let builder = ImageInstance::builder(Picture::filled(4, 4, [0; 3])?, SegmentMap::grid(4, 4, 2, 2)?);
///     builder.baseline(Noise { seed }).build()?.without(&[0])
/// };
/// assert_eq!(noisy(1)?, noisy(1)?);
/// assert_ne!(noisy(1)?, noisy(2)?);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// The seed; default 0. It is not the masks' seed.
    pub seed: u64,
}

impl Baseline for Noise {
    /// Bytes that are a function of the seed and the place.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let mut picture = asked.picture.clone();
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        for (block, bytes) in picture.as_rgb_mut().chunks_mut(16).enumerate() {
            let words = philox4x32([block as u32, 0, 0, Purpose::Noise as u32], key);
            let drawn = words.map(u32::to_le_bytes);
            bytes.copy_from_slice(&drawn.as_flattened()[..bytes.len()]);
        }
        Ok(Replacement { picture, used: format!("noise:{}", self.seed) })
    }
}

/// Another picture of the same size.
///
/// ```
/// use lipex::{AnotherPicture, ImageInstance, Picture, SegmentMap};
///
/// let (cat, room) = (Picture::filled(2, 1, [200; 3])?, Picture::filled(2, 1, [7; 3])?);
/// let empty = AnotherPicture { picture: room, name: "room.png".into() };
/// let instance = ImageInstance::builder(cat, SegmentMap::grid(2, 1, 1, 2)?).baseline(empty).build()?;
/// assert_eq!(instance.without(&[1])?.as_rgb(), [200, 200, 200, 7, 7, 7]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnotherPicture {
    /// The picture.
    pub picture: Picture,
    /// Its name, for reports.
    pub name: String,
}

impl Baseline for AnotherPicture {
    /// The other picture, if it has the size.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let (own, other) = (asked.picture, &self.picture);
        if (own.width(), own.height()) != (other.width(), other.height()) {
            return Err(Error::setting(
                "baseline",
                format!("image:{}", self.name),
                format!("has {} pixels, the picture {}; they must be of one size", other.size(), own.size()),
            ));
        }
        Ok(Replacement { picture: other.clone(), used: format!("image:{}", self.name) })
    }
}

/// The baseline of that name: `mean`, `black`, `blur`, `blur:SIGMA`, `noise`, `noise:SEED` or `colour:#RRGGBB`.
///
/// # Errors
/// [`Error::Setting`] for any other name.
///
/// ```
/// assert!(lipex::baseline_by_name("blur:4").is_ok());
/// assert!(lipex::baseline_by_name("blurr").is_err());
/// ```
pub fn baseline_by_name(name: &str) -> Result<Arc<dyn Baseline>> {
    let refuse = || {
        let reason =
            "choose mean, black, blur, blur:SIGMA, noise, noise:SEED, colour:#RRGGBB, image:FILE or nearest:FOLDER";
        Error::setting("baseline", name, reason)
    };
    let (kind, value) = name.split_once(':').map_or((name, None), |(kind, value)| (kind, Some(value)));
    Ok(match (kind, value) {
        ("mean", None) => Arc::new(SegmentMean),
        ("black", None) => Arc::new(PlainColour::BLACK),
        ("blur", None) => Arc::new(Blur::default()),
        ("blur", Some(sigma)) => Arc::new(Blur::new(sigma.parse().map_err(|_| refuse())?)?),
        ("noise", None) => Arc::new(Noise::default()),
        ("noise", Some(seed)) => Arc::new(Noise { seed: seed.parse().map_err(|_| refuse())? }),
        ("colour" | "color", Some(colour)) => Arc::new(PlainColour(hexadecimal(colour).ok_or_else(refuse)?)),
        _ => return Err(refuse()),
    })
}

/// `#rrggbb` as a colour.
fn hexadecimal(colour: &str) -> Option<[u8; 3]> {
    let digits = colour.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, r, g, b] = value.to_be_bytes();
    Some([r, g, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(name: &str) -> Replacement {
        let picture = Picture::from_rgb(2, 2, vec![0, 10, 20, 1, 11, 21, 2, 12, 22, 250, 12, 22]).unwrap();
        let segments = SegmentMap::from_ids(2, 2, &[1, 1, 0, 1]).unwrap();
        let asked = BaselineContext { picture: &picture, segments: &segments, prediction: None, target: None };
        baseline_by_name(name).unwrap().replace(asked).unwrap()
    }

    #[test]
    fn names_are_what_reports_say() {
        for (name, report) in [
            ("mean", "mean"),
            ("black", "black"),
            ("blur", "blur:1"),
            ("blur:2.5", "blur:2.5"),
            ("noise", "noise:0"),
            ("noise:7", "noise:7"),
            ("colour:#C0ffee", "colour:#c0ffee"),
            ("color:#000000", "black"),
        ] {
            assert_eq!(used(name).used, report);
        }
        for name in [
            "means",
            "blur:",
            "blur:0",
            "blur:nan",
            "blur:1e9",
            "noise:-1",
            "colour:red",
            "colour:#ééé",
            "colour:#+12345",
        ] {
            assert!(baseline_by_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn means_are_truncated() {
        // (0 + 1 + 250) / 3 = 83.67, (10 + 11 + 12) / 3 = 11, (20 + 21 + 22) / 3 = 21.
        assert_eq!(used("mean").picture.as_rgb(), [83, 11, 21, 83, 11, 21, 2, 12, 22, 83, 11, 21]);
    }

    #[test]
    fn noise_is_a_function_of_its_seed() {
        assert_eq!(used("noise:1"), used("noise:1"));
        assert_ne!(used("noise:1").picture, used("noise:2").picture);
        // The first draws of Philox for this purpose and key.
        let first = philox4x32([0, 0, 0, Purpose::Noise as u32], [1, 0])[0].to_le_bytes();
        assert_eq!(used("noise:1").picture.as_rgb()[..4], first);
    }
}
