//! What a backend is, and the typed arrays that live on it.
//!
//! # Shapes
//! Arrays are row-major. Masks are bits, N × ⌈D/32⌉ words; probabilities N × C f32; weights N f32. They are checked for their
//! sizes where they are made, so that stages need not.
//!
//! # A third party's backend
//! Implement [`Backend`] (memory: eight functions) and, for its type, the stages' traits that it has:
//! [`Perturber`](crate::Perturber), [`Proximity`](crate::Proximity), [`Selector`](crate::Selector),
//! [`Surrogate`](crate::Surrogate), [`Evaluator`](crate::Evaluator). The crate `conformance` drives any backend through one
//! suite and compares it with the CPU.

use crate::error::{Error, Result, expect_len};
use crate::perturb::{Dependence, Law};
use crate::watch::Watch;
use std::fmt;

/// A number that a backend's buffer can hold.
///
/// ```
/// use lipex::{Backend, Cpu, Element, Result};
///
/// /// Numbers of any such type, to the backend's memory and back.
/// fn there_and_back<B: Backend, T: Element>(on: &B, numbers: Vec<T>) -> Result<Vec<T>> {
///     on.download(&on.upload(numbers)?)
/// }
///
/// assert_eq!(there_and_back(&Cpu::new(), vec![0.5f32, 2.0])?, [0.5, 2.0]);
/// assert_eq!(there_and_back(&Cpu::new(), vec![7u8])?, [7]);
/// # Ok::<(), lipex::Error>(())
/// ```
pub trait Element: bytemuck::Pod + Send + Sync + fmt::Debug {}
impl Element for f32 {}
impl Element for f64 {}
impl Element for u32 {}
// Also the bits of an f16.
impl Element for u16 {}
impl Element for u8 {}

/// A place where stages run: the CPU, a CUDA device, a third party's.
///
/// Cheap to clone: clones share the device.
///
/// ```
/// use lipex::{Backend, Cpu};
///
/// let on = Cpu::new();
/// let rows = on.upload(vec![1.0f32, 2.0, 3.0, 4.0])?; // two rows of two
/// let last = on.gather(&rows, 2, &[1])?;
/// assert_eq!(on.download(&last)?, [3.0, 4.0]);
/// # Ok::<(), lipex::Error>(())
/// ```
pub trait Backend: Clone + Send + Sync + 'static {
    /// An array in the backend's memory.
    type Buffer<T: Element>: Send + Sync;

    /// The backend's name, as `--backend` spells it.
    fn name(&self) -> &'static str;

    /// Threads of the host that work for this backend may use; 1 unless the user asked for more.
    fn host_threads(&self) -> usize {
        1
    }

    /// The run under way, which stages ask whether to go on and tell what they have done; nobody's unless the backend
    /// carries one.
    fn watch(&self) -> &Watch {
        Watch::none()
    }

    /// The same backend with `watch` to carry. A backend that cannot is asked to stop between stages and batches only.
    fn watched(self, watch: Watch) -> Self {
        let _ = watch;
        self
    }

    /// A copy of `host` in the backend's memory.
    ///
    /// # Errors
    /// [`Error::Backend`] when the backend has no room.
    fn upload<T: Element>(&self, host: Vec<T>) -> Result<Self::Buffer<T>>;

    /// A copy of `buffer` in the host's memory.
    ///
    /// # Errors
    /// [`Error::Backend`] when the device fails.
    fn download<T: Element>(&self, buffer: &Self::Buffer<T>) -> Result<Vec<T>>;

    /// An array of `len` zeros.
    ///
    /// # Errors
    /// [`Error::Backend`] when the backend has no room.
    fn zeros<T: Element>(&self, len: usize) -> Result<Self::Buffer<T>>;

    /// The number of elements in `buffer`.
    fn len<T: Element>(&self, buffer: &Self::Buffer<T>) -> usize;

    /// Rows `index[0], index[1], …` of a row-major array with `width` elements a row.
    ///
    /// # Errors
    /// [`Error::Backend`] when the device fails; [`Error::Shape`] when a row does not exist.
    fn gather<T: Element>(&self, rows: &Self::Buffer<T>, width: usize, index: &[u32]) -> Result<Self::Buffer<T>>;

    /// Copies the rows of `part` into `whole` from row `at` on; both row-major, `width` elements a row.
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not fit.
    fn place<T: Element>(
        &self,
        part: &Self::Buffer<T>,
        whole: &mut Self::Buffer<T>,
        width: usize,
        at: usize,
    ) -> Result<()>;

    /// The first row that is no distribution, checked where the array lies.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] names the row; [`check_row`] is the rule.
    fn check(&self, probabilities: &Probabilities<Self>) -> Result<()>;

    /// Rows that [`check`](Backend::check) passes, each divided by its sum where the array is at hand: see
    /// [`normalise_row`]. By default they are left as they are, which suits a device: its models end in a softmax.
    ///
    /// # Errors
    /// Those of [`check`](Backend::check).
    fn normalise(&self, probabilities: Probabilities<Self>) -> Result<Probabilities<Self>> {
        self.check(&probabilities)?;
        Ok(probabilities.checked(0.0))
    }
}

/// How far from 1 the sum of a row may be.
const SUM: f64 = 1e-3;

/// Passes if `values`, f32 or f64, is a distribution but for rounding: finite, not negative, its sum 1 ± 10⁻³, or as far
/// from 1 as rounding C numbers to the row's own digits can take it: C·½·10⁻ᵈ, where no number has more than d digits after
/// the point and d is 3, 4 or 5. So \[.334, .334, .333\] passes (d = 3: 1 ± .0015), and \[.5, .51\] does not.
///
/// Numbers that are f64 are checked as such, before they are rounded to the f32 in which probabilities are held: rounding
/// would turn a tiny negative number into a 0.
///
/// # Errors
/// [`Error::NotADistribution`] with `row`.
///
/// ```
/// use lipex_core::check_row;
///
/// assert!(check_row(0, &[0.334, 0.334, 0.333]).is_ok());
/// let error = check_row(4, &[0.5, 0.6]).unwrap_err();
/// assert!(error.to_string().contains("row 4"));
/// ```
pub fn check_row<T: Copy + Into<f64> + fmt::Display>(row: usize, values: &[T]) -> Result<()> {
    let find = |bad: fn(f64) -> bool| values.iter().enumerate().find(|(_, v)| bad((**v).into()));
    let problem = if let Some((class, v)) = find(|v| !v.is_finite()) {
        format!("class {class} has {v}")
    } else if let Some((class, v)) = find(|v| v < 0.0) {
        format!("class {class} has {v}, which is negative")
    } else {
        let sum: f64 = values.iter().map(|&v| v.into()).sum();
        let off = (sum - 1.0).abs();
        if off <= SUM || off <= rounding(values) {
            return Ok(());
        }
        format!("it sums to {sum:.6}")
    };
    Err(Error::NotADistribution { row, problem })
}

/// How far from 1 rounding to the row's own digits may have taken its sum; 0 where it has more than 5 of them.
fn rounding<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    for digits in 3..=5 {
        let scale = 10f64.powi(digits);
        // f32 has some 7 digits.
        let whole = |v: f64| (v * scale - (v * scale).round()).abs() <= 1e-7 * scale;
        if values.iter().all(|&v| whole(v.into())) {
            return 0.5 * values.len() as f64 / scale + 1e-7;
        }
    }
    0.0
}

/// Divides a row that [`check_row`] passes by its sum; gives how far from 1 that was.
///
/// # Errors
/// Those of [`check_row`].
pub fn normalise_row(row: usize, values: &mut [f64]) -> Result<f64> {
    check_row(row, values)?;
    let sum: f64 = values.iter().sum();
    if sum != 1.0 {
        values.iter_mut().for_each(|v| *v /= sum);
    }
    Ok((sum - 1.0).abs())
}

/// Passes if `values` are probabilities, each of its own: from 0 to 1, but for 10⁻⁶ above 1, which is taken off.
///
/// # Errors
/// [`Error::NotADistribution`] with `row`.
///
/// ```
/// use lipex_core::check_scores;
///
/// // Three labels, each for itself.
/// assert!(check_scores(0, &mut [0.9, 0.8, 0.7]).is_ok());
/// assert!(check_scores(0, &mut [1.5]).is_err());
/// ```
pub fn check_scores(row: usize, values: &mut [f64]) -> Result<()> {
    for (class, v) in values.iter_mut().enumerate() {
        // Not a number is in no range.
        if !(0.0..=1.0 + 1e-6).contains(v) {
            let problem = format!("class {class} has {v}, and independent probabilities are from 0 to 1");
            return Err(Error::NotADistribution { row, problem });
        }
        *v = v.min(1.0);
    }
    Ok(())
}

/// The same for every row, wherever they lie.
pub(crate) fn check_score_rows<B: Backend>(on: &B, p: Probabilities<B>) -> Result<Probabilities<B>> {
    let mut host: Vec<f64> = on.download(p.values())?.into_iter().map(f64::from).collect();
    for (row, values) in host.chunks_exact_mut(p.classes().max(1)).enumerate() {
        check_scores(row, values)?;
    }
    let values = on.upload(host.into_iter().map(|v| v as f32).collect())?;
    Ok(Probabilities::new(on, p.rows(), p.classes(), values)?.independent().checked(0.0))
}

/// Masks Z, one bit a feature: 1 keeps it, 0 removes it.
///
/// # Shapes
/// `rows` × ⌈`features`/32⌉ words, row-major; feature j is bit j mod 32 of word j / 32; bits past the last feature are 0.
///
/// ```
/// use lipex::{Cpu, Masks};
/// // Three features; row 0 keeps all, row 1 the first and the last.
/// let masks = Masks::new(&Cpu::new(), 2, 3, vec![0b111, 0b101])?;
/// assert!(masks.keeps(1, 0) && !masks.keeps(1, 1));
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Masks<B: Backend> {
    rows: usize,
    features: usize,
    bits: B::Buffer<u32>,
}

impl<B: Backend> Masks<B> {
    /// Takes a buffer of `rows` × ⌈`features`/32⌉ words.
    ///
    /// # Errors
    /// [`Error::Shape`] when the buffer has another length.
    pub fn new(on: &B, rows: usize, features: usize, bits: B::Buffer<u32>) -> Result<Self> {
        expect_len("words of the masks", rows * features.div_ceil(32), on.len(&bits))?;
        Ok(Masks { rows, features, bits })
    }

    /// N, the number of masks.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// D, the number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Words of 32 bits in a row: ⌈D/32⌉.
    pub fn words(&self) -> usize {
        self.features.div_ceil(32)
    }

    /// The number of features that each row keeps, counted on the host.
    ///
    /// # Errors
    /// [`Error::Backend`] when the device fails.
    pub fn counts(&self, on: &B) -> Result<Vec<usize>> {
        let (words, bits) = (self.words(), on.download(&self.bits)?);
        let count = |i: usize| bits[i * words..(i + 1) * words].iter().map(|w| w.count_ones() as usize).sum();
        Ok((0..self.rows).map(count).collect())
    }

    /// The bits, where they lie.
    pub fn bits(&self) -> &B::Buffer<u32> {
        &self.bits
    }
}

impl<B: Backend> Masks<B>
where
    B::Buffer<u32>: AsRef<[u32]>,
{
    /// The words of row `i`, on a backend whose memory is the host's.
    #[inline]
    pub fn row(&self, i: usize) -> &[u32] {
        let words = self.words();
        &self.bits.as_ref()[i * words..(i + 1) * words]
    }

    /// Whether row `i` keeps feature `j`.
    #[inline]
    pub fn keeps(&self, i: usize, j: usize) -> bool {
        self.row(i)[j / 32] >> (j % 32) & 1 == 1
    }

    /// m, the number of features that row `i` keeps.
    #[inline]
    pub fn count(&self, i: usize) -> usize {
        self.row(i).iter().map(|w| w.count_ones() as usize).sum()
    }
}

/// Probabilities P of rendered masks, or of a surrogate (Q).
///
/// # Shapes
/// `rows` × `classes`, row-major, f32.
///
/// ```
/// use lipex::{Backend, Cpu, Probabilities};
///
/// let on = Cpu::new();
/// let p = Probabilities::new(&on, 2, 2, vec![0.9, 0.1, 0.6, 0.4])?;
/// assert_eq!(p.row(1), [0.6, 0.4]);
/// // Numbers are checked by the explainer, or by whoever asks.
/// let wrong = Probabilities::new(&on, 1, 2, vec![0.9, 0.2])?;
/// assert!(on.check(&p).is_ok() && on.check(&wrong).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Probabilities<B: Backend> {
    rows: usize,
    classes: usize,
    values: B::Buffer<f32>,
    independent: bool,
    sums_off: Option<f64>,
}

impl<B: Backend> Probabilities<B> {
    /// Takes a buffer of `rows` × `classes` numbers. The numbers are not checked here; the explainer does it.
    ///
    /// # Errors
    /// [`Error::Shape`] when the buffer has another length.
    pub fn new(on: &B, rows: usize, classes: usize, values: B::Buffer<f32>) -> Result<Self> {
        expect_len("probabilities", rows * classes, on.len(&values))?;
        Ok(Probabilities { rows, classes, values, independent: false, sums_off: None })
    }

    /// Rows of several labels at once: each number is the probability of a label against not that label, and a row may sum
    /// to anything.
    pub fn independent(self) -> Self {
        Probabilities { independent: true, ..self }
    }

    /// Says that every row has been checked by [`check_row`] (independent ones by [`check_scores`]) in all digits, and divided
    /// by its sum, which was off 1 by `sums_off` at most. Nobody checks again.
    pub fn checked(self, sums_off: f64) -> Self {
        Probabilities { sums_off: Some(sums_off), ..self }
    }

    /// N, the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// C, the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Whether each number is a probability of its own.
    pub fn is_independent(&self) -> bool {
        self.independent
    }

    /// How far from 1 sums were before rows were divided by them; `None` if nobody has checked the rows.
    pub fn sums_off(&self) -> Option<f64> {
        self.sums_off
    }

    /// The numbers, where they lie.
    pub fn values(&self) -> &B::Buffer<f32> {
        &self.values
    }

    /// Rows `index[0], index[1], …`.
    ///
    /// # Errors
    /// [`Error::Backend`] when the device fails; [`Error::Shape`] when a row does not exist.
    pub fn gather(&self, on: &B, index: &[u32]) -> Result<Self> {
        let values = on.gather(&self.values, self.classes, index)?;
        Ok(Probabilities { rows: index.len(), values, ..*self })
    }

    /// The rows of all parts, one after the other, which are `rows`.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are more or fewer, or have not the same classes.
    pub(crate) fn concat(on: &B, rows: usize, parts: impl Iterator<Item = Self>) -> Result<Self> {
        let mut parts = parts.peekable();
        let Some(&Probabilities { classes, independent, sums_off, rows: first, .. }) = parts.peek() else {
            return Err(Error::shape("rows from the model", rows, 0));
        };
        if first == rows {
            return parts.next().ok_or_else(|| Error::shape("rows from the model", rows, 0));
        }
        let (mut values, mut at) = (on.zeros(rows * classes)?, 0);
        for part in parts {
            expect_len("classes from the model", classes, part.classes)?;
            on.place(&part.values, &mut values, classes, at)?;
            at += part.rows;
        }
        expect_len("rows from the model", rows, at)?;
        Ok(Probabilities { rows, classes, values, independent, sums_off })
    }
}

impl<B: Backend> Probabilities<B>
where
    B::Buffer<f32>: AsRef<[f32]>,
{
    /// Row `i`, on a backend whose memory is the host's.
    #[inline]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values.as_ref()[i * self.classes..(i + 1) * self.classes]
    }
}

/// Proximity weights π, one a row.
///
/// ```
/// use lipex::{Cpu, Weights};
///
/// let weights: Weights<Cpu> = Weights::new(vec![1.0, 0.25]);
/// assert_eq!(weights.values()[1], 0.25); // row 1 counts a quarter of the instance
/// ```
pub struct Weights<B: Backend> {
    values: B::Buffer<f32>,
}

impl<B: Backend> Weights<B> {
    /// Takes a buffer of one weight a row.
    pub fn new(values: B::Buffer<f32>) -> Self {
        Weights { values }
    }

    /// The weights, where they lie.
    pub fn values(&self) -> &B::Buffer<f32> {
        &self.values
    }
}

/// What a perturber drew: masks, and weights of its own where its law needs them.
///
/// Own weights (importance sampling, Kernel SHAP) take the place of the proximity's.
///
/// ```
/// use lipex::{Cpu, Dependence, Exhaustive, Masks, Sample, Weights};
///
/// // All masks of two features are no sample: nothing is left to chance.
/// let masks = Masks::new(&Cpu::new(), 4, 2, vec![0b11, 0b10, 0b01, 0b00])?;
/// let sample = Sample::new(&Exhaustive, 4, masks).weighing(Weights::new(vec![1.0; 4]));
/// assert_eq!((sample.dependence, sample.asked), (Dependence::Exhaustive, 4));
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Sample<B: Backend> {
    /// The masks; row 0 is all ones.
    pub masks: Masks<B>,
    /// The sampler's own weights, if it has any.
    pub weights: Option<Weights<B>>,
    /// How the rows depend on one another.
    pub dependence: Dependence,
    /// The samples that the rows stand for; see [`Neighbourhood::asked`].
    pub asked: usize,
}

impl<B: Backend> Sample<B> {
    /// Masks out of a run of `total` rows by `law`, without weights of its own.
    pub fn new(law: &(impl Law + ?Sized), total: usize, masks: Masks<B>) -> Self {
        let complete = law.is_complete(masks.features(), total);
        let dependence = if complete { Dependence::Exhaustive } else { law.dependence() };
        let asked = masks.rows();
        Sample { masks, weights: None, dependence, asked }
    }

    /// The same with weights of the law's own, one a row.
    pub fn weighing(self, weights: Weights<B>) -> Self {
        Sample { weights: Some(weights), ..self }
    }
}

/// All that a selector and a surrogate see of one instance.
///
/// ```
/// use lipex::{Cpu, Dependence, Masks, Neighbourhood, Probabilities, Weights};
///
/// let on = Cpu::new();
/// let masks = Masks::new(&on, 2, 2, vec![0b11, 0b01])?;
/// let p = Probabilities::new(&on, 2, 2, vec![0.9, 0.1, 0.6, 0.4])?;
/// let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0, 0.5]))?.drawn(Dependence::Independent);
/// assert_eq!((around.rows(), around.samples(None)), (2, 2.0));
/// assert_eq!(around.samples(Some(&[1, 3])), 4.0); // a bootstrap that drew row 1 three times
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Neighbourhood<B: Backend> {
    /// Masks Z, N×D.
    pub masks: Masks<B>,
    /// The black box's probabilities P, N×C.
    pub probabilities: Probabilities<B>,
    /// Proximity weights π, N.
    pub weights: Weights<B>,
    /// How the rows depend on one another: what folds and error bars heed.
    pub dependence: Dependence,
    /// The samples that were asked for, which sums over rows are divided by: the number of rows, unless weights stand for
    /// more rows or fewer than there are.
    pub asked: usize,
}

impl<B: Backend> Neighbourhood<B> {
    /// Puts the three together; nothing is known of how the rows depend on one another, and each stands for one sample.
    ///
    /// # Errors
    /// [`Error::Shape`] when they have different numbers of rows.
    pub fn new(on: &B, masks: Masks<B>, probabilities: Probabilities<B>, weights: Weights<B>) -> Result<Self> {
        expect_len("rows of the probabilities", masks.rows(), probabilities.rows())?;
        expect_len("proximity weights", masks.rows(), on.len(weights.values()))?;
        let asked = masks.rows();
        Ok(Neighbourhood { masks, probabilities, weights, dependence: Dependence::Unknown, asked })
    }

    /// The same, with rows that depend on one another so.
    pub fn drawn(self, dependence: Dependence) -> Self {
        Neighbourhood { dependence, ..self }
    }

    /// The same, with weights that stand for so many samples.
    pub fn asked(self, asked: usize) -> Self {
        Neighbourhood { asked, ..self }
    }

    /// A copy with other answers to the same rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are more or fewer.
    pub(crate) fn answered(&self, on: &B, probabilities: Probabilities<B>) -> Result<Self> {
        expect_len("rows of the probabilities", self.rows(), probabilities.rows())?;
        let every: Vec<u32> = (0..self.rows() as u32).collect();
        let bits = on.gather(self.masks.bits(), self.masks.words(), &every)?;
        let masks = Masks::new(on, self.rows(), self.masks.features(), bits)?;
        let weights = Weights::new(on.gather(self.weights.values(), 1, &every)?);
        Ok(Neighbourhood { masks, probabilities, weights, dependence: self.dependence, asked: self.asked })
    }

    /// N, the number of rows.
    pub fn rows(&self) -> usize {
        self.masks.rows()
    }

    /// n, what sums over rows are divided by when each row counts so often (once without `multiplicities`): the samples that
    /// were asked for, in proportion.
    pub fn samples(&self, multiplicities: Option<&[u32]>) -> f64 {
        let rows = self.rows();
        let count = multiplicities.map_or(rows as f64, |m| m.iter().map(|&times| f64::from(times)).sum());
        if self.asked == rows { count } else { count * self.asked as f64 / rows as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_probabilities_are_each_from_0_to_1() {
        let mut row = [0.5, 1.0000001, 0.0, 1.0];
        check_scores(0, &mut row).unwrap();
        assert_eq!(row, [0.5, 1.0, 0.0, 1.0]);
        assert!(check_scores(0, &mut [0.0, 0.0]).is_ok());
        for (values, word) in
            [([0.5, 1.5], "class 1 has 1.5"), ([f64::NAN, 0.0], "NaN"), ([1.0, -1e-60], "class 1 has -")]
        {
            let text = check_scores(2, &mut values.clone()).unwrap_err().to_string();
            assert!(text.contains("row 2") && text.contains(word), "{text}");
        }
    }

    #[test]
    fn a_row_is_a_distribution_or_says_why_not() {
        assert!(check_row(0, &[0.25, 0.75]).is_ok());
        assert!(check_row(0, &[0.0, 1.0009]).is_ok());
        // Rounded to three digits, in f64 and in f32; four classes of four digits have less room.
        assert!(check_row(0, &[0.334, 0.334, 0.333]).is_ok() && check_row(0, &[0.5, 0.501]).is_ok());
        assert!(check_row(0, &[0.334f32, 0.334, 0.333]).is_ok() && check_row(0, &[0.5f32, 0.501]).is_ok());
        assert!(check_row(0, &[0.499, 0.499, 0.0]).is_err() && check_row(0, &[0.25, 0.25, 0.25, 0.2511]).is_err());
        let rounded: Vec<f64> = [0.0005; 10].into_iter().chain([0.001; 993]).collect();
        assert!((rounded.iter().sum::<f64>() - 0.998).abs() < 1e-9 && check_row(0, &rounded).is_ok());
        for (values, word) in [
            (vec![0.5, f32::NAN], "NaN"),
            (vec![1.5, -0.5], "negative"),
            (vec![0.5, 0.51], "sums to 1.01"),
            (vec![f32::INFINITY, 0.0], "inf"),
        ] {
            let text = check_row(3, &values).unwrap_err().to_string();
            assert!(text.contains("row 3") && text.contains(word), "{text}");
        }
        let mut row = [0.334, 0.334, 0.333];
        assert!((normalise_row(0, &mut row).unwrap() - 0.001).abs() < 1e-12);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15 && (row[2] - 0.333 / 1.001).abs() < 1e-15);
        // Both would be zeros in f32, and the 0.1 is told as it was given.
        assert!(check_row(0, &[1.0, -1e-60]).unwrap_err().to_string().contains("negative"));
        assert!(check_row(0, &[1.0, 1e-60]).is_ok());
        assert!(check_row(0, &[1.1f32, -0.1]).unwrap_err().to_string().contains("class 1 has -0.1,"));
    }
}
