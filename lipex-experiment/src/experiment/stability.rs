//! Do rankings hold when masks are confined to an angle around the instance, and when they are drawn again?
//!
//! The paper's Algorithm 2: features are those of the first method's own run; every method is fitted to its masks on these, then to those of
//! its masks within δ, and the first k features of the predicted class are compared. Rankings are made anew from each restricted fit.

use super::{Experiment, Line, no_surrogate};
use crate::measure::jaccard;
use crate::method::{Fitted, Method};
use crate::occasion::Occasion;
use lipex::{Angle, Cpu, Domain, Masks, Neighbourhood, Probabilities, Rank, Result, Weights, arg_max};
use std::f64::consts::PI;

/// Features of the predicted class that are compared.
const TOP: usize = 5;
/// Added to the round for masks that are drawn again.
const AGAIN: u64 = 1 << 32;

/// The angles by their names, those of texts and of images.
fn angles(domain: Domain) -> [(&'static str, f64); 4] {
    match domain {
        Domain::Image => {
            [("07pi/30", 7.0 * PI / 30.0), ("08pi/30", 8.0 * PI / 30.0), ("09pi/30", 0.3 * PI), ("15pi/30", PI / 2.0)]
        }
        _ => [("1pi/16", PI / 16.0), ("2pi/16", PI / 8.0), ("4pi/16", PI / 4.0), ("8pi/16", PI / 2.0)],
    }
}

/// A method fitted to all of its masks.
struct Full<'a> {
    method: &'a Fitted,
    around: Neighbourhood<Cpu>,
    top: Vec<usize>,
}

pub fn run<Batch>(
    at: &Occasion<'_, Batch>,
    methods: &[Box<dyn Method<Batch> + '_>],
    round: usize,
) -> Result<Vec<Line>> {
    let fitted: Vec<&Fitted> = methods
        .iter()
        .map(|method| method.fitted().ok_or_else(|| no_surrogate(Experiment::Stability, method.name())))
        .collect::<Result<_>>()?;
    let Some(first) = fitted.first() else { return Ok(Vec::new()) };
    let (e, _) = first.around(at, round as u64)?;
    let features = e.kept().to_vec();
    let full: Vec<Full<'_>> =
        fitted.into_iter().map(|method| Full::new(at, method, &features, round as u64)).collect::<Result<_>>()?;
    full.iter().map(|own| own.line(at, &features, &full, round)).collect()
}

impl<'a> Full<'a> {
    fn new<Batch>(at: &Occasion<'_, Batch>, method: &'a Fitted, features: &[usize], seed: u64) -> Result<Self> {
        let (_, around) = method.around(at, seed)?;
        let top = top(method, &around, features)?;
        Ok(Full { method, around, top })
    }

    fn line<Batch>(
        &self,
        at: &Occasion<'_, Batch>,
        features: &[usize],
        all: &[Full<'_>],
        round: usize,
    ) -> Result<Line> {
        let (_, again) = self.method.around(at, round as u64 + AGAIN)?;
        let mut measures = vec![("again".to_string(), jaccard(&self.top, &top(self.method, &again, features)?))];
        for (name, angle) in angles(at.domain()) {
            let within = within(at.on(), &self.around, Angle::new(angle)?.most_removed(at.features()))?;
            measures.push((format!("masks_within_{name}"), within.rows() as f64));
            // The instance alone says nothing.
            if within.rows() < 3 {
                continue;
            }
            let restricted = top(self.method, &within, features)?;
            measures.push((format!("own_{name}"), jaccard(&restricted, &self.top)));
            // The third curve is against the second method, LIME in the paper.
            if let Some(second) = all.get(1).filter(|second| second.method.name() != self.method.name()) {
                measures.push((format!("second_{name}"), jaccard(&restricted, &second.top)));
            }
        }
        Ok(Line::new(self.method.name(), measures))
    }
}

/// The first features of the class that the model gives the instance, row 0, by a fit on such features.
fn top(method: &Fitted, around: &Neighbourhood<Cpu>, features: &[usize]) -> Result<Vec<usize>> {
    let p: Vec<f64> = around.probabilities.row(0).iter().map(|&p| f64::from(p)).collect();
    let shares = method.shares(around, features)?;
    let row = &shares[arg_max(&p)];
    let worth = |j: &usize| match method.rank() {
        Rank::Absolute => row[*j].abs(),
        _ => row[*j],
    };
    let mut order: Vec<usize> = (0..features.len().min(row.len())).collect();
    order.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.cmp(b)));
    Ok(order.into_iter().take(TOP).map(|j| features[j]).collect())
}

/// The rows that remove so many features at most; the instance is one.
fn within(on: &Cpu, around: &Neighbourhood<Cpu>, most_removed: usize) -> Result<Neighbourhood<Cpu>> {
    let features = around.masks.features();
    let near = |&i: &usize| features - around.masks.count(i) <= most_removed;
    let rows: Vec<usize> = (0..around.rows()).filter(near).collect();
    let index: Vec<u32> = rows.iter().map(|&i| i as u32).collect();
    let bits: Vec<u32> = rows.iter().flat_map(|&i| around.masks.row(i).iter().copied()).collect();
    let probabilities: Probabilities<Cpu> = around.probabilities.gather(on, &index)?;
    let weights = rows.iter().map(|&i| around.weights.values()[i]).collect();
    Neighbourhood::new(on, Masks::new(on, rows.len(), features, bits)?, probabilities, Weights::new(weights))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex::{TextFn, TextInstance, Texts};

    #[test]
    fn confined_masks_are_those_that_remove_few() {
        let model = TextFn::new(["bad", "good"], |texts: &[&str]| vec![[0.4, 0.6]; texts.len()]);
        let text = TextInstance::new("one two three four five six seven eight nine ten").unwrap();
        let at: Occasion<'_, Texts> = Occasion::new(&text, &model).unwrap();
        let lipex = Fitted::by_name("lipex:samples=200,enumerate=never", Domain::Text).unwrap();
        let (_, around) = lipex.around(&at, 0).unwrap();
        let near = within(at.on(), &around, 2).unwrap();
        let expected = (0..around.rows()).filter(|&i| around.masks.count(i) >= 8).count();
        assert_eq!(near.rows(), expected);
        assert!((2..around.rows()).contains(&expected), "{expected}");
        assert!((0..near.rows()).all(|i| near.masks.count(i) >= 8));
        assert_eq!(near.masks.count(0), 10);
        assert_eq!(within(at.on(), &around, 10).unwrap().rows(), around.rows());
    }
}
