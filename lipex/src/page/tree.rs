//! A tree as a drawing: a line a node, indented, with a bar of its likeliest class.
//!
//! Used by the page and by the figure, with colours as attributes where there is no style sheet.

use super::colour::{FAINT, INK, fill};
use super::markup::Markup;
use super::svg::{FONT, NAME, px, width};
use super::table::short;
use lipex_core::{Explanation, Tree, TreeLine, arg_max};

/// Most leaves of a tree that is drawn whole.
const LEAVES: usize = 64;
/// Height of a line, in pixels.
const LINE: f64 = 20.0;
/// What a level is indented by.
const INDENT: f64 = 18.0;
/// Length of a bar for a probability of 1.
const BAR: f64 = 90.0;

/// The tree of an explanation, measured.
pub(super) struct Drawing<'a> {
    e: &'a Explanation,
    tree: &'a Tree,
    lines: Vec<TreeLine>,
    /// Where bars begin.
    bars: f64,
}

impl<'a> Drawing<'a> {
    /// The tree's, if the explanation has one that asks anything.
    pub fn of(e: &'a Explanation) -> Option<Self> {
        let tree = e.answer.as_ref()?.tree().filter(|tree| tree.nodes().len() > 1)?;
        let lines: Vec<TreeLine> = tree.outline(LEAVES).into_iter().skip(1).collect();
        let mut drawing = Drawing { e, tree, lines, bars: 0.0 };
        let end = |line: &TreeLine| drawing.indent(line) + width(&drawing.question(line), FONT);
        drawing.bars = drawing.lines.iter().map(end).fold(0.0, f64::max) + 16.0;
        Some(drawing)
    }

    /// Leaves that are drawn as numbers alone.
    pub fn hidden(&self) -> usize {
        self.lines.iter().map(|line| line.hidden).sum()
    }

    pub fn height(&self) -> f64 {
        self.lines.len() as f64 * LINE + 6.0
    }

    pub fn width(&self) -> f64 {
        let after = |line: &TreeLine| self.bars + BAR + 8.0 + width(&self.answer(line), FONT);
        self.lines.iter().map(after).fold(0.0, f64::max) + 10.0
    }

    fn indent(&self, line: &TreeLine) -> f64 {
        line.continues.len() as f64 * INDENT
    }

    /// What was asked last.
    fn question(&self, line: &TreeLine) -> String {
        let Some((feature, on)) = line.answered else { return String::new() };
        format!("{} {}", if on { "with" } else { "without" }, short(&self.e.name(feature), NAME))
    }

    /// What a leaf answers, or how many are not drawn.
    fn answer(&self, line: &TreeLine) -> String {
        let (node, said) = (&self.tree.nodes()[line.node], self.said(line.node));
        match (&node.branch, line.hidden) {
            (None, _) => format!("{said} ({} masks){}", node.rows, if line.of_whole { " ◂" } else { "" }),
            (Some(_), 0) => String::new(),
            (Some(_), hidden) => format!("{said} on the mean of {hidden} leaves"),
        }
    }

    /// What a node says, and how likely it is.
    fn said(&self, node: usize) -> String {
        let one = |c: usize| format!("{} {:.3}", short(&self.e.classes[c], NAME), self.tree.nodes()[node].value[c]);
        self.tree.said(node).into_iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The lines with their bars, from `(x, y)` on.
    pub fn draw(&self, m: &mut Markup, (x, y): (f64, f64)) {
        let largest = |class: usize| class == arg_max(&self.tree.nodes()[self.tree.whole()].value);
        for (k, line) in self.lines.iter().enumerate() {
            let top = y + k as f64 * LINE;
            self.connect(m, line, (x, top));
            let weight = if line.of_whole { "bold" } else { "normal" };
            let (left, base) = (px(x + self.indent(line)), px(top + 14.0));
            let at = [("x", left.as_str()), ("y", base.as_str()), ("font-weight", weight), ("fill", "currentColor")];
            m.element("text", &at, &self.question(line));
            let answer = self.answer(line);
            if !answer.is_empty() {
                let node = &self.tree.nodes()[line.node];
                let class = arg_max(&node.value);
                let bar = px(BAR * node.value[class].clamp(0.0, 1.0));
                let colour = fill(if largest(class) { 4 } else { -4 });
                let place = [("x", px(x + self.bars)), ("y", px(top + 5.0)), ("width", bar), ("height", px(10.0))];
                let place: Vec<(&'static str, &str)> = place.iter().map(|(name, v)| (*name, v.as_str())).collect();
                m.empty("rect", &[&place[..], &[("fill", colour)]].concat());
                let after = px(x + self.bars + BAR + 8.0);
                let at =
                    [("x", after.as_str()), ("y", base.as_str()), ("font-weight", weight), ("fill", "currentColor")];
                m.element("text", &at, &answer);
            }
            m.line();
        }
    }

    /// The lines that join a node to the one that leads to it.
    fn connect(&self, m: &mut Markup, line: &TreeLine, (x, top): (f64, f64)) {
        let last = line.continues.len().saturating_sub(1);
        let mut path = String::new();
        for (level, continues) in line.continues.iter().enumerate() {
            let at = px(x + (level as f64 + 0.4) * INDENT);
            match (level == last, continues) {
                (true, continues) => {
                    let down = if *continues { LINE } else { LINE / 2.0 };
                    path +=
                        &format!("M{at} {}v{}M{at} {}h{}", px(top), px(down), px(top + LINE / 2.0), px(INDENT * 0.4));
                }
                (false, true) => path += &format!("M{at} {}v{}", px(top), px(LINE)),
                (false, false) => {}
            }
        }
        m.empty("path", &[("d", &path), ("fill", "none"), ("stroke", FAINT)]);
    }

    /// The drawing as an element of its own, for a page.
    pub fn element(&self, m: &mut Markup) {
        let (w, h) = (px(self.width()), px(self.height()));
        let size = [("width", w.as_str()), ("height", h.as_str())];
        let frame = format!("0 0 {w} {h}");
        let look = [("viewBox", frame.as_str()), ("role", "img"), ("aria-labelledby", "of-tree"), ("font-size", "12")];
        m.open("svg", &[&size[..], &look[..]].concat()).line();
        self.draw(m, (0.0, 2.0));
        m.close("svg").line();
    }

    /// The drawing below a figure, in its ink.
    pub fn below(&self, m: &mut Markup, (x, y): (f64, f64)) {
        m.open("g", &[("color", INK)]).line();
        let (left, base) = (px(x), px(y + 12.0));
        m.element("text", &[("x", &left), ("y", &base), ("font-weight", "bold")], &self.title()).line();
        self.draw(m, (x, y + LINE));
        m.close("g").line();
    }

    /// What is drawn, in a line.
    pub fn title(&self) -> String {
        let (leaves, hidden) = (self.tree.leaves().len(), self.hidden());
        let note = if hidden > 0 { format!("; {hidden} are not drawn") } else { String::new() };
        format!("The tree ({leaves} leaves, ◂ is what is explained{note})")
    }

    /// The path of what is explained, what removing single features leads to, and the nearest leaf of another class.
    pub fn readings(&self) -> Vec<Reading> {
        let tree = self.tree;
        let names = |features: &[usize]| features.iter().map(|&j| self.e.name(j)).collect::<Vec<String>>();
        let own = tree.leaves().into_iter().find(|leaf| leaf.node == tree.whole());
        let asked: Vec<usize> = own.iter().flat_map(|leaf| leaf.path.iter().map(|&(j, _)| j)).collect();
        let mut told = vec![Reading::new("Its path has ", names(&asked), ": ", self.said(tree.whole()))];
        for j in asked {
            let keeps: Vec<bool> = tree.kept().iter().map(|&kept| kept != j).collect();
            if let Some(&reached) = tree.path(&keeps).ok().as_ref().and_then(|path| path.last()) {
                told.push(Reading::new("Without ", names(&[j]), " alone: ", self.said(reached)));
            }
        }
        told.push(match tree.nearest_other() {
            Some(leaf) => {
                let lacks = "The nearest leaf of another class lacks ";
                Reading::new(lacks, names(&leaf.removed()), ": ", self.said(leaf.node))
            }
            None => Reading::new("No leaf is of another class", Vec::new(), "", String::new()),
        });
        told
    }
}

/// A sentence with names of features and of classes, which may be of any script.
pub(super) struct Reading {
    before: &'static str,
    features: Vec<String>,
    between: &'static str,
    said: String,
}

impl Reading {
    fn new(before: &'static str, features: Vec<String>, between: &'static str, said: String) -> Self {
        Reading { before, features, between, said }
    }

    /// The sentence as a paragraph.
    pub fn write(&self, m: &mut Markup) {
        m.open("p", &[]).text(self.before);
        for (k, name) in self.features.iter().enumerate() {
            m.text(if k > 0 { ", " } else { "" }).element("bdi", &[], name);
        }
        m.text(self.between).element("bdi", &[], &self.said).text(".").close("p").line();
    }
}
