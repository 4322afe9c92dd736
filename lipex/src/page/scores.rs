//! Scores of other methods read as an explanation, for pages, figures, tables and pictures.

use super::table::signed;
use crate::json::ScoredOutputs;
use lipex_core::{Answer, Answers, Attributions, Calls, Explanation, Link, Recorded, Result, Setting, expect_len};
use std::sync::Arc;

/// The setting by which an explanation is known to have scores in the place of a surrogate's weights; its value is the output.
pub(super) const SCORES: &str = "scores";
/// The setting that says how far sums of scores are off, in per cent.
pub(super) const OFF: &str = "off by at most";

/// Scores as an explanation of the classes that were scored, for [`to_html`](crate::to_html), [`to_svg`](crate::to_svg),
/// [`to_csv`](crate::to_csv), `Overlays`, and for [`top_k`](Explanation::top_k) and [`contrast`](Explanation::contrast).
///
/// There is no surrogate in it: its answer to the whole instance is the model's, and it answers no other mask. Of a contrast there
/// are two rows, of the one class over the other and with the other sign.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for less than two rows (but of a contrast), and for rows of another number than names,
/// probabilities or features say.
///
/// ```
/// use lipex::{Attributions, Rank, ScoredOutputs, Setting, attributions_to_explanation};
/// use lipex::prelude::*;
///
/// let text = TextInstance::new("so happy")?;
/// let found = Attributions {
///     method: vec![Setting::new("method", "deeplift")],
///     features: text.features().to_vec(),
///     scores: vec![vec![0.1, 2.0], vec![0.2, -1.0]],
///     outside: vec![0.0; 2],
///     ..Attributions::default()
/// };
/// let rows = ["joy", "sadness"].map(String::from);
/// let about = ScoredOutputs { output: "logit", rows: &rows, probabilities: &[0.9, 0.1], text: Some("so happy"), ..Default::default() };
/// let scores = attributions_to_explanation(&found, &about)?;
/// assert_eq!(scores.name(scores.top_k(0, 1, Rank::Supporting)[0].feature), "happy");
/// assert_eq!(scores.contrast(0, 1)[0].value, 3.0);
/// assert!(lipex::to_html(&scores, &lipex::PageOptions::default())?.contains("deeplift"));
/// # Ok::<(), lipex::Error>(())
/// ```
pub fn attributions_to_explanation(found: &Attributions, about: &ScoredOutputs<'_>) -> Result<Explanation> {
    expect_len("names of the rows of scores", found.scores.len(), about.rows.len())?;
    expect_len("probabilities of the rows of scores", found.scores.len(), about.probabilities.len())?;
    let (mut classes, mut scores) = (about.rows.to_vec(), found.scores.clone());
    let mut probabilities = about.probabilities.to_vec();
    if let (Some(against), Some(row)) = (about.against, found.scores.first()) {
        classes.push(against.into());
        scores.push(row.iter().map(|s| -s).collect());
        probabilities.push(about.against_probability);
    }
    let kept: Vec<usize> = (0..found.features.len()).collect();
    let link = if about.output == "probability" { Link::Identity } else { Link::Softmax };
    let whole = vec![true; kept.len()];
    let answer = Recorded::new(kept, link, scores, vec![whole], vec![probabilities.clone()])?;
    let e = Explanation {
        version: env!("CARGO_PKG_VERSION").into(),
        text: about.text.map(String::from),
        never: vec![false; classes.len()],
        features: found.features.clone(),
        answer: Some(Answer::from(Arc::new(answer))),
        probabilities: Answers { model: probabilities.clone(), surrogate: probabilities },
        settings: settings(found, about),
        classes,
        ..empty()
    };
    e.check()?;
    Ok(e)
}

/// The method's settings, what was scored, what is outside of all features, and how far sums are off.
fn settings(found: &Attributions, about: &ScoredOutputs<'_>) -> Vec<Setting> {
    let mut settings = found.method.clone();
    settings.push(Setting::new(SCORES, about.output));
    let each = |values: &[f64]| {
        let one = |(name, v): (&String, &f64)| format!("{name} {}", signed(*v, 4));
        about.rows.iter().zip(values).map(one).collect::<Vec<_>>().join(", ")
    };
    if found.outside.iter().any(|v| *v != 0.0) {
        settings.push(Setting::new("outside of all features", each(&found.outside)));
    }
    if let (Some(total), Some(off)) = (&found.total, found.off()) {
        settings.push(Setting::new("should add up to", each(total)));
        settings.push(Setting::new(OFF, format!("{:.3} %", 100.0 * off)));
    }
    settings
}

/// An explanation of nothing.
fn empty() -> Explanation {
    Explanation {
        version: String::new(),
        backend: String::new(),
        preset: String::new(),
        departures: Vec::new(),
        settings: Vec::new(),
        seed: 0,
        text: None,
        classes: Vec::new(),
        features: Vec::new(),
        answer: None,
        probabilities: Answers::default(),
        never: Vec::new(),
        fidelity: None,
        fit: None,
        uncertainty: None,
        growth: None,
        flip: None,
        removal: None,
        rank: lipex_core::Rank::default(),
        ranking: None,
        calls: Calls::default(),
        observed: lipex_core::Observed::default(),
        timings_ms: lipex_core::Timings::default(),
    }
}

/// Scores in the place of weights.
pub(super) struct Scored<'a> {
    /// The method's name.
    pub method: &'a str,
    /// What was scored: logit, probability or contrast.
    pub output: &'a str,
    /// How far sums are off, as it is told; `None` where there are none.
    pub off: Option<&'a str>,
}

impl<'a> Scored<'a> {
    /// Those of an explanation that has them.
    pub fn of(e: &'a Explanation) -> Option<Self> {
        let setting = |name: &str| e.settings.iter().find(|s| s.name == name).map(|s| s.value.as_str());
        Some(Scored { output: setting(SCORES)?, method: setting("method").unwrap_or("a method"), off: setting(OFF) })
    }

    /// Whether sums are further off than rounding explains: by more than 1 %.
    pub fn is_off(&self) -> bool {
        let share = self.off.and_then(|told| told.split_whitespace().next()?.parse::<f64>().ok());
        share.is_some_and(|percent| percent > 1.0)
    }

    /// Whether one class is scored against another, so that there is nothing to contrast.
    pub fn is_contrast(&self) -> bool {
        self.output == "contrast"
    }
}

/// Digits after the point with which the largest score is read: three in all.
pub(super) fn decimals(largest: f64) -> usize {
    if largest > 0.0 { (2.0 - largest.log10().floor()).clamp(0.0, 12.0) as usize } else { 2 }
}
