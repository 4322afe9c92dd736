//! The search for a rule: sizes from 0 on, the best of each size by KL-LUCB, then rows until it is a rule or is none.

use super::Anchors;
use super::bounds::{exploration, low, up};
use crate::bits::whole_mask;
use crate::error::Result;
use crate::philox::{Draws, Purpose};
use std::collections::HashMap;

/// Tells of each of some masks, `words` words each, whether the black box says of it what it says of the whole.
pub(super) type Holds<'a> = dyn FnMut(&[Vec<u32>]) -> Result<Vec<bool>> + 'a;

/// Which draws are whose: rows of the masks, and those that coverage is counted on.
const ROWS: u32 = 0;
const COVERAGE: u32 = 1;

/// Features that may make a rule, with the rows that keep them.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    /// The features, ascending.
    pub features: Vec<usize>,
    /// Rows that were drawn for it, or for what it extends, and keep its features.
    rows: Vec<usize>,
    /// Those of them of which the prediction holds.
    hits: usize,
    /// The share of random masks that keep its features.
    pub coverage: f64,
}

impl Candidate {
    /// The share of its rows of which the prediction holds.
    pub fn precision(&self) -> f64 {
        self.hits as f64 / self.rows.len().max(1) as f64
    }

    /// Its smallest and largest at a level that is shared among its rows.
    pub fn bounds(&self, level: f64) -> [f64; 2] {
        let level = level / self.rows.len().max(1) as f64;
        [low(self.precision(), level), up(self.precision(), level)]
    }
}

/// The search around one instance.
pub(super) struct Search<'a> {
    settings: &'a Anchors,
    features: usize,
    holds: &'a mut Holds<'a>,
    /// Every row that was drawn, and whether the prediction holds of it.
    drawn: Vec<(Vec<u32>, bool)>,
    /// What the black box said of masks.
    known: HashMap<Vec<u32>, bool>,
    /// Random masks that coverage is counted on.
    covered: Vec<Vec<u32>>,
}

/// What was found.
pub(super) struct Found {
    pub candidate: Candidate,
    /// Whether it is as precise as was asked.
    pub met: bool,
    /// Rows that were drawn.
    pub rows: usize,
    /// Masks that the black box was asked for.
    pub asked: usize,
    /// The level of the bounds, before it is shared among rows.
    pub level: f64,
}

impl<'a> Search<'a> {
    pub fn new(settings: &'a Anchors, features: usize, holds: &'a mut Holds<'a>) -> Self {
        let (drawn, known) = (Vec::new(), HashMap::new());
        let mut search = Search { settings, features, holds, drawn, known, covered: Vec::new() };
        search.covered = (0..settings.coverage_rows).map(|i| search.mask(i, COVERAGE, &[])).collect();
        search
    }

    /// A mask that keeps `given`, and any other feature with probability ½.
    fn mask(&self, row: usize, stream: u32, given: &[usize]) -> Vec<u32> {
        let mut draws = Draws::new(self.settings.seed, row as u32, stream, Purpose::Rule);
        let mut words = whole_mask(self.features);
        words.iter_mut().zip(0..).for_each(|(word, w)| *word &= draws.draw(w));
        given.iter().for_each(|j| words[j / 32] |= 1 << (j % 32));
        words
    }

    /// Draws `count` rows for each of some candidates and asks for what is not known; `false` if that is more than may be drawn.
    fn draw(&mut self, candidates: &mut [Candidate], which: &[usize], count: usize) -> Result<bool> {
        if self.drawn.len() + which.len() * count > self.settings.max_rows {
            return Ok(false);
        }
        let first = self.drawn.len();
        let of = |i: usize| candidates[which[i / count]].features.as_slice();
        let masks: Vec<Vec<u32>> = (0..which.len() * count).map(|i| self.mask(first + i, ROWS, of(i))).collect();
        let mut open: Vec<Vec<u32>> = Vec::new();
        for mask in masks.iter().filter(|mask| !self.known.contains_key(*mask)) {
            if !open.contains(mask) {
                open.push(mask.clone());
            }
        }
        if !open.is_empty() {
            let answers = (self.holds)(&open)?;
            self.known.extend(open.into_iter().zip(answers));
        }
        for (i, mask) in masks.into_iter().enumerate() {
            let (holds, candidate) = (self.known[&mask], &mut candidates[which[i / count]]);
            candidate.rows.push(first + i);
            candidate.hits += usize::from(holds);
            self.drawn.push((mask, holds));
        }
        Ok(true)
    }

    /// A candidate with one more feature; the rows that keep that one too are its first.
    fn extended(&self, candidate: &Candidate, feature: usize) -> Candidate {
        let keeps = |mask: &[u32], j: usize| mask[j / 32] >> (j % 32) & 1 == 1;
        let mut features = candidate.features.clone();
        features.insert(features.partition_point(|&j| j < feature), feature);
        let rows: Vec<usize> =
            candidate.rows.iter().copied().filter(|&row| keeps(&self.drawn[row].0, feature)).collect();
        let hits = rows.iter().filter(|&&row| self.drawn[row].1).count();
        let kept = |mask: &&Vec<u32>| features.iter().all(|&j| keeps(mask, j));
        let coverage = self.covered.iter().filter(kept).count() as f64 / self.covered.len().max(1) as f64;
        Candidate { features, rows, hits, coverage }
    }

    /// The `best` of the candidates, the best first, by KL-LUCB; fewer rows are drawn if no more may be.
    fn best(&mut self, mut candidates: Vec<Candidate>, best: usize) -> Result<Vec<Candidate>> {
        let best = best.min(candidates.len());
        let unseen: Vec<usize> = (0..candidates.len()).filter(|&i| candidates[i].rows.is_empty()).collect();
        self.draw(&mut candidates, &unseen, 1)?;
        let mut round = 1;
        loop {
            let mut order: Vec<usize> = (0..candidates.len()).collect();
            order.sort_by(|&a, &b| candidates[b].precision().total_cmp(&candidates[a].precision()));
            let (chosen, rest) = order.split_at(best);
            let level = exploration(candidates.len(), round, self.settings.delta);
            let edge = |&i: &usize, end: usize| candidates[i].bounds(level)[end];
            let weakest = chosen.iter().copied().min_by(|a, b| edge(a, 0).total_cmp(&edge(b, 0)));
            let rival = rest.iter().copied().max_by(|a, b| edge(a, 1).total_cmp(&edge(b, 1)).then(b.cmp(a)));
            let apart = match (weakest, rival) {
                (Some(weakest), Some(rival)) if edge(&rival, 1) - edge(&weakest, 0) > self.settings.tolerance => {
                    self.draw(&mut candidates, &[rival, weakest], self.settings.batch)?.then_some(())
                }
                _ => None,
            };
            if apart.is_none() {
                return Ok(order[..best].iter().map(|&i| candidates[i].clone()).collect());
            }
            round += 1;
        }
    }

    /// The level of the bounds that decide on a candidate.
    fn level(&self) -> f64 {
        ((1 + (self.settings.beam - 1) * self.features) as f64 / self.settings.delta).ln()
    }

    /// Draws rows for a candidate until it is a rule or is none; whether it is one.
    fn settle(&mut self, candidate: &mut Candidate) -> Result<bool> {
        let Anchors { precision, margin, batch, .. } = *self.settings;
        loop {
            let (mean, [low, up]) = (candidate.precision(), candidate.bounds(self.level()));
            let unsure = candidate.rows.is_empty()
                || if mean >= precision { low < precision - margin } else { up >= precision + margin };
            if !unsure || !self.draw(std::slice::from_mut(candidate), &[0], batch)? {
                return Ok(!candidate.rows.is_empty() && mean >= precision && low > precision - margin);
            }
        }
    }

    /// Searches sizes from 0 on, up to the first that has a rule; the most precise of all where none has.
    pub fn run(mut self) -> Result<Found> {
        let mut beam = vec![Candidate { coverage: 1.0, ..Candidate::default() }];
        let mut tried: Vec<Candidate> = Vec::new();
        while !beam.is_empty() {
            let mut rule: Option<Candidate> = None;
            for candidate in &mut beam {
                let is_rule = self.settle(candidate)?;
                if is_rule && rule.as_ref().is_none_or(|other| candidate.coverage > other.coverage) {
                    rule = Some(candidate.clone());
                }
            }
            if let Some(candidate) = rule {
                return Ok(self.found(candidate, true));
            }
            tried.extend(beam.iter().cloned());
            let mut longer: Vec<Candidate> = Vec::new();
            for candidate in &beam {
                for j in (0..self.features).filter(|j| !candidate.features.contains(j)) {
                    let longer_one = self.extended(candidate, j);
                    if !longer.iter().any(|other| other.features == longer_one.features) {
                        longer.push(longer_one);
                    }
                }
            }
            let spent = self.drawn.len() + self.settings.batch > self.settings.max_rows;
            beam = if spent { Vec::new() } else { self.best(longer, self.settings.beam)? };
        }
        let most = self.best(tried, 1)?.into_iter().next().unwrap_or_default();
        Ok(self.found(most, false))
    }

    fn found(&self, candidate: Candidate, met: bool) -> Found {
        Found { candidate, met, rows: self.drawn.len(), asked: self.known.len(), level: self.level() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: usize = 10;

    fn search(seed: u64, settings: Anchors, game: &dyn Fn(u32) -> bool) -> Found {
        let settings = settings.seed(seed);
        let mut holds = |masks: &[Vec<u32>]| Ok(masks.iter().map(|mask| game(mask[0])).collect());
        Search::new(&settings, FEATURES, &mut holds).run().unwrap()
    }

    /// The precision of a rule over every mask that keeps it.
    fn exact(features: &[usize], game: &dyn Fn(u32) -> bool) -> f64 {
        let rule = features.iter().fold(0, |bits, j| bits | 1 << j);
        let kept: Vec<u32> = (0..1 << FEATURES).filter(|mask| mask & rule == rule).collect();
        kept.iter().filter(|&&mask| game(mask)).count() as f64 / kept.len() as f64
    }

    fn has(mask: u32, j: u32) -> bool {
        mask >> j & 1 == 1
    }

    /// Rows of each of 20 seeds, sorted; every seed has to find one of the rules.
    fn planted(rules: &[&[usize]], game: &dyn Fn(u32) -> bool) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..20)
            .map(|seed| {
                let found = search(seed, Anchors::default(), game);
                let features = found.candidate.features.as_slice();
                assert!(rules.contains(&features), "seed {seed}: {features:?}");
                assert!(found.met && found.asked <= found.rows.min(1 << FEATURES));
                let coverage = 0.5f64.powi(features.len() as i32);
                assert!((found.candidate.coverage - coverage).abs() < 0.06, "{}", found.candidate.coverage);
                assert!(exact(features, game) >= 0.95);
                found.rows
            })
            .collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn planted_rules_are_found_by_as_many_rows_as_published_code_takes() {
        // Rules, medians of anchor-exp 0.0.2.0 over 10 seeds.
        let and = |mask: u32| has(mask, 2) && has(mask, 5);
        let three = |mask: u32| has(mask, 1) && has(mask, 4) && has(mask, 8);
        let or = |mask: u32| has(mask, 2) || (has(mask, 5) && has(mask, 7));
        let score = |mask: u32| {
            2 * i32::from(has(mask, 0)) + i32::from(has(mask, 1)) + i32::from(has(mask, 2)) - i32::from(has(mask, 3))
                > 1
        };
        for (rules, game, median) in [
            (&[&[2usize, 5][..]][..], &and as &dyn Fn(u32) -> bool, 3639),
            (&[&[1, 4, 8]], &three, 5457),
            (&[&[2]], &or, 211),
            (&[&[0, 1], &[0, 2]], &score, 740),
        ] {
            let rows = planted(rules, game);
            assert!(rows[10] <= median * 3 / 2, "{rules:?}: {rows:?}, {median}");
        }
    }

    #[test]
    fn a_constant_black_box_has_the_empty_rule() {
        let found = search(3, Anchors::default(), &|_| true);
        assert!(found.candidate.features.is_empty() && found.met && found.candidate.coverage == 1.0);
        assert!(found.rows < 50, "{}", found.rows);
    }

    #[test]
    fn what_is_surely_no_rule_is_left_after_few_rows() {
        // Of ten rows nine: no share of 1 is possible, and more rows would not make it a rule of 95 %.
        let settings = Anchors::default().seed(2);
        let mut asked = 0;
        let mut holds = |masks: &[Vec<u32>]| {
            let first = asked;
            asked += masks.len();
            Ok((first..asked).map(|i| i % 10 != 5).collect())
        };
        let mut search = Search::new(&settings, FEATURES, &mut holds);
        let mut none = Candidate::default();
        assert!(!search.settle(&mut none).unwrap());
        assert!(none.hits < none.rows.len() && none.rows.len() <= 20, "{} of {}", none.hits, none.rows.len());
    }

    #[test]
    fn rows_have_a_limit_and_what_is_found_by_then_says_that_it_is_no_rule() {
        // Nothing short of all ten features holds it.
        let settings = Anchors::default().max_rows(300).unwrap();
        let found = search(0, settings, &|mask| mask == (1 << FEATURES) - 1);
        assert!(!found.met && found.rows <= 300, "{}", found.rows);
        // With room it is all of them.
        let found = search(0, Anchors::default(), &|mask| mask == (1 << FEATURES) - 1);
        assert!(found.met && found.candidate.features.len() == FEATURES, "{:?}", found.candidate);
    }

    #[test]
    fn a_wider_beam_finds_the_same_and_seeds_are_reproducible() {
        let game = |mask: u32| has(mask, 2) || (has(mask, 5) && has(mask, 7));
        let wide = Anchors::default().beam(3).unwrap();
        assert_eq!(search(1, wide, &game).candidate.features, [2]);
        let [one, two] = [0, 0].map(|_| search(4, Anchors::default(), &game));
        assert_eq!((one.rows, one.candidate.precision()), (two.rows, two.candidate.precision()));
    }
}
