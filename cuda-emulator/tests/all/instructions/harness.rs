//! Runs PTX on the interpreter directly, without the driver.

use std::collections::HashMap;

use cuda_emulator::decode::{self, Settings, program::Program};
use cuda_emulator::exec::launch::{Counters, Launch, Limits};
use cuda_emulator::memory::heap::Heap;
use cuda_emulator::ptx;
use cuda_emulator::report::Report;

/// The head of every module here.
pub const HEAD: &str = ".version 8.0\n.target sm_80\n.address_size 64\n";

/// Decodes the first kernel of `source`.
pub fn program(source: &str, perturb: bool) -> Result<Program, ptx::Refusal> {
    let module = ptx::parse(source)?;
    let addresses: HashMap<String, u64> = module.variables.iter().map(|v| (v.name.clone(), 0)).collect();
    decode::decode(&module, &module.kernels[0], &Settings { addresses: &addresses, perturb })
}

/// Runs a kernel whose parameters are device buffers; gives them back, with the counters.
pub fn run(
    source: &str,
    shape: (u32, u32),
    shared: u32,
    buffers: &[Vec<u64>],
) -> Result<(Vec<Vec<u64>>, Counters), Box<Report>> {
    run_decoded(&program(source, false).unwrap_or_else(|r| panic!("{r}\n{source}")), shape, shared, buffers)
}

/// As [`run`], for a decoded kernel.
pub fn run_decoded(
    program: &Program,
    (blocks, threads): (u32, u32),
    shared: u32,
    buffers: &[Vec<u64>],
) -> Result<(Vec<Vec<u64>>, Counters), Box<Report>> {
    let mut heap = Heap::default();
    let mut params = Vec::new();
    let mut places = Vec::new();
    for buffer in buffers {
        let bytes = 8 * buffer.len() as u64;
        let at = heap.allocate(bytes, false, true).expect("memory");
        let Ok(spot) = heap.spot(at, bytes, true) else { panic!("a fresh allocation") };
        // SAFETY: the spot was found for that many bytes, and nothing runs.
        unsafe { std::ptr::copy_nonoverlapping(buffer.as_ptr().cast::<u8>(), spot.pointer(), bytes as usize) };
        params.extend(at.to_le_bytes());
        places.push((spot, buffer.len()));
    }
    let launch = Launch {
        program,
        grid: [blocks, 1, 1],
        block: [threads, 1, 1],
        dynamic_shared: shared,
        params: &params,
        heap: &heap,
        recorder: None,
        between: None,
    };
    launch.check(48 << 10).map_err(Box::new)?;
    let counters = launch.run(&Limits { threads: 2, loops: 1_000_000, backwards: false })?;
    let read = |(spot, n): &(cuda_emulator::memory::heap::Spot, usize)| {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(spot.pointer().cast::<u64>(), *n) }.to_vec()
    };
    Ok((places.iter().map(read).collect(), counters))
}

/// Register type and load/store type of a width.
fn storage(bits: u32) -> (&'static str, &'static str) {
    match bits {
        1 => ("pred", "u32"),
        8 | 16 => ("b16", "u16"),
        32 => ("b32", "u32"),
        _ => ("b64", "u64"),
    }
}

/// A kernel that applies `text` (with `D`, `A`, `B`, `C` for its operands) to a row of operands for each thread.
pub fn kernel(text: &str, to: u32, from: &[u32]) -> String {
    let mut out = format!("{HEAD}.visible .entry k(.param .u64 p0, .param .u64 p1)\n{{\n");
    out += " .reg .pred %q<8>; .reg .b32 %i<8>; .reg .b64 %a<8>;\n";
    out += &format!(" .reg .{} %d; .reg .pred %ca;\n", storage(to).0);
    out += " ld.param.u64 %a1, [p0]; ld.param.u64 %a2, [p1];\n mov.u32 %i1, %ctaid.x; mov.u32 %i2, %ntid.x;\n";
    out += " mov.u32 %i3, %tid.x; mad.lo.u32 %i4, %i1, %i2, %i3; mul.wide.u32 %a3, %i4, 8; add.u64 %a4, %a2, %a3;\n";
    out += " mul.wide.u32 %a5, %i4, 32; add.u64 %a6, %a1, %a5;\n";
    for (i, &bits) in from.iter().enumerate() {
        let name = ["%A", "%B", "%C", "%E"][i];
        let (register, load) = storage(bits);
        out += &format!(" .reg .{register} {name};\n");
        if bits == 1 {
            out += &format!(" ld.global.u32 %i5, [%a6+{}]; setp.ne.u32 {name}, %i5, 0;\n", 8 * i);
        } else {
            out += &format!(" ld.global.{load} {name}, [%a6+{}];\n", 8 * i);
        }
    }
    let text = named(text);
    out += &format!(" {text};\n");
    out += " mov.b64 %a7, 0; st.global.u64 [%a4], %a7;\n";
    out += match to {
        1 => " selp.u32 %i6, 1, 0, %d; st.global.u32 [%a4], %i6;\n",
        8 | 16 => " st.global.u16 [%a4], %d;\n",
        32 => " st.global.u32 [%a4], %d;\n",
        _ => " st.global.u64 [%a4], %d;\n",
    };
    out + " ret;\n}\n"
}

/// The letters that stand for operands, as registers.
fn named(text: &str) -> String {
    let bytes = text.as_bytes();
    let part = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'%');
    let mut out = String::new();
    for (i, c) in text.char_indices() {
        let alone = !part(i.checked_sub(1)) && !part(Some(i + 1));
        match c {
            'D' if alone => out += "%d",
            'A' | 'B' | 'C' | 'E' if alone => out += &format!("%{c}"),
            _ => out.push(c),
        }
    }
    out
}

/// Applies an instruction to rows of up to four operands.
pub fn apply(text: &str, to: u32, from: &[u32], rows: &[[u64; 4]], perturb: bool) -> Vec<u64> {
    let source = kernel(text, to, from);
    let program = program(&source, perturb).unwrap_or_else(|r| panic!("{r}\n{source}"));
    let threads = 128;
    let blocks = (rows.len() as u32).div_ceil(threads);
    let mut input: Vec<u64> = rows.iter().flatten().copied().collect();
    input.resize((4 * blocks * threads) as usize, 0);
    let out = vec![0; (blocks * threads) as usize];
    let (buffers, _) =
        run_decoded(&program, (blocks, threads), 0, &[input, out]).unwrap_or_else(|r| panic!("{text}: {r}"));
    buffers[1][..rows.len()].to_vec()
}

/// Checks an instruction over every combination of `values[i]` for operand i.
pub fn check(text: &str, to: u32, from: &[u32], values: &[Vec<u64>], expect: impl Fn([u64; 4]) -> u64) {
    let rows = product(values);
    assert!(rows.len() > 3, "{text}: too few values to mean anything");
    let got = apply(text, to, from, &rows, false);
    for (row, got) in rows.iter().zip(got) {
        let want = expect(*row);
        assert_eq!(got, want, "{text} of {:x?}: got {got:#x}, want {want:#x}", &row[..from.len()]);
    }
}

/// Every combination.
pub fn product(values: &[Vec<u64>]) -> Vec<[u64; 4]> {
    let mut rows = vec![[0; 4]];
    for (i, column) in values.iter().enumerate() {
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(move |&v| {
                    let mut row = *row;
                    row[i] = v;
                    row
                })
            })
            .collect();
    }
    rows
}

/// Integers at the edges of a width.
pub fn integers(bits: u32) -> Vec<u64> {
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let half = 1u64 << (bits - 1);
    let mut v = vec![0, 1, 2, 3, 7, 31, 32, 33, 100, 0x55, 0xf0, half - 1, half, half + 1, mask - 1, mask, mask / 3];
    v.extend([0x1234_5678_9abc_def0 & mask, 0xdead_beef & mask, !31 & mask, !0x55 & mask]);
    v.sort_unstable();
    v.dedup();
    v
}

/// Single precision at its edges: zeros, subnormals, ties, overflow, infinities, NaNs.
pub fn singles() -> Vec<u64> {
    let mut v: Vec<u32> = vec![
        0,
        1,
        0x007f_ffff,
        0x0080_0000,
        0x0080_0001,
        0x3380_0000,
        0x3f00_0000,
        0x3f7f_ffff,
        0x3f80_0000,
        0x3f80_0001,
        0x3fc0_0000,
        0x4020_0000,
        0x4049_0fdb,
        0x4b00_0001,
        0x4b80_0000,
        0x4f00_0000,
        0x5f00_0000,
        0x7f7f_ffff,
        0x7f80_0000,
    ];
    v.extend(v.clone().iter().map(|x| x | 1 << 31));
    v.extend([0x7fc0_0000, 0x7f80_0001, 0xffc1_2345]);
    v.into_iter().map(u64::from).collect()
}

/// Double precision at its edges.
pub fn doubles() -> Vec<u64> {
    let mut v: Vec<f64> = vec![
        0.0,
        f64::from_bits(1),
        f64::MIN_POSITIVE,
        0.5,
        1.0,
        1.0 + f64::EPSILON,
        1.5,
        2.5,
        std::f64::consts::PI,
        16_777_217.0,
        9_007_199_254_740_993.0,
        4_294_967_296.5,
        1e39,
        1e-40,
        f64::MAX,
        f64::INFINITY,
    ];
    v.extend(v.clone().iter().map(|x| -x));
    v.push(f64::NAN);
    v.into_iter().map(f64::to_bits).collect()
}

/// The bits that single precision results have here.
pub fn single(x: f32) -> u64 {
    u64::from(if x.is_nan() { 0x7fff_ffff } else { x.to_bits() })
}

/// The bits that double precision results have here.
pub fn double(x: f64) -> u64 {
    if x.is_nan() { 0x7ff8_0000_0000_0000 } else { x.to_bits() }
}

/// A single from the low bits.
pub fn f(x: u64) -> f32 {
    f32::from_bits(x as u32)
}

/// A double.
pub fn d(x: u64) -> f64 {
    f64::from_bits(x)
}
