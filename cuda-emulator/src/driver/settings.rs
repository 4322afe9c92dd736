//! Settings, from environment variables that are read once, when the driver is initialised.

use crate::exec::launch::Limits;

/// How the emulator behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `CUDA_EMULATOR_DEVICES`: devices, 0 to 8; default 1.
    pub devices: i32,
    /// `CUDA_EMULATOR_DRIVER`: the driver's version, such as 12000; default 12000.
    pub driver: i32,
    /// `CUDA_EMULATOR_COMPUTE_CAPABILITY`: such as 7.5, 8.0 or 9.0; default 8.0.
    pub capability: (i32, i32),
    /// `CUDA_EMULATOR_MEMORY`: device memory in MiB; default 4096.
    pub memory: u64,
    /// `CUDA_EMULATOR_PERTURB`: whether approximate instructions are moved within their documented error.
    pub perturb: bool,
    /// `CUDA_EMULATOR_UNINITIALISED`: 1 checks that kernels read only device memory that was written, 2 copies to the host too.
    pub uninitialised: u64,
    /// `CUDA_EMULATOR_DEVICE_RACES`: whether blocks and threads are watched in device memory.
    pub device_races: bool,
    /// `CUDA_EMULATOR_THREADS`, `CUDA_EMULATOR_LOOPS`, `CUDA_EMULATOR_ORDER`.
    pub limits: Limits,
    /// `CUDA_EMULATOR_QUIET`: whether reports stay off standard error.
    pub quiet: bool,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.trim().parse().ok()).unwrap_or(default)
}

fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| !matches!(v.trim(), "" | "0"))
}

impl Settings {
    /// Reads the environment; a value that cannot be read counts as absent.
    pub fn read() -> Self {
        let capability = std::env::var("CUDA_EMULATOR_COMPUTE_CAPABILITY").ok().and_then(|v| {
            let (major, minor) = v.trim().split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Self {
            devices: number("CUDA_EMULATOR_DEVICES", 1).min(8) as i32,
            driver: number("CUDA_EMULATOR_DRIVER", 12000).min(i32::MAX as u64) as i32,
            capability: capability.unwrap_or((8, 0)),
            memory: number("CUDA_EMULATOR_MEMORY", 4096).saturating_mul(1 << 20),
            perturb: flag("CUDA_EMULATOR_PERTURB"),
            uninitialised: number("CUDA_EMULATOR_UNINITIALISED", 0),
            device_races: flag("CUDA_EMULATOR_DEVICE_RACES"),
            limits: Limits {
                threads: number("CUDA_EMULATOR_THREADS", cores as u64).clamp(1, 64) as usize,
                loops: number("CUDA_EMULATOR_LOOPS", 1_000_000_000),
                backwards: std::env::var("CUDA_EMULATOR_ORDER").is_ok_and(|v| v.trim() == "backwards"),
            },
            quiet: flag("CUDA_EMULATOR_QUIET"),
        }
    }

    /// The highest PTX version that a driver of this version reads, by NVIDIA's table.
    pub fn ptx_version(&self) -> (u32, u32) {
        match self.driver {
            ..11000 => (6, 5),
            11000..11010 => (7, 0),
            11010..11020 => (7, 1),
            11020..11030 => (7, 2),
            11030..11040 => (7, 3),
            11040..11050 => (7, 4),
            11050..11060 => (7, 5),
            11060..11070 => (7, 6),
            11070..11080 => (7, 7),
            11080..12000 => (7, 8),
            12000..12010 => (8, 0),
            12010..12020 => (8, 1),
            12020..12030 => (8, 2),
            12030..12040 => (8, 3),
            12040..12050 => (8, 4),
            12050..12070 => (8, 5),
            12070..12080 => (8, 6),
            12080..12090 => (8, 7),
            12090..13000 => (8, 8),
            _ => (9, 5),
        }
    }
}
