//! Is it true? Measures of explanations, and the experiments of the LIPEX paper made of them.
//!
//! * [`measure`]: functions of explanations and of a model's answers, each a formula: total variation, how often a removal
//!   changes the class, area over the perturbation curve, overlap of sets, ε-broken sets.
//! * [`Method`]: a way to explain. The presets of lipex with any settings ([`Fitted`]), leaving one feature out and chance are
//!   here; a method of your own is one function.
//! * [`Occasion`]: one input under one model, and how it is damaged when a method is judged.
//! * [`Experiment`]: what is measured of every method on an occasion, a [`Line`] each.
//! * [`Summary`]: lines of many occasions as means with intervals, and differences from the first method, paired by input;
//!   as Markdown, CSV, figures and a page.
//!
//! ```
//! use lipex::prelude::*;
//! use lipex_experiment::{Experiment, Fitted, LeaveOneOut, Method, Occasion, Summary};
//!
//! let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
//!     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.7, 0.3] }).collect()
//! });
//! let methods: Vec<Box<dyn Method<Texts>>> =
//!     vec![Box::new(Fitted::by_name("lipex:samples=200", lipex::Domain::Text)?), Box::new(LeaveOneOut)];
//! let mut lines = Vec::new();
//! for (row, text) in ["a fine day", "what a fine and quiet place"].iter().enumerate() {
//!     let text = TextInstance::new(*text)?;
//!     let at = Occasion::new(&text, &model)?;
//!     lines.extend(Experiment::Ablation.run(&at, &methods, 0)?.into_iter().map(|line| line.of(row as u64, 0)));
//! }
//! let summary = Summary::of(Experiment::Ablation, &lines);
//! // Without its first word the class changes, by either ranking.
//! assert!(summary.mean("lipex:samples=200", "flips_1").is_some_and(|share| share == 1.0));
//! assert_eq!(summary.mean("leave-one-out", "flips_1"), Some(1.0));
//! assert!(summary.to_markdown().contains("| leave-one-out | "));
//! # Ok::<(), lipex::Error>(())
//! ```

mod distort;
mod experiment;
mod figure;
#[cfg(feature = "gradients")]
mod gradients;
pub mod measure;
mod method;
mod occasion;
mod page;
mod shared;
pub mod statistics;
mod summary;

pub use distort::Distortion;
pub use experiment::{Experiment, Line};
pub use figure::figures;
#[cfg(feature = "gradients")]
pub use gradients::Gradients;
pub use method::{Fitted, Found, LeaveOneOut, Method, Outcome, Random, method_by_name};
pub use occasion::{AsReleased, Damage, Occasion, Version};
pub use page::report;
pub use shared::{Pick, Shared};
pub use summary::{Difference, Mean, Summary};
