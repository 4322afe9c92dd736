//! `lipex attribute`.

mod asked;
#[cfg(feature = "gradients")]
mod gradients;
mod saved;

use crate::model::{AnyModel, ImageModel, TextModel};
use crate::options::AttributeOptions;
use crate::output::{Folder, Targets};
use crate::parse::refuse;
use crate::photo::Photo;
use crate::report::{Attributed, Choice};
use crate::{explain, files, parse};
use asked::{Asked, Method, Wanted};
use lipex::{
    Attributions, BlackBox, Cpu, Domain, ImageInstance, Images, Instance, Output, PlainColour, Result, Setting,
    Squares, Texts, checked_answers, leave_out, occlude, random_scores,
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

/// A model's labels and its answer to one input.
fn answer<Batch>(model: &dyn BlackBox<Cpu, Batch>, one: &Batch) -> Result<(Vec<String>, Vec<f64>)> {
    let p = checked_answers(&Cpu::new(), model, one, 1)?;
    let labels = model.labels().unwrap_or_default().to_vec();
    Ok((labels, p.row(0).iter().map(|&v| f64::from(v)).collect()))
}

/// Everything but the scores, which `score` makes for the outputs that are wanted.
fn attributed(
    options: &AttributeOptions,
    domain: Domain,
    (labels, probabilities): (Vec<String>, Vec<f64>),
    told: String,
    score: impl FnOnce(&Wanted) -> Result<Attributions>,
) -> Result<(Attributed, Choice)> {
    let choice = Choice::new(&options.view, &labels)?;
    let asked = Asked::read(options.model.output.as_deref(), domain, &labels)?;
    // What is no report compares classes.
    let compares = files::asked(&options.files).iter().any(|(_, path)| path.is_some()) || options.overlay.is_some();
    let wanted = asked.wanted(&choice, &probabilities, if compares { 2 } else { 1 });
    let found = score(&wanted)?;
    let names = wanted.names(&labels);
    let Wanted { classes, against, .. } = wanted;
    let output = asked.name();
    Ok((Attributed { found, rows: names, classes, against, labels, probabilities, output, domain, told }, choice))
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
    attributed(options, Domain::Text, answer(model, &whole)?, told, |wanted| {
        let on = Cpu::new();
        match method {
            Method::LeaveOneOut | Method::Occlusion => {
                let reason = "is of photos; a word that is removed becomes what --removed says";
                refuse([("baseline", options.baseline.is_some())], reason)?;
                let window = if matches!(method, Method::LeaveOneOut) { 1 } else { usual(options, instance) };
                let mut found = leave_out::<_, Texts>(&on, instance, model, &wanted.outputs, window)?;
                found.method.extend(instance.settings().into_iter().map(|(s, _)| s).filter(|s| s.name == "removed"));
                Ok(found)
            }
            Method::Random => {
                Ok(random_scores(options.seed.unwrap_or(0), instance.features().to_vec(), &wanted.outputs))
            }
            #[cfg(feature = "gradients")]
            Method::Gradients(method) => gradients::text(options, method, model, instance, &wanted.outputs),
        }
    })
}

fn image(
    options: &AttributeOptions,
    method: &Method,
    model: &ImageModel,
    photo: &Photo,
) -> Result<(Attributed, Choice)> {
    refuse([("cut", options.cut.is_some())], "is of texts, and this model takes photos")?;
    let (width, height) = (photo.picture.width(), photo.picture.height());
    let one = Images::new(width, height, photo.picture.as_rgb().to_vec())?;
    attributed(options, Domain::Image, answer(model, &one)?, photo.told.clone(), |wanted| {
        let outputs = &wanted.outputs;
        match method {
            Method::LeaveOneOut | Method::Occlusion => removals(options, method, model, photo, outputs),
            Method::Random => Ok(random_scores(options.seed.unwrap_or(0), photo.segments.features(), outputs)),
            #[cfg(feature = "gradients")]
            Method::Gradients(method) => gradients::image(options, method, model, photo, outputs),
        }
    })
}

/// What the model loses without each segment, or under squares.
fn removals(
    options: &AttributeOptions,
    method: &Method,
    model: &ImageModel,
    photo: &Photo,
    outputs: &[Output],
) -> Result<Attributions> {
    let by_squares = matches!(method, Method::Occlusion);
    let name = options.baseline.as_deref().unwrap_or(if by_squares { "black" } else { "mean" });
    let baseline = parse::baseline(name)?;
    let image = ImageInstance::builder(photo.picture.clone(), photo.segments.clone()).baseline(baseline).build()?;
    let mut found = match by_squares {
        true => occlude(&Cpu::new(), &image, model, outputs, squares(options, &image)?)?,
        false => leave_out::<_, Images>(&Cpu::new(), &image, model, outputs, 1)?,
    };
    found.method.push(Setting::new("baseline", name));
    Ok(found)
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
