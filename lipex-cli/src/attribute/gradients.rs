//! Methods by gradients, of models in ONNX folders.

use crate::model::{ImageModel, TextModel};
use crate::options::AttributeOptions;
use crate::parse;
use crate::photo::Photo;
use lipex::{
    Attribution, Attributions, DeepLift, Error, Guided, ImageInstance, Images, InputXGradient, Instance,
    IntegratedGradients, MarkedPicture, MarkedText, Output, Picture, Pool, Result, Saliency, Setting, SmoothGrad,
    TextInstance, WhiteBox,
};
use std::sync::Arc;

/// A method, and how its numbers are pooled.
pub struct Method {
    kind: Kind,
    pool: Pool,
}

enum Kind {
    /// One that has no base.
    Plain(Arc<dyn Attribution>),
    Integrated(IntegratedGradients),
    DeepLift,
}

impl Method {
    /// The method that was named, one by gradients.
    pub fn read(options: &AttributeOptions) -> Result<Self> {
        let steps = || match options.steps.as_deref() {
            None | Some("auto") => Ok(None),
            Some(n) => n.parse().map(Some).map_err(|_| Error::setting("steps", n, "a whole number from 1, or auto")),
        };
        let kind = match options.method.as_str() {
            "saliency" => Kind::Plain(Arc::new(Saliency)),
            "guided" => Kind::Plain(Arc::new(Guided)),
            "input-x-gradient" => Kind::Plain(Arc::new(InputXGradient)),
            "smoothgrad" => {
                if options.steps.as_deref() == Some("auto") {
                    return Err(Error::setting("steps", "auto", "is of integrated-gradients; give a whole number"));
                }
                let noise = options.noise.unwrap_or(0.15);
                Kind::Plain(Arc::new(SmoothGrad::new(steps()?.unwrap_or(25), noise, options.seed.unwrap_or(0))?))
            }
            "deeplift" => Kind::DeepLift,
            _ => Kind::Integrated(match (options.steps.as_deref(), steps()?) {
                (Some("auto"), _) => IntegratedGradients::auto(),
                (_, Some(n)) => IntegratedGradients::new(n)?,
                _ => IntegratedGradients::default(),
            }),
        };
        let pool = match options.pool.as_deref() {
            // The numbers of a gradient alone say in which direction, and cancel: before a layer normalisation to nothing.
            None if ["saliency", "guided", "smoothgrad"].contains(&options.method.as_str()) => Pool::L2,
            None | Some("sum") => Pool::Sum,
            Some("abs") => Pool::AbsSum,
            Some("l2") => Pool::L2,
            Some(other) => return Err(Error::choice("pool", other, &["sum", "abs", "l2"])),
        };
        Ok(Method { kind, pool })
    }

    /// The method from a base; zeros if there is none.
    fn against_base(&self, base: Option<Vec<f32>>) -> Arc<dyn Attribution> {
        match (&self.kind, base) {
            (Kind::Plain(method), _) => method.clone(),
            (Kind::Integrated(method), None) => Arc::new(method.clone()),
            (Kind::Integrated(method), Some(base)) => Arc::new(method.clone().base(base)),
            (Kind::DeepLift, None) => Arc::new(DeepLift::default()),
            (Kind::DeepLift, Some(base)) => Arc::new(DeepLift::default().base(base)),
        }
    }

    /// What is said of a run beside the method's own settings.
    fn settings(&self, options: &AttributeOptions, cut: &str) -> Vec<Setting> {
        let mut told = Vec::new();
        if !matches!(self.kind, Kind::Plain(_)) {
            told.push(Setting::new("baseline", options.baseline.as_deref().unwrap_or("zeros")));
        }
        told.push(Setting::new("cut", cut));
        let pool = match self.pool {
            Pool::Sum => "sum",
            Pool::AbsSum => "abs",
            Pool::L2 => "l2",
        };
        told.push(Setting::new("pool", pool));
        told
    }
}

/// What is said of a model that gives no gradients.
fn no_gradients(options: &AttributeOptions) -> Error {
    let reason = "looks into the model, which must be one in a folder (--model onnx:FOLDER); leave-one-out, occlusion and random \
                  ask any model";
    Error::setting("method", &options.method, reason)
}

pub fn text(
    options: &AttributeOptions,
    method: &Method,
    model: &TextModel,
    text: &TextInstance,
    outputs: &[Output],
) -> Result<Attributions> {
    let model = model.onnx().ok_or_else(|| no_gradients(options))?;
    let cut = options.cut.as_deref().unwrap_or("word");
    let gradients = model.gradients(cut)?;
    let base = match options.baseline.as_deref() {
        None | Some("zeros") => None,
        Some("pad") => Some(gradients.padded(text.text())?),
        Some(other) => return Err(Error::choice("baseline", other, &["zeros", "pad"])),
    };
    let at = gradients.at(&MarkedText { text: text.text(), features: text.features() })?;
    let method_at = method.against_base(base);
    let features = text.features().to_vec();
    let mut found = Attributions::pool(method_at.as_ref(), at.as_ref(), outputs, features, method.pool)?;
    let place = if gradients.cut() == cut { cut.to_string() } else { format!("{cut} ({})", gradients.cut()) };
    found.method.extend(method.settings(options, &place));
    Ok(found)
}

pub fn image(
    options: &AttributeOptions,
    method: &Method,
    model: &ImageModel,
    Photo { picture, segments, .. }: &Photo,
    outputs: &[Output],
) -> Result<Attributions> {
    let model = model.onnx().ok_or_else(|| no_gradients(options))?;
    let gradients = model.gradients()?;
    let one = |of: &Picture| Images::new(of.width(), of.height(), of.as_rgb().to_vec());
    let base = match options.baseline.as_deref() {
        None | Some("zeros") => None,
        Some(name) => {
            let baseline = parse::baseline(name)?;
            let image = ImageInstance::builder(picture.clone(), segments.clone()).baseline(baseline).build()?;
            Some(gradients.point_of(&one(image.replacement())?)?)
        }
    };
    let at = gradients.at(&MarkedPicture { picture: &one(picture)?, segments: segments.of_pixels() })?;
    let (method_at, features) = (method.against_base(base), segments.features());
    let mut found = Attributions::pool(method_at.as_ref(), at.as_ref(), outputs, features, method.pool)?;
    found.method.extend(method.settings(options, gradients.cut()));
    Ok(found)
}
