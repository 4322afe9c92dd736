//! The numbers that the page's script colours by.
//!
//! As JSON in a script element that is no script; the markup module escapes what could end it. Numbers are rounded to what
//! colours and labels need.

use super::Page;
use super::charts::BARS;
use super::pairs::{self, PairRow};
use crate::page::table::{LEVELS, bars};
use lipex_core::{Explanation, Pair};
use serde::Serialize;

/// Most numbers of the covariances that contrasts take their bars from: 200,000 are about 2 MB.
const COVARIANCES: usize = 200_000;

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    /// Names of the classes on the page.
    classes: Vec<&'a str>,
    /// Names of the features on the page.
    features: Vec<&'a str>,
    /// The place of the predicted class.
    predicted: usize,
    /// The largest absolute share, the full colour.
    largest: f64,
    /// Steps of colour.
    levels: i32,
    /// Bars of a chart.
    bars: usize,
    /// Digits after the point.
    decimals: usize,
    /// Rows of classes; null where a row was not fitted on a feature.
    weights: Vec<Vec<Option<f64>>>,
    /// Half of each interval, whether the entry differs significantly from 0 (1 or 0), and shares in the top k, where there are any.
    half: Option<Vec<Vec<f64>>>,
    /// 1 where an entry is significantly different from 0.
    clear: Option<Vec<Vec<u8>>>,
    /// How often a feature is in the top k, a row a class.
    top: Option<Vec<Vec<f64>>>,
    /// For error bars of contrasts.
    covariance: Option<Covariance>,
    /// Features that act together.
    pairs: Vec<PairRow<'a>>,
    /// What is said of a pair that does more together than each, and of one that does less.
    together: [&'static str; 2],
}

/// For each feature the lower triangle of the covariance of the first `classes` classes, row by row.
#[derive(Serialize)]
struct Covariance {
    classes: usize,
    /// Standard errors of an interval's half.
    quantile: f64,
    /// Standard errors of a simultaneous band's half.
    band: f64,
    /// A matrix a feature, row by row.
    of: Vec<Vec<f64>>,
}

/// A number to six digits: the script shows three.
fn brief(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// All of it as JSON.
pub(super) fn json(page: &Page<'_>) -> String {
    let (e, table) = (page.e(), &page.table);
    let u = bars(e);
    let per_class = |c: &usize| {
        let weight = |&j: &usize| table.entry(*c, j).map(|entry| brief(entry.weight));
        table.columns.iter().map(weight).collect()
    };
    let half = u.map(|u| rows(page, |c, j| brief(u.quantile * u.std_error[c][j])));
    let clear = u.map(|u| rows(page, |c, j| u8::from(u.is_significant(c, j, table.shares.row(c)[j]))));
    let top = u.and_then(|u| u.in_top.as_ref()).map(|top| rows(page, |c, j| brief(top.share[c][e.kept()[j]])));
    let data = Data {
        classes: table.classes.iter().map(|&c| e.classes[c].as_str()).collect(),
        features: table.columns.iter().map(|&j| table.names[j].as_str()).collect(),
        predicted: table.classes.iter().position(|&c| c == page.predicted()).unwrap_or(0),
        largest: table.largest,
        levels: LEVELS,
        bars: BARS,
        decimals: table.decimals(),
        weights: table.classes.iter().map(per_class).collect(),
        half,
        clear,
        top,
        covariance: covariance(page, e),
        pairs: pairs::told(page, &pairs::strongest(page)),
        together: [true, false].map(Pair::words),
    };
    // Plain data always becomes JSON.
    serde_json::to_string(&data).unwrap_or_else(|_| "null".into())
}

/// A value for each class and feature of the page.
fn rows<T>(page: &Page<'_>, value: impl Fn(usize, usize) -> T) -> Vec<Vec<T>> {
    let columns = &page.table.columns;
    page.table.classes.iter().map(|&c| columns.iter().map(|&j| value(c, j)).collect()).collect()
}

/// What contrasts need, where there are error bars.
fn covariance(page: &Page<'_>, e: &Explanation) -> Option<Covariance> {
    let u = bars(e)?;
    let columns = page.table.columns.len().max(1);
    let fits = |n: &usize| n * (n + 1) / 2 * columns <= COVARIANCES;
    let of: Vec<usize> = page.table.classes.iter().map_while(|&c| u.contrasted_place(c)).collect();
    let classes = (0..=of.len()).rev().find(fits).unwrap_or(0);
    let of = &of[..classes];
    let triangle = |&j: &usize| {
        let pair = |a: usize| (0..=a).map(move |b| brief(u.covariance[j][of[a]][of[b]]));
        (0..classes).flat_map(pair).collect()
    };
    Some(Covariance {
        classes,
        quantile: u.quantile,
        band: u.band,
        of: page.table.columns.iter().map(triangle).collect(),
    })
}
