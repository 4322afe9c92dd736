//! Trees from texts to files: leaves that are asked for, readings, labels, pages.

use lipex::prelude::*;
use lipex::{
    Adaptive, Domain, Enumerate, ErrorBars, Leaf, PageOptions, Settings, Tree, TreeSurrogate, arg_max, from_json,
    to_csv, to_html, to_json, to_json_canonical, to_svg,
};
use std::sync::Mutex;

/// Joy by "happy" unless "not" stands beside it, with a little of every other word.
fn answer(text: &str) -> [f64; 3] {
    let has = |word: &str| text.split_whitespace().any(|w| w == word);
    let little = 0.003 * text.split_whitespace().count() as f64;
    match (has("happy"), has("not")) {
        (true, false) => [0.8 + little, 0.1 - little, 0.1],
        (true, true) => [0.2, 0.7 + little, 0.1 - little],
        (false, _) => [0.3 - little, 0.2, 0.5 + little],
    }
}

const TEXT: &str = "so happy now that it all came out well and we are home at last with them";

fn model() -> TextFn<'static> {
    TextFn::new(["joy", "gloom", "calm"], |texts: &[&str]| texts.iter().map(|t| answer(t)).collect())
}

fn tree(e: &Explanation) -> &Tree {
    e.answer.as_ref().unwrap().tree().unwrap()
}

fn depth(depth: usize) -> TreeSurrogate {
    TreeSurrogate::default().max_depth(depth).unwrap()
}

fn explained(settings: TreeSurrogate) -> Explanation {
    let explainer = lipex().samples(300).selector(All).surrogate(settings);
    explainer.explain(&TextInstance::new(TEXT).unwrap(), &model()).unwrap()
}

#[test]
fn leaves_that_are_asked_are_the_model_and_are_counted() {
    let mean = explained(depth(3));
    assert_eq!((mean.calls.requeried, tree(&mean).leaf()), (0, Leaf::Mean));
    let seen = Mutex::new(Vec::new());
    let model = TextFn::new(["joy", "gloom", "calm"], |texts: &[&str]| {
        seen.lock().unwrap().extend(texts.iter().map(|t| t.to_string()));
        texts.iter().map(|t| answer(t)).collect()
    });
    let text = TextInstance::new(TEXT).unwrap();
    let explainer = lipex().samples(300).selector(All).surrogate(depth(3).leaf(Leaf::Asked));
    let e = explainer.explain(&text, &model).unwrap();
    // The instance is asked a second time, and nothing else twice.
    let seen = seen.lock().unwrap().clone();
    let mut distinct = seen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(seen.len(), distinct.len() + 1);
    assert_eq!(e.calls.inputs + e.calls.requeried, distinct.len());
    assert!(e.calls.requeried > 2, "{:?}", e.calls);
    for leaf in tree(&e).leaves() {
        let kept = |j: &usize| !leaf.removed().contains(j);
        let words: Vec<&str> = TEXT.split(' ').enumerate().filter(|(j, _)| kept(j)).map(|(_, word)| word).collect();
        let own = answer(&words.join(" "));
        let value = &tree(&e).nodes()[leaf.node].value;
        assert!(value.iter().zip(own).all(|(a, b)| (a - b).abs() < 1e-6), "{value:?} {own:?}");
    }
    assert!(e.fidelity.as_ref().unwrap().at_instance.tv < 1e-7);
    assert!(mean.fidelity.as_ref().unwrap().at_instance.tv > 1e-4);
    // Its refits ask too: held-out masks are judged by trees of the same kind.
    let unseen = e.fidelity.as_ref().unwrap().out_of_fold.unwrap();
    assert!(unseen.tv > 0.0 && unseen.tv < 0.05, "{unseen:?}");
    let alone = explainer.clone().evaluator(lipex::OutOfFold { folds: 0 }).explain(&text, &model).unwrap();
    assert!(alone.calls.requeried < tree(&alone).leaves().len());
    assert_eq!(tree(&alone), tree(&e));
}

#[test]
fn leaves_need_no_call_where_every_mask_was_asked() {
    let text = TextInstance::new("so very happy now").unwrap();
    let e = lipex().surrogate(depth(4).leaf(Leaf::Asked)).explain(&text, &model()).unwrap();
    assert!(e.calls.complete && e.calls.requeried == 0);
    assert!(e.fidelity.unwrap().in_sample.tv < 1e-6);
}

#[test]
fn many_instances_are_as_each_alone() {
    let texts = [TEXT, "not happy at all today my old friend said to us and went off home", "home"];
    let texts: Vec<TextInstance> = texts.iter().map(|t| TextInstance::new(*t).unwrap()).collect();
    let explainer = lipex().samples(200).selector(All).surrogate(depth(3).leaf(Leaf::Asked));
    let all = explainer.explain_many(&texts.iter().collect::<Vec<_>>(), &model()).unwrap();
    for (e, text) in all.iter().zip(&texts) {
        let alone = explainer.explain(text, &model()).unwrap();
        assert_eq!(to_json_canonical(e), to_json_canonical(&alone));
    }
    assert!(all[0].calls.requeried > 0);
}

#[test]
fn merged_classes_are_those_of_the_run() {
    let settings = depth(2).leaf(Leaf::Asked);
    let explainer = lipex().samples(200).groups(Groups::Top(1)).selector(All).surrogate(settings);
    let e = explainer.explain(&TextInstance::new(TEXT).unwrap(), &model()).unwrap();
    assert_eq!(e.classes.len(), 2);
    let leaf = tree(&e).nearest_other().unwrap();
    assert!(
        leaf.removed() == [1]
            && (tree(&e).nodes()[leaf.node].value[0] - answer(&TEXT.replace("happy ", ""))[0]).abs() < 1e-6
    );
}

#[test]
fn error_bars_of_asked_leaves_are_refused() {
    let text = TextInstance::new(TEXT).unwrap();
    let asked = lipex().surrogate(depth(2).leaf(Leaf::Asked));
    let refused = asked.clone().error_bars(ErrorBars::default()).explain(&text, &model()).unwrap_err().to_string();
    assert!(refused.starts_with("uncertainty = true: refits would each ask"), "{refused}");
    let refused = asked.adaptive(Adaptive::default()).explain(&text, &model()).unwrap_err().to_string();
    assert!(refused.starts_with("adaptive = true: refits would each ask"), "{refused}");
    // Means have bars, by rows drawn again.
    let bars = lipex().samples(200).surrogate(depth(2)).error_bars(ErrorBars::default());
    let e = bars.explain(&text, &model()).unwrap();
    let u = e.uncertainty.as_ref().unwrap();
    assert_eq!(u.method, lipex::Method::Bootstrap);
    assert!(u.std_error.iter().flatten().all(|e| e.is_finite()) && u.std_error[0].iter().any(|e| *e > 0.0));
}

#[test]
fn the_nearest_leaf_of_another_class_is_checked_by_the_model() {
    let e = explained(depth(3));
    let leaf = tree(&e).nearest_other().unwrap();
    assert_eq!((leaf.removed(), arg_max(&tree(&e).nodes()[leaf.node].value)), (vec![1], 2));
    let change = e.what_would_change(2).unwrap().unwrap();
    assert_eq!((change.remove, change.surrogate), (leaf.removed(), tree(&e).nodes()[leaf.node].value.clone()));
    // "gloom" wants a word that is not there: no leaf has it.
    assert!(e.what_would_change(1).unwrap().is_none());
    let flip = lipex().flip(&TextInstance::new(TEXT).unwrap(), &model(), &e, 2).unwrap();
    assert!(flip.checked && flip.remove == Some(vec![1]));
    // What is read: "happy" alone holds joy up, and the other words are no part of it but for a little.
    let top = e.top_k(0, 2, Rank::Supporting);
    assert!(e.name(top[0].feature) == "happy" && top[0].value > 0.4, "{top:?}");
    assert!(e.contrast(0, 2).len() < e.kept().len());
}

#[test]
fn a_file_gives_back_a_tree_that_predicts() {
    for settings in [depth(3), depth(3).leaf(Leaf::Asked)] {
        let e = explained(settings);
        let json = to_json(&e);
        let read = from_json(&json).unwrap();
        assert_eq!(read, e);
        for gone in [vec![], vec![1], vec![0, 1, 5]] {
            assert_eq!(read.without(&gone).unwrap(), e.without(&gone).unwrap());
        }
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let nodes = value["tree"]["nodes"].as_array().unwrap();
        assert_eq!(
            (nodes.len(), value["tree"]["leaf"].as_str()),
            (tree(&e).nodes().len(), Some(tree(&e).leaf().name()))
        );
        assert_eq!((&nodes[0]["feature"], nodes[0]["rows"].as_u64()), (&1.into(), Some(300)));
        assert!(nodes.iter().all(|node| node.get("feature").is_some() == node.get("off").is_some()));
        // As docs/json.md says it is read.
        let mut at = 0;
        while let Some(feature) = nodes[at].get("feature") {
            at = nodes[at][if feature == 1 { "off" } else { "on" }].as_u64().unwrap() as usize;
        }
        let q: Vec<f64> = serde_json::from_value(nodes[at]["value"].clone()).unwrap();
        assert_eq!(q, e.without(&[1]).unwrap());
    }
}

#[test]
fn files_that_are_no_tree_are_refused() {
    let json = to_json(&explained(depth(2)));
    for (what, by, word) in [
        ("\"off\": 1", "\"off\": 0", "no later node"),
        ("{\"leaf\": \"mean\"", "{\"leaf\": \"means\"", "`mean`"),
        ("\"feature\": 1,", "", "none of them"),
        ("\"feature\": 1,", "\"feature\": 99,", "none of the kept"),
        ("\"value\": [", "\"value\": [0.5, ", "value"),
    ] {
        assert!(json.contains(what), "{what}");
        let error = from_json(&json.replacen(what, by, 1)).unwrap_err().to_string();
        assert!(error.contains(word) && error.lines().count() == 1, "{what}: {error}");
    }
    // Another answer at a leaf is another share.
    let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
    value["tree"]["nodes"].as_array_mut().unwrap().last_mut().unwrap()["value"][0] = 0.125.into();
    let error = from_json(&value.to_string()).unwrap_err().to_string();
    assert!(error.contains("not the shares"), "{error}");
}

#[test]
fn independent_labels_have_one_tree() {
    let of = |text: &str| {
        let has = |word: &str| text.split(' ').any(|w| w == word);
        vec![if has("free") { 0.9 } else { 0.2 }, if has("now") { 0.7 } else { 0.1 }, 0.4]
    };
    let model = || TextFn::new(["spam", "urgent", "long"], move |texts: &[&str]| texts.iter().map(|t| of(t)).collect());
    let model = || model().independent();
    let text = TextInstance::new("get it free now").unwrap();
    for criterion in [lipex::Criterion::Squared, lipex::Criterion::Hellinger] {
        let explainer = lipex().selector(All).surrogate(depth(2).criterion(criterion));
        let e = explainer.explain(&text, &model()).unwrap();
        let asked: Vec<String> = e.shares().support(0).iter().map(|&j| e.name(e.kept()[j])).collect();
        assert_eq!(asked, ["free", "now"]);
        let whole = e.probabilities.surrogate.clone();
        assert!(whole.iter().zip([0.9, 0.7, 0.4]).all(|(a, b)| (a - b).abs() < 1e-6), "{whole:?}");
        // A mean over labels, each against the rest.
        let fidelity = e.fidelity.as_ref().unwrap();
        assert!(fidelity.in_sample.tv < 1e-6 && fidelity.in_sample.arg_max > 1.0 - 1e-9, "{:?}", fidelity.in_sample);
        assert_eq!(from_json(&to_json(&e)).unwrap(), e);
    }
    // One level misses one of the two labels: the mean over three of a third of what it misses.
    let e = lipex().selector(All).surrogate(depth(1)).explain(&text, &model()).unwrap();
    let tv = e.fidelity.unwrap().in_sample.tv;
    assert!(tv > 0.01 && tv < 0.2, "{tv}");
}

#[test]
fn pages_and_figures_draw_it() {
    let e = explained(depth(3));
    let (page, figure) = (to_html(&e, &PageOptions::default()).unwrap(), to_svg(&e, &PageOptions::default()).unwrap());
    for drawn in [&page, &figure] {
        for part in ["The tree (", "with happy", "without happy", "calm 0.5", "◂"] {
            assert!(drawn.contains(part), "no {part}");
        }
    }
    assert!(page.contains("The nearest leaf of another class lacks <bdi>happy</bdi>: <bdi>calm"), "{page}");
    // The matrix has what is asked about, and so has the table.
    let asked = e.shares().support(0).len();
    assert!(asked >= 3 && asked < e.kept().len());
    assert_eq!(figure.matches("rotate(-45").count(), asked);
    assert_eq!(to_csv(&e).unwrap().lines().count(), 1 + 3 * asked);
    // A model that nothing moves has a tree that asks nothing.
    let deaf = TextFn::new(["a", "b"], |texts: &[&str]| vec![[0.5, 0.5]; texts.len()]);
    let e = lipex().surrogate(depth(3)).explain(&TextInstance::new(TEXT).unwrap(), &deaf).unwrap();
    assert_eq!(tree(&e).nodes().len(), 1);
    assert!(to_svg(&e, &PageOptions::default()).unwrap().contains("</svg>"));
    assert!(!to_html(&e, &PageOptions::default()).unwrap().contains("The tree ("));
    assert_eq!(from_json(&to_json(&e)).unwrap(), e);
}

#[test]
fn names_make_trees() {
    let explainer = |pairs: &[(&str, &str)]| {
        Settings::from_pairs(pairs.iter().copied()).unwrap().explainer_on(Cpu::new(), Domain::Text)
    };
    let settings =
        explainer(&[("surrogate", "tree:2"), ("leaf", "asked"), ("divergence", "hellinger")]).unwrap().settings();
    let told = |name: &str| settings.iter().find(|s| s.name == name).map(|s| s.value.as_str());
    assert_eq!(
        (told("surrogate"), told("leaf"), told("divergence")),
        (Some("tree:2"), Some("asked"), Some("hellinger"))
    );
    // A tree chooses its features itself, unless it is told.
    assert_eq!(told("select"), Some("all"));
    let some = explainer(&[("surrogate", "tree"), ("select", "forward:2"), ("min-weight", "0.1")]).unwrap().settings();
    let told = |name: &str| some.iter().find(|s| s.name == name).map(|s| s.value.as_str());
    assert_eq!((told("surrogate"), told("select")), (Some("tree:4"), Some("forward:2")));
    assert_eq!((told("divergence"), told("min-weight"), told("lambda")), (Some("squared"), Some("0.1"), None));
    let e = explainer(&[("surrogate", "tree:1")]).unwrap().enumerate(Enumerate::Never);
    let e = e.explain(&TextInstance::new(TEXT).unwrap(), &model()).unwrap();
    assert_eq!((tree(&e).depth(), tree(&e).nodes()[0].branch.unwrap().feature), (1, 1));
    let verdict = e.verdict().unwrap();
    assert!(verdict.reasons.iter().all(|reason| !reason.advice.contains("--pairs")), "{verdict:?}");
}
