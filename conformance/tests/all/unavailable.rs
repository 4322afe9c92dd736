//! Without a driver, with one that is broken or too old, without a device: one line that says so, never a panic.

use super::device;
use lipex_conformance::{Case, made};
use lipex_core::{Backend, Problem, Result, Softmax, Surrogate};
use lipex_cuda::Cuda;
use std::path::Path;
use std::process::Command;

/// What a process of its own says to a driver that is found in `folder`.
fn said(folder: &Path, settings: &[(&str, &str)]) -> String {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["--exact", "unavailable::child", "--nocapture", "--include-ignored"]).env("LD_LIBRARY_PATH", folder);
    let done = child.env("LIPEX_ASK", "devices").envs(settings.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    let line = text.lines().find(|line| line.starts_with("said: ")).unwrap_or_else(|| panic!("{text}"));
    line.trim_start_matches("said: ").to_string()
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn child() {
    let answer = match std::env::var("LIPEX_ASK").as_deref() {
        Ok("the driver") => Ok(if lipex_cuda::driver_is_present() { "there" } else { "missing" }.to_string()),
        Ok("devices") => lipex_cuda::devices().map(|d| format!("{} devices, {}", d.len(), d[0].name)),
        Ok("the first device") => Cuda::new().map(|on| on.info().name.clone()),
        Ok("another device") => another_device(),
        Ok("17 small fits") => fits(17, Case { features: 60, rows: 127, classes: 6, kept: 60 }),
        Ok("a large fit") => fits(1, Case { features: 200, rows: 127, classes: 20, kept: 200 }),
        _ => return,
    };
    println!("said: {}", answer.unwrap_or_else(|error| error.to_string()));
}

/// Gives an array of device 0 to device 1.
fn another_device() -> Result<String> {
    let (one, other) = (Cuda::device(0)?, Cuda::device(1)?);
    let case = Case { features: 9, rows: 20, classes: 3, kept: 4 };
    let made = made(case, 1);
    let around = made.on(&one);
    Softmax::default().fit(&one, &[Problem::new(&around, &made.selection)])?;
    let told = [
        other.download(around.masks.bits()).map(drop),
        other.gather(around.probabilities.values(), 3, &[0]).map(drop),
        Softmax::default().fit(&other, &[Problem::new(&around, &made.selection)]).map(drop),
    ];
    let told: Vec<String> = told.into_iter().map(|told| told.unwrap_err().to_string()).collect();
    Ok(told.join(" | "))
}

/// Fits so many problems of a size at once.
fn fits(count: u64, case: Case) -> Result<String> {
    let on = Cuda::new()?;
    let problems: Vec<_> = (0..count).map(|seed| made(case, seed)).collect();
    let around: Vec<_> = problems.iter().map(|m| m.on(&on)).collect();
    let list: Vec<_> = around.iter().zip(&problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
    Ok(format!("{} fits", Softmax::default().fit(&on, &list)?.len()))
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("lipex-unavailable-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn linked(name: &str, to: &Path) -> std::path::PathBuf {
    let folder = folder(name);
    let _ = std::fs::remove_file(folder.join("libcuda.so"));
    std::os::unix::fs::symlink(to, folder.join("libcuda.so")).unwrap();
    folder
}

#[test]
fn no_driver() {
    // Asked in a process of its own: other tests of this one map the emulator, which then is its driver.
    if said(&folder("nothing"), &[("LIPEX_ASK", "the driver")]) == "there" {
        println!("skipped: there is a driver here");
        return;
    }
    let nothing = said(&folder("nothing"), &[]);
    assert!(nothing.contains("cuda is not available: there is no NVIDIA driver") && nothing.contains("`backend` cpu"));
    let garbage = folder("garbage");
    std::fs::write(garbage.join("libcuda.so"), b"no library at all").unwrap();
    assert!(said(&garbage, &[]).contains("there is no NVIDIA driver"));
}

#[test]
fn a_library_that_is_no_driver() {
    // The C library, which has none of the functions.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.lines().filter_map(|l| l.split_whitespace().last()).find(|p| p.contains("libc.so")).unwrap();
    let text = said(&linked("broken", Path::new(library)), &[]);
    assert!(text.contains("the NVIDIA driver lacks cuInit: it is too old or broken"), "{text}");
}

#[test]
fn an_old_driver_and_no_device() {
    let folder = linked("emulator", &device::emulator());
    let old = said(&folder, &[("CUDA_EMULATOR_DRIVER", "11080")]);
    assert!(old.contains("supports CUDA 11.8, and lipex needs 12.0 (driver r525 or newer)"), "{old}");
    let none = said(&folder, &[("CUDA_EMULATOR_DEVICES", "0")]);
    assert!(none.contains("cuda is not available: the NVIDIA driver"), "{none}");
    let two = said(&folder, &[("CUDA_EMULATOR_DEVICES", "2")]);
    assert!(two.starts_with("2 devices") && two.contains("mulator"), "{two}");
}

#[test]
fn a_device_that_is_too_old_is_listed_and_refused() {
    let folder = linked("old", &device::emulator());
    let old = ("CUDA_EMULATOR_COMPUTE_CAPABILITY", "7.0");
    let refused = said(&folder, &[old, ("LIPEX_ASK", "the first device")]);
    assert!(
        refused.contains("has compute capability 7.0, and lipex needs 7.5 or newer; use `backend` cpu"),
        "{refused}"
    );
    assert!(said(&folder, &[old]).starts_with("1 devices"));
    let enough = ("CUDA_EMULATOR_COMPUTE_CAPABILITY", "7.5");
    assert!(said(&folder, &[enough, ("LIPEX_ASK", "the first device")]).contains("mulator"));
}

#[test]
fn arrays_of_another_device_are_refused() {
    let folder = linked("two", &device::emulator());
    let told = said(&folder, &[("CUDA_EMULATOR_DEVICES", "2"), ("LIPEX_ASK", "another device")]);
    assert_eq!(told.matches("an array of device 0 was given to device 1").count(), 3, "{told}");
}

#[test]
fn a_device_without_room_splits_the_batch_and_then_says_so() {
    let folder = linked("small", &device::emulator());
    let fits = said(&folder, &[("CUDA_EMULATOR_MEMORY", "2"), ("LIPEX_ASK", "17 small fits")]);
    assert_eq!(fits, "17 fits");
    let large = said(&folder, &[("CUDA_EMULATOR_MEMORY", "2"), ("LIPEX_ASK", "a large fit")]);
    assert!(large.contains("cuda, fit: the device has no room for") && large.contains("are free"), "{large}");
}
