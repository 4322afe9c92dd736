//! Shared problems for the benches.
