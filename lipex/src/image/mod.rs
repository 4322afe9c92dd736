//! Images as instances: features are the segments of a map, given or made from the picture.

mod baseline;
mod blur;
mod decode;
pub(crate) mod encode;
mod function;
mod instance;
mod nearest;
#[cfg(feature = "npy")]
mod numpy;
mod occlusion;
mod overlay;
mod picture;
#[cfg(feature = "cuda")]
mod pixels;
mod segments;

pub use baseline::{
    AnotherPicture, Baseline, BaselineContext, Blur, Noise, PlainColour, Replacement, SegmentMean, baseline_by_name,
};
pub use function::ImageFn;
pub use instance::{ImageBuilder, ImageInstance};
pub use nearest::{Nearest, Norm};
pub use occlusion::{Squares, occlude};
pub use overlay::Overlays;
pub use picture::{MOST_PIXELS, Picture};
#[cfg(feature = "cuda")]
pub use pixels::PixelImage;
pub use segments::{MOST_SEGMENTS, SegmentMap, Segmenter};
