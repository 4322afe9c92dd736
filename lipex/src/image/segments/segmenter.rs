//! Segments from the picture itself.
//!
//! # Which one
//! Felzenszwalb's follows edges and gives pieces of any size; quickshift gives many small ones, LIME's default; SLIC gives
//! pieces of about equal size, which are easiest to compare. A grid knows nothing of the picture and biases nothing.

use super::{SegmentMap, felzenszwalb::felzenszwalb, quickshift::quickshift, slic::slic};
use crate::image::Picture;
use lipex_core::{Error, Result};
use std::fmt;

/// Most pixels of a picture that is cut by its colours; the map of a larger one can be given.
const MOST_PIXELS: usize = 16_000_000;

/// How a picture is cut into segments.
///
/// ```
/// use lipex::{Picture, Segmenter};
///
/// let picture = Picture::from_rgb(4, 2, [[0u8, 0, 0], [0, 0, 0], [250, 200, 0], [250, 200, 0]].concat().repeat(2))?;
/// let map = Segmenter::by_name("felzenszwalb:1,0,1")?.cut(&picture)?;
/// assert_eq!(map.of_pixels(), [0, 0, 1, 1, 0, 0, 1, 1]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Segmenter {
    /// Regions whose colours change little, by Felzenszwalb and Huttenlocher. As scikit-image's `felzenszwalb`.
    Felzenszwalb {
        /// Larger makes larger segments; default 100.
        scale: f64,
        /// Pixels that the picture is smoothed by before; default 0.5.
        sigma: f64,
        /// Fewest pixels of a segment; default 50.
        min: usize,
    },
    /// Trees of pixels towards denser ones, as scikit-image's `quickshift`; the defaults are LIME's.
    Quickshift {
        /// The density's width in pixels, from 1; larger makes larger segments; default 4.
        kernel: f64,
        /// How far off a parent may be; default 200.
        distance: f64,
        /// How much colour counts against place; default 0.2.
        ratio: f64,
    },
    /// About so many connected segments of about equal size; default 60.
    Slic {
        /// The number of segments.
        count: usize,
    },
    /// Cells of equal size.
    Grid {
        /// Rows of cells.
        rows: usize,
        /// Columns of cells.
        columns: usize,
    },
}

const CHOICES: &str = "choose felzenszwalb, felzenszwalb:SCALE,SIGMA,MIN, quickshift, quickshift:KERNEL,DISTANCE,RATIO, slic, \
                       slic:N, grid:RxC or map:FILE (PNG or .npy)";

impl Segmenter {
    /// The segmenter of that name, as the command spells it.
    ///
    /// # Errors
    /// [`Error::Setting`] for another name, or numbers that are none or make no sense.
    pub fn by_name(name: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::setting("segments", name, reason);
        let (kind, numbers) = name.split_once(':').map_or((name, None), |(kind, rest)| (kind, Some(rest)));
        let three = |usual: [f64; 3]| {
            numbers
                .map_or(Some(usual), three)
                .ok_or_else(|| wrong("after the colon stand three numbers from 0, with commas between them"))
        };
        match kind {
            "felzenszwalb" => {
                let [scale, sigma, min] = three([100.0, 0.5, 50.0])?;
                Ok(Segmenter::Felzenszwalb { scale, sigma, min: min as usize })
            }
            "quickshift" => {
                let [kernel, distance, ratio] = three([4.0, 200.0, 0.2])?;
                if !(1.0..=100.0).contains(&kernel) {
                    return Err(wrong("the kernel is from 1 to 100 pixels wide"));
                }
                Ok(Segmenter::Quickshift { kernel, distance, ratio })
            }
            "slic" => {
                let count = numbers.map_or(Some(60), |n| n.parse().ok());
                match count.filter(|n| (2..=super::MOST_SEGMENTS).contains(n)) {
                    Some(count) => Ok(Segmenter::Slic { count }),
                    None => Err(wrong("after the colon stands a number of segments from 2 to 10000")),
                }
            }
            "grid" => {
                let (rows, columns) = numbers.unwrap_or("").split_once(['x', '×']).unwrap_or(("", ""));
                match (rows.parse(), columns.parse()) {
                    (Ok(rows), Ok(columns)) => Ok(Segmenter::Grid { rows, columns }),
                    _ => Err(wrong("after the colon stand rows and columns, as in grid:4x6")),
                }
            }
            _ => Err(wrong(CHOICES)),
        }
    }

    /// The segments of a picture, numbered from 0 as they appear row by row; of a grid, named `r1c1` …
    ///
    /// # Errors
    /// [`Error::Instance`] for one segment only or more than [`MOST_SEGMENTS`](crate::MOST_SEGMENTS), and for pictures of more
    /// than 16 million pixels that are to be cut by their colours.
    pub fn cut(&self, picture: &Picture) -> Result<SegmentMap> {
        let (w, h) = (picture.width(), picture.height());
        if let Segmenter::Grid { rows, columns } = *self {
            return SegmentMap::grid(w, h, rows, columns);
        }
        if picture.pixels() > MOST_PIXELS {
            let reason =
                "a picture of more than 16 million pixels is not cut by its colours: make it smaller, or give a map";
            return Err(Error::Instance(reason.into()));
        }
        let ids = match *self {
            Segmenter::Felzenszwalb { scale, sigma, min } => felzenszwalb(picture, scale, sigma, min),
            Segmenter::Quickshift { kernel, distance, ratio } => quickshift(picture, kernel, distance, ratio),
            Segmenter::Slic { count } => slic(picture, count.min(picture.pixels())),
            Segmenter::Grid { .. } => Vec::new(),
        };
        let count = ids.iter().max().map_or(0, |most| *most as usize + 1);
        let told = |e: Error| match count {
            1 => Error::Instance(format!("{self} makes one segment of the whole picture; smaller numbers make more")),
            n if n > super::MOST_SEGMENTS => {
                Error::Instance(format!("{self} makes {n} segments, more than are taken; larger numbers make fewer"))
            }
            _ => e,
        };
        let mut map = SegmentMap::from_ids(w, h, &ids).map_err(told)?;
        map.kind = format!("{self} ({})", map.len());
        Ok(map)
    }
}

impl fmt::Display for Segmenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segmenter::Felzenszwalb { scale, sigma, min } => write!(f, "felzenszwalb:{scale},{sigma},{min}"),
            Segmenter::Quickshift { kernel, distance, ratio } => write!(f, "quickshift:{kernel},{distance},{ratio}"),
            Segmenter::Slic { count } => write!(f, "slic:{count}"),
            Segmenter::Grid { rows, columns } => write!(f, "grid:{rows}x{columns}"),
        }
    }
}

/// Three numbers from 0, with commas between them.
fn three(numbers: &str) -> Option<[f64; 3]> {
    let read: Option<Vec<f64>> = numbers.split(',').map(|n| n.trim().parse().ok()).collect();
    let read = <[f64; 3]>::try_from(read?).ok()?;
    read.iter().all(|n| n.is_finite() && *n >= 0.0).then_some(read)
}
