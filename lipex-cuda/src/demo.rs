//! The demo classifier's net on the device: a model with kernels of its own, as an example of one.
//!
//! # As a pattern
//! A model on the device needs three things: its weights in device memory, a kernel, and a `BlackBox<Cuda, …>` whose answer is
//! a buffer of probabilities. The kernel here takes token ids and lengths, row by row, and gives rows of a softmax; nothing
//! comes back to the host. docs/plugging-in-a-gpu-model.md has the steps for models of other libraries.

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::launch::Shape;
use crate::layout::mirrored;
use crate::render::TokenBatch;
use lipex_core::{Probabilities, Result, expect_len};
use lipex_kernels::DEMO;

/// Hidden units and classes, which the kernel is written for.
const UNITS: usize = 32;
/// Classes of the demo classifier.
const CLASSES: usize = 7;
/// Numbers that the kernel has too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[("demo", "UNITS", UNITS), ("demo", "CLASSES", CLASSES)];

mirrored! {
    /// The net, field by field as the kernel has it.
    "demo" "Net"
    pub(crate) struct Net {
        /// n hashes of known tokens, ascending.
        hashes: u64,
        /// n inverse document frequencies.
        idf: u64,
        /// n × 32 weights.
        hidden: u64,
        /// 32 biases.
        hidden_bias: u64,
        /// 7 × 32 weights.
        output: u64,
        /// 7 biases.
        output_bias: u64,
        /// n.
        tokens: u64,
    }
}

/// The weights of the demo classifier in device memory.
///
/// ```no_run
/// use lipex_cuda::{Cuda, DemoLayers, DemoNet};
///
/// // One known token whose weights are 0: every class is as likely.
/// let (hidden, output) = ([0.0; 32], [0.0; 7 * 32]);
/// let (hidden_bias, output_bias) = ([0.0; 32], [0.0; 7]);
/// let layers = DemoLayers {
///     hashes: &[7],
///     idf: &[1.0],
///     hidden: &hidden,
///     hidden_bias: &hidden_bias,
///     output: &output,
///     output_bias: &output_bias,
/// };
/// let net = DemoNet::new(&Cuda::new()?, layers)?;
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct DemoNet {
    net: DeviceBuffer<u8>,
    _hashes: DeviceBuffer<u32>,
    _numbers: Vec<DeviceBuffer<f32>>,
}

/// The weights as the host has them.
///
/// ```
/// use lipex_cuda::DemoLayers;
///
/// /// As many of each as there are known tokens.
/// fn fits(layers: &DemoLayers<'_>) -> bool {
///     layers.idf.len() == layers.hashes.len() && layers.hidden.len() == 32 * layers.hashes.len()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DemoLayers<'a> {
    /// The hashes of the n known tokens, ascending.
    pub hashes: &'a [u32],
    /// The inverse document frequency of each.
    pub idf: &'a [f32],
    /// Hidden weights, n × 32.
    pub hidden: &'a [f32],
    /// Hidden biases, 32.
    pub hidden_bias: &'a [f32],
    /// Output weights, 7 × 32.
    pub output: &'a [f32],
    /// Output biases, 7.
    pub output_bias: &'a [f32],
}

impl DemoNet {
    /// Copies the weights to the device.
    ///
    /// # Errors
    /// [`Shape`](lipex_core::Error::Shape) when they do not fit together; those of the device.
    pub fn new(on: &Cuda, layers: DemoLayers<'_>) -> Result<Self> {
        let n = layers.hashes.len();
        expect_len("document frequencies", n, layers.idf.len())?;
        expect_len("hidden weights", n * UNITS, layers.hidden.len())?;
        expect_len("hidden biases", UNITS, layers.hidden_bias.len())?;
        expect_len("output weights", CLASSES * UNITS, layers.output.len())?;
        expect_len("output biases", CLASSES, layers.output_bias.len())?;
        let hashes = on.send("predict", layers.hashes)?;
        let lists = [layers.idf, layers.hidden, layers.hidden_bias, layers.output, layers.output_bias];
        let numbers = lists.iter().map(|list| on.send("predict", list)).collect::<Result<Vec<_>>>()?;
        let net = Net {
            hashes: hashes.address(),
            idf: numbers[0].address(),
            hidden: numbers[1].address(),
            hidden_bias: numbers[2].address(),
            output: numbers[3].address(),
            output_bias: numbers[4].address(),
            tokens: n as u64,
        };
        Ok(DemoNet { net: on.send_jobs("predict", &[net])?, _hashes: hashes, _numbers: numbers })
    }

    /// The probabilities of a batch of word hashes, in device memory. Nothing comes back to the host.
    ///
    /// # Errors
    /// Those of the device.
    pub fn predict(&self, on: &Cuda, batch: &TokenBatch) -> Result<Probabilities<Cuda>> {
        let out = on.room::<f32>("predict", batch.rows * CLASSES)?;
        let room = batch.rows * 2 * batch.longest;
        let (known, values) = (on.room::<u32>("predict", room)?, on.room::<f32>("predict", room)?);
        let shape = Shape { grid: (batch.rows.div_ceil(8), 1), threads: 256, shared: 0 };
        let arguments = [
            (&self.net).into(),
            (&batch.ids).into(),
            (&batch.lengths).into(),
            (&known).into(),
            (&values).into(),
            (&out).into(),
            batch.longest.into(),
            batch.rows.into(),
        ];
        // SAFETY: lipex_demo(net, ids, lengths, known, values, p, longest, rows): the net's arrays have the sizes checked when
        // it was made and live with it; ids rows · longest, lengths rows and none above longest, known and values
        // rows · 2 · longest, p rows · 7 numbers.
        unsafe { on.launch("predict", (&DEMO, "lipex_demo", None), shape, &arguments) }?;
        Probabilities::new(on, batch.rows, CLASSES, out)
    }
}
