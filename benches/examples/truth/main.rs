//! How true is a surrogate at the instance, near it, and on masks that it has not seen: with and without anchoring, pairs and
//! a penalty by class, and, for photos, under which law of masks?
//!
//! ```text
//! cargo run --release -p lipex-benches --example truth -- texts FOLDER TEXTS FIRST STEP COUNT [MAX_TOKENS]
//! cargo run --release -p lipex-benches --example truth -- defaults FOLDER TEXTS FIRST STEP COUNT [MAX_TOKENS]
//! cargo run --release -p lipex-benches --example truth -- photos FOLDER PHOTOS FIRST COUNT
//! ```
//!
//! FOLDER holds an ONNX classifier. TEXTS has lines `text;label` or JSON lines with a `text`: lines FIRST, FIRST + STEP, … are
//! taken, COUNT of them. PHOTOS is a folder of JPEG files; COUNT from number FIRST are
//! taken, cut into grids of 6×6; classes are the ten likeliest and the rest. Fits see the first N masks; masks that no fit has seen judge them: of a text 500 of the law
//! it was fitted on, of a photo 150 that keep a half and 150 that keep .8. `defaults` compares what the preset may set by default,
//! at its number of masks alone: flips need hundreds of texts.
//!
//! * **at x**: total variation between model and surrogate for the whole input.
//! * **unseen**: the same on the masks apart, of texts weighted by proximity.
//! * **near**: the same on those that keep more than .8 of the words, or on the photo's .8 masks, each alike.
//! * **said**: the out-of-fold total variation that the explanation itself reports.
//! * **flips**: the share whose predicted class changes when the first 1 … 5 of a ranking are removed.
//!
//! * **said**, of the last tables: how often each verdict was given, and with which share the surrogate was within .08 of the
//!   model on unseen masks; and the same for every threshold of the out-of-fold total variation.
//!
//! Differences are from the first row of the same N, with the 95 % interval of a bootstrap over inputs. The tables are in
//! docs/anchoring-and-pairs.md.

mod judge;
mod subjects;
mod table;
mod ways;

use judge::Judged;
use lipex::{Cpu, Explainer, Groups, OnnxOptions, Render, Result};
use lipex_experiment::{Pick, Shared};
use subjects::Subject;
use ways::Way;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [what @ ("texts" | "defaults"), folder, file, first, step, count, rest @ ..] => {
            let mut options = OnnxOptions::new();
            if let Some(most) = rest.first() {
                options = options.max_tokens(number(most));
            }
            let model = options.open_text(folder)?;
            let texts = subjects::texts(file, number(first), number(step), number(count))?;
            let ways = if *what == "texts" { ways::of_texts() } else { ways::of_defaults() };
            run(&texts, &ways, &Shared::new(&model), Explainer::lipex(Cpu::new()))
        }
        ["photos", folder, photos, first, count] => {
            let model = OnnxOptions::new().open_image(folder)?;
            let photos = subjects::photos(photos, number(first), number(count))?;
            run(
                &photos,
                &ways::of_photos(),
                &Shared::new(&model),
                Explainer::lipex(Cpu::new()).images().groups(Groups::Top(10)),
            )
        }
        _ => panic!("texts FOLDER TEXTS FIRST STEP COUNT [MAX_TOKENS] or photos FOLDER PHOTOS FIRST COUNT"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn run<S, Batch>(subjects: &[S], ways: &[Way], model: &Shared<'_, Batch>, base: Explainer<Cpu>) -> Result<()>
where
    S: Subject<Batch>,
    S::Instance: Render<Cpu, Batch>,
    Batch: Pick,
{
    let mut judged: Vec<Vec<Judged>> = vec![Vec::new(); ways.len()];
    for subject in subjects {
        let fresh = subject.fresh(&base, model)?;
        for (way, judged) in ways.iter().zip(&mut judged) {
            judged.push(judge::judge(&way.explainer(base.clone()), subject.instance(), &fresh, model)?);
        }
        model.forget();
    }
    println!("{} inputs, {} distinct questions", subjects.len(), model.asked());
    let names: Vec<(usize, &str)> = ways.iter().map(|way| (way.samples, way.name.as_str())).collect();
    table::print(&names, &judged);
    table::print_verdicts(&names, &judged);
    Ok(())
}
