//! LIME's own masks for a seed, bit for bit.

use crate::common::lime_masks as golden;

use golden::{Sampler, lime_masks};
use lipex_core::{Draw, LimeImage, LimeText, Perturber};
use lipex_cpu::Cpu;

#[test]
fn masks_are_those_of_lime() {
    let (mut text, mut image) = (0, 0);
    for case in lime_masks() {
        let law: &dyn Perturber<Cpu> = match case.sampler {
            Sampler::Text => &LimeText,
            Sampler::Image => &LimeImage,
        };
        let samples = law.perturb(&Cpu::new(), &Draw::whole(&[case.features], case.rows, case.seed)).unwrap();
        let what = format!("{:?}, seed {}, D = {}", case.sampler, case.seed, case.features);
        assert_eq!(samples[0].masks.bits(), &case.words, "{what}");
        *(if case.sampler == Sampler::Text { &mut text } else { &mut image }) += 1;
    }
    assert!(text >= 5 && image >= 3);
}
