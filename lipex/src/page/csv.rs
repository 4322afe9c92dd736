//! The matrix as comma-separated values.
//!
//! RFC 4180: quotes where a field needs them, `\n` between records, UTF-8 without a byte-order mark. Numbers have the digits
//! that bring them back to the bit.

use super::table::Table;
use lipex_core::{Explanation, Result};

/// The explanation matrix as comma-separated values (RFC 4180, lines end in CR LF), for spreadsheets and data frames.
///
/// The columns are `class`, `feature`, `weight`, `se`, `low`, `high`, `with`: a line for each class, likeliest first, and each
/// kept feature that the class's row was fitted on, its share as `weight`; then one for each pair of features that act together,
/// the other one `with`, and what removing both adds to removing each as `weight`. Half of that is in either's share. `se` is the standard error, `low` and `high` bound the interval; the three are
/// empty where there are no standard errors. Numbers have as many digits as they need to be read back exactly. Features of
/// equal names are numbered as they occur in the instance: "to (1)", "to (2)".
///
/// Names are written as they are. A spreadsheet may take a name that starts with `=`, `+`, `-` or `@` for a formula: import
/// the column as text if the instance or the labels come from untrusted sources.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for an explanation made by hand whose parts do not fit together.
///
/// ```
/// use lipex::prelude::*;
///
/// # fn table(explanation: &Explanation) -> lipex::Result<()> {
/// let table = lipex::to_csv(explanation)?;
/// println!("{} records", table.lines().count());
/// # Ok(())
/// # }
/// ```
pub fn to_csv(explanation: &Explanation) -> Result<String> {
    let e = explanation;
    let table = Table::new(e, e.classes_by_probability(), usize::MAX)?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut write = |record: [&str; 7]| writer.write_record(record).expect("seven fields, written to memory");
    write(["class", "feature", "weight", "se", "low", "high", "with"]);
    let (pairs, kept) = (e.pairs(), e.kept());
    let name = |j: &usize| kept.binary_search(j).map_or("", |place| table.names[place].as_str());
    for &c in &table.classes {
        for &j in &table.columns {
            let Some(entry) = table.entry(c, j) else { continue };
            let se = e.uncertainty.as_ref().map(|u| u.std_error[c][j]);
            let end = |sign: f64| entry.half.map(|half| entry.weight + sign * half);
            let [se, low, high] = [se, end(-1.0), end(1.0)].map(|x| x.map_or(String::new(), |x| x.to_string()));
            write([&e.classes[c], &table.names[j], &entry.weight.to_string(), &se, &low, &high, ""]);
        }
        for pair in &pairs {
            let [a, b] = pair.features.each_ref().map(name);
            write([&e.classes[c], a, &pair.effects[c].to_string(), "", "", "", b]);
        }
    }
    let bytes = writer.into_inner().expect("written to memory");
    Ok(String::from_utf8(bytes).expect("made of text"))
}
