//! `lipex attribute`.

mod asked;
#[cfg(feature = "gradients")]
mod gradients;
mod saved;

use crate::against::{self, Against, answer, one};
use crate::model::{AnyModel, ImageModel, TextModel};
use crate::options::AttributeOptions;
use crate::output::{Folder, Targets};
use crate::parse::refuse;
use crate::photo::Photo;
use crate::report::{Attributed, Choice};
use crate::{explain, files};
use asked::{Asked, Method, Wanted};
use lipex::{
    Attributions, Cpu, Domain, ImageInstance, Images, Instance, PlainColour, Result, Setting, Squares, Texts,
    leave_out, occlude, random_scores,
};
use saved::Files;

pub fn run(options: &AttributeOptions) -> Result<()> {
    let targets = Targets::new(files::asked(&options.files).into_iter().chain([("json", options.json.as_ref())]))?;
    let folder = options.overlay.as_deref().map(|path| Folder::new("overlay", path)).transpose()?;
    let method = Method::read(options)?;
    refuse([("rank", options.view.rank.is_some())], "is of explanations; here the highest and the lowest are listed")?;
    let settings = options.of.settings.settings()?;
    // Here --output says what is attributed.
    let mut of_model = options.model.clone();
    of_model.output = options.graph_output.clone();
    let model = AnyModel::open(&of_model, explain::threads(&settings))?;
    let files = match &model {
        AnyModel::Text(model) => {
            refuse([("overlay", folder.is_some())], "is of photos, and this model takes texts")?;
            let (instance, told) = options.of.text(&settings, model)?;
            let (attributed, choice) = text(options, &method, model, &instance, told)?;
            Files { attributed, choice, text: Some(instance.text().into()), image: None }
        }
        AnyModel::Image(model) => {
            let photo = options.of.photo()?;
            let (attributed, choice) = image(options, &method, model, &photo)?;
            let image = Some(shown(photo)?);
            Files { attributed, choice, text: None, image }
        }
    };
    files.write(&targets, folder.as_ref())
}

/// A photo as pages and pictures show it: nothing is removed, so any baseline will do that is not the photo itself.
fn shown(Photo { picture, segments, .. }: Photo) -> Result<ImageInstance> {
    let on = |colour: PlainColour| ImageInstance::builder(picture.clone(), segments.clone()).baseline(colour).build();
    on(PlainColour::BLACK).or_else(|_| on(PlainColour([255; 3])))
}

/// The class that --against names, which sets the output.
fn targeted(options: &AttributeOptions, labels: &[String], probabilities: &[f64]) -> Result<Option<Against>> {
    let set = options.against.is_some() && options.model.output.is_some();
    refuse([("output", set)], "is what --against sets, to a contrast; give one of them")?;
    options.against.as_deref().map(|name| Against::read(name, labels, probabilities)).transpose()
}

/// Everything but the scores, which `score` makes for the outputs that are wanted, with what the report says of their baseline.
fn attributed(
    options: &AttributeOptions,
    domain: Domain,
    (labels, probabilities): (Vec<String>, Vec<f64>),
    told: String,
    score: impl FnOnce(&Wanted, &[String]) -> Result<(Attributions, String)>,
) -> Result<(Attributed, Choice)> {
    let choice = Choice::new(&options.view, &labels)?;
    let against = targeted(options, &labels, &probabilities)?;
    let asked = match against {
        Some(Against { of, to }) => Asked::Contrast(of, to),
        None => Asked::read(options.model.output.as_deref(), domain, &labels)?,
    };
    // What is no report compares classes.
    let compares = files::asked(&options.files).iter().any(|(_, path)| path.is_some()) || options.overlay.is_some();
    let wanted = Wanted { targeted: against, ..asked.wanted(&choice, &probabilities, if compares { 2 } else { 1 }) };
    let (found, of_baseline) = score(&wanted, &labels)?;
    let names = wanted.names(&labels);
    let Wanted { classes, against, .. } = wanted;
    let output = asked.name();
    Ok((
        Attributed {
            found,
            rows: names,
            classes,
            against,
            labels,
            probabilities,
            output,
            domain,
            told: told + &of_baseline,
        },
        choice,
    ))
}

fn text(
    options: &AttributeOptions,
    method: &Method,
    model: &TextModel,
    instance: &lipex::TextInstance,
    told: String,
) -> Result<(Attributed, Choice)> {
    refuse([("stride", options.stride.is_some())], "is of photos, and this model takes texts")?;
    let whole = Texts::from(vec![instance.without(&[])?]);
    attributed(options, Domain::Text, answer::<Texts>(model, &whole)?, told, |wanted, labels| {
        let on = Cpu::new();
        // Read by gradients alone.
        let _ = labels;
        let found = match method {
            Method::LeaveOneOut | Method::Occlusion => {
                let reason = "is of photos; a word that is removed becomes what --removed says";
                refuse([("baseline", options.baseline.is_some())], reason)?;
                let window = if matches!(method, Method::LeaveOneOut) { 1 } else { usual(options, instance) };
                let mut found = leave_out::<_, Texts>(&on, instance, model, &wanted.outputs, window)?;
                found.method.extend(instance.settings().into_iter().map(|(s, _)| s).filter(|s| s.name == "removed"));
                found
            }
            Method::Random => random_scores(options.seed.unwrap_or(0), instance.features().to_vec(), &wanted.outputs),
            #[cfg(feature = "gradients")]
            Method::Gradients(method) => return gradients::text(options, method, (model, labels), instance, wanted),
        };
        Ok((found, String::new()))
    })
}

fn image(
    options: &AttributeOptions,
    method: &Method,
    model: &ImageModel,
    photo: &Photo,
) -> Result<(Attributed, Choice)> {
    refuse([("cut", options.cut.is_some())], "is of texts, and this model takes photos")?;
    let whole = answer::<Images>(model, &one(&photo.picture)?)?;
    attributed(options, Domain::Image, whole, photo.told.clone(), |wanted, labels| match method {
        Method::LeaveOneOut | Method::Occlusion => removals(options, method, (model, labels), photo, wanted),
        Method::Random => {
            let found = random_scores(options.seed.unwrap_or(0), photo.segments.features(), &wanted.outputs);
            Ok((found, String::new()))
        }
        #[cfg(feature = "gradients")]
        Method::Gradients(method) => gradients::image(options, method, (model, labels), photo, wanted),
    })
}

/// What the model loses without each segment, or under squares.
fn removals(
    options: &AttributeOptions,
    method: &Method,
    (model, labels): (&ImageModel, &[String]),
    photo: &Photo,
    wanted: &Wanted,
) -> Result<(Attributions, String)> {
    let by_squares = matches!(method, Method::Occlusion);
    let name = options.baseline.as_deref().unwrap_or(if by_squares { "black" } else { "mean" });
    let (image, told) = replaced(name, photo, (model, labels), wanted.targeted)?;
    let mut found = match by_squares {
        true => occlude(&Cpu::new(), &image, model, &wanted.outputs, squares(options, &image)?)?,
        false => leave_out::<_, Images>(&Cpu::new(), &image, model, &wanted.outputs, 1)?,
    };
    found.method.push(Setting::new("baseline", name));
    Ok((found, told))
}

/// A photo with its baseline, and what the report says of that where a class is explained against another.
fn replaced(
    name: &str,
    photo: &Photo,
    (model, labels): (&ImageModel, &[String]),
    against: Option<Against>,
) -> Result<(ImageInstance, String)> {
    let builder = ImageInstance::builder(photo.picture.clone(), photo.segments.clone());
    let image = against::image(builder, name, &photo.picture, (model, labels), against)?;
    let told = against.map(|against| against::image_told(against, &image, model)).transpose()?;
    Ok((image, told.unwrap_or_default()))
}

/// The words of a window of occlusion: two, or the one that there is.
fn usual(options: &AttributeOptions, text: &lipex::TextInstance) -> usize {
    options.window.unwrap_or(text.features().len().min(2))
}

/// The squares of occlusion.
fn squares(options: &AttributeOptions, image: &ImageInstance) -> Result<Squares> {
    let (width, height) = (image.picture().width(), image.picture().height());
    let usual = match options.window {
        // One of no pixel is refused below.
        Some(window) => Squares::affordable(window, width, height),
        None => Squares::usual(width, height),
    };
    Squares::new(options.window.unwrap_or(usual.window()), options.stride.unwrap_or(usual.stride()))
}
