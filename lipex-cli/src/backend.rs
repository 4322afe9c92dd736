//! Where explanations are computed, and what every part must run on.

use crate::method;
use crate::options::{MethodOptions, SamplingOptions};
use crate::output;
use lipex::lipex_cuda::{self, Cuda, DeviceInfo};
use lipex::{Backend, Cpu, Domain, Error, Explainer, Perturber, Preset, Proximity, Result, Selector, Surrogate};

/// A sampler on every backend.
pub trait Law: Perturber<Cpu> + Perturber<Cuda> {}
impl<T: Perturber<Cpu> + Perturber<Cuda>> Law for T {}

/// A proximity on every backend.
pub trait Weighing: Proximity<Cpu> + Proximity<Cuda> {}
impl<T: Proximity<Cpu> + Proximity<Cuda>> Weighing for T {}

/// A selector on every backend.
pub trait Picking: Selector<Cpu> + Selector<Cuda> {}
impl<T: Selector<Cpu> + Selector<Cuda>> Picking for T {}

/// A surrogate on every backend.
pub trait Fitting: Surrogate<Cpu> + Surrogate<Cuda> {}
impl<T: Surrogate<Cpu> + Surrogate<Cuda>> Fitting for T {}

/// A backend that every part of the command runs on.
pub trait Everything: Backend {
    /// An explainer with a preset's settings.
    fn preset(self, preset: Preset) -> Explainer<Self>;
    /// A preset's settings where images have others.
    fn images(explainer: Explainer<Self>) -> Explainer<Self>;
    /// An explainer with a preset's settings and those that the options change.
    fn explainer(self, method: &MethodOptions, sampling: &SamplingOptions, domain: Domain) -> Result<Explainer<Self>>;
}

macro_rules! everything {
    ($($backend:ty),*) => {$(
        impl Everything for $backend {
            fn preset(self, preset: Preset) -> Explainer<Self> {
                Explainer::with_preset(self, preset)
            }

            fn images(explainer: Explainer<Self>) -> Explainer<Self> {
                explainer.images()
            }

            fn explainer(
                self,
                method: &MethodOptions,
                sampling: &SamplingOptions,
                domain: Domain,
            ) -> Result<Explainer<Self>> {
                method::explainer(self, method, sampling, domain)
            }
        }
    )*};
}
everything!(Cpu, Cuda);

/// The backend that the options lead to.
pub enum Chosen {
    Cpu,
    Cuda(Cuda),
}

/// The backend of that name; `auto` takes a device if there is one, and says on standard error which it took.
pub fn choose(name: &str) -> Result<Chosen> {
    match name {
        "cpu" => Ok(Chosen::Cpu),
        "cuda" => Cuda::new().map(Chosen::Cuda),
        "auto" => Ok(match Cuda::new() {
            Ok(device) => {
                eprintln!("backend: cuda, {}", device.info().name);
                Chosen::Cuda(device)
            }
            Err(_) => {
                eprintln!("backend: cpu");
                Chosen::Cpu
            }
        }),
        other => Err(Error::setting("backend", other, "choose cpu, cuda or auto")),
    }
}

/// Says on standard error what crossed between host and device.
pub fn report_traffic(on: &Cuda) {
    let crossed = on.transferred();
    eprintln!("{}: {} bytes sent, {} received", on.info().name, crossed.sent, crossed.received);
}

/// `lipex devices`: a line a device.
pub fn list() -> Result<()> {
    let lines: String = lipex_cuda::devices().map_err(without_options)?.iter().map(line).collect();
    output::print(&lines)
}

/// This command has no options to give: its advice is for the others.
fn without_options(error: Error) -> Error {
    match error {
        Error::Unavailable { backend, reason } => {
            let reason = reason.trim_end_matches("; use --backend cpu");
            let advice = "lipex text and lipex image work without one, with --backend cpu";
            Error::Unavailable { backend, reason: format!("{reason}; {advice}") }
        }
        other => other,
    }
}

fn line(device: &DeviceInfo) -> String {
    let DeviceInfo { ordinal, name, memory, capability, driver, is_emulator } = device;
    let kind = match (is_emulator, device.is_supported()) {
        (_, false) => ", too old: lipex needs compute capability 7.5",
        (true, _) => ", an emulator: right results, no speed",
        _ => "",
    };
    let gibibytes = *memory as f64 / f64::from(1 << 30);
    format!(
        "{ordinal}: {name}, {gibibytes:.1} GiB, compute capability {}.{}, CUDA {}.{}{kind}\n",
        capability.0, capability.1, driver.0, driver.1
    )
}
