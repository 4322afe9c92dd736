//! From options to an explainer and its parts.

use crate::options::{MethodOptions, NoiseOptions, SamplingOptions, SurrogateOptions, ThreadOptions};
use crate::parse;
use lipex::{
    Adaptive, Cpu, Domain, Error, ErrorBars, Explainer, Intercept, Preset, Result, Ridge, Rule, Softmax, Surrogate,
    by_name,
};
use std::sync::Arc;

/// An explainer with a preset's settings and those that the options change.
pub fn explainer(
    method: &MethodOptions,
    sampling: &SamplingOptions,
    threads: &ThreadOptions,
    domain: Domain,
) -> Result<Explainer<Cpu>> {
    let preset = Preset::by_name(&method.preset)?;
    let mut explainer = Explainer::with_preset(Cpu::with_threads(threads.threads)?, preset).seed(sampling.seed);
    if domain == Domain::Image {
        explainer = explainer.images();
    }
    explainer = match surrogate(preset, &method.surrogate)? {
        Chosen::Softmax(softmax) => explainer.surrogate(softmax),
        Chosen::Ridge(ridge) => explainer.surrogate(ridge),
    };
    if let Some(samples) = sampling.samples {
        explainer = explainer.samples(samples)?;
    }
    if sampling.sampler.is_some() || sampling.within_angle.is_some() {
        let name = sampling.sampler.as_deref().unwrap_or(match domain {
            Domain::Text => "uniform-size",
            Domain::Image => "bernoulli",
        });
        explainer = explainer.perturber(parse::sampler(name, sampling, domain)?);
    }
    if let Some(proximity) = &method.weigh.proximity {
        explainer = explainer.proximity(parse::proximity(proximity)?);
    }
    if let Some(select) = &method.select.select {
        explainer = explainer.selector(parse::select(select)?);
    }
    Ok(explainer)
}

/// Adds error bars and growth if the options ask for them; `top` is the K that a word's share in the top is of.
pub fn with_noise(mut explainer: Explainer<Cpu>, options: &NoiseOptions, top: usize) -> Result<Explainer<Cpu>> {
    if options.bars.uncertainty {
        explainer = explainer.error_bars(ErrorBars::default().top(top.max(1))?);
    }
    if !options.adaptive {
        return Ok(explainer);
    }
    let mut adaptive = Adaptive::default();
    if let Some(settled) = &options.settled {
        adaptive = adaptive.rule(parse::settled(settled)?)?;
    }
    if let Some(half_width) = options.half_width {
        adaptive = adaptive.rule(Rule::HalfWidth(half_width))?;
    }
    if let Some(most) = options.max_samples {
        adaptive = adaptive.most(most)?;
    }
    Ok(explainer.adaptive(adaptive))
}

/// The surrogate that the options name.
pub enum Chosen {
    Softmax(Softmax),
    Ridge(Ridge),
}

impl Chosen {
    /// The surrogate behind its trait.
    pub fn shared(self) -> Arc<dyn Surrogate<Cpu>> {
        match self {
            Chosen::Softmax(softmax) => Arc::new(softmax),
            Chosen::Ridge(ridge) => Arc::new(ridge),
        }
    }
}

/// The surrogate: the preset's, or the one that is named, with the settings that it alone has.
pub fn surrogate(preset: Preset, options: &SurrogateOptions) -> Result<Chosen> {
    let name = options.surrogate.as_deref().unwrap_or(if preset == Preset::Lime { "ridge" } else { "softmax" });
    match name {
        "softmax" => softmax(preset, options).map(Chosen::Softmax),
        "ridge" => ridge(options).map(Chosen::Ridge),
        other => Err(Error::setting("surrogate", other, "choose softmax or ridge")),
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
    if let Some(tolerance) = options.tolerance {
        softmax = softmax.tolerance(tolerance)?;
    }
    if let Some(alpha) = options.alpha {
        let reason = "a softmax has no such setting; leave it out, or add --surrogate ridge";
        return Err(Error::setting("alpha", alpha, reason));
    }
    softmax.lambda_factor()?;
    Ok(softmax)
}

fn ridge(options: &SurrogateOptions) -> Result<Ridge> {
    let others = [
        ("divergence", options.divergence.clone()),
        ("lambda", options.lambda.clone()),
        ("lambda-scale", options.lambda_scale.clone()),
        ("normalise", options.normalise.clone()),
        ("no-intercept", options.no_intercept.then(|| "set".to_string())),
        ("tolerance", options.tolerance.map(|t| t.to_string())),
        ("starts", options.starts.clone()),
    ];
    match others.into_iter().find_map(|(option, value)| value.map(|v| (option, v))) {
        Some((option, value)) => {
            let reason = "a ridge has no such setting; leave it out, or add --surrogate softmax";
            Err(Error::setting(option, value, reason))
        }
        None => options.alpha.map_or(Ok(Ridge::default()), |alpha| Ridge::default().alpha(alpha)),
    }
}
