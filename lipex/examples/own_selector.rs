//! A selector of one's own: the words with which a class's probability differs most, each judged alone.
//! `cargo run --release -p lipex --example own_selector`

use lipex::prelude::*;
use lipex::{Neighbourhood, Selection, Selector, Setting};

/// The `k` words of largest |mean with the word − mean without it| a class.
struct Differences {
    k: usize,
}

impl Describe for Differences {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("select", format!("differences:{}", self.k))]
    }
}

impl Differences {
    fn difference(around: &Neighbourhood<Cpu>, class: usize, feature: usize) -> f64 {
        // Without the feature, with it: Σ π and Σ π p.
        let mut sums = [[0.0; 2]; 2];
        for i in 0..around.rows() {
            let weight = f64::from(around.weights.values()[i]);
            let side = &mut sums[usize::from(around.masks.keeps(i, feature))];
            side[0] += weight;
            side[1] += weight * f64::from(around.probabilities.row(i)[class]);
        }
        let [without, with] = sums.map(|[weight, sum]| if weight > 0.0 { sum / weight } else { 0.0 });
        (with - without).abs()
    }
}

impl Selector<Cpu> for Differences {
    fn select(&self, _: &Cpu, around: &[Neighbourhood<Cpu>]) -> lipex::Result<Vec<Selection>> {
        let one = |around: &Neighbourhood<Cpu>| {
            let picks = |class| {
                let mut order: Vec<(f64, usize)> =
                    (0..around.masks.features()).map(|j| (Self::difference(around, class, j), j)).collect();
                order.sort_by(|a, b| b.0.total_cmp(&a.0));
                order.into_iter().take(self.k).map(|(_, j)| j).collect()
            };
            Selection::new((0..around.probabilities.classes()).map(picks).collect())
        };
        Ok(around.iter().map(one).collect())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    let explanation = lipex().selector(Differences { k: 2 }).explain(&text, &DemoModel::embedded())?;
    let kept: Vec<&str> = explanation.kept().iter().map(|&j| explanation.features[j].name.as_str()).collect();
    println!("kept for the seven classes: {kept:?}");
    println!("departures: {:?}", explanation.departures.iter().map(|d| &d.name).collect::<Vec<_>>());
    assert!(kept.contains(&"surprise") && kept.contains(&"joy") && kept.len() <= 14);
    assert!(explanation.departures.iter().any(|d| d.value == "differences:2"));
    Ok(())
}
