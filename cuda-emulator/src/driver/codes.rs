//! The driver's error codes (`CUresult`) that are used here, with their names and texts.

use std::ffi::CStr;

/// A `CUresult`.
pub type Code = i32;

macro_rules! codes {
    ($($name:ident = $value:literal $symbol:literal $text:literal;)*) => {
        $(#[doc = $text] pub const $name: Code = $value;)*

        /// Name and text of a code; `None` for one that is not known.
        pub fn describe(code: Code) -> Option<(&'static CStr, &'static CStr)> {
            const fn text(s: &'static str) -> &'static CStr {
                match CStr::from_bytes_with_nul(s.as_bytes()) {
                    Ok(s) => s,
                    Err(_) => panic!("a text without its terminator"),
                }
            }
            Some(match code {
                $($value => {
                    const NAME: &CStr = text(concat!($symbol, "\0"));
                    const TEXT: &CStr = text(concat!($text, "\0"));
                    (NAME, TEXT)
                })*
                _ => return None,
            })
        }
    };
}

codes! {
    SUCCESS = 0 "CUDA_SUCCESS" "no error";
    INVALID_VALUE = 1 "CUDA_ERROR_INVALID_VALUE" "invalid argument";
    OUT_OF_MEMORY = 2 "CUDA_ERROR_OUT_OF_MEMORY" "out of memory";
    NOT_INITIALISED = 3 "CUDA_ERROR_NOT_INITIALIZED" "initialization error";
    NO_DEVICE = 100 "CUDA_ERROR_NO_DEVICE" "no CUDA-capable device is detected";
    INVALID_DEVICE = 101 "CUDA_ERROR_INVALID_DEVICE" "invalid device ordinal";
    INVALID_IMAGE = 200 "CUDA_ERROR_INVALID_IMAGE" "device kernel image is invalid";
    INVALID_CONTEXT = 201 "CUDA_ERROR_INVALID_CONTEXT" "invalid device context";
    INVALID_PTX = 218 "CUDA_ERROR_INVALID_PTX" "a PTX JIT compilation failed";
    UNSUPPORTED_PTX = 222 "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" "the provided PTX was compiled with an unsupported toolchain.";
    NO_BINARY = 209 "CUDA_ERROR_NO_BINARY_FOR_GPU" "no kernel image is available for execution on the device";
    FILE_NOT_FOUND = 301 "CUDA_ERROR_FILE_NOT_FOUND" "file not found";
    INVALID_HANDLE = 400 "CUDA_ERROR_INVALID_HANDLE" "invalid resource handle";
    NOT_FOUND = 500 "CUDA_ERROR_NOT_FOUND" "named symbol not found";
    NOT_READY = 600 "CUDA_ERROR_NOT_READY" "device not ready";
    ILLEGAL_ADDRESS = 700 "CUDA_ERROR_ILLEGAL_ADDRESS" "an illegal memory access was encountered";
    OUT_OF_RESOURCES = 701 "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES" "too many resources requested for launch";
    TIMEOUT = 702 "CUDA_ERROR_LAUNCH_TIMEOUT" "the launch timed out and was terminated";
    MISALIGNED = 716 "CUDA_ERROR_MISALIGNED_ADDRESS" "misaligned address";
    LAUNCH_FAILED = 719 "CUDA_ERROR_LAUNCH_FAILED" "unspecified launch failure";
    NOT_SUPPORTED = 801 "CUDA_ERROR_NOT_SUPPORTED" "operation not supported";
    UNKNOWN = 999 "CUDA_ERROR_UNKNOWN" "unknown error";
}
