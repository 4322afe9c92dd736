//! What a person is told at the end of a batch.

use crate::report::printable;
use lipex::Summary;

/// Most classes, words of a class and reasons that are told.
const MOST: usize = 10;

/// The summary in lines; `words` is whether features mean the same in every row.
pub fn told(summary: &Summary, words: bool) -> String {
    let (rows, failed) = (summary.rows(), summary.failed());
    let mut told = format!("{} rows explained, {failed} failed.\n", rows - failed);
    if let Some(off) = summary.off() {
        let [least, lower, middle, upper, most] = off.values;
        told += &format!(
            "Off on unseen masks (total variation): {middle:.3} in the middle, half from {lower:.3} to {upper:.3}, all from \
             {least:.3} to {most:.3}.\n"
        );
    }
    let classes = summary.classes();
    if words && !classes.is_empty() {
        told += &format!(
            "\nWords among the {} that hold the predicted class up most, and in how many of the texts that have them:\n",
            summary.top()
        );
    }
    let shown = classes.iter().filter(|class| class.predicted > 0);
    for class in shown.clone().take(MOST) {
        told += &format!("{} ({})", printable(&class.name), class.predicted);
        if words {
            let word = |w: &lipex::WordSummary| format!("{} {}/{}", printable(&w.word), w.strong, w.among);
            let list: Vec<String> = class.words.iter().take(MOST).map(word).collect();
            told += &format!(": {}", list.join(", "));
        }
        told += "\n";
    }
    let more = shown.count().saturating_sub(MOST);
    if more > 0 {
        told += &format!("and {more} more classes\n");
    }
    for failure in summary.failures().iter().take(MOST) {
        let (first, reason) = (printable(&failure.first), printable(&failure.reason));
        told += &format!("{} failed, first {first}: {reason}\n", failure.count);
    }
    told
}
