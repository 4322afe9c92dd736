//! lipex-demo
