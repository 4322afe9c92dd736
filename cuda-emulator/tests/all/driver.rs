//! The driver API through cudarc and below it.

use super::common::{alone, context, reports};
use cudarc::driver::{DriverError, LaunchConfig, PushKernelArg, result, sys};
use cudarc::nvrtc::Ptx;

const MODULE: &str = "
.version 8.0
.target sm_75
.address_size 64
.global .align 8 .u64 pointer = total;
.global .align 4 .u32 total = 41;
.const .align 4 .f32 table[4] = {1.5, 0f40000000, -3.0};
.visible .entry add_total(.param .u32 n)
.maxntid 128, 1, 1
{
    .local .align 8 .b8 spare[24];
    .shared .align 4 .b8 tile[96];
    .reg .b32 %r<4>; .reg .b64 %d<4>;
    ld.param.u32 %r1, [n];
    ld.global.u64 %d1, [pointer];
    red.global.add.u32 [%d1], %r1;
    ret;
}
.visible .entry copy(.param .u64 to, .param .u64 from)
{
    .reg .b32 %r<4>; .reg .b64 %d<6>;
    ld.param.u64 %d1, [to]; ld.param.u64 %d2, [from]; mov.u32 %r1, %tid.x; mul.wide.u32 %d3, %r1, 4;
    add.u64 %d4, %d1, %d3; add.u64 %d5, %d2, %d3; ld.global.u32 %r2, [%d5]; st.global.u32 [%d4], %r2;
    ret;
}";

fn one_block(threads: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (1, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes: 0 }
}

#[test]
fn the_device_says_what_it_is() {
    let _alone = alone();
    let context = context();
    assert!(context.name().unwrap().contains("emulator"));
    assert_eq!(context.compute_capability().unwrap(), (8, 0));
    assert_eq!(context.total_mem().unwrap(), 4096 << 20);
    use sys::CUdevice_attribute_enum::*;
    assert_eq!(context.attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE).unwrap(), 32);
    assert_eq!(context.attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN).unwrap(), 166_912);
    assert_eq!(cudarc::driver::CudaContext::device_count().unwrap(), 1);
}

#[test]
fn variables_have_their_first_values() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(MODULE)).unwrap();
    let f = module.load_function("add_total").unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&1u32);
    // SAFETY: the argument is the kernel's.
    unsafe { launch.launch(LaunchConfig { grid_dim: (7, 1, 1), ..one_block(32) }) }.unwrap();
    let total = module.get_global("total", &stream).unwrap();
    assert_eq!(stream.clone_dtoh(&total).unwrap(), (41u32 + 7 * 32).to_le_bytes());
    let table = module.get_global("table", &stream).unwrap();
    let values: Vec<u8> = [1.5f32, 2.0, -3.0, 0.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(stream.clone_dtoh(&table).unwrap(), values);
    assert!(module.get_global("nothing", &stream).is_err());
}

#[test]
fn kernels_have_attributes() {
    let _alone = alone();
    let context = context();
    let module = context.load_module(Ptx::from_src(MODULE)).unwrap();
    let f = module.load_function("add_total").unwrap();
    use sys::CUfunction_attribute_enum::*;
    let get = |which| f.get_attribute(which).unwrap();
    assert_eq!(get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 128);
    assert_eq!(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 96);
    assert_eq!(get(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES), 24);
    assert_eq!(get(CU_FUNC_ATTRIBUTE_PTX_VERSION), 75);
    assert_eq!(get(CU_FUNC_ATTRIBUTE_BINARY_VERSION), 80);
    assert_eq!(get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), 49_152 - 96);
    f.set_attribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100_000).unwrap();
    assert_eq!(get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), 100_000);
    assert!(f.set_attribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 200_000).is_err());
    // 2048 threads and 32 blocks of a multiprocessor; 164 KiB of shared memory, of which a block takes 1 KiB more.
    assert_eq!(f.occupancy_max_active_blocks_per_multiprocessor(128, 0, None).unwrap(), 16);
    assert_eq!(f.occupancy_max_active_blocks_per_multiprocessor(32, 0, None).unwrap(), 32);
    assert_eq!(f.occupancy_max_active_blocks_per_multiprocessor(64, 40_000, None).unwrap(), 4);
    assert!(module.load_function("nothing").is_err());
}

#[test]
fn the_kernel_says_what_it_takes() {
    let _alone = alone();
    let context = context();
    let module = context.load_module(Ptx::from_src(MODULE)).unwrap();
    let f = module.load_function("copy").unwrap();
    type Info = unsafe extern "C" fn(sys::CUfunction, usize, *mut usize, *mut usize) -> i32;
    // SAFETY: the function has this type; the function's handle is the first field that cudarc gives out.
    unsafe {
        let info = super::common::library().get::<Info>("cuFuncGetParamInfo").unwrap();
        let mut sizes = Vec::new();
        let handle = f.cu_function();
        for i in 0..3 {
            let (mut offset, mut size) = (0, 0);
            if info(handle, i, &mut offset, &mut size) == 0 {
                sizes.push((offset, size));
            }
        }
        assert_eq!(sizes, [(0, 8), (8, 8)]);
    }
}

#[test]
fn fills_and_copies() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let mut a = stream.clone_htod(&[1u32, 2, 3, 4, 5]).unwrap();
    let b = stream.alloc_zeros::<u32>(3).unwrap();
    assert_eq!(stream.clone_dtoh(&b).unwrap(), [0; 3]);
    stream.memcpy_dtod(&b.slice(0..2), &mut a.slice_mut(1..3)).unwrap();
    assert_eq!(stream.clone_dtoh(&a).unwrap(), [1, 0, 0, 4, 5]);
    // SAFETY: an unset allocation is read: it shows as NaN, not as zeros that pass by luck.
    let unset = unsafe { stream.alloc::<f32>(2) }.unwrap();
    assert!(stream.clone_dtoh(&unset).unwrap()[0].is_nan());
    drop((a, b, unset));
    context.synchronize().unwrap();
    let (mut n, mut bytes) = (9u64, 9u64);
    // SAFETY: the function has this type.
    unsafe {
        let live = super::common::library()
            .get::<unsafe extern "C" fn(*mut u64, *mut u64) -> i32>("cuda_emulator_live")
            .unwrap();
        assert_eq!(live(&mut n, &mut bytes), 0);
    }
    assert_eq!((n, bytes), (0, 0));
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn a_copy_outside_its_memory_is_refused() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    // SAFETY: the addresses are what is tested; the host's side is valid.
    unsafe {
        let at = result::malloc_sync(16).unwrap();
        let error = result::memcpy_htod_async(at + 4, &[0u32; 4], stream.cu_stream()).expect_err("4 bytes too far");
        assert_eq!(error.0, sys::CUresult::CUDA_ERROR_INVALID_VALUE);
        assert!(reports()[0].contains("16 bytes at offset 4 of an allocation of 16 bytes"), "{:?}", reports());
        let mut host = [0u32; 4];
        assert!(result::memcpy_dtoh_async(&mut host, 12345, stream.cu_stream()).is_err(), "no allocation");
        result::free_sync(at).unwrap();
    }
}

#[test]
fn page_locked_memory_is_read_when_the_work_runs() {
    let _alone = alone();
    let context = context();
    let stream = context.new_stream().unwrap();
    // SAFETY: the host writes while a copy is on its way: on a device either value may arrive. Here it is the later one.
    let mut pinned = unsafe { context.alloc_pinned::<u32>(4) }.unwrap();
    pinned.as_mut_slice().unwrap().copy_from_slice(&[1, 2, 3, 4]);
    let at = pinned.as_ptr().unwrap();
    let mut device = stream.alloc_zeros::<u32>(4).unwrap();
    stream.memcpy_htod(&pinned, &mut device).unwrap();
    // SAFETY: four values of pinned memory that lives on.
    unsafe { at.cast_mut().write(9) };
    assert_eq!(stream.clone_dtoh(&device).unwrap(), [9, 2, 3, 4]);
}

#[test]
fn events_order_streams() {
    let _alone = alone();
    let context = context();
    // SAFETY: the test orders its streams by hand.
    unsafe { context.disable_event_tracking() };
    let (first, second) = (context.new_stream().unwrap(), context.new_stream().unwrap());
    let mut device = first.clone_htod(&[1u32; 8]).unwrap();
    let event = first.record_event(None).unwrap();
    assert!(!event.is_complete(), "work waits until the host does");
    second.wait(&event).unwrap();
    second.memset_zeros(&mut device).unwrap();
    let after = second.record_event(Some(sys::CUevent_flags::CU_EVENT_DEFAULT)).unwrap();
    after.synchronize().unwrap();
    assert!(event.is_complete() && after.is_complete());
    assert_eq!(second.clone_dtoh(&device).unwrap(), [0; 8]);
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn asking_gets_work_done() {
    let _alone = alone();
    let context = context();
    let stream = context.new_stream().unwrap();
    let device = stream.clone_htod(&[1u32; 8]).unwrap();
    let event = stream.record_event(None).unwrap();
    let mut asked = 0;
    while !event.is_complete() {
        asked += 1;
        assert!(asked < 100);
    }
    assert!(asked > 0);
    drop(device);
}

#[test]
fn the_default_stream_waits_for_blocking_streams() {
    let _alone = alone();
    let context = context();
    // SAFETY: the stream is made and ended here; both run in the order of the default stream.
    unsafe {
        context.disable_event_tracking();
        let blocking = result::stream::create(result::stream::StreamKind::Default).unwrap();
        let at = result::malloc_sync(16).unwrap();
        result::memset_d8_async(at, 3, 16, blocking).unwrap();
        let mut host = [0u8; 16];
        result::memcpy_dtoh_async(&mut host, at, std::ptr::null_mut()).unwrap();
        assert_eq!(host, [3; 16]);
        result::memset_d8_async(at, 5, 16, std::ptr::null_mut()).unwrap();
        result::memcpy_dtoh_async(&mut host, at, blocking).unwrap();
        assert_eq!(host, [5; 16]);
        result::free_sync(at).unwrap();
        result::stream::destroy(blocking).unwrap();
    }
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn a_free_too_early_is_a_race() {
    let _alone = alone();
    let context = context();
    // SAFETY: the test orders its streams by hand, and wrongly.
    unsafe {
        context.disable_event_tracking();
        let (first, second) = (context.new_stream().unwrap(), context.new_stream().unwrap());
        let at = result::malloc_async(first.cu_stream(), 64).unwrap();
        let to = result::malloc_async(first.cu_stream(), 64).unwrap();
        first.synchronize().unwrap();
        result::memset_d8_async(at, 1, 64, first.cu_stream()).unwrap();
        second.join(&first).unwrap();
        result::memcpy_dtod_async(to, at, 64, second.cu_stream()).unwrap();
        result::free_async(at, first.cu_stream()).unwrap();
        assert!(context.synchronize().is_err());
    }
    assert!(reports()[0].starts_with("race between streams: "), "{:?}", reports());
    assert!(reports()[0].contains("a free"), "{:?}", reports());
}

#[test]
fn counters_are_by_kernel() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(MODULE)).unwrap().load_function("copy").unwrap();
    let from = stream.clone_htod(&(0..64u32).collect::<Vec<_>>()).unwrap();
    let mut to = stream.alloc_zeros::<u32>(64).unwrap();
    for _ in 0..2 {
        let mut launch = stream.launch_builder(&f);
        launch.arg(&mut to).arg(&from);
        // SAFETY: the arguments are the kernel's.
        unsafe { launch.launch(one_block(64)) }.unwrap();
    }
    assert_eq!(stream.clone_dtoh(&to).unwrap(), (0..64).collect::<Vec<_>>());
    let json = super::common::counters();
    for wanted in [
        "\"copy\":{\"launches\":2,\"warp_instructions\":36,\"thread_instructions\":1152,",
        "\"loads\":{\"accesses\":4,\"moved\":16,\"minimum\":16}",
        "\"sites\":[{\"line\":23,\"opcode\":\"ld.global.u32\",\"traffic\":{\"accesses\":4,\"moved\":16,\"minimum\":16}}",
    ] {
        assert!(json.contains(wanted), "{wanted} in {json}");
    }
}

#[test]
fn errors_have_names_and_texts() {
    super::common::library();
    let error = DriverError(sys::CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
    assert_eq!(error.error_name().unwrap().to_str().unwrap(), "CUDA_ERROR_ILLEGAL_ADDRESS");
    assert_eq!(error.error_string().unwrap().to_str().unwrap(), "an illegal memory access was encountered");
}

#[test]
fn what_is_not_offered_says_so() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let capture = stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    assert_eq!(capture.expect_err("no graphs").0, sys::CUresult::CUDA_ERROR_NOT_SUPPORTED);
}

#[test]
fn every_function_that_cudarc_names_is_there() {
    // The driver functions in cudarc 0.19.10's safe and result layers, for the feature cuda-12000.
    let names = include_str!("../cudarc-functions.txt");
    assert!(names.lines().count() > 80);
    for name in names.lines() {
        // SAFETY: the symbol is looked up, not called.
        let found = unsafe { super::common::library().get::<unsafe extern "C" fn() -> i32>(name) };
        assert!(found.is_ok(), "{name}");
    }
}

#[test]
fn bad_handles_are_codes() {
    let _alone = alone();
    let context = context();
    let bad = 0xdead_0000usize as *mut std::ffi::c_void;
    // SAFETY: handles are numbers to the emulator: it never follows one.
    unsafe {
        let invalid = sys::CUresult::CUDA_ERROR_INVALID_HANDLE;
        assert_eq!(sys::cuStreamSynchronize(bad.cast()), invalid);
        let ended = result::stream::create(result::stream::StreamKind::NonBlocking).unwrap();
        result::stream::destroy(ended).unwrap();
        assert_eq!(sys::cuStreamSynchronize(ended), invalid);
        assert_eq!(sys::cuStreamDestroy_v2(ended), invalid);
        assert_eq!(sys::cuEventRecord(bad.cast(), std::ptr::null_mut()), invalid);
        assert_eq!(sys::cuEventDestroy_v2(bad.cast()), invalid);
        assert_eq!(sys::cuModuleUnload(bad.cast()), invalid);
        assert_eq!(
            sys::cuFuncGetAttribute(&mut 0, sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_NUM_REGS, bad.cast()),
            invalid
        );
        assert_eq!(sys::cuMemAlloc_v2(std::ptr::null_mut(), 16), sys::CUresult::CUDA_ERROR_INVALID_VALUE);
        assert_eq!(
            sys::cuModuleLoadData(std::ptr::null_mut(), std::ptr::null()),
            sys::CUresult::CUDA_ERROR_INVALID_VALUE
        );
    }
    drop(context);
}

#[test]
fn the_default_stream_has_three_names() {
    let _alone = alone();
    let context = context();
    // SAFETY: two special handles that the driver API defines.
    unsafe {
        let at = result::malloc_sync(8).unwrap();
        let [legacy, per_thread] = [1usize, 2].map(|handle| handle as sys::CUstream);
        result::memset_d8_async(at, 1, 8, legacy).unwrap();
        result::memset_d8_async(at, 2, 4, per_thread).unwrap();
        let mut host = [0u8; 8];
        result::memcpy_dtoh_async(&mut host, at, std::ptr::null_mut()).unwrap();
        assert_eq!(host, [2, 2, 2, 2, 1, 1, 1, 1]);
        result::stream::synchronize(per_thread).unwrap();
        result::free_sync(at).unwrap();
    }
    drop(context);
    assert_eq!(reports(), Vec::<String>::new());
}
