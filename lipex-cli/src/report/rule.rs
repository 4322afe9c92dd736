//! The report of a rule.

use super::layout::{Page, cut, printable};
use lipex::{AnchorRule, Domain, Setting};

/// Most columns of a name.
const NAME: usize = 24;
/// Texts of more letters are not shown again.
const LONG: usize = 1500;

/// A rule with what is needed to read it.
pub struct Ruled {
    pub rule: AnchorRule,
    pub domain: Domain,
    /// The text, if it is about one.
    pub text: Option<String>,
    /// Lines that the report ends with.
    pub told: String,
}

impl Ruled {
    /// The instance, its features and one of them.
    fn nouns(&self) -> [&'static str; 2] {
        if self.domain == Domain::Text { ["text", "Words"] } else { ["photo", "Segments"] }
    }

    /// What the model says of the instance.
    fn says(&self) -> String {
        let rule = &self.rule;
        let name = printable(&rule.classes[rule.class]);
        match rule.independent && rule.probabilities[rule.class] < 0.5 {
            true => format!("less than .5 for {name}"),
            false => name,
        }
    }

    /// The rule's features in a list.
    fn kept(&self) -> String {
        let quoted = |name: &&str| format!("“{}”", cut(&printable(name), NAME).replace(' ', "\u{a0}"));
        let names: Vec<String> = self.rule.names().iter().map(quoted).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A rule in lines of at most `width` columns, with colours as escape sequences.
pub fn render(ruled: &Ruled, width: usize) -> String {
    let mut page = Page::new(width);
    heading(&mut page, ruled);
    page.gap();
    precision(&mut page, ruled);
    if let Some(text) = ruled.text.as_ref().filter(|text| text.chars().count() <= LONG && !ruled.rule.kept.is_empty()) {
        page.gap();
        page.paragraph(&bracketed(text, &ruled.rule));
    }
    page.gap();
    search(&mut page, ruled);
    page.finish() + &ruled.told
}

fn heading(page: &mut Page, ruled: &Ruled) {
    let (rule, says, kept) = (&ruled.rule, ruled.says(), ruled.kept());
    match rule.kept.len() {
        _ if !rule.met => {
            page.warning(&format!("No rule was found that is as precise as was asked. {}", advice(rule)));
        }
        0 => page.heading(&format!("The model says {says} whatever is removed: the rule is empty.")),
        1 => page.heading(&format!("While {kept} stays, the model says {says}, whatever else is removed.")),
        _ => page.heading(&format!("While {kept} stay, the model says {says}, whatever else is removed.")),
    }
}

/// How precise the rule is, and how often it applies.
fn precision(page: &mut Page, ruled: &Ruled) {
    let rule = &ruled.rule;
    let held = percent(rule.precision);
    let told = match rule.kept.as_slice() {
        [] => format!("It says so of {held} of random masks"),
        [_] => format!("It says so of {held} of the masks that keep it"),
        _ => format!("It says so of {held} of the masks that keep them"),
    };
    let what = match (rule.met, rule.kept.is_empty()) {
        (true, _) => told,
        (false, true) => format!("The most precise is no feature at all. {told}"),
        (false, false) => format!("The most precise: {}. {told}", ruled.kept()),
    };
    let ([low, high], delta) = ([rule.low, rule.high].map(percent), setting(rule, "delta"));
    page.paragraph(&format!("{what}: at least {low}, at most {high} (each bound wrong with a chance of {delta})."));
    if !rule.kept.is_empty() {
        page.paragraph(&format!("Random masks keep all of it in {} (coverage).", percent(rule.coverage)));
    }
}

/// What the search took, and its settings.
fn search(page: &mut Page, ruled: &Ruled) {
    let (rule, [instance, features]) = (&ruled.rule, ruled.nouns());
    page.paragraph(&format!(
        "Of the whole {instance} the model says {} with {:.3}. {features}: {}; masks drawn: {}; inputs asked for: {}.",
        printable(&rule.classes[rule.class]),
        rule.probabilities[rule.class],
        rule.features.len(),
        rule.rows,
        rule.calls
    ));
    let settings: Vec<String> =
        rule.settings.iter().map(|Setting { name, value }| format!("{name} = {}", printable(value))).collect();
    page.paragraph(&format!("{}.", settings.join("; ")));
}

/// The value of a setting of the search.
fn setting<'a>(rule: &'a AnchorRule, name: &str) -> &'a str {
    rule.settings.iter().find(|s| s.name == name).map_or("", |s| s.value.as_str())
}

/// What to do where nothing is precise enough.
fn advice(rule: &AnchorRule) -> &'static str {
    let number = |name: &str| setting(rule, name).parse::<usize>().unwrap_or_default();
    // A round draws twice a batch.
    if rule.rows + 2 * number("batch") > number("max-rows") {
        "The limit on masks was reached: --max-rows takes more, --tolerance .3 needs fewer, --precision .9 asks for less."
    } else {
        "--precision .9 asks for less."
    }
}

/// The text on one line, with the rule's places in brackets.
fn bracketed(text: &str, rule: &AnchorRule) -> String {
    let mut spans: Vec<[usize; 2]> =
        rule.kept.iter().flat_map(|&j| rule.features[j].spans.iter().map(|span| span.bytes)).collect();
    spans.sort_unstable();
    let (mut out, mut at) = (String::new(), 0);
    for [from, to] in spans {
        if let (Some(before), Some(word)) = (text.get(at..from), text.get(from..to)) {
            out += &format!("{before}[{word}]");
            at = to;
        }
    }
    out += text.get(at..).unwrap_or_default();
    printable(&out.split_whitespace().collect::<Vec<_>>().join(" "))
}
