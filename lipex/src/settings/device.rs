//! Where explanations are computed.

use super::Settings;
use lipex_core::{Domain, Error, Explainer, Result};
use lipex_cpu::Cpu;
#[cfg(feature = "cuda")]
use lipex_cuda::Cuda;

/// Where explanations are computed, chosen at run time.
///
/// ```
/// use lipex::Device;
///
/// assert_eq!(Device::by_name("cuda:1")?, Device::Cuda(1));
/// assert_eq!(Device::default(), Device::Cpu);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// The CPU; `cpu`.
    #[default]
    Cpu,
    /// The CUDA device of that number; `cuda` (0) or `cuda:N`. Needs the feature `cuda`.
    Cuda(usize),
    /// The first CUDA device if there is one, else the CPU; `auto`.
    Auto,
}

impl Device {
    /// The device of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            "auto" => Ok(Device::Auto),
            other => match other.strip_prefix("cuda:").map(str::parse) {
                Some(Ok(ordinal)) => Ok(Device::Cuda(ordinal)),
                _ => Err(Error::choice("backend", other, &["cpu", "cuda", "auto"])),
            },
        }
    }
}

/// An explainer on a backend that was chosen at run time.
///
/// Non-exhaustive, and without the feature `cuda` there is the CPU alone.
///
/// ```
/// use lipex::{AnyExplainer, Device, Domain, Settings};
///
/// let any = Settings::new().explainer(Device::Cpu, Domain::Image)?;
/// assert!(matches!(any, AnyExplainer::Cpu(_)));
/// # Ok::<(), lipex::Error>(())
/// ```
#[non_exhaustive]
pub enum AnyExplainer {
    /// On the CPU.
    Cpu(Explainer<Cpu>),
    /// On a CUDA device.
    #[cfg(feature = "cuda")]
    Cuda(Explainer<Cuda>),
}

impl Settings {
    /// An explainer with these settings on a device, for such instances.
    ///
    /// ```
    /// use lipex::{AnyExplainer, Device, Domain, Settings};
    ///
    /// let settings = Settings::new().with("divergence", "kl")?.with("lambda", "0.001")?;
    /// match settings.explainer(Device::Cpu, Domain::Text)? {
    ///     AnyExplainer::Cpu(explainer) => assert!(explainer.settings().iter().any(|s| s.value == "kl")),
    ///     _ => unreachable!("the CPU was asked for"),
    /// }
    /// # Ok::<(), lipex::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`explainer_on`](Settings::explainer_on); [`Error::Unavailable`] where there is no such device, or no CUDA in
    /// this program.
    pub fn explainer(&self, device: Device, domain: Domain) -> Result<AnyExplainer> {
        match device {
            Device::Cpu => self.on_cpu(domain),
            Device::Cuda(ordinal) => self.on_cuda(ordinal, domain),
            Device::Auto => match self.on_cuda(0, domain) {
                Err(Error::Unavailable { .. }) => self.on_cpu(domain),
                other => other,
            },
        }
    }

    /// On the CPU, with the threads that are set.
    fn on_cpu(&self, domain: Domain) -> Result<AnyExplainer> {
        Ok(AnyExplainer::Cpu(self.explainer_on(Cpu::with_threads(self.threads())?, domain)?))
    }

    /// On a CUDA device.
    #[cfg(feature = "cuda")]
    fn on_cuda(&self, ordinal: usize, domain: Domain) -> Result<AnyExplainer> {
        Ok(AnyExplainer::Cuda(self.explainer_on(Cuda::device(ordinal)?, domain)?))
    }

    /// Without the feature `cuda`: an error that says so.
    #[cfg(not(feature = "cuda"))]
    fn on_cuda(&self, _: usize, _: Domain) -> Result<AnyExplainer> {
        let reason = "this program was built without the feature cuda; set `backend` to cpu".into();
        Err(Error::Unavailable { backend: "cuda", reason })
    }
}
