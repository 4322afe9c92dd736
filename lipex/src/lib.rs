//! lipex
