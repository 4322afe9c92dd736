//! `lipex match`.

use crate::model::{hint, no_onnx, onnx, onnx_options};
use crate::options::{MatchOptions, ModelOptions};
use crate::output::{self, Targets};
use crate::report::{Matched, render_match};
use crate::staging::Staging;
use crate::{explain, parse, program, progress};
use lipex::{
    CommandModel, Cpu, Error, InteractionLime, Match, OnnxCross, OnnxEncoder, OnnxPairs, PairAnswers, Result, Settings,
    TextInstance, TwoPart, match_to_html, match_to_json,
};

/// A model of two texts.
enum PairModel {
    Encoder(Box<OnnxEncoder>),
    Cross(Box<OnnxCross>),
    Program(Box<CommandModel>, PairAnswers),
}

type TwoTexts = TwoPart<TextInstance, TextInstance>;

pub fn run(options: &MatchOptions) -> Result<()> {
    if options.top == 0 {
        return Err(Error::setting("top", 0, "at least 1 is listed"));
    }
    if options.first == "-" && options.second == "-" {
        return Err(Error::setting("TEXT_B", "-", "only one of the two can be standard input"));
    }
    let targets = Targets::new([("html", options.html.as_ref()), ("json", options.json.as_ref())])?;
    let settings = options.settings.settings()?;
    let lime = lime(options)?;
    let model = PairModel::open(&options.model, explain::threads(&settings))?;
    model.refuse(options)?;
    let (first, told_first) = text(&settings, &model, "TEXT_A", &options.first)?;
    let (second, told_second) = text(&settings, &model, "TEXT_B", &options.second)?;
    let both = TwoPart::new(first, second);
    let found = model.explain(&lime, &both)?;
    let class = class(options, &found)?;
    let texts = [both.first.text(), both.second.text()];
    let mut staged = Staging::default();
    targets.stage(&mut staged, |option| match option {
        "html" => Ok(match_to_html(&found, texts, class)?.into_bytes()),
        _ => Ok(match_to_json(&found, Some(texts), class)?.into_bytes()),
    })?;
    if !targets.take_standard_output() {
        let told = told_first + &told_second + &model.cut(&both)?;
        let names = [found.names(0), found.names(1)];
        let matched = Matched { found: &found, names, class, top: options.top, told };
        staged.report(&render_match(&matched, output::width())?);
    }
    staged.commit()
}

/// The class that is explained.
fn class(options: &MatchOptions, found: &Match) -> Result<usize> {
    match &options.class {
        // A probability of a match is about the match, however unlikely.
        None if options.scale.is_some() => Ok(0),
        None => Ok(found.predicted()),
        Some(_) if found.classes.is_empty() => {
            Err(Error::setting("class", "a name", "the model gives one number and no classes; leave it out"))
        }
        Some(name) => parse::class("class", name, &found.classes),
    }
}

fn lime(options: &MatchOptions) -> Result<InteractionLime> {
    let mut lime = InteractionLime::default().seed(options.seed.unwrap_or(0));
    if let Some(encodings) = options.encodings {
        lime = lime.encodings(encodings)?;
    }
    if let Some(samples) = options.samples {
        lime = lime.samples(samples)?;
    }
    if let Some(size) = options.settings.get("batch-size") {
        let size = size.parse().map_err(|_| Error::setting("batch-size", size, "a whole number"))?;
        lime = lime.batch_size(size)?;
    }
    if let Some(scale) = options.scale {
        lime = lime.match_probability(scale, options.shift.unwrap_or(0.0))?;
    }
    Ok(lime)
}

/// A text, and what the report says of words that a model does not see.
fn text(settings: &Settings, model: &PairModel, name: &str, given: &str) -> Result<(TextInstance, String)> {
    let text = if given == "-" { output::read(name, "-")? } else { given.to_string() };
    let empty = |e: Error| match e {
        Error::Instance(reason) => Error::Instance(format!("{name}: {reason}")),
        other => other,
    };
    let PairModel::Encoder(encoder) = model else {
        return Ok((settings.text(text)?.build().map_err(empty)?, String::new()));
    };
    let seen = encoder.seen(&text)?;
    let mut builder = settings.text(text)?;
    let mut told = String::new();
    if let Some(seen) = seen {
        let kept = seen.tokens - seen.cut;
        told =
            format!("\nOf {name} the model sees {kept} of {} tokens; words in the rest are left out.\n", seen.tokens);
        builder = builder.seen(seen.bytes);
    }
    Ok((builder.build().map_err(empty)?, told))
}

impl PairModel {
    fn open(options: &ModelOptions, threads: Option<usize>) -> Result<Self> {
        const GIVE: &str = "give --model onnx:FOLDER (a dual encoder or a cross-encoder), or 'command:PROGRAM ARGS', a program for \
                            pairs (docs/command-protocol.md)";
        if options.answers.is_some() {
            return Err(Error::setting("answers", "a file", "answers about two texts are not kept; leave it out"));
        }
        let Some(value) = options.model.as_deref() else {
            return Err(Error::Instance(format!("no model: {GIVE}; there is no embedded one for two texts")));
        };
        if let Some(path) = onnx(value) {
            program::timeout(options)?;
            return Ok(match onnx_options(options, threads)?.open_pairs(path)? {
                OnnxPairs::Encoder(model) => PairModel::Encoder(model),
                OnnxPairs::Cross(model) => PairModel::Cross(model),
            });
        }
        no_onnx(options, value)?;
        let Some(program) = program::started(value, options)? else {
            return Err(Error::setting("model", value, format!("is no model of two texts; {GIVE}{}", hint(value))));
        };
        match program.pairs() {
            Some(answers) => Ok(PairModel::Program(Box::new(program), answers)),
            None => {
                let reason = "the program is not for two texts; for them its first line must have \"pairs\": true or \
                              \"embeddings\": true";
                Err(Error::setting("model", value, reason))
            }
        }
    }

    /// Whether each text is encoded alone.
    fn is_dual(&self) -> bool {
        matches!(self, PairModel::Encoder(_) | PairModel::Program(_, PairAnswers::Embeddings))
    }

    /// Refuses options of models of the other kind.
    fn refuse(&self, options: &MatchOptions) -> Result<()> {
        const ALONE: &str = "is for models that read both texts at once; this one encodes each alone: --encodings";
        const BOTH: &str = "is for dual encoders; this model reads both texts at once: --samples";
        match self.is_dual() {
            true => parse::refuse([("samples", options.samples.is_some())], ALONE),
            false => parse::refuse([("encodings", options.encodings.is_some())], BOTH),
        }
    }

    fn explain(&self, lime: &InteractionLime, both: &TwoTexts) -> Result<Match> {
        let on = progress::on(Cpu::new());
        match self {
            PairModel::Encoder(model) => lime.explain_towers(&on, both, model.as_ref()),
            PairModel::Cross(model) if model.is_score() => lime.explain_scores(&on, both, model.as_ref()),
            PairModel::Cross(model) => lime.explain_classes(&on, both, model.as_ref()),
            PairModel::Program(model, PairAnswers::Embeddings) => lime.explain_towers(&on, both, model.as_ref()),
            PairModel::Program(model, PairAnswers::Similarities) => lime.explain_scores(&on, both, model.as_ref()),
            PairModel::Program(model, PairAnswers::Classes) => lime.explain_classes(&on, both, model.as_ref()),
        }
    }

    /// What the report says of two texts that are too long together.
    fn cut(&self, both: &TwoTexts) -> Result<String> {
        let PairModel::Cross(model) = self else { return Ok(String::new()) };
        Ok(match model.cut(both.first.text(), both.second.text())? {
            0 => String::new(),
            cut => format!(
                "\nThe two texts are too long together: {cut} of their tokens are cut, from the longer first.\n"
            ),
        })
    }
}
