//! A surrogate of one's own that is not linear: a small tree, grown on the masks. `TreeSurrogate` is lipex's own, with files,
//! drawings and a name; this one shows what a surrogate needs.
//! `cargo run --release -p lipex --example own_surrogate`

use lipex::prelude::*;
use lipex::{FitReport, Fitted, OwnAnswer, Problem, Setting, Surrogate, from_json, to_json};
use std::sync::Arc;

/// Grows trees of at most this depth.
struct Grow {
    depth: usize,
}

impl Describe for Grow {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("surrogate", "tree"), Setting::new("depth", self.depth)]
    }
}

impl Surrogate<Cpu> for Grow {
    fn fit(&self, _: &Cpu, problems: &[Problem<'_, Cpu>]) -> lipex::Result<Vec<Fitted>> {
        let one = |problem: &Problem<'_, Cpu>| {
            let kept = problem.selection.kept.clone();
            let rows = Rows { problem, kept: &kept };
            let root = rows.grow(&(0..problem.around.rows()).collect::<Vec<_>>(), self.depth);
            let tree = Tree { classes: problem.around.probabilities.classes(), root, kept };
            Fitted::new(Arc::new(tree), FitReport::solved("grown to its depth"))
        };
        Ok(problems.iter().map(one).collect())
    }
}

#[derive(Debug)]
enum Node {
    Leaf(Vec<f64>),
    /// Asks whether a kept feature, by its place, is present.
    Split {
        place: usize,
        present: Box<Node>,
        absent: Box<Node>,
    },
}

#[derive(Debug)]
struct Tree {
    kept: Vec<usize>,
    classes: usize,
    root: Node,
}

/// The rows to grow on. Folds and bootstraps set multiplicities.
struct Rows<'a> {
    problem: &'a Problem<'a, Cpu>,
    kept: &'a [usize],
}

impl Rows<'_> {
    fn weight(&self, i: usize) -> f64 {
        f64::from(self.problem.around.weights.values()[i])
            * self.problem.multiplicities.map_or(1.0, |m| f64::from(m[i]))
    }

    /// The weighted mean of P over some rows, and Σ w ‖P − mean‖².
    fn mean(&self, rows: &[usize]) -> (Vec<f64>, f64) {
        let p = &self.problem.around.probabilities;
        let (mut weight, mut mean, mut squares) = (0.0, vec![0.0; p.classes()], 0.0);
        for &i in rows {
            let w = self.weight(i);
            weight += w;
            for (m, &p) in mean.iter_mut().zip(p.row(i)) {
                *m += w * f64::from(p);
                squares += w * f64::from(p) * f64::from(p);
            }
        }
        mean.iter_mut().for_each(|m| *m /= f64::max(weight, 1e-12));
        let error = squares - weight * mean.iter().map(|m| m * m).sum::<f64>();
        (mean, error)
    }

    fn grow(&self, rows: &[usize], depth: usize) -> Node {
        let (mean, error) = self.mean(rows);
        let apart = |place: usize| -> (Vec<usize>, Vec<usize>) {
            rows.iter().partition(|&&i| self.problem.around.masks.keeps(i, self.kept[place]))
        };
        let left = |place: usize| {
            let (present, absent) = apart(place);
            let few = present.len().min(absent.len()) < 5;
            if few { error } else { self.mean(&present).1 + self.mean(&absent).1 }
        };
        let best = (0..self.kept.len()).map(|place| (left(place), place)).min_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((left, place)) if depth > 0 && left < 0.999 * error => {
                let (present, absent) = apart(place);
                let grow = |rows: &[usize]| Box::new(self.grow(rows, depth - 1));
                Node::Split { place, present: grow(&present), absent: grow(&absent) }
            }
            _ => Node::Leaf(mean),
        }
    }
}

impl Node {
    fn answer(&self, keeps: &[bool]) -> &[f64] {
        match self {
            Node::Leaf(mean) => mean,
            Node::Split { place, present, absent } => if keeps[*place] { present } else { absent }.answer(keeps),
        }
    }

    fn places(&self, to: &mut Vec<usize>) {
        if let Node::Split { place, present, absent } = self {
            if !to.contains(place) {
                to.push(*place);
            }
            present.places(to);
            absent.places(to);
        }
    }
}

impl OwnAnswer for Tree {
    fn kept(&self) -> &[usize] {
        &self.kept
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn predict(&self, keeps: &[bool]) -> lipex::Result<Vec<f64>> {
        Ok(self.root.answer(keeps).to_vec())
    }

    /// Shapley values between the whole and the empty instance: over the few words that the tree asks about, all orders of
    /// removal can be summed up.
    fn shares(&self) -> Vec<Vec<f64>> {
        let mut asked = Vec::new();
        self.root.places(&mut asked);
        let n = asked.len();
        let keeps = |set: usize| {
            let mut keeps = vec![false; self.kept.len()];
            (0..n).filter(|k| set >> k & 1 == 1).for_each(|k| keeps[asked[k]] = true);
            keeps
        };
        let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
        let mut shares = vec![vec![0.0; self.kept.len()]; self.classes];
        for set in 0..1usize << n {
            let size = set.count_ones() as usize;
            for k in (0..n).filter(|k| set >> k & 1 == 0) {
                let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                let (with, without) = (keeps(set | 1 << k), keeps(set));
                let answers = self.root.answer(&with).iter().zip(self.root.answer(&without));
                shares.iter_mut().zip(answers).for_each(|(row, (a, b))| row[asked[k]] += weight * (a - b));
            }
        }
        shares
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    let model = DemoModel::embedded();
    let tv = |e: &Explanation| e.fidelity.as_ref().and_then(|f| f.out_of_fold).map_or(1.0, |f| f.tv);
    let tree = lipex().surrogate(Grow { depth: 3 }).explain(&text, &model)?;
    println!("on unseen masks the tree is {:.3} off the model", tv(&tree));
    let stump = lipex().surrogate(Grow { depth: 1 }).explain(&text, &model)?;
    assert!(tv(&tree) < tv(&stump));
    for word in tree.top_k(tree.predicted(), 3, Rank::Supporting) {
        println!("{:+.3} {}", word.value, tree.features[word.feature].name);
    }
    let top = tree.top_k(tree.predicted(), 1, Rank::Supporting)[0].feature;
    assert_eq!(tree.features[top].name, "surprise");
    // Saved are its shares and its answers on the masks of the run.
    let loaded = from_json(&to_json(&tree))?;
    assert_eq!(loaded, tree);
    assert_eq!(loaded.without(&[top])?, tree.without(&[top])?);
    let new = (1..tree.kept().len()).map(|k| &tree.kept()[..k]).find(|gone| loaded.without(gone).is_err());
    let new = new.ok_or("the run had every mask")?;
    println!("read from a file: {}", loaded.without(new).unwrap_err());
    assert!(tree.without(new).is_ok());
    Ok(())
}
