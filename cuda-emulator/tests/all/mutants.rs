//! A correct program and its mutants: each mistake must be found, named, and placed.

use std::sync::Arc;

use super::common::{alone, context, reports};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DriverError, LaunchConfig, PushKernelArg, result, sys,
};
use cudarc::nvrtc::Ptx;

/// Reverses each tile of 64 in shared memory and adds the sum of the warp's inputs.
const SOURCE: &str = "
.version 8.0
.target sm_75
.address_size 64
.visible .entry reverse(.param .u64 out, .param .u64 in, .param .u32 n, .param .u32 extra)
{
    .shared .align 16 .b8 tile[256];
    .reg .pred %p<4>; .reg .b32 %r<20>; .reg .b64 %d<12>;
    ld.param.u64 %d1, [out]; ld.param.u64 %d2, [in]; ld.param.u32 %r1, [n]; ld.param.u32 %r2, [extra];
    mov.u32 %r3, %tid.x; mov.u32 %r4, %ctaid.x; shl.b32 %r5, %r4, 6; add.u32 %r6, %r5, %r3;
    mul.wide.u32 %d3, %r6, 4; add.u64 %d4, %d2, %d3; add.u64 %d5, %d1, %d3;
    ld.global.u32 %r7, [%d4];
    mov.u32 %r8, tile; shl.b32 %r9, %r3, 2; add.u32 %r10, %r8, %r9;
    st.shared.u32 [%r10], %r7;
    bar.sync 0;
    sub.u32 %r11, 63, %r3; shl.b32 %r11, %r11, 2; add.u32 %r12, %r8, %r11;
    ld.shared.u32 %r13, [%r12];
    shfl.sync.bfly.b32 %r14, %r7, 16, 31, -1; add.u32 %r7, %r7, %r14;
    shfl.sync.bfly.b32 %r14, %r7, 8, 31, -1; add.u32 %r7, %r7, %r14;
    shfl.sync.bfly.b32 %r14, %r7, 4, 31, -1; add.u32 %r7, %r7, %r14;
    shfl.sync.bfly.b32 %r14, %r7, 2, 31, -1; add.u32 %r7, %r7, %r14;
    shfl.sync.bfly.b32 %r14, %r7, 1, 31, -1; add.u32 %r7, %r7, %r14;
    add.u32 %r13, %r13, %r7; add.u32 %r13, %r13, %r2;
    setp.ge.u32 %p1, %r6, %r1;
    @%p1 bra DONE;
    st.global.u32 [%d5], %r13;
DONE:
    ret;
}";

const N: usize = 256;

fn function(context: &Arc<CudaContext>, source: &str) -> CudaFunction {
    context.load_module(Ptx::from_src(source)).expect("a module").load_function("reverse").expect("its kernel")
}

fn input() -> Vec<u32> {
    (0..N as u32).map(|i| i * i % 1000).collect()
}

fn expected() -> Vec<u32> {
    let input = input();
    let sum = |i: usize| input[i / 32 * 32..][..32].iter().sum::<u32>();
    (0..N).map(|i| input[i / 64 * 64 + 63 - i % 64] + sum(i) + 7).collect()
}

fn shape(blocks: u32, threads: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes: 0 }
}

fn launch(
    stream: &Arc<CudaStream>,
    f: &CudaFunction,
    out: &mut CudaSlice<u32>,
    input: &CudaSlice<u32>,
    shape: LaunchConfig,
) -> Result<(), DriverError> {
    let n = N as u32;
    let mut launch = stream.launch_builder(f);
    launch.arg(out).arg(input).arg(&n).arg(&7u32);
    // SAFETY: the arguments are the kernel's; what else is wrong is what is tested.
    unsafe { launch.launch(shape) }.map(|_| ())
}

/// Runs `source` on the whole input; gives what comes back.
fn run(source: &str, shape: LaunchConfig) -> Result<Vec<u32>, DriverError> {
    let context = context();
    let stream = context.default_stream();
    let f = function(&context, source);
    let device = stream.clone_htod(&input())?;
    let mut out = stream.alloc_zeros::<u32>(N)?;
    launch(&stream, &f, &mut out, &device, shape)?;
    stream.clone_dtoh(&out)
}

/// The number of the first line that contains `text`.
fn line(source: &str, text: &str) -> usize {
    source.lines().position(|l| l.contains(text)).expect("the line") + 1
}

/// Runs a mutant; its report must have this problem at the line with that text, and the sync must give that code.
fn caught(source: &str, shape: LaunchConfig, problem: &str, at: &str, code: sys::CUresult) -> String {
    assert_ne!(source, "", "a mutant");
    let error = run(source, shape).expect_err(problem);
    assert_eq!(error.0, code, "{problem}");
    let all = reports();
    let first = all.first().expect("a report").clone();
    assert!(first.starts_with(&format!("{problem}: ")), "{first}");
    let place = format!("kernel reverse, line {} ", line(source, at));
    assert!(first.contains(&place), "{first} should be at {place}");
    assert!(first.contains("block (") && first.contains("thread ("), "{first}");
    first
}

/// The program with one text replaced.
fn mutant(from: &str, to: &str) -> String {
    assert_eq!(SOURCE.matches(from).count(), 1, "{from}");
    SOURCE.replace(from, to)
}

const FAILED: sys::CUresult = sys::CUresult::CUDA_ERROR_LAUNCH_FAILED;
const ILLEGAL: sys::CUresult = sys::CUresult::CUDA_ERROR_ILLEGAL_ADDRESS;
const INVALID: sys::CUresult = sys::CUresult::CUDA_ERROR_INVALID_VALUE;

#[test]
fn the_program_is_correct_and_nothing_is_reported() {
    let _alone = alone();
    assert_eq!(run(SOURCE, shape(4, 64)).unwrap(), expected());
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn missing_barrier() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "");
    let report = caught(&source, shape(4, 64), "uninitialised read", "ld.shared", FAILED);
    assert!(report.contains("thread (0,0,0)"), "thread 0 reads what the second warp has not written: {report}");
}

#[test]
fn barrier_missing_between_reading_and_writing_again() {
    let _alone = alone();
    let again = |guard: &str| {
        mutant(
            "ld.shared.u32 %r13, [%r12];",
            &format!("ld.shared.u32 %r13, [%r12]; setp.gt.u32 %p2, %r3, 31;\n {guard} st.shared.u32 [%r10], 0;"),
        )
    };
    // The second warp overwrites what the first has just read.
    let report = caught(&again("@%p2"), shape(4, 64), "race", " @%p2 st.shared", FAILED);
    assert!(report.contains("thread 32 writes shared memory at offset 128 that thread 31 read"), "{report}");
    super::common::clear();
    // The first warp overwrites what the second is about to read.
    let report = caught(&again("@!%p2"), shape(4, 64), "race", "ld.shared.u32 %r13", FAILED);
    assert!(report.contains("thread 32 reads shared memory at offset 124 that thread 31 wrote"), "{report}");
}

#[test]
fn race_within_a_warp() {
    let _alone = alone();
    // Neighbouring lanes exchange through shared memory with nothing between.
    let source = mutant(
        "bar.sync 0;",
        "bar.sync 0; st.shared.u32 [%r10], 1;\n xor.b32 %r15, %r10, 4; ld.shared.u32 %r16, [%r15]; bar.sync 0;",
    );
    caught(&source, shape(4, 64), "race", "ld.shared.u32 %r16", FAILED);
    // With a warp-wide barrier the same exchange is in order.
    let source = source.replace("xor.b32 %r15", "bar.warp.sync -1; xor.b32 %r15");
    super::common::clear();
    run(&source, shape(4, 64)).unwrap();
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn two_lanes_write_one_place() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "bar.sync 0;\n st.shared.u32 [tile], %r3; bar.sync 0;");
    caught(&source, shape(4, 64), "race", "[tile], %r3", FAILED);
}

#[test]
fn wrong_bound() {
    let _alone = alone();
    let source = mutant(
        "setp.ge.u32 %p1, %r6, %r1;",
        "setp.gt.u32 %p1, %r6, %r1; setp.eq.u32 %p2, %r6, 255; @%p2 add.u64 %d5, %d5, 4;",
    );
    let report = caught(&source, shape(4, 64), "out of bounds", "st.global", ILLEGAL);
    assert!(report.contains("4 bytes at offset 1024 of an allocation of 1024 bytes"), "{report}");
    assert!(report.contains("block (3,0,0), thread (63,0,0)"), "{report}");
}

#[test]
fn divergent_barrier() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "setp.lt.u32 %p2, %r3, 40; @!%p2 bra SKIP;\n bar.sync 0;\nSKIP:");
    let report = caught(&source, shape(4, 64), "divergent barrier", " bar.sync 0;", FAILED);
    assert!(report.contains("warp 1"), "{report}");
}

#[test]
fn threads_leave_before_the_barrier() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "setp.ge.u32 %p2, %r3, 32; @%p2 ret;\n bar.sync 0;");
    let report = caught(&source, shape(4, 64), "divergent barrier", " bar.sync 0;", FAILED);
    assert!(report.contains("1 of 2 warps have left"), "{report}");
}

#[test]
fn partial_warp_shuffle() {
    let _alone = alone();
    let source =
        mutant("ld.shared.u32 %r13, [%r12];", "ld.shared.u32 %r13, [%r12]; setp.lt.u32 %p2, %r3, 50; @!%p2 bra DONE;");
    let report = caught(&source, shape(4, 64), "partial warp", "shfl.sync.bfly.b32 %r14, %r7, 16", FAILED);
    assert!(report.contains("names lanes 0xfffc0000"), "{report}");
}

#[test]
fn shuffle_from_a_lane_that_does_not_exist() {
    let _alone = alone();
    // A block of 48 threads has half a warp.
    caught(SOURCE, shape(4, 48), "uninitialised read", "ld.shared.u32 %r13", FAILED);
    let source = mutant("ld.shared.u32 %r13, [%r12];", "mov.u32 %r13, 0;");
    super::common::clear();
    caught(&source, shape(4, 48), "partial warp", "shfl.sync.bfly.b32 %r14, %r7, 16", FAILED);
}

#[test]
fn misaligned_vector_access() {
    let _alone = alone();
    let source = mutant("ld.global.u32 %r7, [%d4];", "ld.global.v2.u32 {%r7, %r16}, [%d4];");
    let report = caught(
        &source,
        shape(4, 64),
        "misaligned access",
        "ld.global.v2",
        sys::CUresult::CUDA_ERROR_MISALIGNED_ADDRESS,
    );
    assert!(report.contains("thread (1,0,0)"), "{report}");
}

#[test]
fn uninitialised_shared_read() {
    let _alone = alone();
    let source = mutant("sub.u32 %r11, 63, %r3;", "sub.u32 %r11, 63, %r3; and.b32 %r11, %r11, 31;")
        .replace("st.shared.u32 [%r10], %r7;", "setp.ne.u32 %p2, %r3, 5; @%p2 st.shared.u32 [%r10], %r7;");
    let report = caught(&source, shape(4, 64), "uninitialised read", "ld.shared", FAILED);
    assert!(report.contains("offset 20 "), "{report}");
}

#[test]
fn use_after_free() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let f = function(&context, SOURCE);
    let device = stream.clone_htod(&input()).unwrap();
    let mut out = stream.alloc_zeros::<u32>(N).unwrap();
    let stale = out.clone();
    launch(&stream, &f, &mut out, &stale, shape(4, 64)).unwrap();
    stream.synchronize().unwrap();
    // The address of memory that is freed before the launch.
    let address = {
        use cudarc::driver::DevicePtr;
        stale.device_ptr(&stream).0
    };
    drop(stale);
    let n = N as u32;
    let mut builder = stream.launch_builder(&f);
    builder.arg(&mut out).arg(&address).arg(&n).arg(&7u32);
    // SAFETY: the dangling address is what is tested.
    unsafe { builder.launch(shape(4, 64)) }.unwrap();
    assert_eq!(stream.synchronize().expect_err("use after free").0, ILLEGAL);
    let report = reports().remove(0);
    assert!(report.starts_with("use after free: 4 bytes at offset 0 of a freed allocation of 1024 bytes"), "{report}");
    assert!(report.contains("line 12 (ld.global.u32), block (0,0,0), thread (0,0,0)"), "{report}");
    drop(device);
}

#[test]
fn wrong_argument_size() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let f = function(&context, SOURCE);
    let mut out = stream.alloc_zeros::<u32>(N).unwrap();
    // The kernel takes 8 bytes for its second parameter; the host has 4, and the next argument right behind.
    let numbers = [5u32, N as u32, 7];
    let mut builder = stream.launch_builder(&f);
    builder.arg(&mut out).arg(&numbers[0]).arg(&numbers[1]).arg(&numbers[2]);
    // SAFETY: the wrong type is what is tested; the bytes behind it are readable.
    let error = unsafe { builder.launch(shape(4, 64)) }.expect_err("wrong size");
    assert_eq!(error.0, INVALID);
    assert!(reports()[0].starts_with("bad launch: reverse: argument 1 "), "{:?}", reports());
}

#[test]
fn wrong_grid_and_block() {
    let _alone = alone();
    for (bad, hint) in [
        (shape(0, 64), "grid (0,1,1) is empty"),
        (shape(4, 0), "block (0,1,1) is empty"),
        (shape(4, 1025), "beyond 1024 threads"),
        (LaunchConfig { grid_dim: (1, 70_000, 1), ..shape(1, 64) }, "grid (1,70000,1)"),
    ] {
        super::common::clear();
        assert_eq!(run(SOURCE, bad).expect_err(hint).0, INVALID);
        assert!(reports()[0].contains(hint), "{:?}", reports());
    }
    super::common::clear();
    let required = mutant("extra)", "extra)\n.reqntid 64, 1, 1");
    assert_eq!(run(&required, shape(4, 32)).expect_err("a block of another size").0, INVALID);
    super::common::clear();
    // A grid that is too large reads past the input.
    let report = caught(SOURCE, shape(5, 64), "out of bounds", "ld.global", ILLEGAL);
    assert!(report.contains("block (4,0,0), thread (0,0,0)"), "{report}");
}

#[test]
fn leak() {
    let _alone = alone();
    let context = context();
    // SAFETY: the memory is never used.
    unsafe { result::malloc_sync(1000) }.unwrap();
    drop(context);
    assert_eq!(reports(), ["leak: 1 allocations of 1000 bytes in all were never freed"]);
}

#[test]
fn unknown_opcode() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "bar.sync 0;\n frob.u32 %r15, %r15;");
    let context = context();
    let error = context.load_module(Ptx::from_src(&source)).expect_err("a refusal");
    assert_eq!(error.0, sys::CUresult::CUDA_ERROR_INVALID_PTX);
    let wanted = format!("ptx, line {}; error : unknown instruction 'frob.u32'", line(&source, "frob"));
    assert_eq!(reports(), [format!("refused module: {wanted}")]);
    // The driver's own way to say so: the log of cuModuleLoadDataEx.
    let text = std::ffi::CString::new(source).unwrap();
    let mut log = vec![0u8; 4096];
    let mut options =
        [sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER, sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];
    let mut values = [log.as_mut_ptr().cast(), log.len() as *mut std::ffi::c_void];
    let mut module = std::ptr::null_mut();
    // SAFETY: two options with their values, a zero-terminated text.
    let code = unsafe {
        sys::cuModuleLoadDataEx(&mut module, text.as_ptr().cast(), 2, options.as_mut_ptr(), values.as_mut_ptr())
    };
    assert_eq!(code, sys::CUresult::CUDA_ERROR_INVALID_PTX);
    assert_eq!(std::ffi::CStr::from_bytes_until_nul(&log).unwrap().to_str().unwrap(), wanted);
}

const DYNAMIC: &str = "
.version 8.0
.target sm_75
.address_size 64
.extern .shared .align 16 .b8 buffer[];
.visible .entry reverse(.param .u64 out)
{
    .reg .b32 %r<6>; .reg .b64 %d<4>;
    ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 2; mov.u32 %r3, buffer; add.u32 %r4, %r3, %r2;
    st.shared.u32 [%r4], %r1;
    ld.shared.u32 %r5, [%r4];
    mul.wide.u32 %d2, %r1, 4; add.u64 %d3, %d1, %d2; st.global.u32 [%d3], %r5;
    ret;
}";

fn run_dynamic(bytes: u32) -> Result<Vec<u32>, DriverError> {
    let context = context();
    let stream = context.default_stream();
    let f = function(&context, DYNAMIC);
    let mut out = stream.alloc_zeros::<u32>(64)?;
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out);
    // SAFETY: the argument is the kernel's.
    unsafe { launch.launch(LaunchConfig { shared_mem_bytes: bytes, ..shape(1, 64) }) }?;
    stream.clone_dtoh(&out)
}

#[test]
fn wrong_shared_size() {
    let _alone = alone();
    assert_eq!(run_dynamic(256).unwrap(), (0..64).collect::<Vec<_>>());
    assert_eq!(run_dynamic(252).expect_err("too small").0, ILLEGAL);
    let report = reports().remove(0);
    assert!(report.starts_with("out of bounds: 4 bytes at offset 252 of 252 bytes of Shared memory"), "{report}");
    assert!(report.contains("line 10 (st.shared.u32), block (0,0,0), thread (63,0,0)"), "{report}");
    super::common::clear();
    assert_eq!(run_dynamic(50_000).expect_err("beyond 48 KiB without asking").0, INVALID);
}

#[test]
fn double_free() {
    let _alone = alone();
    let context = context();
    // SAFETY: the second free is what is tested.
    unsafe {
        let address = result::malloc_sync(16).unwrap();
        result::free_sync(address).unwrap();
        assert_eq!(result::free_sync(address).expect_err("a second free").0, INVALID);
        assert!(reports()[0].starts_with("bad free: allocation of 16 bytes"), "{:?}", reports());
        let address = result::malloc_sync(16).unwrap();
        assert_eq!(result::free_sync(address + 4).expect_err("an address inside").0, INVALID);
        let stream = context.default_stream();
        result::free_async(address, stream.cu_stream()).unwrap();
        assert_eq!(result::free_async(address, stream.cu_stream()).expect_err("a second free").0, INVALID);
    }
}

/// A fill on one stream, the kernel on another, with or without an event between.
fn two_streams(ordered: bool) -> Result<Vec<u32>, DriverError> {
    let context = context();
    // cudarc would put the event there by itself.
    // SAFETY: the test orders its streams by hand.
    unsafe { context.disable_event_tracking() };
    let (first, second) = (context.new_stream()?, context.new_stream()?);
    let f = function(&context, SOURCE);
    let device = first.clone_htod(&input())?;
    let mut out = first.alloc_zeros::<u32>(N)?;
    if ordered {
        second.join(&first)?;
    }
    launch(&second, &f, &mut out, &device, shape(4, 64))?;
    if ordered {
        first.join(&second)?;
    }
    context.synchronize()?;
    first.clone_dtoh(&out)
}

#[test]
fn two_streams_without_an_event() {
    let _alone = alone();
    assert_eq!(two_streams(true).unwrap(), expected());
    assert_eq!(reports(), Vec::<String>::new());
    assert_eq!(two_streams(false).expect_err("a race").0, FAILED);
    let report = reports().remove(0);
    assert!(report.starts_with("race between streams: "), "{report}");
    assert!(report.contains("kernel reverse") && report.contains("no event between"), "{report}");
}

#[test]
fn endless_kernel_and_trap() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "bar.sync 0; setp.eq.u32 %p2, %r3, 70; @%p2 trap;");
    assert_eq!(run(&source, shape(4, 64)).unwrap(), expected());
    let source = mutant("bar.sync 0;", "bar.sync 0; setp.eq.u32 %p2, %r3, 40;\n @%p2 trap;");
    let report = caught(&source, shape(4, 64), "trap", " @%p2 trap", FAILED);
    assert!(report.contains("thread (40,0,0)"), "{report}");
}

#[test]
fn a_fault_stays_until_the_context_ends() {
    let _alone = alone();
    let source = mutant("bar.sync 0;", "bar.sync 0; trap;");
    {
        let context = context();
        assert_eq!(run(&source, shape(4, 64)).expect_err("a trap").0, FAILED);
        assert_eq!(context.synchronize().expect_err("the same fault").0, FAILED);
    }
    assert_eq!(run(SOURCE, shape(4, 64)).unwrap(), expected(), "a new context is a new start");
}

#[test]
fn constant_memory_is_read_only() {
    let _alone = alone();
    let source = SOURCE
        .replace(".visible", ".const .align 4 .u32 table[2] = {7, 9};\n.visible")
        .replace("bar.sync 0;", "bar.sync 0; mov.u64 %d6, table;\n st.global.u32 [%d6], 0;");
    caught(&source, shape(4, 64), "write to read-only memory", "[%d6], 0", ILLEGAL);
}
