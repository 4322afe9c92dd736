//! What the device says of itself.

use super::codes::{self, Code};
use super::settings::Settings;

/// The device's name: it says what it is.
pub const NAME: &str = "CUDA emulator (PTX interpreter, no GPU)";

/// Shared memory of a block and of a multiprocessor, in bytes, after a kernel asked for more than the usual 48 KiB.
pub fn shared_limits(capability: (i32, i32)) -> (i32, i32) {
    match capability {
        (7, 5) => (65_536, 65_536),
        (7, _) => (98_304, 98_304),
        (8, 0 | 7) => (166_912, 167_936),
        (8, _) => (101_376, 102_400),
        (9.., _) => (232_448, 233_472),
        _ => (49_152, 65_536),
    }
}

/// Threads and blocks that a multiprocessor holds.
pub fn residence(capability: (i32, i32)) -> (i32, i32) {
    match capability {
        (7, 5) => (1024, 16),
        (8, 0) => (2048, 32),
        (8, 9) => (1536, 24),
        (8, _) => (1536, 16),
        _ => (2048, 32),
    }
}

/// The attribute of that number (`CUdevice_attribute`).
pub fn attribute(which: i32, settings: &Settings) -> Result<i32, Code> {
    let (block_shared, processor_shared) = shared_limits(settings.capability);
    let (threads, blocks) = residence(settings.capability);
    Ok(match which {
        1..=3 => 1024,
        4 => 64,
        5 => i32::MAX,
        6 | 7 => 65535,
        8 => 49_152,
        9 => 65_536,
        10 => 32,
        11 => i32::MAX,
        12 | 82 => 65_536,
        13 | 36 => 1_000_000,
        14 => 512,
        16 => 4,
        37 => 256,
        38 => 4 << 20,
        39 => threads,
        40 => 1,
        15 | 31 | 41 | 78 | 115 => 1,
        75 => settings.capability.0,
        76 => settings.capability.1,
        81 => processor_shared,
        97 => block_shared,
        106 => blocks,
        111 => 1024 * i32::from(settings.capability.0 >= 8),
        17..=35 | 42..=74 | 77 | 79 | 80 | 83..=96 | 98..=105 | 107..=110 | 112..=114 | 116..=160 => 0,
        _ => return Err(codes::INVALID_VALUE),
    })
}

/// Blocks of `threads` threads and `shared` bytes that a multiprocessor holds at once; registers as declared, unallocated.
pub fn occupancy(settings: &Settings, registers: i32, threads: i32, shared: i32) -> i32 {
    if threads <= 0 || threads > 1024 {
        return 0;
    }
    let (most_threads, most_blocks) = residence(settings.capability);
    let warps = (threads + 31) / 32;
    let by_threads = most_threads / 32 / warps;
    // Registers are handed out to a warp in units of 256.
    let by_registers = 65_536 / ((registers.max(1) * 32 + 255) / 256 * 256) / warps;
    let reserved = if settings.capability.0 >= 8 { 1024 } else { 0 };
    let used = shared + reserved;
    let by_shared = if used > 0 { shared_limits(settings.capability).1 / used } else { most_blocks };
    most_blocks.min(by_threads).min(by_registers).min(by_shared)
}
