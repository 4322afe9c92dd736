//! One program of tests, so that one is linked.

mod demo;
