//! What distortion changes in a model's file, and what it leaves.

use lipex_experiment::Distortion;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/emotions/model.onnx");

/// Where two files of one length differ, from the first byte to the last.
fn differs(a: &[u8], b: &[u8]) -> std::ops::Range<usize> {
    assert_eq!(a.len(), b.len());
    let places: Vec<usize> = (0..a.len()).filter(|&i| a[i] != b[i]).collect();
    places[0]..places[places.len() - 1] + 1
}

#[test]
fn noise_is_on_the_last_layer_alone_and_as_large_as_said() {
    let model = std::fs::read(MODEL).unwrap();
    let (noisy, names) = Distortion::Noise(0.5).apply(&model, 7).unwrap();
    assert_eq!(names.len(), 1);
    let place = differs(&model, &noisy);
    // 48 × 7 weights in f16, of which the first and the last differ in their low bytes at least.
    let start = place.start;
    assert!((48 * 7 * 2 - 3..=48 * 7 * 2).contains(&place.len()), "{place:?}");
    let read = |bytes: &[u8]| -> Vec<f64> {
        let bytes = &bytes[start..start + 2 * (place.len() / 2)];
        bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f64()).collect()
    };
    let (before, after) = (read(&model), read(&noisy));
    let deviation = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64).sqrt()
    };
    let noise: Vec<f64> = before.iter().zip(&after).map(|(a, b)| b - a).collect();
    let ratio = deviation(&noise) / deviation(&before);
    // Some hundred draws: within 5 standard errors.
    assert!((ratio - 0.5).abs() < 0.5 * 5.0 / (2.0 * noise.len() as f64).sqrt(), "{ratio} of {}", noise.len());
    assert_eq!(Distortion::Noise(0.5).apply(&model, 7).unwrap().0, noisy);
    assert_ne!(Distortion::Noise(0.5).apply(&model, 8).unwrap().0, noisy);
}

#[test]
fn shuffled_layers_keep_their_numbers() {
    let model = std::fs::read(MODEL).unwrap();
    let (one, first) = Distortion::Shuffled(1).apply(&model, 0).unwrap();
    let (two, both) = Distortion::Shuffled(2).apply(&model, 0).unwrap();
    assert_eq!((first.len(), both.len()), (1, 2));
    assert_eq!(first[0], both[0]);
    let sorted = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.sort_unstable();
        bytes
    };
    assert!(sorted(&one) == sorted(&model) && sorted(&two) == sorted(&model));
    assert!(differs(&model, &two).len() > differs(&model, &one).len());
}

#[test]
fn what_cannot_be_distorted_is_said() {
    let model = std::fs::read(MODEL).unwrap();
    let told = |distortion: Distortion, bytes: &[u8]| distortion.apply(bytes, 0).unwrap_err().to_string();
    assert!(told(Distortion::Noise(1.0), b"hello").contains("no ONNX model"));
    assert!(told(Distortion::Noise(1.0), &model[..model.len() / 2]).contains("no ONNX model"));
    assert!(told(Distortion::Shuffled(1000), &model).contains("1000 were to change"));
    assert!(told(Distortion::Noise(f64::NAN), &model).contains("sigma"));
    // No bytes make it panic.
    for cut in (0..model.len()).step_by(model.len() / 200) {
        let _ = Distortion::Shuffled(1).apply(&model[..cut], 0);
        let mut damaged = model.clone();
        damaged[cut] = 0xff;
        let _ = Distortion::Noise(1.0).apply(&damaged, 0);
    }
}
