//! Times predicted from counts. Nothing here was measured on a device.

use crate::Row;

/// What a device could do at most, by its maker.
pub struct Device {
    /// Multiprocessors.
    multiprocessors: f64,
    /// Cycles a second, boosted.
    clock: f64,
    /// Bytes of device memory a second.
    memory: f64,
    /// Bytes of shared memory a multiprocessor.
    shared: usize,
}

/// A100 (40 GB, sm_80) and H100 (SXM, sm_90).
pub const DEVICES: [Device; 2] = [
    Device { multiprocessors: 108.0, clock: 1.41e9, memory: 1.555e12, shared: 164 << 10 },
    Device { multiprocessors: 132.0, clock: 1.83e9, memory: 3.35e12, shared: 228 << 10 },
];

/// Thread instructions that a multiprocessor issues a cycle: four schedulers, 32 lanes each.
const ISSUED: f64 = 128.0;
/// Cycles until a warp has the result of an instruction, of an access to shared memory, and of one to device memory that a
/// cache answers: round numbers.
const ARITHMETIC: f64 = 4.0;
const SHARED: f64 = 30.0;
const CACHED: f64 = 200.0;

/// Blocks that fit a multiprocessor at once.
fn resident(row: &Row<'_>, device: &Device) -> usize {
    let warps = row.kernel.threads / 32;
    // Registers are given out by warps, 256 at a time; each block takes 1 KiB of shared memory for itself.
    let by_registers = 65536 / ((32 * row.registers).next_multiple_of(256) * warps).max(1);
    by_registers.min(device.shared / (row.shared + 1024)).min(2048 / row.kernel.threads).min(32)
}

/// Threads that fit a multiprocessor at once, as a share of those that it has room for.
pub fn occupancy(row: &Row<'_>, device: &Device) -> f64 {
    (resident(row, device) * row.kernel.threads) as f64 / 2048.0
}

/// Microseconds of a kernel for so many instances, all its launches: the least (every multiprocessor that has a block issues
/// all it can, or device memory is busy throughout), and what it takes if each warp waits for every instruction.
pub fn time(row: &Row<'_>, device: &Device, instances: f64) -> (f64, f64) {
    let (c, blocks) = (row.counts, row.kernel.blocks);
    let times = instances * row.stage.scale;
    let busy = (times * blocks).min(device.multiprocessors);
    let rate = (times * c.threads / (busy * ISSUED * device.clock)).max(times * c.bytes() / device.memory);
    let warps = blocks * row.kernel.threads as f64 / 32.0;
    let waiting = ARITHMETIC * c.warps + SHARED * c.shared.accesses + CACHED * (c.loads.accesses + c.stores.accesses);
    let waves = (times * blocks / (device.multiprocessors * resident(row, device) as f64)).ceil().max(1.0);
    let serial = waves * waiting / warps / device.clock;
    (1e6 * rate, 1e6 * serial.max(rate))
}
