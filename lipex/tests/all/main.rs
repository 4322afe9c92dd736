//! The tests of lipex: one program, so that one link serves them all.

mod adaptive;
mod command;
mod command_images;
mod common;
mod demo;
mod each;
mod end_to_end;
mod flip;
mod golden_hash_model;
mod golden_lime;
mod golden_lime_image;
mod image;
mod json;
mod local_map;
mod npy;
mod own_parts;
mod page;
mod picture_files;
mod readings;
mod segmenters;
mod setters;
mod settings;
mod text;
mod watch;
