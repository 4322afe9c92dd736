//! Launching kernels, with what can be checked checked.
//!
//! # Safety
//! A launch is checked against the PTX's own declaration of the kernel: as many arguments as parameters, each of its size.
//! What cannot be checked, the length of arrays and what kernels do with them, stands in the comment at each launch.
//!
//! # Limits
//! Shared memory beyond 48 KiB is asked for by the function's attribute, dynamic and static together; a grid's second and
//! third side are at most 65,535, so instances beyond that are split.
//!
//! # Stopping
//! Each launch first asks the run whether to go on, so that a run is stopped between two launches; none is made to take more
//! than a tenth of a second or so.

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::error::{CudaError, at};
use crate::modules::{Kernel, Programs};
use cudarc::driver::{LaunchConfig, PushKernelArg};
use lipex_core::{Element, Result};
use lipex_kernels::{File, Parameter};

/// One argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// An address in the memory of the device of that number.
    Address(u64, usize),
    /// A 64-bit number.
    Long(u64),
    /// A 32-bit number.
    Word(u32),
}

impl Argument {
    /// Bytes as a kernel's parameter.
    fn size(&self) -> usize {
        match self {
            Argument::Address(..) | Argument::Long(_) => 8,
            Argument::Word(_) => 4,
        }
    }

    /// What its place among the parameters is a multiple of.
    fn align(&self) -> usize {
        match self {
            Argument::Address(..) | Argument::Long(_) => align_of::<u64>(),
            Argument::Word(_) => align_of::<u32>(),
        }
    }
}

impl<T: Element> From<&DeviceBuffer<T>> for Argument {
    fn from(buffer: &DeviceBuffer<T>) -> Self {
        Argument::Address(buffer.address(), buffer.ordinal())
    }
}

impl From<usize> for Argument {
    fn from(number: usize) -> Self {
        Argument::Long(number as u64)
    }
}

impl From<u64> for Argument {
    fn from(number: u64) -> Self {
        Argument::Long(number)
    }
}

impl From<u32> for Argument {
    fn from(number: u32) -> Self {
        Argument::Word(number)
    }
}

/// The shape of a launch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Blocks across (up to 2³¹ − 1) and down (up to 65,535).
    pub grid: (usize, usize),
    /// Threads a block.
    pub threads: u32,
    /// Bytes of shared memory a block that the launch chooses.
    pub shared: usize,
}

/// Most blocks down: instances in one launch.
pub(crate) const MOST_DOWN: usize = 65_535;

/// What is wrong with the arguments of a kernel with these parameters.
///
/// The driver cannot tell: it is given addresses, and copies from each as many bytes as the parameter has.
fn misfit(parameters: &[Parameter], arguments: &[Argument]) -> Option<String> {
    if parameters.len() != arguments.len() {
        return Some(format!("it takes {} arguments, not {}", parameters.len(), arguments.len()));
    }
    let wrong = |(p, a): &(&Parameter, &Argument)| p.size != a.size() || p.align > a.align();
    let at = parameters.iter().zip(arguments).position(|pair| wrong(&pair))?;
    let (p, a) = (parameters[at], arguments[at]);
    Some(format!(
        "argument {at} has {} bytes at multiples of {}, its parameter {} bytes at multiples of {}",
        a.size(),
        a.align(),
        p.size,
        p.align
    ))
}

impl Cuda {
    /// Launches a kernel of `file`; checks number, sizes and alignment of the arguments, the grid and the shared memory, and
    /// asks the run whether to go on.
    ///
    /// # Safety
    /// The arguments must be those of the kernel, in its order; addresses must lead to buffers of the sizes that the
    /// kernel's header states, which live until the launch is done or are freed on the stream that it is launched on.
    pub(crate) unsafe fn launch(
        &self,
        stage: &'static str,
        kernel: (&File, &'static str, Option<&Programs>),
        shape: Shape,
        arguments: &[Argument],
    ) -> Result<()> {
        if shape.grid.0 == 0 || shape.grid.1 == 0 {
            return Ok(());
        }
        self.watch.check()?;
        let kernel = self.kernel(kernel).map_err(at(stage))?;
        self.check(&kernel, shape, arguments).map_err(at(stage))?;
        let mut builder = self.stream().launch_builder(&kernel.function);
        for argument in arguments {
            match argument {
                Argument::Address(number, _) | Argument::Long(number) => builder.arg(number),
                Argument::Word(number) => builder.arg(number),
            };
        }
        let config = LaunchConfig {
            grid_dim: (shape.grid.0 as u32, shape.grid.1 as u32, 1),
            block_dim: (shape.threads, 1, 1),
            shared_mem_bytes: shape.shared as u32,
        };
        // SAFETY: number, sizes and alignment of the arguments and the launch's shape were checked above; that they are the right
        // ones is the caller's duty.
        unsafe { builder.launch(config) }.map(drop).map_err(|e| at(stage)(e.into()))
    }

    fn check(&self, kernel: &Kernel, shape: Shape, arguments: &[Argument]) -> std::result::Result<(), CudaError> {
        let refuse = |reason: String| Err(CudaError::Launch { kernel: kernel.name.into(), reason });
        if let Some(reason) = misfit(kernel.parameters, arguments) {
            return refuse(reason);
        }
        let (own, mut devices) = (
            self.info().ordinal,
            arguments.iter().filter_map(|a| if let Argument::Address(_, device) = a { Some(*device) } else { None }),
        );
        if let Some(other) = devices.find(|&device| device != own) {
            return Err(CudaError::OtherDevice { own, other });
        }
        if shape.grid.0 > i32::MAX as usize || shape.grid.1 > MOST_DOWN {
            return refuse(format!("{} × {} blocks are too many", shape.grid.0, shape.grid.1));
        }
        if shape.shared > self.shared_memory() {
            return refuse(format!("{} bytes of shared memory, and {} are there", shape.shared, self.shared_memory()));
        }
        Ok(())
    }
}

/// Launches a kernel that ends at once, as stages launch theirs: for measuring what that costs the host.
///
/// # Errors
/// Those of the device.
pub fn launch_nothing(on: &Cuda) -> Result<()> {
    let shape = Shape { grid: (1, 1), threads: 32, shared: 0 };
    let nothing = [Argument::Long(0); 5];
    // SAFETY: lipex_gather(rows, index, out, width, count) reads and writes nothing where the count is 0.
    unsafe { on.launch("launch", (&lipex_kernels::BACKEND, "lipex_gather", None), shape, &nothing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_do_not_fit_are_refused_in_one_line() {
        let parameters = lipex_kernels::WEIGH.parameters("lipex_weigh").unwrap();
        let fitting: Vec<Argument> =
            parameters.iter().map(|p| if p.size == 8 { Argument::Long(0) } else { Argument::Word(0) }).collect();
        assert_eq!(misfit(parameters, &fitting), None);
        let mut other = fitting.clone();
        other[0] = Argument::Word(0);
        let reason = misfit(parameters, &other).unwrap();
        assert_eq!(reason, "argument 0 has 4 bytes at multiples of 4, its parameter 8 bytes at multiples of 8");
        let reason = misfit(parameters, &fitting[1..]).unwrap();
        assert_eq!(reason, format!("it takes {} arguments, not {}", fitting.len(), fitting.len() - 1));
        assert!(misfit(parameters, &[&fitting[..], &fitting[..1]].concat()).is_some());
        // An address of a word is no place to copy 8 bytes from, nor is one that is not aligned as the kernel wants.
        let far = [Parameter { size: 8, align: 16 }];
        assert!(misfit(&far, &[Argument::Long(0)]).unwrap().contains("multiples of 16"));
        assert!(misfit(&[Parameter { size: 0, align: 0 }], &[Argument::Word(0)]).is_some());
    }
}
