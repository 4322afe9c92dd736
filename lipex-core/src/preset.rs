//! Presets: named bundles of settings.

use crate::describe::{Departure, Describe, Setting};
use crate::error::{Error, Result};
use crate::evaluate::OutOfFold;
use crate::explanation::Rank;
use crate::fit::{Authors, KernelShap, Ridge, Softmax};
use crate::perturb::{Bernoulli, ShapleySize, UniformSize};
use crate::render::Domain;
use crate::select::{All, Forward, HighestWeights};
use crate::weigh::{Exponential, ShapleyKernel};

/// A named bundle of settings that an explainer starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// The default: the paper's with an intercept, λ = 10⁻⁴ and ranking by support, each measured to be better.
    #[default]
    Lipex,
    /// The paper's own settings.
    Paper,
    /// LIME 0.2.0.1's own settings, for every class at once.
    Lime,
    /// The paper's settings with the surrogate fitted as the authors' released code does it.
    Authors,
    /// Kernel SHAP: its own masks and weights, every feature, least squares with efficiency.
    KernelShap,
}

impl Preset {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Lipex => "lipex",
            Preset::Paper => "paper",
            Preset::Lime => "lime",
            Preset::Authors => "authors",
            Preset::KernelShap => "kernel-shap",
        }
    }

    /// Every preset.
    pub const ALL: [Preset; 5] = [Preset::Lipex, Preset::Paper, Preset::Lime, Preset::Authors, Preset::KernelShap];

    /// The preset of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == name)
            .ok_or_else(|| Error::setting("preset", name, "choose lipex, paper, lime, authors or kernel-shap"))
    }

    /// The softmax surrogate's settings; those of the default where the preset has another surrogate.
    pub fn softmax(self) -> Softmax {
        match self {
            Preset::Paper => Softmax::paper(),
            Preset::Lipex | Preset::Lime | Preset::Authors | Preset::KernelShap => Softmax::default(),
        }
    }

    pub(crate) fn rank(self) -> Rank {
        match self {
            Preset::Lipex => Rank::Supporting,
            Preset::Paper | Preset::Lime | Preset::Authors | Preset::KernelShap => Rank::Absolute,
        }
    }

    pub(crate) fn samples(self, domain: Domain) -> usize {
        match (self, domain) {
            (Preset::Lipex | Preset::Paper | Preset::Authors, _) | (Preset::Lime, Domain::Image) => 1000,
            (Preset::Lime, Domain::Text) => 5000,
            (Preset::KernelShap, _) => 2048,
        }
    }

    /// Every setting of the preset for such instances, as reports print it.
    ///
    /// Masks of images are Bernoulli(½), as LIME's and the paper's; LIME keeps every segment. Kernel SHAP is the same for both.
    pub fn settings(self, domain: Domain) -> Vec<Setting> {
        let mut settings = match (self, domain) {
            (Preset::KernelShap, _) => ShapleySize.describe(),
            (_, Domain::Text) => UniformSize::default().describe(),
            (_, Domain::Image) => Bernoulli::default().describe(),
        };
        settings.push(Setting::new("samples", self.samples(domain)));
        settings.extend(match self {
            Preset::KernelShap => ShapleyKernel.describe(),
            _ => Exponential::default().describe(),
        });
        settings.extend(match (self, domain) {
            (Preset::Lime, Domain::Text) => HighestWeights::default().describe(),
            (Preset::Lime, Domain::Image) | (Preset::KernelShap, _) => All.describe(),
            (Preset::Lipex | Preset::Paper | Preset::Authors, _) => Forward::default().describe(),
        });
        settings.extend(match self {
            Preset::Lime => Ridge::default().describe(),
            Preset::Lipex | Preset::Paper => self.softmax().describe(),
            Preset::Authors => Authors::default().describe(),
            Preset::KernelShap => KernelShap.describe(),
        });
        settings.extend(OutOfFold::default().describe());
        settings.push(Setting::new("groups", "all"));
        settings.push(Setting::new("rank", self.rank().name()));
        settings
    }

    /// Settings among `settings` that differ from this preset or from the paper, for such instances.
    pub fn departures(self, settings: &[Setting], domain: Domain) -> Vec<Departure> {
        let (own, paper) = (self.settings(domain), Preset::Paper.settings(domain));
        let value = |list: &[Setting], name: &str| {
            list.iter().find(|s| s.name == name).map_or_else(String::new, |s| s.value.clone())
        };
        let mut names: Vec<&str> = Vec::new();
        for setting in settings.iter().chain(&own).chain(&paper) {
            if !names.contains(&setting.name.as_str()) {
                names.push(&setting.name);
            }
        }
        names
            .into_iter()
            .map(|name| Departure {
                name: name.into(),
                value: value(settings, name),
                preset: value(&own, name),
                paper: value(&paper, name),
            })
            .filter(|d| d.value != d.preset || d.value != d.paper)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(departures: &[Departure]) -> Vec<&str> {
        departures.iter().map(|d| d.name.as_str()).collect()
    }

    #[test]
    fn lipex_departs_from_the_paper_in_three_places() {
        let departures = Preset::Lipex.departures(&Preset::Lipex.settings(Domain::Text), Domain::Text);
        assert_eq!(names(&departures), ["lambda", "intercept", "rank"]);
        assert_eq!((departures[0].value.as_str(), departures[0].paper.as_str()), ("0.0001", "0.001"));
        for domain in [Domain::Text, Domain::Image] {
            assert!(Preset::Paper.departures(&Preset::Paper.settings(domain), domain).is_empty());
        }
    }

    #[test]
    fn a_change_of_a_preset_is_a_departure() {
        let mut settings = Preset::Paper.settings(Domain::Text);
        settings.iter_mut().find(|s| s.name == "samples").unwrap().value = "77".into();
        let departures = Preset::Paper.departures(&settings, Domain::Text);
        assert_eq!(names(&departures), ["samples"]);
        assert_eq!((departures[0].value.as_str(), departures[0].preset.as_str()), ("77", "1000"));
    }

    #[test]
    fn images_have_masks_of_their_own() {
        let departures = Preset::Lime.departures(&Preset::Lime.settings(Domain::Text), Domain::Image);
        let own: Vec<_> = departures.iter().filter(|d| d.value != d.preset).collect();
        assert_eq!(own.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["sampler", "samples", "select"]);
        assert_eq!(own.iter().map(|d| d.preset.as_str()).collect::<Vec<_>>(), ["bernoulli:0.5", "1000", "all"]);
    }

    #[test]
    fn names_round_trip() {
        for preset in Preset::ALL {
            assert_eq!(Preset::by_name(preset.name()).unwrap(), preset);
        }
        assert!(Preset::by_name("lim").is_err());
    }
}
