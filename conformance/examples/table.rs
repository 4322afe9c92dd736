//! The table of kernels in kernels/README.md, from one run of the paper's sizes on the emulator and from ptxas:
//!
//! ```sh
//! cargo run -p lipex-cuda --example splice -- target/ptx
//! target/cuda/bin/python kernels/assemble.py target/ptx > target/registers.txt
//! cargo run -p lipex-conformance --example table -- target/registers.txt
//! ```
//!
//! A second argument is a file for the counts themselves, which name the lines of the PTX.
//!
//! Writes the part of kernels/README.md between its two marks. Instructions, sectors and conflicts are counts of the PTX as the
//! emulator executes it, not measurements of a device.

use lipex_conformance::{Case, made};
use lipex_core::{
    Backend, Dependence, Evaluator, Exponential, Forward, Masks, OutOfFold, Perturber, Problem, Proximity, Ridge,
    Selector, Softmax, Surrogate, UniformSize,
};
use lipex_cuda::{Cuda, PixelTemplate, Road, TokenTemplate, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One text of the paper's sizes.
const CASE: Case = Case { features: 44, rows: 1000, classes: 6, kept: 20 };

type Stop = Box<dyn std::error::Error>;

fn main() -> Result<(), Stop> {
    let registers = std::env::args().nth(1).ok_or("which file of registers? see the head of this example")?;
    let registers = read_registers(&std::fs::read_to_string(registers)?);
    let emulator = std::env::current_exe()?.parent().ok_or("a folder")?.join("../deps/libcuda_emulator.so");
    // SAFETY: the emulator's initialisers do nothing; it stays mapped for the rest of the process.
    let library: &'static libloading::Library = Box::leak(Box::new(unsafe { libloading::Library::new(&emulator) }?));
    let on = Cuda::new()?;
    refit(&on)?;
    let refits: BTreeMap<String, Value> = serde_json::from_str(&counters(library)?)?;
    clear(library)?;
    run(&on)?;
    let counts = counters(library)?;
    if let Some(path) = std::env::args().nth(2) {
        std::fs::write(path, &counts)?;
    }
    let mut counts: BTreeMap<String, Value> = serde_json::from_str(&counts)?;
    // Kernels that fits alone launch are counted for one fit, the rest here.
    for (name, count) in refits {
        counts.entry(name).or_insert(count);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/README.md");
    let text = std::fs::read_to_string(path)?;
    let (start, end) = ("<!-- table -->\n", "<!-- end of table -->");
    let (before, rest) = text.split_once(start).ok_or("kernels/README.md has no place for the table")?;
    let (_, after) = rest.split_once(end).ok_or("kernels/README.md has no end of the table")?;
    std::fs::write(path, format!("{before}{start}{}{end}{after}", table(&counts, &registers)))?;
    Ok(())
}

/// What fits again and again.
fn refit(on: &Cuda) -> Result<(), Stop> {
    let problem = made(CASE, 1);
    let around = problem.on(on);
    let selection = Forward::default().select(on, &[problem.on(on)])?.remove(0);
    Softmax::default().lambda_auto().max_evaluations(1).fit(on, &[Problem::new(&around, &selection)])?;
    on.synchronize()?;
    Ok(())
}

/// Every stage once, fits on both roads.
fn run(on: &Cuda) -> Result<(), Stop> {
    let problem = made(CASE, 1);
    let around = problem.on(on);
    UniformSize::default().perturb(on, &[CASE.features], CASE.rows, 0..CASE.rows, 0, None)?;
    let masks = [Masks::new(on, CASE.rows, CASE.features, on.upload(problem.bits.clone())?)?];
    Proximity::<Cuda>::weigh(&Exponential::default(), on, &masks)?;
    on.check(&around.probabilities)?;
    let selection = Forward::default().select(on, &[problem.on(on)])?.remove(0);
    let list = [Problem::new(&around, &selection)];
    let fitted = Softmax::default().fit(on, &list)?;
    Softmax::default().fit(&on.clone().on_road(Road::ManyLaunches), &list)?;
    Ridge::default().fit(on, &list)?;
    OutOfFold { folds: 0 }.evaluate(on, &list, &fitted, &Softmax::default(), Dependence::Independent)?;
    let tokens = (0..50).map(|t| (t, When::Kept(t as usize % 44))).collect();
    TokenTemplate { tokens }.render(on, &masks[0], 0..64)?;
    let (image, segments) = (vec![0.5f32; 3 * 4096], (0..4096u32).map(|x| x / 64 % 44).collect::<Vec<_>>());
    PixelTemplate::new(on, 3, &image, &image, &segments)?.render(on, &masks[0], 0..16)?;
    let half = vec![0u16; 3 * 4096];
    PixelTemplate::new(on, 3, &half, &half, &segments)?.render(on, &masks[0], 0..16)?;
    on.synchronize()?;
    Ok(())
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

/// Kernel → registers and bytes of static shared memory, from lines "NAME: at most R registers, S bytes of shared memory".
fn read_registers(text: &str) -> BTreeMap<String, (usize, usize)> {
    let number = |text: &str, word: &str| -> Option<usize> {
        text.split(word).next()?.split_whitespace().next_back()?.parse().ok()
    };
    let one = |line: &str| {
        let (name, rest) = line.split_once(": at most ")?;
        Some((name.to_string(), (number(rest, " registers")?, number(rest, " bytes of shared").unwrap_or(0))))
    };
    text.lines().filter_map(one).collect()
}

/// Blocks of `threads` threads that fit a multiprocessor, as a share of its threads.
fn occupancy(registers: usize, shared: usize, threads: usize, most_shared: usize) -> f64 {
    // Registers are given out by warps, 256 at a time.
    let warps = threads / 32;
    let of_warp = (32 * registers).next_multiple_of(256);
    let by_registers = 65536 / (of_warp * warps).max(1);
    // Each block takes 1 KiB of shared memory for itself.
    let by_shared = most_shared / (shared + 1024);
    let blocks = by_registers.min(by_shared).min(2048 / threads).min(32);
    (blocks * threads) as f64 / 2048.0
}

/// Shared memory that a launch adds for these sizes.
fn dynamic(name: &str) -> usize {
    match name {
        "lipex_perturb" => 4 * (2 * 128 * 2 + 128 * 2 / 32),
        "lipex_fit" => 4 * (CASE.classes * 256 + 8 * 544 + 6 * 102),
        _ => 0,
    }
}

fn table(counts: &BTreeMap<String, Value>, registers: &BTreeMap<String, (usize, usize)>) -> String {
    let mut out = String::from(
        "| kernel | registers | shared bytes | threads | occupancy sm_80 / sm_90 | thread instructions | sectors ÷ minimum, read / written | passes ÷ minimum, shared | prediction for 100 instances, µs, A100 / H100 |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, c) in counts {
        let (registers, fixed) = registers.get(name).copied().unwrap_or((0, 0));
        let (threads, shared) = (if name == "lipex_perturb" { 128 } else { 256 }, fixed + dynamic(name));
        let share = |most| 100.0 * occupancy(registers, shared, threads, most);
        let ratio = |kind: &str| {
            let (moved, least) = (c[kind]["moved"].as_f64().unwrap_or(0.0), c[kind]["minimum"].as_f64().unwrap_or(0.0));
            if least > 0.0 { format!("{:.2}", moved / least) } else { "–".into() }
        };
        let number = |a: &str, b: &str| c[a][b].as_f64().unwrap_or(0.0);
        let bytes = 32.0 * (number("loads", "moved") + number("stores", "moved"));
        let instructions = c["thread_instructions"].as_f64().unwrap_or(0.0);
        // Instructions a second of a full device (multiprocessors · 128 lanes · clock), and bytes a second of its memory.
        let predicted = |issue: f64, memory: f64| 100.0 * 1e6 * (instructions / issue).max(bytes / memory);
        let _ = writeln!(
            out,
            "| `{name}` | {registers} | {shared} | {threads} | {:.0} % / {:.0} % | {} | {} / {} | {} | {:.0} / {:.0} |",
            share(164 << 10),
            share(228 << 10),
            c["thread_instructions"],
            ratio("loads"),
            ratio("stores"),
            ratio("shared"),
            predicted(108.0 * 128.0 * 1.41e9, 1.555e12),
            predicted(132.0 * 128.0 * 1.83e9, 3.35e12),
        );
    }
    out
}
