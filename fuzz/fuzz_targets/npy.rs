//! Any bytes as a `.npy` or `.npz` file: an array that keeps its promises, or an error of one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::{Error, npy};
use std::io::Cursor;

fn refused(error: Error) {
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

fuzz_target!(|bytes: &[u8]| {
    match npy::masks_from(Cursor::new(bytes), "file") {
        Ok(masks) => {
            assert!(masks.rows > 0 && masks.columns > 0);
            assert_eq!(masks.values.len(), masks.rows * masks.columns);
            assert!(masks.values.iter().all(|v| *v < 2) && masks.values[..masks.columns].iter().all(|v| *v == 1));
        }
        Err(error) => refused(error),
    }
    match npy::probabilities_from(Cursor::new(bytes), "file") {
        Ok(p) => {
            assert!(p.rows > 0 && p.columns > 1);
            assert_eq!(p.values.len(), p.rows * p.columns);
            assert!(p.values.iter().all(|v| (0.0..=1.01).contains(v)));
        }
        Err(error) => refused(error),
    }
    match npy::weights_from(Cursor::new(bytes), "file") {
        Ok(weights) => assert!(weights.iter().all(|w| *w >= 0.0 && w.is_finite())),
        Err(error) => refused(error),
    }
});
