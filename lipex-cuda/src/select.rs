//! Select: forward selection on the device, highest weights through the ridge, the lasso path on the host.
//!
//! # How
//! The moments of all classes are one launch; then a block a class (or one for all, where classes must not share features)
//! chooses feature after feature, each time with one Gram column. Picks equal the CPU's, ties included.
//!
//! # What goes to the host
//! The lasso path, and highest weights over more than 2048 features.

use crate::arena::{Plan, Spot};
use crate::device::Cuda;
use crate::error::by_chunks;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::least_squares::{Regression, room_for_moments, sum_moments};
use crate::ridge::{self, System};
use lipex_core::{
    Forward, HighestWeights, LassoPath, Masks, Neighbourhood, Probabilities, Result, Selection, Selector, Weights,
    expect_len,
};
use lipex_cpu::Cpu;
use lipex_kernels::SELECT;

/// Where a class has no more features to choose.
const NONE: u32 = u32::MAX;
/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[("select", "NONE", NONE as usize)];
/// The ridge penalty of highest weights.
const ALPHA: f64 = 0.01;
/// With more features than this the ridge of highest weights is solved on the CPU.
const MOST_COLUMNS: usize = 2048;

impl Selector<Cuda> for Forward {
    fn select(&self, on: &Cuda, around: &[Neighbourhood<Cuda>]) -> Result<Vec<Selection>> {
        let all: Vec<Counted<'_>> = around.iter().map(|near| (near, None)).collect();
        forward_all(self, on, &all)
    }

    fn reselect(&self, on: &Cuda, around: &Neighbourhood<Cuda>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        multiplicities.iter().try_for_each(|times| expect_len("multiplicities", around.rows(), times.len()))?;
        let all: Vec<Counted<'_>> = multiplicities.iter().map(|times| (around, Some(times.as_slice()))).collect();
        forward_all(self, on, &all)
    }
}

/// A neighbourhood, and how often each row counts, if not once.
type Counted<'a> = (&'a Neighbourhood<Cuda>, Option<&'a [u32]>);

/// Forward selection of all, in parts that a grid and the memory hold.
fn forward_all(settings: &Forward, on: &Cuda, around: &[Counted<'_>]) -> Result<Vec<Selection>> {
    let mut selections = Vec::with_capacity(around.len());
    for part in around.chunks(MOST_DOWN) {
        selections.extend(by_chunks(part, &mut |part| forward(settings, on, part))?);
    }
    Ok(selections)
}

/// Forward selection of some neighbourhoods in one round of launches.
fn forward(settings: &Forward, on: &Cuda, around: &[Counted<'_>]) -> Result<Vec<Selection>> {
    let mut plan = Plan::default();
    let table = plan.jobs::<Regression>(around.len());
    let mut spots = Vec::with_capacity(around.len());
    for (near, times) in around {
        let (features, classes) = (near.masks.features(), near.probabilities.classes());
        let k = settings.k().min(features);
        let moments = room_for_moments(&mut plan, near, features);
        let (room, taken) = (plan.room::<f64>(classes * (3 + k) * features), plan.send(&vec![0u32; features]));
        spots.push((moments, plan.send_some(*times), room, taken, plan.answer::<u32>(classes * k)));
    }
    let mut arena = plan.place(on, "select")?;
    let mut regressions = Vec::with_capacity(around.len());
    for ((near, _), &(moments, times, room, taken, chosen)) in around.iter().zip(&spots) {
        let features = near.masks.features();
        let sums = (arena.at(moments), arena.at_some(times), 0);
        regressions.push(Regression {
            k: settings.k().min(features) as u64,
            exclusive: u64::from(settings.is_exclusive()),
            room: arena.at(room),
            taken: arena.at(taken),
            chosen: arena.at(chosen),
            ..Regression::new(on, "select", near, features, sums)?
        });
    }
    arena.set(table, &regressions);
    arena.send(on)?;
    sum_moments(on, "select", &regressions, arena.at(table))?;
    let classes = around.iter().map(|(near, _)| near.probabilities.classes()).max().unwrap_or(0);
    let shape = Shape { grid: (classes, around.len()), threads: 256, shared: 0 };
    let jobs = [Argument::Long(arena.at(table))];
    // SAFETY: lipex_select_forward(regressions): as for the moments, and room for classes · (3 + k) · columns numbers, taken
    // one word a column, chosen classes · k. All live in the arena until the answer is read below.
    unsafe { on.launch("select", (&SELECT, "lipex_select_forward", None), shape, &jobs) }?;
    let answers = arena.receive_answers(on)?;
    let one = |((near, _), &(_, _, _, _, chosen)): (&Counted<'_>, &(_, _, _, _, Spot))| {
        let features = near.masks.features();
        let k = settings.k().min(features);
        filled_up(answers.of::<u32>(chosen).chunks_exact(k), k, features, settings.is_exclusive())
    };
    Ok(around.iter().zip(&spots).map(one).collect())
}

/// The picks, with features that change nothing, by lowest index, until there are `k` a class.
fn filled_up<'a>(picks: impl Iterator<Item = &'a [u32]>, k: usize, features: usize, exclusive: bool) -> Selection {
    let mut taken = vec![false; features];
    let mut per_class = Vec::new();
    for picks in picks {
        let mut chosen: Vec<usize> = picks.iter().filter(|&&j| j != NONE).map(|&j| j as usize).collect();
        for j in (0..features).filter(|&j| !taken[j]) {
            if chosen.len() >= k {
                break;
            }
            if !chosen.contains(&j) {
                chosen.push(j);
            }
        }
        if exclusive {
            chosen.iter().for_each(|&j| taken[j] = true);
        }
        per_class.push(chosen);
    }
    Selection::new(per_class)
}

impl Selector<Cuda> for HighestWeights {
    fn select(&self, on: &Cuda, around: &[Neighbourhood<Cuda>]) -> Result<Vec<Selection>> {
        let one = |near: &Neighbourhood<Cuda>| match near.masks.features() {
            0..=MOST_COLUMNS => highest(on, near, self.k()),
            _ => on_the_host(self, on, near),
        };
        around.iter().map(one).collect()
    }
}

/// The lasso path goes from event to event, one class at a time: work for the CPU, on copies.
impl Selector<Cuda> for LassoPath {
    fn select(&self, on: &Cuda, around: &[Neighbourhood<Cuda>]) -> Result<Vec<Selection>> {
        around.iter().map(|near| on_the_host(self, on, near)).collect()
    }
}

/// A selection that has no kernels: the neighbourhood is brought to the host and selected there.
fn on_the_host(selector: &dyn Selector<Cpu>, on: &Cuda, near: &Neighbourhood<Cuda>) -> Result<Selection> {
    let mut selections = selector.select(&Cpu::new(), &[to_host(on, near)?])?;
    selections.pop().ok_or_else(|| lipex_core::Error::shape("selections", 1, 0))
}

/// A copy of a neighbourhood in the host's memory.
///
/// # Errors
/// Those of the device.
///
/// # Cost
/// 4·(⌈D/32⌉ + C + 1) bytes a row, in three copies.
pub fn to_host(on: &Cuda, near: &Neighbourhood<Cuda>) -> Result<Neighbourhood<Cpu>> {
    let cpu = Cpu::new();
    let (rows, features, classes) = (near.rows(), near.masks.features(), near.probabilities.classes());
    let masks = Masks::new(&cpu, rows, features, on.receive("select", near.masks.bits())?)?;
    let p = Probabilities::new(&cpu, rows, classes, on.receive("select", near.probabilities.values())?)?;
    let p = if near.probabilities.is_independent() { p.independent() } else { p };
    let weights = Weights::new(on.receive("select", near.weights.values())?);
    Ok(Neighbourhood::new(&cpu, masks, p, weights)?.drawn(near.dependence).asked(near.asked))
}

/// The features of largest |coefficient|; ties to the lowest index.
fn highest(on: &Cuda, near: &Neighbourhood<Cuda>, k: usize) -> Result<Selection> {
    let features = near.masks.features();
    let system = System { members: (0..features as u32).collect(), classes: 0..near.probabilities.classes() };
    let solved =
        ridge::solve(on, "select", &[ridge::Task { near, times: None, kept: None, systems: vec![system] }], ALPHA)?;
    let picks = |solution: &ridge::Solution| {
        let mut order: Vec<usize> = (0..features).collect();
        order.sort_by(|&a, &b| solution.coefficients[b].abs().total_cmp(&solution.coefficients[a].abs()));
        order.truncate(k);
        order
    };
    Ok(Selection::new(solved.iter().flatten().map(picks).collect()))
}
