//! Where explanations are computed.

use crate::output;
use lipex::lipex_cuda::{self, Cuda, DeviceInfo};
use lipex::{AnyExplainer, Device, Error, Result};

/// Says on standard error which backend `auto` took.
pub fn tell(asked: Device, explainer: &AnyExplainer) {
    match explainer {
        _ if asked != Device::Auto => {}
        AnyExplainer::Cuda(explainer) => eprintln!("backend: cuda, {}", explainer.backend().info().name),
        _ => eprintln!("backend: cpu"),
    }
}

/// Says on standard error what crossed between host and device.
pub fn report_traffic(on: &Cuda) {
    let crossed = on.transferred();
    eprintln!("{}: {} bytes sent, {} received", on.info().name, crossed.sent, crossed.received);
}

/// `lipex devices`: a line a device.
pub fn list() -> Result<()> {
    let lines: String = lipex_cuda::devices().map_err(without_options)?.iter().map(line).collect();
    output::print(&lines)
}

/// This command has no options to give: its advice is for the others.
fn without_options(error: Error) -> Error {
    match error {
        Error::Unavailable { backend, reason } => {
            let reason = reason.trim_end_matches("; use `backend` cpu");
            let advice = "lipex text and lipex image work without one, with --backend cpu";
            Error::Unavailable { backend, reason: format!("{reason}; {advice}") }
        }
        other => other,
    }
}

fn line(device: &DeviceInfo) -> String {
    let DeviceInfo { ordinal, name, memory, capability, driver, is_emulator } = device;
    let kind = match (is_emulator, device.is_supported()) {
        (_, false) => ", too old: lipex needs compute capability 7.5",
        (true, _) => ", an emulator: right results, no speed",
        _ => "",
    };
    let gibibytes = *memory as f64 / f64::from(1 << 30);
    format!(
        "{ordinal}: {name}, {gibibytes:.1} GiB, compute capability {}.{}, CUDA {}.{}{kind}\n",
        capability.0, capability.1, driver.0, driver.1
    )
}
