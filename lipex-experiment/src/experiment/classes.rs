//! Are classes explained by different features?

use super::{Line, named};
use crate::measure::jaccard;
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::Result;

/// Features of each class that are compared.
const TOP: usize = 5;

pub fn of_method<Batch>(at: &Occasion<'_, Batch>, method: &dyn Method<Batch>, round: usize) -> Result<Line> {
    let outcome = method.explain(at, round as u64)?;
    let [first, second] = [at.predicted(), at.second()].map(|class| outcome.supporting(class, TOP));
    let either = !(first.is_empty() && second.is_empty());
    let measures = [
        ("overlap", either.then(|| jaccard(&first, &second))),
        ("supporting_first", Some(first.len() as f64)),
        ("supporting_second", Some(second.len() as f64)),
    ];
    Ok(Line::new(method.name(), measures.into_iter().filter_map(|(name, value)| named(name, value))))
}
