//! Presets: named bundles of settings.

use crate::describe::{Departure, Describe, Setting};
use crate::error::{Error, Result};
use crate::explanation::Rank;
use crate::fit::{Ridge, Softmax};
use crate::perturb::UniformSize;
use crate::select::{Forward, HighestWeights};
use crate::weigh::Exponential;

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
}

impl Preset {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Lipex => "lipex",
            Preset::Paper => "paper",
            Preset::Lime => "lime",
        }
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        [Preset::Lipex, Preset::Paper, Preset::Lime]
            .into_iter()
            .find(|p| p.name() == name)
            .ok_or_else(|| Error::setting("preset", name, "choose lipex, paper or lime"))
    }

    /// The softmax surrogate's settings; those of the default where the preset uses a ridge.
    pub fn softmax(self) -> Softmax {
        match self {
            Preset::Paper => Softmax::paper(),
            Preset::Lipex | Preset::Lime => Softmax::default(),
        }
    }

    pub(crate) fn rank(self) -> Rank {
        match self {
            Preset::Lipex => Rank::Supporting,
            Preset::Paper | Preset::Lime => Rank::Absolute,
        }
    }

    pub(crate) fn samples(self) -> usize {
        match self {
            Preset::Lipex | Preset::Paper => 1000,
            Preset::Lime => 5000,
        }
    }

    /// Every setting of the preset, as reports print it.
    pub fn settings(self) -> Vec<Setting> {
        let mut settings = UniformSize::default().describe();
        settings.push(Setting::new("samples", self.samples()));
        settings.extend(Exponential::default().describe());
        settings.extend(match self {
            Preset::Lime => HighestWeights::default().describe(),
            Preset::Lipex | Preset::Paper => Forward::default().describe(),
        });
        settings.extend(match self {
            Preset::Lime => Ridge::default().describe(),
            Preset::Lipex | Preset::Paper => self.softmax().describe(),
        });
        settings.push(Setting::new("groups", "all"));
        settings.push(Setting::new("rank", self.rank().name()));
        settings
    }

    /// Settings among `settings` that differ from this preset or from the paper.
    pub fn departures(self, settings: &[Setting]) -> Vec<Departure> {
        let (own, paper) = (self.settings(), Preset::Paper.settings());
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
        let departures = Preset::Lipex.departures(&Preset::Lipex.settings());
        assert_eq!(names(&departures), ["lambda", "intercept", "rank"]);
        assert_eq!((departures[0].value.as_str(), departures[0].paper.as_str()), ("0.0001", "0.001"));
        assert!(Preset::Paper.departures(&Preset::Paper.settings()).is_empty());
    }

    #[test]
    fn a_change_of_a_preset_is_a_departure() {
        let mut settings = Preset::Paper.settings();
        settings.iter_mut().find(|s| s.name == "samples").unwrap().value = "77".into();
        let departures = Preset::Paper.departures(&settings);
        assert_eq!(names(&departures), ["samples"]);
        assert_eq!((departures[0].value.as_str(), departures[0].preset.as_str()), ("77", "1000"));
    }

    #[test]
    fn names_round_trip() {
        for preset in [Preset::Lipex, Preset::Paper, Preset::Lime] {
            assert_eq!(Preset::by_name(preset.name()).unwrap(), preset);
        }
        assert!(Preset::by_name("lim").is_err());
    }
}
