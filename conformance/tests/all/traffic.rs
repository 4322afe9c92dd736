//! What kernels move, against the least that they could: goals of kernels/README.md, held on the emulator, which counts.

use super::device::{device, told};
use lipex_conformance::{Case, made};
use lipex_core::{Bernoulli, Draw, Forward, Perturber, Problem, Selector, Softmax, Surrogate, UniformSize};
use lipex_cuda::{Cuda, LaunchMode, PixelTemplate, TokenTemplate, When};
use serde_json::Value;

/// Most sectors of device memory, as a multiple of the least, for drawing masks and rendering them.
const MOST: f64 = 1.1;

/// What the emulator has counted, and what it had when last asked.
struct Counted<'a> {
    on: &'a Cuda,
    before: Value,
    now: Value,
}

impl<'a> Counted<'a> {
    fn new(on: &'a Cuda) -> Self {
        Counted { on, before: Value::Null, now: counts(on) }
    }

    fn again(&mut self) {
        self.before = std::mem::replace(&mut self.now, counts(self.on));
    }

    /// What a kernel moved ÷ the least, between the last two times.
    fn ratio(&self, kernel: &str, kind: &str) -> f64 {
        let number = |counts: &Value, what: &str| counts[kernel][kind][what].as_f64().unwrap_or(0.0);
        let between = |what: &str| number(&self.now, what) - number(&self.before, what);
        assert!(between("minimum") > 0.0, "{kernel} has no {kind}");
        between("moved") / between("minimum")
    }

    fn few_sectors(&mut self, kernel: &str, what: &str) {
        self.again();
        for kind in ["loads", "stores"] {
            let ratio = self.ratio(kernel, kind);
            assert!(ratio <= MOST, "{kernel}, {kind}, {what}: {ratio:.3} × the least sectors");
        }
    }
}

/// The counts of all kernels, as the emulator writes them.
fn counts(on: &Cuda) -> Value {
    on.synchronize().unwrap();
    told("cuda_emulator_counters")
}

#[test]
fn masks_and_renderings_move_few_more_sectors_than_they_must() {
    let Some((on, _turn)) = device() else { return };
    if !on.info().is_emulator {
        return println!("skipped: only the emulator counts sectors");
    }
    let mut counted = Counted::new(&on);
    for features in [31, 44, 96, 441] {
        let what = format!("{features} features");
        UniformSize::default().perturb(&on, &Draw::whole(&[features], 1000, 0)).unwrap();
        counted.again();
        let passes = counted.ratio("lipex_perturb", "shared");
        assert!(passes <= 1.0, "{passes:.3} × the least passes over the banks, {what}");
        Bernoulli::default().perturb(&on, &Draw::whole(&[features], 1000, 0)).unwrap();
        counted.few_sectors("lipex_perturb", &what);
        let masks = made(Case { features, rows: 100, classes: 2, kept: 1 }, 1).on(&on).masks;
        for tokens in [50, 128, 333] {
            let tokens = (0..tokens).map(|t| (t, When::Kept(t as usize % features))).collect();
            TokenTemplate { tokens }.render(&on, &masks, 3..100).unwrap();
            counted.few_sectors("lipex_render_tokens", &what);
        }
        let segments: Vec<u32> = (0..10_000).map(|x| x / 25 % features as u32).collect();
        let (single, half) = (vec![0.5f32; 30_000], vec![0u16; 30_000]);
        PixelTemplate::new(&on, 3, &single, &single, &segments).unwrap().render(&on, &masks, 0..5).unwrap();
        counted.few_sectors("lipex_render_pixels", &what);
        PixelTemplate::new(&on, 3, &half, &half, &segments).unwrap().render(&on, &masks, 0..5).unwrap();
        counted.few_sectors("lipex_render_pixels_half", &what);
    }
}

#[test]
fn fits_have_no_bank_conflicts() {
    let Some((on, _turn)) = device() else { return };
    if !on.info().is_emulator {
        return println!("skipped: only the emulator counts passes over banks");
    }
    for classes in [2, 3, 6, 8, 20] {
        let problem = made(Case { features: 40, rows: 500, classes, kept: 1 }, 2);
        let around = problem.on(&on);
        let selection = Forward::default().select(&on, &[problem.on(&on)]).unwrap().remove(0);
        let mut counted = Counted::new(&on);
        for mode in [LaunchMode::OneLaunch, LaunchMode::ManyLaunches] {
            Softmax::default().fit(&on.clone().with_launch_mode(mode), &[Problem::new(&around, &selection)]).unwrap();
        }
        counted.again();
        for kernel in ["lipex_fit_precondition", "lipex_fit", "lipex_fit_tile", "lipex_fit_advance"] {
            let passes = counted.ratio(kernel, "shared");
            assert!(passes <= 1.0, "{kernel}, {classes} classes: {passes:.4} × the least passes");
        }
    }
}
