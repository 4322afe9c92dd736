//! What several test files share.

pub mod game;
pub mod lime_masks;
pub mod optimum;
pub mod planted;
pub mod problem;
pub mod ridge;
pub mod selection;
