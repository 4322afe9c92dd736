//! A batch of fits in device memory.
//!
//! # Shapes
//! See [`Job`] for every array. Problems of one launch first, those of many launches after them, so that each kind is one
//! range of the table.
//!
//! # Why one table
//! A launch takes its grid's second side as the instance: all problems of a batch, each with sizes of its own, are one launch
//! of as many blocks as the largest needs.

use super::form::Form;
use super::job::{Job, REPORT, SEARCH, Size, TILE, VECTORS};
use super::{LaunchMode, Task, WIDTHS, curvature, tolerance};
use crate::arena::{Arena, Plan, Spot};
use crate::device::Cuda;
use bytemuck::Zeroable;
use lipex_core::{Normalise, Result, Softmax};

/// What a task has on the device.
pub(super) struct Placed {
    /// The columns of its fit.
    pub form: Form,
    /// N, C and K.
    pub size: Size,
    /// One launch or many.
    pub mode: LaunchMode,
    /// The offset and X, C + C·K numbers.
    pub answer: Spot,
    /// The solver's vectors, from which a fit goes on at the next width.
    pub vectors: Spot,
    /// In the order of [`Job`], from `times` on, those that are not there `None`.
    sent: [Option<Spot>; 3],
    /// Arrays that never leave the device, in the order of [`Job`]'s fields.
    room: [Spot; 17],
}

/// A batch on the device: tasks of one launch first, then those of many.
pub(super) struct Batch {
    /// Where everything lies.
    pub arena: Arena,
    /// The problems in their order of launch.
    pub placed: Vec<Placed>,
    /// The number of each task among those asked for.
    pub order: Vec<usize>,
    /// What the kernels are given.
    pub jobs: Vec<Job>,
    /// The jobs on the device.
    pub table: Spot,
    /// The states of the minimiser.
    pub searches: Spot,
    /// Eight numbers a problem.
    pub reports: Spot,
}

impl Batch {
    /// Places a batch and sends what it needs.
    pub fn new(settings: &Softmax, on: &Cuda, tasks: &[&Task<'_>]) -> Result<Self> {
        let forms = tasks.iter().map(|task| Form::of(settings, &task.problem)).collect::<Result<Vec<_>>>()?;
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|&i| Size::of(&forms[i], &tasks[i].problem).launch_mode(on) == LaunchMode::ManyLaunches);
        let mut plan = Plan::default();
        let smooth = settings.divergence_in_use().is_smooth();
        let widths = plan.send(if smooth { &[0.0][..] } else { &WIDTHS[..] });
        let table = plan.jobs::<Job>(tasks.len());
        let searches = plan.answer::<u8>(SEARCH * tasks.len());
        let reports = plan.answer::<f64>(REPORT * tasks.len());
        let mut place = |&i: &usize| Placed::plan(&mut plan, forms[i].clone(), on, tasks[i]);
        let placed = order.iter().map(&mut place).collect::<Result<Vec<_>>>()?;
        let arena = plan.place(on, "fit")?;
        let mut jobs = Vec::with_capacity(tasks.len());
        for (at, (placed, &i)) in placed.iter().zip(&order).enumerate() {
            jobs.push(Job {
                widths: arena.at(widths),
                search: arena.at(searches) + (at * SEARCH) as u64,
                report: arena.at(reports) + (8 * at * REPORT) as u64,
                ..placed.job(settings, on, (&arena, tasks[i]))?
            });
        }
        let mut batch = Batch { arena, placed, order, jobs, table, searches, reports };
        batch.arena.set(batch.table, &batch.jobs);
        batch.arena.send(on)?;
        Ok(batch)
    }

    /// Sends the jobs again.
    pub fn send_jobs(&mut self, on: &Cuda) -> Result<()> {
        self.arena.set(self.table, &self.jobs);
        self.arena.send_again(on, self.table)
    }

    /// The most that an instance has of something.
    pub fn most(&self, each: fn(&Size) -> usize) -> usize {
        self.placed.iter().map(|placed| each(&placed.size)).max().unwrap_or(0)
    }
}

impl Placed {
    /// Asks for the room of one problem.
    fn plan(plan: &mut Plan, form: Form, on: &Cuda, task: &Task<'_>) -> Result<Self> {
        let problem = &task.problem;
        problem.check()?;
        let (kept, size) = (&problem.selection.kept, Size::of(&form, problem));
        let start = problem.start.map(|s| form.layout(s.linear()?, (size.classes, kept))).transpose()?;
        let sent = [
            plan.send_some(problem.multiplicities),
            Some(plan.send(&form.terms(kept))),
            plan.send_some(start.as_deref()),
        ];
        let mode = size.launch_mode(on);
        let many = |numbers: usize| if mode == LaunchMode::ManyLaunches { numbers } else { 0 };
        let (n, c, t) = (size.numbers(), size.classes, size.tiles());
        // The reference kernel leaves a number a row and class where the tiles leave their shares.
        let partial = if task.once { size.rows * c } else { 0 }.max(many(2 * t * n));
        let room = [
            plan.room::<f64>(c),
            plan.room::<f64>(c),
            plan.room::<u32>(size.rows * size.columns.div_ceil(32)),
            plan.room::<u32>(size.columns * t * 8),
            plan.room::<f32>(c * t * TILE),
            plan.room::<f32>(t * TILE),
            plan.room::<f32>(t * TILE),
            plan.room::<f32>(if Self::is_full(task, &size) { n * size.columns } else { n }),
            plan.room::<f32>(n),
            plan.room::<f32>(n),
            plan.room::<f64>(VECTORS * n),
            plan.room::<f32>(c * TILE * if mode == LaunchMode::ManyLaunches { t } else { 1 }),
            plan.room::<f32>(many(t * c * TILE)),
            plan.room::<f32>(many(size.tables())),
            plan.room::<f32>(partial),
            plan.room::<f64>(many(t)),
            plan.room::<f64>(2 * c * t * TILE),
        ];
        Ok(Placed { form, size, mode, answer: plan.answer::<f64>(c + n), vectors: room[10], sent, room })
    }

    /// For one evaluation a diagonal is enough.
    fn is_full(task: &Task<'_>, size: &Size) -> bool {
        !task.once && size.is_full()
    }

    /// What its kernels are given, once addresses are known.
    fn job(&self, settings: &Softmax, on: &Cuda, (arena, task): (&Arena, &Task<'_>)) -> Result<Job> {
        let (problem, size, room) = (&task.problem, self.size, self.room.map(|spot| arena.at(spot)));
        let form = &self.form;
        let (around, features) = (problem.around, problem.selection.kept.len());
        let (arrays, (most, most_double)) = (on.arrays("fit", around)?, size.most(on));
        Ok(Job {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: arena.at_some(self.sent[0]),
            terms: arena.at_some(self.sent[1]),
            start: arena.at_some(self.sent[2]),
            rows: size.rows as u64,
            words: around.masks.words() as u64,
            features: around.masks.features() as u64,
            classes: size.classes as u64,
            count: size.columns as u64,
            ones: if form.ones { features } else { size.columns } as u64,
            removed: u64::from(form.removed),
            anchored: u64::from(form.anchored),
            by_weight: u64::from(settings.normalise_in_use() == Normalise::Weight),
            by_curvature: 0,
            full: u64::from(Self::is_full(task, &size)),
            stages: 1,
            limit: if task.once { 1 } else { settings.evaluation_limit() as u64 },
            most: most as u64,
            most_double: most_double as u64,
            lambda: form.penalty(task.lambda),
            kappa: curvature(settings),
            tolerance: tolerance(settings, task),
            divisor: problem.samples(),
            offset: room[0],
            lambdas: room[1],
            codes: room[2],
            columns: room[3],
            by_class: room[4],
            weights: room[5],
            means: room[6],
            factors: room[7],
            diagonals: room[8],
            solved: room[9],
            vectors: room[10],
            slopes: room[11],
            tiles: room[12],
            tables: room[13],
            partial: room[14],
            values: room[15],
            rows_room: room[16],
            answer: arena.at(self.answer),
            ..Job::zeroed()
        })
    }
}
