//! Rows of tables: SHAP values as PyPI shap has them, and what is asked of the model.

use lipex::prelude::*;
use lipex::{BlackBox, Cell, Reference, Table, TabularFn, TabularInstance};
use serde_json::Value;
use std::sync::Mutex;

const CATEGORIES: [&str; 3] = ["red", "green", "blue"];

/// Three classes; the formula of `golden/tabular.py`.
fn logits(cells: &[Cell]) -> [f64; 3] {
    let number = |cell: &Cell| match cell {
        Cell::Number(number) => *number,
        Cell::Text(text) => CATEGORIES.iter().position(|c| *c == &**text).unwrap() as f64,
        Cell::Missing => panic!("nothing is missing"),
    };
    let row: Vec<f64> = cells.iter().map(number).collect();
    let d = row.len();
    let at = |j: usize| row[j % d];
    let sum: f64 = row.iter().enumerate().map(|(j, x)| 0.3 * ((j % 3) as f64 - 1.0) * x).sum();
    [
        sum + 0.5 * at(0) * at(3),
        at(1).sin() + 0.4 * at(2) * at(5) - 0.2 * at(7),
        0.7 * at(4) - 0.3 * at(6) * at(1) + 0.1 * d as f64,
    ]
}

fn model() -> TabularFn<'static> {
    TabularFn::new(["a", "b", "c"], |rows: &[Vec<Cell>]| rows.iter().map(|row| logits(row)).collect()).logits()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_string()).collect()
}

#[test]
fn shares_are_the_values_of_shap() {
    let golden: Value = serde_json::from_str(include_str!("../golden/tabular.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let row = texts(&case["row"]);
        let background: Vec<Vec<String>> = case["background"].as_array().unwrap().iter().map(texts).collect();
        let names: Vec<String> = (0..row.len()).map(|j| format!("x{j}")).collect();
        let whole = Table::from_texts(names, std::iter::once(row).chain(background)).unwrap();
        let (own, others) = (whole.only([0]).unwrap(), whole.only(1..whole.rows().len()).unwrap());
        let instance = TabularInstance::new(&own, &others).unwrap();
        let explanation = kernel_shap().explain(&instance, &model()).unwrap();
        let shares = explanation.shares();
        assert_eq!(shares.kept().len(), own.columns().len(), "{}", case["name"]);
        let mut largest: f64 = 0.0;
        for (class, expected) in case["shap"].as_array().unwrap().iter().enumerate() {
            let expected = numbers(expected);
            largest = expected.iter().fold(largest, |most, v| most.max(v.abs()));
            for (j, (own, theirs)) in shares.row(class).iter().zip(&expected).enumerate() {
                assert!((own - theirs).abs() < 1e-6, "{}: class {class}, column {j}: {own} {theirs}", case["name"]);
            }
        }
        assert!(largest > 0.05, "{}: nothing moves the model", case["name"]);
        // Base and values sum to the model's own answer.
        let base = explanation.answer.as_ref().unwrap().linear().unwrap().intercept();
        for (class, (base, expected)) in base.iter().zip(numbers(&case["base"])).enumerate() {
            assert!((base - expected).abs() < 1e-6, "{base} {expected}");
            let sum = base + shares.row(class).iter().sum::<f64>();
            assert!((sum - numbers(&case["p"])[class]).abs() < 1e-6, "{sum}");
        }
    }
}

#[test]
fn each_row_is_asked_for_once() {
    let table = Table::from_texts(["n", "c", "same"], [["1", "x", "5"], ["2", "y", "5"], ["1", "y", "5"]]).unwrap();
    let instance = TabularInstance::new(&table.only([0]).unwrap(), &table.only([1, 2]).unwrap()).unwrap();
    let names: Vec<&str> = instance.features().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["n = 1", "c = x", "same = 5"]);
    let asked: Mutex<Vec<Vec<Cell>>> = Mutex::default();
    let model = TabularFn::new(["a", "b"], |rows: &[Vec<Cell>]| {
        asked.lock().unwrap().extend(rows.to_vec());
        rows.iter().map(|row| if row[1] == Cell::from("x") { [0.9, 0.1] } else { [0.3, 0.7] }).collect()
    });
    let explanation = lipex().explain(&instance, &model).unwrap();
    // Two columns vary: n is 1 or 2 and c x or y, 4 rows in all, and the row itself once more at the end.
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert!(asked.iter().all(|row| row[2] == Cell::Number(5.0)));
    assert_eq!(explanation.calls.inputs, 4);
    assert!(explanation.settings.iter().any(|s| s.name == "background" && s.value == "2"));
    let shares = explanation.shares();
    let of = |column: usize| shares.kept().iter().position(|k| *k == column).map_or(0.0, |at| shares.row(0)[at]);
    // A softmax need not be exact, but takes columns that do nothing alike.
    assert!(of(1) > 1.0 && (of(0) - of(2)).abs() < 1e-5 && of(0).abs() < 0.05, "{:?}", shares.matrix());
}

#[test]
fn probabilities_are_averaged_and_not_logits() {
    let table = Table::from_texts(["x"], [["0"], ["10"], ["-10"]]).unwrap();
    let instance = TabularInstance::new(&table.only([0]).unwrap(), &table.only([1, 2]).unwrap()).unwrap();
    let model = TabularFn::new(["no", "yes"], |rows: &[Vec<Cell>]| {
        rows.iter().map(|row| if let Cell::Number(x) = row[0] { [0.0, x - 9.0] } else { [0.0, 0.0] }).collect()
    });
    let explanation = kernel_shap().explain(&instance, &model.logits()).unwrap();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let expected = sigmoid(-9.0) - (sigmoid(1.0) + sigmoid(-19.0)) / 2.0;
    let share = explanation.shares().row(1)[0];
    assert!((share - expected).abs() < 1e-6, "{share} {expected}");
}

#[test]
fn what_does_not_fit_is_one_line() {
    let table = Table::from_texts(["a", "b"], [["1", "x"], ["2", "y"]]).unwrap();
    let one = table.only([0]).unwrap();
    for (instance, word) in [
        (TabularInstance::new(&table, &table), "one row"),
        (TabularInstance::new(&one, &table.only([]).unwrap()), "no rows"),
        (TabularInstance::new(&one, &Table::from_texts(["a"], [["1"]]).unwrap()), "not in the background"),
        (TabularInstance::new(&one.without(&["a", "b"]).unwrap(), &table), "no columns"),
    ] {
        let told = instance.unwrap_err().to_string();
        assert!(told.contains(word) && told.lines().count() == 1, "{told}");
    }
    let instance = TabularInstance::new(&one, &Reference::Mean.of(&table, 0).unwrap()).unwrap();
    let short = TabularFn::new(["a", "b"], |rows: &[Vec<Cell>]| vec![[0.5, 0.5]; rows.len() - 1]);
    let told = lipex().explain(&instance, &short).unwrap_err().to_string();
    assert!(told.contains("rows from the model"), "{told}");
    assert!(BlackBox::<lipex::Cpu, lipex::Rows>::labels(&short).is_some());
}

#[test]
fn a_row_is_told_from_a_text_everywhere() {
    use lipex::{Device, Domain, PageOptions, Settings, to_html};

    // An even or an odd number of values: nothing that is linear in columns follows that.
    let parity = TabularFn::new(["even", "odd"], |rows: &[Vec<Cell>]| {
        let of =
            |row: &Vec<Cell>| if row.iter().filter(|c| **c == Cell::from("x")).count() % 2 == 0 { 0.9 } else { 0.1 };
        rows.iter().map(of).map(|p| [p, 1.0 - p]).collect()
    });
    let table = Table::from_texts(["a", "b", "c", "d"], [["x"; 4], ["y"; 4]]).unwrap();
    let row = TabularInstance::new(&table.only([0]).unwrap(), &table.only([1]).unwrap()).unwrap();
    let explanation = lipex().pairs(lipex::Pairs::None).explain(&row, &parity).unwrap();
    assert_eq!(explanation.domain(), Domain::Rows);
    let told: String = explanation.verdict().unwrap().reasons.into_iter().map(|reason| reason.advice).collect();
    assert!(told.contains("Let columns act together"), "{told}");
    // Saved and loaded it is still a row.
    let loaded = from_json(&to_json(&explanation)).unwrap();
    let page = to_html(&loaded, &PageOptions::default()).unwrap();
    assert!(page.contains("The row, coloured for") && page.contains("What each column does"), "{page}");
    // And has no words.
    let words = Settings::from_pairs([("unit", "sentence")]).unwrap();
    let refused = words.explainer(Device::Cpu, Domain::Rows).err().unwrap().to_string();
    assert!(refused.contains("of texts alone"), "{refused}");
}
