//! Measures by hand, statistics against SciPy, and experiments on models whose answers are known.

mod distortion;
mod experiments;
mod figures;
mod measures;
mod statistics;
