//! Settings by name, for front ends: a command, a binding, a file of experiments.

mod build;
mod device;
mod named;
mod table;

pub use device::{AnyExplainer, Device};
pub use named::{AnyProximity, AnySampler, AnySelector, AnySurrogate, Complete};
pub use table::{SettingInfo, Topic};

use lipex_core::{Domain, Error, Preset, Result, Rule};

/// Settings by name, spelled as the command and the reports spell them.
///
/// A name that is not there and a value that cannot be are errors at once, and offer the nearest one. What does not fit
/// together is an error of [`explainer`](Settings::explainer). Of two values of one name the last counts; the order of names
/// does not matter. docs/settings.md lists all of them with the defaults of each preset.
///
/// ```
/// use lipex::prelude::*;
/// use lipex::{Domain, Settings};
///
/// let settings = Settings::from_pairs([("preset", "paper"), ("samples", "500"), ("divergence", "kl")])?;
/// let model = TextFn::new(["bad", "good"], |texts| {
///     texts.iter().map(|t| if t.contains("fine") { [0.2, 0.8] } else { [0.6, 0.4] }).collect()
/// });
/// let explainer = settings.explainer_on(Cpu::new(), Domain::Text)?;
/// let explanation = explainer.explain(&TextInstance::new("a fine day")?, &model)?;
/// assert_eq!(explanation.preset, "paper");
///
/// let typo = Settings::new().with("sampels", "500").unwrap_err();
/// assert_eq!(typo.to_string(), "unknown setting `sampels`; did you mean `samples`?");
/// let typo = Settings::new().with("divergence", "KL").unwrap_err();
/// assert!(typo.to_string().starts_with("divergence = KL: did you mean `kl`?"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// In the order of the table.
    given: Vec<(&'static str, String)>,
}

impl Settings {
    /// Those of the default preset.
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings from pairs of name and value.
    ///
    /// # Errors
    /// Those of [`with`](Settings::with).
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self> {
        pairs.into_iter().try_fold(Self::new(), |settings, (name, value)| settings.with(name.as_ref(), value.as_ref()))
    }

    /// The same with one value set.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for a name that is not there; [`Error::Setting`] for a value that cannot be. Both offer the
    /// nearest one.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self> {
        let info = SettingInfo::by_name(name)?;
        info.check(value)?;
        self.given.retain(|(other, _)| *other != info.name());
        self.given.push((info.name(), value.to_string()));
        self.given.sort_by_key(|(name, _)| SettingInfo::ALL.iter().position(|info| info.name() == *name));
        Ok(self)
    }

    /// The value that was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// What was given, in the order of the table.
    pub fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The preset in use.
    pub fn preset(&self) -> Preset {
        self.get("preset").and_then(|name| Preset::by_name(name).ok()).unwrap_or_default()
    }

    /// The device of the setting `backend`.
    pub fn device(&self) -> Device {
        self.get("backend").and_then(|name| Device::by_name(name).ok()).unwrap_or_default()
    }

    /// The value in use for such instances: the one that was given, or the preset's.
    fn value(&self, name: &str, domain: Domain) -> &str {
        self.get(name).unwrap_or_else(|| self.preset().value(name, domain))
    }

    /// Whether a flag is on.
    fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The setting `threads`.
    pub fn threads(&self) -> usize {
        self.get("threads").and_then(|threads| threads.parse().ok()).unwrap_or(1)
    }
}

/// K, K:EPS or K:order.
fn settled(value: &str) -> Result<Rule> {
    let (k, rest) = value.split_once(':').map_or((value, None), |(k, rest)| (k, Some(rest)));
    let refuse = |text: &str, what: &str| Error::setting("settled", value, format!("\"{text}\" is not {what}"));
    let k = k.parse().map_err(|_| refuse(k, "a number of words"))?;
    Ok(match rest {
        None => Rule::Settled { k, indifference: 0.1 },
        Some("order") => Rule::Order { k },
        Some(share) => {
            let indifference = share.parse().map_err(|_| refuse(share, "a share of the largest weight, or order"))?;
            Rule::Settled { k, indifference }
        }
    })
}
