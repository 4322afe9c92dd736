//! The report of an experiment that is done.

use super::layout::{Page, cut, pad, pad_left, printable};
use lipex_experiment::Summary;

/// Columns of a number.
const NUMBER: usize = 9;

/// Means, a row a measure and a column a method, in lines of at most `width` columns.
pub fn render(summary: &Summary, failed: usize, folder: &str, width: usize) -> String {
    let mut page = Page::new(width);
    page.paragraph(&format!("{}: {} inputs, rounds: {}.", summary.experiment, summary.inputs, summary.rounds));
    if failed > 0 {
        page.paragraph(&format!("{failed} failed; why stands in {}/results.part.", printable(folder)));
    }
    page.gap();
    for (place, method) in summary.methods.iter().enumerate() {
        page.paragraph(&format!("{}  {}", place + 1, printable(method)));
    }
    page.gap();
    let names = summary.measures.iter().map(String::len).max().unwrap_or(0).min(width.saturating_sub(NUMBER)).max(8);
    let fit = ((page.width().saturating_sub(names)) / NUMBER).max(1);
    let places: Vec<usize> = (0..summary.methods.len()).collect();
    for block in places.chunks(fit) {
        let head: String = block.iter().map(|place| pad_left(&format!("{}", place + 1), NUMBER)).collect();
        page.line(&format!("{}{head}", pad("", names)));
        for measure in &summary.measures {
            let cell = |&place: &usize| {
                let mean = summary.mean(&summary.methods[place], measure);
                let told =
                    mean.map_or("–".into(), |m| if m.abs() >= 100.0 { format!("{m:.0}") } else { format!("{m:.3}") });
                pad_left(&told, NUMBER)
            };
            page.line(&format!("{}{}", pad(&cut(measure, names), names), block.iter().map(cell).collect::<String>()));
        }
        page.gap();
    }
    page.paragraph(&format!(
        "Intervals, and differences from the first method with theirs, are in {0}/table.md; figures lie beside it.",
        printable(folder)
    ));
    page.finish()
}
