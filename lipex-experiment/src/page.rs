//! Experiments as one page.

use crate::summary::Summary;
use std::fmt::Write as _;

const STYLE: &str = "body{font:16px/1.5 Helvetica,Arial,sans-serif;color:#222;background:#fff;max-width:60rem;margin:2rem auto;\
padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem}.wide{overflow-x:auto}\
table{border-collapse:collapse;font-size:.8rem}th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ddd;\
white-space:nowrap}th:first-child,td:first-child{text-align:left}.figures{display:flex;flex-wrap:wrap;gap:1rem 0}svg{max-width:100%;height:auto}\
small{color:#595959}";

/// One page of experiments: of each its figures and its tables. One file, no script, no network.
///
/// ```
/// use lipex_experiment::{Experiment, Summary, report};
///
/// let page = report(&[(Summary::of(Experiment::Classes, &[]), vec![])]);
/// assert!(page.starts_with("<!doctype html>") && page.contains("classes"));
/// ```
pub fn report(experiments: &[(Summary, Vec<(String, String)>)]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Experiments</title>\n<style>{STYLE}</style>\n<h1>Experiments</h1>\n"
    );
    for (summary, figures) in experiments {
        let name = escape(&summary.experiment);
        let _ = writeln!(
            out,
            "<h2>{name}</h2>\n<p><small>{} inputs, rounds: {}; means over inputs with 95 % intervals, inputs drawn again</small></p>",
            summary.inputs, summary.rounds
        );
        out.push_str("<div class=\"figures\">\n");
        figures.iter().for_each(|(_, svg)| out.push_str(svg));
        out.push_str("</div>\n");
        means(&mut out, summary);
        differences(&mut out, summary);
    }
    out + "</html>\n"
}

fn means(out: &mut String, summary: &Summary) {
    out.push_str("<div class=\"wide\"><table><tr><th>method</th>");
    for measure in &summary.measures {
        let _ = write!(out, "<th>{}</th>", escape(measure));
    }
    for method in &summary.methods {
        let _ = write!(out, "</tr>\n<tr><td>{}</td>", escape(method));
        for measure in &summary.measures {
            let _ = match summary.entry(method, measure) {
                Some(e) => write!(out, "<td>{:.3}<br><small>{:.3} – {:.3}</small></td>", e.mean, e.low, e.high),
                None => write!(out, "<td>–</td>"),
            };
        }
    }
    out.push_str("</tr></table></div>\n");
}

fn differences(out: &mut String, summary: &Summary) {
    let Some(first) = summary.methods.first().filter(|_| !summary.differences.is_empty()) else { return };
    let _ = write!(
        out,
        "<p>Less {}, paired by input; p of a sign-flip test, by Holm's method over all rows.</p>\n<div class=\"wide\"><table><tr>\
         <th>measure</th><th>method</th><th>difference</th><th>95 % interval</th><th>smaller at</th><th>p</th>",
        escape(first)
    );
    for d in &summary.differences {
        let (measure, method) = (escape(&d.measure), escape(&d.method));
        let _ = write!(
            out,
            "</tr>\n<tr><td>{measure}</td><td>{method}</td><td>{:+.4}</td><td>{:+.4} – {:+.4}</td><td>{:.0} %</td><td>{:.3}</td>",
            d.mean,
            d.low,
            d.high,
            d.smaller * 100.0,
            d.holm
        );
    }
    out.push_str("</tr></table></div>\n");
}

/// A text as markup.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
