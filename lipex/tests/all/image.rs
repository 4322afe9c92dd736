//! Explaining images: what is planted is found, and neither batches nor threads change a byte.

use crate::common::colour_model;

use colour_model::{CLASSES, classify, picture, segments};
use lipex::prelude::*;
use lipex::{Baseline, BaselineContext, Enumerate, Error, Noise, PlainColour, Replacement, Result, to_json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn model() -> ImageFn<'static> {
    ImageFn::new((0..CLASSES).map(|c| format!("class {c}")), classify)
}

fn image() -> ImageInstance {
    ImageInstance::new(picture(40, 30), segments(40, 30)).unwrap()
}

fn without_times(explanation: &Explanation) -> String {
    let json = to_json(explanation);
    json[..json.find("\"timings_ms\"").unwrap()].to_string()
}

#[test]
fn a_planted_segment_is_found() {
    // The probability of "red" comes from the mean red of one segment of a grid, and from nothing else.
    let (size, planted) = (24, 7);
    let map = SegmentMap::grid(size, size, 4, 4).unwrap();
    let of = map.of_pixels().to_vec();
    let model = ImageFn::new(["red", "not"], move |images| {
        let red = |image: &[u8]| {
            let inside = image.chunks(3).zip(&of).filter(|(_, s)| **s == planted).map(|(p, _)| f64::from(p[0]) / 255.0);
            let (sum, count) = inside.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            0.1 + 0.8 * sum / count
        };
        images.iter().map(red).map(|p| [p, 1.0 - p]).collect()
    });
    let bright = Picture::filled(size, size, [250, 120, 60]).unwrap();
    let image = ImageInstance::builder(bright, map).baseline(PlainColour::BLACK).build().unwrap();
    let explanation = lipex().images().explain(&image, &model).unwrap();
    let top = explanation.top_k(0, 2, Rank::Supporting);
    assert_eq!(explanation.features[top[0].feature].name, "r2c4");
    // In log-odds: ln(p/(1−p)) at 0.1 + 0.8·250/255 and at 0.1.
    let logit = |p: f64| (p / (1.0 - p)).ln();
    let expected = logit(0.1 + 0.8 * 250.0 / 255.0) - logit(0.1);
    let found = explanation.contrast(0, 1)[0].value;
    assert!((found - expected).abs() < 0.15 * expected, "{found}, {expected}");
    assert!(top[1].value.abs() < 0.02 * top[0].value, "{top:?}");
    // What disappears is reported.
    let baseline = explanation.settings.iter().find(|s| s.name == "baseline").unwrap();
    assert_eq!(baseline.value, "black");
    assert!(explanation.departures.iter().any(|d| d.name == "baseline" && d.paper == "mean"));
}

#[test]
fn batches_and_threads_do_not_change_a_byte() {
    let explain = |threads: usize, batch: usize| {
        let explainer = Explainer::lipex(Cpu::with_threads(threads).unwrap()).images();
        without_times(&explainer.batch_size(batch).explain(&image(), &model()).unwrap())
    };
    let first = explain(1, 64);
    assert!(first.contains("bernoulli:0.5") && first.contains("\"box\""));
    for (threads, batch) in [(1, 1), (1, 7), (1, 5000), (2, 1), (2, 7), (3, 64), (4, 5000)] {
        assert_eq!(explain(threads, batch), first, "{threads} threads, batches of {batch}");
    }
}

#[test]
fn no_more_images_exist_at_once_than_a_batch_has() {
    let (most, all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let counting = ImageFn::new(["a", "b"], |images| {
        most.fetch_max(images.len(), Ordering::Relaxed);
        all.fetch_add(images.len(), Ordering::Relaxed);
        vec![[0.5, 0.5]; images.len()]
    });
    let explanation = lipex().images().batch_size(7).explain(&image(), &counting).unwrap();
    // The image itself is asked for twice.
    assert_eq!((most.load(Ordering::Relaxed), all.load(Ordering::Relaxed)), (7, explanation.calls.inputs + 1));
    assert_eq!(explanation.calls.masks, 1000);
    // Large pictures come in smaller batches than asked for: 2 megapixels are 6 MB, and a batch has at most 32 MiB.
    most.store(0, Ordering::Relaxed);
    let large = Picture::filled(2000, 1000, [9, 9, 9]).unwrap();
    let map = SegmentMap::grid(2000, 1000, 2, 3).unwrap();
    let large = ImageInstance::builder(large, map).baseline(PlainColour::BLACK).build().unwrap();
    lipex().images().samples(20).explain(&large, &counting).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 5);
}

#[test]
fn segments_whose_removal_changes_nothing_cost_no_calls() {
    // Left black already: under the baseline black only the right halves count.
    let mut half = Picture::filled(8, 8, [0; 3]).unwrap();
    half.as_rgb_mut().chunks_mut(24).for_each(|row| row[12..].fill(200));
    let map = SegmentMap::grid(8, 8, 2, 2).unwrap();
    let seen = Mutex::new(Vec::new());
    let model = ImageFn::new(["a", "b"], |images| {
        seen.lock().unwrap().extend(images.iter().map(<[u8]>::to_vec));
        vec![[0.25, 0.75]; images.len()]
    });
    let image = ImageInstance::builder(half.clone(), map.clone()).baseline(PlainColour::BLACK).build().unwrap();
    let explanation = lipex().images().enumerate(Enumerate::Never).explain(&image, &model).unwrap();
    assert_eq!((explanation.calls.masks, explanation.calls.inputs), (1000, 4));
    let mut distinct = seen.lock().unwrap().clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "each image is sent once");
    // Nothing changes anywhere: that is refused.
    let plain = Picture::filled(8, 8, [0; 3]).unwrap();
    let message = ImageInstance::builder(plain, map).baseline(PlainColour::BLACK).build().unwrap_err().to_string();
    assert!(message.contains("changes nothing"), "{message}");
}

/// A baseline as later ones will be: it looks at the prediction and at a target class.
struct OfClass;

impl Baseline for OfClass {
    fn replace(&self, asked: BaselineContext<'_>) -> Result<Replacement> {
        let (Some(prediction), Some(target)) = (asked.prediction, asked.target) else {
            return Err(Error::setting("baseline", "of-class", "needs the model's prediction and a target class"));
        };
        let grey = (255.0 * prediction[target]) as u8;
        let picture = Picture::filled(asked.picture.width(), asked.picture.height(), [grey; 3])?;
        Ok(Replacement { picture, used: format!("grey {grey} for class {target}") })
    }
}

#[test]
fn baselines_see_the_prediction_and_a_target() {
    let builder = || ImageInstance::builder(picture(8, 6), segments(8, 6)).baseline(OfClass);
    assert!(builder().build().unwrap_err().to_string().contains("needs the model's prediction"));
    let image = builder().prediction([0.2, 0.8]).target(1).build().unwrap();
    assert_eq!(image.replacement().pixel(0), Some([204; 3]));
    assert!(Instance::settings(&image).iter().any(|(s, _)| s.value == "grey 204 for class 1"));
}

#[test]
fn only_removed_segments_are_replaced() {
    let noise = Noise { seed: 3 };
    let image = ImageInstance::builder(picture(20, 12), segments(20, 12)).baseline(noise).build().unwrap();
    let changed = image.without(&[0, 4]).unwrap();
    for (i, &segment) in image.segments().of_pixels().iter().enumerate() {
        let from = if [0, 4].contains(&segment) { image.replacement() } else { image.picture() };
        assert_eq!(changed.pixel(i), from.pixel(i));
    }
    assert_eq!(image.without(&[]).unwrap(), *image.picture());
    assert!(image.without(&[99]).is_err());
}

#[test]
fn sizes_must_agree() {
    let message = ImageInstance::new(picture(8, 6), segments(20, 12)).unwrap_err().to_string();
    assert!(message.contains("20×12") && message.contains("8×6"), "{message}");
    let other = lipex::AnotherPicture { picture: picture(6, 8), name: "other.png".into() };
    let message =
        ImageInstance::builder(picture(8, 6), segments(8, 6)).baseline(other).build().unwrap_err().to_string();
    assert!(message.contains("6×8") && message.contains("8×6") && message.contains("other.png"), "{message}");
}

#[test]
fn a_preset_for_images_departs_in_nothing() {
    let explain = |explainer: Explainer<Cpu>| explainer.samples(200).explain(&image(), &model()).unwrap();
    let names = |e: &Explanation| e.departures.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&explain(paper().images())), ["samples"]);
    // The paper draws masks of images otherwise than of texts.
    assert_eq!(names(&explain(paper())), ["sampler", "samples"]);
    assert_eq!(lime().images().settings().iter().find(|s| s.name == "samples").unwrap().value, "1000");
    assert_eq!(explain(lime().images()).kept().len(), image().features().len());
}
