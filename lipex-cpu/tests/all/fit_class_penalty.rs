//! A penalty for each class: against SciPy's fits of a free W, and on models whose weights are known.

use crate::common::problem;

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Exponential, Fitted, LambdaScale, Masks, Neighbourhood, Normalise, Probabilities, Problem, Selection, Softmax,
    Surrogate, Weights, by_name, softmax_in_place,
};
use lipex_cpu::Cpu;
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    name: String,
    problem: problem::Problem,
    divergence: String,
    rho: f64,
    by_weight: bool,
    objective: f64,
    penalties: Vec<f64>,
    matrix: Vec<Vec<f64>>,
    std_error: Vec<Vec<f64>>,
}

fn fit(softmax: &Softmax, problem: Problem<'_, Cpu>) -> Fitted {
    softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

fn class_penalty(rho: f64) -> Softmax {
    Softmax::default().lambda_scale(LambdaScale::Class).lambda(rho).unwrap()
}

#[test]
fn fits_and_standard_errors_are_those_of_a_free_w() {
    let records: Vec<Record> = serde_json::from_str(include_str!("../golden/class_penalty.json")).unwrap();
    assert!(records.len() >= 5 && records.iter().any(|r| r.by_weight));
    let mut unlike: f64 = 1.0;
    for record in records {
        let around = record.problem.neighbourhood();
        let selection = Selection::shared(record.problem.classes, (0..record.problem.features).collect());
        let normalise = if record.by_weight { Normalise::Weight } else { Normalise::Count };
        let softmax = class_penalty(record.rho)
            .erased_divergence(by_name(&record.divergence).unwrap())
            .normalise(normalise)
            .tolerance(1e-13)
            .unwrap();
        let (p, w) = (around.probabilities.values(), around.weights.values());
        let penalties = softmax.penalties(record.rho, record.problem.classes, p, w, around.samples(None));
        let off = |(a, b): (&f64, &f64)| (a / b - 1.0).abs();
        assert!(penalties.iter().zip(&record.penalties).map(off).all(|e| e < 1e-6), "{}: {penalties:?}", record.name);
        unlike =
            unlike.max(penalties.iter().copied().fold(0.0, f64::max) / penalties.iter().copied().fold(1.0, f64::min));
        let fitted = fit(&softmax, Problem::new(&around, &selection));
        let excess = fitted.report.objective / record.objective - 1.0;
        assert!(excess.abs() < 1e-9, "{}: {} against {}", record.name, fitted.report.objective, record.objective);
        let spread = softmax.spread(&Cpu::new(), &Problem::new(&around, &selection), &fitted).unwrap().unwrap();
        let (mut furthest, mut worst): (f64, f64) = (0.0, 0.0);
        for c in 0..record.problem.classes {
            for j in 0..record.problem.features {
                furthest = furthest.max((fitted.shares().matrix()[c][j] - record.matrix[c][j]).abs());
                worst = worst.max((spread.std_error(c, j) / record.std_error[c][j] - 1.0).abs());
            }
        }
        println!("{}: W within {furthest:.1e}, errors within {worst:.1e}", record.name);
        assert!(furthest < 1e-4 && worst < 1e-3, "{}: {furthest:.1e}, {worst:.1e}", record.name);
    }
    assert!(unlike > 3.0, "classes that are penalised alike show nothing: {unlike}");
}

/// A model whose logits are linear in the words that are kept, around a text of so many words.
struct Words {
    words: usize,
    /// C rows, the base last.
    logits: Vec<Vec<f64>>,
}

impl Words {
    fn answer(&self, mask: u32) -> Vec<f64> {
        let kept = |row: &Vec<f64>| (0..self.words).filter(|j| mask >> j & 1 == 1).map(|j| row[j]).sum::<f64>();
        let mut q: Vec<f64> = self.logits.iter().map(|row| row[self.words] + kept(row)).collect();
        softmax_in_place(&mut q);
        q
    }

    /// These masks, weighed by the exponential proximity.
    fn around(&self, masks: Vec<u32>) -> Neighbourhood<Cpu> {
        let (on, rows) = (Cpu::new(), masks.len());
        let table = Exponential::default().table(self.words);
        let weights = masks.iter().map(|z| table.values()[z.count_ones() as usize] as f32).collect();
        let p = masks.iter().flat_map(|&z| self.answer(z)).map(|p| p as f32).collect();
        let p = Probabilities::new(&on, rows, self.logits.len(), p).unwrap();
        Neighbourhood::new(&on, Masks::new(&on, rows, self.words, masks).unwrap(), p, Weights::new(weights)).unwrap()
    }

    fn fit(&self, softmax: &Softmax, around: &Neighbourhood<Cpu>) -> Fitted {
        let selection = Selection::shared(self.logits.len(), (0..self.words).collect());
        fit(softmax, Problem::new(around, &selection))
    }
}

/// "please wire the urgent transfer for this invoice today": what each word adds to the odds of fraud.
const FRAUD: [f64; 9] = [0.0, 1.5, 0.0, 2.0, 1.0, 0.0, 0.0, -1.0, 0.0];

fn rare(base: f64) -> Words {
    let fraud = FRAUD.iter().copied().chain([base]).collect();
    Words { words: FRAUD.len(), logits: vec![fraud, vec![0.0; FRAUD.len() + 1]] }
}

#[test]
fn an_unlikely_class_keeps_its_weights() {
    let masks = || (0..512u32).map(|removed| 511 & !removed).collect();
    for base in [-5.0, -9.0, -11.0] {
        let model = rare(base);
        let around = model.around(masks());
        let contrasts = |softmax: &Softmax| -> Vec<f64> {
            let fitted = model.fit(softmax, &around);
            let w = fitted.shares();
            (0..9).map(|j| w.matrix()[0][j] - w.matrix()[1][j]).collect()
        };
        for rho in [1e-3, LambdaScale::Class.usual()] {
            let made = contrasts(&class_penalty(rho));
            let worst = made.iter().zip(FRAUD).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("base {base}, rho {rho}: off by {worst:.3}, urgent {:.2}, today {:.2}", made[3], made[8]);
            assert!(worst < 0.05, "base {base}, rho {rho}: {made:?}");
        }
        // One λ for all classes flattens what is unlikely.
        let same = contrasts(&Softmax::default());
        println!("base {base}, lambda 1e-4: urgent {:.2}, today {:.2}", same[3], same[8]);
        assert!(base > -9.0 || same[3] < 1.3, "base {base}: {same:?}");
    }
}

/// A softmax of words with so many classes, at a temperature: the smaller, the surer.
fn words(classes: usize, temperature: f64) -> Words {
    let words = 10;
    let row = |c: usize| {
        let mut draws = Draws::new(9, c as u32, 0, Purpose::Starts);
        let size = |j: usize, draws: &mut Draws| (2.0 * draws.unit(j as u32) - 1.0) * 0.6 / temperature;
        // Every third word does nothing.
        (0..=words).map(|j| if j % 3 == 2 && j < words { 0.0 } else { size(j, &mut draws) }).collect()
    };
    Words { words, logits: (0..classes).map(row).collect() }
}

#[test]
fn words_of_the_likeliest_classes_have_their_weights() {
    for classes in [2, 6, 77] {
        for temperature in [1.0, 0.1] {
            let rho = LambdaScale::Class.usual();
            let model = words(classes, temperature);
            let around = model.around((0..1024u32).map(|removed| 1023 & !removed).collect());
            let fitted = model.fit(&class_penalty(rho), &around);
            let whole = model.answer(1023);
            let mut order: Vec<usize> = (0..classes).collect();
            order.sort_by(|&a, &b| whole[b].total_cmp(&whole[a]));
            let (a, b) = (order[0], order[1]);
            let w = fitted.shares();
            let off = |j: usize| {
                let truth = model.logits[a][j] - model.logits[b][j];
                (w.matrix()[a][j] - w.matrix()[b][j] - truth).abs()
            };
            let worst = (0..model.words).map(off).fold(0.0, f64::max);
            println!("{classes} classes at {temperature}, rho {rho}: off by {worst:.3}");
            assert!(worst < 0.1, "{classes} classes at {temperature}: {worst}");
        }
    }
}

#[test]
fn penalties_chosen_by_the_data_are_small_where_the_model_is_linear() {
    let model = rare(-9.0);
    let around = model.around((0..512u32).map(|removed| 511 & !removed).collect());
    let fitted = model.fit(&Softmax::default().lambda_scale(LambdaScale::Class).lambda_auto(), &around);
    assert_eq!(fitted.report.lambda, 1e-4);
    let sure = words(6, 0.1);
    let around_sure = sure.around((0..1024u32).map(|removed| 1023 & !removed).collect());
    let chosen = sure.fit(&Softmax::default().lambda_scale(LambdaScale::Class).lambda_auto(), &around_sure);
    assert_eq!(chosen.report.lambda, 1e-4);
    let fitted = model.fit(&Softmax::default().lambda_auto(), &around);
    assert!(fitted.report.lambda <= 1e-6, "{}", fitted.report.lambda);
}
