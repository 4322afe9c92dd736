//! All tests that run models, in one program.

mod common;
mod shared_models;
