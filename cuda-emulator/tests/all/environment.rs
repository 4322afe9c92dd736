//! Settings are read once a process, so each is tried in a process of its own: the test runs itself again.

use std::process::Command;

use super::common::{context, reports};
use cudarc::driver::{CudaContext, LaunchConfig, PushKernelArg, sys};
use cudarc::nvrtc::Ptx;

/// Runs one of the ignored tests below with these variables.
fn child(test: &str, variables: &[(&str, &str)]) {
    let exe = std::env::current_exe().expect("the test's path");
    let mut command = Command::new(exe);
    command.args(["--exact", &format!("environment::{test}"), "--ignored", "--nocapture"]);
    command.envs(variables.iter().copied());
    let output = command.output().expect("a process");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{variables:?}: {text}");
}

const COPY: &str = "
.version 8.0
.target sm_75
.address_size 64
.visible .entry copy(.param .u64 to, .param .u64 from, .param .u32 rounds)
{
    .reg .pred %p; .reg .b32 %r<8>; .reg .b64 %d<6>;
    ld.param.u64 %d1, [to]; ld.param.u64 %d2, [from]; ld.param.u32 %r3, [rounds];
    mov.u32 %r1, %tid.x; mov.u32 %r4, %ctaid.x; mov.u32 %r5, %ntid.x; mad.lo.u32 %r1, %r4, %r5, %r1;
    mul.wide.u32 %d3, %r1, 4; add.u64 %d4, %d1, %d3; add.u64 %d5, %d2, %d3;
AGAIN:
    sub.u32 %r3, %r3, 1; setp.ne.u32 %p, %r3, 0; @%p bra AGAIN;
    ld.global.u32 %r2, [%d5];
    st.global.u32 [%d4], %r2;
    ret;
}";

/// Copies 256 values on the device; `fill` says how many of them the host gives first.
fn copy(fill: usize, rounds: u32) -> Result<Vec<u32>, sys::CUresult> {
    let context = context();
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(COPY)).map_err(|e| e.0)?.load_function("copy").map_err(|e| e.0)?;
    let values: Vec<u32> = (0..256).collect();
    // SAFETY: the unset rest is what is tested.
    let (mut from, mut to) = unsafe { (stream.alloc::<u32>(256).unwrap(), stream.alloc::<u32>(256).unwrap()) };
    stream.memcpy_htod(&values[..fill], &mut from.slice_mut(..fill)).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut to).arg(&from).arg(&rounds);
    let shape = LaunchConfig { grid_dim: (4, 1, 1), block_dim: (64, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(shape) }.map_err(|e| e.0)?;
    stream.clone_dtoh(&to).map_err(|e| e.0)
}

fn all() -> Vec<u32> {
    (0..256).collect()
}

#[test]
fn without_a_device() {
    child("child_without_a_device", &[("CUDA_EMULATOR_DEVICES", "0")]);
}

#[test]
#[ignore = "run by without_a_device"]
fn child_without_a_device() {
    super::common::library();
    let error = CudaContext::new(0).expect_err("no device");
    assert_eq!(error.0, sys::CUresult::CUDA_ERROR_NO_DEVICE);
    assert!(CudaContext::device_count().is_err());
}

#[test]
fn with_a_driver_that_is_too_old() {
    child("child_with_a_driver_that_is_too_old", &[("CUDA_EMULATOR_DRIVER", "11070")]);
}

#[test]
#[ignore = "run by with_a_driver_that_is_too_old"]
fn child_with_a_driver_that_is_too_old() {
    assert_eq!(copy(256, 1), Err(sys::CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION));
    assert!(reports()[0].contains(".version 8.0 is newer than the 7.7"), "{:?}", reports());
}

#[test]
fn with_a_device_that_is_too_old() {
    child("child_with_a_device_that_is_too_old", &[("CUDA_EMULATOR_COMPUTE_CAPABILITY", "7.0")]);
}

#[test]
#[ignore = "run by with_a_device_that_is_too_old"]
fn child_with_a_device_that_is_too_old() {
    assert_eq!(context().compute_capability().unwrap(), (7, 0));
    assert_eq!(copy(256, 1), Err(sys::CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU));
}

#[test]
fn with_little_memory() {
    child("child_with_little_memory", &[("CUDA_EMULATOR_MEMORY", "1")]);
}

#[test]
#[ignore = "run by with_little_memory"]
fn child_with_little_memory() {
    let context = context();
    let stream = context.default_stream();
    let half = stream.alloc_zeros::<u8>(600_000).unwrap();
    assert_eq!(context.mem_get_info().unwrap(), ((1 << 20) - 600_000, 1 << 20));
    let error = stream.alloc_zeros::<u8>(600_000).expect_err("no memory left");
    assert_eq!(error.0, sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY);
    drop(half);
    context.synchronize().unwrap();
    stream.alloc_zeros::<u8>(600_000).unwrap();
}

#[test]
fn unwritten_memory() {
    child("child_unwritten_memory", &[("CUDA_EMULATOR_UNINITIALISED", "1")]);
    child("child_unwritten_memory_copied", &[("CUDA_EMULATOR_UNINITIALISED", "2")]);
}

#[test]
#[ignore = "run by unwritten_memory"]
fn child_unwritten_memory() {
    assert_eq!(copy(256, 1).unwrap(), all());
    assert_eq!(copy(255, 1), Err(sys::CUresult::CUDA_ERROR_LAUNCH_FAILED));
    let report = reports().remove(0);
    assert!(report.starts_with("uninitialised read: byte 1020 of an allocation of 1024 bytes"), "{report}");
    assert!(report.contains("block (3,0,0), thread (63,0,0)"), "{report}");
    super::common::clear();
    let context = context();
    // SAFETY: an unset allocation is copied to the host, which this level allows.
    let unset = unsafe { context.default_stream().alloc::<u32>(4) }.unwrap();
    context.default_stream().clone_dtoh(&unset).unwrap();
}

#[test]
#[ignore = "run by unwritten_memory"]
fn child_unwritten_memory_copied() {
    let context = context();
    let stream = context.default_stream();
    let set = stream.alloc_zeros::<u32>(4).unwrap();
    stream.clone_dtoh(&set).unwrap();
    // SAFETY: the unset allocation is what is tested.
    let unset = unsafe { stream.alloc::<u32>(4) }.unwrap();
    assert!(stream.clone_dtoh(&unset).is_err());
}

#[test]
fn endless_loops() {
    child("child_endless_loops", &[("CUDA_EMULATOR_LOOPS", "1000"), ("CUDA_EMULATOR_QUIET", "1")]);
}

#[test]
#[ignore = "run by endless_loops"]
fn child_endless_loops() {
    assert_eq!(copy(256, 100).unwrap(), all());
    assert_eq!(copy(256, 0), Err(sys::CUresult::CUDA_ERROR_LAUNCH_TIMEOUT));
    assert!(reports()[0].starts_with("endless kernel: "), "{:?}", reports());
}

#[test]
fn order_and_threads_change_nothing() {
    for threads in ["1", "2", "7"] {
        for order in ["forwards", "backwards"] {
            child("child_order", &[("CUDA_EMULATOR_THREADS", threads), ("CUDA_EMULATOR_ORDER", order)]);
        }
    }
}

#[test]
#[ignore = "run by order_and_threads_change_nothing"]
fn child_order() {
    assert_eq!(copy(256, 3).unwrap(), all());
    // Counters are sums: they do not depend on who counted.
    assert!(
        super::common::counters().contains("\"warp_instructions\":176,\"thread_instructions\":5376,"),
        "{}",
        super::common::counters()
    );
}

#[test]
fn order_shows_where_results_depend_on_it() {
    child("child_ticket", &[("CUDA_EMULATOR_ORDER", "forwards"), ("WANTED", "0")]);
    child("child_ticket", &[("CUDA_EMULATOR_ORDER", "backwards"), ("WANTED", "7")]);
}

#[test]
#[ignore = "run by order_shows_where_results_depend_on_it"]
fn child_ticket() {
    const TICKET: &str = ".version 8.0\n.target sm_75\n.address_size 64
.visible .entry ticket(.param .u64 p) { .reg .b64 %d; .reg .b32 %r<3>; .reg .pred %p;
 ld.param.u64 %d, [p]; atom.global.add.u32 %r1, [%d], 1; setp.eq.u32 %p, %r1, 0; mov.u32 %r2, %ctaid.x;
 @%p st.global.u32 [%d+4], %r2; ret; }";
    let context = context();
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(TICKET)).unwrap().load_function("ticket").unwrap();
    let mut counter = stream.alloc_zeros::<u32>(2).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut counter);
    // SAFETY: the argument is the kernel's.
    unsafe { launch.launch(LaunchConfig { grid_dim: (8, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 }) }.unwrap();
    let wanted: u32 = std::env::var("WANTED").unwrap().parse().unwrap();
    assert_eq!(stream.clone_dtoh(&counter).unwrap(), [8, wanted], "the block that came first");
}

#[test]
fn perturbation_moves_results() {
    let values = |flag: &str| {
        let file = std::env::temp_dir().join(format!("cuda-emulator-{}-{flag}", std::process::id()));
        child("child_exponentials", &[("CUDA_EMULATOR_PERTURB", flag), ("RESULT", file.to_str().expect("a path"))]);
        let bytes = std::fs::read(&file).expect("the child's values");
        std::fs::remove_file(file).expect("its file");
        bytes.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>()
    };
    let (plain, moved) = (values("0"), values("1"));
    assert_ne!(plain, moved);
    for (a, b) in plain.iter().zip(&moved) {
        assert!((a - b).abs() <= a * 2f32.powi(-21), "{a} and {b}");
    }
}

#[test]
#[ignore = "run by perturbation_moves_results"]
fn child_exponentials() {
    const POWERS: &str = ".version 8.0\n.target sm_75\n.address_size 64
.visible .entry powers(.param .u64 p) { .reg .b64 %d<4>; .reg .b32 %r; .reg .f32 %f<3>;
 ld.param.u64 %d1, [p]; mov.u32 %r, %tid.x; mul.wide.u32 %d2, %r, 4; add.u64 %d3, %d1, %d2;
 cvt.rn.f32.u32 %f1, %r; mul.f32 %f1, %f1, 0f3DCCCCCD; ex2.approx.f32 %f2, %f1; st.global.f32 [%d3], %f2; ret; }";
    let context = context();
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(POWERS)).unwrap().load_function("powers").unwrap();
    let mut out = stream.alloc_zeros::<f32>(128).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out);
    // SAFETY: the argument is the kernel's.
    unsafe { launch.launch(LaunchConfig { grid_dim: (1, 1, 1), block_dim: (128, 1, 1), shared_mem_bytes: 0 }) }
        .unwrap();
    let bytes: Vec<u8> = stream.clone_dtoh(&out).unwrap().iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(std::env::var("RESULT").unwrap(), bytes).unwrap();
}

#[test]
fn blocks_that_touch_what_another_writes() {
    child("child_blocks_alone", &[("CUDA_EMULATOR_DEVICE_RACES", "0")]);
    child("child_blocks_watched", &[("CUDA_EMULATOR_DEVICE_RACES", "1")]);
    child("child_blocks_watched", &[("CUDA_EMULATOR_DEVICE_RACES", "1"), ("CUDA_EMULATOR_ORDER", "backwards")]);
}

/// Four blocks of 64 threads, each of which adds its numbers up and then does `last`, with its total in %r5.
///
/// `total` takes 4 words, `count` one.
fn totals(last: &str) -> Result<Vec<u32>, sys::CUresult> {
    totals_of(&format!("{last}\nDONE:\n    ret;\n"))
}

/// The same, where `last` has the label DONE and the end.
fn totals_of(last: &str) -> Result<Vec<u32>, sys::CUresult> {
    let source = format!(
        "
.version 8.0
.target sm_75
.address_size 64
.visible .entry totals(.param .u64 total, .param .u64 count, .param .u64 from)
{{
    .reg .pred %p; .reg .b32 %r<9>; .reg .b64 %d<9>;
    ld.param.u64 %d1, [total]; ld.param.u64 %d2, [count]; ld.param.u64 %d3, [from];
    mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x;
    setp.ne.u32 %p, %r1, 0; @%p bra DONE;
    mov.u32 %r3, 0; mov.u32 %r5, 0;
AGAIN:
    shl.b32 %r4, %r2, 6; add.u32 %r4, %r4, %r3; mul.wide.u32 %d4, %r4, 4; add.u64 %d4, %d3, %d4;
    ld.global.u32 %r6, [%d4]; add.u32 %r5, %r5, %r6;
    add.u32 %r3, %r3, 1; setp.lt.u32 %p, %r3, 64; @%p bra AGAIN;
    mul.wide.u32 %d5, %r2, 4; add.u64 %d6, %d1, %d5;
    {last}
}}"
    );
    let context = context();
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(source)).map_err(|e| e.0)?.load_function("totals").map_err(|e| e.0)?;
    let from = stream.clone_htod(&(0..256).collect::<Vec<u32>>()).unwrap();
    let (mut total, mut count) = (stream.alloc_zeros::<u32>(4).unwrap(), stream.alloc_zeros::<u32>(1).unwrap());
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut total).arg(&mut count).arg(&from);
    let shape = LaunchConfig { grid_dim: (4, 1, 1), block_dim: (64, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are the kernel's; what it does with them is what is tested.
    unsafe { launch.launch(shape) }.map_err(|e| e.0)?;
    stream.clone_dtoh(&total).map_err(|e| e.0)
}

/// Each block's own total, written, read again, and counted.
const OWN: &str =
    "st.global.u32 [%d6], %r5; ld.global.u32 %r7, [%d6]; st.global.u32 [%d6], %r7; red.global.add.u32 [%d2], 1;";
/// What a block does to get in another's way.
const MUTANTS: [(&str, &str); 4] = [
    (
        "the neighbour's total is read",
        "xor.b32 %r8, %r2, 1; mul.wide.u32 %d7, %r8, 4; add.u64 %d7, %d1, %d7; ld.global.u32 %r8, [%d7];",
    ),
    ("all write to one place", "st.global.u32 [%d1], %r5;"),
    ("one reads what the others count", "setp.ne.u32 %p, %r2, 2; @%p bra DONE; ld.global.u32 %r8, [%d2];"),
    (
        "what others have read is written",
        "shl.b32 %r4, %r2, 8; add.u32 %r4, %r4, 256; and.b32 %r4, %r4, 1023; cvt.u64.u32 %d8, %r4; add.u64 %d8, %d3, %d8; st.global.u32 [%d8], 1;",
    ),
];

#[test]
#[ignore = "run by blocks_that_touch_what_another_writes"]
fn child_blocks_alone() {
    for (_, mutant) in MUTANTS {
        totals(&format!("{OWN} {mutant}")).unwrap();
    }
    assert!(reports().is_empty());
}

#[test]
#[ignore = "run by blocks_that_touch_what_another_writes"]
fn child_blocks_watched() {
    let expected: Vec<u32> = (0..4).map(|b| (64 * b..64 * b + 64).sum()).collect();
    assert_eq!(totals(OWN).unwrap(), expected);
    // Bytes of a word may be different blocks' own.
    let halves = "mul.wide.u32 %d5, %r2, 2; add.u64 %d6, %d1, %d5; st.global.u16 [%d6], 1;";
    assert_eq!(totals(halves).unwrap()[..2], [0x1_0001, 0x1_0001]);
    assert!(reports().is_empty(), "{:?}", reports());
    // Threads of a block: the total that thread 0 writes at the end is read by another, before or after a barrier.
    let handed = |barrier: &str| {
        format!(
            "st.global.u32 [%d6], %r5;\nDONE: {barrier} setp.ne.u32 %p, %r1, 40; @%p bra END;
             mul.wide.u32 %d5, %r2, 4; add.u64 %d6, %d1, %d5; ld.global.u32 %r7, [%d6];\nEND: ret;\n"
        )
    };
    assert_eq!(totals_of(&handed("bar.sync 0;")).unwrap(), expected);
    assert_eq!(totals_of(&handed("")), Err(sys::CUresult::CUDA_ERROR_LAUNCH_FAILED));
    let report = reports().remove(0);
    assert!(
        report.starts_with("race: reads 4 bytes at offset ") && report.contains("that thread 0 of the block wrote"),
        "{report}"
    );
    super::common::clear();
    for (what, mutant) in MUTANTS {
        let error = totals(&format!("{OWN}\n    {mutant}")).expect_err(what);
        assert_eq!(error, sys::CUresult::CUDA_ERROR_LAUNCH_FAILED, "{what}");
        let report = reports().remove(0);
        assert!(
            report.starts_with("race between blocks: ") && report.contains(" of an allocation of "),
            "{what}: {report}"
        );
        assert!(report.contains("kernel totals, line ") && report.contains("thread (0,0,0)"), "{what}: {report}");
        super::common::clear();
    }
}
