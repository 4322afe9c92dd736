//! What a surrogate learnt, as keys of a file.
//!
//! # Forms
//! A linear answer has `terms`, `coefficients`, `base`, and for readers `matrix` (the shares) and `intercept` (the logits at
//! the empty mask). A tree has `tree`: its nodes. Another kind has `own`: its answers on the run's masks, a 0/1 string a mask. Files of the first schema
//! have `matrix` and `intercept` alone, from which terms are made.

use lipex_core::{
    Answer, Base, Branch, Error, Linear, Link, Recorded, Result, Setting, Shares, Term, Tree, TreeNode, expect_len,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// The keys that a surrogate's answer has in files, in this order: `kept`, `matrix`, `intercept`, `support`, `link`, `terms`,
/// `coefficients`, `base`, `tree`, `own`. Made for writing; docs/json.md says what they hold.
///
/// ```
/// use lipex::{AnswerKeys, Answer, Base, Linear, Link};
///
/// let base = Base::Anchored(vec![0.0, 0.5]);
/// let linear = Linear::of_features(vec![2], vec![vec![0.25], vec![0.0]], base, vec![vec![0]; 2], Link::Softmax)?;
/// let json = lipex::to_json_lines(&AnswerKeys::of(&Answer::Linear(linear)))?;
/// assert!(json.contains("\"terms\": [[2]]") && json.contains("\"intercept\": [-0.25, 0.5]"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Default, Serialize, Deserialize)]
pub struct AnswerKeys<'a> {
    /// S, F numbers.
    kept: Option<Cow<'a, [usize]>>,
    /// The shares, C × F.
    matrix: Option<Cow<'a, [Vec<f64>]>>,
    /// Logits at the empty mask, C numbers.
    intercept: Option<Vec<f64>>,
    /// For each class the places that its row was fitted on.
    support: Option<Vec<Vec<usize>>>,
    /// softmax, logistic or identity.
    link: Option<Link>,
    /// Each one feature or two, of all D.
    terms: Option<Vec<Vec<usize>>>,
    /// C × T.
    coefficients: Option<Cow<'a, [Vec<f64>]>>,
    /// What the answer is at the whole instance.
    base: Option<BaseKeys<'a>>,
    /// A tree, in place of terms.
    tree: Option<TreeKeys<'a>>,
    /// A surrogate's own, in place of terms.
    own: Option<OwnKeys<'a>>,
}

/// `base` of a linear answer.
#[derive(Serialize, Deserialize)]
struct BaseKeys<'a> {
    /// anchored, fitted or none.
    kind: Cow<'a, str>,
    /// C numbers.
    values: Vec<f64>,
}

/// `tree`: its nodes, the root first.
#[derive(Serialize, Deserialize)]
struct TreeKeys<'a> {
    /// mean or asked.
    leaf: Cow<'a, str>,
    /// Every node before those that it leads to.
    nodes: Vec<NodeKeys<'a>>,
}

/// A node; a leaf has the last three keys alone.
#[derive(Serialize, Deserialize)]
struct NodeKeys<'a> {
    /// What it asks about, of all D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature: Option<usize>,
    /// The node for masks that lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off: Option<usize>,
    /// The node for masks that have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<usize>,
    /// What the split gained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gain: Option<f64>,
    /// C numbers.
    value: Cow<'a, [f64]>,
    /// Masks that reach it.
    rows: usize,
    /// What they weigh.
    weight: f64,
}

/// What a surrogate of a user's own said to some masks, each a text of 0 and 1 over the kept features.
#[derive(Serialize, Deserialize)]
struct OwnKeys<'a> {
    /// A 0/1 string a mask, over the kept features.
    masks: Vec<String>,
    /// What it said to them, C numbers each.
    answers: Cow<'a, [Vec<f64>]>,
}

impl<'a> AnswerKeys<'a> {
    /// The keys of an answer. One of a user's own that was not recorded ([`Recorded`]) has no answers to masks.
    pub fn of(answer: &'a Answer) -> Self {
        let shares = answer.shares();
        let support = (0..answer.classes()).map(|c| shares.support(c).to_vec()).collect();
        let keys = AnswerKeys {
            kept: Some(Cow::Borrowed(answer.kept())),
            matrix: Some(Cow::Owned(shares.into_matrix())),
            support: Some(support),
            link: Some(answer.link()),
            ..AnswerKeys::default()
        };
        match answer {
            Answer::Linear(linear) => AnswerKeys {
                intercept: Some(linear.intercept()),
                terms: Some(linear.terms().iter().map(|t| t.features().to_vec()).collect()),
                coefficients: Some(Cow::Borrowed(linear.coefficients())),
                base: Some(BaseKeys { kind: linear.base().kind().into(), values: linear.whole() }),
                ..keys
            },
            Answer::Tree(tree) => AnswerKeys { tree: Some(TreeKeys::of(tree)), ..keys },
            Answer::Own(own) => AnswerKeys { own: own.recorded().map(OwnKeys::of), ..keys },
            _ => keys,
        }
    }

    /// The answer that a file of the present schema has.
    pub(super) fn answer(self) -> Result<Option<Answer>> {
        match (self.kept.is_none(), self.own.is_some(), self.tree.is_some()) {
            (true, false, false) if self.matrix.is_none() => Ok(None),
            (_, true, _) => self.own().map(Some),
            (_, _, true) => self.tree().map(Some),
            _ => self.linear().map(Some),
        }
    }

    /// A tree; its shares are made anew and must be those in the file.
    fn tree(self) -> Result<Answer> {
        let keys = need("tree", self.tree)?;
        let (kept, matrix) = (need("kept", self.kept)?.into_owned(), need("matrix", self.matrix)?);
        let nodes = keys.nodes.into_iter().map(NodeKeys::node).collect::<Result<Vec<_>>>()?;
        let tree = Tree::new(kept, nodes, keys.leaf.parse()?)?;
        same_shares(&tree.shares(), &matrix)?;
        Ok(tree.into())
    }

    /// A linear answer; its shares are made anew and must be those in the file.
    fn linear(self) -> Result<Answer> {
        let kept = need("kept", self.kept)?.into_owned();
        let matrix = need("matrix", self.matrix)?;
        need("intercept", self.intercept)?;
        let terms = need("terms", self.terms)?.into_iter().map(Term::try_from).collect::<Result<Vec<_>>>()?;
        let coefficients = need("coefficients", self.coefficients)?.into_owned();
        let base = need("base", self.base)?;
        let base = Base::by_kind(&base.kind, base.values)?;
        let support = need("support", self.support)?;
        let linear = Linear::new(kept, terms, coefficients, base, support, need("link", self.link)?)?;
        same_shares(&linear.shares(), &matrix)?;
        Ok(linear.into())
    }

    /// A recorded answer.
    fn own(self) -> Result<Answer> {
        let own = need("own", self.own)?;
        let (kept, shares) = (need("kept", self.kept)?.into_owned(), need("matrix", self.matrix)?.into_owned());
        let masks = own.masks.iter().map(|mask| bits(mask)).collect::<Result<Vec<_>>>()?;
        let recorded = Recorded::new(kept, need("link", self.link)?, shares, masks, own.answers.into_owned())?;
        Ok(Arc::new(recorded).into())
    }

    /// The answer that a file of schema 1 has: W z + b, with b among its keys and whether it was fitted among its settings.
    pub(super) fn of_first_schema(self, settings: &[Setting]) -> Result<Answer> {
        let (kept, matrix) = (need("kept", self.kept)?.into_owned(), need("matrix", self.matrix)?.into_owned());
        let intercept = need("intercept", self.intercept)?;
        expect_len("entries of the intercept", matrix.len(), intercept.len())?;
        let set = |name: &str, value: &str| settings.iter().any(|s| s.name == name && s.value == value);
        let whole = matrix.iter().zip(&intercept).map(|(row, b)| b + row.iter().sum::<f64>()).collect();
        let base = if set("intercept", "none") && intercept.iter().all(|&b| b == 0.0) {
            Base::None
        } else if set("surrogate", "kernel-shap") {
            Base::Anchored(whole)
        } else {
            Base::Intercept(whole)
        };
        let (support, link) = (need("support", self.support)?, need("link", self.link)?);
        Ok(Linear::of_features(kept, matrix, base, support, link)?.into())
    }
}

impl<'a> TreeKeys<'a> {
    /// The keys of a tree.
    fn of(tree: &'a Tree) -> Self {
        let node = |node: &'a TreeNode| NodeKeys {
            feature: node.branch.map(|branch| branch.feature),
            off: node.branch.map(|branch| branch.off),
            on: node.branch.map(|branch| branch.on),
            gain: node.branch.map(|branch| branch.gain),
            value: Cow::Borrowed(&node.value),
            rows: node.rows,
            weight: node.weight,
        };
        TreeKeys { leaf: tree.leaf().name().into(), nodes: tree.nodes().iter().map(node).collect() }
    }
}

impl NodeKeys<'_> {
    /// The node.
    fn node(self) -> Result<TreeNode> {
        let branch = match (self.feature, self.off, self.on) {
            (Some(feature), Some(off), Some(on)) => Some(Branch { feature, off, on, gain: self.gain.unwrap_or(0.0) }),
            (None, None, None) => None,
            _ => return Err(Error::setting("tree", "JSON", "a node has feature, off and on, or none of them")),
        };
        Ok(TreeNode { branch, value: self.value.into_owned(), rows: self.rows, weight: self.weight })
    }
}

impl<'a> OwnKeys<'a> {
    /// The keys of a recorded answer.
    fn of(recorded: &'a Recorded) -> Self {
        let text = |mask: &Vec<bool>| mask.iter().map(|&keep| if keep { '1' } else { '0' }).collect();
        OwnKeys { masks: recorded.masks().iter().map(text).collect(), answers: Cow::Borrowed(recorded.answers()) }
    }
}

/// A key that must be there.
fn need<T>(key: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::setting("explanation", "JSON", format!("missing field `{key}`")))
}

/// A mask of 0 and 1.
fn bits(mask: &str) -> Result<Vec<bool>> {
    let bit = |c: char| match c {
        '0' => Ok(false),
        '1' => Ok(true),
        _ => Err(Error::setting("masks of own", format!("\"{}\"", mask.escape_debug()), "texts of 0 and 1")),
    };
    mask.chars().map(bit).collect()
}

/// Passes if `matrix` is what the terms make of it, to rounding.
fn same_shares(shares: &Shares<'_>, matrix: &[Vec<f64>]) -> Result<()> {
    expect_len("rows of the matrix", shares.matrix().len(), matrix.len())?;
    for (own, read) in shares.matrix().iter().zip(matrix) {
        expect_len("entries of a matrix row", own.len(), read.len())?;
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-9 * shares.largest().max(1.0);
        if own.iter().zip(read).any(far) {
            let reason = "these are not the shares of its terms and coefficients, or of its nodes; change those, the matrix follows";
            return Err(Error::setting("matrix", "another", reason));
        }
    }
    Ok(())
}
