//! Any bytes as the members of a sound archive, so that they get past its checksums; then the archive with a byte turned.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::npy;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Ends a member.
const SEPARATOR: u8 = 0xab;
const NAMES: [&str; 4] = ["masks.npy", "probs.npy", "weights.npy", "masks"];

fn archive(members: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::DEFAULT.compression_method(method);
    for (name, member) in NAMES.iter().zip(members.split(|b| *b == SEPARATOR)) {
        zip.start_file(*name, options).expect("a name that is new");
        zip.write_all(member).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn read(bytes: &[u8]) {
    let file = || Cursor::new(bytes);
    let _ = npy::masks_from(file(), "file");
    let _ = npy::probabilities_from(file(), "file");
    let _ = npy::weights_from(file(), "file");
}

fuzz_target!(|bytes: &[u8]| {
    let [method, at, to, members @ ..] = bytes else { return };
    let method = if method % 2 == 0 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    let mut whole = archive(members, method);
    read(&whole);
    let at = usize::from(*at) * whole.len() / 256;
    whole[at] = *to;
    read(&whole);
});
