//! Programs that take two texts together, or give embeddings of each.

use super::process::Process;
use super::{CommandModel, failed, protocol, refuse};
use lipex_core::{Backend, Batching, BlackBox, Error, Probabilities, Result, Similarity, Texts, TwoTower, Watch};
use serde_json::Value;

/// Most texts or pairs in a request.
const BATCH: usize = 64;

/// What a program says of two texts.
///
/// ```no_run
/// use lipex::{CommandModel, PairAnswers};
/// use std::time::Duration;
///
/// let model = CommandModel::start("python3 encode.py", Duration::from_secs(60))?;
/// assert_eq!(model.pairs(), Some(PairAnswers::Embeddings)); // its first line: {"embeddings": true}
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairAnswers {
    /// Classes of a pair: a [`BlackBox`].
    Classes,
    /// One number for a pair: a [`Similarity`].
    Similarities,
    /// A vector for each text alone: a [`TwoTower`].
    Embeddings,
}

impl PairAnswers {
    /// What a first line announces.
    pub(super) fn of(header: &protocol::Header) -> Option<Self> {
        match (header.embeddings, header.pairs, &header.labels) {
            (true, ..) => Some(PairAnswers::Embeddings),
            (false, true, Some(_)) => Some(PairAnswers::Classes),
            (false, true, None) => Some(PairAnswers::Similarities),
            (false, false, _) => None,
        }
    }
}

impl CommandModel {
    /// Refuses a program of another kind.
    fn expect_pairs(&self, wanted: PairAnswers) -> Result<()> {
        let reason = match wanted {
            _ if self.pairs == Some(wanted) => return Ok(()),
            PairAnswers::Classes => r#"for classes of two texts its first line must be {"labels": […], "pairs": true}"#,
            PairAnswers::Similarities => r#"for similarities of two texts its first line must be {"pairs": true}"#,
            PairAnswers::Embeddings => r#"for embeddings its first line must be {"embeddings": true}"#,
        };
        Err(refuse(&self.command, reason))
    }

    /// The list under `key` that a request is answered with, one value an input, each read by `read`.
    fn ask_plain<T>(
        &self,
        request: String,
        inputs: usize,
        key: &str,
        read: impl Fn(&Value) -> std::result::Result<T, String>,
    ) -> Result<Vec<T>> {
        let stopped = |process: &mut Process, reason: String| {
            Error::model(format!("\"{}\": {reason}{}", self.command, process.stop().stderr))
        };
        self.with_process(|process| {
            let wanted = format!("the answer to a batch of {inputs}");
            let reply = process.ask(request, self.timeout);
            let reply = reply.map_err(|f| failed(process, &self.command, f, self.timeout, &wanted))?;
            let values = protocol::plain_reply(&reply, key).map_err(|reason| stopped(process, reason))?;
            if values.len() != inputs {
                let what = format!("{key} in the answer of \"{}\"{}", self.command, process.stderr());
                return Err(Error::shape(what, inputs, values.len()));
            }
            let one = |(i, value): (usize, &Value)| read(value).map_err(|problem| format!("{key} {i}: {problem}"));
            values.iter().enumerate().map(one).collect::<std::result::Result<_, _>>().map_err(|p| stopped(process, p))
        })
    }

    fn embeddings(&self, texts: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.expect_pairs(PairAnswers::Embeddings)?;
        let code = |value: &Value| -> std::result::Result<Vec<f32>, String> {
            protocol::numbers(value)?.into_iter().map(|x| finite(x).map(|x| x as f32)).collect()
        };
        let mut codes = Vec::with_capacity(texts.len());
        for part in texts.as_slice().chunks(BATCH) {
            watch.check()?;
            let request = protocol::request(&part.iter().cloned().collect());
            codes.extend(self.ask_plain(request, part.len(), "embeddings", code)?);
            watch.advance(part.len());
        }
        Ok(codes)
    }
}

/// The line that asks about pairs.
fn request(first: &[String], second: &[String]) -> String {
    let pair = |(a, b): (&String, &String)| Value::Array(vec![Value::from(a.as_str()), Value::from(b.as_str())]);
    protocol::line("pairs", Value::Array(first.iter().zip(second).map(pair).collect()))
}

fn finite(number: f64) -> std::result::Result<f64, String> {
    if number.is_finite() { Ok(number) } else { Err(format!("it is {number}")) }
}

impl Similarity<Texts, Texts> for CommandModel {
    /// # Errors
    /// [`Error::Setting`] when the program takes something else; else as for texts.
    fn similarities(&self, first: &Texts, second: &Texts, watch: &Watch) -> Result<Vec<f64>> {
        self.expect_pairs(PairAnswers::Similarities)?;
        let number = |value: &Value| match protocol::numbers(&Value::Array(vec![value.clone()]))?.as_slice() {
            [one] => finite(*one),
            _ => Err("it is no number".into()),
        };
        let mut all = Vec::with_capacity(first.len());
        for (a, b) in first.as_slice().chunks(BATCH).zip(second.as_slice().chunks(BATCH)) {
            watch.check()?;
            all.extend(self.ask_plain(request(a, b), a.len(), "similarities", number)?);
            watch.advance(a.len());
        }
        Ok(all)
    }
}

impl TwoTower<Texts, Texts> for CommandModel {
    /// # Errors
    /// [`Error::Setting`] when the program takes something else; else as for texts.
    fn first(&self, inputs: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.embeddings(inputs, watch)
    }

    /// # Errors
    /// As for the first.
    fn second(&self, inputs: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.embeddings(inputs, watch)
    }
}

impl<B: Backend> BlackBox<B, (Texts, Texts)> for CommandModel {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    /// # Errors
    /// [`Error::Setting`] when the program takes something else; else as for texts.
    fn predict(&self, on: &B, (first, second): &(Texts, Texts)) -> Result<Probabilities<B>> {
        self.expect_pairs(PairAnswers::Classes)?;
        self.ask(request(first.as_slice(), second.as_slice()), first.len())?.on(on)
    }
}
