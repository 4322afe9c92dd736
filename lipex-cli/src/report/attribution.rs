//! The report of scores that are no explanation's: a method's, for outputs of the model.

use super::Choice;
use super::layout::{Page, bar, coloured, cut, pad_left, printable};
use super::matrix::table;
use lipex::{Attributions, Domain, Setting, arg_max};

/// Most columns of a name in a list.
const NAME: usize = 24;
/// Columns of a number in the table.
const NUMBER: usize = 7;
/// Sums that are further off are warned of, as a share.
const OFF: f64 = 0.01;

/// Scores with what is needed to read them.
pub struct Attributed {
    pub found: Attributions,
    /// What each row of scores is about: a class, or one over another.
    pub rows: Vec<String>,
    /// The class of each row.
    pub classes: Vec<usize>,
    /// The class that a contrast is against.
    pub against: Option<usize>,
    /// Every class.
    pub labels: Vec<String>,
    /// The model's answer to the instance.
    pub probabilities: Vec<f64>,
    /// logit, probability or contrast.
    pub output: &'static str,
    pub domain: Domain,
    /// Lines that the report ends with.
    pub told: String,
}

impl Attributed {
    fn feature(&self) -> &'static str {
        if self.domain == Domain::Text { "word" } else { "segment" }
    }

    /// A feature's name, numbered where others have the same.
    fn name(&self, j: usize) -> String {
        let name = &self.found.features[j].name;
        let alike =
            |range: std::ops::Range<usize>| self.found.features[range].iter().filter(|f| &f.name == name).count();
        match alike(0..self.found.features.len()) {
            1 => name.clone(),
            _ => format!("{name} ({})", alike(0..j + 1)),
        }
    }

    fn method(&self) -> &str {
        self.found.method.first().map_or("", |setting| setting.value.as_str())
    }

    /// The row of a class.
    pub fn row(&self, class: usize) -> Option<usize> {
        self.classes.iter().position(|&c| c == class)
    }
}

/// Numbers of one size: with as many decimals as the largest wants.
#[derive(Clone, Copy)]
struct Scale {
    decimals: usize,
    largest: f64,
}

impl Scale {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let largest = numbers.fold(0.0, |most: f64, v| most.max(v.abs()));
        let decimals = if largest > 0.0 { (2.0 - largest.log10().floor()).clamp(0.0, 12.0) as usize } else { 2 };
        Scale { decimals, largest }
    }

    fn signed(self, value: f64) -> String {
        let text = format!("{value:+.*}", self.decimals);
        // What rounds to nothing has no sign.
        if text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { text } else { text[1..].to_string() }
    }
}

/// Scores in lines of at most `width` columns, with colours as escape sequences.
pub fn render(a: &Attributed, choice: &Choice, width: usize) -> String {
    let mut page = Page::new(width);
    warn(&mut page, a);
    let bars = |c: usize, width: usize| bar(a.probabilities[c], width);
    super::classes(
        &mut page,
        &a.labels,
        &choice.shown_of(&a.probabilities),
        &["model"],
        (&|c| vec![a.probabilities[c]], &bars),
    );
    let scale = Scale::of(a.found.scores.iter().flatten().copied());
    scores(&mut page, a, choice, scale);
    lists(&mut page, a, choice, scale);
    rest(&mut page, a, scale);
    settings(&mut page, a);
    page.finish() + &a.told
}

/// Sums that should be met and are not.
fn warn(page: &mut Page, a: &Attributed) {
    let Some(off) = a.found.off().filter(|off| *off > OFF) else { return };
    let advice = match a.method() {
        _ if a.found.method.iter().any(|s| s.name == "compat") => "captum's rules do not keep the sum.",
        "integrated-gradients" => "More --steps bring them nearer; --steps auto takes as many as it needs, up to 400.",
        "blur-ig" => "More --steps bring them nearer, up to 400.",
        "guided-ig" => "Its way turns where gradients do: in deep networks more --steps need not help.",
        _ => "Rounding is larger than what they should add up to.",
    };
    page.warning(&format!("The scores are {:.1} % off what they should add up to. {advice}", 100.0 * off));
    page.gap();
}

fn scores(page: &mut Page, a: &Attributed, choice: &Choice, scale: Scale) {
    page.gap();
    let what = format!("Scores of each {} by {}, for the {}", a.feature(), a.method(), a.output);
    page.heading(&what);
    let shown = choice.shown_of(&a.probabilities);
    // A contrast is one row whatever is shown.
    let rows: Vec<usize> = match a.output {
        "contrast" => (0..a.rows.len()).collect(),
        _ => shown.iter().filter_map(|&c| a.row(c)).collect(),
    };
    let names = rows.iter().map(|&r| a.rows[r].as_str()).collect();
    let words = (0..a.found.features.len()).map(|j| a.name(j)).collect();
    let cell = |i: usize, j: usize, width: usize| {
        let value = a.found.scores[rows[i]][j];
        coloured(value, scale.largest, &pad_left(&scale.signed(value), width))
    };
    table(page, (names, words), NUMBER.max(scale.decimals + 3), (&cell, &|_, _| None));
}

/// Features by their scores, the largest first.
fn ranked(row: &[f64]) -> Vec<(usize, f64)> {
    let mut list: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
    list.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    list
}

fn list(a: &Attributed, entries: impl Iterator<Item = (usize, f64)>, scale: Scale) -> String {
    let one = |(j, value): (usize, f64)| {
        let name = cut(&printable(&a.name(j)), NAME).replace(' ', "\u{a0}");
        format!("{name}\u{a0}{}", scale.signed(value))
    };
    let told: Vec<String> = entries.map(one).collect();
    if told.is_empty() { "none".into() } else { told.join(", ") }
}

fn lists(page: &mut Page, a: &Attributed, choice: &Choice, scale: Scale) {
    page.gap();
    let first = if a.output == "contrast" { Some(0) } else { a.row(arg_max(&a.probabilities)) };
    if let Some(row) = first {
        let (name, all) = (printable(&a.rows[row]), ranked(&a.found.scores[row]));
        let up = all.iter().copied().filter(|(_, v)| *v > 0.0).take(choice.top());
        page.paragraph(&format!("Highest for {name} ({}): {}", a.output, list(a, up, scale)));
        let down = all.iter().rev().copied().filter(|(_, v)| *v < 0.0).take(choice.top());
        page.paragraph(&format!("Lowest: {}", list(a, down, scale)));
    }
    let pair = choice.contrast().and_then(|(x, y)| Some((a.row(x)?, a.row(y)?)));
    if let Some((x, y)) = pair {
        let (over, under) = (&a.found.scores[x], &a.found.scores[y]);
        let apart: Vec<f64> = over.iter().zip(under).map(|(p, q)| p - q).collect();
        let (x, y) = (printable(&a.rows[x]), printable(&a.rows[y]));
        page.paragraph(&format!("{x} over {y} ({}): {}", a.output, list(a, ranked(&apart).into_iter(), scale)));
    }
}

/// What belongs to no feature, and what all of it adds up to.
fn rest(page: &mut Page, a: &Attributed, scale: Scale) {
    let each = |values: &[f64]| {
        let one = |(row, v): (&String, &f64)| format!("{}\u{a0}{}", printable(row), scale.signed(*v));
        a.rows.iter().zip(values).take(20).map(one).collect::<Vec<_>>().join(", ")
    };
    if a.found.outside.iter().any(|v| *v != 0.0) {
        let what = match a.domain {
            Domain::Text => "special tokens, padding, what stands between words",
            Domain::Image => "what a crop fills up",
            Domain::Rows => "what no column holds",
        };
        page.paragraph(&format!("Outside of all {}s ({what}): {}", a.feature(), each(&a.found.outside)));
    }
    if let (Some(delta), Some(total), Some(off)) = (&a.found.delta, &a.found.total, a.found.off()) {
        page.paragraph(&format!("Should add up to: {}", each(total)));
        let most = delta.iter().fold(0.0, |most: f64, d| most.max(d.abs()));
        page.paragraph(&format!("Off by at most {most:.2e} ({:.3} %).", 100.0 * off));
    }
}

fn settings(page: &mut Page, a: &Attributed) {
    page.gap();
    let told: Vec<String> =
        a.found.method.iter().map(|Setting { name, value }| format!("{name} = {}", printable(value))).collect();
    page.paragraph(&format!("{}.", told.join("; ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_decimals_that_their_largest_wants() {
        let told = |numbers: &[f64]| -> Vec<String> {
            let scale = Scale::of(numbers.iter().copied());
            numbers.iter().map(|v| scale.signed(*v)).collect()
        };
        assert_eq!(told(&[5.25, -0.001]), ["+5.25", "0.00"]);
        assert_eq!(told(&[0.0123, -0.0007]), ["+0.0123", "-0.0007"]);
        assert_eq!(told(&[512.4, 3.0]), ["+512", "+3"]);
        assert_eq!(told(&[0.0, 0.0]), ["0.00", "0.00"]);
    }
}
