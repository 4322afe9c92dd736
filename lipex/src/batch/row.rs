//! One instance of many, as a row of a table.

use crate::json::to_json_canonical;
use lipex_core::Explanation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The schema of [`BatchRow`]; `docs/batch.md` documents every key.
pub const BATCH_SCHEMA: &str = "lipex.batch/1";

/// What tells an instance from others: a number or a text, as its table has it.
///
/// ```
/// use lipex::RowId;
///
/// let ids = [RowId::Number(17), RowId::Text("review-3".into())];
/// assert_eq!(ids.map(|id| id.to_string()), ["17", "review-3"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RowId {
    /// A whole number, such as the row's own.
    Number(i64),
    /// A text.
    Text(String),
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowId::Number(number) => write!(f, "{number}"),
            RowId::Text(text) => f.write_str(text),
        }
    }
}

/// An explanation as a row of a table, or why there is none.
///
/// Equal runs give equal rows: there are no times in them. What a row holds depends on its instance and on the settings
/// alone, so a table may be cut into parts in any way.
///
/// ```
/// use lipex::{BatchRow, RowId, prelude::*};
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("fine") { [0.2, 0.8] } else { [0.6, 0.4] }).collect()
/// });
/// let explanation = lipex().explain(&TextInstance::new("a fine day")?, &model)?;
/// let row = BatchRow::of(0, RowId::Number(17), &explanation);
/// assert_eq!(row.predicted.as_deref(), Some("good"));
/// let line = row.to_json();
/// assert!(line.starts_with(r#"{"row":0,"id":17,"classes":["bad","good"],"#) && !line.contains('\n'));
/// assert_eq!(BatchRow::from_json(&line)?, row);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchRow {
    /// The row's number in its table, from 0.
    pub row: u64,
    /// What the table calls it.
    pub id: RowId,
    /// Class names, in the order of the matrix's rows; this and all below but `error` are `None` for a row that failed.
    pub classes: Option<Vec<String>>,
    /// The class that the model finds likeliest.
    pub predicted: Option<String>,
    /// All D features.
    pub features: Option<Vec<String>>,
    /// The features that the matrix's columns belong to, by number.
    pub kept: Option<Vec<usize>>,
    /// The shares: C rows of F numbers.
    pub matrix: Option<Vec<Vec<f64>>>,
    /// The surrogate's logits, or a ridge's probabilities, where nothing is left, C numbers; `None` for an answer that is not
    /// linear.
    pub intercept: Option<Vec<f64>>,
    /// The model's probabilities at the instance, C numbers.
    pub p_model: Option<Vec<f64>>,
    /// The surrogate's.
    pub p_surrogate: Option<Vec<f64>>,
    /// The total variation between both on masks that a refit has not seen; `None` where it was not measured.
    pub tv_unseen: Option<f64>,
    /// Distinct inputs that the model saw.
    pub inputs: Option<usize>,
    /// The whole explanation, as [`to_json_canonical`] writes it; [`from_json`](crate::from_json) reads it.
    pub explanation: Option<String>,
    /// Why there is no explanation, in one line.
    pub error: Option<String>,
}

impl BatchRow {
    /// The row of an explanation.
    pub fn of(row: u64, id: RowId, e: &Explanation) -> Self {
        let shares = e.shares();
        let unseen = e.fidelity.as_ref().and_then(|fidelity| fidelity.out_of_fold);
        BatchRow {
            row,
            id,
            classes: Some(e.classes.clone()),
            predicted: e.classes.get(e.predicted()).cloned(),
            features: Some(e.features.iter().map(|feature| feature.name.clone()).collect()),
            kept: Some(shares.kept().to_vec()),
            matrix: Some(shares.matrix().to_vec()),
            intercept: e.answer.as_ref().and_then(|answer| answer.linear()).map(|linear| linear.intercept()),
            p_model: Some(e.probabilities.model.clone()),
            p_surrogate: Some(e.probabilities.surrogate.clone()),
            tv_unseen: unseen.map(|agreement| agreement.tv),
            inputs: Some(e.calls.inputs),
            explanation: Some(to_json_canonical(e)),
            error: None,
        }
    }

    /// The row of an instance that could not be explained; the reason is put on one line.
    pub fn failed(row: u64, id: RowId, reason: &str) -> Self {
        let error = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        BatchRow {
            row,
            id,
            classes: None,
            predicted: None,
            features: None,
            kept: None,
            matrix: None,
            intercept: None,
            p_model: None,
            p_surrogate: None,
            tv_unseen: None,
            inputs: None,
            explanation: None,
            error: Some(error),
        }
    }

    /// The row as JSON on one line, without a line end; every key is there, `null` where there is nothing.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data with text keys")
    }

    /// Reads what [`to_json`](BatchRow::to_json) wrote; numbers are the same to the last bit.
    ///
    /// # Errors
    /// [`Error::Setting`](lipex_core::Error::Setting) for anything else.
    pub fn from_json(line: &str) -> lipex_core::Result<Self> {
        let told = |e: serde_json::Error| e.to_string().replace(char::is_control, " ");
        serde_json::from_str(line).map_err(|e| lipex_core::Error::setting("row", "JSON", told(e)))
    }
}
