//! `lipex image`.

use crate::against::{self, Against};
use crate::backend;
use crate::explain::{Asked, explain, settings, threads, unknown_backend};
use crate::files;
use crate::model::ImageModel;
use crate::options::{ImageOptions, View};
use crate::output::Folder;
use crate::photo::Photo;
use crate::staging::Staging;
use lipex::lipex_cuda::{self, HostModel};
use lipex::{AnyExplainer, Domain, Explanation, ImageInstance, Images, Overlays, Result, Setting, npy, to_html};

pub fn run(options: &ImageOptions) -> Result<()> {
    let targets = files::targets(&options.save)?;
    let folder = options.overlay.as_deref().map(|path| Folder::new("overlay", path)).transpose()?;
    let settings = settings(&options.settings, &options.view)?;
    let photo = Photo::read(&options.photo)?;
    let model = ImageModel::open(&options.model, threads(&settings))?;
    let Taken { image, view, told: laid_on, against } = taken(options, photo, &model)?;
    let explainer = settings.explainer(settings.device(), Domain::Image)?;
    backend::tell(settings.device(), &explainer);
    let asked = Asked { flip_to: options.flip_to.as_deref(), view: &view };
    let (mut explanation, around, view) = match explainer {
        AnyExplainer::Cpu(explainer) => explain::<_, Images>(&explainer, &image, &model, &asked)?,
        // The device renders, the program answers on the host.
        AnyExplainer::Cuda(explainer) => {
            let on = explainer.backend();
            let rendered = image.clone().on_device(on)?;
            let model = HostModel::new(model);
            let (explanation, around, view) = explain::<_, Images>(&explainer, &rendered, &model, &asked)?;
            backend::report_traffic(on);
            (explanation, lipex_cuda::to_host(on, &around)?, view)
        }
        _ => unknown_backend()?,
    };
    explanation.settings.extend(against.map(|class| Setting::new("against", class)));
    let e = &explanation;
    let mut staged = Staging::default();
    let told = match &folder {
        Some(folder) => stage_overlays(&mut staged, folder, (&image, e), &view.shown(e), "|W|")?,
        None => String::new(),
    };
    let others = |option: &str| match option {
        "html" => Some(to_html(e, &view.page(e).image(&image)).map(String::into_bytes)),
        "save-neighbourhood" => Some(npy::neighbourhood_to_npz(&around)),
        _ => None,
    };
    files::finish(staged, &targets, e, &view, others, &(laid_on + &told))
}

/// What is explained, and how it is shown.
struct Taken {
    image: ImageInstance,
    view: View,
    /// What the report says of transparent places and of a targeted baseline.
    told: String,
    /// The class that is explained against.
    against: Option<String>,
}

/// The image with its baseline; the model is asked where a class is explained against another.
fn taken(options: &ImageOptions, photo: Photo, model: &ImageModel) -> Result<Taken> {
    let Photo { picture, segments, told } = photo;
    let builder = ImageInstance::builder(picture.clone(), segments);
    let Some(name) = &options.against else {
        let image = against::image(builder, &options.baseline, &picture, (model, &[]), None)?;
        return Ok(Taken { image, view: options.view.clone(), told, against: None });
    };
    let (labels, p) = against::answer::<Images>(model, &against::one(&picture)?)?;
    let asked = Against::read(name, &labels, &p)?;
    let image = against::image(builder, &options.baseline, &picture, (model, &labels), Some(asked))?;
    let told = told + &against::image_told(asked, &image, model)?;
    Ok(Taken { image, view: asked.view(&options.view, &labels)?, told, against: Some(labels[asked.to].clone()) })
}

/// A file a class, likeliest or first named first; what the report says of them. `size` is what tints show.
pub fn stage_overlays(
    staged: &mut Staging,
    folder: &Folder,
    (image, e): (&ImageInstance, &Explanation),
    shown: &[usize],
    size: &str,
) -> Result<String> {
    let overlays = Overlays::new(image, e, shown)?;
    let digits = shown.len().to_string().len();
    let mut names = Vec::new();
    for (i, &class) in shown.iter().enumerate() {
        let name = format!("{:0digits$}-{}.png", i + 1, file_name(&e.classes[class]));
        folder.stage(staged, "overlay", &name, overlays.of(class)?.to_png())?;
        names.push(name);
    }
    Ok(format!(
        "\nOverlays: {}.\nBlue and + hold the class up, orange and − speak against it; the strongest tint is {size} = {}.\n",
        names.join(", "),
        three_digits(overlays.largest())
    ))
}

/// A size with two decimals, or as many as it takes to see it.
fn three_digits(size: f64) -> String {
    if size >= 0.1 || size == 0.0 { format!("{size:.2}") } else { format!("{size:.2e}") }
}

/// A class's name as a part of a file's name that every system takes.
fn file_name(class: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = class.chars().map(plain).take(40).collect();
    name.trim_matches('_').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_are_harmless() {
        assert_eq!(file_name("Egyptian cat"), "egyptian_cat");
        assert_eq!(file_name("../../etc/passwd"), "etc_passwd");
        assert_eq!(file_name("猫\u{202e}/\0"), "猫");
        assert_eq!(file_name(&"x".repeat(300)).len(), 40);
        assert_eq!(file_name("///"), "");
    }
}
