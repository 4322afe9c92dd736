//! Two explanations of one input: what they agree on, and what differs by more than their error bars.

use crate::error::{Error, Result};
use crate::explanation::{Explanation, Rank, arg_max};
use crate::nearest::distinct_labels;
use crate::predict::Observed;
use crate::uncertainty::{Method, Uncertainty};

/// Features of a class whose agreement is told.
const TOP: usize = 5;

/// Two explanations of one input, with their classes and features matched.
///
/// Classes are the same by name, features by their place in the text or the picture, else by name. What one of them has alone is
/// left out of every number.
///
/// ```
/// # use lipex::prelude::*;
/// use lipex::Comparison;
///
/// let model = |share: f32| {
///     TextFn::new(["bad", "good"], move |texts: &[&str]| {
///         texts.iter().map(|t| if t.contains("fine") { [1.0 - share, share] } else { [0.6, 0.4] }).collect()
///     })
/// };
/// let text = TextInstance::new("a fine day")?;
/// let (one, other) = (lipex().explain(&text, &model(0.9))?, lipex().explain(&text, &model(0.8))?);
/// let both = Comparison::new(&one, &other)?;
/// assert!((both.distance() - 0.1).abs() < 1e-6);
/// // The likeliest class stands first: what supports "good" most is "fine", in both.
/// assert_eq!(both.strongest(0, 1), [vec![1], vec![1]]);
/// let fine = &both.entries(0)[1];
/// assert!(fine.values[0].unwrap() > fine.values[1].unwrap() && fine.half.is_none());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    of: [&'a Explanation; 2],
    classes: Vec<[usize; 2]>,
    features: Vec<[usize; 2]>,
}

/// An entry of both matrices.
///
/// ```
/// use lipex_core::Beside;
///
/// let entry = Beside { values: [Some(1.25), Some(0.5)], half: Some(0.5), ..Beside::default() };
/// assert_eq!((entry.apart(), entry.differs()), (Some(-0.75), Some(true)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Beside {
    /// The feature's number in either.
    pub feature: [usize; 2],
    /// The entry in either; `None` where the feature was not kept.
    pub values: [Option<f64>; 2],
    /// Half the band of each, where there are error bars.
    pub halves: [Option<f64>; 2],
    /// Half the band of their difference: √(a² + b²) of the halves; `None` unless both have error bars.
    pub half: Option<f64>,
}

impl Beside {
    /// The second less the first.
    pub fn apart(&self) -> Option<f64> {
        let [Some(a), Some(b)] = self.values else { return None };
        Some(b - a)
    }

    /// The larger of the two, whatever their signs; 0 where neither is there.
    pub fn size(&self) -> f64 {
        self.values.iter().flatten().fold(0.0, |most, v| v.abs().max(most))
    }

    /// Whether they are further apart than their bands allow; `None` where that is not known.
    pub fn differs(&self) -> Option<bool> {
        Some(self.apart()?.abs() > self.half?)
    }
}

/// What tells a feature from the others of its explanation, whichever explanation that is.
fn key(e: &Explanation, j: usize) -> String {
    let feature = &e.features[j];
    match (feature.spans.as_slice(), feature.region) {
        ([], None) => e.name(j),
        ([], Some(region)) => format!("{:?}", region.bounds),
        (spans, _) => spans.iter().map(|span| format!("{}-{} ", span.bytes[0], span.bytes[1])).collect(),
    }
}

impl<'a> Comparison<'a> {
    /// Matches two explanations.
    ///
    /// # Errors
    /// [`Error::Setting`] where they explain different texts, have no class or no feature in common, are in different units
    /// (log-odds, probability), or one of them has no surrogate; [`Error::Shape`] for one whose parts do not fit.
    pub fn new(a: &'a Explanation, b: &'a Explanation) -> Result<Self> {
        let of = [a, b];
        of.into_iter().try_for_each(Explanation::check)?;
        let refuse = |what: &str, reason: &str| Err(Error::setting("comparison", what, reason));
        if a.text != b.text {
            return refuse("texts", "these two explain different texts; compare explanations of one input");
        }
        if a.link() != b.link() || a.link().is_none() {
            return refuse(
                "units",
                "one is in log-odds and one in probability (or has no surrogate): their entries say different things",
            );
        }
        let matched = |names: [Vec<String>; 2]| -> Vec<[usize; 2]> {
            let place = |(i, name): (usize, &String)| Some([i, names[1].iter().position(|other| other == name)?]);
            names[0].iter().enumerate().filter_map(place).collect()
        };
        let mut classes = matched(of.map(|e| distinct_labels(e.classes.clone())));
        let features = matched(of.map(|e| (0..e.features.len()).map(|j| key(e, j)).collect()));
        if classes.is_empty() {
            return refuse("classes", "these two have no class in common");
        }
        if features.is_empty() {
            return refuse("features", "these two have no feature in common; compare what was cut alike");
        }
        classes.sort_by(|x, y| a.probabilities.model[y[0]].total_cmp(&a.probabilities.model[x[0]]));
        Ok(Comparison { of, classes, features })
    }

    /// The two.
    pub fn explanations(&self) -> [&'a Explanation; 2] {
        self.of
    }

    /// The places in [`classes`](Self::classes) of what either predicts, as far as both have it.
    pub fn predicted(&self) -> Vec<usize> {
        let place = |side: usize| {
            let predicted = self.of[side].predicted();
            self.classes.iter().position(|class| class[side] == predicted)
        };
        let mut places: Vec<usize> = [place(0), place(1)].into_iter().flatten().collect();
        places.dedup();
        places
    }

    /// What agrees and what does not, in sentences: the answers, the strongest features of some classes, and entries that are
    /// further apart than their bands.
    pub fn told(&self, classes: &[usize]) -> Vec<String> {
        let [a, b] = self.of;
        let (distance, [x, y]) = (self.distance(), self.of.map(|e| e.classes[e.predicted()].as_str()));
        let answers = match (distance <= Observed::NOISE, self.agrees()) {
            (true, _) => format!("The models give the same answer, {x}."),
            (_, true) => format!("Both say {x}; the models' answers are {distance:.3} apart (total variation)."),
            _ => format!("A says {x}, B says {y}; the models' answers are {distance:.3} apart (total variation)."),
        };
        let mut told = vec![answers];
        for &class in classes {
            let name = &a.classes[self.classes[class][0]];
            let [one, other] = self.strongest(class, TOP);
            let shared = one.iter().filter(|j| other.contains(j)).count();
            let most = one.len().max(other.len());
            let along = self.correlation(class).map_or(String::new(), |r| format!("; entries correlate by {r:.2}"));
            told.push(format!("{shared} of the {most} features that support {name} most are the same{along}."));
            let only = |mine: &[usize], theirs: &[usize], letter: &str| {
                let names: Vec<String> =
                    mine.iter().filter(|j| !theirs.contains(j)).map(|&j| a.name(self.features[j][0])).collect();
                (!names.is_empty()).then(|| format!("Among {letter}'s alone: {}.", names.join(", ")))
            };
            told.extend(only(&one, &other, "A").into_iter().chain(only(&other, &one, "B")));
        }
        told.push(self.told_of_bars(classes));
        for (e, letter) in [(a, "A"), (b, "B")] {
            let alone = e.features.len() - self.features.len();
            if alone > 0 {
                told.push(format!("{alone} features of {letter} have no counterpart and are left out."));
            }
        }
        told
    }

    /// How many entries differ by more than their bands.
    fn told_of_bars(&self, classes: &[usize]) -> String {
        let known: Vec<bool> = classes.iter().flat_map(|&c| self.entries(c)).filter_map(|e| e.differs()).collect();
        let apart = known.iter().filter(|apart| **apart).count();
        match (known.len(), apart) {
            (0, _) => "What is noise of the masks is not known: both need error bars (--uncertainty).".into(),
            (all, 0) => format!("None of {all} entries differs by more than its error bars."),
            (all, apart) => format!("{apart} of {all} entries differ by more than their error bars."),
        }
    }

    /// The classes of both, by their numbers, in the order of the first's probabilities.
    pub fn classes(&self) -> &[[usize; 2]] {
        &self.classes
    }

    /// The features of both, by their numbers, in the order of the first.
    pub fn features(&self) -> &[[usize; 2]] {
        &self.features
    }

    /// The total variation of the black boxes' answers to the instance: half of Σ|p − q| over the classes of both, and of what
    /// either gives to others.
    pub fn distance(&self) -> f64 {
        let of = |side: usize, c: [usize; 2]| self.of[side].probabilities.model[c[side]];
        let both: f64 = self.classes.iter().map(|&c| (of(0, c) - of(1, c)).abs()).sum();
        let rest = |side: usize| {
            let known: f64 = self.classes.iter().map(|&c| of(side, c)).sum();
            (self.of[side].probabilities.model.iter().sum::<f64>() - known).max(0.0)
        };
        0.5 * (both + rest(0) + rest(1))
    }

    /// Whether both predict the class of the same name.
    pub fn agrees(&self) -> bool {
        let predicted = self.of.map(|e| arg_max(&e.probabilities.model));
        self.classes.contains(&predicted)
    }

    /// The entries of a class (a place in [`classes`](Self::classes)), in the order of [`features`](Self::features); empty for
    /// a class that does not exist.
    pub fn entries(&self, class: usize) -> Vec<Beside> {
        let Some(&class) = self.classes.get(class) else { return Vec::new() };
        let sides: Vec<Side<'_>> = self.of.iter().zip(class).map(|(e, class)| Side::new(e, class)).collect();
        let beside = |&feature: &[usize; 2]| {
            let found = [0, 1].map(|side| sides[side].entry(feature[side]));
            let (values, halves) = (found.map(|entry| entry.0), found.map(|entry| entry.1));
            let half = halves[0].zip(halves[1]).map(|(a, b)| a.hypot(b));
            Beside { feature, values, halves, half }
        };
        self.features.iter().map(beside).collect()
    }

    /// The same, the largest of either first.
    pub fn largest(&self, class: usize) -> Vec<Beside> {
        let mut entries = self.entries(class);
        entries.sort_by(|x, y| y.size().total_cmp(&x.size()));
        entries
    }

    /// The `k` features that support a class most in either, by their places in [`features`](Self::features); those that only
    /// one has are left out.
    pub fn strongest(&self, class: usize, k: usize) -> [Vec<usize>; 2] {
        let Some(&class) = self.classes.get(class) else { return [Vec::new(), Vec::new()] };
        [0, 1].map(|side| {
            let list = self.of[side].top_k(class[side], k, Rank::Supporting);
            let place = |j: usize| self.features.iter().position(|feature| feature[side] == j);
            list.iter().filter(|w| w.value > 0.0).filter_map(|w| place(w.feature)).collect()
        })
    }

    /// The correlation (Pearson's) of a class's entries over the features that both kept; `None` below three of them, or where
    /// either has no spread.
    pub fn correlation(&self, class: usize) -> Option<f64> {
        let entries = self.entries(class);
        let both: Vec<[f64; 2]> = entries.iter().filter_map(|e| Some([e.values[0]?, e.values[1]?])).collect();
        if both.len() < 3 {
            return None;
        }
        let mean = [0, 1].map(|side| both.iter().map(|v| v[side]).sum::<f64>() / both.len() as f64);
        let product = |x: usize, y: usize| both.iter().map(|v| (v[x] - mean[x]) * (v[y] - mean[y])).sum::<f64>();
        let spread = (product(0, 0) * product(1, 1)).sqrt();
        (spread > 0.0).then(|| product(0, 1) / spread)
    }

    /// Settings that differ, each with its value in either; of preset, seed and backend too.
    pub fn settings(&self) -> Vec<(String, [String; 2])> {
        let listed = self.of.map(|e| {
            let more = [("preset", e.preset.clone()), ("seed", e.seed.to_string()), ("backend", e.backend.clone())];
            let named = more.into_iter().map(|(name, value)| (name.to_string(), value));
            named.chain(e.settings.iter().map(|s| (s.name.to_string(), s.value.clone()))).collect::<Vec<_>>()
        });
        let value = |side: usize, name: &str| {
            listed[side].iter().find(|(other, _)| other == name).map_or("–".to_string(), |(_, value)| value.clone())
        };
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in listed.iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let both = |name: &String| (name.clone(), [value(0, name), value(1, name)]);
        names.into_iter().map(both).filter(|(_, [a, b])| a != b).collect()
    }
}

/// A class of one explanation.
struct Side<'a> {
    kept: Vec<usize>,
    values: Vec<f64>,
    bars: Option<(&'a Uncertainty, usize)>,
}

impl<'a> Side<'a> {
    fn new(e: &'a Explanation, class: usize) -> Self {
        let shares = e.shares();
        Side {
            kept: shares.kept().to_vec(),
            values: shares.row(class).to_vec(),
            bars: e.uncertainty.as_ref().map(|u| (u, class)),
        }
    }

    /// The entry of a feature, and half its band: 0 where sampling makes no error.
    fn entry(&self, feature: usize) -> (Option<f64>, Option<f64>) {
        let Some(j) = self.kept.iter().position(|&kept| kept == feature) else { return (None, None) };
        let half = self.bars.map(|(u, class)| match u.method {
            Method::Exact => 0.0,
            _ => u.band * u.std_error[class][j],
        });
        (Some(self.values[j]), half)
    }
}
