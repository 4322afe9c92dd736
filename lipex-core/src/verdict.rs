//! How far an explanation can be trusted, in one word, with what speaks against it and what to do about it.

use crate::explanation::{Explanation, arg_max};
use crate::fit::Information;
use crate::render::Domain;
use std::fmt;

/// How far an explanation can be trusted.
///
/// ```
/// use lipex_core::Grade;
///
/// assert_eq!([Grade::Fair, Grade::Poor, Grade::Good].into_iter().max(), Some(Grade::Poor)); // the worst
/// assert_eq!(Grade::Fair.to_string(), "fair");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Grade {
    /// The surrogate follows the model around the instance.
    Good,
    /// It follows in the large; entries that are close to one another may be in the wrong order.
    Fair,
    /// It does not follow, or what it follows says nothing.
    Poor,
}

impl Grade {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Good => "good",
            Grade::Fair => "fair",
            Grade::Poor => "poor",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a grade is about.
///
/// ```
/// use lipex::{About, Grade, prelude::*};
///
/// let deaf = TextFn::new(["a", "b"], |texts: &[&str]| vec![[0.5, 0.5]; texts.len()]);
/// let verdict = lipex().explain(&TextInstance::new("a fine day")?, &deaf)?.verdict().unwrap();
/// assert_eq!((verdict.grade, verdict.reasons[0].about), (Grade::Poor, About::Constant));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum About {
    /// No mask moves the model.
    Constant,
    /// The model answers the same input differently.
    Noise,
    /// Masks that determine the weights.
    Masks,
    /// Total variation on masks that the fit has not seen.
    Unseen,
    /// How often the likeliest class is the model's on such masks.
    Class,
    /// The instance itself.
    Instance,
    /// What the penalty leaves.
    Penalty,
    /// The fit's own end.
    Fit,
}

/// One thing that speaks for a grade.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let verdict = lipex().samples(4).explain(&text, &model)?.verdict().unwrap();
/// let worst = &verdict.reasons[0];
/// assert!(worst.told.starts_with("The masks determine") && worst.advice.contains("--samples"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reason {
    /// The grade that it allows at best.
    pub grade: Grade,
    /// What it is about.
    pub about: About,
    /// A sentence with the numbers.
    pub told: String,
    /// What to do about it, one thing; empty where there is nothing to do. Options are named as the command has them; settings
    /// have the same names.
    pub advice: String,
}

/// How far an explanation can be trusted, and why not further.
///
/// # Thresholds
/// They were chosen on texts that no other figure of the documentation is measured on; docs/verdict.md has the table, the
/// command and the limits. Of explanations there that are called good, 98 of 100 are within [`Verdict::TRUE`] of the model on
/// fresh masks.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::Grade;
///
/// let verdict = lipex().explain(&text, &model)?.verdict().unwrap();
/// assert_eq!(verdict.grade, Grade::Good);
/// for reason in &verdict.reasons {
///     println!("{} {}", reason.told, reason.advice);
/// }
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Verdict {
    /// The worst grade of all reasons.
    pub grade: Grade,
    /// What speaks against a better grade, worst first; for a good one the measure that it rests on, if there is any.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// What good stands for: total variation between model and surrogate on fresh masks.
    pub const TRUE: f64 = 0.08;
    /// Most out-of-fold total variation of a good explanation, and of a fair one.
    pub const UNSEEN: [f64; 2] = [0.06, 0.12];
    /// Least share of held-out masks with the model's class, of a good explanation and of a fair one.
    pub const SAME_CLASS: [f64; 2] = [0.85, 0.7];
    /// Most total variation at the instance.
    pub const INSTANCE: [f64; 2] = [0.03, 0.1];
    /// Least share of the entries that the penalty may leave.
    pub const LEFT: [f64; 2] = [0.8, 0.5];

    fn of(reasons: Vec<Reason>) -> Verdict {
        let mut reasons = reasons;
        // A stable order: the worst first, else as they were looked for.
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.grade));
        let grade = reasons.first().map_or(Grade::Good, |reason| reason.grade);
        reasons.retain(|reason| reason.grade > Grade::Good || grade == Grade::Good);
        // Advice is given once.
        for i in 1..reasons.len() {
            if reasons[..i].iter().any(|before| before.advice == reasons[i].advice) {
                reasons[i].advice.clear();
            }
        }
        Verdict { grade, reasons }
    }
}

/// The grade of a measure of which less is better, by the most that is good and that is fair.
fn at_most(value: f64, [good, fair]: [f64; 2]) -> Grade {
    match value {
        v if v <= good => Grade::Good,
        v if v <= fair => Grade::Fair,
        _ => Grade::Poor,
    }
}

/// The same of a measure of which more is better.
fn at_least(value: f64, [good, fair]: [f64; 2]) -> Grade {
    at_most(-value, [-good, -fair])
}

impl Explanation {
    /// How far it can be trusted, and what to do about it.
    ///
    /// Made from what was measured: the surrogate on masks that its fit has not seen, the instance itself, what the penalty
    /// leaves, the masks' information beside the number of weights, and the model's answers to the same input. `None` for an
    /// explanation without a surrogate.
    ///
    /// ```
    /// # fn of(explanation: &lipex_core::Explanation) {
    /// if let Some(verdict) = explanation.verdict() {
    ///     println!("{}", verdict.grade);
    ///     for reason in &verdict.reasons {
    ///         println!("{} {}", reason.told, reason.advice);
    ///     }
    /// }
    /// # }
    /// ```
    pub fn verdict(&self) -> Option<Verdict> {
        self.answer.as_ref()?;
        let observed = &self.observed;
        if observed.is_constant() {
            let told =
                "Nothing moves the model: it answers every mask as it answers the whole. There is nothing to explain.";
            let advice = "Check that the model reads its input.";
            return Some(Verdict::of(vec![reason(Grade::Poor, About::Constant, told, advice)]));
        }
        let reasons = [
            self.noise(),
            self.masks(),
            self.unseen(),
            self.class_kept(),
            self.instance(),
            self.penalty(),
            self.fit_end(),
        ];
        Some(Verdict::of(reasons.into_iter().flatten().collect()))
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
    }

    fn noise(&self) -> Option<Reason> {
        let apart = self.observed.noise()?;
        let input = match self.domain() {
            Domain::Image => "image",
            Domain::Rows => "row",
            Domain::Text if self.text.is_some() => "text",
            Domain::Text => "input",
        };
        let told = format!(
            "The model answers the same {input} differently: {apart:.3} apart (total variation) when asked twice."
        );
        if self.setting("ask-again").is_some() {
            return Some(reason(
                Grade::Fair,
                About::Noise,
                told,
                "Every mask was asked for, so error bars cover that: --uncertainty.",
            ));
        }
        let advice = "No error bar covers that; --ask-again makes it part of them.";
        Some(reason(Grade::Poor, About::Noise, told, advice))
    }

    fn masks(&self) -> Option<Reason> {
        let Information { effective_masks, unknowns, rank, .. } = self.observed.information?;
        if self.observed.is_underdetermined() {
            let told = format!(
                "The masks determine {rank} of the {unknowns} weights of a class; the others are left to chance or to the penalty."
            );
            return Some(reason(Grade::Poor, About::Masks, told, "Ask for more masks: --samples."));
        }
        if effective_masks < unknowns as f64 {
            let told = format!(
                "By their weights the masks count as {effective_masks:.0}, fewer than the {unknowns} weights of a class."
            );
            let advice = "Ask for more masks (--samples), or weigh more of them (--proximity).";
            return Some(reason(Grade::Poor, About::Masks, told, advice));
        }
        None
    }

    /// What judges the surrogate beside the instance: masks held out, or all there are where all were asked.
    fn judged(&self) -> Option<(&crate::evaluate::Agreement, &'static str)> {
        let fidelity = self.fidelity.as_ref()?;
        if self.calls.complete {
            return Some((&fidelity.in_sample, "On all masks there are"));
        }
        Some((fidelity.out_of_fold.as_ref()?, "On masks that it has not seen"))
    }

    fn unseen(&self) -> Option<Reason> {
        self.fidelity.as_ref()?;
        let Some((agreement, on)) = self.judged() else {
            let told = "Too few distinct masks to hold any out: nothing is known of masks that the fit has not seen.";
            return Some(reason(Grade::Poor, About::Unseen, told, "Ask for more masks: --samples."));
        };
        let grade = at_most(agreement.tv, Verdict::UNSEEN);
        let told = format!("{on}, the surrogate is {:.3} off (total variation, 0 to 1).", agreement.tv);
        let advice = if grade == Grade::Good { String::new() } else { self.closer() };
        Some(reason(grade, About::Unseen, told, advice))
    }

    /// What brings a surrogate closer to the model, the cheapest first.
    fn closer(&self) -> String {
        if self.answer.as_ref().is_some_and(|answer| answer.tree().is_some_and(|tree| tree.depth() >= self.levels())) {
            let more = format!("Let the tree ask more: --surrogate tree:{}", self.levels() + 2);
            return match self.setting("leaf") {
                // Exact where little is removed, and far from what removes more.
                Some("asked") => format!("{more}; or take means of more masks: --leaf mean."),
                _ => format!("{more}."),
            };
        }
        let pairs = self.setting("pairs");
        let of_a_row = self.domain() == Domain::Rows;
        if pairs == Some("none") {
            let features = match self.domain() {
                Domain::Rows => "columns",
                Domain::Image => "segments",
                Domain::Text => "words",
            };
            return format!("Let {features} act together: --pairs auto costs no call of the model.");
        }
        if self.calls.complete && of_a_row {
            return "Columns act together by more than two: read no entry without the others.".into();
        }
        if self.calls.complete {
            return "Features act together by more than two: cut the input more coarsely.".into();
        }
        if self.setting("lambda").is_some_and(|lambda| lambda.parse::<f64>().is_ok_and(|lambda| lambda > 1e-3)) {
            return "Choose the penalty by the data: --lambda auto.".into();
        }
        if self.calls.masks < 2000 {
            return format!("Ask for more masks: --samples {}.", 4 * self.calls.masks.saturating_sub(1).max(50));
        }
        if of_a_row {
            return "Remove values for others: --reference or --background.".into();
        }
        "Cut the input into other features: finer or coarser.".into()
    }

    /// The levels that a tree may have.
    fn levels(&self) -> usize {
        let levels = self.setting("surrogate").and_then(|name| name.strip_prefix("tree:"));
        levels.and_then(|levels| levels.parse().ok()).unwrap_or(usize::MAX)
    }

    fn class_kept(&self) -> Option<Reason> {
        let (agreement, on) = self.judged()?;
        let grade = at_least(agreement.arg_max, Verdict::SAME_CLASS);
        if grade == Grade::Good {
            return None;
        }
        let told = format!("{on}, it names the model's class {:.0}% of the time.", 100.0 * agreement.arg_max);
        Some(reason(grade, About::Class, told, self.closer()))
    }

    fn instance(&self) -> Option<Reason> {
        let (p, q) = (&self.probabilities.model, &self.probabilities.surrogate);
        let apart = 0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>();
        let another = arg_max(p) != arg_max(q);
        let grade = if another { Grade::Poor } else { at_most(apart, Verdict::INSTANCE) };
        if grade == Grade::Good {
            return None;
        }
        let (class, of) = (arg_max(p), |values: &[f64]| values.get(arg_max(p)).copied().unwrap_or(0.0));
        let name = self.classes.get(class).map_or("", String::as_str);
        let told = format!(
            "It misses the very prediction that it explains: the model gives {name} {:.3}, the surrogate {:.3}.",
            of(p),
            of(q)
        );
        let advice = if self.setting("intercept").is_some_and(|value| value == "fitted" || value == "none") {
            "--intercept anchored makes it exact there, at no cost.".to_string()
        } else if self.setting("leaf") == Some("mean") {
            "--leaf asked makes it exact there, at a call of the model a leaf.".to_string()
        } else {
            self.closer()
        };
        Some(reason(grade, About::Instance, told, advice))
    }

    fn penalty(&self) -> Option<Reason> {
        let left = self.observed.information?.left?;
        let grade = at_least(left, Verdict::LEFT);
        if grade == Grade::Good {
            return None;
        }
        let told = format!(
            "The penalty leaves about {:.0}% of what the two likeliest classes' entries would be without it.",
            100.0 * left
        );
        let advice = if self.setting("lambda-scale") == Some("class") {
            "Choose the penalty by the data: --lambda auto."
        } else {
            "Penalise each class by its own curvature: --lambda-scale class."
        };
        Some(reason(grade, About::Penalty, told, advice))
    }

    fn fit_end(&self) -> Option<Reason> {
        let fit = self.fit.as_ref().filter(|fit| !fit.converged)?;
        Some(reason(Grade::Fair, About::Fit, format!("The fit stopped short: {}.", fit.stopped), ""))
    }
}

fn reason(grade: Grade, about: About, told: impl Into<String>, advice: impl Into<String>) -> Reason {
    Reason { grade, about, told: told.into(), advice: advice.into() }
}
