//! Models whose weights are known: what is reported is what is there.

use lipex::prelude::*;
use lipex::{Angle, ErrorBars, LambdaScale, Perturber, PlainColour, softmax_in_place};
use std::path::Path;
use std::sync::Arc;

/// Every law whose masks can be enumerated.
fn laws() -> Vec<(&'static str, Arc<dyn Perturber<Cpu>>)> {
    let within = Some(Angle::new(1.2).unwrap());
    let mut near = Bernoulli::new(0.6).unwrap();
    near.within = within;
    vec![
        ("uniform-size", Arc::new(UniformSize::default())),
        ("uniform-size within", Arc::new(UniformSize { within })),
        ("antithetic", Arc::new(Antithetic)),
        ("bernoulli", Arc::new(Bernoulli::new(0.5).unwrap())),
        ("bernoulli within", Arc::new(near)),
        ("weight-proportional", Arc::new(WeightProportional)),
    ]
}

/// Softmax of the sum of these words' logits over a base: a row a class.
struct Words {
    words: Vec<String>,
    /// C rows of a number a word, the base last.
    logits: Vec<Vec<f64>>,
}

impl Words {
    fn model(&self) -> TextFn<'_> {
        let labels: Vec<String> = (0..self.logits.len()).map(|c| format!("class {c}")).collect();
        TextFn::new(labels, move |texts: &[&str]| texts.iter().map(|text| self.answer(text)).collect::<Vec<_>>())
    }

    fn answer(&self, text: &str) -> Vec<f64> {
        let there: Vec<bool> = self.words.iter().map(|word| text.split_whitespace().any(|w| w == word)).collect();
        let sum = |row: &Vec<f64>| {
            let words = row.iter().zip(&there).filter(|(_, there)| **there).map(|(logit, _)| logit);
            words.sum::<f64>() + row[self.words.len()]
        };
        let mut answer: Vec<f64> = self.logits.iter().map(sum).collect();
        softmax_in_place(&mut answer);
        answer
    }

    fn text(&self) -> TextInstance {
        TextInstance::new(self.words.join(" ")).unwrap()
    }

    /// The two likeliest classes of the whole text.
    fn likeliest(&self) -> (usize, usize) {
        let whole = self.answer(&self.words.join(" "));
        let mut order: Vec<usize> = (0..whole.len()).collect();
        order.sort_by(|&a, &b| whole[b].total_cmp(&whole[a]));
        (order[0], order[1])
    }

    /// How far the contrast of two classes is from the truth, at most.
    fn off(&self, e: &Explanation, (a, b): (usize, usize)) -> f64 {
        let truth = |j: usize| self.logits[a][j] - self.logits[b][j];
        e.contrast(a, b).iter().map(|w| (w.value - truth(w.feature)).abs()).fold(0.0, f64::max)
    }
}

/// Log-odds 3·[good] − 1.5 of yes against no, whatever else there is.
fn good(there: bool) -> [f64; 2] {
    let mut answer = [3.0 * f64::from(u8::from(there)) - 1.5, 0.0];
    softmax_in_place(&mut answer);
    answer
}

fn says_good() -> TextFn<'static> {
    TextFn::new(["yes", "no"], |texts: &[&str]| texts.iter().map(|t| good(t.contains("good"))).collect::<Vec<_>>())
}

/// Log-odds of the first class against the second, a feature each.
fn odds(e: &Explanation) -> Vec<f64> {
    let mut odds: Vec<_> = e.contrast(0, 1).iter().map(|w| (w.feature, w.value)).collect();
    odds.sort_by_key(|(feature, _)| *feature);
    odds.into_iter().map(|(_, value)| value).collect()
}

fn close(found: &[f64], truth: &[f64], what: &str) {
    assert_eq!(found.len(), truth.len(), "{what}");
    let off = found.iter().zip(truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 0.05, "{what}: {found:?} for {truth:?}");
}

#[test]
fn one_and_two_features_have_their_effects_under_every_law() {
    let text = |text: &str, unit| TextInstance::builder(text).unit(unit).build().unwrap();
    let texts = [
        (text("good", Unit::Word), &[3.0][..]),
        (text("good alpha", Unit::Word), &[3.0, 0.0]),
        (text("alpha, good!", Unit::Word), &[0.0, 3.0]),
        (text("good alpha alpha", Unit::Word), &[3.0, 0.0]),
        (text("alpha good", Unit::Occurrence), &[0.0, 3.0]),
        (text("It is good.", Unit::Sentence), &[3.0]),
        (text("It is good. It rains.", Unit::Sentence), &[3.0, 0.0]),
        (TextInstance::builder("It is good").ignore(["it"]).build().unwrap(), &[0.0, 3.0]),
    ];
    let picture =
        Picture::from_rgb(4, 2, (0..24).map(|i| if i < 12 && i % 12 < 6 { 240 } else { 10 * (i % 5) }).collect());
    let picture = picture.unwrap();
    let grids = [((1, 2), &[3.0, 0.0]), ((2, 1), &[3.0, 0.0])];
    for (name, law) in laws() {
        let explainer = lipex().intercept(Intercept::Anchored).perturber(law);
        for (text, truth) in &texts {
            let e = explainer.explain(text, &says_good()).unwrap();
            assert!(e.calls.complete, "{name}");
            close(&odds(&e), truth, &format!("{name}: {}", text.text()));
        }
        for ((rows, columns), truth) in grids {
            let grid = SegmentMap::grid(4, 2, rows, columns).unwrap();
            let image = ImageInstance::builder(picture.clone(), grid).baseline(PlainColour::BLACK).build().unwrap();
            let light = |p: &&[u8]| good(p[0] > 100);
            let model = ImageFn::new(["yes", "no"], |pictures| pictures.iter().map(|p| light(&p)).collect::<Vec<_>>());
            let e = explainer.clone().images().explain(&image, &model).unwrap();
            close(&odds(&e), truth, &format!("{name}: a grid of {rows}×{columns}"));
        }
    }
}

/// "please wire the urgent transfer for this invoice today": what a word adds to the log-odds of fraud over a base.
fn rare(base: f64) -> Words {
    let words = "please wire the urgent transfer for this invoice today".split(' ').map(String::from).collect();
    let fraud = vec![0.0, 1.5, 0.0, 2.0, 1.0, 0.0, 0.0, -1.0, 0.0, base];
    Words { words, logits: vec![fraud, vec![0.0; 10]] }
}

#[test]
fn an_unlikely_class_keeps_its_weights() {
    for base in [-5.0, -9.0, -11.0] {
        let rare = rare(base);
        let explainer = lipex().selector(All).lambda_scale(LambdaScale::Class);
        for (how, explainer) in [
            ("anchored", explainer.clone().intercept(Intercept::Anchored)),
            ("fitted", explainer.clone().intercept(Intercept::Fitted)),
            ("auto", explainer.intercept(Intercept::Auto).lambda_auto()),
        ] {
            let e = explainer.explain(&rare.text(), &rare.model()).unwrap();
            let off = rare.off(&e, (0, 1));
            println!("base {base}, {how}: off by {off:.4}");
            assert!(e.calls.complete && off < 0.05, "base {base}, {how}: off by {off:.4}");
        }
    }
}

/// A softmax of twelve words; every third does nothing. The lower the temperature, the surer; the whole text is contested
/// between two classes, whose log-odds are at most 1 there.
fn crowd(classes: usize, temperature: f64) -> Words {
    let words: Vec<String> = (0..12).map(|i| format!("w{i}")).collect();
    let mut state = 7u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut row = || {
        let mut number = |j: usize| {
            let drawn = (2.0 * unit() - 1.0) * 0.6 / temperature;
            if j % 3 == 2 && j < 12 { 0.0 } else { drawn }
        };
        (0..13).map(&mut number).collect::<Vec<f64>>()
    };
    let mut crowd = Words { words, logits: (0..classes).map(|_| row()).collect() };
    let (a, b) = crowd.likeliest();
    let lead = crowd.logits[a].iter().sum::<f64>() - crowd.logits[b].iter().sum::<f64>();
    crowd.logits[a][12] -= (lead - 1.0).max(0.0);
    crowd
}

/// Seventy-seven classes are slow to fit: fewer seeds; those of a sure model are fitted on all masks in lipex-cpu's tests.
#[test]
fn words_of_the_likeliest_classes_have_their_weights() {
    for (classes, temperature, seeds) in [(2, 1.0, 20), (6, 1.0, 20), (2, 0.1, 20), (6, 0.1, 20), (77, 1.0, 3)] {
        let crowd = crowd(classes, temperature);
        let (a, b) = crowd.likeliest();
        let explainer = lipex().selector(All).intercept(Intercept::Auto).lambda_scale(LambdaScale::Class);
        let explainer = explainer.error_bars(ErrorBars::default().refits(20).unwrap());
        let (mut furthest, mut wrong, mut found): (f64, usize, usize) = (0.0, 0, 0);
        let (text, model) = (crowd.text(), crowd.model());
        for seed in 0..seeds {
            let e = explainer.clone().seed(seed).explain(&text, &model).unwrap();
            assert!(!e.calls.complete);
            furthest = furthest.max(crowd.off(&e, (a, b)));
            let (u, shares) = (e.uncertainty.as_ref().unwrap(), e.shares());
            let entries = |j: usize| [a, b].iter().any(|&c| u.is_significant(c, j, shares.row(c)[j]));
            let contrast =
                |j: usize| u.is_contrast_significant((a, b), j, shares.row(a)[j] - shares.row(b)[j]).unwrap();
            let idle = (2..12).step_by(3).any(|j| contrast(j) || (entries(j)));
            wrong += usize::from(idle);
            found += (0..12).filter(|j| j % 3 != 2 && contrast(*j)).count();
        }
        println!(
            "{classes} classes at {temperature}: off by {furthest:.4}, idle words significant in {wrong} of {seeds} seeds"
        );
        assert!(furthest < 0.1 && wrong <= 1, "{classes} classes at {temperature}: {furthest}, {wrong}");
        assert!(found as f64 > 0.9 * (8 * seeds) as f64, "{classes} classes at {temperature}: {found} words are seen");
    }
}

/// ln p of a class over the mean of all.
fn centred(answer: &[f32], class: usize) -> f64 {
    let logs: Vec<f64> = answer.iter().map(|&p| f64::from(p).max(1e-30).ln()).collect();
    logs[class] - logs.iter().sum::<f64>() / logs.len() as f64
}

#[test]
fn no_sentence_has_the_sign_that_neither_of_its_effects_has() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/goemotions/dev.tsv");
    let Ok(rows) = std::fs::read_to_string(&file) else {
        println!("skipped: {} is not there", file.display());
        return;
    };
    let model = DemoModel::embedded();
    // Where the model rules classes out of the whole, an anchor is clamped and hides what they do elsewhere.
    let explainer = lipex().intercept(Intercept::Auto).lambda_scale(LambdaScale::Class);
    let (mut texts, mut tried, mut wrong) = (0, 0, Vec::new());
    for row in rows.lines().skip(1) {
        let text = row.split('\t').next().unwrap();
        let Ok(text) = TextInstance::builder(text).unit(Unit::Sentence).build() else { continue };
        if text.features().len() != 2 {
            continue;
        }
        let e = explainer.explain(&text, &model).unwrap();
        let class = e.predicted();
        let asked = [[].as_slice(), &[0], &[1], &[0, 1]].map(|gone| text.without(gone).unwrap());
        let answers = BlackBox::<Cpu, Texts>::predict(&model, &Cpu::new(), &Texts::from(asked.to_vec())).unwrap();
        let value = |i: usize| centred(answers.row(i), class);
        for j in 0..2 {
            let (alone, beside) = (value(2 - j) - value(3), value(0) - value(1 + j));
            let share = e.shares().row(class)[j];
            if alone.abs() > 0.5 && beside.abs() > 0.5 && alone * beside > 0.0 {
                tried += 1;
                if share * alone < 0.0 {
                    wrong.push(format!("{}: {share:+.2} for {alone:+.2} and {beside:+.2}", e.features[j].name));
                }
            }
        }
        texts += 1;
        if texts == 80 {
            break;
        }
    }
    println!("{texts} texts, {tried} sentences with effects beyond .5");
    assert!(texts == 80 && tried > 20, "{texts} {tried}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
