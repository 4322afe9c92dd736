//! Files of pictures and segment maps, as Pillow reads them, and what is none.

use lipex::{Blur, ImageInstance, Picture, SegmentMap};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Golden {
    pictures: BTreeMap<String, Pixels>,
    maps: BTreeMap<String, Ids>,
    blurs: BTreeMap<String, Vec<u8>>,
}

#[derive(Deserialize)]
struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

#[derive(Deserialize)]
struct Ids {
    width: usize,
    height: usize,
    ids: Vec<String>,
}

/// What `golden/pictures.py` wrote.
fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/pictures.json")).expect("pictures.json is as pictures.py writes it")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pictures")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn furthest(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[test]
fn pictures_are_as_pillow_reads_them() {
    let golden = golden();
    assert!(golden.pictures.len() >= 19);
    for (name, expected) in &golden.pictures {
        let picture = Picture::decode(&file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((picture.width(), picture.height()), (expected.width, expected.height), "{name}");
        // JPEG decoders may round differently, and smooth subsampled colours differently.
        let most = match name.as_str() {
            "subsampled.jpg" => 12,
            name if name.ends_with(".jpg") => 3,
            _ => 0,
        };
        let away = furthest(picture.as_rgb(), &expected.rgb);
        assert!(away <= most, "{name}: {away}");
    }
}

#[test]
fn a_png_that_is_written_is_read_again() {
    let picture = Picture::decode(&file("rgb8.png")).unwrap();
    assert_eq!(Picture::decode(&picture.to_png()).unwrap(), picture);
}

#[test]
fn segment_maps_keep_their_ids() {
    for (name, expected) in &golden().maps {
        let map = SegmentMap::decode(&file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((map.width(), map.height()), (expected.width, expected.height), "{name}");
        let ids: Vec<&str> = map.of_pixels().iter().map(|&s| map.names()[usize::from(s)].as_str()).collect();
        assert_eq!(ids, expected.ids, "{name}");
    }
}

#[test]
fn blurs_are_scipys() {
    let picture = Picture::decode(&file("rgb8.png")).unwrap();
    for (sigma, expected) in golden().blurs {
        let segments = SegmentMap::grid(picture.width(), picture.height(), 1, 2).unwrap();
        let blur = Blur::new(sigma.parse().unwrap()).unwrap();
        let image = ImageInstance::builder(picture.clone(), segments).baseline(blur).build().unwrap();
        let blurred = image.replacement().as_rgb();
        assert!(furthest(blurred, &expected) <= 1, "sigma {sigma}");
        let same = blurred.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(same as f64 > 0.99 * expected.len() as f64, "sigma {sigma}: {same} of {}", expected.len());
    }
}

/// A `.npy` file of zeros.
fn array(kind: &str, shape: &str, bytes: usize) -> Vec<u8> {
    let header = format!("{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(vec![0; bytes]);
    file
}

/// The message of what must be refused, in one line.
fn why<T: std::fmt::Debug>(result: lipex::Result<T>) -> String {
    let message = result.unwrap_err().to_string();
    assert!(!message.contains(char::is_control), "{message}");
    message
}

/// A PNG's header that promises pixels, and no pixels.
fn promising(width: u32, height: u32) -> Vec<u8> {
    let mut png = file("rgb8.png");
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    })
}

#[test]
fn what_is_no_picture_is_refused_in_one_line() {
    for (bytes, word) in [
        (Vec::new(), "no picture"),
        (b"GIF89a".to_vec(), "GIF cannot be decoded"),
        (b"BM".to_vec(), "BMP cannot be decoded"),
        (b"II*\0".to_vec(), "TIFF cannot be decoded"),
        (b"RIFF\0\0\0\0WEBP".to_vec(), "WebP cannot be decoded"),
        (b"\x93NUMPY".to_vec(), "no picture"),
        (file("cmyk.jpg"), "CMYK"),
        (file("rgb8.png")[..60].to_vec(), "PNG"),
        (file("smooth.jpg")[..400].to_vec(), "JPEG"),
        (promising(10_000, 10_000), "50 million"),
        (promising(0x7fff_ffff, 0x7fff_ffff), "50 million"),
        (promising(0, 5), "PNG"),
    ] {
        let message = why(Picture::decode(&bytes));
        assert!(message.contains(word), "{message}");
    }
    // The header of a JPEG of 65500×65500.
    let mut large = file("smooth.jpg");
    let frame = large.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert!(why(Picture::decode(&large)).contains("50 million"));
}

#[test]
fn what_is_no_segment_map_is_refused_in_one_line() {
    for (bytes, word) in [
        (Vec::new(), "no segment map"),
        (file("smooth.jpg"), "JPEG, which blurs ids"),
        (file("map_u1.npy")[..100].to_vec(), "ends inside its header"),
        (file("map_u1.npy")[..140].to_vec(), "needs 77 bytes, it has 12"),
        ([file("map_u1.npy"), vec![0]].concat(), "needs 77 bytes, it has 78"),
        (array("'<f8'", "(2, 2)", 32), "<f8"),
        (array("'|u1'", "(4,)", 4), "height and width"),
        (array("'|u1'", "(2, 2, 3)", 12), "height and width"),
        (array("'|u1'", "(0, 4)", 0), "no pixels"),
        (array("'|u1'", "(10000, 10000)", 0), "50 million"),
        (array("'|u1'", "(18446744073709551615, 1)", 0), "50 million"),
        (array("'|u1'", "(2, 2)", 4), "one segment"),
        (file("rgba8.png"), "opaque"),
        (file("greyalpha8.png"), "opaque"),
        (file("map_grey8.png")[..60].to_vec(), "PNG"),
        (promising(10_000, 10_000), "50 million"),
        (Picture::filled(4, 4, [1, 2, 3]).unwrap().to_png(), "one segment"),
    ] {
        let message = why(SegmentMap::decode(&bytes));
        assert!(message.contains(word), "{message}");
    }
    let many: Vec<u32> = (0..20_000).collect();
    assert!(why(SegmentMap::from_ids(200, 100, &many)).contains("more than 10000"));
    assert!(why(SegmentMap::from_ids(2, 2, &[1, 2, 3])).contains("expected 4, got 3"));
    for (width, height, rows, columns, word) in [
        (1, 1, 1, 1, "one segment"),
        (1, 1, 2, 2, "does not fit"),
        (10, 10, 0, 3, "does not fit"),
        (10, 10, 3, 11, "does not fit"),
        (500, 500, 200, 200, "more than 10000"),
        (4, 4, usize::MAX, usize::MAX, "does not fit"),
    ] {
        let message = why(SegmentMap::grid(width, height, rows, columns));
        assert!(message.contains(word), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Damage is refused or gives another picture, but never a panic.
    #[test]
    fn damaged_files_do_no_harm(which in 0usize..32, at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<bool>()) {
        let mut names: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        let mut bytes = std::fs::read(&names[which % names.len()]).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = value }
        if let Err(e) = Picture::decode(&bytes) {
            prop_assert!(!e.to_string().contains(char::is_control));
        }
        if let Err(e) = SegmentMap::decode(&bytes) {
            prop_assert!(!e.to_string().contains(char::is_control));
        }
    }

    /// Relabelling keeps which pixels belong together, and the order and the names of ids.
    #[test]
    fn maps_are_relabelled(ids in prop::collection::vec(prop_oneof![Just(i64::MIN), -3i64..4, Just(i64::MAX)], 2..60)) {
        let map = SegmentMap::from_ids(ids.len(), 1, &ids);
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < 2 {
            prop_assert!(map.is_err());
            return Ok(());
        }
        let map = map.unwrap();
        let names: Vec<String> = distinct.iter().map(i64::to_string).collect();
        prop_assert_eq!(map.names(), names);
        for (id, &segment) in ids.iter().zip(map.of_pixels()) {
            prop_assert_eq!(distinct[usize::from(segment)], *id);
        }
    }

    /// Cells of a grid are all there, in order, and of nearly equal size.
    #[test]
    fn grids_share_the_sides_out(width in 1usize..40, height in 1usize..40, rows in 1usize..40, columns in 1usize..40) {
        prop_assume!(rows <= height && columns <= width && rows * columns > 1);
        let map = SegmentMap::grid(width, height, rows, columns).unwrap();
        for (i, &segment) in map.of_pixels().iter().enumerate() {
            let (x, y) = (i % width, i / width);
            let (row, column) = (usize::from(segment) / columns, usize::from(segment) % columns);
            prop_assert!(row * height <= y * rows && y * rows < (row + 1) * height);
            prop_assert!(column * width <= x * columns && x * columns < (column + 1) * width);
        }
        let mut seen: Vec<u16> = map.of_pixels().to_vec();
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), rows * columns);
    }
}
