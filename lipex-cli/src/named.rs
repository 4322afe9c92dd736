//! Options that are settings of the library: their names, helps and defaults are its own.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use lipex::{Domain, Result, SettingInfo, Settings, Topic};
use std::marker::PhantomData;

/// Which settings a command has.
pub trait Group {
    const NAMES: &'static [&'static str];
    /// What its defaults are for.
    const DOMAIN: Domain = Domain::Text;
}

/// The settings of a group, as options.
pub struct Named<G> {
    given: Vec<(&'static str, String)>,
    group: PhantomData<G>,
}

impl<G: Group> Named<G> {
    /// What was given, checked.
    pub fn settings(&self) -> Result<Settings> {
        Settings::from_pairs(self.given.iter().map(|(name, value)| (*name, value)))
    }

    /// The value that was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }
}

/// Settings in the order of the library's table.
fn infos(names: &'static [&'static str]) -> impl Iterator<Item = &'static SettingInfo> {
    SettingInfo::ALL.iter().filter(|info| names.contains(&info.name()))
}

impl<G: Group> Args for Named<G> {
    fn augment_args(command: Command) -> Command {
        infos(G::NAMES).fold(command, |command, info| command.arg(option(info, G::DOMAIN)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> FromArgMatches for Named<G> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, Error> {
        let value = |info: &SettingInfo| {
            if info.is_flag() {
                return matches.get_flag(info.name()).then(|| "true".to_string());
            }
            matches.get_one::<String>(info.name()).cloned()
        };
        let given = infos(G::NAMES).filter_map(|info| Some((info.name(), value(info)?))).collect();
        Ok(Named { given, group: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn option(info: &'static SettingInfo, domain: Domain) -> Arg {
    let heading = match info.topic() {
        Topic::Text => "Text",
        Topic::Method => "Method",
        Topic::Sampling => "Sampling",
        Topic::Uncertainty => "Uncertainty",
        Topic::Reading => "Output",
        Topic::Running => "Running",
    };
    let arg = Arg::new(info.name()).long(info.name()).help(help(info, domain)).help_heading(heading);
    if info.is_flag() { arg.action(ArgAction::SetTrue) } else { arg.value_name(info.values()) }
}

/// What a setting is, and its default.
fn help(info: &SettingInfo, domain: Domain) -> String {
    let default = info.default(domain);
    let told = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
    dashed(info.about()) + &told
}

/// The help of a setting that a command reads in a way of its own.
pub fn help_of(name: &str) -> String {
    SettingInfo::by_name(name).map(|info| help(info, Domain::Text)).unwrap_or_default()
}

/// A text of the library, in which `` `samples` `` is a setting: here it is an option, --samples.
pub fn dashed(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut said = String::new();
    for (i, part) in parts.iter().enumerate() {
        // Every other part is quoted, but for one after a quote that is left open.
        let quoted = i % 2 == 1 && i + 1 < parts.len();
        let is_setting = quoted && SettingInfo::ALL.iter().any(|info| info.name() == *part);
        let open = if i % 2 == 1 && !quoted { "`" } else { "" };
        said += &format!("{open}{}{part}", if is_setting { "--" } else { "" });
    }
    said
}

/// A command that explains texts.
pub struct OfTexts;

impl Group for OfTexts {
    const NAMES: &'static [&'static str] = EXPLAIN;
}

/// A command that explains rows of a table.
pub struct OfRows;

impl Group for OfRows {
    const NAMES: &'static [&'static str] = EXPLAIN.split_at(OF_TEXTS).1;
    const DOMAIN: Domain = Domain::Rows;
}

/// A command that explains images.
pub struct OfImages;

impl Group for OfImages {
    const NAMES: &'static [&'static str] = EXPLAIN.split_at(OF_TEXTS).1;
    const DOMAIN: Domain = Domain::Image;
}

/// How many of `EXPLAIN` are of texts alone; they stand first.
const OF_TEXTS: usize = 3;

/// All but those of `View`.
const EXPLAIN: &[&str] = &[
    "unit",
    "split",
    "removed",
    "preset",
    "samples",
    "sampler",
    "within-angle",
    "filtered",
    "enumerate",
    "seed",
    "proximity",
    "select",
    "surrogate",
    "divergence",
    "lambda",
    "lambda-scale",
    "normalise",
    "intercept",
    "pairs",
    "starts",
    "tolerance",
    "alpha",
    "leaf",
    "min-weight",
    "uncertainty",
    "ask-again",
    "adaptive",
    "settled",
    "half-width",
    "max-samples",
    "batch-size",
    "threads",
    "backend",
];

/// A command that attributes: no masks are drawn and nothing is fitted.
pub struct OfAttribution;

impl Group for OfAttribution {
    const NAMES: &'static [&'static str] = &["unit", "split", "removed", "threads"];
}

/// A command for two texts.
pub struct OfMatch;

impl Group for OfMatch {
    const NAMES: &'static [&'static str] = &["unit", "split", "removed", "batch-size", "threads"];
}

/// How masks are drawn.
pub struct OfSampling;

impl Group for OfSampling {
    const NAMES: &'static [&'static str] = &["samples", "sampler", "within-angle", "filtered", "seed", "proximity"];
}

/// How masks are weighed.
pub struct OfWeighing;

impl Group for OfWeighing {
    const NAMES: &'static [&'static str] = &["proximity"];
}

/// How features are selected.
pub struct OfSelecting;

impl Group for OfSelecting {
    const NAMES: &'static [&'static str] = &["select", "threads"];
}

/// How features are selected, and a surrogate fitted.
pub struct OfFitting;

impl Group for OfFitting {
    const NAMES: &'static [&'static str] = &[
        "select",
        "surrogate",
        "divergence",
        "lambda",
        "lambda-scale",
        "normalise",
        "intercept",
        "pairs",
        "starts",
        "tolerance",
        "alpha",
        "leaf",
        "min-weight",
        "uncertainty",
        "threads",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_get_dashes_and_values_lose_quotes() {
        for (text, told) in [
            ("leave `samples` out", "leave --samples out"),
            ("did you mean `kl`? choose kl or tv", "did you mean kl? choose kl or tv"),
            ("unknown setting `sampels`; did you mean `samples`?", "unknown setting sampels; did you mean --samples?"),
            ("a quote ` left open", "a quote ` left open"),
            ("", ""),
        ] {
            assert_eq!(dashed(text), told);
        }
    }

    #[test]
    fn every_setting_is_an_option_of_some_command() {
        let mut names = [EXPLAIN, OfFitting::NAMES, &["top", "rank"]].concat();
        names.sort_unstable();
        names.dedup();
        let mut all: Vec<&str> = SettingInfo::ALL.iter().map(SettingInfo::name).collect();
        all.sort_unstable();
        assert_eq!(names, all);
    }
}
