//! Texts as tokens: what a folder says of its tokenizer, and where a long text is cut.
//!
//! # Where a text is cut
//! At the user's number; else at what tokenizer_config.json or config.json allows (for RoBERTa and its relatives two less,
//! which positions take); else nowhere. Special tokens count.

use crate::files::{Files, Json, wrong};
use crate::runtime::guarded;
use crate::text::Token;
use lipex_core::{Error, Result};
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::path::PathBuf;
use tokenizers::{Encoding, Tokenizer, TruncationDirection, TruncationParams};

/// What of a text the model sees.
///
/// ```
/// use lipex_onnx::{OnnxOptions, Seen};
///
/// let model = OnnxOptions::new().max_tokens(4).open_text("../examples/models/emotions")?;
/// let Seen { tokens, cut, .. } = model.seen("so happy until the rain came")?.unwrap();
/// assert!(cut > 0 && tokens - cut == 4);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The bytes from the first token that is kept to the last.
    pub bytes: Range<usize>,
    /// Tokens of the whole text, those that the tokenizer adds included.
    pub tokens: usize,
    /// Tokens that are cut.
    pub cut: usize,
}

/// A tokenizer with what the folder says of it.
pub(crate) struct Tokens {
    /// Its file, for errors.
    pub file: PathBuf,
    /// Cuts at `most`.
    tokenizer: Tokenizer,
    /// Does not cut.
    whole: Tokenizer,
    /// Most tokens of a text; `None` where nobody says.
    pub most: Option<usize>,
    /// The id that rows are padded with.
    pub pad: u32,
    /// What stands for a text without tokens, which no graph takes.
    nothing: Vec<u32>,
}

/// Models whose positions begin after the padding's number, so that two fewer tokens have one.
const POSITIONS_FROM_TWO: [&str; 10] = [
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "longformer",
    "mpnet",
    "ibert",
    "data2vec-text",
    "xmod",
    "roberta-prelayernorm",
];

/// Ids, and the bytes that each stands for.
#[cfg(feature = "gradients")]
type Placed = (Vec<u32>, Vec<Option<Range<usize>>>);

impl Tokens {
    /// The tokenizer of a folder. `fixed` is the number of tokens that the graph's input has, if it is fixed.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is absent or damaged, for a tokenizer that gives no tokens, and for lengths
    /// that contradict each other.
    pub fn open(file: Option<PathBuf>, asked: Option<usize>, files: &Files, fixed: Option<usize>) -> Result<Self> {
        let file = file.unwrap_or_else(|| files.at("tokenizer.json"));
        if !file.is_file() {
            return Err(wrong(&file, "there is no such file with the tokenizer; give --tokenizer FILE"));
        }
        let read = || Tokenizer::from_file(&file).map_err(|e| e.to_string());
        let mut whole = guarded(read).map_err(|e| wrong(&file, format!("is no tokenizer that can be read: {e}")))?;
        let config = files.json("config.json")?;
        let about = files.json("tokenizer_config.json")?;
        let pad = padding(&whole, config.as_ref(), about.as_ref())?;
        let most = longest(asked, config.as_ref(), about.as_ref(), fixed)?;
        // Whatever it says of padding and of cutting is for other uses.
        whole.with_padding(None);
        whole.with_truncation(None).map_err(|e| wrong(&file, e.to_string()))?;
        let mut tokenizer = whole.clone();
        if let Some(most) = most {
            let own = count(&whole, "").map_err(|e| wrong(&file, e))?;
            if most <= own {
                let reason = format!("no room for a text: the tokenizer itself adds {own} tokens");
                return Err(Error::setting("max-tokens", most, reason));
            }
            let cut = TruncationParams { max_length: most, direction: side(about.as_ref())?, ..Default::default() };
            tokenizer.with_truncation(Some(cut)).map_err(|e| wrong(&file, e.to_string()))?;
        }
        let nothing = vec![pad];
        let tokens = Tokens { file, tokenizer, whole, most, pad, nothing };
        tokens.check()?;
        Ok(tokens)
    }

    /// Passes if different words have different tokens.
    fn check(&self) -> Result<()> {
        let (a, b) = (self.ids("the good film")?, self.ids("one bad day in winter")?);
        if a == b {
            return Err(wrong(&self.file, "the tokenizer makes nothing of words: every text has the same tokens"));
        }
        Ok(())
    }

    /// What the tokenizer says, as an error that names its file.
    fn fail(&self, error: impl std::fmt::Display) -> Error {
        Error::model(format!("{}: {error}", self.file.display()))
    }

    /// A text's tokens, cut; never none.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = guarded(|| self.tokenizer.encode_fast(text, true).map_err(|e| e.to_string()));
        let ids = encoding.map_err(|e| self.fail(e))?.get_ids().to_vec();
        Ok(if ids.is_empty() { self.nothing.clone() } else { ids })
    }

    /// The tokens of many texts, on so many threads.
    ///
    /// # Errors
    /// Those of [`ids`](Tokens::ids).
    pub fn all(&self, texts: &[&str], threads: usize) -> Result<Vec<Vec<u32>>> {
        let share = texts.len().div_ceil(threads.max(1)).max(16);
        let parts: Vec<Result<Vec<Vec<u32>>>> = std::thread::scope(|scope| {
            let work = |part: &'_ [&str]| part.iter().map(|text| self.ids(text)).collect();
            let running: Vec<_> = texts.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
            running.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(self.fail("the tokenizer failed")))).collect()
        });
        let mut all = Vec::with_capacity(texts.len());
        for part in parts {
            all.extend(part?);
        }
        Ok(all)
    }

    /// The tokens of two texts together, as the tokenizer joins them, and which text each is of; the longer of the two is cut first.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn pair(&self, first: &str, second: &str) -> Result<Vec<Token>> {
        let encoding = self.encode_pair(&self.tokenizer, first, second)?;
        let token = |(&id, &part): (&u32, &u32)| Token { id, part };
        let tokens: Vec<Token> = encoding.get_ids().iter().zip(encoding.get_type_ids()).map(token).collect();
        Ok(if tokens.is_empty() { vec![Token { id: self.pad, part: 0 }] } else { tokens })
    }

    /// How many tokens of two texts are cut.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn cut_of_pair(&self, first: &str, second: &str) -> Result<usize> {
        let all = self.encode_pair(&self.whole, first, second)?.len();
        Ok(all - self.encode_pair(&self.tokenizer, first, second)?.len())
    }

    fn encode_pair(&self, with: &Tokenizer, first: &str, second: &str) -> Result<Encoding> {
        guarded(|| with.encode((first, second), true).map_err(|e| e.to_string())).map_err(|e| self.fail(e))
    }

    /// The tokens as strings, cut.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn spelt(&self, text: &str) -> Result<Vec<String>> {
        Ok(self.encode(&self.tokenizer, text)?.get_tokens().to_vec())
    }

    /// A text's tokens as [`ids`](Tokens::ids) has them, and the bytes of the text that each stands for; `None` for special
    /// ones.
    ///
    /// # Errors
    /// Those of [`ids`](Tokens::ids).
    #[cfg(feature = "gradients")]
    pub fn placed(&self, text: &str) -> Result<Placed> {
        let encoding = self.encode(&self.tokenizer, text)?;
        if encoding.is_empty() {
            return Ok((self.nothing.clone(), vec![None]));
        }
        let places = encoding.get_offsets().iter().zip(encoding.get_special_tokens_mask());
        let places = places.map(|(&(from, to), special)| (*special == 0).then_some(from..to)).collect();
        Ok((encoding.get_ids().to_vec(), places))
    }

    /// One text, special tokens included.
    fn encode(&self, with: &Tokenizer, text: &str) -> Result<Encoding> {
        guarded(|| with.encode(text, true).map_err(|e| e.to_string())).map_err(|e| self.fail(e))
    }

    /// What of a text is kept; `None` where that is all of it.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn seen(&self, text: &str) -> Result<Option<Seen>> {
        let Some(most) = self.most else { return Ok(None) };
        let tokens = self.encode(&self.whole, text)?.len();
        if tokens <= most {
            return Ok(None);
        }
        let kept = self.encode(&self.tokenizer, text)?;
        let places = kept.get_offsets().iter().zip(kept.get_special_tokens_mask());
        let places: Vec<(usize, usize)> = places.filter(|(_, special)| **special == 0).map(|(p, _)| *p).collect();
        let start = places.iter().map(|p| p.0).min().unwrap_or(0);
        let end = places.iter().map(|p| p.1).max().unwrap_or(0);
        Ok(Some(Seen { bytes: start..end, tokens, cut: tokens - kept.len() }))
    }
}

/// Tokens of a text.
fn count(tokenizer: &Tokenizer, text: &str) -> std::result::Result<usize, String> {
    guarded(|| tokenizer.encode(text, true).map(|e| e.len()).map_err(|e| e.to_string()))
}

/// The number of the token that fills rows up.
fn padding(tokenizer: &Tokenizer, config: Option<&Json>, about: Option<&Json>) -> Result<u32> {
    if let Some(config) = config
        && let Some(id) = config.count("pad_token_id")?
    {
        let id = u32::try_from(id).map_err(|_| config.wrong("pad_token_id", "is no token's number"))?;
        return Ok(id);
    }
    let named = about.and_then(|a| a.get("pad_token")).and_then(|t| t.as_str().or_else(|| t.get("content")?.as_str()));
    if let (Some(name), Some(about)) = (named, about) {
        let absent = || about.wrong("pad_token", format!("{name} is no token of the tokenizer"));
        return tokenizer.token_to_id(name).ok_or_else(absent);
    }
    let own = tokenizer.get_padding().map(|p| p.pad_id);
    let usual = || ["[PAD]", "<pad>"].iter().find_map(|name| tokenizer.token_to_id(name));
    Ok(own.or_else(usual).unwrap_or(0))
}

/// Most tokens of a text.
fn longest(
    asked: Option<usize>,
    config: Option<&Json>,
    about: Option<&Json>,
    fixed: Option<usize>,
) -> Result<Option<usize>> {
    let own = about.map(|a| a.count("model_max_length")).transpose()?.flatten();
    let positions = match config {
        Some(config) => {
            let shift = config.text("model_type")?.is_some_and(|t| POSITIONS_FROM_TWO.contains(&t));
            config.count("max_position_embeddings")?.map(|n| if shift { n.saturating_sub(2) } else { n })
        }
        None => None,
    };
    let can = [positions, fixed].into_iter().flatten().min();
    if let (Some(asked), Some(can)) = (asked, can)
        && asked > can
    {
        return Err(Error::setting("max-tokens", asked, format!("the model has room for {can} tokens")));
    }
    Ok(asked.or([own, can].into_iter().flatten().min()))
}

/// Which end of a long text is cut.
fn side(about: Option<&Json>) -> Result<TruncationDirection> {
    let Some(about) = about else { return Ok(TruncationDirection::Right) };
    match about.text("truncation_side")? {
        None | Some("right") => Ok(TruncationDirection::Right),
        Some("left") => Ok(TruncationDirection::Left),
        Some(other) => Err(about.wrong("truncation_side", format!("must be left or right, not {other}"))),
    }
}

/// Numbers of equal inputs: for each input its place among the distinct ones, and those.
pub(crate) fn distinct<T: Eq + Hash>(all: &[Vec<T>]) -> (Vec<usize>, Vec<&[T]>) {
    let (mut seen, mut first) = (HashMap::new(), Vec::new());
    let of = all.iter().map(|ids| {
        *seen.entry(ids.as_slice()).or_insert_with(|| {
            first.push(ids.as_slice());
            first.len() - 1
        })
    });
    (of.collect(), first)
}
