use super::*;

fn leaf(p: f64) -> TreeNode {
    TreeNode { branch: None, value: vec![p, 1.0 - p], rows: 1, weight: 1.0 }
}

fn asks(feature: usize, off: usize, on: usize) -> TreeNode {
    TreeNode { branch: Some(Branch { feature, off, on, gain: 0.25 }), ..leaf(0.5) }
}

/// Feature 5, then 2 where it is absent and 7 where it is present.
fn tree() -> Tree {
    let nodes = vec![asks(5, 1, 4), asks(2, 2, 3), leaf(0.1), leaf(0.8), asks(7, 5, 6), leaf(0.3), leaf(0.9)];
    Tree::new(vec![2, 5, 7, 9], nodes, Leaf::Mean).unwrap()
}

/// Shapley values from their definition, a mean over all sets.
fn shapley(tree: &Tree) -> Vec<Vec<f64>> {
    let f = tree.kept().len();
    let answer = |set: usize| tree.predict(&(0..f).map(|j| set >> j & 1 == 1).collect::<Vec<_>>()).unwrap();
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    let mut values = vec![vec![0.0; f]; tree.classes()];
    for set in 0..1usize << f {
        let size = set.count_ones() as usize;
        for j in (0..f).filter(|j| set >> j & 1 == 0) {
            let weight = factorial(size) * factorial(f - size - 1) / factorial(f);
            let (with, without) = (answer(set | 1 << j), answer(set));
            values.iter_mut().zip(with.iter().zip(&without)).for_each(|(row, (a, b))| row[j] += weight * (a - b));
        }
    }
    values
}

#[test]
fn shares_are_shapley_values() {
    let tree = tree();
    let exact = shapley(&tree);
    let shares = tree.shares();
    let apart = shares.matrix().iter().flatten().zip(exact.iter().flatten());
    assert!(apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-15);
    assert!(exact[0][0] > 0.05 && exact[0][3] == 0.0);
    // What the tree does not ask about is in no class's support.
    assert_eq!(tree.shares().support(1), [0, 1, 2]);
}

#[test]
fn the_nearest_leaf_of_another_class_removes_fewest_features() {
    let tree = tree();
    assert_eq!((tree.whole(), tree.depth()), (6, 2));
    let near = tree.nearest_other().unwrap();
    assert_eq!((near.node, near.removed()), (5, vec![7]));
    assert_eq!(near.path, [(5, true), (7, false)]);
    assert_eq!(tree.nearest(0).unwrap().node, 6);
    assert_eq!(tree.gains(), [0.25, 0.25, 0.25, 0.0]);
    // Two leaves need one removal each: the surer one is told.
    let nodes = vec![asks(5, 1, 2), leaf(0.2), asks(7, 3, 4), leaf(0.3), leaf(0.9)];
    let two = Tree::new(vec![5, 7], nodes, Leaf::Mean).unwrap();
    assert_eq!(two.nearest_other().unwrap().removed(), [5]);
    let flat = Tree::new(vec![1], vec![leaf(0.9)], Leaf::Mean).unwrap();
    assert!(flat.nearest_other().is_none() && flat.shares().matrix() == [[0.0], [0.0]]);
}

#[test]
fn independent_labels_are_said_together() {
    let of = |value: [f64; 3]| TreeNode { value: value.to_vec(), ..leaf(0.5) };
    let nodes = vec![TreeNode { value: vec![0.5; 3], ..asks(5, 1, 2) }, of([0.1, 0.2, 0.4]), of([0.6, 0.1, 0.9])];
    let labels = Tree::new(vec![5], nodes, Leaf::Mean).unwrap();
    assert_eq!((labels.said(2), labels.said(1), labels.said(7)), (vec![2, 0], vec![2], vec![]));
    // Of a distribution one class is said.
    assert_eq!((tree().said(0), tree().said(6)), (vec![0], vec![0]));
    // What cancels is nothing.
    let third = 1.0 / 3.0;
    let nodes = vec![asks(5, 1, 2), leaf(third), asks(7, 3, 4), leaf(third), leaf(third + 1e-9)];
    assert_eq!(Tree::new(vec![5, 7], nodes, Leaf::Mean).unwrap().shares().row(0), [0.0, 0.0]);
}

#[test]
fn leaves_can_be_answered_anew() {
    let tree = tree().answered(vec![vec![0.0, 1.0]; 4], Leaf::Asked).unwrap();
    assert_eq!((tree.predict(&[true; 4]).unwrap(), tree.leaf()), (vec![0.0, 1.0], Leaf::Asked));
    assert!(tree.answered(vec![vec![0.0, 1.0]; 3], Leaf::Asked).is_err());
}

#[test]
fn nodes_that_are_no_tree_are_refused() {
    let kept = vec![2, 5, 7];
    let refused = |nodes: Vec<TreeNode>, word: &str| {
        let text = Tree::new(kept.clone(), nodes, Leaf::Mean).unwrap_err().to_string();
        assert!(text.contains(word), "{text}");
    };
    refused(vec![], "at least");
    refused(vec![asks(3, 1, 2), leaf(0.1), leaf(0.2)], "none of the kept");
    refused(vec![asks(2, 1, 1), leaf(0.1)], "no later node");
    refused(vec![asks(2, 0, 1), leaf(0.1)], "no later node");
    refused(vec![asks(2, 1, 3), leaf(0.1), leaf(0.2)], "no later node");
    refused(vec![asks(2, 1, 2), leaf(0.1), leaf(0.2), leaf(0.3)], "no node leads");
    refused(vec![asks(2, 1, 2), leaf(0.1), asks(2, 3, 4), leaf(0.2), leaf(0.3)], "twice");
    refused(vec![asks(2, 1, 2), leaf(f64::NAN), leaf(0.2)], "finite");
    let wide = TreeNode { value: vec![0.2; 3], ..leaf(0.1) };
    refused(vec![asks(2, 1, 2), leaf(0.1), wide], "value");
    assert!(Tree::new(vec![5, 2], vec![leaf(0.5)], Leaf::Mean).is_err());
}
