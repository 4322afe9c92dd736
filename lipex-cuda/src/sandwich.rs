//! The spread of a softmax fit's W on the device: Cov = A⁺ M A⁺ / N.
//!
//! Every sum over rows is made on the device in f64: A, the leverages, M, and what each row adds to W. Matrices of C·(F + 1)
//! squared are factored and multiplied on the host in between, by lipex-cpu's code; they, and a row of C·(F + 1) numbers for
//! each mask, are what crosses.
//!
//! # Cost
//! Hessian and noise take N·n² operations on the device, n = K·(C − 1) ≤ 600; factors and products n³ on the host. At N =
//! 1000, n = 100 the device's part is some hundredth of a second.
//!
//! # Source
//! As on the CPU: Huber (1967), White (1982), MacKinnon and White (1985).

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::evaluate::with_intercepts;
use crate::launch::Shape;
use crate::layout::mirrored;
use crate::select::to_host;
use bytemuck::Zeroable;
use lipex_core::{
    Backend, Base, Dependence, FewRows, Fitted, INTERCEPT_PENALTY, LambdaScale, Method, Normalise, Problem, Program,
    Result, RowShares, Softmax, Spread, Surrogate, perturb,
};
use lipex_cpu::Cpu;
use lipex_cpu::sandwich::{Contrasts, between, inverse, is_defined, penalty_gradient};
use lipex_kernels::SANDWICH;

/// The side of a tile of the matrices.
const SIDE: usize = 16;
/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[("sandwich", "SIDE", SIDE)];

mirrored! {
    /// A sandwich, field by field as the kernels have it.
    "sandwich" "Sandwich"
    pub(crate) struct Job {
        /// N × words.
        bits: u64,
        /// N × C.
        p: u64,
        /// N.
        pi: u64,
        /// N, how often a row counts; null: once.
        times: u64,
        /// F.
        kept: u64,
        /// C × (F + 1), the intercept last.
        x: u64,
        /// N, the rows of the masks.
        rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        words: u64,
        /// C.
        classes: u64,
        /// F, the kept features.
        features: u64,
        /// K, the columns of the fit.
        columns: u64,
        /// 1: the columns of A say what is removed, not what is kept.
        removed: u64,
        /// 1: H with q in the place of p (Gauss–Newton).
        near: u64,
        /// What π is multiplied by.
        scale: f64,
        /// How many there are.
        count: f64,
        /// K × ⌈N/32⌉: the kept columns, a bit a row.
        masks: u64,
        /// 3 × C × N.
        room: u64,
        /// k × N: g.
        gradients: u64,
        /// 4 × k × N: q, φ″, and e = φ″ − q Σφ′ in the basis; the diagonal of e there.
        vectors: u64,
        /// N: Σφ′ + Σφ″.
        curvatures: u64,
        /// n × n, zero before; the lower triangle of A.
        hessian: u64,
        /// n × n: A⁻¹.
        inverse: u64,
        /// N.
        leverages: u64,
        /// Units of rows that were drawn together.
        units: u64,
        /// Strata of units.
        strata: u64,
        /// Rows, unit by unit.
        members: u64,
        /// Of each member.
        factors: u64,
        /// Units + 1: where a unit's members start.
        starts: u64,
        /// Of each unit.
        stratum: u64,
        /// Strata + 1: the first unit of each.
        firsts: u64,
        /// Strata: Σ m over its rows.
        counts: u64,
        /// Units: how often it was drawn.
        repeats: u64,
        /// N.
        penalty: u64,
        /// Strata × n.
        means: u64,
        /// Units × n.
        parts: u64,
        /// n × n: M.
        noise: u64,
        /// Units × n.
        moved: u64,
    }
}

/// The spread, or `None` where it is not defined or too large: a divergence with kinks, or more entries than [`MOST_ENTRIES`].
pub(crate) fn spread(
    settings: &Softmax,
    on: &Cuda,
    problem: &Problem<'_, Cuda>,
    fitted: &Fitted,
) -> Result<Option<Spread>> {
    problem.check()?;
    if fitted.linear()?.presence().is_none() || settings.lambda_scale_in_use() == LambdaScale::Class {
        // A fit with pairs, or a penalty for each class.
        let around = to_host(on, problem.around)?;
        let Problem { selection, multiplicities, start, tolerance, requery, .. } = *problem;
        let copy = Problem { around: &around, selection, multiplicities, start, tolerance, requery };
        return settings.spread(&Cpu::new().watched(on.watch.clone()), &copy, fitted);
    }
    let (classes, features) = (fitted.answer.classes(), fitted.kept().len());
    let columns = features + usize::from(matches!(fitted.linear()?.base(), Base::Intercept(_)));
    if !is_defined(settings, classes, columns) {
        return Ok(None);
    }
    let basis = Contrasts::new(classes);
    let mut sums = Sums::new(settings, on, problem, fitted, columns)?;
    let (method, inverse) = match inverse(&on.watch, sums.hessian(Method::Sandwich)?, sums.entries())? {
        Some(inverse) => (Method::Sandwich, inverse),
        None => {
            let mut near = sums.hessian(Method::SandwichGaussNewton)?;
            // Positive semi-definite but for rounding.
            (0..sums.entries()).for_each(|e| near[e * (sums.entries() + 1)] *= 1.0 + 1e-12);
            match inverse(&on.watch, near, sums.entries())? {
                Some(inverse) => (Method::SandwichGaussNewton, inverse),
                None => return Ok(None),
            }
        }
    };
    let units = drawn_units(on, problem)?;
    let scales: Vec<f64> = sums.leverages(&inverse)?.into_iter().map(FewRows::scale).collect();
    let drawn = Drawn::new(problem, &units, &scales, penalty_gradient(settings, (fitted, &[]), &basis)?);
    let noise = sums.noise(&drawn)?;
    let covariance = between(&on.watch, &inverse, &noise, sums.entries())?;
    let covariance = basis.expand(&on.watch, &covariance, features, sums.entries())?;
    let size = classes * features;
    let mut shares = RowShares::new((0..size).map(|e| covariance[e * (size + 1)]).collect());
    for (moved, times) in sums.moved()?.chunks_exact(sums.entries()).zip(&drawn.repeats) {
        shares.add(&basis.entries(moved, features), *times);
    }
    let spread = Spread::from_covariance(method, classes, features, covariance)?;
    Ok(Some(spread.few_rows(shares.few_rows())))
}

/// Strata of units of rows that were drawn together, without rows that do not count.
fn drawn_units(on: &Cuda, problem: &Problem<'_, Cuda>) -> Result<Vec<Vec<Vec<usize>>>> {
    let (masks, dependence) = (&problem.around.masks, problem.around.dependence);
    let kept =
        if dependence == Dependence::Stratified { masks.counts(on)? } else { vec![masks.features(); masks.rows()] };
    let counts = |i: &usize| problem.multiplicities.is_none_or(|m| m[*i] > 0);
    let mut strata = perturb::units(&kept, dependence);
    for stratum in &mut strata {
        stratum.iter_mut().for_each(|unit| unit.retain(counts));
        stratum.retain(|unit| !unit.is_empty());
    }
    strata.retain(|stratum| !stratum.is_empty());
    Ok(strata)
}

/// The drawn rows as the kernels have them.
struct Drawn {
    members: Vec<u32>,
    /// What the gradient of each member is multiplied by.
    factors: Vec<f64>,
    starts: Vec<u32>,
    stratum: Vec<u32>,
    firsts: Vec<u32>,
    counts: Vec<f64>,
    repeats: Vec<f64>,
    penalty: Vec<f64>,
}

impl Drawn {
    fn new(problem: &Problem<'_, Cuda>, units: &[Vec<Vec<usize>>], scales: &[f64], penalty: Vec<f64>) -> Self {
        let times = |i: usize| problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let all: f64 = (0..problem.around.rows()).map(times).sum();
        let none = Vec::new;
        let mut drawn = Drawn {
            members: Vec::new(),
            factors: none(),
            starts: vec![0],
            stratum: Vec::new(),
            firsts: vec![0],
            counts: none(),
            repeats: none(),
            penalty,
        };
        for (s, stratum) in units.iter().enumerate() {
            let count: f64 = stratum.iter().flatten().map(|&i| times(i)).sum();
            // What the mean takes of the spread.
            let lost = if count > 1.0 { (count / (count - 1.0)).sqrt() } else { 1.0 };
            for unit in stratum {
                drawn.members.extend(unit.iter().map(|&i| i as u32));
                drawn.factors.extend(unit.iter().map(|&i| scales[i] * lost / all));
                drawn.starts.push(drawn.members.len() as u32);
                drawn.stratum.push(s as u32);
                drawn.repeats.push(times(unit[0]));
            }
            drawn.firsts.push(drawn.stratum.len() as u32);
            drawn.counts.push(count);
        }
        drawn
    }
}

/// Sums over the rows of one fit.
struct Sums<'a> {
    on: &'a Cuda,
    /// The divergence itself with its second derivative, in the only places that there are.
    programs: (Program, Program),
    job: Job,
    lambda: f64,
    hessian: DeviceBuffer<f64>,
    leverages: DeviceBuffer<f64>,
    words: Vec<DeviceBuffer<u32>>,
    doubles: Vec<DeviceBuffer<f64>>,
}

impl<'a> Sums<'a> {
    fn new(
        settings: &Softmax,
        on: &'a Cuda,
        problem: &Problem<'_, Cuda>,
        fitted: &Fitted,
        columns: usize,
    ) -> Result<Self> {
        let around = problem.around;
        let arrays = on.arrays("fit", around)?;
        let (rows, classes) = (around.rows(), fitted.answer.classes());
        let (k, n) = (classes - 1, columns * (classes - 1));
        let kept: Vec<u32> = fitted.kept().iter().map(|&j| j as u32).collect();
        let times = problem.multiplicities.map(|m| on.send("fit", m)).transpose()?;
        let (kept, masks) = (on.send("fit", &kept)?, on.room::<u32>("fit", columns * rows.div_ceil(32))?);
        let room = |len| on.room::<f64>("fit", len);
        let (x, rows_room) = (on.send("fit", &with_intercepts(&fitted.answer)?)?, room(3 * classes * rows)?);
        let (gradients, vectors, curvatures) = (room(k * rows)?, room(4 * k * rows)?, room(rows)?);
        let (hessian, leverages) = (on.zeroed("fit", n * n)?, room(rows)?);
        let count = problem.multiplicities.map_or(rows as f64, |m| m.iter().map(|&m| f64::from(m)).sum());
        let exact = settings.divergence_in_use().record_curved();
        let job = Job {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: times.as_ref().map_or(0, DeviceBuffer::address),
            kept: kept.address(),
            x: x.address(),
            rows: rows as u64,
            words: around.masks.words() as u64,
            classes: classes as u64,
            features: fitted.kept().len() as u64,
            columns: columns as u64,
            removed: u64::from(matches!(fitted.linear()?.base(), Base::Anchored(_))),
            scale: scale(settings, on, problem, count)?,
            count,
            masks: masks.address(),
            room: rows_room.address(),
            gradients: gradients.address(),
            vectors: vectors.address(),
            curvatures: curvatures.address(),
            hessian: hessian.address(),
            leverages: leverages.address(),
            ..Job::zeroed()
        };
        Ok(Sums {
            on,
            programs: (exact.clone(), exact),
            job,
            lambda: fitted.report.lambda,
            hessian,
            leverages,
            words: [Some(kept), Some(masks), times].into_iter().flatten().collect(),
            doubles: vec![x, rows_room, gradients, vectors, curvatures],
        })
    }

    /// n, the entries of W and b in the basis of contrasts.
    fn entries(&self) -> usize {
        (self.job.columns * (self.job.classes - 1)) as usize
    }

    fn launch(&self, name: &'static str, across: usize) -> Result<()> {
        let table = self.on.send_jobs("fit", &[self.job])?;
        let shape = Shape { grid: (across, 1), threads: 256, shared: 0 };
        // SAFETY: all kernels of sandwich take (sandwiches), here one. Its arrays have the sizes that the kernel's `Sandwich`
        // states: those of rows and of the fit from `new`, the inverse from `leverages`, the rest from `noise` and `moved`,
        // each made before a kernel that reads it is launched. They live in `self`.
        unsafe { self.on.launch("fit", (&SANDWICH, name, Some(&self.programs)), shape, &[(&table).into()]) }
    }

    /// A, by the exact Hessian or by the Gauss–Newton matrix of each row.
    fn hessian(&mut self, method: Method) -> Result<Vec<f64>> {
        let (k, n) = (self.job.classes as usize - 1, self.entries());
        self.job.near = u64::from(method == Method::SandwichGaussNewton);
        self.launch("lipex_sandwich_rows", (self.job.rows as usize).div_ceil(256))?;
        self.launch("lipex_sandwich_hessian", k * (k + 1) / 2)?;
        let mut a = self.on.receive("fit", &self.hessian)?;
        for e in 0..n {
            let penalty = if e / k < self.job.features as usize { self.lambda } else { INTERCEPT_PENALTY };
            a[e * n + e] += penalty;
            (0..e).for_each(|f| a[f * n + e] = a[e * n + f]);
        }
        Ok(a)
    }

    /// The leverage of each row, under the Hessian that was asked for last.
    fn leverages(&mut self, inverse: &[f64]) -> Result<Vec<f64>> {
        let inverse = self.on.send("fit", inverse)?;
        self.job.inverse = inverse.address();
        self.doubles.push(inverse);
        self.launch("lipex_sandwich_leverage", self.job.rows as usize)?;
        self.on.receive("fit", &self.leverages)
    }

    /// M of the drawn rows, divided by N.
    fn noise(&mut self, drawn: &Drawn) -> Result<Vec<f64>> {
        let (on, n, units, strata) = (self.on, self.entries(), drawn.repeats.len(), drawn.counts.len());
        let words = [&drawn.members, &drawn.starts, &drawn.stratum, &drawn.firsts].map(|list| on.send("fit", list));
        let [members, starts, stratum, firsts] = words;
        let numbers = [&drawn.factors, &drawn.counts, &drawn.repeats, &drawn.penalty].map(|list| on.send("fit", list));
        let [factors, counts, repeats, penalty] = numbers;
        let (members, starts, stratum, firsts) = (members?, starts?, stratum?, firsts?);
        let (factors, counts, repeats, penalty) = (factors?, counts?, repeats?, penalty?);
        let (means, parts) = (on.room::<f64>("fit", strata * n)?, on.room::<f64>("fit", units * n)?);
        let noise = on.room::<f64>("fit", n * n)?;
        self.job = Job {
            units: units as u64,
            strata: strata as u64,
            members: members.address(),
            factors: factors.address(),
            starts: starts.address(),
            stratum: stratum.address(),
            firsts: firsts.address(),
            counts: counts.address(),
            repeats: repeats.address(),
            penalty: penalty.address(),
            means: means.address(),
            parts: parts.address(),
            noise: noise.address(),
            ..self.job
        };
        self.words.extend([members, starts, stratum, firsts]);
        self.doubles.extend([factors, counts, repeats, penalty, means, parts]);
        self.launch("lipex_sandwich_means", n)?;
        self.launch("lipex_sandwich_parts", units)?;
        let tiles = n.div_ceil(SIDE);
        self.launch("lipex_sandwich_noise", tiles * (tiles + 1) / 2)?;
        on.receive("fit", &noise)
    }

    /// A⁻¹ times what each unit adds to the gradient, units × n.
    fn moved(&mut self) -> Result<Vec<f64>> {
        let (n, units) = (self.entries(), self.job.units as usize);
        let moved = self.on.room::<f64>("fit", units * n)?;
        self.job.moved = moved.address();
        self.launch("lipex_sandwich_moved", units.div_ceil(SIDE) * n.div_ceil(SIDE))?;
        self.on.receive("fit", &moved)
    }
}

/// What π is multiplied by: N/n, n the samples that were asked for, or Σπ where the sum of divergences is divided by the weights.
fn scale(settings: &Softmax, on: &Cuda, problem: &Problem<'_, Cuda>, count: f64) -> Result<f64> {
    if settings.normalise_in_use() == Normalise::Count {
        return Ok(count / problem.samples());
    }
    let weights = on.receive("fit", problem.around.weights.values())?;
    let times = |i: usize| problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
    Ok(count / weights.iter().enumerate().map(|(i, w)| times(i) * f64::from(*w)).sum::<f64>())
}
