//! Do the features that are named matter to the model?

use super::Line;
use crate::measure::Removals;
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::Result;

/// Rankings are tried to this length.
const MOST: usize = 5;

pub fn of_method<Batch>(at: &Occasion<'_, Batch>, method: &dyn Method<Batch>, round: usize) -> Result<Line> {
    let outcome = method.explain(at, round as u64)?;
    let class = at.predicted();
    let by_rank = Removals::new(at, &outcome.ranking(class), MOST)?;
    let mut measures = vec![
        ("comprehensiveness".to_string(), by_rank.comprehensiveness()),
        ("comprehensiveness_tv".to_string(), by_rank.comprehensiveness_tv()),
        ("sufficiency".to_string(), by_rank.sufficiency()),
        ("sufficiency_tv".to_string(), by_rank.sufficiency_tv()),
        ("calls".to_string(), outcome.calls as f64),
    ];
    let flips = |removals: &Removals, name: &str| {
        (1..=MOST).map(|k| (format!("{name}_{k}"), f64::from(removals.flips(k)))).collect::<Vec<_>>()
    };
    measures.extend(flips(&by_rank, "flips"));
    if let Some(greedy) = outcome.greedy(class)? {
        measures.extend(flips(&Removals::new(at, &greedy, MOST)?, "greedy"));
    }
    Ok(Line::new(method.name(), measures))
}
