//! The methods that are compared.

use crate::model::TextModel;
use lipex::{Domain, Error, Images, Result, Texts};
use lipex_experiment::{Experiment, Method, method_by_name};

/// Names of the methods that look into a model.
const BY_GRADIENTS: [&str; 6] =
    ["saliency", "input-x-gradient", "guided", "integrated-gradients", "deeplift", "smoothgrad"];

/// Passes if each is there once and has what an experiment measures. No model is asked.
pub fn check_all(names: &[String], experiment: Experiment, domain: Domain) -> Result<()> {
    if let Some((_, twice)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(Error::setting("methods", twice, "is named twice"));
    }
    names.iter().try_for_each(|name| check(name, experiment, domain))
}

/// Passes if there is such a method, and it has what an experiment measures.
fn check(name: &str, experiment: Experiment, domain: Domain) -> Result<()> {
    if !BY_GRADIENTS.contains(&name) {
        return experiment.check(method_by_name::<()>(name, domain)?.as_ref());
    }
    let refuse = |reason: &str| Err(Error::setting("methods", name, reason));
    match () {
        () if !cfg!(feature = "gradients") => {
            refuse("this lipex was built without gradients; build it with the feature gradients")
        }
        () if domain == Domain::Image => refuse("is of texts here, and these inputs are photos"),
        () if experiment.is_about_fits() => refuse(&format!("has no surrogate, which {} is about", experiment.name())),
        () => Ok(()),
    }
}

/// The methods of texts.
pub fn of_texts<'a>(names: &[String], model: &'a TextModel) -> Result<Vec<Box<dyn Method<Texts> + 'a>>> {
    let one = |name: &String| -> Result<Box<dyn Method<Texts> + 'a>> {
        match BY_GRADIENTS.contains(&name.as_str()) {
            true => by_gradients(name, model),
            false => Ok(method_by_name(name, Domain::Text)?),
        }
    };
    names.iter().map(one).collect()
}

/// The methods of photos.
pub fn of_photos(names: &[String]) -> Result<Vec<Box<dyn Method<Images>>>> {
    names.iter().map(|name| method_by_name(name, Domain::Image)).collect()
}

#[cfg(feature = "gradients")]
fn by_gradients<'a>(name: &str, model: &'a TextModel) -> Result<Box<dyn Method<Texts> + 'a>> {
    let reason = "looks into the model, which must be one in a folder (--model onnx:FOLDER)";
    let model = model.onnx().ok_or_else(|| Error::setting("methods", name, reason))?;
    Ok(Box::new(lipex_experiment::Gradients::by_name(name, model)?))
}

#[cfg(not(feature = "gradients"))]
fn by_gradients<'a>(name: &str, _: &'a TextModel) -> Result<Box<dyn Method<Texts> + 'a>> {
    Err(Error::setting("methods", name, "this lipex was built without gradients"))
}
