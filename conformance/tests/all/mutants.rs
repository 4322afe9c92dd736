//! Mistakes made on purpose in the committed kernels, one at a time: the suite must notice each.
//!
//! A mutant is a line of PTX changed: a comparison flipped, a barrier dropped, a sum made a difference, a constant off by
//! one. The emulator changes the line when the module is loaded, in a process of its own that runs the tests of that kernel.
//! Which lines is drawn from a seed, some for each kernel. A test that runs them all is ignored by default, since each takes
//! as long as the tests it is given to.
//!
//! ```sh
//! cargo test -p lipex-conformance --test all -- --ignored mutants --nocapture
//! ```
//!
//! 25 November 2026, seed 1: of 134 mutants of all kernels 116 are noticed, and 18 make no difference.

use lipex_core::philox::{Draws, Purpose};
use lipex_kernels::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A changed line of a kernel.
struct Mutant {
    kernel: &'static str,
    /// Which of the kernel's lines of that text.
    which: usize,
    from: String,
    to: String,
}

/// An operator: what a line becomes, if it is one that the operator changes.
type Change = fn(&str) -> Option<String>;

/// The line with one opcode for another, either way.
fn swapped(line: &str, pairs: &[(&str, &str)]) -> Option<String> {
    pairs.iter().find_map(|&(a, b)| {
        let (a, b) = if line.starts_with(a) { (a, b) } else { (b, a) };
        line.strip_prefix(a).map(|rest| format!("{b}{rest}"))
    })
}

fn comparison(line: &str) -> Option<String> {
    let pairs =
        [("setp.lt.", "setp.le."), ("setp.gt.", "setp.ge."), ("setp.eq.", "setp.ne."), ("setp.leu.", "setp.gtu.")];
    swapped(line, &pairs)
}

fn barrier(line: &str) -> Option<String> {
    (line.starts_with("bar.sync") || line.starts_with("bar.warp.sync")).then(String::new)
}

/// Arithmetic of numbers; addresses are 64-bit integers, and a wrong one is an access out of bounds.
fn arithmetic(line: &str) -> Option<String> {
    let pairs = [("add.f32", "sub.f32"), ("add.f64", "sub.f64"), ("add.s32", "sub.s32"), ("min.u32", "max.u32")];
    let more = [("and.b32", "or.b32"), ("mul.f32", "add.f32"), ("mul.f64", "add.f64"), ("shl.b32", "shr.u32")];
    swapped(line, &pairs).or_else(|| swapped(line, &more))
}

/// The last operand, a constant of two digits at most, one more.
fn constant(line: &str) -> Option<String> {
    let (rest, last) = line.strip_suffix(';')?.rsplit_once(", ")?;
    let number: u32 = last.parse().ok().filter(|n| *n < 100)?;
    let arithmetic = ["setp.", "add.s32", "shl.", "shr.", "and.b32", "mad.lo"].iter().any(|op| line.starts_with(op));
    arithmetic.then(|| format!("{rest}, {};", number + 1))
}

const CHANGES: [Change; 4] = [comparison, barrier, arithmetic, constant];

/// The lines of a kernel of a file.
fn lines_of(file: &File, kernel: &str) -> Vec<String> {
    let start = file.ptx.find(&format!(".entry {kernel}(")).unwrap();
    let body = &file.ptx[start..];
    let body = body.find(".visible .entry ").map_or(body, |end| &body[..end]);
    body.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// For each kernel of a file, and for each operator that finds a line there, a mutant.
fn drawn(file: &File, seed: u64) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (k, (kernel, _)) in file.kernels().into_iter().enumerate() {
        let lines = lines_of(file, kernel);
        for (o, change) in CHANGES.iter().enumerate() {
            let places: Vec<(usize, String)> =
                lines.iter().enumerate().filter_map(|(i, l)| Some((i, change(l)?))).collect();
            if places.is_empty() {
                continue;
            }
            let draw = Draws::new(seed, k as u32, o as u32, Purpose::Starts).unit(0);
            let (at, to) = &places[(draw * places.len() as f64) as usize];
            let from = lines[*at].clone();
            let which = lines[..*at].iter().filter(|l| **l == from).count();
            mutants.push(Mutant { kernel, which, from, to: to.clone() });
        }
    }
    mutants
}

/// A line whose change makes no difference: its kernel, which of the kernel's lines of that text, the text, and why.
pub type Equivalent = (&'static str, usize, &'static str, &'static str);

/// Passes if every line whose change makes no difference is still one of its kernel.
pub fn are_lines_of_their_kernels(files: &[(&File, &[&str])], equivalent: &[Equivalent]) {
    for (kernel, which, line, _) in equivalent {
        let file = files.iter().find(|(file, _)| file.kernels().iter().any(|(name, _)| name == kernel));
        let lines = file.map_or_else(Vec::new, |(file, _)| lines_of(file, kernel));
        assert!(
            lines.iter().filter(|l| l == line).nth(*which).is_some(),
            "{kernel} has no line {which} of {line:?} any more: its PTX has changed since that mutant was judged. Run \
             `LIPEX_MUTANTS={kernel} cargo test -p lipex-conformance --test all -- --ignored mutants --nocapture`; give a \
             mutant that survives a test, or, if it makes no difference, put its line and the reason in the place of this \
             one in EQUIVALENT; if none survives, take this one out"
        );
    }
}

/// How a mutant ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// A test failed, or went on without end.
    Noticed,
    Survived,
    /// No test loaded the line.
    NotLoaded,
}

/// Runs this program's tests whose names have one of these texts, on a mutant, strictly.
fn run(mutant: &Mutant, tests: &[&str]) -> End {
    let patch = format!("{}|{}|{}|{}", mutant.kernel, mutant.which, mutant.from, mutant.to);
    let errors = std::env::temp_dir().join(format!("lipex-mutant-{}", std::process::id()));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(tests).args(["--test-threads", "1"]).env("CUDA_EMULATOR_PATCH", patch);
    command.env("LIPEX_CUDA", "emulator").env("CUDA_EMULATOR_LOOPS", "50000000");
    command.env("CUDA_EMULATOR_DEVICE_RACES", "1").env("CUDA_EMULATOR_UNINITIALISED", "1");
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&errors).unwrap());
    let mut child = command.arg("--nocapture").spawn().unwrap();
    let begun = Instant::now();
    let succeeded = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.success();
        }
        if begun.elapsed() > Duration::from_secs(300) {
            child.kill().unwrap();
            child.wait().unwrap();
            break false;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let loaded = std::fs::read(&errors).is_ok_and(|text| String::from_utf8_lossy(&text).contains("patched"));
    std::fs::remove_file(&errors).ok();
    match (loaded, succeeded) {
        (false, _) => End::NotLoaded,
        (true, true) => End::Survived,
        (true, false) => End::Noticed,
    }
}

/// Draws mutants of some files, gives each to its file's tests, and passes if all are noticed but those that make no
/// difference.
pub fn all_are_noticed(files: &[(&File, &[&str])], equivalent: &[Equivalent]) {
    let only = std::env::var("LIPEX_MUTANTS").unwrap_or_default();
    let seed = std::env::var("LIPEX_MUTANTS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut noticed, mut excused, mut holes) = (0, 0, Vec::new());
    for (file, tests) in files {
        for mutant in drawn(file, seed).into_iter().filter(|m| m.kernel.contains(&only)) {
            let begun = Instant::now();
            let end = run(&mutant, tests);
            let text = format!("{}, line {} of {:?} -> {:?}", mutant.kernel, mutant.which, mutant.from, mutant.to);
            println!("{end:?} in {:.0} s: {text}", begun.elapsed().as_secs_f64());
            let place = (mutant.kernel, mutant.which, mutant.from.as_str());
            let why = equivalent.iter().find(|(kernel, which, line, _)| (*kernel, *which, *line) == place);
            match (end, why) {
                (End::Noticed, _) => noticed += 1,
                (End::Survived, Some((_, _, _, why))) => {
                    println!("    which makes no difference: {why}");
                    excused += 1;
                }
                _ => holes.push(text),
            }
        }
    }
    println!("{noticed} noticed, {excused} without a difference, {} holes", holes.len());
    assert!(noticed > 0 && holes.is_empty(), "not noticed:\n{}", holes.join("\n"));
}
