//! The bilinear ridge, in closed form.
//!
//! # What is minimised
//! Σ π (y − z̃₁ᵀW̃ z̃₂)² + α‖W̃‖², Σπ = 1, z̃ = [1; z], all of W̃ in presence coding.
//!
//! # Product design
//! Of √Π₁A = U₁S₁Q₁ᵀ and √Π₂B = U₂S₂Q₂ᵀ, A and B with a row z̃ a mask: W̃ = Q₁ [s₁s₂ · U₁ᵀ√Π₁ Y √Π₂U₂ / (s₁²s₂² + α)] Q₂ᵀ,
//! entry by entry. S² and Q are the eigenvalues and eigenvectors of AᵀΠA.
//!
//! # Any design
//! The normal equations of K = (d₁ + 1)(d₂ + 1) unknowns; with fewer rows the dual system of N rows, whose kernel is
//! (z̃₁·z̃₁′)(z̃₂·z̃₂′).

use super::draw::{Said, kept};
use crate::linalg::Cholesky;
use lipex_core::{Bilinear, Result, Svd, Watch};

/// W̃ as b, u, v and W.
fn parts(w: Vec<Vec<f64>>) -> Bilinear {
    let mut rows = w.into_iter();
    let (base, second) = rows.next().map(|row| split(&row)).unwrap_or_default();
    let (first, together) = rows.map(|row| split(&row)).unzip();
    Bilinear { base, first, second, together }
}

fn split(row: &[f64]) -> (f64, Vec<f64>) {
    row.split_first().map(|(first, rest)| (*first, rest.to_vec())).unwrap_or_default()
}

/// z̃ of a mask.
fn with_one(mask: &[u32], features: usize) -> impl Iterator<Item = f64> {
    std::iter::once(1.0).chain((0..features).map(|j| f64::from(mask[j / 32] >> (j % 32) & 1)))
}

/// Weights that sum to 1.
fn shares(weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

/// The fit where rows are all pairs of `design[0]` first with `design[1]` second masks, the second fastest.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted).
pub(super) fn product(watch: &Watch, said: &Said, design: [usize; 2], alpha: f64) -> Result<Bilinear> {
    let [m1, m2] = design;
    // The instance weighs 1 on each side, so that its row and column of weights are the sides' own.
    let first = shares(&(0..m1).map(|i| said.weights[i * m2]).collect::<Vec<_>>());
    let second = shares(&said.weights[..m2]);
    let [d1, d2] = said.sizes;
    let one = Svd::of(&scaled(&first, |i| with_one(said.masks(i * m2)[0], d1).collect()));
    watch.check()?;
    let two = Svd::of(&scaled(&second, |j| with_one(said.masks(j)[1], d2).collect()));
    watch.check()?;
    let values = |i: usize, j: usize| (first[i] * second[j]).sqrt() * said.values[i * m2 + j];
    // √Π₁ Y √Π₂ U₂, m₁ rows.
    let right: Vec<Vec<f64>> =
        (0..m1).map(|i| two.left.iter().map(|u| (0..m2).map(|j| values(i, j) * u[j]).sum()).collect()).collect();
    let mut w = vec![vec![0.0; d2 + 1]; d1 + 1];
    for (k, s1) in one.values.iter().enumerate() {
        let mut row = vec![0.0; d2 + 1];
        for (l, s2) in two.values.iter().enumerate() {
            let inner: f64 = one.left[k].iter().zip(&right).map(|(u, r)| u * r[l]).sum();
            let entry = s1 * s2 * inner / (s1 * s1 * s2 * s2 + alpha);
            row.iter_mut().zip(&two.right[l]).for_each(|(to, q)| *to += entry * q);
        }
        for (to, q) in w.iter_mut().zip(&one.right[k]) {
            to.iter_mut().zip(&row).for_each(|(to, r)| *to += q * r);
        }
    }
    Ok(parts(w))
}

/// √Π Z̃, a row a mask.
fn scaled(weights: &[f64], mask: impl Fn(usize) -> Vec<f64>) -> Vec<Vec<f64>> {
    let row = |i: usize| mask(i).into_iter().map(|z| z * weights[i].sqrt()).collect();
    (0..weights.len()).map(row).collect()
}

/// The unknowns that a row has a 1 for, ascending, of (d₁ + 1)(d₂ + 1).
fn ones(said: &Said, i: usize) -> Vec<usize> {
    let [d1, d2] = said.sizes;
    let [first, second] = said.masks(i);
    let at = |mask: &[u32], size: usize| -> Vec<usize> {
        with_one(mask, size).enumerate().filter(|(_, z)| *z > 0.0).map(|(k, _)| k).collect()
    };
    let second = at(second, d2);
    at(first, d1).into_iter().flat_map(|k| second.iter().map(move |l| k * (d2 + 1) + l)).collect()
}

/// The fit to any rows.
///
/// # Cost
/// min(K, N)³/3 and N·K²/32 additions, K²·8 bytes.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted).
pub(super) fn joint(watch: &Watch, said: &Said, alpha: f64) -> Result<Bilinear> {
    let [d1, d2] = said.sizes;
    let weights = shares(&said.weights);
    let unknowns = (d1 + 1) * (d2 + 1);
    let w = match said.rows() < unknowns {
        true => dual(watch, said, &weights, alpha)?,
        false => primal(watch, said, &weights, alpha)?,
    };
    Ok(parts(w.chunks(d2 + 1).map(<[f64]>::to_vec).collect()))
}

fn primal(watch: &Watch, said: &Said, weights: &[f64], alpha: f64) -> Result<Vec<f64>> {
    let unknowns = said.sizes.iter().map(|d| d + 1).product();
    let mut gram = vec![0.0; unknowns * unknowns];
    let mut right = vec![0.0; unknowns];
    for (i, weight) in weights.iter().enumerate() {
        watch.check()?;
        let ones = ones(said, i);
        for (n, &k) in ones.iter().enumerate() {
            right[k] += weight * said.values[i];
            let row = &mut gram[k * unknowns..][..unknowns];
            ones[..=n].iter().for_each(|&l| row[l] += weight);
        }
    }
    (0..unknowns).for_each(|k| gram[k * unknowns + k] += alpha);
    Cholesky::new(watch, gram, unknowns)?.solve(&mut right);
    Ok(right)
}

/// (√Π K √Π + αI) c = √Π y, W̃ = Σ c √π z̃₁z̃₂ᵀ.
fn dual(watch: &Watch, said: &Said, weights: &[f64], alpha: f64) -> Result<Vec<f64>> {
    let rows = said.rows();
    let both = |a: &[u32], b: &[u32]| 1.0 + kept(&a.iter().zip(b).map(|(a, b)| a & b).collect::<Vec<_>>()) as f64;
    let mut gram = vec![0.0; rows * rows];
    for i in 0..rows {
        watch.check()?;
        let [a1, a2] = said.masks(i);
        for j in 0..=i {
            let [b1, b2] = said.masks(j);
            gram[i * rows + j] = (weights[i] * weights[j]).sqrt() * both(a1, b1) * both(a2, b2);
        }
        gram[i * rows + i] += alpha;
    }
    let mut c: Vec<f64> = weights.iter().zip(&said.values).map(|(w, y)| w.sqrt() * y).collect();
    Cholesky::new(watch, gram, rows)?.solve(&mut c);
    let mut w = vec![0.0; said.sizes.iter().map(|d| d + 1).product()];
    for (i, c) in c.iter().enumerate() {
        ones(said, i).into_iter().for_each(|k| w[k] += c * weights[i].sqrt());
    }
    Ok(w)
}

/// The fit of the two parts' own features, without what is across: the same penalty on all of b, u, v.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted).
pub(super) fn additive(watch: &Watch, said: &Said, alpha: f64) -> Result<Bilinear> {
    let [d1, d2] = said.sizes;
    let (unknowns, weights) = (1 + d1 + d2, shares(&said.weights));
    let mut gram = vec![0.0; unknowns * unknowns];
    let mut x = vec![0.0; unknowns];
    for (i, weight) in weights.iter().enumerate() {
        let keeps = said.keeps(i);
        let ones: Vec<usize> = std::iter::once(0).chain((1..unknowns).filter(|&k| keeps[k - 1])).collect();
        for (n, &k) in ones.iter().enumerate() {
            x[k] += weight * said.values[i];
            ones[..=n].iter().for_each(|&l| gram[k * unknowns + l] += weight);
        }
    }
    (0..unknowns).for_each(|k| gram[k * unknowns + k] += alpha);
    Cholesky::new(watch, gram, unknowns)?.solve(&mut x);
    let together = vec![vec![0.0; d2]; d1];
    Ok(Bilinear { base: x[0], first: x[1..=d1].to_vec(), second: x[d1 + 1..].to_vec(), together })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;
    use crate::interaction::draw::draw;
    use lipex_core::Exponential;
    use lipex_core::philox::{Draws, Purpose};

    /// All pairs of drawn masks with numbers by a function of the two.
    fn said(sizes: [usize; 2], m: usize, value: impl Fn(&[bool], &[bool]) -> f64) -> (Said, [usize; 2]) {
        let sides = sizes.map(|size| draw(&Cpu::new(), size, m, 0, 11).unwrap());
        let weights = [0, 1].map(|s: usize| sides[s].weights(&Exponential::default()));
        let mut said = Said::new(sizes);
        for i in 0..sides[0].fitted {
            for j in 0..sides[1].fitted {
                said.push([sides[0].row(i), sides[1].row(j)], weights[0][i] * weights[1][j], &[0.0]);
            }
        }
        let values = (0..said.rows()).map(|i| {
            let keeps = said.keeps(i);
            value(&keeps[..sizes[0]], &keeps[sizes[0]..])
        });
        said.values = values.collect();
        (said, [sides[0].fitted, sides[1].fitted])
    }

    fn flat(g: &Bilinear) -> Vec<f64> {
        [&[g.base][..], &g.first, &g.second, &g.together.concat()].concat()
    }

    fn apart(a: &Bilinear, b: &Bilinear) -> f64 {
        flat(a).iter().zip(flat(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// No bilinear function: products of three, and noise.
    fn rough(first: &[bool], second: &[bool]) -> f64 {
        let bits = first.iter().chain(second).fold(7u32, |h, &b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
        let noise = Draws::new(1, bits, 0, Purpose::Own).unit(0);
        let there = |b: bool| f64::from(u8::from(b));
        there(first[0]) * there(second[1]) - 0.7 * there(first[1] && first[2]) * there(second[0]) + 0.3 * noise
    }

    #[test]
    fn the_product_design_is_the_dense_ridge() {
        for (sizes, m) in [([6, 4], 20), ([9, 10], 60), ([3, 2], 80), ([12, 2], 8)] {
            for alpha in [1e-4, 1e-1] {
                let (said, design) = said(sizes, m, rough);
                let by_sides = product(Watch::none(), &said, design, alpha).unwrap();
                let weights = shares(&said.weights);
                let dense = parts(
                    primal(Watch::none(), &said, &weights, alpha)
                        .unwrap()
                        .chunks(sizes[1] + 1)
                        .map(<[f64]>::to_vec)
                        .collect(),
                );
                assert!(apart(&by_sides, &dense) < 1e-10, "{sizes:?} {alpha}: {}", apart(&by_sides, &dense));
                assert!(apart(&by_sides, &joint(Watch::none(), &said, alpha).unwrap()) < 1e-10);
            }
        }
    }

    #[test]
    fn the_dual_system_has_the_same_solution() {
        let (all, _) = said([5, 6], 12, rough);
        let mut few = Said::new(all.sizes);
        for i in (0..all.rows()).step_by(7) {
            few.push(all.masks(i), all.weights[i], all.row(i));
        }
        let weights = shares(&few.weights);
        assert!(few.rows() < 42);
        let (a, b) = (dual(Watch::none(), &few, &weights, 1e-3), primal(Watch::none(), &few, &weights, 1e-3));
        let apart = a.unwrap().iter().zip(b.unwrap()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-10, "{apart}");
    }

    #[test]
    fn swapped_parts_transpose() {
        let (there, design) = said([4, 7], 30, rough);
        let (m1, m2) = (design[0], design[1]);
        let mut back = Said::new([7, 4]);
        for j in 0..m2 {
            for i in 0..m1 {
                let [first, second] = there.masks(i * m2 + j);
                back.push([second, first], there.weights[i * m2 + j], there.row(i * m2 + j));
            }
        }
        let one = product(Watch::none(), &there, design, 1e-4).unwrap();
        let other = product(Watch::none(), &back, [m2, m1], 1e-4).unwrap();
        assert!(apart(&one.swapped(), &other) < 1e-13 && one.together != other.together);
    }

    /// W = 2 a bᵀ + c dᵀ with disjoint supports comes back, and its partitions are the blocks.
    #[test]
    fn a_planted_interaction_of_rank_2_comes_back() {
        let on = |keeps: &[bool], set: &[usize]| set.iter().filter(|&&j| keeps[j]).count() as f64;
        let planted = |a: &[bool], b: &[bool]| {
            0.1 + 0.3 * on(a, &[0]) - 0.2 * on(b, &[5]) + 0.5 * on(a, &[1, 2]) * on(b, &[0, 1])
                - 0.2 * on(a, &[4]) * on(b, &[3, 5])
        };
        let (said, design) = said([6, 7], 60, planted);
        for g in [product(Watch::none(), &said, design, 1e-9).unwrap(), joint(Watch::none(), &said, 1e-9).unwrap()] {
            assert!((g.base - 0.1).abs() < 1e-4 && (g.first[0] - 0.3).abs() < 1e-4);
            for (i, row) in g.together.iter().enumerate() {
                for (j, w) in row.iter().enumerate() {
                    let known = match (i, j) {
                        (1 | 2, 0 | 1) => 0.5,
                        (4, 3 | 5) => -0.2,
                        _ => 0.0,
                    };
                    assert!((w - known).abs() < 1e-4, "{i}, {j}: {w}");
                }
            }
            let support = |v: &[f64]| (0..v.len()).filter(|&j| v[j].abs() > 1e-3).collect::<Vec<_>>();
            let found: Vec<_> = g.partitions().iter().map(|p| (support(&p.first), support(&p.second))).collect();
            assert_eq!(found, [(vec![1, 2], vec![0, 1]), (vec![4], vec![3, 5])]);
        }
        let without = additive(Watch::none(), &said, 1e-9).unwrap();
        assert!(
            without.together.iter().flatten().all(|w| *w == 0.0)
                && apart(&without, &product(Watch::none(), &said, design, 1e-9).unwrap()) > 0.1
        );
    }
}
