//! Are classes explained by different features?

use super::Line;
use crate::measure::jaccard;
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::Result;

/// Features of each class that are compared.
const TOP: usize = 5;

pub fn run<Batch>(
    at: &Occasion<'_, Batch>,
    methods: &[Box<dyn Method<Batch> + '_>],
    round: usize,
) -> Result<Vec<Line>> {
    let of = |method: &dyn Method<Batch>| -> Result<Line> {
        let outcome = method.explain(at, round as u64)?;
        let [first, second] = [at.predicted(), at.second()].map(|class| outcome.supporting(class, TOP));
        let either = !(first.is_empty() && second.is_empty());
        let overlap = either.then(|| jaccard(&first, &second));
        let measures = [
            ("overlap".to_string(), overlap),
            ("supporting_first".to_string(), Some(first.len() as f64)),
            ("supporting_second".to_string(), Some(second.len() as f64)),
        ];
        Ok(Line::new(method.name(), measures.into_iter().filter_map(|(name, value)| Some((name, value?)))))
    };
    methods.iter().map(|method| of(method.as_ref())).collect()
}
