//! lipex-core
