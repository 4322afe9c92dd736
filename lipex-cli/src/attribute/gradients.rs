//! Methods by gradients, of models in ONNX folders.

use super::asked::Wanted;
use crate::against::{self, Against, one};
use crate::model::{ImageModel, TextModel};
use crate::options::AttributeOptions;
use crate::photo::Photo;
use crate::report::printable;
use lipex::{
    Attribution, Attributions, BlurIg, DeepLift, Error, GradCam, Guided, GuidedIg, InputXGradient, Instance,
    IntegratedGradients, Local, MarkedPicture, MarkedText, Output, Pool, Result, Saliency, Setting, SmoothGrad,
    TextGradients, TextInstance, WhiteBox, Xrai,
};
use std::sync::Arc;

/// A method, and how its numbers are pooled.
pub struct Method {
    kind: Kind,
    pool: Pool,
    /// Whether rules are captum's.
    captum: bool,
}

enum Kind {
    /// One that has no base.
    Plain(Arc<dyn Attribution>),
    /// The same, of photos only.
    OfPhotos(Arc<dyn Attribution>),
    GradCam(GradCam),
    Integrated(IntegratedGradients),
    GuidedIg(GuidedIg),
    DeepLift,
}

/// The number of `--steps`, or the method's own.
fn steps(options: &AttributeOptions, own: usize) -> Result<usize> {
    match options.steps.as_deref() {
        None => Ok(own),
        Some("auto") => Err(Error::setting("steps", "auto", "is of integrated-gradients; give a whole number")),
        Some(n) => n.parse().map_err(|_| Error::setting("steps", n, "a whole number from 1, or auto")),
    }
}

impl Kind {
    fn read(options: &AttributeOptions) -> Result<Self> {
        Ok(match options.method.as_str() {
            "saliency" => Kind::Plain(Arc::new(Saliency)),
            "guided" => Kind::Plain(Arc::new(Guided)),
            "input-x-gradient" => Kind::Plain(Arc::new(InputXGradient)),
            "smoothgrad" => {
                let (noise, seed) = (options.noise.unwrap_or(0.15), options.seed.unwrap_or(0));
                Kind::Plain(Arc::new(SmoothGrad::new(steps(options, 25)?, noise, seed)?))
            }
            "gradcam" => Kind::GradCam(match &options.layer {
                Some(name) => GradCam::default().layer(name),
                None => GradCam::default(),
            }),
            "xrai" => Kind::OfPhotos(Arc::new(Xrai::new(steps(options, 100)?)?)),
            "blur-ig" => {
                let sigma = options.sigma.unwrap_or(50.0);
                Kind::OfPhotos(Arc::new(BlurIg::new(sigma, steps(options, 100)?)?))
            }
            "guided-ig" => {
                let (fraction, distance) = (options.fraction.unwrap_or(0.25), options.distance.unwrap_or(0.02));
                Kind::GuidedIg(GuidedIg::new(steps(options, 200)?, fraction, distance)?)
            }
            "deeplift" => Kind::DeepLift,
            _ if options.steps.as_deref() == Some("auto") => Kind::Integrated(IntegratedGradients::auto()),
            _ => Kind::Integrated(IntegratedGradients::new(steps(options, 50)?)?),
        })
    }
}

impl Method {
    /// The method that was named, one by gradients.
    pub fn read(options: &AttributeOptions) -> Result<Self> {
        let kind = Kind::read(options)?;
        let pool = match options.pool.as_deref() {
            // The numbers of a gradient alone say in which direction, and cancel: before a layer normalisation to nothing.
            None if ["saliency", "guided", "smoothgrad"].contains(&options.method.as_str()) => Pool::L2,
            None | Some("sum") => Pool::Sum,
            Some("abs") => Pool::AbsSum,
            Some("l2") => Pool::L2,
            Some(other) => return Err(Error::choice("pool", other, &["sum", "abs", "l2"])),
        };
        let captum = match options.compat.as_deref() {
            None => false,
            Some("captum") => true,
            Some(other) => return Err(Error::choice("compat", other, &["captum"])),
        };
        Ok(Method { kind, pool, captum })
    }

    /// The method from a base; zeros if there is none.
    fn against_base(&self, base: Option<Vec<f32>>) -> Arc<dyn Attribution> {
        match (&self.kind, base) {
            (Kind::Plain(method) | Kind::OfPhotos(method), _) => method.clone(),
            (Kind::GradCam(method), _) => Arc::new(method.clone()),
            (Kind::Integrated(method), None) => Arc::new(method.clone()),
            (Kind::Integrated(method), Some(base)) => Arc::new(method.clone().base(base)),
            (Kind::GuidedIg(method), None) => Arc::new(method.clone()),
            (Kind::GuidedIg(method), Some(base)) => Arc::new(method.clone().base(base)),
            (Kind::DeepLift, None) => Arc::new(DeepLift::default()),
            (Kind::DeepLift, Some(base)) => Arc::new(DeepLift::default().base(base)),
        }
    }

    /// Whether scores depend on a base that can be chosen.
    fn has_base(&self) -> bool {
        matches!(self.kind, Kind::Integrated(_) | Kind::GuidedIg(_) | Kind::DeepLift)
    }

    /// What is said of a run beside the method's own settings.
    fn settings(&self, options: &AttributeOptions, cut: &str) -> Vec<Setting> {
        let mut told = Vec::new();
        if self.has_base() {
            told.push(Setting::new("baseline", options.baseline.as_deref().unwrap_or("zeros")));
        }
        told.push(Setting::new("cut", cut));
        let pool = match self.pool {
            Pool::Sum => "sum",
            Pool::AbsSum => "abs",
            Pool::L2 => "l2",
        };
        told.push(Setting::new("pool", pool));
        told.extend(self.captum.then(|| Setting::new("compat", "captum")));
        told
    }

    /// The method with the layer that it looks at, which may be found only in the model.
    fn at_layer(&self, at: &dyn Local, outputs: &[Output]) -> Result<Option<Arc<dyn Attribution>>> {
        let (Kind::GradCam(method), Some(&output)) = (&self.kind, outputs.first()) else { return Ok(None) };
        let name = at.layer(output, method.name())?.name;
        Ok(Some(Arc::new(method.clone().layer(name))))
    }
}

/// What is said of a model that gives no gradients.
fn no_gradients(options: &AttributeOptions) -> Error {
    let reason = "looks into the model, which must be one in a folder (--model onnx:FOLDER); leave-one-out, occlusion and random \
                  ask any model";
    Error::setting("method", &options.method, reason)
}

/// The base that was asked for, zeros if `None`, and what the report says of it.
type Base = (Option<Vec<f32>>, String);

pub fn text(
    options: &AttributeOptions,
    method: &Method,
    model: (&TextModel, &[String]),
    text: &TextInstance,
    wanted: &Wanted,
) -> Result<(Attributions, String)> {
    if matches!(method.kind, Kind::OfPhotos(_) | Kind::GradCam(_)) {
        return Err(Error::setting("method", &options.method, "is of photos, and this model takes texts"));
    }
    let onnx = model.0.onnx().ok_or_else(|| no_gradients(options))?;
    let cut = options.cut.as_deref().unwrap_or("word");
    let gradients = onnx.gradients(cut)?;
    let gradients = if method.captum { gradients.as_captum() } else { gradients };
    let at = gradients.at(&MarkedText { text: text.text(), features: text.features() })?;
    let (base, told) = match options.baseline.as_deref() {
        None | Some("zeros") => (None, String::new()),
        Some("pad") => (Some(gradients.padded(text.text())?), String::new()),
        Some(name) if name.starts_with("nearest:") => {
            nearest_text(name, (&gradients, at.as_ref()), model, text.text(), wanted.targeted)?
        }
        Some(other) => return Err(Error::choice("baseline", other, &["zeros", "pad", "nearest:FILE"])),
    };
    let method_at = method.against_base(base);
    let features = text.features().to_vec();
    let mut found = Attributions::pool(method_at.as_ref(), at.as_ref(), &wanted.outputs, features, method.pool)?;
    let place = if gradients.cut() == cut { cut.to_string() } else { format!("{cut} ({})", gradients.cut()) };
    found.method.extend(method.settings(options, &place));
    Ok((found, told))
}

/// The point of the text of a class that is nearest to the point, by the mean of |x − B| over its numbers.
fn nearest_text(
    name: &str,
    (gradients, at): (&TextGradients<'_>, &dyn Local),
    (model, labels): (&TextModel, &[String]),
    text: &str,
    against: Option<Against>,
) -> Result<Base> {
    let samples = against::texts(name, against, (model, labels))?;
    let apart = |point: &[f32]| {
        let each = point.iter().zip(at.point()).map(|(b, x)| f64::from((x - b).abs()));
        each.sum::<f64>() / at.point().len().max(1) as f64
    };
    let mut best: Option<(f64, Vec<f32>, String)> = None;
    for sample in samples {
        let point = gradients.beside(text, &sample)?;
        let away = apart(&point);
        if best.as_ref().is_none_or(|(nearest, ..)| away < *nearest) {
            best = Some((away, point, sample));
        }
    }
    let (Some((away, point, sample)), Some(against)) = (best, against) else { return Ok((None, String::new())) };
    let probability = |class| Ok(at.values(&point, Output::Probability(class))?.first().copied().unwrap_or(0.0));
    let p: Vec<f64> = (0..labels.len()).map(probability).collect::<Result<_>>()?;
    let used = format!("nearest:\"{}\"", printable(&sample));
    let told = against.told(labels, &used, &p, Some(format!("{away:.3}")));
    Ok((Some(point), told))
}

pub fn image(
    options: &AttributeOptions,
    method: &Method,
    model: (&ImageModel, &[String]),
    photo: &Photo,
    wanted: &Wanted,
) -> Result<(Attributions, String)> {
    let onnx = model.0.onnx().ok_or_else(|| no_gradients(options))?;
    let gradients = onnx.gradients()?;
    let gradients = if method.captum { gradients.as_captum() } else { gradients };
    let (base, told) = match options.baseline.as_deref() {
        None | Some("zeros") => (None, String::new()),
        Some(name) => {
            let (image, told) = super::replaced(name, photo, model, wanted.targeted)?;
            (Some(gradients.point_of(&one(image.replacement())?)?), told)
        }
    };
    let Photo { picture, segments, .. } = photo;
    let at = gradients.at(&MarkedPicture { picture: &one(picture)?, segments: segments.of_pixels() })?;
    let method_at = method.at_layer(at.as_ref(), &wanted.outputs)?.unwrap_or_else(|| method.against_base(base));
    let features = segments.features();
    let mut found = Attributions::pool(method_at.as_ref(), at.as_ref(), &wanted.outputs, features, method.pool)?;
    found.method.extend(method.settings(options, gradients.cut()));
    Ok((found, told))
}
