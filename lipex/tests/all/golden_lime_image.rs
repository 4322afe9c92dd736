//! On LIME's own masks the images are those that PyPI lime renders, byte for byte, and the explanation is LIME's.

use crate::common::colour_model;

use colour_model::{CLASSES, classify, picture, segments};
use lipex::prelude::*;
use lipex::{Cpu, Draw, Images, LimeImage, Masks, Perturber, PlainColour};
use serde::Deserialize;

/// LIME's explanation of one picture; `golden/lime_image.py` made it.
#[derive(Deserialize)]
struct Golden {
    seed: u64,
    width: usize,
    height: usize,
    hide_color: Option<[u8; 3]>,
    segments: usize,
    samples: usize,
    first: Vec<String>,
    all: String,
    classes: Vec<Class>,
}

#[derive(Deserialize)]
struct Class {
    weights: Vec<f64>,
    intercept: f64,
    score: f64,
    local_pred: f64,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("../golden/lime_image.json"))
        .expect("lime_image.json is as lime_image.py writes it")
}

fn instance(golden: &Golden) -> ImageInstance {
    let (width, height) = (golden.width, golden.height);
    let builder = ImageInstance::builder(picture(width, height), segments(width, height));
    match golden.hide_color {
        None => builder.build().unwrap(),
        Some(colour) => builder.baseline(PlainColour(colour)).build().unwrap(),
    }
}

/// FNV-1a, 64 bits.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn images_equal_limes_byte_for_byte() {
    for golden in golden() {
        let image = instance(&golden);
        assert_eq!(image.features().len(), golden.segments);
        let on = Cpu::new();
        let n = golden.samples;
        let sample = LimeImage.perturb(&on, &Draw::whole(&[golden.segments], n, golden.seed)).unwrap().remove(0);
        let masks: &Masks<Cpu> = &sample.masks;
        let images: Images = image.render(&on, masks, 0..n).unwrap();
        let prints: Vec<u64> = images.iter().map(fingerprint).collect();
        for (i, first) in golden.first.iter().enumerate() {
            assert_eq!(format!("{:016x}", prints[i]), *first, "image {i} of seed {}", golden.seed);
        }
        let whole: Vec<u8> = prints.iter().flat_map(|p| p.to_le_bytes()).collect();
        assert_eq!(format!("{:016x}", fingerprint(&whole)), golden.all, "seed {}", golden.seed);
    }
}

#[test]
fn explanations_equal_limes() {
    let model = ImageFn::new((0..CLASSES).map(|c| format!("class {c}")), classify);
    let mut largest: f64 = 0.0;
    for golden in golden() {
        let explainer = lime().images().perturber(LimeImage).samples(golden.samples).seed(golden.seed);
        let explanation = explainer.explain(&instance(&golden), &model).unwrap();
        assert_eq!(explanation.kept().len(), golden.segments);
        for (c, class) in golden.classes.iter().enumerate() {
            assert_eq!(class.weights.len(), golden.segments);
            assert!(class.weights.iter().any(|w| w.abs() > 1e-3), "the explanation is not trivial");
            let (shares, fidelity) = (explanation.shares(), explanation.fidelity.as_ref().unwrap());
            let intercept = explanation.answer.as_ref().unwrap().linear().unwrap().intercept();
            let pairs = shares.row(c).iter().zip(&class.weights);
            let rest = [
                (&intercept[c], &class.intercept),
                (&fidelity.r2[c], &class.score),
                (&explanation.probabilities.surrogate[c], &class.local_pred),
            ];
            for (ours, lime) in pairs.chain(rest) {
                largest = largest.max((ours - lime).abs());
            }
            assert!(largest < 1e-4, "seed {}, class {c}: {largest:e}", golden.seed);
        }
    }
    println!("largest difference from LIME of any weight, intercept, score or prediction: {largest:.1e}");
}
