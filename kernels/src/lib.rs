//! The CUDA kernels of lipex, compiled to PTX: text and nothing else.
//!
//! A file of kernels is named after its stage. `fit` and `lambda` have places for a divergence's program, which must be
//! filled in before they are loaded: lines with [`DIVERGENCE`] or [`DOUBLE_DIVERGENCE`] (the fit's, perhaps smoothed) or
//! [`EXACT_DIVERGENCE`] (the divergence itself), followed by `name=register` for those of the outputs `value` and `slope` that
//! are wanted, and for the inputs `p`, `ln_q`, `q`, `sqrt_q` and `width`.
//!
//! `kernels/compile.py` makes the PTX from the sources beside it.

/// The word that marks a place for the fit's divergence.
pub const DIVERGENCE: &str = "LIPEX_DIVERGENCE";
/// The word that marks a place for the fit's divergence in f64.
pub const DOUBLE_DIVERGENCE: &str = "LIPEX_DIVERGENCE_DOUBLE";
/// The word that marks a place for the divergence without smoothing, in f64.
pub const EXACT_DIVERGENCE: &str = "LIPEX_DIVERGENCE_EXACT";

macro_rules! files {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: File =
            File { name: $name, ptx: include_str!(concat!("../ptx/", $name, ".ptx")) };)*
        /// Every file.
        pub const FILES: &[File] = &[$($constant),*];
    };
}

/// A file of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name without ending: the stage.
    pub name: &'static str,
    /// PTX of version 8.0 for compute capability 7.5 and above.
    pub ptx: &'static str,
}

files! {
    /// Gathering rows, and checking that they are distributions.
    BACKEND = "backend";
    /// Drawing masks.
    PERTURB = "perturb";
    /// Tokens and pixels out of masks.
    RENDER = "render";
    /// The demo classifier.
    DEMO = "demo";
    /// Proximity weights.
    WEIGH = "weigh";
    /// Forward selection.
    SELECT = "select";
    /// The softmax surrogate; has places for a divergence.
    FIT = "fit";
    /// How far refits are from the black box on rows held out, for choosing λ; has places for a divergence.
    LAMBDA = "lambda";
    /// The ridge surrogate.
    RIDGE = "ridge";
    /// Agreement with the black box.
    EVALUATE = "evaluate";
}

impl File {
    /// The names of its kernels, each with the sizes of its parameters in bytes.
    pub fn kernels(&self) -> Vec<(&'static str, Vec<usize>)> {
        let mut kernels: Vec<(&str, Vec<usize>)> = Vec::new();
        for line in self.ptx.lines() {
            if let Some(name) = line.strip_prefix(".visible .entry ") {
                kernels.push((name.trim_end_matches(['(', ')']), Vec::new()));
            } else if let (Some(kernel), Some(rest)) = (kernels.last_mut(), line.trim_start().strip_prefix(".param ."))
            {
                let size = match rest.split_whitespace().next() {
                    Some("u64" | "b64" | "f64" | "s64") => 8,
                    Some("u16" | "b16" | "s16") => 2,
                    Some("u8" | "b8" | "s8") => 1,
                    _ => 4,
                };
                kernel.1.push(size);
            }
        }
        kernels
    }

    /// Whether it has places for a divergence.
    pub fn wants_divergence(&self) -> bool {
        self.ptx.contains(DIVERGENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_kernels_of_its_own_stage() {
        for file in FILES {
            let kernels = file.kernels();
            assert!(!kernels.is_empty(), "{}", file.name);
            for (name, parameters) in kernels {
                assert!(name.starts_with(&format!("lipex_{}", file.name)) || file.name == "backend", "{name}");
                assert!(!parameters.is_empty(), "{name}");
            }
            assert!(file.ptx.starts_with("//") || file.ptx.contains(".version 8.0"), "{}", file.name);
        }
        assert_eq!(PERTURB.kernels()[0].1.len() + PERTURB.kernels()[1].1.len(), 9);
        let wanting: Vec<&str> = FILES.iter().filter(|f| f.wants_divergence()).map(|f| f.name).collect();
        assert_eq!(wanting, ["fit", "lambda"]);
    }

    #[test]
    fn every_source_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".cu").map(String::from))
            .collect();
        names.sort();
        let mut listed: Vec<&str> = FILES.iter().map(|f| f.name).collect();
        listed.sort_unstable();
        assert_eq!(names, listed);
    }
}
