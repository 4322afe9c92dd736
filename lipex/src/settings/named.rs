//! The parts that have a name, on any backend.
//!
//! A name is given in two places: the match of `by_name`, and the match that makes the part on a backend. ARCHITECTURE.md's
//! table of additions leads here.

use lipex_core::perturb::{Filtered, ShapleySize, WeightProportional};
use lipex_core::{
    All, Angle, Antithetic, Authors, Backend, Bernoulli, CosineDistance, CosineSimilarity, Domain, Error, Evaluator,
    Exhaustive, Explainer, Exponential, Forward, HighestWeights, KernelShap, LassoPath, LimeImage, LimeText, OutOfFold,
    Perturber, Preset, Proximity, Result, Ridge, Selector, ShapleyKernel, Softmax, Surrogate, TreeSurrogate,
    UniformSize,
};
use std::sync::Arc;

/// A sampler that has a name.
///
/// ```
/// use lipex::{AnySampler, Domain};
///
/// assert!(matches!(AnySampler::by_name("lime", Domain::Text)?, AnySampler::LimeText(_)));
/// assert!(AnySampler::by_name("dice", Domain::Text).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnySampler {
    /// `uniform-size`.
    UniformSize(UniformSize),
    /// `uniform-size`, what lies outside an angle thrown away.
    FilteredUniformSize(Filtered<UniformSize>),
    /// `bernoulli:P`.
    Bernoulli(Bernoulli),
    /// `bernoulli:P`, what lies outside an angle thrown away.
    FilteredBernoulli(Filtered<Bernoulli>),
    /// `antithetic`.
    Antithetic(Antithetic),
    /// `weight-proportional`.
    WeightProportional(WeightProportional),
    /// `kernel-shap`.
    ShapleySize(ShapleySize),
    /// `exhaustive`.
    Exhaustive(Exhaustive),
    /// `lime` of texts.
    LimeText(LimeText),
    /// `lime` of images.
    LimeImage(LimeImage),
}

/// The sampler, and whether what lies outside the angle is thrown away.
const SAMPLERS: [&str; 9] = [
    "uniform-size",
    "antithetic",
    "bernoulli",
    "bernoulli:P",
    "weight-proportional",
    "kernel-shap",
    "exhaustive",
    "lime",
    "lime-image",
];

impl AnySampler {
    /// The sampler of that name, for such instances.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(value: &str, domain: Domain) -> Result<Self> {
        Ok(match value {
            "uniform-size" => AnySampler::UniformSize(UniformSize::default()),
            "antithetic" => AnySampler::Antithetic(Antithetic),
            "weight-proportional" => AnySampler::WeightProportional(WeightProportional),
            "kernel-shap" => AnySampler::ShapleySize(ShapleySize),
            "exhaustive" => AnySampler::Exhaustive(Exhaustive),
            "lime-image" => AnySampler::LimeImage(LimeImage),
            "lime" if domain == Domain::Image => AnySampler::LimeImage(LimeImage),
            "lime" => AnySampler::LimeText(LimeText),
            other if other.split(':').next() == Some("bernoulli") => AnySampler::Bernoulli(other.parse()?),
            other => return Err(Error::choice("sampler", other, &SAMPLERS)),
        })
    }

    /// The sampler confined to an angle: by drawing only what lies within, or, `filtered`, by throwing away what does not.
    ///
    /// # Errors
    /// [`Error::Setting`] for samplers that cannot be confined.
    pub fn within(self, angle: Angle, filtered: bool) -> Result<Self> {
        Ok(match self {
            AnySampler::UniformSize(law) if filtered => {
                AnySampler::FilteredUniformSize(Filtered { law, within: angle })
            }
            AnySampler::UniformSize(_) => AnySampler::UniformSize(UniformSize { within: Some(angle) }),
            AnySampler::Bernoulli(law) if filtered => AnySampler::FilteredBernoulli(Filtered { law, within: angle }),
            AnySampler::Bernoulli(mut law) => {
                law.within = Some(angle);
                AnySampler::Bernoulli(law)
            }
            _ => {
                let reason = "such a `sampler` cannot be confined; choose uniform-size or bernoulli";
                return Err(Error::setting("within-angle", angle.radians(), reason));
            }
        })
    }
}

/// A proximity that has a name.
///
/// ```
/// assert!(lipex::AnyProximity::by_name("exponential:0.5").is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AnyProximity {
    /// `exponential:W`.
    Exponential(Exponential),
    /// `cosine-similarity`.
    CosineSimilarity(CosineSimilarity),
    /// `cosine-distance`.
    CosineDistance(CosineDistance),
    /// `shapley`.
    Shapley(ShapleyKernel),
}

impl AnyProximity {
    /// The proximity of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(value: &str) -> Result<Self> {
        Ok(match value {
            "cosine-similarity" => AnyProximity::CosineSimilarity(CosineSimilarity),
            "cosine-distance" => AnyProximity::CosineDistance(CosineDistance),
            "shapley" => AnyProximity::Shapley(ShapleyKernel),
            other if other.split(':').next() == Some("exponential") => AnyProximity::Exponential(other.parse()?),
            other => {
                let names = ["exponential", "exponential:W", "cosine-similarity", "cosine-distance", "shapley"];
                return Err(Error::choice("proximity", other, &names));
            }
        })
    }
}

/// A selector that has a name.
///
/// ```
/// assert!(lipex::AnySelector::by_name("lasso:4").is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AnySelector {
    /// `forward:K`, `exclusive:K`.
    Forward(Forward),
    /// `highest:K`.
    Highest(HighestWeights),
    /// `lasso:K`.
    Lasso(LassoPath),
    /// `all`.
    All(All),
}

impl AnySelector {
    /// The selector of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(value: &str) -> Result<Self> {
        Ok(match value.split_once(':').map_or(value, |(kind, _)| kind) {
            "forward" | "exclusive" if value.contains(':') => AnySelector::Forward(value.parse()?),
            "highest" if value.contains(':') => AnySelector::Highest(value.parse()?),
            "lasso" if value.contains(':') => AnySelector::Lasso(value.parse()?),
            "all" if value == "all" => AnySelector::All(All),
            _ => {
                let names = ["forward:K", "exclusive:K", "highest:K", "lasso:K", "all"];
                return Err(Error::choice("select", value, &names));
            }
        })
    }
}

/// A surrogate that has a name.
///
/// ```
/// use lipex::AnySurrogate;
///
/// let ridge = AnySurrogate::by_name("ridge")?;
/// let error = ridge.with("lambda", "0.1").unwrap_err().to_string();
/// assert!(error.contains("a ridge has no such setting"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnySurrogate {
    /// `softmax`.
    Softmax(Box<Softmax>),
    /// `ridge`.
    Ridge(Ridge),
    /// `authors`.
    Authors(Authors),
    /// `kernel-shap`.
    KernelShap(KernelShap),
    /// `tree`, `tree:DEPTH`.
    Tree(TreeSurrogate),
}

impl AnySurrogate {
    /// The surrogate of that name, with its default settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        Ok(match name {
            "softmax" => AnySurrogate::Softmax(Box::default()),
            "ridge" => AnySurrogate::Ridge(Ridge::default()),
            "authors" => AnySurrogate::Authors(Authors::default()),
            "kernel-shap" => AnySurrogate::KernelShap(KernelShap),
            tree if tree == "tree" || tree.starts_with("tree:") => AnySurrogate::Tree(tree.parse()?),
            other => {
                let names = ["softmax", "ridge", "authors", "kernel-shap", "tree"];
                return Err(Error::choice("surrogate", other, &names));
            }
        })
    }

    /// A setting by name, spelled as reports print it.
    ///
    /// # Errors
    /// [`Error::Setting`] for one that this surrogate does not have, and for a value that it cannot have.
    pub fn with(self, name: &str, value: &str) -> Result<Self> {
        let (has, called): (&[&str], _) = match &self {
            AnySurrogate::Softmax(_) => (&Softmax::SETTINGS, "a softmax"),
            // Pairs and a shared support are a matter of Rust: they go together.
            AnySurrogate::Ridge(_) => (&["alpha", "intercept"], "a ridge"),
            AnySurrogate::Authors(_) => (&Authors::SETTINGS, "the authors' recipe"),
            AnySurrogate::KernelShap(_) => (&["intercept"], "kernel-shap"),
            AnySurrogate::Tree(_) => (&TreeSurrogate::SETTINGS, "a tree"),
        };
        if !has.contains(&name) {
            let other = match name {
                "alpha" => "ridge",
                "leaf" | "min-weight" => "tree",
                _ => "softmax",
            };
            let reason = format!("{called} has no such setting; leave it out, or set `surrogate` to {other}");
            return Err(Error::setting(name, value, reason));
        }
        Ok(match self {
            AnySurrogate::Softmax(softmax) => AnySurrogate::Softmax(Box::new(softmax.with(name, value)?)),
            AnySurrogate::Ridge(ridge) => AnySurrogate::Ridge(ridge.with(name, value)?),
            AnySurrogate::Authors(authors) => AnySurrogate::Authors(authors.with(name, value)?),
            AnySurrogate::Tree(tree) => AnySurrogate::Tree(tree.with(name, value)?),
            AnySurrogate::KernelShap(_) if value == "anchored" => self,
            AnySurrogate::KernelShap(_) => {
                let reason =
                    "kernel-shap is anchored by nature, at the answers for everything and for nothing; leave it out";
                return Err(Error::setting(name, value, reason));
            }
        })
    }
}

/// A backend on which all that has a name runs. Every backend that has the stages is one: nothing is to be implemented.
///
/// ```
/// use lipex::{Complete, Cpu, Domain, Settings};
///
/// /// On any backend, what a user's file says.
/// fn explainer<B: Complete>(on: B, text: &str) -> lipex::Result<lipex::Explainer<B>> {
///     Settings::from_pairs([("samples", text)])?.explainer_on(on, Domain::Text)
/// }
///
/// assert!(explainer(Cpu::new(), "500").is_ok() && explainer(Cpu::new(), "many").is_err());
/// ```
pub trait Complete: Backend {
    /// An explainer with a preset's settings.
    fn preset(self, preset: Preset) -> Explainer<Self>;
    /// A preset's settings for images, where it has others for them.
    fn images(explainer: Explainer<Self>) -> Explainer<Self>;
    /// The sampler on this backend.
    fn sampler(sampler: AnySampler) -> Arc<dyn Perturber<Self>>;
    /// The proximity on this backend.
    fn proximity(proximity: AnyProximity) -> Arc<dyn Proximity<Self>>;
    /// The selector on this backend.
    fn selector(selector: AnySelector) -> Arc<dyn Selector<Self>>;
    /// The surrogate on this backend.
    fn surrogate(surrogate: AnySurrogate) -> Arc<dyn Surrogate<Self>>;
    /// The explainer with this surrogate, whose settings its setters can still change.
    fn with_surrogate(explainer: Explainer<Self>, surrogate: AnySurrogate) -> Explainer<Self>;
}

impl<B: Backend> Complete for B
where
    UniformSize: Perturber<B>,
    Filtered<UniformSize>: Perturber<B>,
    Bernoulli: Perturber<B>,
    Filtered<Bernoulli>: Perturber<B>,
    Antithetic: Perturber<B>,
    WeightProportional: Perturber<B>,
    ShapleySize: Perturber<B>,
    Exhaustive: Perturber<B>,
    LimeText: Perturber<B>,
    LimeImage: Perturber<B>,
    Exponential: Proximity<B>,
    CosineSimilarity: Proximity<B>,
    CosineDistance: Proximity<B>,
    ShapleyKernel: Proximity<B>,
    Forward: Selector<B>,
    HighestWeights: Selector<B>,
    LassoPath: Selector<B>,
    All: Selector<B>,
    Softmax: Surrogate<B>,
    Ridge: Surrogate<B>,
    Authors: Surrogate<B>,
    KernelShap: Surrogate<B>,
    TreeSurrogate: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    fn preset(self, preset: Preset) -> Explainer<Self> {
        Explainer::with_preset(self, preset)
    }

    fn images(explainer: Explainer<Self>) -> Explainer<Self> {
        explainer.images()
    }

    fn sampler(sampler: AnySampler) -> Arc<dyn Perturber<Self>> {
        match sampler {
            AnySampler::UniformSize(law) => Arc::new(law),
            AnySampler::FilteredUniformSize(law) => Arc::new(law),
            AnySampler::Bernoulli(law) => Arc::new(law),
            AnySampler::FilteredBernoulli(law) => Arc::new(law),
            AnySampler::Antithetic(law) => Arc::new(law),
            AnySampler::WeightProportional(law) => Arc::new(law),
            AnySampler::ShapleySize(law) => Arc::new(law),
            AnySampler::Exhaustive(law) => Arc::new(law),
            AnySampler::LimeText(law) => Arc::new(law),
            AnySampler::LimeImage(law) => Arc::new(law),
        }
    }

    fn proximity(proximity: AnyProximity) -> Arc<dyn Proximity<Self>> {
        match proximity {
            AnyProximity::Exponential(proximity) => Arc::new(proximity),
            AnyProximity::CosineSimilarity(proximity) => Arc::new(proximity),
            AnyProximity::CosineDistance(proximity) => Arc::new(proximity),
            AnyProximity::Shapley(proximity) => Arc::new(proximity),
        }
    }

    fn selector(selector: AnySelector) -> Arc<dyn Selector<Self>> {
        match selector {
            AnySelector::Forward(selector) => Arc::new(selector),
            AnySelector::Highest(selector) => Arc::new(selector),
            AnySelector::Lasso(selector) => Arc::new(selector),
            AnySelector::All(selector) => Arc::new(selector),
        }
    }

    fn surrogate(surrogate: AnySurrogate) -> Arc<dyn Surrogate<Self>> {
        match surrogate {
            AnySurrogate::Softmax(surrogate) => Arc::new(*surrogate),
            AnySurrogate::Ridge(surrogate) => Arc::new(surrogate),
            AnySurrogate::Authors(surrogate) => Arc::new(surrogate),
            AnySurrogate::KernelShap(surrogate) => Arc::new(surrogate),
            AnySurrogate::Tree(surrogate) => Arc::new(surrogate),
        }
    }

    fn with_surrogate(explainer: Explainer<Self>, surrogate: AnySurrogate) -> Explainer<Self> {
        match surrogate {
            AnySurrogate::Softmax(softmax) => explainer.surrogate(*softmax),
            other => explainer.surrogate(Self::surrogate(other)),
        }
    }
}
