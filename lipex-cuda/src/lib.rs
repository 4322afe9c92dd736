//! The CUDA backend of lipex: every stage on the device.
//!
//! Needs an NVIDIA driver (r525 or newer) and nothing else: kernels come as PTX, a divergence is put into them as text.
//! [`Cuda::new`] says in one line what is missing where there is none. A file is named after the stage that it holds.
//!
//! What is not on the device: masks of LIME's own laws, which draw in one sequence, of Kernel SHAP, and given ones, which come
//! from the CPU and are copied, as do Bernoulli masks drawn within an angle; the lasso path, the authors' recipe, Kernel
//! SHAP's surrogate, a ridge that is anchored or has pairs, an intercept or pairs that the data choose, fidelity and error bars of
//! fits with pairs, and highest weights over more than 2048 features; of error bars, the factors and products of matrices
//! whose sums over rows the device made; and everything that is host data by nature, selections and fits.
//!
//! All unsafe code of lipex is in this crate. A batch of instances is one launch a stage; a single instance will not fill a
//! device.
//!
//! # A stage alone
//!
//! ```no_run
//! use lipex_core::{Backend, Draw, Explainer, Perturber, UniformSize};
//! use lipex_cuda::{Cuda, devices};
//!
//! for device in devices()? {
//!     println!("{}: {} {:?}", device.ordinal, device.name, device.capability);
//! }
//! let on = Cuda::new()?;
//! // A million masks of 44 features, drawn where they lie: the same bits as on the CPU.
//! let sample = UniformSize::default().perturb(&on, &Draw::whole(&[44], 1_000_000, 0))?.remove(0);
//! assert_eq!(on.len(sample.masks.bits()), 2_000_000);
//! // An explainer with every stage there; it is used as on the CPU.
//! let explainer = Explainer::lipex(on);
//! # let _ = explainer;
//! # Ok::<(), lipex_core::Error>(())
//! ```
//!
//! # Features
//! `cuda-12000` (default) chooses the driver interface that cudarc is built for. Beside a crate that chooses another, such as
//! candle, use `default-features = false`: exactly one may be chosen in a program.

mod arena;
mod backend;
mod buffer;
mod demo;
mod device;
mod error;
mod evaluate;
mod fit;
mod host_model;
mod host_surrogate;
mod lambda;
mod launch;
mod layout;
mod least_squares;
mod modules;
mod perturb;
mod probe;
mod render;
mod ridge;
mod sandwich;
mod select;
mod splice;
mod weigh;

pub use buffer::DeviceBuffer;
pub use cudarc;
pub use demo::{DemoLayers, DemoNet};
pub use device::{Cuda, DeviceInfo, Transferred, devices};
pub use error::CudaError;
pub use fit::{LaunchMode, objective, objective_reference};
pub use host_model::HostModel;
pub use launch::launch_nothing;
pub use perturb::uniform_size_reference;
pub use probe::driver_is_present;
pub use render::{Pixel, PixelBatch, PixelTemplate, TokenBatch, TokenTemplate, When, distinct};
pub use select::to_host;
pub use splice::spliced;
