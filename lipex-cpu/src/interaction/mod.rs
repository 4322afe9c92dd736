//! A model of two inputs, explained by what features do across them.
//!
//! # Method
//! draw.rs draws distinct masks, ridge.rs fits similarities in closed form, softmax.rs probabilities by the surrogate of every other
//! explanation with all pairs across the parts as terms; this file asks the models and puts it together.
//!
//! A dual encoder is asked for m₁ + m₂ encodings, and every first is paired with every second: a product design, whose normal
//! equations fall apart by side. Any other model is asked for pairs of masks.
//!
//! # Source
//! InteractionLIME, of which no code is published; law, weights and solvers are ours.

mod draw;
mod ridge;
mod softmax;

use crate::Cpu;
use draw::{Drawn, Said, draw};
use lipex_core::{
    Asked, Backend, Batching, BlackBox, Describe, Error, Exponential, Instance, Linear, Match, Normalise, Render,
    Result, Setting, Similarity, Softmax, Stage, TwoPart, TwoTower, checked_answers, expect_len, split_bits,
};
use std::ops::Range;

/// Asks a model for a batch of so many pairs: a row of numbers each.
type Ask<'a, P, Q> = dyn FnMut(&(P, Q), usize) -> Result<Vec<Vec<f64>>> + 'a;

/// Most pairs of masks that are rendered at a time.
const BATCH: usize = 1024;
/// Most unknowns of a design that is not a product; 50 × 50 features have 2,601.
const MOST_UNKNOWNS: usize = 2601;

/// How two inputs are explained together: InteractionLIME.
///
/// [`Match`] has an example with a model.
///
/// ```
/// use lipex_cpu::InteractionLime;
///
/// // The probability of a match of a dual encoder, 40 encodings a side and 20 to judge by.
/// let lime = InteractionLime::default().encodings(40)?.match_probability(20.0, 0.3)?;
/// assert!(lime.encodings(1).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InteractionLime {
    encodings: usize,
    samples: Option<usize>,
    judged: bool,
    proximity: Exponential,
    alpha: f64,
    softmax: Softmax,
    probability: Option<[f64; 2]>,
    batch_size: usize,
    seed: u64,
}

impl Default for InteractionLime {
    /// 80 encodings a side; of other models 4(d₁ + 1)(d₂ + 1) pairs of masks; judged; exponential proximity
    /// of width .25 a side; α = 10⁻⁴; λ = 10⁻⁴ under H²; seed 0.
    fn default() -> Self {
        InteractionLime {
            encodings: 80,
            samples: None,
            judged: true,
            proximity: Exponential::default(),
            alpha: 1e-4,
            softmax: Softmax::default().normalise(Normalise::Weight),
            probability: None,
            batch_size: 64,
            seed: 0,
        }
    }
}

impl InteractionLime {
    /// Encodings a side that a dual encoder's fit is made of; default 80. All masks where there are no more.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2.
    pub fn encodings(self, encodings: usize) -> Result<Self> {
        if encodings < 2 {
            return Err(Error::setting("encodings", encodings, "at least 2 a side"));
        }
        Ok(InteractionLime { encodings, ..self })
    }

    /// Pairs of masks that other models are asked for; default 4(d₁ + 1)(d₂ + 1), four a coefficient.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2.
    pub fn samples(self, samples: usize) -> Result<Self> {
        if samples < 2 {
            return Err(Error::setting("samples", samples, "at least 2"));
        }
        Ok(InteractionLime { samples: Some(samples), ..self })
    }

    /// Whether the fit is judged by pairs that it has not seen, for which a dual encoder gives half as many more encodings, and another
    /// model is asked a quarter more; default yes.
    pub fn judged(self, judged: bool) -> Self {
        InteractionLime { judged, ..self }
    }

    /// The proximity of each side's masks; the weight of a pair is the product. Default width .25.
    pub fn proximity(self, proximity: Exponential) -> Self {
        InteractionLime { proximity, ..self }
    }

    /// The ridge's penalty where weights sum to 1; default 10⁻⁴.
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and above 0.
    pub fn alpha(self, alpha: f64) -> Result<Self> {
        if alpha.is_finite() && alpha > 0.0 {
            Ok(InteractionLime { alpha, ..self })
        } else {
            Err(Error::setting("alpha", alpha, "a number above 0"))
        }
    }

    /// The surrogate of probabilities; its pairs and its intercept are set here.
    pub fn softmax(self, softmax: Softmax) -> Self {
        InteractionLime { softmax, ..self }
    }

    /// Takes a number s as the probability of a match, 1/(1 + exp(−scale·(s − shift))); classes are then "match" and "no match".
    ///
    /// # Errors
    /// [`Error::Setting`] for a scale of 0 and numbers that are not finite.
    pub fn match_probability(self, scale: f64, shift: f64) -> Result<Self> {
        if !scale.is_finite() || scale == 0.0 {
            return Err(Error::setting("scale", scale, "a number other than 0"));
        }
        if !shift.is_finite() {
            return Err(Error::setting("shift", shift, "a number"));
        }
        Ok(InteractionLime { probability: Some([scale, shift]), ..self })
    }

    /// Most pairs that a model of classes is asked for at a time, unless it cuts batches itself; default 64.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn batch_size(self, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::setting("batch-size", 0, "at least 1"));
        }
        Ok(InteractionLime { batch_size, ..self })
    }

    /// The seed of the masks; default 0.
    pub fn seed(self, seed: u64) -> Self {
        InteractionLime { seed, ..self }
    }

    /// Explains what a dual encoder says of two inputs.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; those of the model, and of rendering; [`Error::Setting`] for probabilities of parts with too many
    /// features.
    pub fn explain_towers<P, Q, I: Render<Cpu, P>, J: Render<Cpu, Q>>(
        &self,
        on: &Cpu,
        instance: &TwoPart<I, J>,
        model: &dyn TwoTower<P, Q>,
    ) -> Result<Match> {
        if self.probability.is_some() {
            affordable(instance.sizes())?;
        }
        let fresh = if self.judged { self.encodings / 2 } else { 0 };
        let draw = |features: usize| draw(on, features, self.encodings, fresh, self.seed);
        let sides = [draw(instance.sizes()[0])?, draw(instance.sizes()[1])?];
        let [first, second] = &sides;
        let watch = on.watch();
        watch.begin(Stage::Predict, first.rows() + second.rows());
        let a = model.first(&instance.first.render(on, &first.masks(on)?, 0..first.rows())?, watch)?;
        let b = model.second(&instance.second.render(on, &second.masks(on)?, 0..second.rows())?, watch)?;
        watch.finish();
        check_codes(&a, &b, [first.rows(), second.rows()])?;
        let codes = (&a[..], &b[..]);
        let fitted = self.pairs(&sides, [0..first.fitted, 0..second.fitted], model, codes)?;
        let complete = first.complete && second.complete;
        let fresh = match self.judged && !complete {
            true => self.pairs(&sides, [first.unseen(), second.unseen()], model, codes)?,
            false => Said::new(instance.sizes()),
        };
        let encodings = Some([first.rows(), second.rows()]);
        let asked = Asked { encodings, pairs: fitted.rows(), fresh: fresh.rows(), complete };
        let design = Some([first.fitted, second.fitted]);
        self.conclude(on, instance, Found { fitted, fresh, asked, design, classes: Vec::new() })
    }

    /// Every pair of these rows of the two sides.
    fn pairs<P, Q>(
        &self,
        sides: &[Drawn; 2],
        rows: [Range<usize>; 2],
        model: &dyn TwoTower<P, Q>,
        (a, b): (&[Vec<f32>], &[Vec<f32>]),
    ) -> Result<Said> {
        let [first, second] = sides;
        let weights = [first.weights(&self.proximity), second.weights(&self.proximity)];
        let mut said = Said::new([first.features, second.features]);
        for i in rows[0].clone() {
            for j in rows[1].clone() {
                let score = finite(model.score(&a[i], &b[j]))?;
                said.push([first.row(i), second.row(j)], weights[0][i] * weights[1][j], &[score]);
            }
        }
        Ok(said)
    }

    /// Explains a number that a model gives two inputs together.
    ///
    /// # Errors
    /// As [`explain_towers`](InteractionLime::explain_towers), and for parts with too many features.
    pub fn explain_scores<P, Q, I: Render<Cpu, P>, J: Render<Cpu, Q>>(
        &self,
        on: &Cpu,
        instance: &TwoPart<I, J>,
        model: &dyn Similarity<P, Q>,
    ) -> Result<Match> {
        let mut ask = |(first, second): &(P, Q), rows: usize| {
            let scores = model.similarities(first, second, on.watch())?;
            expect_len("numbers from the model", rows, scores.len())?;
            scores.into_iter().map(|s| Ok(vec![finite(s)?])).collect()
        };
        let found = self.ask(on, instance, BATCH, &mut ask)?;
        self.conclude(on, instance, found)
    }

    /// Explains the classes that a model gives two inputs together.
    ///
    /// # Errors
    /// As [`explain_scores`](InteractionLime::explain_scores); [`Error::Setting`] for independent labels.
    pub fn explain_classes<P, Q, I: Render<Cpu, P>, J: Render<Cpu, Q>>(
        &self,
        on: &Cpu,
        instance: &TwoPart<I, J>,
        model: &dyn BlackBox<Cpu, (P, Q)>,
    ) -> Result<Match> {
        if self.probability.is_some() {
            let reason = "the model gives probabilities already; a scale and a shift are for one that gives a number";
            return Err(Error::setting("scale", "a number", reason));
        }
        // A model that cuts its own batches tells how far it is.
        let own = model.batching() == Batching::Own;
        let mut ask = |both: &(P, Q), rows: usize| {
            let p = checked_answers(on, model, both, rows)?;
            if p.is_independent() {
                let reason = "a match has classes that exclude each other, or one number";
                return Err(Error::setting("model", "several labels at once", reason));
            }
            if !own {
                on.watch().advance(rows);
            }
            Ok((0..rows).map(|i| p.row(i).iter().map(|&v| f64::from(v)).collect()).collect())
        };
        let batch = if own { BATCH } else { self.batch_size };
        let mut found = self.ask(on, instance, batch, &mut ask)?;
        let named =
            |c: usize| model.labels().and_then(|labels| labels.get(c)).cloned().unwrap_or_else(|| c.to_string());
        found.classes = (0..found.fitted.columns()).map(named).collect();
        self.conclude(on, instance, found)
    }

    /// Draws masks of both parts at once, and asks for each.
    fn ask<P, Q, I: Render<Cpu, P>, J: Render<Cpu, Q>>(
        &self,
        on: &Cpu,
        instance: &TwoPart<I, J>,
        batch: usize,
        ask: &mut Ask<'_, P, Q>,
    ) -> Result<Found> {
        let sizes = instance.sizes();
        let samples = self.samples.unwrap_or(4 * affordable(sizes)?);
        let fresh = if self.judged { samples / 4 } else { 0 };
        let drawn = draw(on, sizes[0] + sizes[1], samples, fresh, self.seed)?;
        let rows = self.ask_drawn(on, instance, &drawn, batch.min(instance.largest_batch()), ask)?;
        let weights = self.joint_weights(&drawn, sizes);
        let said = |rows_of: Range<usize>| {
            let mut said = Said::new(sizes);
            for i in rows_of {
                let [first, second] = split_bits(drawn.row(i), sizes);
                said.push([&first, &second], weights[i], &rows[i]);
            }
            said
        };
        let fresh = if drawn.complete || !self.judged { 0..0 } else { drawn.unseen() };
        let (fitted, fresh) = (said(0..drawn.fitted), said(fresh));
        let asked = Asked { encodings: None, pairs: fitted.rows(), fresh: fresh.rows(), complete: drawn.complete };
        Ok(Found { fitted, fresh, asked, design: None, classes: Vec::new() })
    }

    /// The model's rows for the masks, batch by batch.
    fn ask_drawn<P, Q, I: Render<Cpu, P>, J: Render<Cpu, Q>>(
        &self,
        on: &Cpu,
        instance: &TwoPart<I, J>,
        drawn: &Drawn,
        batch: usize,
        ask: &mut Ask<'_, P, Q>,
    ) -> Result<Vec<Vec<f64>>> {
        let (masks, watch) = (drawn.masks(on)?, on.watch());
        let mut rows = Vec::with_capacity(drawn.rows());
        watch.begin(Stage::Predict, drawn.rows());
        for start in (0..drawn.rows()).step_by(batch.max(1)) {
            watch.check()?;
            let part = start..drawn.rows().min(start + batch.max(1));
            let both: (P, Q) = instance.render(on, &masks, part.clone())?;
            rows.extend(ask(&both, part.len())?);
        }
        watch.finish();
        Ok(rows)
    }

    /// π₁·π₂ of masks of both parts.
    fn joint_weights(&self, drawn: &Drawn, sizes: [usize; 2]) -> Vec<f64> {
        let tables = sizes.map(|size| self.proximity.table(size));
        let weight = |i: usize| {
            let parts = split_bits(drawn.row(i), sizes);
            tables.iter().zip(&parts).map(|(table, part)| table.values()[draw::kept(part)]).product()
        };
        (0..drawn.rows()).map(weight).collect()
    }

    /// Fits, and judges the fit.
    fn conclude<I: Instance, J: Instance>(&self, on: &Cpu, instance: &TwoPart<I, J>, found: Found) -> Result<Match> {
        let found = match self.probability {
            Some([scale, shift]) => found.matched(scale, shift),
            None => found,
        };
        let [answer, additive] = self.fit(on, &found)?;
        let Found { fitted, fresh, asked, classes, .. } = found;
        let judge = if asked.complete { &fitted } else { &fresh };
        let explained = match (explained(&answer, judge)?, explained(&additive, judge)?) {
            (Some(with), Some(without)) if self.judged => Some([with, without]),
            _ => None,
        };
        Ok(Match {
            parts: [instance.first.features().to_vec(), instance.second.features().to_vec()],
            settings: self.settings(&classes, instance),
            classes,
            whole: fitted.row(0).to_vec(),
            answer,
            additive,
            explained,
            asked,
        })
    }

    /// With what is across the parts, and without.
    fn fit(&self, on: &Cpu, found: &Found) -> Result<[Linear; 2]> {
        if !found.classes.is_empty() {
            return softmax::fit(on, &found.fitted, &self.softmax);
        }
        let (watch, said) = (on.watch(), &found.fitted);
        let bilinear = match found.design {
            Some(design) => ridge::product(watch, said, design, self.alpha)?,
            None => ridge::joint(watch, said, self.alpha)?,
        };
        Ok([bilinear.linear()?, ridge::additive(watch, said, self.alpha)?.linear()?])
    }

    /// The settings that were in use, and the instance's.
    fn settings<I: Instance, J: Instance>(&self, classes: &[String], instance: &TwoPart<I, J>) -> Vec<Setting> {
        let mut settings = vec![Setting::new("method", "interaction-lime"), Setting::new("sampler", "bernoulli:0.5")];
        settings.extend(self.proximity.describe());
        match classes.is_empty() {
            true => settings.extend([Setting::new("surrogate", "bilinear-ridge"), Setting::new("alpha", self.alpha)]),
            false => {
                settings.push(Setting::new("surrogate", "bilinear-softmax"));
                let told = ["divergence", "lambda", "normalise"];
                settings.extend(self.softmax.describe().into_iter().filter(|s| told.contains(&s.name.as_str())));
            }
        }
        if let Some([scale, shift]) = self.probability {
            settings.extend([Setting::new("scale", scale), Setting::new("shift", shift)]);
        }
        settings.push(Setting::new("seed", self.seed));
        settings.extend(instance.settings().into_iter().map(|(setting, _)| setting));
        settings
    }
}

/// What the model said, and how the rows were made.
struct Found {
    fitted: Said,
    fresh: Said,
    asked: Asked,
    /// m₁ and m₂ of a product design.
    design: Option<[usize; 2]>,
    /// None where the model gives one number.
    classes: Vec<String>,
}

impl Found {
    /// Numbers as probabilities of a match.
    fn matched(self, scale: f64, shift: f64) -> Self {
        let of = |s: &[f64]| {
            let p = 1.0 / (1.0 + (-scale * (s[0] - shift)).exp());
            vec![p, 1.0 - p]
        };
        let classes = vec!["match".into(), "no match".into()];
        Found { fitted: self.fitted.with(of), fresh: self.fresh.with(of), classes, ..self }
    }
}

/// The unknowns of a bilinear answer.
///
/// # Errors
/// [`Error::Setting`] where they are too many for a design that is no product.
fn affordable(sizes: [usize; 2]) -> Result<usize> {
    let unknowns = (sizes[0] + 1) * (sizes[1] + 1);
    if unknowns <= MOST_UNKNOWNS {
        return Ok(unknowns);
    }
    let reason = format!(
        "its parts of {} and {} features have {unknowns} coefficients together, and at most {MOST_UNKNOWNS} are fitted; take \
         sentences as features, shorter inputs, or the similarity of a dual encoder, which has no such limit",
        sizes[0], sizes[1]
    );
    Err(Error::Instance(format!("the pair cannot be explained: {reason}")))
}

/// One code an input, all of one length.
fn check_codes(first: &[Vec<f32>], second: &[Vec<f32>], rows: [usize; 2]) -> Result<()> {
    expect_len("codes of the first part", rows[0], first.len())?;
    expect_len("codes of the second part", rows[1], second.len())?;
    let length = first.first().map_or(0, Vec::len);
    first.iter().chain(second).try_for_each(|code| expect_len("numbers in a code", length, code.len()))
}

fn finite(score: f64) -> Result<f64> {
    if score.is_finite() { Ok(score) } else { Err(Error::model(format!("it gave {score} for a pair of inputs"))) }
}

/// 1 − Σ π‖y − q‖²/Σ π‖y − ȳ‖²; `None` without rows, and where all are the same.
fn explained(answer: &Linear, said: &Said) -> Result<Option<f64>> {
    if said.rows() == 0 {
        return Ok(None);
    }
    let sum: f64 = said.weights.iter().sum();
    let mean = |c: usize| (0..said.rows()).map(|i| said.weights[i] * said.row(i)[c]).sum::<f64>() / sum;
    let means: Vec<f64> = (0..said.columns()).map(mean).collect();
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let (mut left, mut all) = (0.0, 0.0);
    for (i, weight) in said.weights.iter().enumerate() {
        left += weight * apart(said.row(i), &answer.predict(&said.keeps(i))?);
        all += weight * apart(said.row(i), &means);
    }
    Ok((all > 1e-12 * sum).then(|| 1.0 - left / all))
}
