//! What the rows of a batch have in common.

use super::BatchRow;
use std::collections::HashMap;

/// What many explanations have in common: the words that hold each class up most often, the spread of their fidelity, and what
/// failed.
///
/// ```
/// use lipex::{BatchRow, RowId, Summary, prelude::*};
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.to_lowercase().contains("fine") { [0.2, 0.8] } else { [0.6, 0.4] }).collect()
/// });
/// let mut summary = Summary::new(1);
/// for (i, text) in ["a fine day", "Fine, and warm", "rain again"].iter().enumerate() {
///     let explanation = lipex().samples(100).explain(&TextInstance::new(*text)?, &model)?;
///     summary.add(&BatchRow::of(i as u64, RowId::Number(i as i64), &explanation));
/// }
/// let good = &summary.classes()[0];
/// assert_eq!((good.name.as_str(), good.predicted), ("good", 2));
/// assert_eq!((good.words[0].word.as_str(), good.words[0].strong, good.words[0].among), ("fine", 2, 2));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Summary {
    top: usize,
    rows: usize,
    /// In the order of their first appearance.
    classes: Vec<String>,
    predicted: HashMap<String, usize>,
    /// By class, then by word in lower case: in how many texts it is strong, and how many texts have it.
    words: HashMap<String, HashMap<String, (usize, usize)>>,
    off: Vec<f64>,
    /// Reasons in the order of their first appearance.
    failures: Vec<FailureSummary>,
}

/// A class, over the instances that the model puts into it.
///
/// ```
/// use lipex::{BatchRow, RowId, Summary, prelude::*};
///
/// let sad = TextFn::new(["joy", "sadness"], |texts: &[&str]| vec![[0.2, 0.8]; texts.len()]);
/// let mut summary = Summary::new(1);
/// summary.add(&BatchRow::of(0, RowId::Number(0), &lipex().explain(&TextInstance::new("rain again")?, &sad)?));
/// let classes = summary.classes();
/// // Classes that nothing was put into are there too, last.
/// assert_eq!((classes[0].name.as_str(), classes[0].predicted), ("sadness", 1));
/// assert_eq!((classes[1].name.as_str(), classes[1].predicted), ("joy", 0));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassSummary {
    /// Its name.
    pub name: String,
    /// How many instances the model puts into it.
    pub predicted: usize,
    /// What holds it up most often, most often first.
    pub words: Vec<WordSummary>,
}

/// A word, over the instances that the model puts into a class.
///
/// ```
/// use lipex::{BatchRow, RowId, Summary, prelude::*};
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("fine") { [0.2, 0.8] } else { [0.6, 0.4] }).collect()
/// });
/// let mut summary = Summary::new(1);
/// for text in ["a fine day", "a fine film"] {
///     let explanation = lipex().explain(&TextInstance::new(text)?, &model)?;
///     summary.add(&BatchRow::of(0, RowId::Text(text.into()), &explanation));
/// }
/// let word = &summary.classes()[0].words[0];
/// assert_eq!((word.word.as_str(), word.strong, word.among), ("fine", 2, 2)); // first in both that have it
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordSummary {
    /// In lower case.
    pub word: String,
    /// How many instances have it among the strongest supports of the class.
    pub strong: usize,
    /// How many instances have it at all.
    pub among: usize,
}

/// Why instances could not be explained.
///
/// ```
/// use lipex::{BatchRow, RowId, Summary};
///
/// let mut summary = Summary::new(1);
/// for (row, id) in [(0, "a"), (1, "b")] {
///     summary.add(&BatchRow::failed(row, RowId::Text(id.into()), "out of memory"));
/// }
/// let failures = summary.failures();
/// assert_eq!((failures.len(), failures[0].count, failures[0].first.as_str()), (1, 2, "a"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureSummary {
    /// The reason, as the first of them has it.
    pub reason: String,
    /// How many have it.
    pub count: usize,
    /// What the first of them is called.
    pub first: String,
}

/// Quartiles: five numbers that say how values spread.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{BatchRow, Enumerate, RowId, Summary};
///
/// let mut summary = Summary::new(1);
/// assert!(summary.off().is_none());
/// let explanation = lipex().enumerate(Enumerate::Never).explain(&text, &model)?;
/// summary.add(&BatchRow::of(0, RowId::Number(0), &explanation));
/// let off = summary.off().unwrap();
/// assert_eq!(off.count, 1);
/// assert_eq!(off.values[0], off.values[4]); // of one value the least is the largest
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
    /// Of how many values.
    pub count: usize,
    /// The smallest value, the lower quartile, the median, the upper quartile and the largest. Quantiles lie between neighbours
    /// in proportion, as NumPy's do.
    pub values: [f64; 5],
}

/// Reasons that are told apart; more are counted together with the last.
const MOST_REASONS: usize = 100;

impl Summary {
    /// Of no row yet. The `top` strongest supports of a row's predicted class are what holds it up.
    pub fn new(top: usize) -> Self {
        Summary { top, ..Self::default() }
    }

    /// Takes a row in.
    pub fn add(&mut self, row: &BatchRow) {
        self.rows += 1;
        if let Some(error) = &row.error {
            return self.fail(error, row);
        }
        self.off.extend(row.tv_unseen);
        let (Some(classes), Some(predicted)) = (&row.classes, &row.predicted) else { return };
        for class in classes {
            if !self.predicted.contains_key(class) {
                self.predicted.insert(class.clone(), 0);
                self.classes.push(class.clone());
            }
        }
        *self.predicted.entry(predicted.clone()).or_default() += 1;
        let words = self.words.entry(predicted.clone()).or_default();
        for (word, strong) in words_of(row, self.top) {
            let counts = words.entry(word).or_default();
            counts.0 += usize::from(strong);
            counts.1 += 1;
        }
    }

    fn fail(&mut self, reason: &str, row: &BatchRow) {
        let full = self.failures.len() >= MOST_REASONS;
        let known = self.failures.iter_mut().find(|failure| failure.reason == reason);
        match known {
            Some(failure) => failure.count += 1,
            None if full => self.failures.iter_mut().skip(MOST_REASONS - 1).for_each(|failure| failure.count += 1),
            None => {
                self.failures.push(FailureSummary { reason: reason.into(), count: 1, first: row.id.to_string() });
            }
        }
    }

    /// How many rows there are, failed ones included.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them failed.
    pub fn failed(&self) -> usize {
        self.failures.iter().map(|failure| failure.count).sum()
    }

    /// Why, the commonest reason first.
    pub fn failures(&self) -> Vec<FailureSummary> {
        let mut failures = self.failures.clone();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
        failures
    }

    /// How many strongest supports of a row hold its class up.
    pub fn top(&self) -> usize {
        self.top
    }

    /// The classes, that with the most instances first.
    pub fn classes(&self) -> Vec<ClassSummary> {
        let of = |name: &String| {
            let mut words: Vec<WordSummary> = self.words.get(name).map_or(Vec::new(), |words| {
                let strong = words.iter().filter(|(_, counts)| counts.0 > 0);
                let own = |(word, counts): (&String, &(usize, usize))| WordSummary {
                    word: word.clone(),
                    strong: counts.0,
                    among: counts.1,
                };
                strong.map(own).collect()
            });
            words.sort_by(|a, b| b.strong.cmp(&a.strong).then(a.among.cmp(&b.among)).then(a.word.cmp(&b.word)));
            ClassSummary { name: name.clone(), predicted: self.predicted.get(name).copied().unwrap_or(0), words }
        };
        let mut classes: Vec<ClassSummary> = self.classes.iter().map(of).collect();
        classes.sort_by_key(|class| std::cmp::Reverse(class.predicted));
        classes
    }

    /// How far surrogates are off on unseen masks (total variation, 0 to 1); `None` where that was measured nowhere.
    pub fn off(&self) -> Option<Quartiles> {
        Quartiles::of(&self.off)
    }
}

impl Quartiles {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let quantile = |share: f64| {
            let at = share * last as f64;
            let (below, above) = (sorted[at as usize], sorted[(at as usize + 1).min(last)]);
            below + (above - below) * at.fract()
        };
        Some(Quartiles { count: values.len(), values: [0.0, 0.25, 0.5, 0.75, 1.0].map(quantile) })
    }
}

/// Each word of a row in lower case, once, and whether it is among the strongest supports of the predicted class.
fn words_of(row: &BatchRow, top: usize) -> Vec<(String, bool)> {
    let (Some(classes), Some(predicted)) = (&row.classes, &row.predicted) else { return Vec::new() };
    let (Some(features), Some(kept), Some(matrix)) = (&row.features, &row.kept, &row.matrix) else { return Vec::new() };
    let class = classes.iter().position(|name| name == predicted);
    let weights = class.and_then(|class| matrix.get(class)).map_or(&[][..], Vec::as_slice);
    let mut supports: Vec<(f64, usize)> =
        weights.iter().zip(kept).filter(|(w, _)| **w > 0.0).map(|(w, k)| (*w, *k)).collect();
    supports.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    supports.truncate(top);
    let mut words: Vec<(String, bool)> = Vec::with_capacity(features.len());
    let mut place: HashMap<String, usize> = HashMap::new();
    for (i, feature) in features.iter().enumerate() {
        let (word, strong) = (feature.to_lowercase(), supports.iter().any(|(_, k)| *k == i));
        match place.get(&word) {
            Some(&known) => words[known].1 |= strong,
            None => {
                place.insert(word.clone(), words.len());
                words.push((word, strong));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::RowId;

    fn row(predicted: &str, features: &[&str], weights: &[f64], off: f64) -> BatchRow {
        let sign = if predicted == "a" { 1.0 } else { -1.0 };
        let of = |sign: f64| weights.iter().map(|w| sign * w).collect::<Vec<f64>>();
        BatchRow {
            classes: Some(vec!["a".into(), "b".into()]),
            predicted: Some(predicted.into()),
            features: Some(features.iter().map(|f| f.to_string()).collect()),
            kept: Some((0..features.len()).collect()),
            matrix: Some(vec![of(sign), of(-sign)]),
            tv_unseen: Some(off),
            error: None,
            ..BatchRow::failed(0, RowId::Number(0), "")
        }
    }

    #[test]
    fn words_are_counted_over_the_texts_of_their_class() {
        let mut summary = Summary::new(2);
        summary.add(&row("a", &["Good", "day", "sun"], &[3.0, 1.0, 2.0], 0.1));
        summary.add(&row("a", &["good", "sun", "GOOD"], &[-1.0, 5.0, 0.5], 0.3));
        summary.add(&row("b", &["good", "sun"], &[1.0, -1.0], 0.2));
        for (id, reason) in [(7, "no\nwords"), (8, "no words"), (9, "silent")] {
            summary.add(&BatchRow::failed(id, RowId::Number(id as i64), reason));
        }
        let classes = summary.classes();
        let told = |class: &ClassSummary| -> Vec<(String, usize, usize)> {
            class.words.iter().map(|w| (w.word.clone(), w.strong, w.among)).collect()
        };
        assert_eq!((classes[0].name.as_str(), classes[0].predicted), ("a", 2));
        assert_eq!(told(&classes[0]), [("good".into(), 2, 2), ("sun".into(), 2, 2)]);
        assert_eq!(told(&classes[1]), [("good".into(), 1, 1)]);
        let off = summary.off().unwrap();
        assert_eq!(off.count, 3);
        assert!(off.values.iter().zip([0.1, 0.15, 0.2, 0.25, 0.3]).all(|(q, t)| (q - t).abs() < 1e-12), "{off:?}");
        assert_eq!((summary.rows(), summary.failed()), (6, 3));
        let first = FailureSummary { reason: "no words".into(), count: 2, first: "7".into() };
        assert_eq!(summary.failures()[0], first);
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Summary::new(5).off(), None);
        assert_eq!(Quartiles::of(&[2.0]).unwrap().values, [2.0; 5]);
    }
}
