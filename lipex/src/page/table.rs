//! What of an explanation's matrix a page or a figure shows, and how its numbers are written.

use super::scores::{self, Scored};
use lipex_core::{Error, Explanation, Link, Method, Result, Shares, Uncertainty};
use unicode_segmentation::UnicodeSegmentation;

/// Steps of colour on either side of 0.
pub(super) const LEVELS: i32 = 6;

/// A part of the shares: some classes and some kept features, with what is known of each entry.
pub(super) struct Table<'a> {
    /// The explanation.
    pub e: &'a Explanation,
    /// Its shares, made once.
    pub shares: Shares<'a>,
    /// Classes, in the order shown.
    pub classes: Vec<usize>,
    /// Places in `kept`, in the order of the instance.
    pub columns: Vec<usize>,
    /// Columns for which there was no room.
    pub left_out: usize,
    /// A name a kept feature, told apart where two are alike.
    pub names: Vec<String>,
    /// Whether a class's row was fitted on a kept feature.
    fitted: Vec<Vec<bool>>,
    /// The largest absolute share shown.
    pub largest: f64,
}

/// An entry of the shares.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The share.
    pub weight: f64,
    /// Half of its interval, where there are standard errors.
    pub half: Option<f64>,
    /// Whether it is significantly different from 0; true where there are no standard errors.
    pub clear: bool,
}

impl<'a> Table<'a> {
    /// `classes` of an explanation in that order, and at most `most` of its kept features, those with the largest entries.
    pub fn new(e: &'a Explanation, classes: Vec<usize>, most: usize) -> Result<Self> {
        e.check()?;
        if let Some(&c) = classes.iter().find(|&&c| c >= e.classes.len()) {
            return Err(Error::shape("class to show (below the number of classes)", e.classes.len(), c));
        }
        let shares = e.shares();
        let mut fitted = vec![vec![false; shares.kept().len()]; e.classes.len()];
        for (c, row) in fitted.iter_mut().enumerate() {
            shares.support(c).iter().for_each(|&j| row[j] = true);
        }
        let strongest = |j: &usize| classes.iter().map(|&c| shares.row(c)[*j].abs()).fold(0.0, f64::max);
        // What a tree does not ask about is in no row.
        let mut columns: Vec<usize> = (0..shares.kept().len()).filter(|&j| fitted.iter().any(|row| row[j])).collect();
        let left_out = columns.len().saturating_sub(most);
        if columns.len() > most {
            columns.sort_by(|a, b| strongest(b).total_cmp(&strongest(a)));
            columns.truncate(most);
            columns.sort_unstable();
        }
        let largest = columns.iter().map(strongest).fold(0.0, f64::max);
        Ok(Table {
            e,
            classes,
            columns,
            left_out,
            names: e.kept().iter().map(|&j| e.name(j)).collect(),
            fitted,
            largest,
            shares,
        })
    }

    /// The entry of a class and a place in `kept`; `None` where the class's row was not fitted on it.
    pub fn entry(&self, class: usize, j: usize) -> Option<Entry> {
        let weight = self.shares.row(class)[j];
        let entry = match bars(self.e) {
            Some(u) => Entry {
                weight,
                half: Some(u.quantile * u.std_error[class][j]),
                clear: u.is_significant(class, j, weight),
            },
            None => Entry { weight, half: None, clear: true },
        };
        self.fitted[class][j].then_some(entry)
    }

    /// The entries of φ\[a\] − φ\[b\] with half their intervals, in the order of the columns.
    pub fn contrast(&self, a: usize, b: usize) -> Vec<(usize, Entry)> {
        let errors = bars(self.e).and_then(|u| Some((u, u.contrast_error(a, b)?)));
        let entry = |&j: &usize| {
            let weight = self.shares.row(a)[j] - self.shares.row(b)[j];
            let error = errors.as_ref().map(|(u, errors)| (u.quantile * errors[j], u.band * errors[j]));
            let clear = error.is_none_or(|(_, band)| weight.abs() > band);
            (j, Entry { weight, half: error.map(|(half, _)| half), clear })
        };
        self.columns.iter().map(entry).collect()
    }

    /// The level of colour of an entry, from −[`LEVELS`] to [`LEVELS`]; 0 for what is nearly 0 or not significantly different from 0.
    pub fn level(&self, entry: Option<Entry>) -> i32 {
        match entry {
            Some(entry) if entry.clear && self.largest > 0.0 => {
                let share = entry.weight.abs() / self.largest;
                let level = if share < 0.02 { 0.0 } else { (share * f64::from(LEVELS)).ceil() };
                (level as i32).min(LEVELS) * if entry.weight < 0.0 { -1 } else { 1 }
            }
            _ => 0,
        }
    }

    /// Decimals of an entry.
    pub fn decimals(&self) -> usize {
        if Scored::of(self.e).is_some() {
            return scores::decimals(self.largest);
        }
        if self.e.link() == Some(Link::Identity) { 3 } else { 2 }
    }

    /// An entry as it is read.
    pub fn signed(&self, value: f64) -> String {
        signed(value, self.decimals())
    }

    /// Half an interval as it is read.
    pub fn plus_minus(&self, half: f64) -> String {
        format!("±{half:.*}", self.decimals())
    }

    /// What entries are measured in.
    pub fn unit(&self) -> &'static str {
        if Scored::of(self.e).is_some() {
            return "score";
        }
        if self.e.link() == Some(Link::Identity) { "probability" } else { "log-odds" }
    }
}

/// The standard errors to draw; none where sampling makes no error.
pub(super) fn bars(e: &Explanation) -> Option<&Uncertainty> {
    e.uncertainty.as_ref().filter(|u| u.method != Method::Exact)
}

/// A number with a sign and a real minus; what rounds to 0 has none.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    match digits.bytes().any(|b| b.is_ascii_digit() && b != b'0') {
        false => digits,
        true if value < 0.0 => format!("\u{2212}{digits}"),
        true => format!("+{digits}"),
    }
}

/// A text of at most `most` characters as a reader counts them, with … where something was cut off. White space and what
/// does not print become single spaces.
pub(super) fn short(text: &str, most: usize) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    if line.graphemes(true).nth(most).is_none() {
        return line;
    }
    line.graphemes(true).take(most.saturating_sub(1)).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_signs_that_are_read_without_colour() {
        assert_eq!(signed(1.894, 2), "+1.89");
        assert_eq!(signed(-0.5, 2), "\u{2212}0.50");
        assert_eq!((signed(-0.004, 2).as_str(), signed(0.0, 2).as_str()), ("0.00", "0.00"));
        assert_eq!(signed(-0.0051, 3), "\u{2212}0.005");
        assert_eq!(signed(f64::NAN, 2), "NaN");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(short("e\u{301}te\u{301} 🎉🎉", 4), "e\u{301}te\u{301}…");
        assert_eq!(short("two\n words\u{7}", 9), "two words");
        assert_eq!(short("", 3), "");
    }
}
