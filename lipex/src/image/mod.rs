//! Images as instances: features are the segments of a map, given or made from the picture.

mod baseline;
mod blur;
mod decode;
pub(crate) mod encode;
mod function;
mod instance;
mod overlay;
mod picture;
mod pixels;
mod segments;

pub use baseline::{
    AnotherPicture, Baseline, Blur, Noise, Occasion, PlainColour, Replacement, SegmentMean, baseline_by_name,
};
pub use function::ImageFn;
pub use instance::{ImageBuilder, ImageInstance};
pub use overlay::Overlays;
pub(crate) use picture::check_size;
pub use picture::{MOST_PIXELS, Picture};
pub use pixels::PixelImage;
pub use segments::{MOST_SEGMENTS, SegmentMap, Segmenter};
