//! `--against CLASS`: one class over another, from a baseline of the other.

use crate::batch::input::{Columns, Input};
use crate::model::ImageModel;
#[cfg(feature = "gradients")]
use crate::model::TextModel;
use crate::options::View;
use crate::{output, parse};
use lipex::{
    AnotherPicture, BlackBox, Cpu, Describe, Error, ImageBuilder, ImageInstance, Images, Nearest, Norm, Picture,
    Result, arg_max, checked_answers,
};
#[cfg(feature = "gradients")]
use lipex::{RowId, Texts};
use std::path::{Path, PathBuf};

/// The class that is explained, and the one that it is explained against.
#[derive(Clone, Copy)]
pub struct Against {
    pub of: usize,
    pub to: usize,
}

/// A model's labels and its answer to one input.
pub fn answer<Batch>(model: &dyn BlackBox<Cpu, Batch>, one: &Batch) -> Result<(Vec<String>, Vec<f64>)> {
    let p = checked_answers(&Cpu::new(), model, one, 1)?;
    let labels = model.labels().unwrap_or_default().to_vec();
    Ok((labels, p.row(0).iter().map(|&v| f64::from(v)).collect()))
}

/// A picture as a batch of one.
pub fn one(picture: &Picture) -> Result<Images> {
    Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec())
}

impl Against {
    /// The likeliest class over the one that was named, which must be another.
    pub fn read(name: &str, labels: &[String], probabilities: &[f64]) -> Result<Self> {
        let (of, to) = (arg_max(probabilities), parse::class("against", name, labels)?);
        if of == to {
            return Err(Error::setting("against", name, "is what the model says already; choose another class"));
        }
        Ok(Against { of, to })
    }

    /// The view with the contrast of the two.
    pub fn view(self, view: &View, labels: &[String]) -> Result<View> {
        if view.contrast.is_some() {
            return Err(Error::Instance("--contrast is what --against sets; give one of them".into()));
        }
        let contrast = Some(format!("{}:{}", labels[self.of], labels[self.to]));
        Ok(View { contrast, ..view.clone() })
    }

    /// What a baseline is to the model: lines for a report, the last a warning where it is no baseline of the class.
    pub fn told(self, labels: &[String], used: &str, p: &[f64], apart: Option<String>) -> String {
        let (to, best) = (&labels[self.to], &labels[arg_max(p)]);
        let apart = apart.map_or(String::new(), |apart| format!("; mean |x − B| = {apart}"));
        let told = format!(
            "\n{} against {to}, from the baseline {used}: there the model gives {to} {:.3}, and most to {best}, {:.3}{apart}.\n",
            labels[self.of],
            p[self.to],
            p[arg_max(p)]
        );
        match arg_max(p) == self.to {
            true => told,
            false => {
                told + &format!(
                    "Warning: the baseline is no {to} to the model. Scores say \"as against {best}\" as much.\n"
                )
            }
        }
    }
}

/// The class that `nearest:PATH` wants.
fn wanted(name: &str, against: Option<Against>) -> Result<usize> {
    let reason = "wants a class to explain against: --against CLASS";
    against.map(|a| a.to).ok_or_else(|| Error::setting("baseline", name, reason))
}

/// The instance of a photo with the baseline of that name; `nearest:FOLDER` looks for its sample.
pub fn image(
    builder: ImageBuilder,
    name: &str,
    picture: &Picture,
    (model, labels): (&ImageModel, &[String]),
    against: Option<Against>,
) -> Result<ImageInstance> {
    match name.strip_prefix("nearest:") {
        Some(path) => {
            let class = wanted(name, against)?;
            let samples = pictures(Path::new(path), picture, (model, labels))?;
            let refuse = || {
                let (width, height) = (picture.width(), picture.height());
                let reason = format!("has no photo of {} with {width}×{height} pixels", labels[class]);
                Error::setting("baseline", name, reason)
            };
            samples.of(picture, class).ok_or_else(refuse)?;
            builder.baseline(samples).target(class).build()
        }
        None => builder.baseline(parse::baseline(name)?).build(),
    }
}

/// What the report says of a photo's baseline.
pub fn image_told(against: Against, image: &ImageInstance, model: &ImageModel) -> Result<String> {
    let other = image.replacement();
    let (labels, p) = answer::<Images>(model, &one(other)?)?;
    let apart = Norm::L1.apart(image.picture().as_rgb(), other.as_rgb()) / other.as_rgb().len() as f64;
    let used = image.describe().into_iter().find(|s| s.name == "baseline").map(|s| s.value).unwrap_or_default();
    Ok(against.told(&labels, &used, &p, Some(format!("{apart:.1} of 255"))))
}

/// Photos of a folder, of the size of a picture: their classes are the names of the folders in it, or what the model says.
fn pictures(folder: &Path, like: &Picture, (model, labels): (&ImageModel, &[String])) -> Result<Nearest> {
    let refuse = |reason: String| Error::setting("baseline", format!("nearest:{}", folder.display()), reason);
    let entries = std::fs::read_dir(folder).map_err(|e| {
        refuse(format!("{e}; give a folder of photos, or of folders of photos with the names of classes"))
    })?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_dir()).collect();
    folders.sort();
    let mut found = Nearest { predicted: folders.is_empty(), ..Nearest::default() };
    if folders.is_empty() {
        for sample in photos(folder, like)? {
            found.labels.push(arg_max(&answer::<Images>(model, &one(&sample.picture)?)?.1));
            found.samples.push(sample);
        }
    }
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let class = parse::class("baseline", &name, labels)?;
        for sample in photos(&folder, like)? {
            found.labels.push(class);
            found.samples.push(sample);
        }
    }
    Ok(found)
}

/// The photos of one folder that have the size.
fn photos(folder: &Path, like: &Picture) -> Result<Vec<AnotherPicture>> {
    let mut found = Vec::new();
    for row in Input::open(&folder.display().to_string(), None, &Columns::default())?.read()? {
        let Ok(file) = row.content else { continue };
        let decoded = Picture::decode_on(&output::read_bytes("baseline", &file)?, [255; 3]);
        let (picture, _) = decoded.map_err(|e| Error::setting("baseline", &file, e.to_string()))?;
        if (picture.width(), picture.height()) == (like.width(), like.height()) {
            found.push(AnotherPicture { picture, name: file });
        }
    }
    Ok(found)
}

#[cfg(feature = "gradients")]
/// Texts of a class out of a table with the columns text and label; without the second the model says what they are.
pub fn texts(name: &str, against: Option<Against>, (model, labels): (&TextModel, &[String])) -> Result<Vec<String>> {
    let class = wanted(name, against)?;
    let file = name.strip_prefix("nearest:").unwrap_or(name);
    let labelled = Columns { id: Some("label".into()), ..Columns::default() };
    let (table, known) = match Input::open(file, None, &labelled) {
        Ok(table) => (table, true),
        Err(_) => (Input::open(file, None, &Columns::default())?, false),
    };
    let rows = table.read()?.map(|row| {
        let text = row.content.map_err(|reason| Error::setting("baseline", name, reason))?;
        Ok((text, row.id))
    });
    let rows: Vec<(String, RowId)> = rows.collect::<Result<_>>()?;
    let classes: Vec<usize> = match known {
        true => rows.iter().map(|(_, l)| parse::class("baseline", &l.to_string(), labels)).collect::<Result<_>>()?,
        false => {
            let all = Texts::from(rows.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>());
            let p = checked_answers::<Cpu, Texts>(&Cpu::new(), model, &all, rows.len())?;
            (0..rows.len()).map(|row| arg_max(&p.row(row).iter().map(|&v| f64::from(v)).collect::<Vec<_>>())).collect()
        }
    };
    let texts: Vec<String> = rows.into_iter().zip(classes).filter(|(_, c)| *c == class).map(|((t, _), _)| t).collect();
    match texts.is_empty() {
        true => Err(Error::setting("baseline", name, format!("has no text of {}", labels[class]))),
        false => Ok(texts),
    }
}
