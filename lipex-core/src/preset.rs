//! Presets: named bundles of settings, and the one table of what they are.

use crate::describe::{Departure, Setting};
use crate::error::{Error, Result};
use crate::fit::{Authors, Ridge, Softmax};
use crate::render::Domain;
use std::str::FromStr;

/// A named bundle of settings that an explainer starts from.
///
/// ```
/// use lipex_core::{Domain, Preset};
///
/// assert_eq!(Preset::by_name("paper")?.value("lambda", Domain::Text), "0.001");
/// assert_eq!(Preset::ALL.map(Preset::name), ["lipex", "paper", "lime", "authors", "kernel-shap"]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// The default: the paper's with an intercept (texts: one that makes the instance exact), pairs of features that act together,
    /// λ = 10⁻⁴ and ranking by support, each measured to be better; small instances are enumerated.
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

/// A setting, and its value in each preset, in the order of [`Preset::ALL`]; empty where the preset has no such setting.
struct Row {
    name: &'static str,
    texts: [&'static str; 5],
    images: [&'static str; 5],
}

const fn row(name: &'static str, values: [&'static str; 5]) -> Row {
    Row { name, texts: values, images: values }
}

impl Row {
    /// Other values where images are explained.
    const fn images(self, images: [&'static str; 5]) -> Self {
        Row { images, ..self }
    }
}

/// Every value of every preset, the paper's among them. Explainers, departures, `--help` and docs/settings.md are made of it.
///
/// Masks of images are Bernoulli(½), as LIME's and the paper's; LIME keeps every segment. Kernel SHAP is the same for both.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    //                       lipex               paper               lime                authors             kernel-shap
    row("split",           ["unicode",          "lime",             "lime",             "lime",             "lime"])
                   .images(["",                 "",                 "",                 "",                 ""]),
    row("sampler",         ["uniform-size",     "uniform-size",     "uniform-size",     "uniform-size",     "kernel-shap"])
                   .images(["bernoulli:0.5",    "bernoulli:0.5",    "bernoulli:0.5",    "bernoulli:0.5",    "kernel-shap"]),
    row("within-angle",    ["none",             "none",             "none",             "none",             "none"]),
    row("samples",         ["1000",             "1000",             "5000",             "1000",             "2D+2048"])
                   .images(["1000",             "1000",             "1000",             "1000",             "2D+2048"]),
    row("enumerate",       ["auto",             "never",            "never",            "never",            "never"]),
    row("proximity",       ["exponential:0.25", "exponential:0.25", "exponential:0.25", "exponential:0.25", "shapley"]),
    row("select",          ["forward:5",        "forward:5",        "highest:10",       "forward:5",        "all"])
                   .images(["forward:5",        "forward:5",        "all",              "forward:5",        "all"]),
    row("surrogate",       ["softmax",          "softmax",          "ridge",            "authors",          "kernel-shap"]),
    row("divergence",      ["hellinger",        "hellinger",        "",                 "hellinger",        ""]),
    row("lambda",          ["0.0001",           "0.001",            "",                 "",                 ""]),
    row("lambda-scale",    ["curvature",        "curvature",        "",                 "",                 ""]),
    row("normalise",       ["count",            "count",            "",                 "",                 ""]),
    row("intercept",       ["auto",             "none",             "fitted",           "",                 ""])
                   .images(["fitted",           "none",             "fitted",           "",                 ""]),
    row("pairs",           ["auto",             "none",             "none",             "",                 ""]),
    row("starts",          ["auto",             "auto",             "",                 "",                 ""]),
    row("tolerance",       ["0.0000001",        "0.0000001",        "",                 "",                 ""]),
    row("epochs",          ["",                 "",                 "",                 "1000",             ""]),
    row("alpha",           ["",                 "",                 "1",                "",                 ""]),
    row("support",         ["",                 "",                 "own",              "",                 ""]),
    row("evaluate",        ["out-of-fold:5",    "out-of-fold:5",    "out-of-fold:5",    "out-of-fold:5",    "out-of-fold:5"]),
    row("groups",          ["all",              "all",              "all",              "all",              "all"]),
    row("rank",            ["supporting",       "absolute",         "absolute",         "absolute",         "absolute"]),
];

/// Settings of the table that a text has, not the explainer.
const OF_TEXTS: [&str; 1] = ["split"];

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
            .ok_or_else(|| Error::choice("preset", name, &Self::ALL.map(Preset::name)))
    }

    /// The softmax surrogate's settings for such instances; those of the default where the preset has another surrogate.
    ///
    /// ```
    /// use lipex_core::{Domain, Intercept, Preset};
    ///
    /// assert_eq!(Preset::Lipex.softmax(Domain::Image).intercept_in_use(), Intercept::Fitted);
    /// assert_eq!(Preset::Paper.softmax(Domain::Text).intercept_in_use(), Intercept::None);
    /// ```
    pub fn softmax(self, domain: Domain) -> Softmax {
        let rows = Softmax::SETTINGS.iter().map(|name| (*name, self.value(name, domain)));
        // λ that is not the preset's own is left to its scale.
        let usual = Softmax::default().lambda_set().to_string();
        let of_scale = |name: &str, value: &str| name == "lambda" && value == usual;
        let own = |name: &str, value: &str| !value.is_empty() && !of_scale(name, value);
        // The table is tested to be readable; what a preset does not have stays as it is.
        rows.filter(|(name, value)| own(name, value) && self.value("surrogate", Domain::Text) == "softmax")
            .fold(Softmax::default(), |softmax, (name, value)| softmax.clone().with(name, value).unwrap_or(softmax))
    }

    pub(crate) fn ridge(self) -> Ridge {
        let rows = Ridge::SETTINGS.map(|name| (name, self.value(name, Domain::Text)));
        rows.into_iter().fold(Ridge::default(), |ridge, (name, value)| ridge.clone().with(name, value).unwrap_or(ridge))
    }

    pub(crate) fn authors(self) -> Authors {
        let rows = Authors::SETTINGS.map(|name| (name, self.value(name, Domain::Text)));
        rows.into_iter().fold(Authors::default(), |authors, (name, value)| authors.with(name, value).unwrap_or(authors))
    }

    /// A part of the preset that is spelled in one value.
    pub(crate) fn part<T: FromStr + Default>(self, name: &str, domain: Domain) -> T {
        // The table is tested to be readable.
        self.value(name, domain).parse().unwrap_or_default()
    }

    /// The value of a setting for such instances; empty where the preset has no such setting.
    ///
    /// ```
    /// use lipex_core::{Domain, Preset};
    ///
    /// assert_eq!(Preset::Lime.value("samples", Domain::Text), "5000");
    /// assert_eq!(Preset::Lime.value("samples", Domain::Image), "1000");
    /// assert_eq!(Preset::Lime.value("lambda", Domain::Text), "");
    /// ```
    pub fn value(self, name: &str, domain: Domain) -> &'static str {
        let Some(row) = TABLE.iter().find(|row| row.name == name) else { return "" };
        let values = match domain {
            Domain::Rows if OF_TEXTS.contains(&name) => return "",
            Domain::Text | Domain::Rows => &row.texts,
            Domain::Image => &row.images,
        };
        Self::ALL.iter().position(|p| *p == self).map_or("", |at| values[at])
    }

    /// Every setting of the preset's explainer for such instances, as reports print it.
    pub fn settings(self, domain: Domain) -> Vec<Setting> {
        let rows = TABLE.iter().filter(|row| !OF_TEXTS.contains(&row.name));
        let rows = rows.map(|row| (row.name, self.value(row.name, domain)));
        rows.filter(|(_, value)| !value.is_empty()).map(|(name, value)| Setting::new(name, value)).collect()
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
    fn lipex_departs_from_the_paper_in_five_places() {
        let departures = Preset::Lipex.departures(&Preset::Lipex.settings(Domain::Text), Domain::Text);
        assert_eq!(names(&departures), ["enumerate", "lambda", "intercept", "pairs", "rank"]);
        assert_eq!((departures[1].value.as_str(), departures[1].paper.as_str()), ("0.0001", "0.001"));
        for domain in [Domain::Text, Domain::Image, Domain::Rows] {
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
    fn rows_have_the_masks_of_texts_and_no_words() {
        for preset in Preset::ALL {
            assert_eq!(preset.settings(Domain::Rows), preset.settings(Domain::Text));
            assert_eq!(preset.value("split", Domain::Rows), "");
        }
    }

    #[test]
    fn names_round_trip() {
        for preset in Preset::ALL {
            assert_eq!(Preset::by_name(preset.name()).unwrap(), preset);
        }
        assert!(Preset::by_name("lim").is_err());
    }
}
