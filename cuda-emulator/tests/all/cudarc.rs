//! Unmodified cudarc on the emulator.

use super::common::{alone, context};
use cudarc::driver::{LaunchConfig, PushKernelArg};
use cudarc::nvrtc::Ptx;

const SCALE: &str = "
.version 8.0
.target sm_75
.address_size 64
.visible .entry scale(.param .u64 out, .param .u64 in, .param .f32 factor, .param .u32 n)
{
    .reg .pred %p<2>; .reg .f32 %f<4>; .reg .b32 %r<6>; .reg .b64 %rd<8>;
    ld.param.u64 %rd1, [out];
    ld.param.u64 %rd2, [in];
    ld.param.f32 %f1, [factor];
    ld.param.u32 %r1, [n];
    mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
    mad.lo.s32 %r5, %r2, %r3, %r4;
    setp.ge.s32 %p1, %r5, %r1;
    @%p1 bra DONE;
    cvta.to.global.u64 %rd3, %rd1; cvta.to.global.u64 %rd4, %rd2;
    mul.wide.s32 %rd5, %r5, 4;
    add.s64 %rd6, %rd4, %rd5; add.s64 %rd7, %rd3, %rd5;
    ld.global.f32 %f2, [%rd6];
    mul.f32 %f3, %f2, %f1;
    st.global.f32 [%rd7], %f3;
DONE:
    ret;
}";

#[test]
fn runs_a_kernel() {
    let _alone = alone();
    let context = context();
    println!("device: {}", context.name().unwrap());
    let stream = context.default_stream();
    let f = context.load_module(Ptx::from_src(SCALE)).unwrap().load_function("scale").unwrap();
    let input: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let device = stream.clone_htod(&input).unwrap();
    let mut out = stream.alloc_zeros::<f32>(1000).unwrap();
    let (factor, n) = (2.5f32, 1000u32);
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out).arg(&device).arg(&factor).arg(&n);
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(LaunchConfig::for_num_elems(1000)) }.unwrap();
    let result = stream.clone_dtoh(&out).unwrap();
    assert_eq!(result, input.iter().map(|x| x * 2.5).collect::<Vec<_>>());
}

/// Philox as its authors give it, for the counter (i, 0, 0, 0).
fn philox(i: u32, mut key: [u32; 2]) -> [u32; 4] {
    let mut c = [i, 0, 0, 0];
    for _ in 0..10 {
        let (a, b) = (0xD251_1F53u64 * u64::from(c[0]), 0xCD9E_8D57u64 * u64::from(c[2]));
        c = [(b >> 32) as u32 ^ c[1] ^ key[0], b as u32, (a >> 32) as u32 ^ c[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

#[test]
fn compiled_philox_equals_rust() {
    let _alone = alone();
    assert_eq!(philox(0, [0, 0]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8], "the published answer");
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(include_str!("../ptx/philox.ptx"))).unwrap();
    let f = module.load_function("philox").unwrap();
    let n = 1000i32;
    let mut out = stream.alloc_zeros::<u32>(4 * n as usize).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out).arg(&7u32).arg(&9u32).arg(&n);
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(LaunchConfig::for_num_elems(n as u32)) }.unwrap();
    let expected: Vec<u32> = (0..n as u32).flat_map(|i| philox(i, [7, 9])).collect();
    assert_eq!(stream.clone_dtoh(&out).unwrap(), expected);
}

#[test]
fn compiled_functions_are_close_to_rust() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(include_str!("../ptx/mathematics.ptx"))).unwrap();
    let f = module.load_function("functions").unwrap();
    let n = 777;
    let a: Vec<f32> = (0..n).map(|i| (i as f32 - 380.0) / 50.0 + 0.003).collect();
    let b: Vec<f32> = (0..n).map(|i| (i as f32 + 1.0) / 90.0).collect();
    let (da, db) = (stream.clone_htod(&a).unwrap(), stream.clone_htod(&b).unwrap());
    let mut out = stream.alloc_zeros::<f32>(15 * n).unwrap();
    let mut launch = stream.launch_builder(&f);
    let count = n as i32;
    launch.arg(&mut out).arg(&da).arg(&db).arg(&count);
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(LaunchConfig::for_num_elems(n as u32)) }.unwrap();
    let out = stream.clone_dtoh(&out).unwrap();
    for i in 0..n {
        let (x, y) = (f64::from(a[i]), f64::from(b[i]));
        let q = (a[i] * 1000.0) as i64;
        let expected = [
            x.exp(),
            y.ln(),
            x.sin(),
            f64::from(100000.0 * a[i]).cos(),
            y.powf(x),
            x / y,
            1.0 / y.sqrt(),
            x.tanh(),
            x.exp(),
            x / y,
            f64::NAN,
            y.sqrt(),
            x.floor() + y.ceil() + x.trunc() + y.round_ties_even(),
            x * x / 3.0 + x.abs() + x.exp() + y.ln(),
            (q % 7) as f64 + (q / 11) as f64 + f64::from(q as u32 % 13),
        ];
        for (k, want) in expected.into_iter().enumerate().filter(|(k, _)| *k != 10) {
            let got = f64::from(out[k * n + i]);
            let tolerance = 2e-6 * want.abs().max(1e-1);
            assert!((got - want).abs() <= tolerance, "function {k} of {x}, {y}: {got}, not {want}");
        }
    }
}

#[test]
fn compiled_block_sum_adds_up() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(include_str!("../ptx/mathematics.ptx"))).unwrap();
    let f = module.load_function("block_sum").unwrap();
    let (blocks, threads) = (5u32, 128u32);
    let input: Vec<f32> = (0..blocks * threads).map(|i| (i % 17) as f32).collect();
    let device = stream.clone_htod(&input).unwrap();
    let mut out = stream.alloc_zeros::<f32>(blocks as usize).unwrap();
    let mut votes = stream.alloc_zeros::<u32>(2).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out).arg(&device).arg(&mut votes);
    let shape = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes: 4 * threads };
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(shape) }.unwrap();
    let sums: Vec<f32> = input.chunks(threads as usize).map(|c| c.iter().sum()).collect();
    assert_eq!(stream.clone_dtoh(&out).unwrap(), sums);
    assert_eq!(stream.clone_dtoh(&votes).unwrap(), [16 * blocks, 5]);
}

/// `horner` of functions.cu.
fn horner(x: f32, c: &[f32]) -> f32 {
    let mut s = 0.0f32;
    for &c in c {
        if c > 1e30 {
            return -1.0;
        }
        s = s.mul_add(x, c);
    }
    s
}

#[test]
fn compiled_functions_are_called() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(include_str!("../ptx/functions.ptx"))).unwrap();
    let f = module.load_function("functions").unwrap();
    let n = 50usize;
    let input: Vec<f32> = (0..n).map(|i| i as f32 / 20.0 - 1.2).collect();
    let device = stream.clone_htod(&input).unwrap();
    let mut out = stream.alloc_zeros::<f32>(2 * n).unwrap();
    let count = n as i32;
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out).arg(&device).arg(&count);
    let shape = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (n as u32, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(shape) }.unwrap();
    let out = stream.clone_dtoh(&out).unwrap();
    for (i, &x) in input.iter().enumerate() {
        let c = [1.0, 2.0, 3.0, if i == 7 { 1e31 } else { 4.0 }];
        let want = if i % 2 == 1 { horner(x, &c) + horner(-x, &c) } else { horner(x, &c[..i % 5]) };
        assert_eq!(out[i], want, "lane {i}: a function that returns early in some lanes");
        let power = (f64::from(x) + 2.0).powf(1.5 + (i % 3) as f64);
        assert!((f64::from(out[n + i]) - power).abs() < 1e-6 * power, "{power} and {}", out[n + i]);
    }
}

#[test]
fn compiled_switch_goes_everywhere() {
    let _alone = alone();
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(Ptx::from_src(include_str!("../ptx/functions.ptx"))).unwrap();
    let f = module.load_function("table").unwrap();
    let cases: Vec<i32> = (0..64).map(|i| i % 11).collect();
    let before: Vec<i32> = (0..64).map(|i| 1000 - 37 * i).collect();
    let input = stream.clone_htod(&cases).unwrap();
    let mut out = stream.clone_htod(&before).unwrap();
    let mut launch = stream.launch_builder(&f);
    launch.arg(&mut out).arg(&input);
    let shape = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (64, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are the kernel's.
    unsafe { launch.launch(shape) }.unwrap();
    let want = cases.iter().zip(&before).map(|(&x, &o)| match x {
        0 => x * 3 + o,
        1 => x ^ (o << 2),
        2 => x - o * 7,
        3 => o.leading_zeros() as i32,
        4 => o.count_ones() as i32 + 9,
        5 => o % 13,
        6 => o / 3,
        7 => o & 0x55,
        8 => o.reverse_bits(),
        _ => -1,
    });
    assert_eq!(stream.clone_dtoh(&out).unwrap(), want.collect::<Vec<_>>());
}
