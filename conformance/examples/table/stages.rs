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
    let fitted = Softmax::default().fit(&on, &list)?;
    let mut stages = Vec::new();
    let mut count = |name: &'static str, scale: f64, stage: &mut dyn FnMut() -> Result<usize, Stop>| {
        clear(library)?;
        let evaluations = stage()?;
        on.synchronize()?;
        let text = counters(library)?;
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            std::fs::write(
                std::path::Path::new(folder)
                    .join(format!("{}.json", name.replace(|c: char| !c.is_alphanumeric(), "-"))),
                &text,
            )?;
        }
        let found: BTreeMap<String, Value> = serde_json::from_str(&text)?;
        let counts = found.iter().map(|(kernel, c)| (&*kernel.clone().leak(), Counts::of(c))).collect();
        stages.push(Stage { name, scale, counts, kept: selection.kept.len(), evaluations });
        Ok::<(), Stop>(())
    };
    let evaluations = |fits: Vec<Fitted>| fits.iter().map(|fit| fit.report.evaluations).sum();
    let uniform = UniformSize::default();
    count("perturb", 1.0, &mut || {
        uniform.perturb(&on, &Draw::whole(&[CASE.features], CASE.rows, 0))?;
        Ok(0)
    })?;
    count("render tokens", 1.0, &mut || {
        let tokens = (0..TOKENS as u32).map(|t| (t, When::Kept(t as usize % CASE.features))).collect();
        TokenTemplate { tokens }.render(&on, &masks[0], 0..CASE.rows)?;
        Ok(0)
    })?;
    let pictures = CASE.rows as f64 / PICTURES as f64;
    let segments: Vec<u32> = (0..(SIDE * SIDE) as u32).map(|x| x / 1200 % CASE.features as u32).collect();
    count("render f32 pixels", pictures, &mut || {
        let image = vec![0.5f32; 3 * SIDE * SIDE];
        PixelTemplate::new(&on, 3, &image, &image, &segments)?.render(&on, &masks[0], 0..PICTURES)?;
        Ok(0)
    })?;
    count("render f16 pixels", pictures, &mut || {
        let image = vec![0u16; 3 * SIDE * SIDE];
        PixelTemplate::new(&on, 3, &image, &image, &segments)?.render(&on, &masks[0], 0..PICTURES)?;
        Ok(0)
    })?;
    count("predict: check", 1.0, &mut || {
        on.check(&around.probabilities)?;
        Ok(0)
    })?;
    count("weigh", 1.0, &mut || {
        Proximity::<Cuda>::weigh(&Exponential::default(), &on, &masks)?;
        Ok(0)
    })?;
    count("select", 1.0, &mut || {
        Forward::default().select(&on, &[problem.on(&on)])?;
        Ok(0)
    })?;
    count("fit, one launch", 1.0, &mut || Ok(evaluations(Softmax::default().fit(&on, &list)?)))?;
    let apart = on.clone().with_launch_mode(LaunchMode::ManyLaunches);
    count("fit, many launches", 1.0, &mut || Ok(evaluations(Softmax::default().fit(&apart, &list)?)))?;
    count("fit: ridge", 1.0, &mut || {
        Ridge::default().fit(&on, &list)?;
        Ok(0)
    })?;
    count("evaluate", 1.0, &mut || {
        OutOfFold { folds: 0 }.evaluate(&on, &list, &fitted, &Softmax::default())?;
        Ok(0)
    })?;
    count("choose λ", 1.0, &mut || {
        Softmax::default().lambda_auto().fit(&on, &list)?;
        Ok(0)
    })?;
    count("error bars", 1.0, &mut || {
        Softmax::default().spread(&on, &list[0], &fitted[0])?;
        Ok(0)
    })?;
    Ok(stages)
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
