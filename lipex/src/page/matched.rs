//! What two texts do together, as a page.

use super::html::{level_class, plain};
use super::markup::Markup;
use super::table::signed;
use super::words::marked;
use lipex_core::{Bilinear, Match, Partition, Result};

/// Most lines between words.
const LINES: usize = 40;
/// Lines of less than this share of the strongest are left out.
const FAINTEST: f64 = 0.1;
/// Most pairs in the table.
const PAIRS: usize = 12;
/// Letters of a word in the drawing.
const LETTERS: usize = 24;
/// The drawing: height of a word's row, where the first text's words end and the second's begin, its width.
const ROW: usize = 28;
const LEFT: usize = 270;
const RIGHT: usize = 450;
const WIDTH: usize = 720;

/// What two texts do together for one class (0 where the model gives one number), as one HTML file without network access or
/// scripts.
///
/// Both texts, each word coloured by its Shapley value; lines between the words of the two that act together, blue where the pair
/// adds, orange and dashed where it takes away, thicker for more; the strongest pairs; what each word does; the groups of words that
/// act as one (singular vectors).
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for a class that does not exist.
pub fn match_to_html(found: &Match, texts: [&str; 2], class: usize) -> Result<String> {
    let g = found.bilinear(class)?;
    let title = match found.classes.get(class) {
        Some(name) => format!("Two texts: {name}"),
        None => "Two texts: how alike".into(),
    };
    let mut m = Markup::default();
    m.open("header", &[]).element("h1", &[], &title);
    found.told(class)?.iter().for_each(|sentence| {
        m.element("p", &[], sentence);
    });
    m.close("header").line().open("main", &[]).line();
    let names = [found.names(0), found.names(1)];
    let page = Page { found, names, g: &g, unit: if found.classes.is_empty() { "similarity" } else { "log-odds" } };
    m.open("div", &[("class", "pair")]).line();
    (0..2).for_each(|part| page.text(part, texts[part], &mut m));
    m.close("div").line();
    page.lines(&mut m);
    page.pairs(&mut m);
    m.open("div", &[("class", "pair")]).line();
    (0..2).for_each(|part| page.words(part, &mut m));
    m.close("div").line();
    page.groups(&mut m);
    page.settings(&mut m);
    m.close("main").line();
    Ok(plain(&title, m))
}

struct Page<'a> {
    found: &'a Match,
    names: [Vec<String>; 2],
    g: &'a Bilinear,
    unit: &'static str,
}

impl Page<'_> {
    fn name(&self, part: usize, feature: usize) -> &str {
        &self.names[part][feature]
    }

    /// The colour of each feature's Shapley value, beside the largest of both parts.
    fn level(&self, part: usize, feature: usize) -> i32 {
        let shares = self.g.shares();
        let largest = shares.iter().flatten().fold(0.0, |most: f64, s| most.max(s.abs()));
        let share = if largest > 0.0 { shares[part][feature] / largest } else { 0.0 };
        if share.abs() < 0.02 { 0 } else { (share.abs() * 6.0).ceil() as i32 * share.signum() as i32 }
    }

    fn text(&self, part: usize, text: &str, m: &mut Markup) {
        let shares = self.g.shares();
        m.open("section", &[]).element("h2", &[], ["The first text", "The second text"][part]);
        m.open("div", &[("class", "text"), ("dir", "auto"), ("lang", "")]);
        marked(&self.found.parts[part], text, m, |m, feature, word| {
            let style = format!("w {}", level_class(self.level(part, feature)));
            let value = signed(shares[part][feature], 3);
            m.element("span", &[("class", &style), ("title", &value)], word);
            true
        });
        m.close("div").close("section").line();
    }

    /// The words of both texts, and a line for each pair that acts together.
    fn lines(&self, m: &mut Markup) {
        let strongest = self.g.strongest(LINES);
        m.open("section", &[]).element("h2", &[], "What acts together");
        let Some(&(_, _, largest)) = strongest.first() else {
            m.element("p", &[], "Nothing.").close("section").line();
            return;
        };
        let rows = self.found.sizes().into_iter().max().unwrap_or(1);
        let view = format!("0 0 {WIDTH} {}", rows * ROW + 8);
        let about = "Words of the first text on the left, of the second on the right, and lines between those that act together";
        m.open("svg", &[("class", "ties"), ("viewBox", &view), ("role", "img"), ("aria-label", about)]).line();
        // The weakest first, so that the strongest lie above them.
        for &(i, j, w) in strongest.iter().rev().filter(|(_, _, w)| w.abs() >= FAINTEST * largest.abs()) {
            let (from, to, middle) = (self.middle(0, i), self.middle(1, j), (LEFT + RIGHT) / 2);
            let path = format!("M{} {from}C{middle} {from} {middle} {to} {} {to}", LEFT + 6, RIGHT - 6);
            let width = format!("{:.1}", (8.0 * (w / largest).abs()).max(1.0));
            let side = if w > 0.0 { "plus" } else { "minus" };
            m.open("path", &[("class", side), ("d", &path), ("stroke-width", &width)]);
            m.element("title", &[], &format!("{} – {}: {}", self.name(0, i), self.name(1, j), signed(w, 3)));
            m.close("path").line();
        }
        for part in 0..2 {
            (0..self.found.parts[part].len()).for_each(|j| self.word(part, j, m));
        }
        m.close("svg");
        let note = "Blue: the two words together add that much; orange and dashed: they take away. Words are coloured \
                    by what they do in all.";
        m.element("p", &[("class", "note")], note).close("section").line();
    }

    /// The height of a word's middle; the shorter text stands in the middle of the longer one.
    fn middle(&self, part: usize, feature: usize) -> f64 {
        let sizes = self.found.sizes();
        let above = (sizes[1 - part].saturating_sub(sizes[part]) * ROW) as f64 / 2.0;
        4.0 + above + ((2 * feature + 1) * ROW) as f64 / 2.0
    }

    fn word(&self, part: usize, feature: usize, m: &mut Markup) {
        let name = self.name(part, feature);
        let mut shown: String = name.chars().take(LETTERS).collect();
        if shown.len() < name.len() {
            shown.push('…');
        }
        let middle = self.middle(part, feature);
        // Names are as wide as they are: the colour is a tab beside them.
        let [tab, at] = if part == 0 { [LEFT - 8, LEFT - 16] } else { [RIGHT, RIGHT + 16] };
        let [tab, at, top, height, middle] =
            [tab.to_string(), at.to_string(), format!("{}", middle - 10.0), "20".into(), format!("{middle}")];
        let style = level_class(self.level(part, feature));
        m.empty("rect", &[("class", style), ("x", &tab), ("y", &top), ("width", "8"), ("height", &height)]);
        let anchor = if part == 0 { "end" } else { "start" };
        m.element("text", &[("x", &at), ("y", &middle), ("text-anchor", anchor)], &shown).line();
    }

    fn pairs(&self, m: &mut Markup) {
        let strongest = self.g.strongest(PAIRS);
        m.open("section", &[]).element("h2", &[], &format!("The strongest pairs, {}", self.unit));
        m.open("table", &[("class", "plain")]).line();
        head(m, &["first text", "second text", "together"]);
        for (i, j, w) in strongest {
            m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], self.name(0, i)).close("th");
            m.open("td", &[]).element("bdi", &[], self.name(1, j)).close("td");
            m.element("td", &[], &signed(w, 3)).close("tr").line();
        }
        m.close("table").close("section").line();
    }

    /// What each word of a part does.
    fn words(&self, part: usize, m: &mut Markup) {
        let (removal, shares) = (self.g.removal(), self.g.shares());
        let together = self.g.together_shares();
        let which = ["first", "second"][part];
        m.open("section", &[]).element("h2", &[], &format!("Words of the {which} text, {}", self.unit));
        m.open("table", &[("class", "plain")]).line();
        head(m, &["word", "Shapley", "lost without it", "together with the other text"]);
        for j in 0..self.found.parts[part].len() {
            m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], self.name(part, j)).close("th");
            for of in [&shares, &removal, &together] {
                m.element("td", &[], &signed(of[part][j], 3));
            }
            m.close("tr").line();
        }
        m.close("table").close("section").line();
    }

    /// The words that act as one, by the singular vectors.
    fn groups(&self, m: &mut Markup) {
        let partitions = self.g.partitions();
        if partitions.is_empty() {
            return;
        }
        m.open("section", &[]).element("h2", &[], "Groups of words that act as one");
        m.open("table", &[("class", "plain")]).line();
        head(m, &["strength", "first text", "second text"]);
        for Partition { strength, first, second } in &partitions {
            m.open("tr", &[]).element("th", &[("scope", "row")], &format!("{strength:.3}"));
            for (part, vector) in [first, second].into_iter().enumerate() {
                m.element("td", &[], &self.members(part, vector));
            }
            m.close("tr").line();
        }
        m.close("table").close("section").line();
    }

    /// The words with a part of at least a third of the largest, with their signs.
    fn members(&self, part: usize, vector: &[f64]) -> String {
        let largest = vector.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let mut members: Vec<usize> = (0..vector.len()).filter(|&j| vector[j].abs() * 3.0 >= largest).collect();
        members.sort_by(|&a, &b| vector[b].abs().total_cmp(&vector[a].abs()));
        let told = |&j: &usize| format!("{} {}", self.name(part, j), signed(vector[j], 2));
        members.iter().map(told).collect::<Vec<_>>().join(", ")
    }

    fn settings(&self, m: &mut Markup) {
        m.open("section", &[]).element("h2", &[], "How it was made").open("table", &[("class", "plain")]).line();
        for setting in &self.found.settings {
            m.open("tr", &[]).element("th", &[("scope", "row")], &setting.name);
            m.element("td", &[], &setting.value).close("tr").line();
        }
        m.close("table").close("section").line();
    }
}

fn head(m: &mut Markup, columns: &[&str]) {
    m.open("thead", &[]).open("tr", &[]);
    columns.iter().for_each(|column| {
        m.element("th", &[("scope", "col")], column);
    });
    m.close("tr").close("thead").line();
}
