//! What many explanations have in common, as a page.

use super::html::plain;
use super::markup::Markup;
use crate::batch::{Summary, WordSummary};

/// Most words of a class on the page, and most reasons.
const MOST: usize = 20;

/// The summary of a batch as a page: one HTML file without network access or scripts.
///
/// For each class the words that hold it up most often, with how many of the texts that have them; how far surrogates are off on
/// unseen masks; what failed. `title` says what was explained. `words` is whether features have names that mean the same in
/// every instance, as words do and segments of photos do not.
pub fn summary_to_html(summary: &Summary, title: &str, words: bool) -> String {
    let mut m = Markup::default();
    m.open("header", &[]).element("h1", &[], title);
    let (rows, failed) = (summary.rows(), summary.failed());
    m.element("p", &[], &format!("{rows} explained, {failed} of them in vain.")).close("header").line();
    m.open("main", &[]).line();
    fidelity(summary, &mut m);
    classes(summary, words, &mut m);
    failures(summary, &mut m);
    m.close("main").line();
    plain(title, m)
}

fn fidelity(summary: &Summary, m: &mut Markup) {
    let Some(off) = summary.off() else { return };
    let [least, lower, middle, upper, most] = off.values;
    m.open("section", &[]).element("h2", &[], "How far surrogates are off on masks they have not seen");
    m.element(
        "p",
        &[],
        &format!(
            "Total variation, 0 to 1, over {}: {least:.3} at the least, {middle:.3} in the middle, {most:.3} at the most; \
             half lie between {lower:.3} and {upper:.3}.",
            off.count
        ),
    );
    m.close("section").line();
}

fn classes(summary: &Summary, words: bool, m: &mut Markup) {
    for class in summary.classes().iter().filter(|class| class.predicted > 0) {
        m.open("section", &[]).open("h2", &[]).element("bdi", &[], &class.name);
        m.text(&format!(": predicted {} times", class.predicted)).close("h2");
        if words {
            let about = format!("Words among the {} that hold it up most, and in how many texts:", summary.top());
            m.element("p", &[], &about).open("table", &[]).line();
            class.words.iter().take(MOST).for_each(|word| line(word, m));
            m.close("table");
        }
        m.close("section").line();
    }
}

fn line(word: &WordSummary, m: &mut Markup) {
    m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], &word.word).close("th");
    m.element("td", &[], &format!("{} of {}", word.strong, word.among)).close("tr").line();
}

fn failures(summary: &Summary, m: &mut Markup) {
    let failures = summary.failures();
    if failures.is_empty() {
        return;
    }
    m.open("section", &[]).element("h2", &[], "What failed").open("ul", &[]).line();
    for failure in failures.iter().take(MOST) {
        let told = format!("{} times, first {}: {}", failure.count, failure.first, failure.reason);
        m.element("li", &[], &told).line();
    }
    m.close("ul").close("section").line();
}
