//! Dual encoders: a text becomes a vector, and two texts are compared by the cosine of theirs.

use crate::batches::{Batch, Limits, spread};
use crate::files::{Files, Json, wrong};
use crate::graph::Graph;
use crate::options::OnnxOptions;
use crate::text::{Given, Token, inputs, values};
use crate::tokens::{Seen, Tokens, distinct};
use crate::workers::Workers;
use lipex_core::{Result, Texts, TwoTower, Watch};
use rten::ThreadPool;
use serde_json::Value;
use std::sync::Arc;

/// How the vectors of tokens become that of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pooling {
    /// Their mean.
    Mean,
    /// The first token's.
    First,
    /// The largest number of each column.
    Most,
}

impl Pooling {
    fn name(self) -> &'static str {
        match self {
            Pooling::Mean => "the mean over tokens",
            Pooling::First => "the first token",
            Pooling::Most => "the largest over tokens",
        }
    }
}

/// An encoder of texts in an ONNX folder, as a [`TwoTower`] with one tower for both sides.
///
/// The graph gives a vector a text, or one a token, which are pooled as `1_Pooling/config.json` says: the mean (which is the
/// default), the first token, or the largest; padding does not count. Codes are compared by their cosine, so that it does not
/// matter whether the folder normalises them.
///
/// ```no_run
/// use lipex_core::{Texts, TwoTower, Watch, cosine};
/// use lipex_onnx::{OnnxOptions, OnnxPairs};
///
/// let OnnxPairs::Encoder(model) = OnnxOptions::new().open_pairs("all-minilm-l6-v2")? else { panic!("an encoder") };
/// let codes = model.first(&Texts::from(vec!["a cat".into(), "a kitten".into()]), Watch::none())?;
/// println!("{}", cosine(&codes[0], &codes[1]));
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct OnnxEncoder {
    graph: Graph,
    tokens: Tokens,
    limits: Limits,
    given: Vec<(String, Given)>,
    pooling: Pooling,
    /// Numbers in a code.
    length: usize,
    workers: Workers,
}

impl std::fmt::Debug for OnnxEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxEncoder")
            .field("file", &self.graph.file)
            .field("pooling", &self.pooling.name())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl OnnxEncoder {
    /// Opens a folder whose output is named in the options.
    pub(super) fn open(files: Files, options: OnnxOptions) -> Result<Self> {
        if options.sigmoid || options.labels.is_some() {
            return Err(wrong(&files.model, "it encodes texts and has no classes: leave out --labels and --sigmoid"));
        }
        let workers = options.workers()?;
        let graph = options.graph(&files.model, &workers)?;
        let (given, limits) = inputs(&graph)?;
        let pooling = pooling(&files)?;
        let mut tokens = Tokens::open(options.tokenizer.clone(), options.max_tokens, &files, limits.tokens)?;
        let sentence =
            files.json("sentence_bert_config.json")?.map(|j| j.count("max_seq_length")).transpose()?.flatten();
        if let Some(most) =
            sentence.filter(|most| options.max_tokens.is_none() && tokens.most.is_none_or(|m| *most < m))
        {
            tokens = Tokens::open(options.tokenizer, Some(most), &files, limits.tokens)?;
        }
        let mut model = OnnxEncoder { graph, tokens, limits, given, pooling, length: 0, workers };
        let tried = model.codes(&["a text"], Watch::none()).map_err(|e| model.graph.wrong(e.to_string()))?;
        model.length = tried.first().map_or(0, Vec::len);
        Ok(model)
    }

    /// Numbers in a code.
    pub fn length(&self) -> usize {
        self.length
    }

    /// What of a text the model sees; `None` for all of it.
    ///
    /// # Errors
    /// [`Error::Model`](lipex_core::Error::Model) when the tokenizer fails.
    pub fn seen(&self, text: &str) -> Result<Option<Seen>> {
        self.tokens.seen(text)
    }

    /// The codes of texts, one a text.
    fn codes(&self, texts: &[&str], watch: &Watch) -> Result<Vec<Vec<f32>>> {
        let all = self.tokens.all(texts, self.workers.threads())?;
        let (of, inputs) = distinct(&all);
        let lengths: Vec<usize> = inputs.iter().map(|ids| ids.len()).collect();
        let codes =
            spread(&self.workers, &lengths, self.limits, watch, |batch, pool| self.batch(&inputs, batch, pool))?;
        Ok(of.into_iter().map(|input| codes[input].clone()).collect())
    }

    /// The codes of one batch.
    fn batch(&self, inputs: &[&[u32]], batch: &Batch, pool: &Arc<ThreadPool>) -> Result<Vec<Vec<f32>>> {
        let rows = self.limits.rows.unwrap_or(batch.of.len());
        let at = |input: usize, t: usize| inputs[input].get(t).map(|&id| Token { id, part: 0 });
        let (shape, numbers) = self.graph.run_shaped(values(&self.given, &at, batch, rows, self.tokens.pad)?, pool)?;
        match *shape.as_slice() {
            [n, length] if n == rows && length > 0 => {
                Ok(numbers.chunks_exact(length).take(batch.of.len()).map(<[f32]>::to_vec).collect())
            }
            [n, t, length] if n == rows && t >= batch.tokens && length > 0 => {
                let texts = numbers.chunks_exact(t * length).zip(&batch.of);
                let pooled = |(text, &input): (&[f32], &usize)| {
                    let tokens = inputs[input].len().min(batch.tokens);
                    pool_tokens(&text[..tokens * length], length, self.pooling)
                };
                Ok(texts.map(pooled).collect())
            }
            _ => Err(self.graph.misshapen(&shape, rows, "a vector, or one a token")),
        }
    }
}

impl TwoTower<Texts, Texts> for OnnxEncoder {
    fn first(&self, inputs: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.codes(&inputs.as_strs(), watch)
    }

    fn second(&self, inputs: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
        self.codes(&inputs.as_strs(), watch)
    }
}

/// One vector of the vectors of a text's tokens, each of `length` numbers; sums in f64.
fn pool_tokens(numbers: &[f32], length: usize, pooling: Pooling) -> Vec<f32> {
    let tokens = numbers.len() / length;
    let column = |c: usize| (0..tokens).map(move |t| numbers[t * length + c]);
    let one = |c: usize| match pooling {
        Pooling::Mean => (column(c).map(f64::from).sum::<f64>() / tokens.max(1) as f64) as f32,
        Pooling::First => numbers[c],
        Pooling::Most => column(c).fold(f32::NEG_INFINITY, f32::max),
    };
    (0..length).map(one).collect()
}

/// How a folder of sentence-transformers pools; the mean where it says nothing.
///
/// # Errors
/// [`Error::Setting`](lipex_core::Error::Setting) for a module, a pooling or a comparison that is not known.
fn pooling(files: &Files) -> Result<Pooling> {
    let folder = pooling_folder(files)?;
    if let Some(config) = files.json("config_sentence_transformers.json")?
        && let Some(name) = config.text("similarity_fn_name")?
        && name != "cosine"
    {
        return Err(config.wrong("similarity_fn_name", format!("{name}: codes are compared by their cosine; {OWN}")));
    }
    let Some(config) = files.json(&format!("{folder}/config.json"))? else { return Ok(Pooling::Mean) };
    let mut chosen = Vec::new();
    for (key, pooling) in [
        ("pooling_mode_mean_tokens", Some(Pooling::Mean)),
        // A multiple of the mean, which has the same cosine.
        ("pooling_mode_mean_sqrt_len_tokens", Some(Pooling::Mean)),
        ("pooling_mode_cls_token", Some(Pooling::First)),
        ("pooling_mode_max_tokens", Some(Pooling::Most)),
        ("pooling_mode_weightedmean_tokens", None),
        ("pooling_mode_lasttoken", None),
    ] {
        if config.truth(key)?.unwrap_or(false) {
            chosen.push((key, pooling));
        }
    }
    match chosen.as_slice() {
        [] => Err(config.wrong("pooling_mode_mean_tokens", "no pooling is chosen")),
        [(_, Some(pooling))] => Ok(*pooling),
        [(key, None)] => Err(config.wrong(key, format!("this pooling is not known; {OWN}"))),
        [..] => Err(config.wrong(chosen[1].0, format!("one pooling is taken, not several together; {OWN}"))),
    }
}

/// What to do about an encoder that is another.
const OWN: &str = "run it with a program of your own: --model 'command:PROGRAM ARGS'";

/// The folder of the pooling's settings by `modules.json`, each of whose modules must be known.
fn pooling_folder(files: &Files) -> Result<String> {
    let file = files.at("modules.json");
    if !file.is_file() {
        return Ok("1_Pooling".into());
    }
    let text = crate::files::read(&file)?;
    let modules: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(&text).map_err(|e| wrong(&file, format!("is no list of modules: {e}")))?;
    let mut folder = "1_Pooling".to_string();
    for fields in modules {
        let module = Json { file: file.clone(), fields };
        let kind = module.text("type")?.unwrap_or_default().rsplit('.').next().unwrap_or_default().to_string();
        match kind.as_str() {
            "Transformer" | "Normalize" => {}
            "Pooling" => folder = module.text("path")?.unwrap_or("1_Pooling").to_string(),
            other => return Err(module.wrong("type", format!("the module {other} is not known; {OWN}"))),
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poolings_of_two_tokens() {
        let numbers = [1.0, -2.0, 3.0, 4.0];
        assert_eq!(pool_tokens(&numbers, 2, Pooling::Mean), [2.0, 1.0]);
        assert_eq!(pool_tokens(&numbers, 2, Pooling::First), [1.0, -2.0]);
        assert_eq!(pool_tokens(&numbers, 2, Pooling::Most), [3.0, 4.0]);
    }
}
