//! A tree: drawn line by line, the path of the instance, and what goes when a word goes.

use super::layout::{Page, columns, cut, printable};
use super::words::word;
use super::{Choice, nouns};
use lipex::{Explanation, Leaf, Tree, TreeLine};

/// Most leaves of a tree that is drawn whole.
const LEAVES: usize = 16;
/// Most columns of a line; a tree is narrow.
const WIDE: usize = 72;
/// Below so many columns words give way to signs.
const NARROW: usize = 40;
/// Columns that are left of a feature's name at least.
const LEAST: usize = 4;

pub fn print(page: &mut Page, e: &Explanation, choice: &Choice) {
    let Some(tree) = e.answer.as_ref().and_then(|answer| answer.tree()) else { return };
    let nouns = nouns(e);
    page.gap();
    let leaves = tree.leaves().len();
    if leaves == 1 {
        page.heading("The tree asks nothing");
        page.paragraph(&format!("No {} that it could ask about tells answers apart.", nouns.feature));
        return;
    }
    page.heading(&format!("The tree ({leaves} leaves; ◂ is the {})", nouns.instance));
    let hidden = leaves > LEAVES;
    tree.outline(LEAVES).iter().filter(|line| line.answered.is_some()).for_each(|line| draw(page, e, tree, line));
    if hidden {
        page.note(&format!("Only the path of the {} is drawn; --json has all.", nouns.instance));
    }
    if tree.leaf() == Leaf::Asked {
        page.note("A leaf is the model's own answer without what its path lacks.");
    }
    path(page, e, tree);
    what_if(page, e, tree, choice);
    gains(page, e, tree, choice);
}

/// A node on a line. A narrow page has signs for words and no room between the lines that lead there.
fn draw(page: &mut Page, e: &Explanation, tree: &Tree, line: &TreeLine) {
    let Some((feature, on)) = line.answered else { return };
    let narrow = page.width() < NARROW;
    let last = line.continues.len().saturating_sub(1);
    let mut text = String::new();
    for (level, continues) in line.continues.iter().enumerate() {
        text.push(match (level == last, continues) {
            (true, true) => '├',
            (true, false) => '└',
            (false, true) => '│',
            (false, false) => ' ',
        });
        text += if narrow && level < last { "" } else { " " };
    }
    text += match (on, narrow) {
        (true, true) => "+ ",
        (false, true) => "− ",
        (true, false) => "with ",
        (false, false) => "without ",
    };
    let node = &tree.nodes()[line.node];
    let answer = match (&node.branch, line.hidden) {
        (Some(_), 0) => String::new(),
        (Some(_), hidden) => format!(": {hidden} leaves, mean {}", said(e, tree, line.node)),
        (None, _) => format!(": {}", said(e, tree, line.node)),
    };
    let mark = if line.of_whole && node.branch.is_none() { " ◂" } else { "" };
    let room = page.width().min(WIDE).saturating_sub(columns(&text) + columns(mark));
    let name = cut(&printable(&e.name(feature)), room.saturating_sub(columns(&answer)).max(LEAST));
    let left = room.saturating_sub(columns(&name));
    let answer = if left > 1 { cut(&answer, left) } else { String::new() };
    page.line(&format!("{text}{name}{answer}{mark}"));
}

/// What a node says, and how likely it is.
fn said(e: &Explanation, tree: &Tree, node: usize) -> String {
    let one = |c: usize| format!("{} {:.3}", printable(&e.classes[c]), tree.nodes()[node].value[c]);
    tree.said(node).into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The questions that the instance meets.
fn path(page: &mut Page, e: &Explanation, tree: &Tree) {
    let Some(leaf) = tree.leaves().into_iter().find(|leaf| leaf.node == tree.whole()) else { return };
    let words: Vec<String> = leaf.path.iter().map(|&(j, _)| word(e, j)).collect();
    let node = &tree.nodes()[leaf.node];
    page.paragraph(&format!(
        "The path of the {}: {} ({} of {} masks): {}.",
        nouns(e).instance,
        words.join(", "),
        node.rows,
        tree.nodes()[0].rows,
        said(e, tree, leaf.node)
    ));
}

/// What the tree says when one of what the instance is asked about goes.
fn what_if(page: &mut Page, e: &Explanation, tree: &Tree, choice: &Choice) {
    let Some(leaf) = tree.leaves().into_iter().find(|leaf| leaf.node == tree.whole()) else { return };
    let without = |&(j, _): &(usize, bool)| {
        let keeps: Vec<bool> = tree.kept().iter().map(|&kept| kept != j).collect();
        let reached = *tree.path(&keeps).ok()?.last()?;
        Some(format!("{}\u{a0}→ {}", word(e, j), said(e, tree, reached).replace(' ', "\u{a0}")))
    };
    let told: Vec<String> = leaf.path.iter().filter_map(without).take(choice.top()).collect();
    page.paragraph(&format!("What if one {} goes: {}", nouns(e).feature, told.join(", ")));
}

/// Which features tell most of what the tree tells.
fn gains(page: &mut Page, e: &Explanation, tree: &Tree, choice: &Choice) {
    let gains = tree.gains();
    let sum: f64 = gains.iter().sum();
    if sum <= 0.0 {
        return;
    }
    // Half a percent and more: what would be told as 0% is left out.
    let mut order: Vec<usize> = (0..gains.len()).filter(|&j| gains[j] >= 0.005 * sum).collect();
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]).then(a.cmp(&b)));
    let one = |&j: &usize| format!("{}\u{a0}{:.0}%", word(e, tree.kept()[j]), 100.0 * gains[j] / sum);
    let told: Vec<String> = order.iter().map(one).take(choice.top()).collect();
    page.paragraph(&format!("What its questions gain, of all: {}", told.join(", ")));
}
