//! lipex for Python: what needs the library. The rest is Python, in `python/lipex`.
//!
//! # State
//! A call makes its own explainer; what outlives one is an explanation, and a model that was opened from a folder. So nothing
//! here has threads that a fork could lose.

mod answers;
mod callable;
mod errors;
mod explain;
mod explanation;
mod model;
mod settings;
mod stop;

/// The native part of the package lipex.
#[pyo3::pymodule]
mod _lipex {
    #[pymodule_export]
    use super::explain::{cut, explain_answers, explain_image, explain_table, explain_text};
    #[pymodule_export]
    use super::explanation::Made;
    #[pymodule_export]
    use super::model::{Opened, open};
    #[pymodule_export]
    use super::settings::{check, settings};

    #[allow(non_upper_case_globals)]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
