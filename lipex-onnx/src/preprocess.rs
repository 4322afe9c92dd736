//! From pictures to the numbers that a graph takes, as `preprocessor_config.json` says.
//!
//! # Order
//! As the processors of the ecosystem have it: resize (the shorter side, or both), crop the centre, rescale, take the mean off
//! and divide by the deviation, channels as the graph wants. A processor that is named and leaves keys out has its own
//! defaults here; an unknown one must say everything.

use crate::files::{Files, Json, wrong};
use crate::resize::{Area, Filter, Pixels, resize};
use lipex_core::Result;

/// How the picture is brought to the graph's size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fit {
    /// Stretched to the size, whatever its shape.
    Stretch { width: usize, height: usize },
    /// The shorter side gets this length, the other keeps the shape.
    Shortest(usize),
    /// The largest box in the middle that has the size's shape, times this share, becomes the size.
    Middle { width: usize, height: usize, share: f64 },
    /// Left as it is.
    Not,
}

/// Which channels the graph takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channels {
    Rgb,
    Bgr,
    Grey,
}

/// What is done to a picture.
#[derive(Clone, Debug)]
pub(crate) struct Preprocess {
    /// Which size the picture is brought to.
    fit: Fit,
    /// By which filter.
    filter: Filter,
    /// Cut out of the middle, or filled up with black.
    crop: Option<(usize, usize)>,
    /// What each value is multiplied by.
    factor: f64,
    /// Taken off, a number a channel.
    mean: Vec<f32>,
    /// Divided by, a number a channel.
    std: Vec<f32>,
    /// RGB, BGR or grey.
    channels: Channels,
}

/// Defaults of the ecosystem's processors: size, whether that is the shorter side, crop, filter, mean and std.
struct Usual {
    /// The size it brings pictures to.
    fit: Fit,
    crop: Option<(usize, usize)>,
    /// Its filter.
    filter: Filter,
    /// Its means.
    mean: [f32; 3],
    /// Its deviations.
    std: [f32; 3],
}

/// Means and deviations of ½.
const HALF: [f32; 3] = [0.5; 3];
/// ImageNet's means and deviations.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// CLIP's means and deviations.
const CLIP: ([f32; 3], [f32; 3]) = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.261_302_6, 0.275_777_1]);

/// The defaults of a processor by its name, without `ImageProcessor`, `ImageProcessorFast` or `FeatureExtractor`.
fn usual(name: &str) -> Option<Usual> {
    let square = |n| Fit::Stretch { width: n, height: n };
    let all = |fit, crop: usize, filter, (mean, std)| Usual {
        fit,
        crop: (crop > 0).then_some((crop, crop)),
        filter,
        mean,
        std,
    };
    let half = (HALF, HALF);
    Some(match name {
        "ViT" => all(square(224), 0, Filter::Bilinear, half),
        "DeiT" => all(square(256), 224, Filter::Bicubic, IMAGENET),
        "Beit" => all(square(256), 224, Filter::Bicubic, half),
        "CLIP" => all(Fit::Shortest(224), 224, Filter::Bicubic, CLIP),
        "Bit" => all(Fit::Shortest(224), 224, Filter::Bicubic, CLIP),
        "ConvNext" => all(Fit::Shortest(384), 0, Filter::Bilinear, IMAGENET),
        "Levit" => all(Fit::Shortest(224), 224, Filter::Bicubic, IMAGENET),
        "EfficientNet" => all(square(346), 0, Filter::Nearest, IMAGENET),
        "MobileNetV1" | "MobileNetV2" => all(Fit::Shortest(256), 224, Filter::Bilinear, half),
        "Poolformer" => all(Fit::Shortest(224), 224, Filter::Bicubic, IMAGENET),
        _ => return None,
    })
}

impl Preprocess {
    /// What a folder says, for a graph that takes pictures of a size (where it is fixed) and so many channels.
    ///
    /// # Errors
    /// [`Error::Setting`](lipex_core::Error::Setting) that names the key for what is absent without a default, or contradicts the graph.
    pub fn open(files: &Files, fixed: [Option<usize>; 2], channels: usize) -> Result<Self> {
        let name = "preprocessor_config.json";
        let Some(json) = files.json(name)? else {
            return Err(wrong(&files.at(name), "there is no such file, which says how pictures become numbers"));
        };
        let kind = json.text("image_processor_type")?.or(json.text("feature_extractor_type")?).unwrap_or("");
        let short = ["ImageProcessorFast", "ImageProcessor", "FeatureExtractor"];
        let known = usual(short.iter().find_map(|end| kind.strip_suffix(end)).unwrap_or(kind));
        let (fit, crop) = size(&json, known.as_ref(), fixed)?;
        let on = |key: &str| json.truth(key).map(|v| v.unwrap_or(true));
        let filter = match json.count("resample")? {
            Some(n) => Filter::by_number(n).ok_or_else(|| json.wrong("resample", "must be from 0 to 5"))?,
            None => known.as_ref().map_or(Filter::Bilinear, |k| k.filter),
        };
        let factor = json.number("rescale_factor")?.unwrap_or(1.0 / 255.0);
        let factor = if on("do_rescale")? { factor } else { 1.0 };
        let (mean, std) = match on("do_normalize")? {
            true => (
                numbers(&json, "image_mean", known.as_ref().map(|k| k.mean), channels)?,
                numbers(&json, "image_std", known.as_ref().map(|k| k.std), channels)?,
            ),
            false => (vec![0.0; channels], vec![1.0; channels]),
        };
        if std.contains(&0.0) {
            return Err(json.wrong("image_std", "has a 0"));
        }
        let channels = order(&json, channels)?;
        let whole = Preprocess { fit, filter, crop, factor, mean, std, channels };
        whole.fits(&json, fixed)?;
        Ok(whole)
    }

    /// Passes if the pictures have the size that the graph takes.
    fn fits(&self, json: &Json, fixed: [Option<usize>; 2]) -> Result<()> {
        let [Some(height), Some(width)] = fixed else { return Ok(()) };
        let made = match (self.crop, self.fit) {
            (Some((width, height)), _) => Some((width, height)),
            (None, Fit::Stretch { width, height } | Fit::Middle { width, height, .. }) => Some((width, height)),
            (None, _) => None,
        };
        if let Some((w, h)) = made
            && (w, h) != (width, height)
        {
            let key = if self.crop.is_some() { "crop_size" } else { "size" };
            return Err(json.wrong(key, format!("makes pictures of {w}×{h}, and the graph takes {width}×{height}")));
        }
        Ok(())
    }

    /// A picture at the size of the graph.
    ///
    /// # Errors
    /// [`Error::Model`](lipex_core::Error::Model) for a picture that cannot be brought there.
    pub fn sized(&self, picture: Pixels) -> Result<Pixels> {
        let (w, h) = (picture.width as f64, picture.height as f64);
        let all: Area = [0.0, 0.0, w, h];
        let sized = match self.fit {
            Fit::Not => picture,
            Fit::Stretch { width, height } => resize(&picture, all, width, height, self.filter)?,
            Fit::Shortest(side) => {
                let long = |l: usize, s: usize| (side * l) / s;
                let (pw, ph) = (picture.width, picture.height);
                let (width, height) = if pw <= ph { (side, long(ph, pw)) } else { (long(pw, ph), side) };
                resize(&picture, all, width, height, self.filter)?
            }
            Fit::Middle { width, height, share } => {
                let scale = share * (w / width as f64).min(h / height as f64);
                let (bw, bh) = (scale * width as f64, scale * height as f64);
                let area = [(w - bw) / 2.0, (h - bh) / 2.0, (w + bw) / 2.0, (h + bh) / 2.0];
                resize(&picture, area, width, height, self.filter)?
            }
        };
        Ok(match self.crop {
            Some((width, height)) => middle(&sized, width, height),
            None => sized,
        })
    }

    /// The same with pixels taken as they are, none mixed with its neighbours: for maps.
    #[cfg(feature = "gradients")]
    pub fn by_nearest(&self) -> Self {
        Preprocess { filter: Filter::Nearest, ..self.clone() }
    }

    /// The bytes of a picture, channel by channel or pixel by pixel, for graphs that do the rest themselves.
    pub fn bytes(&self, picture: &Pixels, channels_first: bool) -> Vec<u8> {
        self.ordered(picture, channels_first, |byte, _| byte)
    }

    /// The numbers of a picture, channel by channel or pixel by pixel.
    pub fn numbers(&self, picture: &Pixels, channels_first: bool) -> Vec<f32> {
        let number = |byte: u8, c: usize| ((f64::from(byte) * self.factor) as f32 - self.mean[c]) / self.std[c];
        self.ordered(picture, channels_first, number)
    }

    /// The numbers of a picture in the graph's order.
    fn ordered<T>(&self, picture: &Pixels, channels_first: bool, value: impl Fn(u8, usize) -> T) -> Vec<T> {
        let (pixels, channels) = (picture.rgb.as_chunks::<3>().0, self.mean.len());
        let of = |pixel: &[u8; 3], c: usize| match self.channels {
            Channels::Rgb => value(pixel[c], c),
            Channels::Bgr => value(pixel[2 - c], c),
            Channels::Grey => value(grey(pixel), c),
        };
        let mut all = Vec::with_capacity(pixels.len() * channels);
        if channels_first {
            (0..channels).for_each(|c| all.extend(pixels.iter().map(|p| of(p, c))));
        } else {
            pixels.iter().for_each(|p| all.extend((0..channels).map(|c| of(p, c))));
        }
        all
    }
}

/// Pillow's grey of a colour.
fn grey(&[r, g, b]: &[u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

/// The middle of a picture; black where it is too small.
fn middle(picture: &Pixels, width: usize, height: usize) -> Pixels {
    // Where the crop begins in the picture, which may be before it; rounded as the ecosystem does.
    let (left, top) =
        ((picture.width as i64 - width as i64).div_euclid(2), (picture.height as i64 - height as i64).div_euclid(2));
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height as i64 {
        for x in 0..width as i64 {
            let (px, py) = (left + x, top + y);
            let inside = (0..picture.width as i64).contains(&px) && (0..picture.height as i64).contains(&py);
            let at = 3 * (py * picture.width as i64 + px).max(0) as usize;
            rgb.extend_from_slice(if inside { &picture.rgb[at..at + 3] } else { &[0; 3] });
        }
    }
    Pixels { width, height, rgb }
}

/// A number a channel: the file's own, or those of the processor that it names, which are for three channels.
fn numbers(json: &Json, key: &str, usual: Option<[f32; 3]>, channels: usize) -> Result<Vec<f32>> {
    match (json.channels(key)?, usual) {
        (Some(own), _) => per_channel(json, key, own, channels),
        (None, Some(usual)) if channels == 3 => Ok(usual.to_vec()),
        _ => Err(json.wrong(key, "is absent, and image_processor_type names no processor with a default")),
    }
}

/// One number for all channels, or one each; grey takes the mean of three.
fn per_channel(json: &Json, key: &str, mut own: Vec<f32>, channels: usize) -> Result<Vec<f32>> {
    if own.windows(2).all(|pair| pair[0] == pair[1]) && !own.is_empty() {
        own.resize(channels, own[0]);
    }
    match own.len() == channels {
        true => Ok(own),
        false => Err(json.wrong(key, format!("has {} numbers, and the graph takes {channels} channels", own.len()))),
    }
}

/// Red first, unless the file says otherwise.
fn order(json: &Json, channels: usize) -> Result<Channels> {
    let flip = json.truth("do_flip_channel_order")?.unwrap_or(false);
    match (channels, json.text("channel_order")?) {
        (1, _) => Ok(Channels::Grey),
        (_, None) if flip => Ok(Channels::Bgr),
        (_, None | Some("RGB" | "rgb")) => Ok(Channels::Rgb),
        (_, Some("BGR" | "bgr")) => Ok(Channels::Bgr),
        (_, Some(other)) => Err(json.wrong("channel_order", format!("must be RGB or BGR, not {other}"))),
    }
}

/// How the picture is sized and cut.
fn size(json: &Json, known: Option<&Usual>, fixed: [Option<usize>; 2]) -> Result<(Fit, Option<(usize, usize)>)> {
    let wanted = match (sides(json, "size")?, known, fixed) {
        (Some(own), ..) => own,
        (None, Some(known), _) => known.fit,
        (None, None, [Some(height), Some(width)]) => Fit::Stretch { width, height },
        _ => return Err(json.wrong("size", "is absent, and the graph takes pictures of any size")),
    };
    let cropped = json.truth("do_center_crop")?;
    let crop = match (cropped, sides(json, "crop_size")?) {
        (Some(false), _) => None,
        (_, Some(Fit::Stretch { width, height })) => Some((width, height)),
        (_, Some(Fit::Shortest(side))) => Some((side, side)),
        (Some(true) | None, _) => known.and_then(|k| k.crop),
    };
    if !json.truth("do_resize")?.unwrap_or(true) {
        return Ok((Fit::Not, crop));
    }
    let Some(share) = json.number("crop_pct")? else { return Ok((wanted, crop)) };
    if !(share > 0.0 && share <= 1.0) {
        return Err(json.wrong("crop_pct", format!("must be above 0 and at most 1, not {share}")));
    }
    Ok(match wanted {
        Fit::Stretch { width, height } => (Fit::Middle { width, height, share }, None),
        // ConvNeXT's: large pictures are stretched, smaller ones keep their shape and lose their edges.
        Fit::Shortest(side) if side >= 384 => (Fit::Stretch { width: side, height: side }, None),
        Fit::Shortest(side) => (Fit::Shortest((side as f64 / share) as usize), Some((side, side))),
        other => (other, crop),
    })
}

/// A size: a number, `{"height", "width"}` or `{"shortest_edge"}`.
fn sides(json: &Json, key: &str) -> Result<Option<Fit>> {
    const MOST: usize = 1 << 14;
    let Some(value) = json.get(key) else { return Ok(None) };
    let side = |value: Option<&serde_json::Value>| {
        value.and_then(|v| v.as_u64()).map(|n| n as usize).filter(|n| (1..=MOST).contains(n))
    };
    let both = (side(value.get("width")), side(value.get("height")));
    let found = match (both, side(value.get("shortest_edge")), side(Some(value))) {
        ((Some(width), Some(height)), ..) => Some(Fit::Stretch { width, height }),
        (_, Some(short), _) => Some(Fit::Shortest(short)),
        (.., Some(one)) => Some(Fit::Stretch { width: one, height: one }),
        _ => None,
    };
    let what = "must be a whole number, {\"height\", \"width\"} or {\"shortest_edge\"}, from 1 to 16384";
    found.map(Some).ok_or_else(|| json.wrong(key, format!("{what}, not {value}")))
}
