//! Writes the kernels as the driver gets them, with every built-in divergence in its places:
//! `cargo run -p lipex-cuda --example splice -- FOLDER`. `kernels/assemble.py` assembles them for several devices.

use lipex_core::by_name;

/// The divergences that the command knows.
const BUILT_IN: [&str; 7] = ["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:0.5", "alpha:2"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder? cargo run -p lipex-cuda --example splice -- FOLDER")?;
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for file in lipex_kernels::FILES {
        if !file.wants_divergence() {
            std::fs::write(folder.join(format!("{}.ptx", file.name)), file.ptx)?;
            continue;
        }
        for name in BUILT_IN {
            let divergence = by_name(name)?;
            let (fit, exact) = (divergence.record(!divergence.is_smooth()), divergence.record(false));
            let path = folder.join(format!("{}-{}.ptx", file.name, name.replace(':', "-")));
            std::fs::write(path, lipex_cuda::spliced(file.ptx, &fit, &exact))?;
        }
    }
    Ok(())
}
