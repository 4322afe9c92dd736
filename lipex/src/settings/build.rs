//! From names and values to parts, and to an explainer.
//!
//! # Order
//! Pairs are applied in the order of the table, whatever order they were given in; what excludes another setting, or goes with
//! one that is not given, is an error that names both.

use super::named::{AnyProximity, AnySampler, AnySelector, AnySurrogate, Complete};
use super::table::number;
use super::{SettingInfo, Settings, Topic, settled};
#[cfg(feature = "text")]
use crate::{Removed, Split, TextBuilder, TextInstance, Unit};
use lipex_core::{
    Adaptive, Angle, Authors, Domain, Error, ErrorBars, Explainer, Intercept, Perturber, Proximity, Rank, Repeats,
    Result, Ridge, Rule, Selector, Softmax, Surrogate, TreeSurrogate,
};
use std::sync::Arc;

impl Settings {
    /// An explainer with these settings on a backend, for such instances.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that do not fit together.
    pub fn explainer_on<B: Complete>(&self, on: B, domain: Domain) -> Result<Explainer<B>> {
        self.check_together()?;
        self.check_domain(domain)?;
        let mut explainer = on.preset(self.preset());
        if domain == Domain::Image {
            explainer = B::images(explainer);
        }
        explainer = explainer
            .perturber(self.sampler::<B>(domain)?)
            .proximity(self.proximity::<B>(domain)?)
            .selector(self.selector::<B>(domain)?);
        explainer = B::with_surrogate(explainer, self.any_surrogate(domain)?);
        if let Some(samples) = self.get("samples") {
            explainer = explainer.samples(number("samples", samples)?);
        }
        if let Some(enumerate) = self.get("enumerate") {
            explainer = explainer.enumerate(enumerate.parse()?);
        }
        if let Some(seed) = self.get("seed") {
            explainer = explainer.seed(number("seed", seed)?);
        }
        if let Some(size) = self.get("batch-size") {
            explainer = explainer.batch_size(number("batch-size", size)?);
        }
        if let Some(rank) = self.get("rank") {
            explainer = explainer.rank(Rank::by_name(rank)?);
        }
        if self.is_set("ask-again") {
            explainer = explainer.repeats(Repeats::AskAgain);
        }
        self.with_noise(explainer)
    }

    /// A text with these settings: its unit, how words are split, what takes the place of removed ones.
    ///
    /// ```
    /// use lipex::{Instance, Settings};
    ///
    /// let lime = Settings::new().with("preset", "lime")?;
    /// assert_eq!(lime.text("I can't")?.build()?.features().len(), 3);
    /// assert_eq!(Settings::new().text("I can't")?.build()?.features().len(), 2);
    /// # Ok::<(), lipex::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that cannot be.
    #[cfg(feature = "text")]
    pub fn text(&self, text: impl Into<String>) -> Result<TextBuilder> {
        let mut builder = TextInstance::builder(text).split(self.split()?);
        if let Some(unit) = self.get("unit") {
            builder = builder.unit(Unit::by_name(unit)?);
        }
        if let Some(removed) = self.get("removed") {
            builder = builder.removed(Removed::by_name(removed)?);
        }
        Ok(builder)
    }

    /// How words are split.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that cannot be.
    #[cfg(feature = "text")]
    pub fn split(&self) -> Result<Split> {
        Split::by_name(self.value("split", Domain::Text))
    }

    /// Error bars and growth, if they are asked for.
    fn with_noise<B: Complete>(&self, mut explainer: Explainer<B>) -> Result<Explainer<B>> {
        if self.is_set("uncertainty") {
            let mut bars = ErrorBars::default();
            if let Some(top) = self.get("top") {
                bars = bars.top(number("top", top)?)?;
            }
            explainer = explainer.error_bars(bars);
        }
        if !self.is_set("adaptive") {
            return Ok(explainer);
        }
        let mut adaptive = Adaptive::default();
        if let Some(rule) = self.get("settled") {
            adaptive = adaptive.rule(settled(rule)?)?;
        }
        if let Some(half_width) = self.get("half-width") {
            adaptive = adaptive.rule(Rule::HalfWidth(number("half-width", half_width)?))?;
        }
        if let Some(most) = self.get("max-samples") {
            adaptive = adaptive.most(number("max-samples", most)?)?;
        }
        Ok(explainer.adaptive(adaptive))
    }

    /// The sampler, confined to an angle if one is set.
    ///
    /// # Errors
    /// [`Error::Setting`] for a sampler that cannot be confined, or that fixes the number of masks itself.
    pub fn sampler<B: Complete>(&self, domain: Domain) -> Result<Arc<dyn Perturber<B>>> {
        let name = self.value("sampler", domain);
        if name == "exhaustive" && self.get("samples").is_some() {
            let reason = "draws every mask there is; leave `samples` out, or choose another sampler";
            return Err(Error::setting("sampler", name, reason));
        }
        let sampler = AnySampler::by_name(name, domain)?;
        let filtered = self.is_set("filtered");
        match self.get("within-angle").filter(|angle| *angle != "none") {
            Some(angle) => Ok(B::sampler(sampler.within(Angle::new(number("within-angle", angle)?)?, filtered)?)),
            None if filtered => {
                Err(Error::setting("filtered", "true", "filters by an angle: set `within-angle`, or leave it out"))
            }
            None => Ok(B::sampler(sampler)),
        }
    }

    /// The proximity. A sampler that weighs masks itself has its own.
    ///
    /// # Errors
    /// [`Error::Setting`] for another one beside such a sampler.
    pub fn proximity<B: Complete>(&self, domain: Domain) -> Result<Arc<dyn Proximity<B>>> {
        let own = self.value("sampler", domain) == "kernel-shap";
        let name = match self.get("proximity") {
            Some(other) if own && other != "shapley" => {
                let reason =
                    "the sampler kernel-shap weighs masks itself; leave `proximity` out, or choose another `sampler`";
                return Err(Error::setting("proximity", other, reason));
            }
            Some(given) => given,
            None if own => "shapley",
            None => self.preset().value("proximity", domain),
        };
        Ok(B::proximity(AnyProximity::by_name(name)?))
    }

    /// The selector; beside a tree every feature, if none is named.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none.
    pub fn selector<B: Complete>(&self, domain: Domain) -> Result<Arc<dyn Selector<B>>> {
        let name = match self.get("select") {
            // A tree chooses its features itself.
            None if matches!(AnySurrogate::by_name(self.value("surrogate", domain)), Ok(AnySurrogate::Tree(_))) => {
                "all"
            }
            _ => self.value("select", domain),
        };
        Ok(B::selector(AnySelector::by_name(name)?))
    }

    /// The surrogate with its settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that it does not have.
    pub fn surrogate<B: Complete>(&self, domain: Domain) -> Result<Arc<dyn Surrogate<B>>> {
        Ok(B::surrogate(self.any_surrogate(domain)?))
    }

    /// The surrogate with the settings that belong to one.
    fn any_surrogate(&self, domain: Domain) -> Result<AnySurrogate> {
        let name = self.value("surrogate", domain);
        let mut surrogate = match AnySurrogate::by_name(name)? {
            AnySurrogate::Softmax(_) => AnySurrogate::Softmax(Box::new(self.preset().softmax(domain))),
            AnySurrogate::Authors(authors) => AnySurrogate::Authors(match self.get("seed") {
                Some(seed) => authors.seed(number("seed", seed)?),
                None => authors,
            }),
            other => other,
        };
        let all = [&Softmax::SETTINGS[..], &Ridge::SETTINGS, &Authors::SETTINGS, &TreeSurrogate::SETTINGS].concat();
        let some = |name: &str| all.contains(&name);
        for (name, value) in self.given().filter(|(name, _)| some(name)) {
            surrogate = surrogate.with(name, value)?;
        }
        Ok(match surrogate {
            AnySurrogate::Softmax(softmax) => {
                softmax.check()?;
                AnySurrogate::Softmax(Box::new(self.asked_again(*softmax)?))
            }
            other => other,
        })
    }

    /// The softmax for a model that is asked again: not anchored to one answer of many.
    fn asked_again(&self, softmax: Softmax) -> Result<Softmax> {
        if !self.is_set("ask-again") || softmax.intercept_in_use() == Intercept::Fitted {
            return Ok(softmax);
        }
        match self.get("intercept") {
            Some(anchored @ ("anchored" | "auto")) => {
                let reason =
                    "with `ask-again` the model's answer to the whole is one draw of many; choose fitted or none";
                Err(Error::setting("intercept", anchored, reason))
            }
            _ if softmax.intercept_in_use() == Intercept::None => Ok(softmax),
            _ => Ok(softmax.intercept(Intercept::Fitted)),
        }
    }

    /// Passes if no setting of texts is given for other instances.
    fn check_domain(&self, domain: Domain) -> Result<()> {
        let of_texts = |name: &str| SettingInfo::by_name(name).is_ok_and(|info| info.topic() == Topic::Text);
        match self.given().find(|(name, _)| domain != Domain::Text && of_texts(name)) {
            Some((name, value)) => Err(Error::setting(name, value, "is of texts alone; leave it out")),
            None => Ok(()),
        }
    }

    /// Passes if no setting is given that another one excludes, or that goes with one that is not given.
    fn check_together(&self) -> Result<()> {
        if self.is_set("adaptive") {
            if let Some(samples) = self.get("samples") {
                let reason =
                    "`adaptive` finds the number of masks itself; leave `samples` out (`max-samples` limits it)";
                return Err(Error::setting("samples", samples, reason));
            }
        } else {
            for name in ["settled", "half-width", "max-samples"] {
                if let Some(value) = self.get(name) {
                    return Err(Error::setting(
                        name,
                        value,
                        "goes with `adaptive` alone; set that too, or leave it out",
                    ));
                }
            }
        }
        match (self.get("settled"), self.get("half-width")) {
            (Some(settled), Some(_)) => Err(Error::setting(
                "settled",
                settled,
                "is one rule and `half-width` another; leave one of the two out",
            )),
            _ => Ok(()),
        }
    }
}
