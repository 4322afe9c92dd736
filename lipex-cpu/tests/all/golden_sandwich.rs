//! Standard errors against numpy's, which `golden/sandwich.py` made without a basis of contrasts and with Hessians by
//! differences.

use crate::common::problem;

use lipex_core::{Dependence, Intercept, LambdaScale, Method, Problem, Selection, Softmax, Surrogate, by_name};
use lipex_cpu::Cpu;
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    name: String,
    problem: problem::Problem,
    divergence: String,
    lambda: f64,
    intercept: bool,
    pairs: bool,
    std_error: Vec<Vec<f64>>,
    degrees: f64,
    unevenness: f64,
}

#[test]
fn standard_errors_are_numpys() {
    let records: Vec<Record> = serde_json::from_str(include_str!("../golden/sandwich.json")).unwrap();
    assert!(records.len() >= 6 && records.iter().any(|r| r.pairs) && records.iter().any(|r| !r.intercept));
    for record in records {
        let rows = if record.pairs { Dependence::Pairs } else { Dependence::Independent };
        let around = record.problem.neighbourhood().drawn(rows);
        let selection = Selection::shared(record.problem.classes, (0..record.problem.features).collect());
        let softmax = Softmax::default()
            .erased_divergence(by_name(&record.divergence).unwrap())
            .lambda_scale(LambdaScale::Raw)
            .lambda(record.lambda)
            .unwrap()
            .tolerance(1e-13)
            .unwrap()
            .intercept(if record.intercept { Intercept::Fitted } else { Intercept::None });
        let problem = Problem::new(&around, &selection);
        let fitted = softmax.fit(&Cpu::new(), &[Problem::new(&around, &selection)]).unwrap().remove(0);
        let spread = softmax.spread(&Cpu::new(), &problem, &fitted).unwrap().unwrap();
        assert_eq!(spread.method(), Method::Sandwich, "{}", record.name);
        let mut worst: f64 = 0.0;
        for (c, row) in record.std_error.iter().enumerate() {
            for (j, expected) in row.iter().enumerate() {
                worst = worst.max((spread.std_error(c, j) / expected - 1.0).abs());
            }
        }
        let few = spread.few_rows_in_use().unwrap();
        worst =
            worst.max((few.degrees / record.degrees - 1.0).abs()).max((few.unevenness / record.unevenness - 1.0).abs());
        println!("{}: within {worst:.1e}", record.name);
        assert!(worst < 1e-4, "{}: off by {worst:.1e}", record.name);
    }
}
