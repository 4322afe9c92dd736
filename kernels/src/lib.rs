//! The CUDA kernels of lipex, compiled to PTX: text and nothing else.
//!
//! A file of kernels is named after its stage. `fit`, `lambda` and `sandwich` have places for a divergence's program, which must be
//! filled in before they are loaded: lines with [`DIVERGENCE`] or [`DOUBLE_DIVERGENCE`] (the fit's, perhaps smoothed) or
//! [`EXACT_DIVERGENCE`] (the divergence itself), followed by `name=register` for those of the outputs `value`, `slope` and
//! `second` that are wanted, and for the inputs `p`, `ln_q`, `q`, `sqrt_q` and `width`.
//!
//! `kernels/compile.py` makes the PTX from the sources beside it.

use std::collections::HashMap;
use std::sync::LazyLock;

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
    /// What the standard errors of a softmax fit are made of; has places for a divergence.
    SANDWICH = "sandwich";
    /// The ridge surrogate.
    RIDGE = "ridge";
    /// Agreement with the black box.
    EVALUATE = "evaluate";
}

/// A parameter of a kernel: what a launch must hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Bytes; 0 for a declaration that is not understood, which no argument fits.
    pub size: usize,
    /// What its address is a multiple of.
    pub align: usize,
}

impl Parameter {
    /// From a declaration after `.param`: `.u64 name`, `.u64 .ptr .align 16 name`, `.align 8 .b8 name[24]`.
    fn declared(text: &str) -> Self {
        let words: Vec<&str> = text.trim_end_matches(',').split_whitespace().collect();
        let (align, words) = match words[..] {
            [".align", align, ref rest @ ..] => (align.parse().ok(), rest),
            ref all => (None, all),
        };
        let one = match words.first().copied() {
            Some(".u64" | ".b64" | ".f64" | ".s64") => 8,
            Some(".u32" | ".b32" | ".f32" | ".s32") => 4,
            Some(".u16" | ".b16" | ".f16" | ".s16") => 2,
            Some(".u8" | ".b8" | ".s8") => 1,
            _ => 0,
        };
        let count = match words.last().and_then(|name| name.strip_suffix(']')?.split_once('[')) {
            Some((_, count)) => count.parse().unwrap_or(0),
            None => 1,
        };
        Parameter { size: one * count, align: align.unwrap_or(one) }
    }
}

impl File {
    /// The names of its kernels, each with its parameters as the PTX declares them.
    pub fn kernels(&self) -> Vec<(&'static str, Vec<Parameter>)> {
        let mut kernels: Vec<(&str, Vec<Parameter>)> = Vec::new();
        for line in self.ptx.lines() {
            if let Some(name) = line.strip_prefix(".visible .entry ") {
                kernels.push((name.trim_end_matches(['(', ')']), Vec::new()));
            } else if let (Some(kernel), Some(rest)) = (kernels.last_mut(), line.trim_start().strip_prefix(".param ")) {
                kernel.1.push(Parameter::declared(rest));
            }
        }
        kernels
    }

    /// The parameters of a kernel, which are read out of the PTX once a process; `None` if it has no such kernel.
    pub fn parameters(&self, kernel: &'static str) -> Option<&'static [Parameter]> {
        type Known = HashMap<(&'static str, &'static str), Vec<Parameter>>;
        static ALL: LazyLock<Known> = LazyLock::new(|| {
            let of = |file: &'static File| file.kernels().into_iter().map(|(name, list)| ((file.name, name), list));
            FILES.iter().flat_map(of).collect()
        });
        ALL.get(&(self.name, kernel)).map(Vec::as_slice)
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
        assert_eq!(WEIGH.parameters("lipex_weigh").map(<[Parameter]>::len), Some(2));
        assert_eq!((WEIGH.parameters("lipex_fit"), FIT.parameters("lipex_weigh")), (None, None));
        let wanting: Vec<&str> = FILES.iter().filter(|f| f.wants_divergence()).map(|f| f.name).collect();
        assert_eq!(wanting, ["fit", "lambda", "sandwich"]);
    }

    #[test]
    fn declarations_of_parameters_are_understood() {
        let declared = |text| {
            let Parameter { size, align } = Parameter::declared(text);
            (size, align)
        };
        assert_eq!(declared(".u64 f_param_0,"), (8, 8));
        assert_eq!(declared(".u64 .ptr .global .align 16 f_param_0"), (8, 8));
        assert_eq!(declared(".f32 f_param_1"), (4, 4));
        assert_eq!(declared(".align 8 .b8 f_param_2[24],"), (24, 8));
        assert_eq!(declared(".texref f_param_3"), (0, 0));
        let all = FILES.iter().flat_map(File::kernels).flat_map(|(_, parameters)| parameters);
        assert!(
            all.clone().count() > 50 && all.clone().all(|p| p.size == 4 || p.size == 8),
            "{:?}",
            all.max_by_key(|p| p.size)
        );
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
