//! NumPy files: what is written is read again, and whatever is not right is refused in one line.

use lipex::npy::{self, Array};
use lipex::{Cpu, Dependence, Masks, Neighbourhood, Probabilities, Sample, Weights, pack_bits};
use proptest::prelude::*;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A `.npy` file of version 1.
fn file(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn singles(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn masks(bytes: &[u8]) -> lipex::Result<Array<u8>> {
    npy::masks_from(Cursor::new(bytes), "m.npy")
}

fn probabilities(bytes: &[u8]) -> lipex::Result<Array<f32>> {
    npy::probabilities_from(Cursor::new(bytes), "p.npy")
}

fn weights(bytes: &[u8]) -> lipex::Result<Vec<f32>> {
    npy::weights_from(Cursor::new(bytes), "w.npy")
}

/// The one line of a refusal.
fn why<T: std::fmt::Debug>(read: lipex::Result<T>) -> String {
    let line = read.unwrap_err().to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

fn around(rows: usize, features: usize, classes: usize, dense: &[u8]) -> Neighbourhood<Cpu> {
    let on = Cpu::new();
    let p = (0..rows * classes).map(|i| if i % classes == i / classes % classes { 1.0 } else { 0.0 }).collect();
    Neighbourhood::new(
        &on,
        Masks::new(&on, rows, features, pack_bits(features, dense)).unwrap(),
        Probabilities::new(&on, rows, classes, p).unwrap(),
        Weights::new((0..rows).map(|i| 1.0 / (i + 1) as f32).collect()),
    )
    .unwrap()
}

#[test]
fn masks_are_zeros_and_ones_with_the_instance_first() {
    let good = Array { rows: 2, columns: 3, values: vec![1, 1, 1, 0, 1, 0] };
    assert_eq!(masks(&file("|u1", false, "(2, 3)", &[1, 1, 1, 0, 1, 0])).unwrap(), good);
    assert_eq!(masks(&file("|b1", true, "(2, 3)", &[1, 0, 1, 1, 1, 0])).unwrap(), good);
    assert_eq!(masks(&file("<f4", false, "(2, 3)", &singles(&[1.0, 1.0, 1.0, 0.0, 1.0, -0.0]))).unwrap(), good);
    assert_eq!(masks(&file("<f8", true, "(2, 3)", &doubles(&[1.0, 0.0, 1.0, 1.0, 1.0, 0.0]))).unwrap(), good);
    for (bytes, word) in [
        (file("|u1", false, "(2, 3)", &[1, 1, 1, 0, 2, 0]), "row 1, column 1 is 2"),
        (file("|u1", true, "(2, 3)", &[1, 1, 1, 0, 1, 2]), "row 1, column 2 is 2"),
        (file("|b1", false, "(2, 3)", &[1, 1, 1, 0, 7, 0]), "row 1, column 1 is 7"),
        (file("<f4", false, "(1, 2)", &singles(&[1.0, f32::NAN])), "row 0, column 1 is NaN"),
        (file("<f8", false, "(1, 2)", &doubles(&[1.0, 0.5])), "column 1 is 0.5"),
        (
            file("|u1", false, "(2, 3)", &[1, 1, 0, 0, 1, 0]),
            "row 0 must be the unperturbed instance, all ones; its column 2",
        ),
    ] {
        assert!(why(masks(&bytes)).contains(word), "{}", why(masks(&bytes)));
    }
}

#[test]
fn probabilities_are_distributions() {
    let good = Array { rows: 2, columns: 2, values: vec![0.25, 0.75, 1.0, 0.0] };
    assert_eq!(probabilities(&file("<f4", false, "(2, 2)", &singles(&[0.25, 0.75, 1.0, 0.0]))).unwrap(), good);
    assert_eq!(probabilities(&file("<f8", true, "(2, 2)", &doubles(&[0.25, 1.0, 0.75, 0.0]))).unwrap(), good);
    for (values, word) in [
        ([0.5, 0.5, 0.5, 0.6], "row 1 is no distribution: it sums to 1.1"),
        ([0.5, 0.5, f32::NAN, 1.0], "row 1 is no distribution: class 0 has NaN"),
        ([1.5, -0.5, 0.5, 0.5], "row 0 is no distribution: class 1 has -0.5"),
        ([f32::INFINITY, 0.0, 1.0, 0.0], "row 0"),
    ] {
        let line = why(probabilities(&file("<f4", false, "(2, 2)", &singles(&values))));
        assert!(line.contains(word) && line.contains("p.npy"), "{line}");
    }
    let one = why(probabilities(&file("<f4", false, "(2, 1)", &singles(&[1.0, 1.0]))));
    assert!(one.contains("at least 2 classes"), "{one}");
    let huge = why(probabilities(&file("<f8", false, "(1, 2)", &doubles(&[1e300, 0.0]))));
    assert!(huge.contains("row 0"), "{huge}");
}

#[test]
fn weights_are_finite_and_not_negative() {
    assert_eq!(weights(&file("<f8", false, "(3,)", &doubles(&[1.0, 0.0, 0.5]))).unwrap(), [1.0, 0.0, 0.5]);
    for (values, word) in [
        ([1.0, -1.0], "row 1 is -1"),
        ([f32::NAN, 1.0], "row 0 is NaN"),
        ([1.0, f32::INFINITY], "row 1 is inf"),
        ([0.0, 0.0], "every weight is 0"),
    ] {
        let line = why(weights(&file("<f4", false, "(2,)", &singles(&values))));
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let ones = [1; 6];
    for (bytes, word) in [
        (vec![], "no .npy or .npz"),
        (b"P".to_vec(), "no .npy or .npz"),
        (b"hello, world".to_vec(), "no .npy or .npz"),
        (b"PK\x03\x04 and nothing else".to_vec(), "no .npz file that can be read"),
        (file("|u1", false, "(2, 3)", &ones)[..20].to_vec(), "ends inside its header"),
        (file("|u1", false, "(2, 3)", &ones[..5]), "cut short: the shape (2, 3) needs 6 bytes, it has 5"),
        (file("|u1", false, "(2, 2)", &ones), "goes on after"),
        (file("<f8", false, "(2, 3)", &ones), "cut short"),
        (file("<i8", false, "(2, 3)", &ones), "type '<i8'; convert it to uint8, bool, float32 or float64"),
        (file("<f2", false, "(2, 3)", &ones), "type '<f2'"),
        (file("<c8", false, "(2, 3)", &ones), "type '<c8'"),
        (file("<U5", false, "(2, 3)", &ones), "type '<U5'"),
        (file("|O", false, "(2, 3)", &ones), "type '|O'"),
        (file("|u1", false, "(6,)", &ones), "shape (6,); it must have two dimensions"),
        (file("|u1", false, "(1, 2, 3)", &ones), "shape (1, 2, 3)"),
        (file("|u1", false, "()", &ones), "shape ()"),
        (file("|u1", false, "(0, 3)", &[]), "nothing in it"),
        (file("|u1", false, "(2, 0)", &[]), "nothing in it"),
        // A header may promise anything: nothing is allocated for it.
        (file("|u1", false, "(1000000, 1000000)", &ones), "above 4 GiB"),
        (file("<f8", false, "(65536, 8191)", &ones), "cut short"),
        (file("|u1", false, "(99999999999, 99999999999)", &ones), "header"),
    ] {
        let line = why(masks(&bytes));
        assert!(line.contains(word) && line.starts_with("masks = m.npy: "), "{line}");
    }
    assert!(why(probabilities(&file("|u1", false, "(1, 2)", &[1, 0]))).contains("convert it to float32 or float64"));
    assert!(why(weights(&file("<f4", false, "(1, 1)", &singles(&[1.0])))).contains("one dimension"));
    assert!(why(npy::read_masks("no/such/file.npy")).contains("no/such/file.npy"));
    assert!(why(npy::read_masks(".")).starts_with("masks = ."));
}

/// An archive of members as they are given.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let stored = SimpleFileOptions::DEFAULT.compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn archives_are_read_by_the_name_of_the_array() {
    let inside = file("|u1", false, "(1, 3)", &[1, 1, 1]);
    assert_eq!(masks(&archive(&[("x.npy", b"no"), ("masks.npy", &inside)])).unwrap().columns, 3);
    let line = why(probabilities(&archive(&[("a.npy", &inside), ("masks.npy", &inside)])));
    assert!(line.contains("no array named probs; it holds a.npy, masks.npy"), "{line}");
    assert!(why(masks(&archive(&[("masks.npy", &inside[..40])]))).contains("ends inside its header"));
    let whole = archive(&[("masks.npy", &inside)]);
    // A byte of the array is turned: the checksum tells.
    let at = whole.windows(3).position(|w| w == [1, 1, 1]).unwrap();
    let mut turned = whole.clone();
    turned[at] = 0;
    assert!(masks(&turned).is_err());
    for end in [10, whole.len() / 2, whole.len() - 1] {
        why(masks(&whole[..end]));
    }
}

#[test]
fn a_sample_keeps_the_weights_of_its_sampler() {
    let own = around(3, 4, 2, &[1; 12]);
    let weights = Some(Weights::new(vec![3.0, 0.5, 0.25]));
    let file =
        npy::sample_to_npz(&Sample { masks: own.masks, weights, dependence: Dependence::Unknown, asked: 2 }).unwrap();
    assert_eq!(npy::weights_from(Cursor::new(&file), "s.npz").unwrap(), [3.0, 0.5, 0.25]);
    assert_eq!(masks(&file).unwrap().rows, 3);
}

/// Rows, features, classes and masks with the instance first.
fn sizes() -> impl Strategy<Value = (usize, usize, usize, Vec<u8>)> {
    (1usize..20, 1usize..70, 2usize..6).prop_flat_map(|(rows, features, classes)| {
        let dense = proptest::collection::vec(0u8..2, rows * features).prop_map(move |mut dense| {
            dense[..features].fill(1);
            dense
        });
        (Just(rows), Just(features), Just(classes), dense)
    })
}

proptest! {
    #[test]
    fn neighbourhoods_survive_a_file((rows, features, classes, dense) in sizes()) {
        let saved = around(rows, features, classes, &dense);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("around.npz");
        npy::save_neighbourhood(&path, &saved).unwrap();
        let loaded = npy::load_neighbourhood(&path).unwrap();
        prop_assert_eq!(loaded.masks.features(), features);
        prop_assert_eq!(loaded.masks.bits(), saved.masks.bits());
        prop_assert_eq!(loaded.probabilities.values(), saved.probabilities.values());
        prop_assert_eq!(loaded.weights.values(), saved.weights.values());
        let alone = npy::masks_to_npy(&saved.masks).unwrap();
        prop_assert_eq!(masks(&alone).unwrap(), Array { rows, columns: features, values: dense });
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (masks(&bytes), probabilities(&bytes), weights(&bytes));
    }

    #[test]
    fn any_header_is_read_or_refused(
        descr in "[<>|=]?[a-zA-Z][0-9]{0,3}",
        shape in "[(\\[{]{0,3}[0-9]{0,25}[,: ]{0,2}[0-9xLe_.-]{0,25},?[)\\]}]{0,3}",
        fortran: bool,
        data in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let bytes = file(&descr, fortran, &shape, &data);
        let _ = (masks(&bytes), probabilities(&bytes), weights(&bytes));
    }

    #[test]
    fn a_turned_byte_is_read_or_refused(at in 0usize..2000, to: u8) {
        let mut whole = npy::neighbourhood_to_npz(&around(5, 9, 3, &[1; 45])).unwrap();
        let at = at % whole.len();
        whole[at] = to;
        let _ = (masks(&whole), probabilities(&whole), weights(&whole));
    }
}
