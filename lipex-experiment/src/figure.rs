//! Figures of an experiment: plain SVG 1.1, curves by k or by angle, bars with intervals, histograms.
//!
//! Lines differ by colour, dash and mark, so that they are read in black and white; colours are those of Okabe and Ito.

use crate::experiment::{Experiment, Line};
use crate::page::escape;
use crate::summary::Summary;
use std::fmt::Write as _;

const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00", "#767676"];
const DASHES: [&str; 4] = ["", "6 3", "2 3", "9 3 2 3"];
const FAMILY: &str = "Helvetica, Arial, sans-serif";
const INK: &str = "#222222";
/// The plot's box.
const LEFT: f64 = 56.0;
const TOP: f64 = 34.0;
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 220.0;
/// Bins of a histogram.
const BINS: usize = 20;

/// A figure's name and its SVG, for each figure of an experiment.
///
/// ```
/// use lipex_experiment::{Experiment, Line, Summary, figures};
///
/// let line = |method: &str, k: usize| Line {
///     row: 0,
///     round: 0,
///     method: method.into(),
///     measures: (1..=k).map(|i| (format!("flips_{i}"), i as f64 / 5.0)).collect(),
/// };
/// let lines = [line("lipex", 5), line("lime", 5)];
/// let drawn = figures(Experiment::Ablation, &Summary::of(Experiment::Ablation, &lines), &lines);
/// assert_eq!(drawn[0].0, "flips");
/// assert!(drawn[0].1.starts_with("<svg") && drawn[0].1.contains("lime"));
/// ```
pub fn figures(experiment: Experiment, summary: &Summary, lines: &[Line]) -> Vec<(String, String)> {
    let has = |measure: &str| summary.measures.iter().any(|m| m == measure);
    let draw = |figure: &Figure| match *figure {
        Figure::Curves(name, prefix, title, across) => {
            let series = Series::of(summary, prefix);
            (!series.is_empty()).then(|| (name.to_string(), draw_curves(&series, title, across)))
        }
        Figure::Bars(measure, title) => has(measure).then(|| (measure.into(), draw_bars(summary, measure, title))),
        Figure::Histogram(measure, title) => {
            has(measure).then(|| (measure.into(), draw_histograms(summary, lines, measure, title)))
        }
    };
    of_experiment(experiment).iter().filter_map(draw).collect()
}

/// What a figure shows of which measure, and its title.
enum Figure {
    /// Its name, what its measures' names begin with, its title, and what is across.
    Curves(&'static str, &'static str, &'static str, &'static str),
    Bars(&'static str, &'static str),
    Histogram(&'static str, &'static str),
}

fn of_experiment(experiment: Experiment) -> &'static [Figure] {
    use Figure::{Bars, Curves, Histogram};
    match experiment {
        Experiment::Fidelity => &[
            Histogram("at_instance", "Total variation at the instance"),
            Histogram("unseen", "Total variation on masks that no fit has seen"),
            Bars("near", "Total variation near the instance"),
        ],
        Experiment::Distortion => &[
            Curves("model", "model_unseen_", "The model against its distorted versions, on unseen masks", "noise"),
            Curves("surrogate", "surrogate_unseen_", "The surrogates of both, on unseen masks", "noise"),
            Curves("right", "right_", "Inputs that are classified right", "noise"),
        ],
        Experiment::Ablation => &[
            Curves("flips", "flips_", "Inputs whose class changes", "features removed, by rank"),
            Curves("greedy", "greedy_", "Inputs whose class changes", "features removed, greedy set"),
            Bars("comprehensiveness", "Probability lost without the first 1 to 5"),
            Bars("sufficiency", "Probability lost with nothing but the first 1 to 5"),
        ],
        Experiment::Reprediction => &[
            Curves("same", "same_", "Surrogate and model agree on the class", "features removed, by rank"),
            Curves("tv", "tv_", "Total variation", "features removed, by rank"),
        ],
        Experiment::Stability => &[
            Curves("own", "own_", "Overlap with the method's own first five", "masks within an angle"),
            Curves("second", "second_", "Overlap with the second method's first five", "masks within an angle"),
        ],
        Experiment::Classes => &[Bars("overlap", "Overlap of the first five of the two likeliest classes")],
        Experiment::Time => &[
            Bars("broken", "Sets of three that an independent large run breaks"),
            Bars("calls", "Inputs that the model was asked"),
        ],
    }
}

/// Values of one method along an axis.
struct Series {
    method: String,
    /// What is across, the mean, and its interval.
    points: Vec<(String, f64, f64, f64)>,
}

impl Series {
    /// The measures that start so, in the order of their names.
    fn of(summary: &Summary, prefix: &str) -> Vec<Series> {
        let of = |method: &String| {
            let point = |measure: &String| {
                let across = measure.strip_prefix(prefix)?;
                let e = summary.entry(method, measure)?;
                let across = across.trim_start_matches('0').replace("pi", "π");
                Some((across, e.mean, e.low, e.high))
            };
            Series { method: method.clone(), points: summary.measures.iter().filter_map(point).collect() }
        };
        summary.methods.iter().map(of).filter(|series| !series.points.is_empty()).collect()
    }
}

/// An SVG with its title; `height` is that of all of it.
fn start(title: &str, width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FAMILY}\" font-size=\"12\" fill=\"{INK}\">\n<title>{0}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{0}</text>\n",
        escape(title)
    )
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, what: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escape(what));
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
        from.0, from.1, to.0, to.1
    );
}

/// A round number that is at least so large, for the end of an axis.
fn ceiling(largest: f64) -> f64 {
    if largest <= 0.0 {
        return 1.0;
    }
    let unit = 10f64.powf(largest.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|step| step * unit)
        .into_iter()
        .find(|end| *end >= largest * 0.999)
        .unwrap_or(largest)
}

/// Numbers up an axis, and lines across.
fn axis(out: &mut String, top: f64, height: f64, end: f64) {
    for step in 0..=4 {
        let (value, y) = (end * f64::from(step) / 4.0, top + height * (1.0 - f64::from(step) / 4.0));
        line(out, (LEFT, y), (LEFT + WIDTH, y), if step == 0 { INK } else { "#dddddd" }, 1.0);
        let told = format!("{value:.4}");
        let told = told.trim_end_matches('0').trim_end_matches('.');
        text(out, LEFT - 6.0, y + 4.0, "end", told);
    }
}

fn draw_curves(series: &[Series], title: &str, across: &str) -> String {
    let height = TOP + HEIGHT + 46.0 + 18.0 * series.len() as f64;
    let mut out = start(title, LEFT + WIDTH + 24.0, height);
    let points = || series.iter().flat_map(|s| &s.points);
    let end = ceiling(points().map(|p| p.3.max(p.1)).fold(0.0, f64::max));
    axis(&mut out, TOP, HEIGHT, end);
    let longest = series.iter().map(|s| s.points.len()).max().unwrap_or(1);
    let x = |i: usize| LEFT + WIDTH * (i as f64 + 0.5) / longest as f64;
    let y = |value: f64| TOP + HEIGHT * (1.0 - value / end);
    if let Some(names) = series.iter().find(|s| s.points.len() == longest) {
        names.points.iter().enumerate().for_each(|(i, p)| text(&mut out, x(i), TOP + HEIGHT + 16.0, "middle", &p.0));
    }
    text(&mut out, LEFT + WIDTH / 2.0, TOP + HEIGHT + 33.0, "middle", across);
    for (place, s) in series.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        // Side by side, so that intervals do not hide one another.
        let shift = (place as f64 - (series.len() as f64 - 1.0) / 2.0) * 5.0;
        let path: Vec<String> =
            s.points.iter().enumerate().map(|(i, p)| format!("{:.1},{:.1}", x(i) + shift, y(p.1))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" stroke-dasharray=\"{}\"/>",
            path.join(" "),
            DASHES[place % DASHES.len()]
        );
        for (i, p) in s.points.iter().enumerate() {
            line(&mut out, (x(i) + shift, y(p.2)), (x(i) + shift, y(p.3)), colour, 1.0);
            mark(&mut out, place, x(i) + shift, y(p.1));
        }
        legend(&mut out, place, &s.method);
    }
    out + "</svg>\n"
}

/// A line of the legend below a plot.
fn legend(out: &mut String, place: usize, method: &str) {
    let at = TOP + HEIGHT + 52.0 + 18.0 * place as f64;
    line(out, (LEFT, at - 4.0), (LEFT + 26.0, at - 4.0), COLOURS[place % COLOURS.len()], 1.6);
    mark(out, place, LEFT + 13.0, at - 4.0);
    text(out, LEFT + 34.0, at, "start", method);
}

/// A mark of the method's own.
fn mark(out: &mut String, place: usize, x: f64, y: f64) {
    let colour = COLOURS[place % COLOURS.len()];
    let _ = match place % 3 {
        0 => writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"),
        1 => writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\" fill=\"{colour}\"/>",
            x - 3.0,
            y - 3.0
        ),
        _ => writeln!(out, "<path d=\"M{x:.1} {:.1}l3.5 6h-7z\" fill=\"{colour}\"/>", y - 3.5),
    };
}

fn draw_bars(summary: &Summary, measure: &str, title: &str) -> String {
    let found: Vec<_> = summary.methods.iter().filter_map(|m| summary.entry(m, measure)).collect();
    let end = ceiling(found.iter().map(|e| e.high.max(e.mean)).fold(0.0, f64::max));
    let lowest = found.iter().map(|e| e.low.min(e.mean)).fold(0.0, f64::min);
    let start_at = if lowest < 0.0 { -ceiling(-lowest) } else { 0.0 };
    let names = found.iter().map(|e| e.method.chars().count()).max().unwrap_or(0) as f64 * 6.6 + 16.0;
    let left = LEFT.max(names);
    let height = TOP + 30.0 * found.len() as f64 + 30.0;
    let mut out = start(title, left + WIDTH + 60.0, height);
    for (place, e) in found.iter().enumerate() {
        let y = TOP + 30.0 * place as f64 + 6.0;
        text(&mut out, left - 8.0, y + 13.0, "end", &e.method);
        let x = |value: f64| left + WIDTH * (value - start_at) / (end - start_at);
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"18\" fill=\"#56b4e9\"/>",
            x(e.mean.min(0.0)),
            x(e.mean.max(0.0)) - x(e.mean.min(0.0))
        );
        line(&mut out, (x(e.low), y + 9.0), (x(e.high), y + 9.0), INK, 1.2);
        let told = if e.mean.abs() >= 100.0 { format!("{:.0}", e.mean) } else { format!("{:.3}", e.mean) };
        text(&mut out, x(e.high) + 6.0, y + 13.0, "start", &told);
    }
    let foot = TOP + 30.0 * found.len() as f64 + 16.0;
    for value in [start_at, 0.0, end].into_iter().skip(usize::from(start_at == 0.0)) {
        let x = left + WIDTH * (value - start_at) / (end - start_at);
        line(&mut out, (x, TOP), (x, foot - 12.0), "#999999", 1.0);
        text(&mut out, x, foot, "middle", &format!("{value}"));
    }
    out + "</svg>\n"
}

/// A histogram a method, one below the other, over one axis.
fn draw_histograms(summary: &Summary, lines: &[Line], measure: &str, title: &str) -> String {
    const ROW: f64 = 92.0;
    let values = |method: &str| -> Vec<f64> {
        lines.iter().filter(|l| l.method == method).filter_map(|l| l.measures.get(measure)).copied().collect()
    };
    let end = ceiling(summary.methods.iter().flat_map(|m| values(m)).fold(0.0, f64::max));
    let mut out = start(title, LEFT + WIDTH + 24.0, TOP + ROW * summary.methods.len() as f64 + 24.0);
    for (place, method) in summary.methods.iter().enumerate() {
        let (base, found) = (TOP + ROW * (place + 1) as f64 - 6.0, values(method));
        let mut bins = [0usize; BINS];
        found.iter().for_each(|v| bins[((v / end * BINS as f64) as usize).min(BINS - 1)] += 1);
        let most = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
        text(&mut out, LEFT + 4.0, base - ROW + 28.0, "start", method);
        for (i, count) in bins.into_iter().enumerate() {
            let (x, tall) = (LEFT + WIDTH * i as f64 / BINS as f64, (ROW - 34.0) * count as f64 / most);
            let _ = writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"#56b4e9\"/>",
                base - tall,
                WIDTH / BINS as f64 - 1.0
            );
        }
        line(&mut out, (LEFT, base), (LEFT + WIDTH, base), INK, 1.0);
    }
    let foot = TOP + ROW * summary.methods.len() as f64 + 12.0;
    text(&mut out, LEFT, foot, "middle", "0");
    text(&mut out, LEFT + WIDTH, foot, "middle", &format!("{end}"));
    out + "</svg>\n"
}
