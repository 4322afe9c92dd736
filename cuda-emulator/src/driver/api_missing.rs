//! Functions that cudarc names but the emulator does not offer. They exist, since a missing symbol is a panic in cudarc, and
//! say so.

use super::codes::{self, Code};

macro_rules! missing {
    ($($name:ident)*) => {
        $(
            /// Not offered; the arguments are not looked at.
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, reason = "the name is the driver's")]
            pub extern "C" fn $name() -> Code {
                codes::NOT_SUPPORTED
            }
        )*
    };
}

missing! {
    cuCtxCreate_v4
    cuDestroyExternalMemory
    cuDeviceSetMemPool
    cuExternalMemoryGetMappedBuffer
    cuGraphDestroy
    cuGraphExecDestroy
    cuGraphInstantiateWithFlags
    cuGraphLaunch
    cuGraphUpload
    cuImportExternalMemory
    cuLaunchKernelEx
    cuMemAdvise
    cuMemAdvise_v2
    cuMemPoolCreate
    cuMemPoolDestroy
    cuMemPoolGetAttribute
    cuMemPrefetchAsync
    cuMemPrefetchAsync_v2
    cuOccupancyMaxActiveClusters
    cuOccupancyMaxPotentialClusterSize
    cuStreamAttachMemAsync
}
