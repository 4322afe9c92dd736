//! How a function of the API is entered: state locked, panics kept in, sticky errors returned.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::codes::{self, Code};
use super::state::{State, lock};

/// Runs `body` on the locked state; a panic becomes `CUDA_ERROR_UNKNOWN`.
pub fn enter(name: &str, body: impl FnOnce(&mut State) -> Result<(), Code>) -> Code {
    let outcome = catch_unwind(AssertUnwindSafe(|| match body(&mut lock()) {
        Ok(()) => codes::SUCCESS,
        Err(code) => code,
    }));
    outcome.unwrap_or_else(|_| {
        eprintln!("cuda-emulator: {name} failed inside the emulator; please report it");
        codes::UNKNOWN
    })
}

/// As [`enter`], for functions that need a context: none, or a fault before, is an error.
pub fn enter_context(name: &str, body: impl FnOnce(&mut State) -> Result<(), Code>) -> Code {
    enter(name, |state| {
        if !state.initialised {
            return Err(codes::NOT_INITIALISED);
        }
        if super::api_context::current() == 0 {
            return Err(codes::INVALID_CONTEXT);
        }
        match state.fault {
            Some(code) => Err(code),
            None => body(state),
        }
    })
}

/// Writes a result where the caller wants it; a null pointer is an invalid value.
///
/// # Safety
/// `to` is null or valid for a write of `T`.
pub unsafe fn give<T>(to: *mut T, value: T) -> Result<(), Code> {
    if to.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    // SAFETY: the caller's promise; the pointer is not null.
    unsafe { to.write_unaligned(value) };
    Ok(())
}

/// Functions of the C API: `context` ones need a context, `plain` ones do not.
macro_rules! api {
    ($($(#[$doc:meta])* $kind:ident fn $name:ident($state:ident $(, $a:ident: $t:ty)* $(,)?) $body:block)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As NVIDIA's driver API says: pointers are valid for what they stand for.
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, reason = "the name is the driver's")]
            pub unsafe extern "C" fn $name($($a: $t),*) -> $crate::driver::codes::Code {
                api!(@$kind stringify!($name), $state, $body)
            }
        )*
    };
    (@plain $name:expr, $state:ident, $body:block) => {
        $crate::driver::entry::enter($name, |$state| $body)
    };
    (@context $name:expr, $state:ident, $body:block) => {
        $crate::driver::entry::enter_context($name, |$state| $body)
    };
}
