//! An image to be explained: its segments, and the images that masks make of it.
//!
//! # Cost
//! A mask is rendered by choosing each pixel from the picture or from the baseline: one pass over the pixels. Batches of large
//! pictures are kept to some 64 MiB.

use super::baseline::{Baseline, BaselineContext, SegmentMean};
use super::picture::Picture;
use super::segments::SegmentMap;
use lipex_core::{
    Backend, Describe, Distinct, Domain, Error, Feature, Images, Instance, Masks, Render, Result, Setting, expect_len,
};
use std::ops::Range;
use std::sync::Arc;

/// Most bytes of a batch's pixels: larger pictures come in smaller batches.
const BATCH_BYTES: usize = 32 << 20;

/// An image as an instance: features are the segments of a given map, in the map's order.
///
/// A removed segment's pixels are replaced by those of a [`Baseline`]. Masks are rendered batch by batch, so that memory
/// does not grow with their number.
///
/// ```
/// use lipex::{ImageInstance, Instance, Picture, PlainColour, SegmentMap};
///
/// let picture = Picture::from_rgb(2, 1, vec![10, 20, 30, 40, 50, 60])?;
/// let left_and_right = SegmentMap::from_ids(2, 1, &[3, 8])?;
/// let image = ImageInstance::builder(picture, left_and_right).baseline(PlainColour::BLACK).build()?;
/// assert_eq!(image.features()[1].name, "8");
/// assert_eq!(image.features()[1].region.unwrap().bounds, [1, 0, 2, 1]);
/// assert_eq!(image.without(&[1])?.as_rgb(), [10, 20, 30, 0, 0, 0]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageInstance {
    /// What is explained.
    picture: Picture,
    /// Which segment each pixel belongs to.
    segments: SegmentMap,
    /// Where pixels of removed segments are taken from.
    replacement: Picture,
    /// The baseline, for reports.
    used: String,
    /// A feature a segment, with its box and size.
    features: Vec<Feature>,
    /// Bits that are set for segments whose removal changes no pixel.
    inert: Vec<u32>,
}

/// Settings of an [`ImageInstance`].
///
/// ```
/// use lipex::{ImageInstance, Picture, PlainColour, SegmentMap};
///
/// let picture = Picture::filled(20, 10, [200, 10, 10])?;
/// let instance = ImageInstance::builder(picture, SegmentMap::grid(20, 10, 2, 2)?).baseline(PlainColour::BLACK).build()?;
/// assert_eq!(instance.segments().len(), 4);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct ImageBuilder {
    /// What is explained.
    picture: Picture,
    /// Its segments.
    segments: SegmentMap,
    /// What a removed segment becomes.
    baseline: Arc<dyn Baseline>,
    /// The model's probabilities, for baselines that want them.
    prediction: Option<Vec<f64>>,
    /// A class to explain against, for baselines that want one.
    target: Option<usize>,
}

impl std::fmt::Debug for ImageBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageBuilder")
            .field("picture", &self.picture)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl ImageBuilder {
    /// What a removed segment becomes; default [`SegmentMean`], as LIME's.
    pub fn baseline(self, baseline: impl Baseline + 'static) -> Self {
        ImageBuilder { baseline: Arc::new(baseline), ..self }
    }

    /// The model's probabilities for the picture, for baselines that want to know them; default none.
    pub fn prediction(self, probabilities: impl Into<Vec<f64>>) -> Self {
        ImageBuilder { prediction: Some(probabilities.into()), ..self }
    }

    /// A class to explain against, for baselines that want to know it; default none.
    pub fn target(self, class: usize) -> Self {
        ImageBuilder { target: Some(class), ..self }
    }

    /// The instance.
    ///
    /// # Errors
    /// [`Error::Setting`] for a segment map of another size; [`Error::Instance`] when the baseline equals the picture, so
    /// that nothing can be removed; those of the baseline.
    pub fn build(self) -> Result<ImageInstance> {
        let ImageBuilder { picture, segments, baseline, prediction, target } = self;
        if (picture.width(), picture.height()) != (segments.width(), segments.height()) {
            let size = format!("{}×{}", segments.width(), segments.height());
            let reason =
                format!("the map's size in pixels; the picture has {}, and they must be the same", picture.size());
            return Err(Error::setting("segments", size, reason));
        }
        let asked =
            BaselineContext { picture: &picture, segments: &segments, prediction: prediction.as_deref(), target };
        let answer = baseline.replace(asked)?;
        expect_len("bytes of the baseline's picture", picture.as_rgb().len(), answer.picture.as_rgb().len())?;
        let inert = inert(&picture, &answer.picture, &segments);
        let alive = (0..segments.len()).any(|j| inert[j / 32] >> (j % 32) & 1 == 0);
        if !alive {
            let reason = format!("the baseline {} equals the picture: removing a segment changes nothing", answer.used);
            return Err(Error::Instance(reason));
        }
        let features = segments.features();
        Ok(ImageInstance { picture, segments, replacement: answer.picture, used: answer.used, features, inert })
    }
}

/// A bit for each segment that looks the same when it is removed.
fn inert(picture: &Picture, replacement: &Picture, segments: &SegmentMap) -> Vec<u32> {
    let mut inert = vec![u32::MAX; segments.len().div_ceil(32)];
    let pairs = picture.as_rgb().as_chunks::<3>().0.iter().zip(replacement.as_rgb().as_chunks::<3>().0);
    for ((own, other), &segment) in pairs.zip(segments.of_pixels()) {
        if own != other {
            inert[usize::from(segment) / 32] &= !(1 << (segment % 32));
        }
    }
    inert
}

impl ImageInstance {
    /// An image with the default baseline, the segments' mean colours.
    ///
    /// # Errors
    /// Those of [`ImageBuilder::build`].
    pub fn new(picture: Picture, segments: SegmentMap) -> Result<Self> {
        Self::builder(picture, segments).build()
    }

    /// Settings to choose before the image is taken.
    pub fn builder(picture: Picture, segments: SegmentMap) -> ImageBuilder {
        ImageBuilder { picture, segments, baseline: Arc::new(SegmentMean), prediction: None, target: None }
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The segments.
    pub fn segments(&self) -> &SegmentMap {
        &self.segments
    }

    /// The picture that pixels of removed segments are taken from.
    pub fn replacement(&self) -> &Picture {
        &self.replacement
    }

    /// The picture without some features (indices), as the model would be sent it.
    ///
    /// # Errors
    /// [`Error::Setting`] when a feature does not exist.
    pub fn without(&self, removed: &[usize]) -> Result<Picture> {
        let mut bits = vec![u32::MAX; self.features.len().div_ceil(32)];
        for &j in removed {
            if j >= self.features.len() {
                let reason = format!("features are numbered 0 to {}", self.features.len() - 1);
                return Err(Error::setting("feature", j, reason));
            }
            bits[j / 32] &= !(1 << (j % 32));
        }
        let mut picture = self.picture.clone();
        self.render_row(&bits, picture.as_rgb_mut());
        Ok(picture)
    }

    /// The image of one mask.
    fn render_row(&self, bits: &[u32], out: &mut [u8]) {
        let (own, other) = (self.picture.as_rgb(), self.replacement.as_rgb());
        let mut at = 0;
        for run in self.segments.of_pixels().chunk_by(|a, b| a == b) {
            let segment = usize::from(run[0]);
            let place = at..at + 3 * run.len();
            let keeps = bits[segment / 32] >> (segment % 32) & 1 == 1;
            let from = if keeps { own } else { other };
            out[place.clone()].copy_from_slice(&from[place.clone()]);
            at = place.end;
        }
    }

    /// The masks of some rows in the host's memory.
    fn bits<B: Backend>(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Vec<u32>> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let index: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
        on.download(&on.gather(masks.bits(), masks.words(), &index)?)
    }
}

impl Describe for ImageInstance {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("picture", self.picture.size()),
            Setting::new("segments", self.segments.kind()),
            Setting::new("baseline", &self.used),
        ]
    }
}

impl Instance for ImageInstance {
    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn domain(&self) -> Domain {
        Domain::Image
    }

    /// The baseline is usually `mean`; a picture and its segments are as they are given.
    fn settings(&self) -> Vec<(Setting, String)> {
        let usual = |s: &Setting| if s.name == "baseline" { "mean".into() } else { s.value.clone() };
        self.describe().into_iter().map(|s| (s.clone(), usual(&s))).collect()
    }
}

impl<B: Backend> Render<B, Images> for ImageInstance {
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Images> {
        let bits = self.bits(on, masks, rows.clone())?;
        let size = self.picture.as_rgb().len();
        let mut out = vec![0; rows.len() * size];
        let share = rows.len().div_ceil(on.host_threads().max(1)).max(1);
        let render = &|bits: &[u32], out: &mut [u8]| {
            let each = out.chunks_exact_mut(size).zip(bits.chunks_exact(masks.words()));
            each.for_each(|(out, bits)| self.render_row(bits, out));
        };
        if share >= rows.len() {
            render(&bits, &mut out);
        } else {
            std::thread::scope(|threads| {
                for (out, bits) in out.chunks_mut(share * size).zip(bits.chunks(share * masks.words())) {
                    threads.spawn(move || render(bits, out));
                }
            });
        }
        Images::new(self.picture.width(), self.picture.height(), out)
    }

    fn join(&self, parts: Vec<Images>) -> Option<Images> {
        Images::join(parts)
    }

    fn largest_batch(&self) -> usize {
        (BATCH_BYTES / self.picture.as_rgb().len()).max(1)
    }

    /// Masks that differ in more than segments whose removal changes no pixel render to different images.
    fn distinct(&self, on: &B, masks: &Masks<B>) -> Result<Option<Distinct>> {
        let mut bits = self.bits(on, masks, 0..masks.rows())?;
        for row in bits.chunks_exact_mut(masks.words()) {
            // Bits beyond the last feature are set alike in every row.
            row.iter_mut().zip(&self.inert).for_each(|(word, inert)| *word |= inert);
        }
        Ok(Some(Distinct::by_key(bits.chunks_exact(masks.words()))))
    }
}
