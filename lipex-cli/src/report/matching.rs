//! The report of what two texts do together.

use super::layout::{Page, bar, coloured, columns, cut, pad, pad_left, printable};
use lipex::{Bilinear, Match, Result};

/// Most columns of a name.
const NAME: usize = 18;
/// Columns of a bar.
const BAR: usize = 12;
/// Most groups of words.
const GROUPS: usize = 3;

/// What was found, and what of it is read.
pub struct Matched<'a> {
    pub found: &'a Match,
    /// The names of both texts' features.
    pub names: [Vec<String>; 2],
    pub class: usize,
    /// Pairs and words listed.
    pub top: usize,
    /// Lines that the report ends with.
    pub told: String,
}

/// What two texts do together in lines of at most `width` columns, with colours as escape sequences.
pub fn render(matched: &Matched<'_>, width: usize) -> Result<String> {
    let (found, mut page) = (matched.found, Page::new(width));
    let g = found.bilinear(matched.class)?;
    let told: Vec<String> = found.told(matched.class)?.iter().map(|line| printable(line)).collect();
    page.heading(&told[0]);
    told[1..].iter().for_each(|line| page.paragraph(line));
    let unit = if found.classes.is_empty() { "similarity" } else { "log-odds" };
    pairs(&mut page, matched, &g, unit);
    (0..2).for_each(|part| words(&mut page, matched, &g, part));
    groups(&mut page, matched, &g);
    page.gap();
    let settings: Vec<String> =
        found.settings.iter().map(|s| format!("{} = {}", s.name, printable(&s.value))).collect();
    page.note(&format!("{}.", settings.join("; ")));
    Ok(page.finish() + &matched.told)
}

/// A number with a sign, of three decimals: similarities are small.
fn signed(value: f64) -> String {
    if value.abs() < 0.0005 { "0.000".into() } else { format!("{value:+.3}") }
}

impl Matched<'_> {
    fn name(&self, part: usize, feature: usize) -> String {
        cut(&printable(&self.names[part][feature]), NAME)
    }
}

/// The pairs of words with the largest entries.
fn pairs(page: &mut Page, matched: &Matched<'_>, g: &Bilinear, unit: &str) {
    let strongest = g.strongest(matched.top);
    page.gap();
    let Some(&(_, _, largest)) = strongest.first() else {
        page.heading("No words of the two act together.");
        return;
    };
    page.heading(&format!("Words that act together, {unit}:"));
    let named: Vec<(String, String, f64)> =
        strongest.iter().map(|&(i, j, w)| (matched.name(0, i), matched.name(1, j), w)).collect();
    let widest = |of: fn(&(String, String, f64)) -> &str| named.iter().map(|n| columns(of(n))).max().unwrap_or(0);
    let (first, second) = (widest(|n| &n.0), widest(|n| &n.1));
    for (a, b, w) in &named {
        let value = coloured(*w, largest.abs(), &signed(*w));
        let line = format!("  {} – {}  {value}  {}", pad_left(a, first), pad(b, second), bar((w / largest).abs(), BAR));
        page.line(line.trim_end());
    }
}

/// The words of a part with the largest Shapley values.
fn words(page: &mut Page, matched: &Matched<'_>, g: &Bilinear, part: usize) {
    let (shares, removal, together) = (&g.shares()[part], &g.removal()[part], &g.together_shares()[part]);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| shares[b].abs().total_cmp(&shares[a].abs()));
    order.truncate(matched.top);
    let names: Vec<String> = order.iter().map(|&j| matched.name(part, j)).collect();
    let title = ["First text", "Second text"][part];
    let width = names.iter().map(|name| columns(name)).chain([columns(title) - 2]).max().unwrap_or(0);
    let largest = shares.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
    page.gap();
    page.heading(&format!("{}  Shapley  removed  together", pad(title, width + 2)));
    for (&j, name) in order.iter().zip(&names) {
        let share = coloured(shares[j], largest, &pad_left(&signed(shares[j]), 7));
        let line =
            format!("  {}  {share}  {}  {}", pad(name, width), pad_left(&signed(removal[j]), 7), signed(together[j]));
        page.line(&line);
    }
}

/// The words that act as one.
fn groups(page: &mut Page, matched: &Matched<'_>, g: &Bilinear) {
    let partitions = g.partitions();
    if partitions.is_empty() {
        return;
    }
    page.gap();
    page.heading("Groups of words that act as one:");
    for part in partitions.iter().take(GROUPS) {
        let members = |which: usize, vector: &[f64]| {
            let largest = vector.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let mut members: Vec<usize> = (0..vector.len()).filter(|&j| vector[j].abs() * 3.0 >= largest).collect();
            members.sort_by(|&a, &b| vector[b].abs().total_cmp(&vector[a].abs()));
            let told = |&j: &usize| format!("{}{}", if vector[j] < 0.0 { "−" } else { "" }, matched.name(which, j));
            members.iter().take(6).map(told).collect::<Vec<_>>().join(", ")
        };
        page.paragraph(&format!("  {:.3}: {} ↔ {}", part.strength, members(0, &part.first), members(1, &part.second)));
    }
    if partitions.len() > GROUPS {
        page.note(&format!("  {} more are weaker.", partitions.len() - GROUPS));
    }
}
