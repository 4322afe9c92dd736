//! `lipex compare`.

use crate::options::CompareOptions;
use crate::output::{self, Targets};
use crate::parse::{self, Classes};
use crate::report::render_comparison;
use crate::show;
use crate::staging::Staging;
use lipex::{Comparison, Error, Result, comparison_to_html};

pub fn run(options: &CompareOptions) -> Result<()> {
    if options.top == 0 {
        return Err(Error::setting("top", 0, "at least 1 is listed"));
    }
    if options.first == "-" && options.second == "-" {
        return Err(Error::setting("B.json", "-", "only one of the two can be standard input"));
    }
    let targets = Targets::new([("html", options.html.as_ref())])?;
    let (first, second) = (show::read("A.json", &options.first)?, show::read("B.json", &options.second)?);
    let comparison = Comparison::new(&first, &second)?;
    let classes = classes(options, &comparison)?;
    let names = [&options.first, &options.second].map(|path| name(path));
    let mut staged = Staging::default();
    targets
        .stage(&mut staged, |_| Ok(comparison_to_html(&comparison, [&names[0], &names[1]], &classes)?.into_bytes()))?;
    if !targets.take_standard_output() {
        let names = [names[0].as_str(), names[1].as_str()];
        staged.report(&render_comparison(&comparison, names, (&classes, options.top), output::width()));
    }
    staged.commit()
}

/// A file's name without its folder.
fn name(path: &str) -> String {
    std::path::Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy().into_owned())
}

/// Places in the comparison's classes.
fn classes(options: &CompareOptions, comparison: &Comparison<'_>) -> Result<Vec<usize>> {
    let Some(which) = &options.classes else { return Ok(comparison.predicted()) };
    let [first, _] = comparison.explanations();
    let all = comparison.classes();
    match parse::classes(which, &first.classes)? {
        Classes::Top(n) => Ok((0..all.len().min(n)).collect()),
        Classes::Named(list) => {
            let place = |&c: &usize| {
                let missing = || Error::setting("classes", &first.classes[c], "is a class of the first alone");
                all.iter().position(|class| class[0] == c).ok_or_else(missing)
            };
            list.iter().map(place).collect()
        }
    }
}
