//! Everything that an explanation may hold and a plain run does not: made-up errors, a growing run, a change.

use lipex::{Dependence, Explanation, FewRows, Flip, Growth, InTop, Look, Method, Settling, Uncertainty};

/// Adds standard errors from 0.05 to 0.25 (independent classes), a growth path and an answer to "what would make it …".
pub fn add(e: &mut Explanation) {
    let (c, d, f) = (e.classes.len(), e.features.len(), e.kept().len());
    let se = |class: usize, j: usize| 0.05 * (1.0 + ((3 * class + 5 * j) % 5) as f64);
    let variance = |a: usize, b: usize, j: usize| if a == b { se(a, j).powi(2) } else { 0.0 };
    e.uncertainty = Some(Uncertainty {
        method: Method::Sandwich,
        rows: Dependence::Independent,
        level: 0.95,
        std_error: (0..c).map(|a| (0..f).map(|j| se(a, j)).collect()).collect(),
        contrasted: Vec::new(),
        covariance: (0..f).map(|j| (0..c).map(|a| (0..c).map(|b| variance(a, b, j)).collect()).collect()).collect(),
        quantile: 1.96,
        band: 3.1,
        few_rows: Some(FewRows { degrees: 40.5, unevenness: 0.01 }),
        terms: None,
        in_top: Some(InTop {
            k: 3,
            refits: 200,
            share: (0..c).map(|a| (0..d).map(|j| ((a + 2 * j) % 11) as f64 / 10.0).collect()).collect(),
        }),
        shrinkage: Some(0.93),
        relaxed: None,
        needed: Some(4 * e.calls.masks),
        settling: Some(Settling {
            class: e.predicted(),
            k: 3,
            indifference: 0.1,
            met: false,
            needed: Some(2 * e.calls.masks),
            interchangeable: vec![(0..d.min(2)).collect()],
        }),
        not_covered: vec!["Which features are kept: the bars take the selection as given.".into()],
    });
    let look = |masks: usize, half_width: f64, met: bool| Look { masks, inputs: masks * 7 / 10, half_width, met };
    e.growth = Some(Growth {
        rule: "settled 3:0.1".into(),
        class: e.predicted(),
        looks: vec![look(100, 0.81, false), look(150, 0.66, false), look(200, 0.55, true)],
        met: true,
        needed: None,
        stopped: "the top 3 are settled".into(),
        interchangeable: vec![(0..d.min(3)).collect()],
    });
    let to = e.classes_by_probability()[1];
    let mut surrogate = e.probabilities.surrogate.clone();
    surrogate.swap(to, e.predicted());
    let mut model = e.probabilities.model.clone();
    model.swap(to, e.predicted());
    e.flip = Some(Flip { class: to, remove: Some(vec![e.kept()[0]]), surrogate, model, checked: true });
}
