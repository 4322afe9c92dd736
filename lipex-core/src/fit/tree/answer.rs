//! A tree as it is learnt, predicts, is read and saved.

use super::Leaf;
use crate::error::{Error, Result, expect_len};
use crate::explanation::arg_max;
use crate::fit::shares::Shares;
use std::borrow::Cow;

/// A node's question: whether a feature is present.
///
/// ```
/// use lipex_core::{Branch, Leaf, Tree, TreeNode};
///
/// let leaf = |p: f64| TreeNode { branch: None, value: vec![p, 1.0 - p], rows: 4, weight: 4.0 };
/// let asks = Branch { feature: 3, off: 1, on: 2, gain: 0.64 };
/// let tree = Tree::new(vec![3], vec![TreeNode { branch: Some(asks), ..leaf(0.7) }, leaf(0.5), leaf(0.9)], Leaf::Mean)?;
/// assert_eq!(tree.path(&[true])?, [0, asks.on]);
/// assert_eq!(tree.gains(), [0.64]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// The feature, of all D.
    pub feature: usize,
    /// The node for masks that lack it.
    pub off: usize,
    /// The node for masks that keep it.
    pub on: usize,
    /// By how much the split made the sum of squares smaller, Σ w ‖·‖² over the node's rows.
    pub gain: f64,
}

/// A node of a tree.
///
/// ```
/// use lipex_core::{Leaf, Tree, TreeNode};
///
/// // A tree that asks nothing answers every mask alike.
/// let only = TreeNode { branch: None, value: vec![0.7, 0.3], rows: 8, weight: 6.5 };
/// let tree = Tree::new(vec![0, 1], vec![only], Leaf::Mean)?;
/// assert_eq!(tree.predict(&[true, false])?, [0.7, 0.3]);
/// assert_eq!(tree.depth(), 0);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TreeNode {
    /// What it asks; `None` for a leaf.
    pub branch: Option<Branch>,
    /// Its answer, C numbers; of a node that asks on, what it would answer as a leaf of means.
    pub value: Vec<f64>,
    /// Rows of the fit that reach it.
    pub rows: usize,
    /// Σ w of these rows.
    pub weight: f64,
}

/// A leaf with what its path asks.
///
/// ```
/// use lipex_core::TreeLeaf;
///
/// let leaf = TreeLeaf { node: 4, path: vec![(7, false), (2, true), (1, false)] };
/// assert_eq!(leaf.removed(), [1, 7]); // reached without features 1 and 7, and with 2
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLeaf {
    /// The node's number.
    pub node: usize,
    /// What was asked on the way, in order: a feature of all D, and whether it is present.
    pub path: Vec<(usize, bool)>,
}

impl TreeLeaf {
    /// The features that its path lacks, ascending: what is removed in its minimal mask.
    pub fn removed(&self) -> Vec<usize> {
        let mut removed: Vec<usize> = self.path.iter().filter(|(_, on)| !on).map(|(j, _)| *j).collect();
        removed.sort_unstable();
        removed
    }
}

/// A node where a tree is written line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// The node's number.
    pub node: usize,
    /// What was asked last before it, a feature of all D, and whether that is present; `None` for the root.
    pub answered: Option<(usize, bool)>,
    /// For each level from the first to its own whether a later line continues there: whether the node on its way at that level
    /// has another one beside it below.
    pub continues: Vec<bool>,
    /// Whether the instance passes it.
    pub of_whole: bool,
    /// Leaves below it that are not written; 0 where it is a leaf or all are.
    pub hidden: usize,
}

/// What [`TreeSurrogate`](super::TreeSurrogate) learnt: questions about features, and an answer for all classes at every leaf.
///
/// # Shares
/// Entries are the exact Shapley values of the tree's answer between the whole and the empty instance, in probability; a row
/// sums to what the tree's answer to the one lies above its answer to the other. They come from the leaves: one that needs a features present and b
/// absent gives each of the a its value/(a·C(a+b, a)) and takes value/(b·C(a+b, b)) from each of the b. What 10⁻⁷ of
/// these terms is left of an entry is rounding and counts as 0. A class's support is the features that the tree asks about.
///
/// ```
/// use lipex_core::{Branch, Leaf, Tree, TreeNode};
///
/// // Asks about feature 3 alone, one of two that it was grown on.
/// let leaf = |p: f64| TreeNode { branch: None, value: vec![p, 1.0 - p], rows: 4, weight: 4.0 };
/// let root = TreeNode { branch: Some(Branch { feature: 3, off: 1, on: 2, gain: 0.64 }), rows: 8, ..leaf(0.7) };
/// let tree = Tree::new(vec![1, 3], vec![root, leaf(0.5), leaf(0.9)], Leaf::Mean)?;
/// assert_eq!(tree.predict(&[false, true])?[0], 0.9);
/// assert!((tree.shares().row(0)[1] - 0.4).abs() < 1e-12);
/// assert_eq!((tree.depth(), tree.path(&[true, false])?), (1, vec![0, 1]));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    kept: Vec<usize>,
    nodes: Vec<TreeNode>,
    leaf: Leaf,
    /// The place in `kept` of what each node asks.
    places: Vec<usize>,
    /// The shares, C × F.
    matrix: Vec<Vec<f64>>,
    /// For each class the places that the tree asks about.
    support: Vec<Vec<usize>>,
}

impl Tree {
    /// A tree from its nodes, the root first and every node before those that it leads to.
    ///
    /// # Shapes
    /// `kept` the features that it was grown on, ascending; every node's value C numbers.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Setting`] for nodes that are no tree: none, one that no node or two lead to, a feature that
    /// is not kept or that a path asks about twice, numbers that are not finite.
    pub fn new(kept: Vec<usize>, nodes: Vec<TreeNode>, leaf: Leaf) -> Result<Self> {
        if !kept.is_sorted_by(|a, b| a < b) {
            return Err(Error::setting("kept", format!("{kept:?}"), "features in ascending order, each once"));
        }
        let places = check(&kept, &nodes)?;
        let mut tree = Tree { kept, nodes, leaf, places, matrix: Vec::new(), support: Vec::new() };
        let leaves = tree.leaves();
        if let Some((leaf, j)) = leaves.iter().find_map(|leaf| Some((leaf, twice(leaf)?))) {
            let reason = format!("the path to node {} asks about it twice", leaf.node);
            return Err(Error::setting("feature of a node", j, reason));
        }
        let mut asked: Vec<usize> = (0..tree.nodes.len()).filter_map(|n| tree.place(n)).collect();
        asked.sort_unstable();
        asked.dedup();
        tree.support = vec![asked; tree.classes()];
        tree.matrix = tree.shapley(&leaves);
        Ok(tree)
    }

    /// S, ascending: the features that it was grown on.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// C, the number of classes.
    pub fn classes(&self) -> usize {
        self.nodes.first().map_or(0, |root| root.value.len())
    }

    /// The nodes, the root first.
    pub fn nodes(&self) -> &[TreeNode] {
        &self.nodes
    }

    /// What its leaves answer.
    pub fn leaf(&self) -> Leaf {
        self.leaf
    }

    /// The same tree with other answers at its leaves, C numbers for each of [`leaves`](Tree::leaves) in that order.
    ///
    /// # Errors
    /// [`Error::Shape`] for answers of another number or size.
    pub fn answered(self, answers: Vec<Vec<f64>>, leaf: Leaf) -> Result<Self> {
        let leaves = self.leaves();
        expect_len("answers of leaves", leaves.len(), answers.len())?;
        let mut nodes = self.nodes;
        leaves.iter().zip(answers).for_each(|(leaf, value)| nodes[leaf.node].value = value);
        Tree::new(self.kept, nodes, leaf)
    }

    /// The most that a path asks.
    pub fn depth(&self) -> usize {
        self.leaves().iter().map(|leaf| leaf.path.len()).max().unwrap_or(0)
    }

    /// The nodes that a mask passes, the root first and its leaf last.
    ///
    /// # Shapes
    /// `keeps[j]` says whether feature `kept()[j]` is present.
    ///
    /// # Errors
    /// [`Error::Shape`] for a mask of another length.
    pub fn path(&self, keeps: &[bool]) -> Result<Vec<usize>> {
        expect_len("kept features of a mask", self.kept.len(), keeps.len())?;
        let mut path = vec![0];
        let mut at = 0;
        while let Some(branch) = &self.nodes[at].branch {
            at = if keeps[self.places[at]] { branch.on } else { branch.off };
            path.push(at);
        }
        Ok(path)
    }

    /// The leaf that the instance reaches.
    pub fn whole(&self) -> usize {
        let mut at = 0;
        while let Some(branch) = &self.nodes[at].branch {
            at = branch.on;
        }
        at
    }

    /// Its answer to one mask over the kept features, C numbers.
    ///
    /// # Errors
    /// Those of [`path`](Tree::path).
    pub fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        let path = self.path(keeps)?;
        Ok(path.last().map_or_else(Vec::new, |&leaf| self.nodes[leaf].value.clone()))
    }

    /// Every leaf with its path, those that lack a feature before those that keep it.
    pub fn leaves(&self) -> Vec<TreeLeaf> {
        let mut open = vec![TreeLeaf { node: 0, path: Vec::new() }];
        let mut leaves = Vec::new();
        while let Some(TreeLeaf { node, path }) = open.pop() {
            let Some(branch) = &self.nodes[node].branch else {
                leaves.push(TreeLeaf { node, path });
                continue;
            };
            for (node, present) in [(branch.on, true), (branch.off, false)] {
                let path = path.iter().copied().chain([(branch.feature, present)]).collect();
                open.push(TreeLeaf { node, path });
            }
        }
        leaves
    }

    /// The tree line by line: a node, all below it where its feature is present, then where it is absent.
    ///
    /// A tree of more than `most` leaves has the instance's path alone, with what stands beside it in one line each.
    pub fn outline(&self, most: usize) -> Vec<TreeLine> {
        let all = self.leaves().len() <= most;
        let mut lines = Vec::new();
        let first = TreeLine { node: 0, answered: None, continues: Vec::new(), of_whole: true, hidden: 0 };
        let mut open = vec![first];
        while let Some(mut line) = open.pop() {
            if let Some(branch) = &self.nodes[line.node].branch {
                if all || line.of_whole {
                    for (node, on) in [(branch.off, false), (branch.on, true)] {
                        let continues = line.continues.iter().copied().chain([on]).collect();
                        let (answered, of_whole) = (Some((branch.feature, on)), line.of_whole && on);
                        open.push(TreeLine { node, answered, continues, of_whole, hidden: 0 });
                    }
                } else {
                    line.hidden = self.below(line.node);
                }
            }
            lines.push(line);
        }
        lines
    }

    /// Leaves below a node.
    fn below(&self, node: usize) -> usize {
        let (mut open, mut leaves) = (vec![node], 0);
        while let Some(node) = open.pop() {
            match &self.nodes[node].branch {
                Some(branch) => open.extend([branch.off, branch.on]),
                None => leaves += 1,
            }
        }
        leaves
    }

    /// The leaf whose likeliest class is `class` that is reached by removing fewest features; of equals the one that is surest of
    /// it, then the first. `None` where no leaf is of that class.
    pub fn nearest(&self, class: usize) -> Option<TreeLeaf> {
        self.nearest_by(|likeliest| likeliest == class)
    }

    /// The nearest leaf of any class but the one at the instance; see [`nearest`](Tree::nearest).
    pub fn nearest_other(&self) -> Option<TreeLeaf> {
        let own = arg_max(&self.nodes[self.whole()].value);
        self.nearest_by(|likeliest| likeliest != own)
    }

    fn nearest_by(&self, wanted: impl Fn(usize) -> bool) -> Option<TreeLeaf> {
        let value = |leaf: &TreeLeaf| &self.nodes[leaf.node].value;
        let sure = |leaf: &TreeLeaf| value(leaf)[arg_max(value(leaf))];
        let count = |leaf: &TreeLeaf| leaf.path.iter().filter(|(_, on)| !on).count();
        let leaves = self.leaves().into_iter().filter(|leaf| wanted(arg_max(value(leaf))));
        // The first of equals.
        leaves.reduce(|best, leaf| {
            let better = count(&leaf) < count(&best) || count(&leaf) == count(&best) && sure(&leaf) > sure(&best);
            if better { leaf } else { best }
        })
    }

    /// The classes that a node says: its likeliest; of independent labels all from ½ on, likeliest first, or the likeliest where
    /// none is that likely. Empty for a node that does not exist.
    pub fn said(&self, node: usize) -> Vec<usize> {
        let Some(value) = self.nodes.get(node).map(|node| &node.value) else { return Vec::new() };
        let mut said: Vec<usize> = (0..value.len()).filter(|&c| value[c] >= 0.5).collect();
        if said.is_empty() || !self.is_of_labels() {
            return vec![arg_max(value)];
        }
        said.sort_by(|&a, &b| value[b].total_cmp(&value[a]));
        said
    }

    /// Whether its answers are probabilities of independent labels: some do not sum to 1.
    fn is_of_labels(&self) -> bool {
        self.nodes.iter().any(|node| (node.value.iter().sum::<f64>() - 1.0).abs() > 1e-2)
    }

    /// For each kept feature the gain of all its splits, F numbers: how much of the rows' spread it explains, without a sign.
    pub fn gains(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.kept.len()];
        let branches = self.nodes.iter().zip(&self.places).filter_map(|(node, place)| Some((node.branch?, *place)));
        branches.for_each(|(branch, place)| gains[place] += branch.gain);
        gains
    }

    /// What each kept feature does to each class: Shapley values.
    pub fn shares(&self) -> Shares<'_> {
        Shares::new(Cow::Borrowed(&self.kept), Cow::Borrowed(&self.matrix), Cow::Borrowed(&self.support))
    }

    /// The place in `kept` of what a node asks.
    fn place(&self, node: usize) -> Option<usize> {
        self.nodes[node].branch.map(|_| self.places[node])
    }

    /// The Shapley values of the tree's answer, C × F, leaf by leaf.
    fn shapley(&self, leaves: &[TreeLeaf]) -> Vec<Vec<f64>> {
        let zeros = || vec![vec![0.0; self.kept.len()]; self.classes()];
        let (mut matrix, mut sizes) = (zeros(), zeros());
        for leaf in leaves {
            let present = leaf.path.iter().filter(|(_, on)| *on).count();
            let (n, orders) = (leaf.path.len(), choose(leaf.path.len(), present));
            for &(feature, on) in &leaf.path {
                let Ok(place) = self.kept.binary_search(&feature) else { continue };
                let share = if on { 1.0 / (present as f64 * orders) } else { -1.0 / ((n - present) as f64 * orders) };
                let value = &self.nodes[leaf.node].value;
                matrix.iter_mut().zip(value).for_each(|(row, v)| row[place] += share * v);
                sizes.iter_mut().zip(value).for_each(|(row, v)| row[place] += (share * v).abs());
            }
        }
        let rounding = |(v, size): (&mut f64, &f64)| *v = if v.abs() <= ROUNDING * size { 0.0 } else { *v };
        matrix.iter_mut().flatten().zip(sizes.iter().flatten()).for_each(rounding);
        matrix
    }
}

/// What is left of a share beside the terms that cancel in it; answers of the black box are f32.
const ROUNDING: f64 = 1e-7;

/// C(n, k).
fn choose(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// A feature that a path asks about twice.
fn twice(leaf: &TreeLeaf) -> Option<usize> {
    let mut asked: Vec<usize> = leaf.path.iter().map(|(j, _)| *j).collect();
    asked.sort_unstable();
    asked.windows(2).find(|two| two[0] == two[1]).map(|two| two[0])
}

/// Passes if the nodes are a tree; gives the place in `kept` of what each asks, 0 for leaves.
fn check(kept: &[usize], nodes: &[TreeNode]) -> Result<Vec<usize>> {
    let root = nodes.first().ok_or_else(|| Error::shape("nodes of the tree (at least)", 1, 0))?;
    let mut reached = vec![false; nodes.len()];
    reached[0] = true;
    let mut places = vec![0; nodes.len()];
    let wrong = |name: &str, n: usize, reason: String| Err(Error::setting(name, format!("of node {n}"), reason));
    for (n, node) in nodes.iter().enumerate() {
        expect_len("numbers of a node's value", root.value.len(), node.value.len())?;
        let gain = node.branch.map_or(0.0, |branch| branch.gain);
        if node.value.iter().chain([&node.weight, &gain]).any(|v| !v.is_finite()) {
            return wrong("a number", n, "a finite number".into());
        }
        let Some(branch) = &node.branch else { continue };
        let Ok(place) = kept.binary_search(&branch.feature) else {
            return wrong("feature", n, format!("{} is none of the kept features", branch.feature));
        };
        places[n] = place;
        for child in [branch.off, branch.on] {
            match reached.get_mut(child) {
                Some(seen) if child > n && !*seen => *seen = true,
                _ => return wrong("off or on", n, format!("{child} is no later node that only this one leads to")),
            }
        }
    }
    match reached.iter().position(|seen| !seen) {
        Some(n) => wrong("the place", n, "no node leads to it".into()),
        None => Ok(places),
    }
}

#[cfg(test)]
mod tests;
