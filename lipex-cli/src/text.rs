//! `lipex text`.

use crate::against::{self, Against};
use crate::backend;
use crate::explain::{Asked, Explained, explain, settings, threads, unknown_backend};
use crate::model::TextModel;
use crate::options::{TextOptions, View, WordOptions};
use crate::output;
use crate::staging::Staging;
use crate::words::Words;
use crate::{files, report};
use lipex::{
    AnyExplainer, Cuda, DemoModel, Domain, Error, Explainer, Instance, Result, Seen, Settings, Split, TextInstance,
    Texts, lipex_cuda, npy,
};

pub fn run(options: &TextOptions) -> Result<()> {
    let targets = files::targets(&options.save)?;
    let settings = settings(&options.settings, &options.view)?;
    let model = TextModel::open(&options.model, threads(&settings))?;
    let given = Given { text: options.text.as_deref(), file: options.file.as_deref(), words: &options.words };
    let (text, told) = given.instance(&settings, &model)?;
    let (view, against) = targeted(options, &text, &model)?;
    let asked = Asked { flip_to: options.flip_to.as_deref(), view: &view };
    let explainer = settings.explainer(settings.device(), Domain::Text)?;
    backend::tell(settings.device(), &explainer);
    let (explanation, around, view) = match explainer {
        AnyExplainer::Cpu(explainer) => explain::<_, Texts>(&explainer, &text, &model, &asked)?,
        AnyExplainer::Cuda(explainer) => {
            let (explanation, around, view) = on_device(&explainer, text, &model, &asked)?;
            backend::report_traffic(explainer.backend());
            (explanation, lipex_cuda::to_host(explainer.backend(), &around)?, view)
        }
        _ => unknown_backend()?,
    };
    let others = |option: &str| (option == "save-neighbourhood").then(|| npy::neighbourhood_to_npz(&around));
    files::finish(Staging::default(), &targets, &explanation, &view, others, &(told + &against))
}

/// The demo classifier answers on the device if the text is one for it there; any other model answers on the host.
fn on_device(
    explainer: &Explainer<Cuda>,
    text: TextInstance,
    model: &TextModel,
    asked: &Asked<'_>,
) -> Result<Explained<Cuda>> {
    if model.is_demo()
        && let Ok(tokens) = text.clone().with_tokens(lipex::word_hashes)
    {
        let demo = DemoModel::embedded().on_device(explainer.backend())?;
        return explain(explainer, &tokens, &demo, asked);
    }
    explain::<_, Texts>(explainer, &text, model, asked)
}

/// What of the explanation is shown, and what the report says of the text without its words, where a class is explained against
/// another.
fn targeted(options: &TextOptions, text: &TextInstance, model: &TextModel) -> Result<(View, String)> {
    let Some(name) = &options.against else { return Ok((options.view.clone(), String::new())) };
    let ask = |text: String| against::answer::<Texts>(model, &Texts::from(vec![text]));
    let (labels, p) = ask(text.without(&[])?)?;
    let asked = Against::read(name, &labels, &p)?;
    let all: Vec<usize> = (0..text.features().len()).collect();
    let empty = ask(text.without(&all)?)?.1;
    let told = asked.told(&labels, "of the text without its words", &empty, None);
    Ok((asked.view(&options.view, &labels)?, told))
}

/// A text and its words as the options give them.
pub struct Given<'a> {
    pub text: Option<&'a str>,
    pub file: Option<&'a str>,
    pub words: &'a WordOptions,
}

impl Given<'_> {
    /// The text, and what the report says of words that are left out, or were to be and are not there.
    pub fn instance(&self, settings: &Settings, model: &TextModel) -> Result<(TextInstance, String)> {
        let text = match (self.text, self.file) {
            (Some("-"), _) => output::read("TEXT", "-")?,
            (Some(text), _) => text.to_string(),
            (None, Some(file)) => output::read("file", file)?,
            (None, None) => {
                return Err(Error::Instance(
                    "no text: give it in quotes, with --file F, or - for standard input".into(),
                ));
            }
        };
        let (text, seen) = Words::read(self.words, settings)?.instance(text, model)?;
        let cut = seen.map_or_else(String::new, |seen| cut(&seen, text.unseen()));
        let told = cut + &unmatched(text.unmatched(), &settings.split()?);
        Ok((text, told))
    }
}

/// Most words of one kind that the report names.
const MOST_NAMED: usize = 8;

fn named<'a>(words: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = words.len().saturating_sub(MOST_NAMED);
    let named = words.take(MOST_NAMED).map(|word| report::printable(word)).collect::<Vec<_>>().join(" ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// What the report says of words to ignore that the text does not have.
fn unmatched(words: &[String], split: &Split) -> String {
    let (possible, never): (Vec<_>, Vec<_>) = words.iter().partition(|word| split.is_word(word));
    let told = |words: Vec<&String>, what: String| match words.is_empty() {
        true => String::new(),
        false => format!("\n{what}: {}.\n", named(words.into_iter())),
    };
    told(possible, "Words to ignore that are not in the text".into())
        + &told(never, format!("Entries of --ignore-words that are no word under --split {split} and match nothing"))
}

/// What the report says of a text that is too long for the model.
fn cut(seen: &Seen, words: &[String]) -> String {
    let named = named(words.iter());
    let (kept, tokens) = (seen.tokens - seen.cut, seen.tokens);
    let left_out = match words.len() {
        0 => "no word is left out".to_string(),
        n => format!("{n} words are left out of the explanation: {named}"),
    };
    format!("\nThe model sees {kept} of the text's {tokens} tokens, {} are cut; {left_out}.\n", seen.cut)
}
