//! All tests of the crate in one program.

mod captum;
mod damaged;
mod operators;
mod rules;
mod shared_models;
