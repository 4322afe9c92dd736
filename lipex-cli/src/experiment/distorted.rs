//! Distorted versions of a model in a folder.

use super::plan::Plan;
use crate::options::ModelOptions;
use lipex::{Error, Result};
use lipex_experiment::{Distortion, Experiment};
use std::path::{Path, PathBuf};

/// The versions that the experiment wants, by name; none if it is another experiment.
pub fn open<M>(plan: &Plan<'_>, load: impl Fn(&ModelOptions) -> Result<M>) -> Result<Vec<(String, M)>> {
    if plan.experiment != Experiment::Distortion {
        return Ok(Vec::new());
    }
    let options = &plan.options.model;
    let value = options.model.as_deref().unwrap_or("demo");
    let graph = graph(value).ok_or_else(|| {
        let reason = "distortion changes the weights of a model in a folder: give onnx:FOLDER";
        Error::setting("model", value, reason)
    })?;
    let bytes = std::fs::read(&graph).map_err(|e| Error::setting("model", value, e.to_string()))?;
    let wanted = distortions(plan)?;
    let one = |(name, distortion): (String, Distortion)| {
        let (changed, _) = distortion.apply(&bytes, 0).map_err(|e| Error::setting("model", value, e.to_string()))?;
        let folder = copy(&graph, &changed).map_err(|e| Error::setting("model", value, e.to_string()))?;
        let model = Some(format!("onnx:{}", folder.path().join("model.onnx").display()));
        Ok((name, load(&ModelOptions { model, answers: None, ..options.clone() })?))
    };
    wanted.into_iter().map(one).collect()
}

/// The graph's file of `onnx:FOLDER`, `onnx:FILE.onnx` or `FILE.onnx`.
fn graph(value: &str) -> Option<PathBuf> {
    let path = Path::new(value.strip_prefix("onnx:").unwrap_or(value));
    if path.is_dir() && value.starts_with("onnx:") {
        return Some(path.join("model.onnx"));
    }
    (path.extension().is_some_and(|e| e == "onnx")).then(|| path.to_path_buf())
}

/// What the options ask for, each with the name that its measures have.
fn distortions(plan: &Plan<'_>) -> Result<Vec<(String, Distortion)>> {
    let sigmas = plan.options.sigmas.as_deref().unwrap_or("1,2,5,10,20");
    let mut wanted = Vec::new();
    for sigma in sigmas.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        let number = sigma.parse::<f64>().ok().filter(|s| *s > 0.0 && s.is_finite());
        let number = number.ok_or_else(|| Error::setting("sigmas", sigma, "is no number above 0"))?;
        // Names sort as numbers do.
        wanted.push((format!("{number:05.2}"), Distortion::Noise(number)));
    }
    for count in plan.options.shuffled.iter().flat_map(|list| list.split(',')).map(str::trim) {
        let number = count.parse::<usize>().ok().filter(|n| *n > 0);
        let number = number.ok_or_else(|| Error::setting("shuffled", count, "is no number of layers"))?;
        wanted.push((format!("shuffled_{number:02}"), Distortion::Shuffled(number)));
    }
    Ok(wanted)
}

/// A folder with the changed graph and everything else of the model.
fn copy(graph: &Path, changed: &[u8]) -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let beside = graph.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in std::fs::read_dir(beside)? {
        let path = entry?.path();
        // Other graphs are not this model's.
        if path.is_file() && path.extension().is_none_or(|e| e != "onnx") {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap_or_default()))?;
        }
    }
    std::fs::write(folder.path().join("model.onnx"), changed)?;
    Ok(folder)
}
