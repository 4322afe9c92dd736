//! Any bytes as a picture (PNG, JPEG) and as a segment map (PNG, `.npy`): read whole, or an error of one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::{Error, Picture, SegmentMap};

fn refused(error: Error) {
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

fuzz_target!(|bytes: &[u8]| {
    match Picture::decode(bytes) {
        Ok(picture) => assert_eq!(picture.as_rgb().len(), picture.width() * picture.height() * 3),
        Err(error) => refused(error),
    }
    match SegmentMap::decode(bytes) {
        Ok(map) => {
            assert_eq!(map.of_pixels().len(), map.width() * map.height());
            assert!(map.of_pixels().iter().all(|&s| usize::from(s) < map.len()));
        }
        Err(error) => refused(error),
    }
});
