//! The tests of lipex-cli: one program, so that one link serves them all.

mod architecture;
mod attribute;
mod attribute_against;
mod attribute_files;
mod bad_arrays;
mod batch;
mod browser;
mod circles;
mod command;
mod common;
mod compare;
mod cuda;
mod experiment;
mod files;
mod fit;
mod folders;
mod image;
mod matching;
mod models;
#[path = "../../../lipex/tests/all/common/noisy.rs"]
mod noisy;
mod page;
mod perturb;
mod rule;
mod select;
mod tabular;
mod tree;
mod uncertainty;
mod words;
