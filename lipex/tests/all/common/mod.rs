//! What several test files share.

pub mod colour_model;
pub mod hash_model;
pub mod lime_text;
pub mod noisy;
