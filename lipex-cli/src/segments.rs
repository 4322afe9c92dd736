//! `lipex segments`.

use crate::options::SegmentsOptions;
use crate::output::Targets;
use crate::photo::Photo;
use crate::staging::Staging;
use lipex::{Error, Result};
use std::path::Path;

pub fn run(options: &SegmentsOptions) -> Result<()> {
    let asked = [("out", options.out.as_ref()), ("show", options.show.as_ref())];
    let targets = Targets::new(asked)?;
    let numpy = options.out.as_deref().map(as_numpy).transpose()?.unwrap_or(false);
    let Photo { picture, segments, told } = Photo::read(&options.photo)?;
    let mut staged = Staging::default();
    targets.stage(&mut staged, |option| match option {
        "show" => segments.outlined(&picture).map(|shown| shown.to_png()),
        _ if numpy => Ok(segments.to_npy()),
        _ => Ok(segments.to_png()),
    })?;
    if !targets.take_standard_output() {
        let mut sizes = vec![0usize; segments.len()];
        segments.of_pixels().iter().for_each(|&segment| sizes[usize::from(segment)] += 1);
        sizes.sort_unstable();
        let (smallest, middle, largest) = (sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        staged.report(&format!(
            "{} segments; pixels of the smallest, the middle and the largest: {smallest}, {middle}, {largest}\n{told}",
            segments.len()
        ));
    }
    staged.commit()
}

/// Whether a map is written for NumPy, by its file's name.
fn as_numpy(path: &str) -> Result<bool> {
    let is = |extension: &str| Path::new(path).extension().is_some_and(|e| e.eq_ignore_ascii_case(extension));
    match (is("npy"), is("png") || path == "-") {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(Error::setting("out", path, "must end in .png or .npy")),
    }
}
