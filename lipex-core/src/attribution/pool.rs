//! Scores of features: numbers of a point brought together.

use super::{Attribution, Local, Output};
use crate::describe::Setting;
use crate::error::{Error, Result, expect_len};
use crate::render::Feature;

/// How the scores of a feature's tokens or pixels become one.
///
/// ```
/// use lipex_core::Gather;
///
/// assert_eq!((Gather::Sum.of(6.0, 4), Gather::Mean.of(6.0, 4)), (6.0, 1.5));
/// assert_eq!(Gather::Mean.of(0.0, 0), 0.0); // a segment that the model sees no pixel of
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gather {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean; 0 where there are none.
    Mean,
}

impl Gather {
    /// One score of a sum over so many places.
    pub fn of(self, sum: f64, places: usize) -> f64 {
        match self {
            Gather::Sum => sum,
            Gather::Mean => sum / places.max(1) as f64,
        }
    }
}

/// How the numbers of one token or pixel become one score.
///
/// ```
/// use lipex_core::Pool;
///
/// assert_eq!(Pool::L2.of([3.0f32, -4.0].into_iter()), 5.0);
/// assert_eq!(Pool::Sum.of([3.0f32, -4.0].into_iter()), -1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pool {
    /// Their sum: the only one that keeps completeness.
    #[default]
    Sum,
    /// The sum of their sizes.
    AbsSum,
    /// Their Euclidean length.
    L2,
}

impl Pool {
    /// One score of several.
    pub fn of(self, numbers: impl Iterator<Item = f32>) -> f64 {
        let wide = numbers.map(f64::from);
        match self {
            Pool::Sum => wide.sum(),
            Pool::AbsSum => wide.map(f64::abs).sum(),
            Pool::L2 => wide.map(|n| n * n).sum::<f64>().sqrt(),
        }
    }
}

/// Scores of features for every output.
///
/// ```
/// # use lipex_core::{Evaluation, GradientRule, Local, Output, Result};
/// # struct Line;
/// # impl Local for Line {
/// #     fn point(&self) -> &[f32] {
/// #         &[1.0, 3.0]
/// #     }
/// #     fn shape(&self) -> &[usize] {
/// #         &[1, 2]
/// #     }
/// #     fn owners(&self) -> &[Option<u32>] {
/// #         &[Some(0)]
/// #     }
/// #     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
/// #         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
/// #         Ok(points.chunks(2).map(at).collect())
/// #     }
/// # }
/// # use lipex_core::{Attribution, Describe, Setting};
/// # struct Products;
/// # impl Describe for Products {
/// #     fn describe(&self) -> Vec<Setting> {
/// #         vec![Setting::new("method", "products")]
/// #     }
/// # }
/// # impl Attribution for Products {
/// #     fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
/// #         let gradient = at.evaluate(at.point(), output, GradientRule::Plain)?.remove(0).gradient;
/// #         Ok(gradient.iter().zip(at.point()).map(|(g, x)| g * x).collect())
/// #     }
/// # }
/// use lipex_core::{Attributions, Feature, Pool};
///
/// // `Products` gives the two numbers of the only token 2 and −3.
/// let word = vec![Feature { name: "fine".into(), ..Feature::default() }];
/// let sum = Attributions::pool(&Products, &Line, &[Output::Logit(0)], word.clone(), Pool::Sum)?;
/// assert_eq!(sum.scores, [[-1.0]]);
/// let sizes = Attributions::pool(&Products, &Line, &[Output::Logit(0)], word, Pool::AbsSum)?;
/// assert_eq!(sizes.scores, [[5.0]]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributions {
    /// The method and its settings.
    pub method: Vec<Setting>,
    /// The features.
    pub features: Vec<Feature>,
    /// A row an output, a column a feature.
    pub scores: Vec<Vec<f64>>,
    /// What tokens or pixels of no feature were given, an output each.
    pub outside: Vec<f64>,
    /// How far the scores' sum is from what it should be, an output each; `None` for methods that promise no sum.
    pub delta: Option<Vec<f64>>,
    /// What the sum should be, an output each: what the output moves by between the base and the input; `None` as `delta`.
    pub total: Option<Vec<f64>>,
}

impl Attributions {
    /// How far the sums are off at most, as a share of what they should be; of sums below a thousandth of the largest, as a share
    /// of that. `None` for methods that promise no sum.
    ///
    /// ```
    /// use lipex_core::Attributions;
    ///
    /// let found = Attributions { delta: Some(vec![0.1, 0.0]), total: Some(vec![-5.0, 2.0]), ..Attributions::default() };
    /// assert_eq!(found.off(), Some(0.02));
    /// ```
    pub fn off(&self) -> Option<f64> {
        let (deltas, totals) = self.delta.as_ref().zip(self.total.as_ref())?;
        let least = 1e-3 * totals.iter().fold(0.0, |most: f64, t| most.max(t.abs()));
        let share = |(delta, total): (&f64, &f64)| match delta.abs() {
            0.0 => 0.0,
            off => off / total.abs().max(least),
        };
        deltas.iter().zip(totals).map(share).reduce(f64::max)
    }

    /// The scores of a method for outputs: numbers pooled over each token or pixel, then brought together over a feature's as the
    /// method says ([`Attribution::gather`]).
    ///
    /// # Errors
    /// Those of the method; [`Error::Shape`] where owners and features do not go together.
    pub fn pool(
        method: &dyn Attribution,
        at: &dyn Local,
        outputs: &[Output],
        features: Vec<Feature>,
        pool: Pool,
    ) -> Result<Self> {
        let mut all = Attributions { method: method.describe(), features, ..Attributions::default() };
        let (mut deltas, mut totals) = (Vec::new(), Vec::new());
        let each = method.attribute_each(at, outputs)?;
        expect_len("outputs with scores", outputs.len(), each.len())?;
        for (&output, numbers) in outputs.iter().zip(each) {
            expect_len("scores of the point", at.point().len(), numbers.len())?;
            if let Some(total) = method.total(at, output)? {
                deltas.push(numbers.iter().copied().map(f64::from).sum::<f64>() - total);
                totals.push(total);
            }
            let (scores, outside) = pooled(&numbers, at, all.features.len(), (pool, method.gather()))?;
            all.scores.push(scores);
            all.outside.push(outside);
        }
        if deltas.len() == outputs.len() && !deltas.is_empty() {
            (all.delta, all.total) = (Some(deltas), Some(totals));
        }
        Ok(all)
    }
}

/// Scores of features, and of what belongs to none.
fn pooled(numbers: &[f32], at: &dyn Local, features: usize, (pool, gather): (Pool, Gather)) -> Result<(Vec<f64>, f64)> {
    let places = at.owners().len();
    let each = numbers.len() / places.max(1);
    // Channels lie in planes, one after the other; a token's dimensions side by side.
    let planes = at.shape().len() == 3;
    // The last is of those that belong to no feature.
    let mut sums = vec![(0.0, 0); features + 1];
    for (i, owner) in at.owners().iter().enumerate() {
        let number = |k: usize| numbers[if planes { k * places + i } else { i * each + k }];
        let j = owner.map_or(features, |j| j as usize);
        if owner.is_some() && j >= features {
            return Err(Error::shape("owner (below the number of features)", features, j));
        }
        sums[j].0 += pool.of((0..each).map(number));
        sums[j].1 += 1;
    }
    let mut scores: Vec<f64> = sums.into_iter().map(|(sum, places)| gather.of(sum, places)).collect();
    let outside = scores.pop().unwrap_or(0.0);
    Ok((scores, outside))
}

#[cfg(test)]
mod tests {
    use super::super::{Evaluation, GradientRule};
    use super::*;
    use crate::describe::Describe;

    /// w·x over 2 tokens of 2 dimensions, the second token outside.
    struct Line;

    impl Local for Line {
        fn point(&self) -> &[f32] {
            &[1.0, 2.0, 3.0, 4.0]
        }

        fn shape(&self) -> &[usize] {
            &[2, 2]
        }

        fn owners(&self) -> &[Option<u32>] {
            &[Some(0), None]
        }

        fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
            let gradient = vec![1.0, -1.0, 0.5, 2.0];
            let value = |x: &[f32]| x.iter().zip(&gradient).map(|(x, w)| f64::from(x * w)).sum();
            Ok(points.chunks(4).map(|x| Evaluation { value: value(x), gradient: gradient.clone() }).collect())
        }
    }

    struct Products;

    impl Describe for Products {
        fn describe(&self) -> Vec<Setting> {
            vec![Setting::new("method", "products")]
        }
    }

    impl Attribution for Products {
        fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
            let gradient = at.evaluate(at.point(), output, GradientRule::Plain)?.remove(0).gradient;
            Ok(gradient.iter().zip(at.point()).map(|(g, x)| g * x).collect())
        }

        fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
            Ok(Some(at.evaluate(at.point(), output, GradientRule::Plain)?[0].value))
        }
    }

    #[test]
    fn scores_are_pooled_and_add_up() {
        let feature = vec![Feature { name: "a".into(), ..Feature::default() }];
        let found = Attributions::pool(&Products, &Line, &[Output::Logit(0)], feature.clone(), Pool::Sum).unwrap();
        assert_eq!((found.scores, found.outside, found.delta), (vec![vec![-1.0]], vec![9.5], Some(vec![0.0])));
        let found = Attributions::pool(&Products, &Line, &[Output::Logit(0)], feature, Pool::AbsSum).unwrap();
        assert_eq!((found.scores, found.outside), (vec![vec![3.0]], vec![9.5]));
        assert!(Attributions::pool(&Products, &Line, &[Output::Logit(0)], vec![], Pool::Sum).is_err());
    }

    /// The mean of a feature's tokens, all of one feature.
    struct Means;

    impl Describe for Means {
        fn describe(&self) -> Vec<Setting> {
            vec![Setting::new("method", "means")]
        }
    }

    impl Attribution for Means {
        fn attribute(&self, at: &dyn Local, _: Output) -> Result<Vec<f32>> {
            Ok(at.point().to_vec())
        }

        fn gather(&self) -> Gather {
            Gather::Mean
        }
    }

    /// Three pixels of two channels, the last outside.
    struct Pixels;

    impl Local for Pixels {
        fn point(&self) -> &[f32] {
            &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0]
        }

        fn shape(&self) -> &[usize] {
            &[2, 1, 3]
        }

        fn owners(&self) -> &[Option<u32>] {
            &[Some(1), Some(1), None]
        }

        fn evaluate(&self, _: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
            Err(Error::model("is not asked"))
        }
    }

    #[test]
    fn a_method_may_want_the_mean_of_its_places() {
        let features = vec![Feature::default(), Feature::default()];
        let found = Attributions::pool(&Means, &Pixels, &[Output::Logit(0)], features, Pool::Sum).unwrap();
        assert_eq!((found.scores, found.outside), (vec![vec![0.0, 16.5]], vec![33.0]));
    }
}
