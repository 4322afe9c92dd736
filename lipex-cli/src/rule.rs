//! `lipex rule`.

use crate::model::{AnyModel, ImageModel, TextModel};
use crate::options::RuleOptions;
use crate::output::{self, Targets};
use crate::parse::{self, refuse};
use crate::report::{Ruled, render_rule};
use crate::staging::Staging;
use crate::{explain, progress};
use lipex::{Anchors, Cpu, Domain, ImageInstance, Images, Result, Settings, Texts, rule_to_json};

pub fn run(options: &RuleOptions) -> Result<()> {
    let targets = Targets::new([("json", options.json.as_ref()), ("show", options.show.as_ref())])?;
    let anchors = anchors(options)?;
    let settings = options.of.settings.settings()?;
    let model = AnyModel::open(&options.model, explain::threads(&settings))?;
    let (ruled, picture) = match &model {
        AnyModel::Text(model) => (text(options, &anchors, (&settings, model))?, None),
        AnyModel::Image(model) => {
            let (ruled, picture) = image(options, &anchors, model)?;
            (ruled, Some(picture))
        }
    };
    let mut staged = Staging::default();
    targets.stage(&mut staged, |option| match (option, &picture) {
        ("show", Some(picture)) => Ok(picture.clone()),
        _ => Ok(rule_to_json(&ruled.rule, ruled.text.as_deref()).into_bytes()),
    })?;
    if !targets.take_standard_output() {
        staged.report(&render_rule(&ruled, output::width()));
    }
    staged.commit()
}

fn anchors(options: &RuleOptions) -> Result<Anchors> {
    let anchors = Anchors::default().seed(options.seed.unwrap_or(0));
    let anchors = with(anchors, options.precision, Anchors::precision)?;
    let anchors = with(anchors, options.delta, Anchors::delta)?;
    let anchors = with(anchors, options.tolerance, Anchors::tolerance)?;
    let anchors = with(anchors, options.beam, Anchors::beam)?;
    let anchors = with(anchors, options.batch, Anchors::batch)?;
    with(anchors, options.max_rows, Anchors::max_rows)
}

fn with<T>(anchors: Anchors, value: Option<T>, set: fn(Anchors, T) -> Result<Anchors>) -> Result<Anchors> {
    value.map_or(Ok(anchors), |value| set(anchors, value))
}

fn text(options: &RuleOptions, anchors: &Anchors, (settings, model): (&Settings, &TextModel)) -> Result<Ruled> {
    let given = [("baseline", options.baseline.is_some()), ("show", options.show.is_some())];
    refuse(given, "is of photos, and this model takes texts")?;
    let (text, told) = options.of.text(settings, model)?;
    let rule = anchors.explain::<_, Texts>(&progress::on(Cpu::new()), &text, model)?;
    Ok(Ruled { rule, domain: Domain::Text, text: Some(text.text().to_string()), told })
}

fn image(options: &RuleOptions, anchors: &Anchors, model: &ImageModel) -> Result<(Ruled, Vec<u8>)> {
    let photo = options.of.photo()?;
    let baseline = parse::baseline(options.baseline.as_deref().unwrap_or("mean"))?;
    let image = ImageInstance::builder(photo.picture, photo.segments).baseline(baseline).build()?;
    let rule = anchors.explain::<_, Images>(&progress::on(Cpu::new()), &image, model)?;
    let removed: Vec<usize> = (0..rule.features.len()).filter(|j| !rule.kept.contains(j)).collect();
    let picture = image.without(&removed)?.to_png();
    Ok((Ruled { rule, domain: Domain::Image, text: None, told: photo.told }, picture))
}
