//! One run of every stage on the emulator, and what it counted.

use lipex_conformance::{Case, made};
use lipex_core::{
    Backend, Draw, Evaluator, Exponential, Fitted, Forward, Masks, OutOfFold, Perturber, Problem, Proximity, Ridge,
    Selector, Softmax, Surrogate, UniformSize,
};
use lipex_cuda::{Cuda, LaunchMode, PixelTemplate, TokenTemplate, When};
use serde_json::Value;
use std::collections::BTreeMap;

/// One text of the paper's sizes.
pub const CASE: Case = Case { features: 44, rows: 1000, classes: 6, kept: 20 };
/// Tokens of the text.
pub const TOKENS: usize = 50;
/// Side of a picture, and how many of its N rows are rendered here; the counts are multiplied.
pub const SIDE: usize = 224;
pub const PICTURES: usize = 4;

pub type Stop = Box<dyn std::error::Error>;

/// Accesses of one kind.
pub struct Traffic {
    pub accesses: f64,
    pub moved: f64,
    pub minimum: f64,
}

/// What a kernel did in a stage, over all its launches.
pub struct Counts {
    pub launches: f64,
    /// Instructions of warps and of threads.
    pub warps: f64,
    pub threads: f64,
    pub loads: Traffic,
    pub stores: Traffic,
    pub shared: Traffic,
}

impl Counts {
    fn of(counts: &Value) -> Counts {
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let traffic = |kind: &str| Traffic {
            accesses: number(&counts[kind]["accesses"]),
            moved: number(&counts[kind]["moved"]),
            minimum: number(&counts[kind]["minimum"]),
        };
        Counts {
            launches: number(&counts["launches"]),
            warps: number(&counts["warp_instructions"]),
            threads: number(&counts["thread_instructions"]),
            loads: traffic("loads"),
            stores: traffic("stores"),
            shared: traffic("shared"),
        }
    }

    /// Bytes of device memory, in whole sectors.
    pub fn bytes(&self) -> f64 {
        32.0 * (self.loads.moved + self.stores.moved)
    }
}

/// A stage of one instance.
pub struct Stage {
    pub name: &'static str,
    /// How often what was run is in the stage.
    pub scale: f64,
    pub counts: BTreeMap<&'static str, Counts>,
    /// Of a fit: kept features and evaluations.
    pub kept: usize,
    pub evaluations: usize,
}

/// Counts stages, each by itself.
struct Counter<'a> {
    on: &'a Cuda,
    library: &'static libloading::Library,
    /// Where the counts are written too, if anywhere.
    folder: Option<&'a std::path::Path>,
    kept: usize,
    stages: Vec<Stage>,
}

impl Counter<'_> {
    /// Runs a stage, which gives its evaluations, `scale` times of which make up the stage of one instance.
    fn count(
        &mut self,
        name: &'static str,
        scale: f64,
        stage: impl FnOnce() -> Result<usize, Stop>,
    ) -> Result<(), Stop> {
        clear(self.library)?;
        let evaluations = stage()?;
        self.on.synchronize()?;
        let text = counters(self.library)?;
        if let Some(folder) = self.folder {
            std::fs::create_dir_all(folder)?;
            let file = format!("{}.json", name.replace(|c: char| !c.is_alphanumeric(), "-"));
            std::fs::write(folder.join(file), &text)?;
        }
        let found: BTreeMap<String, Value> = serde_json::from_str(&text)?;
        let counts = found.iter().map(|(kernel, c)| (&*kernel.clone().leak(), Counts::of(c))).collect();
        self.stages.push(Stage { name, scale, counts, kept: self.kept, evaluations });
        Ok(())
    }

    /// The same of a stage that has no evaluations.
    fn plain<T>(&mut self, name: &'static str, stage: impl FnOnce() -> Result<T, Stop>) -> Result<(), Stop> {
        self.count(name, 1.0, || stage().map(|_| 0))
    }
}

/// Counts each stage by itself; writes the counts to files of `folder` if there is one.
pub fn run(folder: Option<&str>) -> Result<Vec<Stage>, Stop> {
    let emulator = std::env::current_exe()?.parent().ok_or("a folder")?.join("../deps/libcuda_emulator.so");
    // SAFETY: the emulator's initialisers do nothing; it stays mapped for the rest of the process.
    let library: &'static libloading::Library = Box::leak(Box::new(unsafe { libloading::Library::new(&emulator) }?));
    let on = Cuda::new()?;
    let problem = made(CASE, 1);
    let around = problem.on(&on);
    let masks = [Masks::new(&on, CASE.rows, CASE.features, on.upload(problem.bits.clone())?)?];
    let selection = Forward::default().select(&on, &[problem.on(&on)])?.remove(0);
    let list = [Problem::new(&around, &selection)];
    let folder = folder.map(std::path::Path::new);
    let mut counter = Counter { on: &on, library, folder, kept: selection.kept.len(), stages: Vec::new() };
    let uniform = UniformSize::default();
    counter.plain("perturb", || Ok(uniform.perturb(&on, &Draw::whole(&[CASE.features], CASE.rows, 0))?))?;
    rendering(&mut counter, &masks[0])?;
    counter.plain("predict: check", || Ok(on.check(&around.probabilities)?))?;
    counter.plain("weigh", || Ok(Proximity::<Cuda>::weigh(&Exponential::default(), &on, &masks)?))?;
    counter.plain("select", || Ok(Forward::default().select(&on, &[problem.on(&on)])?))?;
    fitting(&mut counter, &list)?;
    Ok(counter.stages)
}

/// Tokens and pictures.
fn rendering(counter: &mut Counter<'_>, masks: &Masks<Cuda>) -> Result<(), Stop> {
    let on = counter.on;
    counter.plain("render tokens", || {
        let tokens = (0..TOKENS as u32).map(|t| (t, When::Kept(t as usize % CASE.features))).collect();
        Ok(TokenTemplate { tokens }.render(on, masks, 0..CASE.rows)?)
    })?;
    let pictures = CASE.rows as f64 / PICTURES as f64;
    let segments: Vec<u32> = (0..(SIDE * SIDE) as u32).map(|x| x / 1200 % CASE.features as u32).collect();
    counter.count("render f32 pixels", pictures, || {
        let image = vec![0.5f32; 3 * SIDE * SIDE];
        PixelTemplate::new(on, 3, &image, &image, &segments)?.render(on, masks, 0..PICTURES)?;
        Ok(0)
    })?;
    counter.count("render f16 pixels", pictures, || {
        let image = vec![0u16; 3 * SIDE * SIDE];
        PixelTemplate::new(on, 3, &image, &image, &segments)?.render(on, masks, 0..PICTURES)?;
        Ok(0)
    })
}

/// Fits, and what is asked of one.
fn fitting(counter: &mut Counter<'_>, list: &[Problem<'_, Cuda>]) -> Result<(), Stop> {
    let (on, softmax) = (counter.on, Softmax::default());
    let fitted = softmax.fit(on, list)?;
    let evaluations = |fits: Vec<Fitted>| fits.iter().map(|fit| fit.report.evaluations).sum();
    counter.count("fit, one launch", 1.0, || Ok(evaluations(softmax.fit(on, list)?)))?;
    let apart = on.clone().with_launch_mode(LaunchMode::ManyLaunches);
    counter.count("fit, many launches", 1.0, || Ok(evaluations(softmax.fit(&apart, list)?)))?;
    counter.plain("fit: ridge", || Ok(Ridge::default().fit(on, list)?))?;
    counter.plain("evaluate", || Ok(OutOfFold { folds: 0 }.evaluate(on, list, &fitted, &softmax)?))?;
    counter.plain("choose λ", || Ok(Softmax::default().lambda_auto().fit(on, list)?))?;
    counter.plain("error bars", || Ok(softmax.spread(on, &list[0], &fitted[0])?))
}

fn counters(library: &libloading::Library) -> Result<String, Stop> {
    type Counters = unsafe extern "C" fn(*mut u8, usize, *mut usize) -> i32;
    let mut needed = 0;
    // SAFETY: cuda_emulator_counters(to, length, needed) writes at most `length` bytes and the size that it needs.
    unsafe {
        let counters = library.get::<Counters>(b"cuda_emulator_counters")?;
        counters(std::ptr::null_mut(), 0, &mut needed);
        let mut text = vec![0u8; needed];
        counters(text.as_mut_ptr(), text.len(), &mut needed);
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        Ok(String::from_utf8(text[..end].to_vec())?)
    }
}

fn clear(library: &libloading::Library) -> Result<(), Stop> {
    // SAFETY: cuda_emulator_clear() takes nothing.
    unsafe { library.get::<unsafe extern "C" fn() -> i32>(b"cuda_emulator_clear")?() };
    Ok(())
}
