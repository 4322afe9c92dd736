//! Figures are well-formed, say what they show, and stay in their frame.

use lipex_experiment::{Experiment, Line, Summary, figures, report};

/// Lines of every measure that an experiment's figures draw.
fn lines(experiment: Experiment) -> Vec<Line> {
    let names: Vec<String> = match experiment {
        Experiment::Fidelity => ["at_instance", "unseen", "near"].map(String::from).into(),
        Experiment::Distortion => {
            ["model_unseen_0.1", "model_unseen_0.5", "surrogate_unseen_0.1", "surrogate_unseen_0.5"]
                .map(String::from)
                .into()
        }
        Experiment::Ablation => {
            let k = |name: &str| (1..=5).map(|k| format!("{name}_{k}")).collect::<Vec<_>>();
            [k("flips"), k("greedy"), vec!["comprehensiveness".into(), "sufficiency".into()]].concat()
        }
        Experiment::Reprediction => (1..=5).flat_map(|k| [format!("same_{k}"), format!("tv_{k}")]).collect(),
        Experiment::Stability => ["own_1pi/16", "own_8pi/16", "second_1pi/16"].map(String::from).into(),
        Experiment::Classes => vec!["overlap".into()],
        Experiment::Time => ["broken", "calls"].map(String::from).into(),
    };
    let of = |row: u64, method: &str| {
        let value = |i: usize| (row as f64 * 0.13 + i as f64 * 0.21) % 1.0 - if i == 3 { 0.2 } else { 0.0 };
        let measures = names.iter().enumerate().map(|(i, name)| (name.clone(), value(i))).collect();
        Line { row, round: 0, method: method.into(), measures }
    };
    (0..7).flat_map(|row| ["lipex", "a <b> & \"c\"", "lime:samples=5000"].map(|method| of(row, method))).collect()
}

#[test]
fn every_figure_is_a_picture_with_its_methods_in_its_frame() {
    for experiment in Experiment::ALL {
        let lines = lines(experiment);
        let summary = Summary::of(experiment, &lines);
        let drawn = figures(experiment, &summary, &lines);
        assert!(!drawn.is_empty(), "{experiment:?}");
        for (name, svg) in &drawn {
            let document = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{experiment:?} {name}: {e}"));
            let root = document.root_element();
            let number =
                |node: &roxmltree::Node<'_, '_>, a: &str| node.attribute(a).and_then(|v| v.parse::<f64>().ok());
            let (w, h) = (number(&root, "width").unwrap(), number(&root, "height").unwrap());
            for node in root.descendants() {
                for (attribute, most) in
                    [("x", w), ("x1", w), ("x2", w), ("cx", w), ("y", h), ("y1", h), ("y2", h), ("cy", h)]
                {
                    let Some(v) = number(&node, attribute) else { continue };
                    assert!((-0.5..=most + 0.5).contains(&v), "{experiment:?} {name}: {attribute}={v} of {most}");
                }
                if node.has_tag_name("rect") {
                    assert!(number(&node, "width").unwrap() >= 0.0 && number(&node, "height").unwrap() >= 0.0);
                }
            }
            let said: Vec<&str> = root.descendants().filter_map(|n| n.text()).collect();
            assert!(said.contains(&"a <b> & \"c\""), "{experiment:?} {name}: {said:?}");
        }
        let page = report(&[(summary, drawn)]);
        assert!(page.contains("a &lt;b&gt; &amp; &quot;c&quot;") && !page.contains("<b>"));
    }
}
