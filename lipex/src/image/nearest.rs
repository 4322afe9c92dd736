//! The nearest sample of a target class as a baseline: "as against what the photo would have to be".

use super::baseline::{AnotherPicture, Baseline, BaselineContext, Replacement};
use super::picture::Picture;
use lipex_core::{Error, Result, expect_len};

/// How far two pictures are apart, over all their bytes.
///
/// ```
/// use lipex::Norm;
///
/// assert_eq!((Norm::L1.apart(&[0, 10], &[3, 6]), Norm::L2.apart(&[0, 10], &[3, 6])), (7.0, 5.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// The sum of differences.
    #[default]
    L1,
    /// The root of the sum of squares.
    L2,
}

impl Norm {
    /// The distance of two pictures of as many bytes.
    pub fn apart(self, a: &[u8], b: &[u8]) -> f64 {
        let each = a.iter().zip(b).map(|(&a, &b)| u64::from(a.abs_diff(b)));
        match self {
            Norm::L1 => each.sum::<u64>() as f64,
            Norm::L2 => (each.map(|d| d * d).sum::<u64>() as f64).sqrt(),
        }
    }
}

/// Of samples with labels the one of the target class that is nearest to the picture (MDTS, the minimum-distance training
/// sample): a baseline to explain one class over another.
///
/// Samples of another size are passed over. Of samples at equal distance the first is taken.
///
/// # Cost
/// A pass over the samples of the class.
///
/// # Source
/// Shih, Tien and Karnin 2021 (GANMEX), where it is what generated baselines are compared with.
///
/// ```
/// use lipex::{AnotherPicture, ImageInstance, Nearest, Norm, Picture, SegmentMap};
///
/// let grey = |level: u8| Picture::filled(2, 1, [level; 3]);
/// let sample = |level: u8| Ok::<_, lipex::Error>(AnotherPicture { picture: grey(level)?, name: level.to_string() });
/// let samples = vec![sample(90)?, sample(200)?, sample(20)?];
/// let nearest = Nearest { samples, labels: vec![0, 1, 1], norm: Norm::L1, predicted: false };
/// let builder = ImageInstance::builder(grey(100)?, SegmentMap::grid(2, 1, 1, 2)?);
/// let against_one = builder.baseline(nearest).target(1).build()?;
/// assert_eq!(against_one.replacement().as_rgb(), [20; 6]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearest {
    /// The samples, with their names for reports.
    pub samples: Vec<AnotherPicture>,
    /// The class of each.
    pub labels: Vec<usize>,
    /// What near means; default L1.
    pub norm: Norm,
    /// Whether the labels are what the model says, not what somebody knows; reports tell.
    pub predicted: bool,
}

impl Nearest {
    /// The nearest sample of a class to a picture, of those that have its size.
    pub fn of(&self, picture: &Picture, class: usize) -> Option<&AnotherPicture> {
        let size = |p: &Picture| (p.width(), p.height());
        let of_class = self.samples.iter().zip(&self.labels).filter(|(_, label)| **label == class);
        let alike = of_class.map(|(sample, _)| sample).filter(|s| size(&s.picture) == size(picture));
        let apart = |s: &AnotherPicture| self.norm.apart(s.picture.as_rgb(), picture.as_rgb());
        alike.map(|s| (apart(s), s)).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, s)| s)
    }
}

impl Baseline for Nearest {
    /// # Errors
    /// [`Error::Setting`] without a target class, or where no sample of it has the picture's size; [`Error::Shape`] for another
    /// number of labels than samples.
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        expect_len("labels of the samples", self.samples.len(), self.labels.len())?;
        let refuse = |reason: String| Error::setting("baseline", "nearest", reason);
        let target = asked.target.ok_or_else(|| refuse("wants a class to explain against (--against CLASS)".into()))?;
        let found = self.of(asked.picture, target).ok_or_else(|| {
            let size = asked.picture.size();
            refuse(format!("no sample of the class to explain against has the picture's size, {size}"))
        })?;
        let by_model = if self.predicted { " (classes by the model)" } else { "" };
        Ok(Replacement { picture: found.picture.clone(), used: format!("nearest:{}{by_model}", found.name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageInstance, SegmentMap};

    fn sample(name: &str, bytes: [u8; 6]) -> AnotherPicture {
        AnotherPicture { picture: Picture::from_rgb(2, 1, bytes.to_vec()).unwrap(), name: name.into() }
    }

    fn build(nearest: Nearest, target: Option<usize>) -> Result<ImageInstance> {
        let picture = Picture::from_rgb(2, 1, vec![100; 6])?;
        let builder = ImageInstance::builder(picture, SegmentMap::grid(2, 1, 1, 2)?).baseline(nearest);
        match target {
            Some(target) => builder.target(target).build(),
            None => builder.build(),
        }
    }

    #[test]
    fn the_norm_decides_and_only_the_class_counts() {
        // From 100: one far byte (L1 60, L2 60), or six nearer ones (L1 72, L2 29).
        let samples =
            vec![sample("one", [160, 100, 100, 100, 100, 100]), sample("all", [112; 6]), sample("other", [101; 6])];
        let nearest = |norm| Nearest { samples: samples.clone(), labels: vec![3, 3, 0], norm, predicted: true };
        let picture = Picture::from_rgb(2, 1, vec![100; 6]).unwrap();
        assert_eq!(nearest(Norm::L1).of(&picture, 3).unwrap().name, "one");
        assert_eq!(nearest(Norm::L2).of(&picture, 3).unwrap().name, "all");
        assert_eq!(nearest(Norm::L2).of(&picture, 0).unwrap().name, "other");
        let segments = SegmentMap::grid(2, 1, 1, 2).unwrap();
        let asked = BaselineContext { picture: &picture, segments: &segments, prediction: None, target: Some(3) };
        assert_eq!(nearest(Norm::L1).replace(asked).unwrap().used, "nearest:one (classes by the model)");
        // Another size is passed over.
        assert!(nearest(Norm::L1).of(&Picture::filled(1, 1, [0; 3]).unwrap(), 3).is_none());
    }

    #[test]
    fn what_is_missing_is_told() {
        let one = || Nearest { samples: vec![sample("one", [7; 6])], labels: vec![2], ..Nearest::default() };
        let message = build(one(), None).unwrap_err().to_string();
        assert!(message.contains("--against CLASS"), "{message}");
        let message = build(one(), Some(1)).unwrap_err().to_string();
        assert!(message.contains("2×1"), "{message}");
        let mut short = one();
        short.labels.clear();
        assert!(build(short, None).is_err());
    }
}
