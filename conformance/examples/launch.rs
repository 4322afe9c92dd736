//! What a launch costs the host beside the driver's own share, by a kernel that ends at once, on the emulator.
//!
//! `cargo build -p cuda-emulator && cargo run -p lipex-conformance --example launch`; fails at 10 µs.

use lipex_cuda::cudarc::driver::{LaunchConfig, PushKernelArg};
use lipex_cuda::cudarc::nvrtc::Ptx;
use lipex_cuda::{Cuda, launch_nothing};
use std::time::Instant;

/// An argument.
const ZERO: u64 = 0;
/// Launches of a round.
const LAUNCHES: usize = 2000;

/// Microseconds of the host a launch: the best of ten rounds, each waited for after it was timed.
fn cost(on: &Cuda, launch: &dyn Fn()) -> f64 {
    let round = || {
        let begun = Instant::now();
        (0..LAUNCHES).for_each(|_| launch());
        let spent = begun.elapsed().as_secs_f64() * 1e6 / LAUNCHES as f64;
        on.synchronize().unwrap();
        spent
    };
    (0..10).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn main() {
    let program = std::env::current_exe().unwrap();
    let path = program.parent().unwrap().join("../libcuda_emulator.so");
    // SAFETY: the emulator's initialisers do nothing; it stays mapped, so that the driver's name leads to it from now on.
    std::mem::forget(unsafe { libloading::Library::new(&path) }.unwrap());
    let on = Cuda::new().unwrap();
    let module = on.stream().context().load_module(Ptx::from_src(lipex_kernels::BACKEND.ptx)).unwrap();
    let kernel = module.load_function("lipex_gather").unwrap();
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (32, 1, 1), shared_mem_bytes: 0 };
    let bare = || {
        let mut builder = on.stream().launch_builder(&kernel);
        builder.arg(&ZERO).arg(&ZERO).arg(&ZERO).arg(&ZERO).arg(&ZERO);
        // SAFETY: lipex_gather(rows, index, out, width, count) reads and writes nothing where the count is 0.
        unsafe { builder.launch(config) }.unwrap();
    };
    let own = || launch_nothing(&on).unwrap();
    bare();
    own();
    let (bare, own) = (cost(&on, &bare), cost(&on, &own));
    println!(
        "a launch costs the host {own:.2} us, cudarc and the driver {bare:.2} us of them: {:.2} us beside",
        own - bare
    );
    assert!(own - bare < 10.0, "a launch costs {:.2} us beside the driver's", own - bare);
}
