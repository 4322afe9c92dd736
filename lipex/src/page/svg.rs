//! The matrix as a figure.
//!
//! Plain SVG 1.1: rectangles and text, a title and a description for screen readers, no script and no style sheet, so that it
//! goes into LaTeX, a slide or a web page. Wide matrices are cut into blocks below one another.

use super::colour::{FAINT, INK, fill};
use super::markup::Markup;
use super::table::{Entry, LEVELS, Table, bars, short};
use super::tree::Drawing;
use super::{PageOptions, phrases};
use lipex_core::{Explanation, Pair, Result};
use unicode_width::UnicodeWidthStr;

/// Width of a column, in pixels.
const CELL: f64 = 54.0;
/// Height of a row.
const ROW: f64 = 26.0;
/// Rows with a second line for half an interval.
const TALL_ROW: f64 = 36.0;
/// Size of names.
pub(super) const FONT: f64 = 12.0;
/// Size of error bars and notes.
const SMALL: f64 = 9.5;
/// Most columns side by side; more are set in blocks one above the other.
const BLOCK: usize = 16;
/// Most characters of a name.
pub(super) const NAME: usize = 22;
/// Most pairs of features that a figure names.
const PAIRS: usize = 8;
/// Fonts that are everywhere.
const FAMILY: &str = "Helvetica, Arial, sans-serif";

/// The matrix as a figure for a paper: an SVG of classes down and kept features across, 16 to a block; below it the tree, if the
/// surrogate is one.
///
/// Every entry is written with its sign, so the figure is read in black and white. With standard errors, half the interval
/// stands under each entry, and entries that the simultaneous band does not tell from 0 are grey and in brackets. Without
/// classes in the options the seven likeliest are drawn.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for a class that does not exist, or an explanation made by hand whose parts do not
/// fit together.
///
/// ```
/// use lipex::prelude::*;
///
/// let text = TextInstance::new("good day")?;
/// let model = TextFn::new(["bad", "good"], |texts| texts.iter().map(|_| [0.4, 0.6]).collect());
/// let figure = lipex::to_svg(&lipex().explain(&text, &model)?, &lipex::PageOptions::default())?;
/// assert!(figure.starts_with("<svg"));
/// # Ok::<(), lipex::Error>(())
/// ```
pub fn to_svg(explanation: &Explanation, options: &PageOptions) -> Result<String> {
    let classes = options.shown(explanation, 7);
    let figure = Figure::new(Table::new(explanation, classes, usize::MAX)?);
    Ok(figure.draw())
}

/// A figure with its measures.
struct Figure<'a> {
    /// What is drawn.
    table: Table<'a>,
    /// Names of features, cut to their room.
    columns: Vec<String>,
    /// Names of classes, cut to theirs.
    rows: Vec<String>,
    /// Room for the names of classes.
    left: f64,
    /// Room for the slanted names of features.
    top: f64,
    /// Height of a row: more where there are error bars.
    row: f64,
    /// Width of the whole.
    width: f64,
    /// Lines on features that act together.
    pairs: Vec<String>,
    /// The tree, if the surrogate is one.
    tree: Option<Drawing<'a>>,
}

/// A rough width of a text: fonts differ, so it is generous.
pub(super) fn width(text: &str, font: f64) -> f64 {
    text.width() as f64 * font * 0.58
}

/// A length with two digits.
pub(super) fn px(x: f64) -> String {
    let rounded = (x * 100.0).round() / 100.0;
    rounded.to_string()
}

impl<'a> Figure<'a> {
    /// Measures a table.
    fn new(table: Table<'a>) -> Self {
        let columns: Vec<String> = table.columns.iter().map(|&j| short(&table.names[j], NAME)).collect();
        let rows: Vec<String> = table.classes.iter().map(|&c| short(&table.e.classes[c], NAME)).collect();
        let widest = |names: &[String]| names.iter().map(|n| width(n, FONT)).fold(0.0, f64::max);
        let left = widest(&rows).max(3.0 * FONT) + 52.0;
        let slant = std::f64::consts::FRAC_1_SQRT_2;
        let top = widest(&columns) * slant + FONT;
        let row = if bars(table.e).is_some() { TALL_ROW } else { ROW };
        // The last name leans out to the right.
        let across = left + table.columns.len().clamp(1, BLOCK) as f64 * CELL + top;
        let width = across.max(left + 360.0);
        let pairs = pairs(&table);
        let width = pairs.iter().map(|line| left + self::width(line, SMALL)).fold(width, f64::max);
        let tree = Drawing::of(table.e);
        let width = tree.as_ref().map_or(width, |tree| width.max(tree.width() + 20.0));
        Figure { table, columns, rows, left, top, row, width, pairs, tree }
    }

    /// Blocks below one another.
    fn blocks(&self) -> usize {
        self.columns.len().div_ceil(BLOCK).max(1)
    }

    /// Height of one.
    fn block_height(&self) -> f64 {
        self.top + self.row * self.rows.len() as f64 + 16.0
    }

    /// The file.
    fn draw(&self) -> String {
        let matrix = self.block_height() * self.blocks() as f64 + 46.0 + 13.0 * self.pairs.len() as f64;
        let height = matrix + self.tree.as_ref().map_or(0.0, |tree| tree.height() + 30.0);
        let (w, h) = (px(self.width), px(height));
        let mut m = Markup::default();
        m.open(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("width", &w),
                ("height", &h),
                ("viewBox", &format!("0 0 {w} {h}")),
                ("role", "img"),
                ("aria-labelledby", "title desc"),
                ("font-family", FAMILY),
                ("font-size", &px(FONT)),
                ("fill", INK),
            ],
        );
        m.line().element("title", &[("id", "title")], &phrases::matrix_title(self.table.e)).line();
        m.element("desc", &[("id", "desc")], &self.description()).line();
        m.empty("rect", &[("width", &w), ("height", &h), ("fill", "#ffffff")]).line();
        for block in 0..self.blocks() {
            self.block(&mut m, block);
        }
        self.legend(&mut m, self.block_height() * self.blocks() as f64 + 8.0);
        if let Some(tree) = &self.tree {
            tree.below(&mut m, (10.0, matrix + 4.0));
        }
        m.close("svg").line();
        m.finish()
    }

    /// What it shows, in a sentence.
    fn description(&self) -> String {
        let e = self.table.e;
        let mut text = phrases::reading(e);
        for (&c, name) in self.table.classes.iter().zip(&self.rows) {
            let mut row: Vec<(usize, f64)> =
                self.table.columns.iter().filter_map(|&j| Some((j, self.table.entry(c, j)?.weight))).collect();
            row.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            let strongest: Vec<String> = row
                .iter()
                .take(3)
                .map(|&(j, w)| format!("{} {}", short(&self.table.names[j], NAME), self.table.signed(w)))
                .collect();
            text += &format!(" {name} ({:.3}): {}.", e.probabilities.model[c], strongest.join(", "));
        }
        text
    }

    /// One block: names and cells.
    fn block(&self, m: &mut Markup, block: usize) {
        let y0 = self.block_height() * block as f64;
        let first = block * BLOCK;
        let columns = first..self.columns.len().min(first + BLOCK);
        m.open("g", &[("font-weight", "bold")]);
        for (k, j) in columns.clone().enumerate() {
            let (x, y) = (px(self.left + (k as f64 + 0.5) * CELL), px(y0 + self.top - 5.0));
            let turn = format!("rotate(-45 {x} {y})");
            m.element("text", &[("x", &x), ("y", &y), ("transform", &turn)], &self.columns[j]);
        }
        m.close("g").line();
        for (r, &c) in self.table.classes.iter().enumerate() {
            let y = y0 + self.top + self.row * r as f64;
            let middle = px(y + self.row / 2.0 + FONT * 0.35);
            let right = px(self.left - 46.0);
            let name = [("x", right.as_str()), ("y", middle.as_str()), ("text-anchor", "end"), ("font-weight", "bold")];
            m.open("g", &[]).element("text", &name, &self.rows[r]);
            let share = format!("{:.3}", self.table.e.probabilities.model[c]);
            let place = px(self.left - 8.0);
            m.element("text", &[("x", &place), ("y", &middle), ("text-anchor", "end"), ("fill", FAINT)], &share);
            for (k, j) in columns.clone().enumerate() {
                let entry = self.table.entry(c, self.table.columns[j]);
                self.cell(m, self.left + k as f64 * CELL, y, entry);
            }
            m.close("g").line();
        }
    }

    /// One entry.
    fn cell(&self, m: &mut Markup, x: f64, y: f64, entry: Option<Entry>) {
        let colour = fill(self.table.level(entry));
        let (wide, high) = (px(CELL), px(self.row));
        let (left, top) = (px(x), px(y));
        let edge = "#c8c8c8";
        m.empty(
            "rect",
            &[("x", &left), ("y", &top), ("width", &wide), ("height", &high), ("fill", colour), ("stroke", edge)],
        );
        let middle = px(x + CELL / 2.0);
        let mut write = |text: &str, y: f64, size: f64, ink: &str| {
            let y = px(y);
            let size = px(size);
            m.element(
                "text",
                &[("x", &middle), ("y", &y), ("text-anchor", "middle"), ("font-size", &size), ("fill", ink)],
                text,
            );
        };
        let base = y + self.row / 2.0 + FONT * 0.35;
        match entry {
            None => write("·", base, FONT, FAINT),
            Some(entry) => {
                let number = self.table.signed(entry.weight);
                let (number, ink) = if entry.clear { (number, INK) } else { (format!("({number})"), FAINT) };
                match entry.half {
                    Some(half) => {
                        write(&number, base - 6.0, FONT, ink);
                        write(&self.table.plus_minus(half), base + 7.0, SMALL, ink);
                    }
                    None => write(&number, base, FONT, ink),
                }
            }
        }
    }

    /// The scale of colours, and what the marks mean.
    fn legend(&self, m: &mut Markup, y: f64) {
        let step = 14.0;
        let mut x = self.left;
        let base = px(y + 11.0);
        let end = px(x - 8.0);
        let largest = self.table.largest;
        m.open("g", &[("font-size", &px(SMALL))]);
        m.element("text", &[("x", &end), ("y", &base), ("text-anchor", "end")], &self.table.signed(-largest));
        for level in -LEVELS..=LEVELS {
            let place = px(x);
            let sizes = [("x", place.as_str()), ("y", &px(y)), ("width", &px(step)), ("height", &px(step))];
            let look = [("fill", fill(level)), ("stroke", "#c8c8c8")];
            m.empty("rect", &[&sizes[..], &look[..]].concat());
            x += step;
        }
        let after = px(x + 8.0);
        let text = format!("{} {}", self.table.signed(largest), self.table.unit());
        m.element("text", &[("x", &after), ("y", &base)], &text);
        let note = phrases::marks(self.table.e);
        m.element("text", &[("x", &px(self.left)), ("y", &px(y + 30.0)), ("fill", FAINT)], &note);
        for (k, line) in self.pairs.iter().enumerate() {
            m.element("text", &[("x", &px(self.left)), ("y", &px(y + 43.0 + 13.0 * k as f64))], line);
        }
        m.close("g").line();
    }
}

/// What the strongest pairs of features add to the classes of a figure when both go.
fn pairs(table: &Table<'_>) -> Vec<String> {
    let mut pairs = table.e.pairs();
    let most = |pair: &Pair| table.classes.iter().map(|&c| pair.effects[c].abs()).fold(0.0, f64::max);
    pairs.sort_by(|a, b| most(b).total_cmp(&most(a)));
    let name =
        |j: usize| table.e.kept().binary_search(&j).map_or(String::new(), |place| short(&table.names[place], NAME));
    let line = |pair: &Pair| {
        let of = |&c: &usize| format!("{} {}", short(&table.e.classes[c], NAME), table.signed(pair.effects[c]));
        let classes: Vec<String> = table.classes.iter().map(of).collect();
        let [a, b] = pair.features.map(name);
        format!("{a} + {b}, both removed, beside each alone: {}", classes.join(", "))
    };
    pairs.iter().take(PAIRS).map(line).collect()
}
