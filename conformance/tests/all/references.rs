//! Reference kernels that tests alone launch, against those that stages launch.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Antithetic, Backend, Bernoulli, Draw, Exhaustive, Exponential, Perturber, ProximityTable, UniformSize,
    WeightProportional,
};
use lipex_cuda::Cuda;
use lipex_cuda::cudarc::driver::{DevicePtr, LaunchConfig, PushKernelArg};
use lipex_cuda::cudarc::nvrtc::Ptx;

const SEED: u64 = 1 << 33 | 5;

/// A law as the kernel takes it: its number, its own number, and the ends of its sizes.
struct Law<'a>(u32, u64, &'a [u64]);

/// Masks of a law by `lipex_perturb_reference`.
fn masks(on: &Cuda, law: &Law<'_>, features: usize, rows: usize) -> Vec<u32> {
    let stream = on.stream();
    let module = stream.context().load_module(Ptx::from_src(lipex_kernels::PERTURB.ptx)).unwrap();
    let kernel = module.load_function("lipex_perturb_reference").unwrap();
    let bits = stream.alloc_zeros::<u32>(rows * features.div_ceil(32)).unwrap();
    let ends = stream.clone_htod(law.2).unwrap();
    let (address_of_bits, _written) = bits.device_ptr(stream);
    let (address_of_ends, _read) = ends.device_ptr(stream);
    let (wide, most) = (features as u64, features as u64);
    let drawing = stream.clone_htod(&[address_of_bits, wide, rows as u64, 0, most, address_of_ends]).unwrap();
    let config =
        LaunchConfig { grid_dim: (rows.div_ceil(128) as u32, 1, 1), block_dim: (128, 1, 1), shared_mem_bytes: 0 };
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&drawing).arg(&law.0).arg(&law.1).arg(&SEED);
    // SAFETY: lipex_perturb_reference(drawings, law, threshold, seed): one drawing of six numbers, whose bits have
    // rows · ⌈features/32⌉ words, and whose ends, for the law that reads them, have as many numbers as features.
    unsafe { builder.launch(config) }.unwrap();
    stream.clone_dtoh(&bits).unwrap()
}

/// Masks of every law, of D at the edges of words and of groups of words.
pub fn masks_of_every_law(on: &Cuda) {
    let shift = u64::from(Draws::new(SEED, 0, 0, Purpose::Masks).draw(0));
    for features in [1, 5, 33, 129, 441] {
        let table: ProximityTable = Exponential::default().table(features);
        let sizes = WeightProportional::sizes(&table).unwrap();
        let threshold = (0.3 * 4_294_967_296.0) as u64;
        let keep = Bernoulli::new(0.3).unwrap();
        let uniform = UniformSize::default();
        let mut laws: Vec<(Law<'_>, &dyn Perturber<Cuda>)> = vec![
            (Law(0, 0, &[0]), &uniform),
            (Law(1, 0, &[0]), &Antithetic),
            (Law(2, threshold, &[0]), &keep),
            (Law(4, shift, sizes.ends()), &WeightProportional),
        ];
        if features < 10 {
            laws.push((Law(3, 0, &[0]), &Exhaustive));
        }
        for (law, drawn) in laws {
            let rows = drawn.total(features, 150).unwrap();
            let tables = std::slice::from_ref(&table);
            let got = drawn.perturb_by(on, &Draw::whole(&[features], rows, SEED), tables).unwrap().remove(0).masks;
            let expected = masks(on, &law, features, rows);
            assert!(on.download(got.bits()).unwrap() == expected, "law {}, D = {features}", law.0);
        }
    }
}
