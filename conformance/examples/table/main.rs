//! The tables of kernels/README.md, from one run of the paper's sizes on the emulator and from ptxas:
//!
//! ```sh
//! cargo run -p lipex-cuda --example splice -- target/ptx
//! target/cuda/bin/python kernels/assemble.py target/ptx > target/registers.txt
//! cargo run -p lipex-conformance --example table -- target/registers.txt
//! ```
//!
//! A second argument is a folder for the counts themselves, a file a stage, which name the lines of the PTX.
//!
//! Writes what stands in kernels/README.md between its marks. Instructions, sectors and conflicts are counts of the PTX as the
//! emulator executes it, not measurements of a device; times are predictions from them.

mod kernels;
mod predict;
mod stages;

use kernels::{Kernel, kernel};
use predict::{DEVICES, Device};
use stages::{Counts, Stage, Stop};
use std::collections::BTreeMap;
use std::fmt::Write;

fn main() -> Result<(), Stop> {
    let registers = std::env::args().nth(1).ok_or("which file of registers? see the head of this example")?;
    let registers = read_registers(&std::fs::read_to_string(registers)?);
    let stages = stages::run(std::env::args().nth(2).as_deref())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/README.md");
    let mut text = std::fs::read_to_string(path)?;
    let mut rows = Vec::new();
    for (stage, counts) in stages.iter().flat_map(|s| s.counts.iter().map(move |c| (s, c))) {
        let kernel = kernel(counts.0, stage).ok_or(format!("{} is not in kernels.rs", counts.0))?;
        let (taken, fixed) =
            *registers.get(*counts.0).ok_or(format!("{} is not in the file of registers", counts.0))?;
        rows.push(Row {
            stage,
            counts: counts.1,
            registers: taken,
            shared: fixed + kernel.shared,
            name: counts.0,
            kernel,
        });
    }
    between(&mut text, "stages", &stage_table(&stages, &rows))?;
    between(&mut text, "table", &kernel_table(&rows))?;
    between(&mut text, "operations", &operations(&rows))?;
    Ok(std::fs::write(path, text)?)
}

/// A kernel in a stage.
struct Row<'a> {
    stage: &'a Stage,
    name: &'a str,
    counts: &'a Counts,
    kernel: Kernel,
    registers: usize,
    /// Bytes of shared memory a block.
    shared: usize,
}

/// Puts `new` between the marks of a name.
fn between(text: &mut String, name: &str, new: &str) -> Result<(), Stop> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&start).ok_or(format!("kernels/README.md has no place for {name}"))?;
    let (_, after) = rest.split_once(&end).ok_or(format!("kernels/README.md has no end of {name}"))?;
    *text = format!("{before}{start}{new}{end}{after}");
    Ok(())
}

/// Kernel → registers and bytes of static shared memory, from lines "NAME: at most R registers, S bytes of shared memory".
fn read_registers(text: &str) -> BTreeMap<String, (usize, usize)> {
    let number = |text: &str, word: &str| -> Option<usize> {
        text.split(word).next()?.split_whitespace().next_back()?.parse().ok()
    };
    let one = |line: &str| {
        let (name, rest) = line.split_once(": at most ")?;
        Some((name.to_string(), (number(rest, " registers")?, number(rest, " bytes of shared")?)))
    };
    text.lines().filter_map(one).collect()
}

fn stage_table(stages: &[Stage], rows: &[Row<'_>]) -> String {
    let mut out = String::from(
        "| stage | launches | thread instructions | MB moved | one instance, µs: A100 | H100 | 100 instances, µs: A100 | H100 |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for stage in stages {
        let own: Vec<&Row<'_>> = rows.iter().filter(|row| std::ptr::eq(row.stage, stage)).collect();
        let sum = |each: fn(&Counts) -> f64| own.iter().map(|row| each(row.counts)).sum::<f64>();
        let launches = sum(|c| c.launches);
        let (instructions, moved) = (stage.scale * sum(|c| c.threads), stage.scale * sum(Counts::bytes));
        let _ = write!(out, "| {} | {launches} | {:.1} M | {:.2} |", stage.name, instructions / 1e6, moved / 1e6);
        for instances in [1.0, 100.0] {
            for device in &DEVICES {
                let (rate, serial) = predicted(&own, device, instances);
                let _ = write!(out, " {} – {} |", digits(rate), digits(serial));
            }
        }
        out.push('\n');
    }
    out
}

/// A number with two digits or more.
fn digits(x: f64) -> String {
    if x < 9.95 { format!("{x:.1}") } else { format!("{x:.0}") }
}

/// Microseconds of a stage: its kernels one after another.
fn predicted(own: &[&Row<'_>], device: &Device, instances: f64) -> (f64, f64) {
    own.iter().map(|row| predict::time(row, device, instances)).fold((0.0, 0.0), |sum, t| (sum.0 + t.0, sum.1 + t.1))
}

fn kernel_table(rows: &[Row<'_>]) -> String {
    let mut out = String::from(
        "| kernel | stage | registers | shared bytes | threads | occupancy sm_80 / sm_90 | thread instructions | per useful operation | sectors ÷ minimum, read / written | passes ÷ minimum, shared |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    // A kernel of several stages is shown in the first.
    let first = |at: usize| !rows[..at].iter().any(|earlier| earlier.name == rows[at].name);
    for row in (0..rows.len()).filter(|&at| first(at)).map(|at| &rows[at]) {
        let (c, scale) = (row.counts, row.stage.scale);
        let ratio = |t: &stages::Traffic| over(t.moved, t.minimum, 2);
        let share = |device: &Device| 100.0 * predict::occupancy(row, device);
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {:.0} % / {:.0} % | {:.0} | {} | {} / {} | {} |",
            row.name,
            row.stage.name,
            row.registers,
            row.shared,
            row.kernel.threads,
            share(&DEVICES[0]),
            share(&DEVICES[1]),
            scale * c.threads,
            over(c.threads, row.kernel.operations, 1),
            ratio(&c.loads),
            ratio(&c.stores),
            ratio(&c.shared),
        );
    }
    out
}

/// A quotient to so many places; a dash where the divisor is 0.
fn over(a: f64, b: f64, places: usize) -> String {
    if b > 0.0 { format!("{:.places$}", a / b) } else { "–".into() }
}

/// What counts as a useful operation, a line a kernel.
fn operations(rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    let mut said = Vec::new();
    for row in rows.iter().filter(|row| row.kernel.operations > 0.0) {
        if !said.contains(&row.name) {
            said.push(row.name);
            let _ = writeln!(out, "* `{}`: {}", row.name, row.kernel.useful);
        }
    }
    out
}
