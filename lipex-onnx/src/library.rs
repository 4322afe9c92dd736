//! Where a libonnxruntime may be.
//!
//! # Order
//! The user's word; `ORT_DYLIB_PATH`; the Python environment that is active (`VIRTUAL_ENV`, `CONDA_PREFIX`), since
//! `pip install onnxruntime` brings the library; `LD_LIBRARY_PATH` or its like; Pythons of the user and the system; the
//! system's folders for libraries. Of several in one folder the one without a version, else the newest.

use lipex_core::{Error, Result};
use std::env;
use std::path::{Path, PathBuf};

/// Where pip puts the library, from a folder of packages.
const OF_PIP: &str = "onnxruntime/capi";
/// Folders for libraries.
const SYSTEM: [&str; 7] = [
    "/usr/local/lib",
    "/opt/onnxruntime/lib",
    "/opt/homebrew/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
];

/// The library at a file or in a folder of the user's, or in one of the usual places.
///
/// # Errors
/// [`Error::Setting`] where there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return at(path).ok_or_else(|| missing(path, "there is no libonnxruntime"));
    }
    if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return at(&path).ok_or_else(|| missing(&path, "ORT_DYLIB_PATH names it, and there is no libonnxruntime"));
    }
    usual().iter().find_map(|folder| inside(folder)).ok_or_else(|| {
        let reason = "no libonnxruntime in the usual places; pip install onnxruntime brings one, or give its path";
        missing(Path::new("auto"), reason)
    })
}

fn missing(path: &Path, reason: &str) -> Error {
    Error::setting("onnx-runtime", path.display(), reason)
}

/// The library that a path means: itself, or one in the folder, or what pip put there.
fn at(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_path_buf());
    }
    let within = [path.to_path_buf(), path.join("lib"), path.join("capi"), path.join(OF_PIP)];
    within.iter().chain(&pythons(path)).find_map(|folder| inside(folder))
}

/// The library of a folder.
fn inside(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.filter(|name| is_library(name)).max_by_key(|name| newest(name))?;
    Some(folder.join(name))
}

fn is_library(name: &str) -> bool {
    let unix = name
        .strip_prefix("libonnxruntime.")
        .is_some_and(|rest| rest == "so" || rest.starts_with("so.") || rest.ends_with("dylib"));
    unix || name == "onnxruntime.dll"
}

/// The numbers in a name; without any it is the one that the system means.
fn newest(name: &str) -> Vec<u64> {
    let numbers: Vec<u64> = name.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.is_empty() { vec![u64::MAX] } else { numbers }
}

/// Folders where the library is looked for when nobody names one.
fn usual() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for active in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(root) = env::var_os(active).map(PathBuf::from) {
            folders.extend(pythons(&root));
            folders.push(root.join("lib"));
        }
    }
    for list in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        folders.extend(env::var_os(list).iter().flat_map(env::split_paths).filter(|folder| folder.is_absolute()));
    }
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".local"));
    let roots = home.into_iter().chain(["/usr/local", "/usr"].map(PathBuf::from));
    folders.extend(roots.flat_map(|root| pythons(&root)));
    folders.extend(SYSTEM.map(PathBuf::from));
    folders
}

/// Where pip puts the library for the Pythons of a root (`lib/python3.*/site-packages/…`), the newest Python first.
fn pythons(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(root.join("lib"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")))
        .collect();
    versions.sort_by_key(|path| std::cmp::Reverse(newest(&path.to_string_lossy())));
    let packages = ["site-packages", "dist-packages"];
    let mut folders: Vec<PathBuf> =
        versions.iter().flat_map(|v| packages.map(|packages| v.join(packages).join(OF_PIP))).collect();
    folders.push(root.join("Lib/site-packages").join(OF_PIP));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_a_python_and_a_file_are_found_and_the_newest_counts() {
        let root = tempfile::tempdir().unwrap();
        let capi = root.path().join("lib/python3.11/site-packages").join(OF_PIP);
        let other = root.path().join("lib/python3.9/site-packages").join(OF_PIP);
        std::fs::create_dir_all(&capi).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        assert_eq!(at(root.path()), None);
        for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.32.0", "libonnxruntime_providers_shared.so"] {
            std::fs::write(capi.join(name), "").unwrap();
        }
        std::fs::write(other.join("libonnxruntime.so.1.33.0"), "").unwrap();
        let newest = capi.join("libonnxruntime.so.1.32.0");
        assert_eq!(at(root.path()), Some(newest.clone()));
        assert_eq!(at(&capi), Some(newest.clone()));
        assert_eq!(find(Some(&newest)).unwrap(), newest);
        std::fs::write(capi.join("libonnxruntime.so"), "").unwrap();
        assert_eq!(at(&capi), Some(capi.join("libonnxruntime.so")));
        let told = find(Some(&root.path().join("nowhere"))).unwrap_err().to_string();
        assert!(told.contains("nowhere") && told.contains("no libonnxruntime"), "{told}");
    }
}
