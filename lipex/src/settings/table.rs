//! The settings that have a name: what each is, which values it takes, and what it is if nothing is said.
//!
//! # One table
//! `--help`, docs/settings.md, the checks of values and the errors about names are made of it; a test holds the document to
//! it. Values of presets stand in `lipex-core/src/preset.rs`.

use super::named::{AnyProximity, AnySampler, AnySelector, AnySurrogate};
use super::{Device, settled};
#[cfg(feature = "text")]
use crate::{Removed, Split, Unit};
use lipex_core::{
    Adaptive, Angle, AuthorsLoss, Criterion, Domain, Enumerate, Error, ErrorBars, Preset, Rank, Result, Ridge, Rule,
    Softmax, TreeSurrogate, by_name, nearest,
};
use std::borrow::Cow;
use std::str::FromStr;

/// What a setting is about; headings of `--help` and of docs/settings.md.
///
/// Headings of docs/settings.md and of `--help`.
///
/// ```
/// use lipex::{SettingInfo, Topic};
///
/// let texts: Vec<&str> =
///     SettingInfo::ALL.iter().filter(|setting| setting.topic() == Topic::Text).map(SettingInfo::name).collect();
/// assert!(texts.contains(&"unit") && !texts.contains(&"samples"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What the features of a text are.
    Text,
    /// How masks are weighed, features selected and the surrogate fitted.
    Method,
    /// How masks are drawn.
    Sampling,
    /// How much of W is noise of the masks, and how many masks are enough.
    Uncertainty,
    /// How readings are ordered.
    Reading,
    /// Where it is computed. Does not change the result.
    Running,
}

/// A setting that has a name.
///
/// ```
/// use lipex::{Domain, SettingInfo};
///
/// let samples = SettingInfo::by_name("samples")?;
/// assert_eq!(samples.default(Domain::Image), "1000, the paper's; kernel-shap: 2D+2048");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Debug)]
pub struct SettingInfo {
    /// The name, as options and files spell it.
    name: &'static str,
    /// What it takes.
    values: &'static str,
    /// Which group of settings it is listed under.
    topic: Topic,
    /// What it does.
    about: &'static str,
    /// Its value if nothing is said; empty where presets say.
    usual: &'static str,
    /// Passes values that it can have.
    check: fn(&str, &str) -> Result<()>,
}

impl SettingInfo {
    /// Every setting, in the order of reports.
    pub const ALL: &'static [SettingInfo] = TABLE;

    /// The setting of that name.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for any other name; offers the nearest one.
    pub fn by_name(name: &str) -> Result<&'static SettingInfo> {
        let names = || TABLE.iter().map(|info| info.name).collect::<Vec<_>>();
        TABLE.iter().find(|info| info.name == name).ok_or_else(|| Error::unknown_setting(name, &names()))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What stands for its value in a usage line; empty for one that is `true` or `false`.
    pub fn values(&self) -> &'static str {
        self.values
    }

    /// Whether its values are `true` and `false`.
    pub fn is_flag(&self) -> bool {
        self.values.is_empty()
    }

    /// What it is about.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// What it does and which values it takes.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// What it is if nothing is said, in words: the default preset's value, and those of presets that have another; empty for
    /// one that is `true` or `false`.
    pub fn default(&self, domain: Domain) -> String {
        let having = |value: &str| {
            let has = |preset: &Preset| preset.value(self.name, domain) == value;
            Preset::ALL.into_iter().filter(has).map(Preset::name).collect::<Vec<_>>()
        };
        let mut values: Vec<&str> = Preset::ALL.map(|preset| preset.value(self.name, domain)).to_vec();
        values.retain(|value| !value.is_empty());
        let Some(&first) = values.first() else { return self.usual.into() };
        let mut told = first.to_string();
        let others: Vec<&str> = values.iter().copied().filter(|value| *value != first).collect();
        if !others.is_empty() && first == Preset::Paper.value(self.name, domain) {
            told += ", the paper's";
        }
        for (_, value) in others.iter().enumerate().filter(|(i, value)| !others[..*i].contains(value)) {
            told += &format!("; {}: {value}", having(value).join(", "));
        }
        told
    }

    /// Passes if `value` is one, alone.
    ///
    /// # Errors
    /// [`Error::Setting`] says what would be.
    pub fn check(&self, value: &str) -> Result<()> {
        (self.check)(self.name, value)
    }
}

/// Passes for a whole number from `least` to `most` of such things.
fn count(name: &str, value: &str, [least, most]: [usize; 2], things: &str) -> Result<()> {
    let refuse = |reason: String| Err(Error::setting(name, value, reason));
    match in_full(value).parse::<u128>() {
        Err(_) => refuse(format!("\"{value}\" is not a number of {things}")),
        Ok(number) if (least as u128..=most as u128).contains(&number) => Ok(()),
        Ok(_) if most == usize::MAX => refuse(format!("at least {least}")),
        Ok(_) => refuse(format!("from {least} to {most} {things}")),
    }
}

/// Digits in place of a number that ends in `k` (thousand) or `M` (million): 10k is 10000, 1.5M is 1500000.
fn in_full(value: &str) -> Cow<'_, str> {
    let zeros = match value.as_bytes().last() {
        Some(b'k' | b'K') => 3,
        Some(b'm' | b'M') => 6,
        _ => return value.into(),
    };
    let (whole, part) = value[..value.len() - 1].split_once('.').unwrap_or((&value[..value.len() - 1], ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > zeros {
        return value.into();
    }
    format!("{whole}{part:0<zeros$}").into()
}

/// The number that a value is.
pub(super) fn number<T: FromStr>(name: &str, value: &str) -> Result<T> {
    in_full(value)
        .parse()
        .map_err(|_| Error::setting(name, value, format!("\"{value}\" is not a number that it can be")))
}

/// `true` or `false`.
fn flag(name: &str, value: &str) -> Result<()> {
    if ["true", "false"].contains(&value) { Ok(()) } else { Err(Error::choice(name, value, &["true", "false"])) }
}

/// A value that the softmax takes.
fn softmax(name: &str, value: &str) -> Result<()> {
    Softmax::default().with(name, value).map(|_| ())
}

fn tree(name: &str, value: &str) -> Result<()> {
    TreeSurrogate::default().with(name, value).map(|_| ())
}

/// What a softmax or the authors' recipe minimises, or the splits of a tree.
fn divergence(_: &str, value: &str) -> Result<()> {
    let both = AuthorsLoss::Lower.name();
    if value == both {
        return Ok(());
    }
    // A misspelling of the recipe's own loss is nearer to that than to any other.
    match by_name(value) {
        Err(_) if value == Criterion::Squared.name() => Ok(()),
        Err(_) if nearest(value, &[both]).is_some() => AuthorsLoss::by_name(value).map(|_| ()),
        other => other.map(|_| ()),
    }
}

/// What a text's features are made by.
#[cfg(feature = "text")]
fn text_setting(name: &str, value: &str) -> Result<()> {
    match name {
        "unit" => Unit::by_name(value).map(|_| ()),
        "split" => Split::by_name(value).map(|_| ()),
        _ => Removed::by_name(value).map(|_| ()),
    }
}

#[cfg(not(feature = "text"))]
fn text_setting(name: &str, value: &str) -> Result<()> {
    Err(Error::setting(name, value, "is of texts: this program was built without the feature text"))
}

/// A setting of the method, for all presets.
const fn method(
    name: &'static str,
    values: &'static str,
    about: &'static str,
    check: fn(&str, &str) -> Result<()>,
) -> SettingInfo {
    SettingInfo { name, values, topic: Topic::Method, about, usual: "", check }
}

impl SettingInfo {
    /// The same under another heading.
    const fn under(self, topic: Topic) -> Self {
        SettingInfo { topic, ..self }
    }

    /// A default that no preset changes.
    const fn usually(self, usual: &'static str) -> Self {
        SettingInfo { usual, ..self }
    }
}

/// Every setting. What presets have is in the table of lipex-core/src/preset.rs.
const TABLE: &[SettingInfo] = &[
    method(
        "preset",
        "PRESET",
        "All settings at once; others change single ones. lipex: the paper's, but exact at the text (anchored), with \
         pairs of words that act together, λ = 0.0001 and ranking by support. paper: the paper's own. lime: LIME 0.2.0.1 for every class (ridge). authors: the paper's, fitted as its \
         authors' released code does it (Adam on minibatches). kernel-shap: Kernel SHAP for every class (least squares; exact \
         Shapley values up to 11 features)",
        |_, value| Preset::by_name(value).map(|_| ()),
    )
    .usually("lipex"),
    method(
        "samples",
        "N",
        "Masks drawn, the whole instance included; more make W steadier and cost model calls",
        |name, value| count(name, value, [1, 10_000_000], "masks"),
    )
    .under(Topic::Sampling),
    method(
        "sampler",
        "S",
        "How masks are drawn: uniform-size (any number of features removed equally often; LIME's and the paper's for texts), \
         antithetic (pairs of complements), bernoulli or bernoulli:P (each feature kept with probability P, ½ if not said; \
         LIME's and the paper's for images), weight-proportional (more masks where they weigh more), kernel-shap (Kernel \
         SHAP's: pairs of complements, small and large ones first, with weights of their own), exhaustive (all, up to 20 \
         features), lime (LIME's own masks for the seed; of texts, or, as lime-image, of images)",
        |_, value| AnySampler::by_name(value, Domain::Text).map(|_| ()),
    )
    .under(Topic::Sampling),
    method(
        "within-angle",
        "R",
        "Draw only masks within this angle of the whole instance, in radians up to 1.5708 (π/2); the paper's δ",
        |name, value| if value == "none" { Ok(()) } else { Angle::new(number(name, value)?).map(|_| ()) },
    )
    .under(Topic::Sampling),
    method(
        "filtered",
        "",
        "With `within-angle`: draw as without it and throw away what lies outside, as the paper's Table 7 does, so that fewer \
         masks than `samples` are left; else only sizes within the angle are drawn",
        flag,
    )
    .under(Topic::Sampling),
    method(
        "enumerate",
        "HOW",
        "Where there are at most `samples` masks (150 with `adaptive`), ask for all of them in place of drawing: auto (each \
         weighs what drawn ones would: no sampling error, fewer calls) or never",
        |_, value| value.parse::<Enumerate>().map(|_| ()),
    )
    .under(Topic::Sampling),
    method(
        "seed",
        "SEED",
        "Seed of the masks, and of a random start: the same seed gives the same masks",
        |name, value| number::<u64>(name, value).map(|_| ()),
    )
    .under(Topic::Sampling)
    .usually("0"),
    method(
        "proximity",
        "P",
        "How much a mask counts: exponential or exponential:W (width W; smaller stays closer to the instance), \
         cosine-similarity, cosine-distance (as the paper prints it; its code weighs exponentially), shapley (Kernel SHAP's)",
        |_, value| AnyProximity::by_name(value).map(|_| ()),
    ),
    method(
        "select",
        "HOW",
        "Which features (words, segments) are kept: forward:K (K a class, each class on its own), exclusive:K (no feature for \
         two classes), highest:K (largest weights of a ridge), lasso:K (at most K, from the lasso path), all",
        |_, value| AnySelector::by_name(value).map(|_| ()),
    ),
    method(
        "surrogate",
        "S",
        "softmax (all classes together; the paper's), ridge (each class alone, LIME's), authors (a softmax by the recipe of the \
         authors' code: Adam on minibatches of 128, from a random start), kernel-shap (each class alone, least squares held to \
         the model's answers for the whole text and for none), tree or tree:DEPTH (LIMEtree: questions about features, 4 levels \
         if not said, and an answer for all classes at every leaf; keeps all features unless `select` is given)",
        |_, value| AnySurrogate::by_name(value).map(|_| ()),
    ),
    method(
        "divergence",
        "D",
        "How far the surrogate's probabilities are from the model's: hellinger (squared; the paper's), kl, reverse-kl, js, tv, \
         alpha:A. The surrogate authors has hellinger, tv and hellinger-or-tv (both; the lower loss wins); a tree squared (if none is \
         said) and hellinger",
        divergence,
    ),
    method(
        "lambda",
        "L|auto",
        "Penalty on W: larger shrinks every entry more. auto: the one of 0.01 … 0.00000001 (by class: 0.1 … 0.0001) that is closest to the model on masks \
         held out of refits; no more calls of the model",
        softmax,
    ),
    method(
        "lambda-scale",
        "HOW",
        "curvature: λ shrinks alike under every divergence; raw: λ as the formula has it, the same for hellinger; class: every \
         class is shrunk alike, likely or not, and λ is a pure number",
        softmax,
    ),
    method(
        "normalise",
        "HOW",
        "Divide the sum of divergences by the count of masks (the paper's equation 6) or by the sum of their weight, which makes \
         λ mean the same for every proximity",
        softmax,
    ),
    method(
        "intercept",
        "HOW",
        "What the weights are added to: fitted (a number a class), anchored (the model's answer for the whole instance, which \
         the surrogate then cannot miss), auto (anchored; where the model all but rules a class out, the better of both on \
         masks held out) or none (the paper's). A ridge has fitted and anchored",
        softmax,
    ),
    method(
        "pairs",
        "K|auto|none|given:LIST",
        "Pairs of kept features with a term of their own, for what both together do beyond each: a number (those that explain \
         most of what the fit without them leaves), auto (5, 10, 20 … while masks held out gain by it), given:3+5,1+2 (features \
         by number from 0) or none. The words' weights then are shares, each with half of its pairs; no more calls of the model",
        softmax,
    ),
    method(
        "starts",
        "auto|1|2",
        "Starts of the fit, since no divergence but kl is convex in W. auto: one, and four where the model is sure of its class \
         on much of what weighs, of which the lowest is carried on; 2: its own and the solution under kl",
        softmax,
    ),
    method(
        "tolerance",
        "T",
        "Stop a softmax fit when the excess over the optimum is foreseen to be below this share of the objective",
        softmax,
    ),
    method("alpha", "A", "Penalty of a ridge on its coefficients", |name, value| {
        Ridge::default().with(name, value).map(|_| ())
    }),
    method(
        "leaf",
        "mean|asked",
        "What a leaf of a tree answers: mean (of the model's answers to the masks that reach it) or asked (the model's own answer \
         without what the leaf's path lacks, which makes the tree exact at the instance; a call of the model a leaf, those of refits \
         included)",
        tree,
    )
    .usually("mean"),
    method("min-weight", "W", "The least weight of a tree's leaf, as a share of that of all masks, 0 to 0.5", tree)
        .usually("0"),
    method(
        "unit",
        "U",
        "What is removed at once: word (every occurrence; the paper's and LIME's), occurrence, sentence",
        text_setting,
    )
    .under(Topic::Text)
    .usually("word"),
    method(
        "split",
        "HOW",
        "How words are found: unicode (word boundaries of UAX #29, which keep can't and accents whole; emoji, and punctuation \
         that stands alone), lime (runs of letters, numbers and _; LIME's and the paper's), char (each character), space (what \
         stands between white space) or regex:PATTERN (what it matches)",
        text_setting,
    )
    .under(Topic::Text),
    method(
        "removed",
        "HOW",
        "What takes a removed word's place: drop (nothing; the paper's and LIME's) or mask:WORD",
        text_setting,
    )
    .under(Topic::Text)
    .usually("drop"),
    method(
        "uncertainty",
        "",
        "Add standard errors: an interval for every entry and contrast, what is not significantly different from 0, how often features are in the \
         top K (of `top`; else 5), and how many masks would halve the bars. Costs refits, no calls of the model",
        flag,
    )
    .under(Topic::Uncertainty),
    method(
        "ask-again",
        "",
        "Ask for every mask, those that render alike too, of a model that answers the same input differently: error bars then \
         cover its noise. Takes a fitted intercept for an anchored one. Costs more calls",
        flag,
    )
    .under(Topic::Uncertainty),
    method(
        "adaptive",
        "",
        "Start at 100 masks and add more until the answer is steady, as `settled` or `half-width` says, in place of `samples` \
         masks; no call of the model is repeated",
        flag,
    )
    .under(Topic::Uncertainty),
    method(
        "settled",
        "K[:EPS]",
        "With `adaptive`: until no other feature can be above one of the K that hold the predicted class up (the first K of \
         `rank`) by more than EPS times the largest. K:order asks for their order instead",
        |_, value| Adaptive::default().rule(settled(value)?).map(|_| ()),
    )
    .under(Topic::Uncertainty)
    .usually("3:0.1"),
    method(
        "half-width",
        "H",
        "With `adaptive`: until every interval of W reaches no further than H to either side",
        |name, value| Adaptive::default().rule(Rule::HalfWidth(number(name, value)?)).map(|_| ()),
    )
    .under(Topic::Uncertainty)
    .usually("none"),
    method("max-samples", "M", "With `adaptive`: the most masks, the whole instance included", |name, value| {
        Adaptive::default().most(number(name, value)?).map(|_| ())
    })
    .under(Topic::Uncertainty)
    .usually("5000"),
    method("top", "K", "Words or segments listed for the predicted class", |name, value| {
        ErrorBars::default().top(number(name, value)?).map(|_| ())
    })
    .under(Topic::Reading)
    .usually("5"),
    method(
        "rank",
        "HOW",
        "Their order: supporting (what holds the class up), opposing, absolute (|W|, what moves the odds; LIME's), effect \
         (change of probability on removal)",
        |_, value| Rank::by_name(value).map(|_| ()),
    )
    .under(Topic::Reading),
    method(
        "batch-size",
        "B",
        "Most texts or images sent to the model at once; large images come in batches of at most 32 MiB. Changes the \
         last digits where a model answers an input differently beside others",
        |name, value| count(name, value, [1, usize::MAX], "inputs"),
    )
    .under(Topic::Running)
    .usually("64"),
    method("threads", "T", "Threads. Does not change the result", |name, value| {
        count(name, value, [1, usize::MAX], "threads")
    })
    .under(Topic::Running)
    .usually("1; for models in folders, all cores"),
    method(
        "backend",
        "B",
        "Where it is computed: cpu, cuda (an NVIDIA driver r525 or newer is all it needs; cuda:N is device N, lipex devices \
         lists what there is) or auto (a device if there is one; says which)",
        |_, value| Device::by_name(value).map(|_| ()),
    )
    .under(Topic::Running)
    .usually("cpu"),
];
