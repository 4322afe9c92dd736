//! Launching kernels, with what can be checked checked.

use crate::device::{Cuda, DeviceBuffer, Kernel};
use crate::error::{CudaError, at};
use cudarc::driver::{LaunchConfig, PushKernelArg, sys};
use lipex_core::{Element, Program, Result};
use lipex_kernels::File;

/// One argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// An address in device memory, or a 64-bit number.
    Long(u64),
    /// A 32-bit number.
    Word(u32),
}

impl Argument {
    fn size(&self) -> usize {
        match self {
            Argument::Long(_) => 8,
            Argument::Word(_) => 4,
        }
    }
}

impl<T: Element> From<&DeviceBuffer<T>> for Argument {
    fn from(buffer: &DeviceBuffer<T>) -> Self {
        Argument::Long(buffer.address())
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

impl Cuda {
    /// Launches a kernel of `file`; checks the number and sizes of the arguments, the grid and the shared memory.
    ///
    /// # Safety
    /// The arguments must be those of the kernel, in its order; addresses must lead to buffers of the sizes that the
    /// kernel's header states, which live until the launch is done or are freed on the stream that it is launched on.
    pub(crate) unsafe fn launch(
        &self,
        stage: &'static str,
        (file, name, programs): (&File, &'static str, Option<&(Program, Program)>),
        shape: Shape,
        arguments: &[Argument],
    ) -> Result<()> {
        if shape.grid.0 == 0 || shape.grid.1 == 0 {
            return Ok(());
        }
        let kernel = self.kernel(file, name, programs).map_err(at(stage))?;
        self.check(&kernel, shape, arguments).map_err(at(stage))?;
        if shape.shared > 48 << 10 {
            let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            let set = kernel.function.set_attribute(attribute, shape.shared as i32);
            set.map_err(|e| at(stage)(e.into()))?;
        }
        let mut builder = self.stream().launch_builder(&kernel.function);
        for argument in arguments {
            match argument {
                Argument::Long(number) => builder.arg(number),
                Argument::Word(number) => builder.arg(number),
            };
        }
        let config = LaunchConfig {
            grid_dim: (shape.grid.0 as u32, shape.grid.1 as u32, 1),
            block_dim: (shape.threads, 1, 1),
            shared_mem_bytes: shape.shared as u32,
        };
        // SAFETY: number and sizes of the arguments and the launch's shape were checked above; that they are the right
        // ones is the caller's duty.
        unsafe { builder.launch(config) }.map(drop).map_err(|e| at(stage)(e.into()))
    }

    fn check(&self, kernel: &Kernel, shape: Shape, arguments: &[Argument]) -> std::result::Result<(), CudaError> {
        let refuse = |reason: String| Err(CudaError::Launch { kernel: kernel.name.into(), reason });
        let sizes: Vec<usize> = arguments.iter().map(Argument::size).collect();
        if sizes != kernel.parameters {
            return refuse(format!("it takes parameters of {:?} bytes, not {sizes:?}", kernel.parameters));
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
