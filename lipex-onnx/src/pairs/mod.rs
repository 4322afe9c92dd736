//! Models of two texts in ONNX folders: dual encoders and cross-encoders.

mod cross;
mod encoder;

pub use cross::OnnxCross;
pub use encoder::OnnxEncoder;

use crate::files::Files;
use crate::graph::Graph;
use crate::options::OnnxOptions;
use lipex_core::Result;
use std::path::Path;

/// Outputs of an encoder by the names that exports give them, those that are taken first before the others.
const CODES: [&str; 5] = ["sentence_embedding", "last_hidden_state", "token_embeddings", "embeddings", "hidden_states"];

/// A folder's model of two texts.
///
/// ```no_run
/// use lipex_onnx::{OnnxOptions, OnnxPairs};
///
/// match OnnxOptions::new().open_pairs("all-minilm-l6-v2")? {
///     OnnxPairs::Encoder(model) => println!("encodes each text alone: {model:?}"),
///     OnnxPairs::Cross(model) => println!("reads both at once: {model:?}"),
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Debug)]
pub enum OnnxPairs {
    /// Encodes each text alone; codes are compared by their cosine.
    Encoder(Box<OnnxEncoder>),
    /// Takes both texts as one input.
    Cross(Box<OnnxCross>),
}

impl OnnxPairs {
    /// An encoder where the folder is one of sentence-transformers (`modules.json`), or the output that is taken has an encoder's
    /// name; else a cross-encoder.
    pub(crate) fn with_options(path: &Path, options: OnnxOptions) -> Result<Self> {
        let files = Files::find(path)?;
        let outputs = Graph::outputs_of(&files.model)?;
        let has = |name: &str| outputs.iter().any(|output| output == name);
        let codes = match &options.output {
            Some(asked) => CODES.contains(&asked.as_str()).then(|| asked.clone()),
            None if has("logits") => None,
            None => CODES.into_iter().find(|name| has(name)).map(String::from),
        };
        let sentences = files.at("modules.json").is_file();
        match codes
            .or_else(|| if sentences { options.output.clone().or_else(|| outputs.first().cloned()) } else { None })
        {
            Some(output) => OnnxEncoder::open(files, options.output(output)).map(|m| OnnxPairs::Encoder(Box::new(m))),
            None => OnnxCross::open(files, options).map(|m| OnnxPairs::Cross(Box::new(m))),
        }
    }
}
