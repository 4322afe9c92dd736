//! Any bytes as a picture and as a segment map: pixels that fit the size, or an error of one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::{Error, MOST_PIXELS, MOST_SEGMENTS, Picture, SegmentMap};

fn refused(error: Error) {
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

fuzz_target!(|bytes: &[u8]| {
    match Picture::decode(bytes) {
        Ok(picture) => {
            assert!((1..=MOST_PIXELS).contains(&picture.pixels()));
            assert_eq!(picture.as_rgb().len(), 3 * picture.width() * picture.height());
        }
        Err(error) => refused(error),
    }
    match SegmentMap::decode(bytes) {
        Ok(map) => {
            assert!((2..=MOST_SEGMENTS).contains(&map.len()));
            assert_eq!(map.of_pixels().len(), map.width() * map.height());
            assert!(map.of_pixels().iter().all(|&s| usize::from(s) < map.len()));
        }
        Err(error) => refused(error),
    }
});
