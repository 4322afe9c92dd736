//! Asking the black box: which inputs, in which batches, and what is done with the answers.

use super::Explainer;
use super::gather::{one, timed};
use crate::backend::check_score_rows;
use crate::backend::{Backend, Masks, Probabilities};
use crate::error::{Error, Result, expect_len};
use crate::explanation::Timings;
use crate::predict::{Batching, BlackBox};
use crate::render::Render;
use crate::watch::Stage;
use std::ops::Range;
use std::time::Instant;

/// Whether equal inputs share an answer.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::Repeats;
///
/// // Five words make 32 inputs at most. A model that never answers the same twice is asked for each mask.
/// let explainer = lipex().samples(300);
/// assert!(explainer.explain(&text, &model)?.calls.inputs <= 32);
/// assert_eq!(explainer.repeats(Repeats::AskAgain).explain(&text, &model)?.calls.inputs, 300);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Each distinct input is asked once, and masks that render alike share its answer.
    #[default]
    Share,
    /// Every mask is asked for, repeats again: for models that answer the same input differently. The spread of the answers
    /// is then part of the error bars. Costs more calls.
    AskAgain,
}

/// The black box's answers so far to the inputs of one instance, in the order of the inputs.
pub(super) struct Asked<B: Backend> {
    answers: Option<Probabilities<B>>,
    /// Inputs that the black box has seen.
    pub inputs: usize,
    /// The total variation of the answers to the instance asked first and asked last.
    pub twice: Option<f64>,
    /// How far from 1 the sum of a row was at most.
    pub sums_off: f64,
}

impl<B: Backend> Default for Asked<B> {
    fn default() -> Self {
        Asked { answers: None, inputs: 0, twice: None, sums_off: 0.0 }
    }
}

impl<B: Backend> Asked<B> {
    /// Asks for the instance again: the total variation between that answer and the first; `None` if the first is not known.
    pub fn compare<I, M, Batch>(
        &self,
        explainer: &Explainer<B>,
        instance: &I,
        model: &M,
        masks: &Masks<B>,
        timings: &mut Timings,
    ) -> Result<Option<f64>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let Some(p) = &self.answers else { return Ok(None) };
        let on = &explainer.backend;
        let bits = on.gather(masks.bits(), masks.words(), &[0])?;
        let (masks, mut again) = (Masks::new(on, 1, masks.features(), bits)?, Asked::default());
        let question = Question::new(instance, &masks, &mut again, timings);
        let again = one(explainer.ask(model, &mut [question], false)?)??;
        let first = on.download(p.gather(on, &[0])?.values())?;
        Ok(Some(total_variation(&first, &on.download(again.values())?, p.is_independent())))
    }
}

/// An instance with its masks, what is asked of the black box for them, and what it answers.
pub(super) struct Question<'a, B: Backend, I: ?Sized> {
    instance: &'a I,
    masks: &'a Masks<B>,
    asked: &'a mut Asked<B>,
    timings: &'a mut Timings,
    inputs: Option<Inputs<B>>,
    answers: Vec<Probabilities<B>>,
    failed: Option<Error>,
}

/// The inputs of one instance.
struct Inputs<B: Backend> {
    /// A row an input; the last is the instance again where it is asked twice.
    masks: Masks<B>,
    /// For each row of the instance's masks its input.
    of: Vec<u32>,
    /// Inputs, the instance counted once.
    count: usize,
    /// Those that are answered.
    known: usize,
}

/// What a question adds to the batches.
struct Size {
    open: Range<usize>,
    /// Most in a batch.
    most: usize,
}

/// Rows of one question that go into a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    question: usize,
    rows: Range<usize>,
}

impl<'a, B: Backend, I: ?Sized> Question<'a, B, I> {
    pub fn new(instance: &'a I, masks: &'a Masks<B>, asked: &'a mut Asked<B>, timings: &'a mut Timings) -> Self {
        Question { instance, masks, asked, timings, inputs: None, answers: Vec::new(), failed: None }
    }

    /// Finds the inputs that the masks make.
    fn prepare<Batch>(&mut self, on: &B, repeats: Repeats, twice: bool) -> Result<Size>
    where
        I: Render<B, Batch>,
    {
        let masks = self.masks;
        let distinct = match repeats {
            Repeats::Share => timed(&mut self.timings.render, || self.instance.distinct(on, masks))?,
            Repeats::AskAgain => None,
        };
        let every = || (0..masks.rows() as u32).collect::<Vec<u32>>();
        let (mut first, of) = distinct.map_or_else(|| (every(), every()), |d| (d.first, d.of));
        let count = first.len();
        // Inputs are numbered as they appear, so a longer run begins with those of a shorter one.
        let known = self.asked.inputs.min(count);
        first.extend(twice.then_some(0));
        let bits = on.gather(masks.bits(), masks.words(), &first)?;
        let masks = Masks::new(on, first.len(), masks.features(), bits)?;
        self.inputs = Some(Inputs { masks, of, count, known });
        Ok(Size { open: known..first.len(), most: self.instance.largest_batch() })
    }

    /// The inputs `rows`; `None` if the question has failed before or fails now.
    fn render<Batch>(&mut self, on: &B, rows: &Range<usize>) -> Option<Batch>
    where
        I: Render<B, Batch>,
    {
        let inputs = self.inputs.as_ref().filter(|_| self.failed.is_none())?;
        let batch = timed(&mut self.timings.render, || self.instance.render(on, &inputs.masks, rows.clone()));
        batch.map_err(|error| self.failed = Some(error)).ok()
    }

    /// The answers to all masks.
    fn conclude(&mut self, on: &B) -> Result<Probabilities<B>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(Inputs { masks, of, count, known }) = self.inputs.take() else {
            return Err(Error::shape("inputs (at least)", 1, 0));
        };
        let parts = self.asked.answers.take().into_iter().chain(self.answers.drain(..));
        let p = Probabilities::concat(on, masks.rows(), parts)?;
        if masks.rows() > count {
            let ends = on.download(&on.gather(p.values(), p.classes(), &[0, count as u32])?)?;
            let (first, last) = ends.split_at(p.classes());
            self.asked.twice = Some(total_variation(first, last, p.is_independent()));
        }
        debug_assert!(known <= count);
        self.asked.inputs = count;
        let all = p.gather(on, &of)?;
        self.asked.answers = (masks.rows() == count).then_some(p);
        Ok(all)
    }
}

/// Half of Σ |p − q|; of independent labels the largest |p − q|.
pub(super) fn total_variation(p: &[f32], q: &[f32], independent: bool) -> f64 {
    let apart = p.iter().zip(q).map(|(p, q)| (f64::from(*p) - f64::from(*q)).abs());
    if independent { apart.fold(0.0, f64::max) } else { 0.5 * apart.sum::<f64>() }
}

impl<B: Backend> Explainer<B> {
    /// Probabilities of every mask of each question. Inputs that an earlier, shorter run of the same masks has asked for are
    /// not asked for again; `twice` asks for the instance once more at the end.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; what else goes wrong is the question's own.
    pub(super) fn ask<I, M, Batch>(
        &self,
        model: &M,
        questions: &mut [Question<'_, B, I>],
        twice: bool,
    ) -> Result<Vec<Result<Probabilities<B>>>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let on = &self.backend;
        let mut sizes = Vec::with_capacity(questions.len());
        for question in questions.iter_mut() {
            let size = question.prepare(on, self.repeats, twice);
            sizes.push(size.unwrap_or_else(|error| {
                question.failed = Some(error);
                Size { open: 0..0, most: 1 }
            }));
        }
        let watch = on.watch();
        watch.begin(Stage::Predict, sizes.iter().map(|size| size.open.len()).sum());
        for parts in batches(&sizes, model.batching(), self.batch_size) {
            watch.check()?;
            self.ask_batch(model, questions, &parts)?;
            watch.advance(parts.iter().map(|part| part.rows.len()).sum());
        }
        watch.finish();
        Ok(questions.iter_mut().map(|question| question.conclude(on)).collect())
    }

    /// Asks for a batch. If that fails and it holds inputs of several instances, asks for those of each alone: the mistake
    /// may be one instance's.
    fn ask_batch<I, M, Batch>(&self, model: &M, questions: &mut [Question<'_, B, I>], parts: &[Part]) -> Result<()>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let on = &self.backend;
        let render = |part: &Part| Some((part.clone(), questions[part.question].render(on, &part.rows)?));
        let (parts, mut inputs): (Vec<Part>, Vec<Batch>) = parts.iter().filter_map(render).unzip();
        let Some(Part { question: first, rows }) = parts.first().cloned() else { return Ok(()) };
        let joined = if inputs.len() == 1 { inputs.pop() } else { questions[first].instance.join(inputs) };
        if let Some(batch) = joined {
            let count = parts.iter().map(|part| part.rows.len()).sum();
            let start = Instant::now();
            let answer = self.predict(model, &batch, count);
            let each = start.elapsed().as_secs_f64() * 1e3 / count as f64;
            parts.iter().for_each(|part| questions[part.question].timings.predict += each * part.rows.len() as f64);
            match answer {
                Ok(p) => return hand_out(on, questions, &parts, p),
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(error) if parts.len() == 1 => {
                    questions[first].failed = Some(in_whole(error, rows.start));
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        parts.iter().try_for_each(|part| self.ask_batch(model, questions, std::slice::from_ref(part)))
    }

    /// The checked answers to a batch of so many inputs.
    fn predict<M, Batch>(&self, model: &M, batch: &Batch, rows: usize) -> Result<Probabilities<B>>
    where
        M: BlackBox<B, Batch> + ?Sized,
    {
        let p = model.predict(&self.backend, batch)?;
        let classes = labels(model)?.len();
        expect_len("rows from the model", rows, p.rows())?;
        expect_len("classes from the model (as many as it has labels)", classes, p.classes())?;
        match (p.sums_off(), p.is_independent()) {
            (Some(_), _) => Ok(p),
            (None, true) => check_score_rows(&self.backend, p),
            (None, false) => self.backend.normalise(p),
        }
    }
}

/// Gives each question its rows of the answer.
fn hand_out<B: Backend, I: ?Sized>(
    on: &B,
    questions: &mut [Question<'_, B, I>],
    parts: &[Part],
    p: Probabilities<B>,
) -> Result<()> {
    let off = p.sums_off().unwrap_or_default();
    parts.iter().map(|part| part.question).for_each(|k| {
        questions[k].asked.sums_off = questions[k].asked.sums_off.max(off);
    });
    if let [part] = parts {
        questions[part.question].answers.push(p);
        return Ok(());
    }
    let mut start = 0;
    for part in parts {
        let index: Vec<u32> = (start..start + part.rows.len() as u32).collect();
        start += part.rows.len() as u32;
        questions[part.question].answers.push(p.gather(on, &index)?);
    }
    Ok(())
}

/// The labels of a black box that has answered.
pub(super) fn labels<B: Backend, M: BlackBox<B, Batch> + ?Sized, Batch>(model: &M) -> Result<&[String]> {
    let reason = "a black box must know its labels once it has answered";
    let labels = model.labels().ok_or_else(|| Error::setting("classes", "unknown", reason))?;
    if labels.len() < 2 {
        return Err(Error::setting("classes", labels.len(), "a classifier has at least 2 classes"));
    }
    Ok(labels)
}

/// How the inputs of all questions are cut into batches.
fn batches(sizes: &[Size], batching: Batching, batch_size: usize) -> Vec<Vec<Part>> {
    let (size, across) = match batching {
        Batching::Free => (batch_size, true),
        Batching::OneInstance => (batch_size, false),
        Batching::Own => (usize::MAX, false),
    };
    let mut batches: Vec<Vec<Part>> = Vec::new();
    // Room in the last batch.
    let mut room = 0;
    for (question, Size { open, most }) in sizes.iter().enumerate() {
        room = if across { room.min(*most) } else { 0 };
        let mut start = open.start;
        while start < open.end {
            if room == 0 {
                batches.push(Vec::new());
                room = size.min(*most).max(1);
            }
            let end = open.end.min(start.saturating_add(room));
            let part = Part { question, rows: start..end };
            batches.last_mut().into_iter().for_each(|batch| batch.push(part.clone()));
            room -= end - start;
            start = end;
        }
    }
    batches
}

/// A black box counts rows from the start of its batch, a user from the first input.
fn in_whole(error: Error, start: usize) -> Error {
    match error {
        Error::NotADistribution { row, problem } => Error::NotADistribution { row: row + start, problem },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(sizes: &[(Range<usize>, usize)], batching: Batching) -> Vec<Vec<(usize, Range<usize>)>> {
        let sizes: Vec<Size> = sizes.iter().map(|(open, most)| Size { open: open.clone(), most: *most }).collect();
        let plain = |batch: Vec<Part>| batch.into_iter().map(|part| (part.question, part.rows)).collect();
        batches(&sizes, batching, 4).into_iter().map(plain).collect()
    }

    #[test]
    fn batches_are_filled_across_instances_only_where_that_changes_no_answer() {
        let sizes = [(0..6, 9), (2..5, 9), (0..0, 9), (0..1, 9)];
        let free = cut(&sizes, Batching::Free);
        assert_eq!(free, [vec![(0, 0..4)], vec![(0, 4..6), (1, 2..4)], vec![(1, 4..5), (3, 0..1)]]);
        let one = cut(&sizes, Batching::OneInstance);
        assert_eq!(one, [vec![(0, 0..4)], vec![(0, 4..6)], vec![(1, 2..5)], vec![(3, 0..1)]]);
        assert_eq!(cut(&sizes, Batching::Own), [vec![(0, 0..6)], vec![(1, 2..5)], vec![(3, 0..1)]]);
        // Large inputs come in smaller batches.
        assert_eq!(cut(&[(0..3, 2), (0..1, 1)], Batching::Free), [vec![(0, 0..2)], vec![(0, 2..3), (1, 0..1)]]);
        assert_eq!(cut(&[(0..3, 2)], Batching::Own), [vec![(0, 0..2)], vec![(0, 2..3)]]);
    }

    #[test]
    fn answers_differ_by_their_total_variation() {
        assert!((total_variation(&[0.5, 0.5, 0.0], &[0.25, 0.5, 0.25], false) - 0.25).abs() < 1e-9);
        assert!((total_variation(&[0.5, 0.5, 0.0], &[0.5, 0.9, 0.1], true) - 0.4).abs() < 1e-6);
    }
}
