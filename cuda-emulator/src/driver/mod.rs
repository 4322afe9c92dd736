//! The driver API: state, streams, and the functions that a program calls.

#[macro_use]
mod entry;
mod api_context;
mod api_extra;
mod api_launch;
mod api_memory;
mod api_missing;
mod api_module;
mod api_stream;
pub mod codes;
mod conflicts;
mod device;
mod modules;
mod patch;
mod queue;
pub mod settings;
mod state;
mod work;
