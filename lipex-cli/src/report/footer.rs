//! How far to trust it and how it was made: fidelity, settings, calls, times.

use super::layout::{Page, printable};
use super::nouns;
use lipex::{Agreement, Calls, Departure, Explanation, Setting, Start};

pub fn print(page: &mut Page, e: &Explanation) {
    fidelity(page, e);
    settings(page, e);
    page.gap();
    let calls = &e.calls;
    let inputs = nouns(e).inputs;
    page.paragraph(&if calls.complete {
        format!("All {} masks: no sampling error; {} distinct {inputs} sent to the model.", calls.masks, calls.inputs)
    } else {
        let Calls { masks, inputs: distinct, .. } = calls;
        format!("{masks} masks, {distinct} distinct {inputs} sent to the model, seed {}.", e.seed)
    });
    if calls.requeried > 0 {
        let (count, what) = (calls.requeried, if calls.requeried == 1 { "more was" } else { "more were" });
        page.paragraph(&format!("{count} {what} sent for the tree's leaves, those of refits included."));
    }
    let t = &e.timings_ms;
    let stages = [
        ("perturb", t.perturb),
        ("render", t.render),
        ("predict", t.predict),
        ("weigh", t.weigh),
        ("select", t.select),
        ("fit", t.fit),
        ("evaluate", t.evaluate),
        ("uncertainty", t.uncertainty),
    ];
    // Error bars are a stage where there are any.
    let made = stages.iter().filter(|(name, _)| *name != "uncertainty" || e.uncertainty.is_some());
    let stages: Vec<String> = made.map(|(name, ms)| format!("{name}\u{a0}{ms:.1}")).collect();
    page.paragraph(&format!("Milliseconds: {}.", stages.join(", ")));
}

/// Out of fold first: it is the one that the fit has not seen.
fn fidelity(page: &mut Page, e: &Explanation) {
    let Some(f) = &e.fidelity else { return fit(page, e) };
    page.gap();
    page.heading(&format!("{:<16} {:>5} {:>5} {:>5} {:>5}", "Fidelity", "TV", "H²", "KL", "same"));
    let mut row = |name: &str, a: &Agreement| {
        let same = format!("{:.0}%", 100.0 * a.arg_max);
        // A row that sums to a hair less than 1 may have a divergence a hair below 0.
        let [tv, hellinger, kl] = [a.tv, a.hellinger, a.kl].map(|v| if v.abs() < 5e-4 { 0.0 } else { v });
        page.line(&format!("{name:<16} {tv:>5.3} {hellinger:>5.3} {kl:>5.3} {same:>5}"));
    };
    if let Some(unseen) = &f.out_of_fold {
        row("unseen masks", unseen);
    }
    if let Some(near) = &f.near {
        row("near, unseen", near);
    }
    row(&format!("at the {}", nouns(e).instance), &f.at_instance);
    row("masks of the fit", &f.in_sample);
    let outside = f.in_sample.off_simplex;
    if outside > 0.0 {
        page.note(&format!("{:.0}% of the surrogate's answers leave 0 to 1.", 100.0 * outside));
    }
    fit(page, e);
}

/// What is to be said of how the fit went.
fn fit(page: &mut Page, e: &Explanation) {
    let Some(fit) = &e.fit else { return };
    let auto = |s: &Setting| s.name == "lambda" && s.value == "auto";
    if e.settings.iter().any(auto) {
        page.note(&format!("λ = {}, chosen on masks held out of refits.", fit.lambda));
    }
    let two = |s: &Setting| s.name == "starts" && s.value == "2";
    if e.settings.iter().any(two) {
        let won = if fit.start == Start::Kl { "the solution under kl led lower" } else { "its own start led lower" };
        page.note(&format!("The fit was tried from two starts: {won}."));
    }
    if let Some(both) = fit.intercept {
        let better = if both.fitted < both.anchored { "fitted" } else { "anchored" };
        page.note(&format!(
            "The model all but rules a class out of the whole. On masks held out an anchored intercept is {:.4} off, a fitted \
             one {:.4}: it is {better}.",
            both.anchored, both.fitted
        ));
    }
}

fn settings(page: &mut Page, e: &Explanation) {
    page.gap();
    if e.departures.is_empty() {
        page.paragraph(&format!("Preset {}, which is the paper's; nothing departs from it.", printable(&e.preset)));
        return;
    }
    page.paragraph(&format!(
        "Preset {}. Departures from the paper, or from the preset where said:",
        printable(&e.preset)
    ));
    let spell = |value: &str| if value.is_empty() { "–".to_string() } else { printable(value) };
    for Departure { name, value, preset, paper } in &e.departures {
        let mut line = format!("\u{a0}\u{a0}{} = {} (paper: {}", printable(name), spell(value), spell(paper));
        if preset != value {
            line += &format!("; preset: {}", spell(preset));
        }
        page.paragraph(&format!("{line})"));
    }
}
