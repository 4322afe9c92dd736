//! lipex-cpu
