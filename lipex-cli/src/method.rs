//! From options to an explainer and its parts.

use crate::options::{MethodOptions, SamplingOptions, SurrogateOptions, ThreadOptions};
use crate::parse;
use lipex::{
    Authors, AuthorsLoss, Cpu, Error, Explainer, Intercept, KernelShap, Preset, Result, Ridge, ShapleyKernel, Softmax,
    by_name,
};

/// An explainer with a preset's settings and those that the options change.
pub fn explainer(
    method: &MethodOptions,
    sampling: &SamplingOptions,
    threads: &ThreadOptions,
) -> Result<Explainer<Cpu>> {
    let preset = Preset::by_name(&method.preset)?;
    let mut explainer = Explainer::with_preset(Cpu::with_threads(threads.threads)?, preset).seed(sampling.seed);
    explainer = match surrogate(preset, &method.surrogate, sampling.seed)? {
        Chosen::Softmax(softmax) => explainer.surrogate(softmax),
        Chosen::Ridge(ridge) => explainer.surrogate(ridge),
        Chosen::Authors(authors) => explainer.surrogate(authors),
        Chosen::KernelShap(kernel_shap) => explainer.surrogate(kernel_shap),
    };
    if let Some(samples) = sampling.samples {
        explainer = explainer.samples(samples)?;
    }
    let usual = if preset == Preset::KernelShap { "kernel-shap" } else { "uniform-size" };
    let sampler = sampling.sampler.as_deref().unwrap_or(usual);
    if sampling.sampler.is_some() || sampling.within_angle.is_some() {
        explainer = explainer.perturber(parse::sampler(sampler, sampling)?);
    }
    explainer = match (sampler, method.proximity.as_deref()) {
        ("kernel-shap", Some(other)) if other != "shapley" => {
            let reason =
                "the sampler kernel-shap weighs masks itself; leave --proximity out, or choose another sampler";
            return Err(Error::setting("proximity", other, reason));
        }
        ("kernel-shap", _) => explainer.proximity(ShapleyKernel),
        (_, Some(proximity)) => explainer.proximity(parse::proximity(proximity)?),
        (_, None) => explainer,
    };
    if let Some(select) = &method.select {
        explainer = explainer.selector(parse::select(select)?);
    }
    Ok(explainer)
}

/// The surrogate that the options name.
pub enum Chosen {
    Softmax(Softmax),
    Ridge(Ridge),
    Authors(Authors),
    KernelShap(KernelShap),
}

/// The surrogate: the preset's, or the one that is named, with the settings that it alone has.
pub fn surrogate(preset: Preset, options: &SurrogateOptions, seed: u64) -> Result<Chosen> {
    let usual = match preset {
        Preset::Lipex | Preset::Paper => "softmax",
        Preset::Lime => "ridge",
        Preset::Authors => "authors",
        Preset::KernelShap => "kernel-shap",
    };
    match options.surrogate.as_deref().unwrap_or(usual) {
        "softmax" => softmax(preset, options).map(Chosen::Softmax),
        "ridge" => without("a ridge", options, &["divergence"]).map(|()| Chosen::Ridge(Ridge::default())),
        "authors" => authors(options, seed).map(Chosen::Authors),
        "kernel-shap" => without("kernel-shap", options, &["divergence"]).map(|()| Chosen::KernelShap(KernelShap)),
        other => Err(Error::setting("surrogate", other, "choose softmax, ridge, authors or kernel-shap")),
    }
}

fn softmax(preset: Preset, options: &SurrogateOptions) -> Result<Softmax> {
    let mut softmax = preset.softmax();
    if let Some(divergence) = &options.divergence {
        softmax = softmax.erased_divergence(by_name(divergence)?);
    }
    softmax = match options.lambda.as_deref() {
        None => softmax,
        Some("auto") => softmax.lambda_auto(),
        Some(lambda) => softmax.lambda(parse::lambda(lambda)?)?,
    };
    if let Some(starts) = &options.starts {
        softmax = softmax.starts(parse::starts(starts)?);
    }
    if let Some(scale) = &options.lambda_scale {
        softmax = softmax.lambda_scale(parse::lambda_scale(scale)?);
    }
    if let Some(normalise) = &options.normalise {
        softmax = softmax.normalise(parse::normalise(normalise)?);
    }
    if options.no_intercept {
        softmax = softmax.intercept(Intercept::None);
    }
    softmax.lambda_factor()?;
    Ok(softmax)
}

fn authors(options: &SurrogateOptions, seed: u64) -> Result<Authors> {
    without("the authors' recipe", options, &[])?;
    let loss = options.divergence.as_deref().map_or(Ok(AuthorsLoss::default()), AuthorsLoss::by_name)?;
    Ok(Authors::default().loss(loss).seed(seed))
}

/// Passes if none of the settings that only a softmax has is given, nor any of `more`.
fn without(surrogate: &str, options: &SurrogateOptions, more: &[&str]) -> Result<()> {
    let settings = [
        ("divergence", options.divergence.clone()),
        ("lambda", options.lambda.clone()),
        ("lambda-scale", options.lambda_scale.clone()),
        ("normalise", options.normalise.clone()),
        ("no-intercept", options.no_intercept.then(|| "set".to_string())),
        ("starts", options.starts.clone()),
    ];
    let given = settings.into_iter().find_map(|(option, value)| value.map(|v| (option, v)));
    match given {
        Some((option, value)) if option != "divergence" || more.contains(&option) => {
            let reason = format!("{surrogate} has no such setting; leave it out, or add --surrogate softmax");
            Err(Error::setting(option, value, reason))
        }
        _ => Ok(()),
    }
}
