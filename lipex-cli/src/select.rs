//! `lipex select`: a selection alone.

use crate::arrays::{Arrays, FileOptions, StageOptions, median_ms};
use crate::named::{Named, OfSelecting};
use crate::options::EXIT_CODES;
use clap::Args;
use lipex::{Cpu, Domain, Result, Selection, to_json_lines};
use serde::Serialize;
use std::time::Instant;

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_negative_numbers = true)]
pub struct SelectOptions {
    #[command(flatten)]
    pub files: FileOptions,
    #[command(flatten)]
    pub settings: Named<OfSelecting>,
    #[command(flatten)]
    pub stage: StageOptions,
}

/// What is written; docs/stages.md documents every key.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    per_class: &'a [Vec<usize>],
    kept: &'a [usize],
    timings_ms: Times,
}

#[derive(Serialize)]
struct Times {
    weigh: f64,
    select: f64,
}

pub fn run(options: &SelectOptions) -> Result<()> {
    let target = options.stage.target()?;
    let settings = options.settings.settings()?;
    let on = Cpu::with_threads(settings.threads())?;
    let selector = settings.selector::<Cpu>(Domain::Text)?;
    let arrays = Arrays::read(&options.files)?;
    let around = [arrays.neighbourhood(&on)?];
    let (mut weighing, mut selecting) = (Vec::new(), Vec::new());
    let mut selection = Selection::default();
    for _ in 0..options.stage.repeat {
        let start = Instant::now();
        arrays.weigh(&on, &around[0].masks)?;
        let weighed = start.elapsed();
        selection = selector.select(&on, &around)?.remove(0);
        weighing.push(weighed);
        selecting.push(start.elapsed() - weighed);
    }
    let document = Document {
        schema: "lipex.selection/1",
        per_class: &selection.per_class,
        kept: &selection.kept,
        timings_ms: Times { weigh: median_ms(weighing), select: median_ms(selecting) },
    };
    target.write("json", to_json_lines(&document)?.into_bytes())
}
