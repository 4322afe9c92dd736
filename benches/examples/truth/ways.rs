//! Ways to fit that are compared.

use lipex::{Bernoulli, Cpu, Explainer, Intercept, LambdaScale, OutOfFold, Pairs, UniformSize};

/// Which masks a way draws.
#[derive(Clone, Copy)]
enum Masks {
    UniformSize,
    Bernoulli(f64),
}

/// A way to fit: its name and what it sets.
pub struct Way {
    pub name: String,
    pub samples: usize,
    masks: Masks,
    intercept: Intercept,
    pairs: Pairs,
    scale: LambdaScale,
}

impl Way {
    pub fn explainer(&self, base: Explainer<Cpu>) -> Explainer<Cpu> {
        let base = match self.masks {
            Masks::UniformSize => base.perturber(UniformSize::default()),
            Masks::Bernoulli(keep) => base.perturber(Bernoulli::new(keep).expect("a probability")),
        };
        let base = base.samples(self.samples).intercept(self.intercept).pairs(self.pairs.clone());
        base.lambda_scale(self.scale).evaluator(OutOfFold::default())
    }
}

/// λ as one number for all classes, and by class.
const ALIKE: LambdaScale = LambdaScale::Curvature;
const BY_CLASS: LambdaScale = LambdaScale::Class;

pub fn of_texts() -> Vec<Way> {
    let mut ways = Vec::new();
    for samples in [100, 200, 1000] {
        let mut add = |name: &str, intercept, pairs, scale| {
            ways.push(Way { name: name.to_string(), samples, masks: Masks::UniformSize, intercept, pairs, scale });
        };
        add("fitted", Intercept::Fitted, Pairs::None, ALIKE);
        add("fitted, by class", Intercept::Fitted, Pairs::None, BY_CLASS);
        add("fitted, auto pairs", Intercept::Fitted, Pairs::Auto, ALIKE);
        add("anchored", Intercept::Anchored, Pairs::None, ALIKE);
        add("anchored, by class", Intercept::Anchored, Pairs::None, BY_CLASS);
        add("anchored, auto pairs", Intercept::Anchored, Pairs::Auto, ALIKE);
        for count in [5, 10, 15, 20] {
            add(&format!("anchored, {count} pairs, by class"), Intercept::Anchored, Pairs::Count(count), BY_CLASS);
        }
        add("anchored, auto pairs, by class", Intercept::Anchored, Pairs::Auto, BY_CLASS);
    }
    ways
}

/// What the preset may set by default, one change after the other, and all of them.
pub fn of_defaults() -> Vec<Way> {
    let ways = [
        ("fitted", Intercept::Fitted, Pairs::None, ALIKE),
        ("fitted, by class", Intercept::Fitted, Pairs::None, BY_CLASS),
        ("anchored", Intercept::Anchored, Pairs::None, ALIKE),
        ("anchored, by class", Intercept::Anchored, Pairs::None, BY_CLASS),
        ("fitted, auto pairs", Intercept::Fitted, Pairs::Auto, ALIKE),
        ("anchored, auto pairs", Intercept::Anchored, Pairs::Auto, ALIKE),
        ("anchored, auto pairs, by class", Intercept::Anchored, Pairs::Auto, BY_CLASS),
        ("auto, auto pairs, by class", Intercept::Auto, Pairs::Auto, BY_CLASS),
    ];
    let way = |(name, intercept, pairs, scale): (&str, _, _, _)| {
        let name = name.to_string();
        Way { name, samples: 1000, masks: Masks::UniformSize, intercept, pairs, scale }
    };
    ways.into_iter().map(way).collect()
}

pub fn of_photos() -> Vec<Way> {
    let laws = [(".5", Masks::Bernoulli(0.5)), ("uniform size", Masks::UniformSize), (".8", Masks::Bernoulli(0.8))];
    let mut ways = Vec::new();
    for (law, masks) in laws {
        let mut add = |name: &str, intercept, pairs, scale| {
            ways.push(Way { name: format!("{law}: {name}"), samples: 300, masks, intercept, pairs, scale });
        };
        add("fitted", Intercept::Fitted, Pairs::None, ALIKE);
        add("fitted, by class", Intercept::Fitted, Pairs::None, BY_CLASS);
        add("fitted, auto pairs", Intercept::Fitted, Pairs::Auto, ALIKE);
        add("fitted, auto pairs, by class", Intercept::Fitted, Pairs::Auto, BY_CLASS);
        add("anchored", Intercept::Anchored, Pairs::None, ALIKE);
        add("anchored, by class", Intercept::Anchored, Pairs::None, BY_CLASS);
        add("anchored, 15 pairs, by class", Intercept::Anchored, Pairs::Count(15), BY_CLASS);
        add("anchored, auto pairs, by class", Intercept::Anchored, Pairs::Auto, BY_CLASS);
    }
    ways
}
