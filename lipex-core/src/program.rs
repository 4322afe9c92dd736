//! A divergence as a short straight-line program, for backends that Rust code cannot run on.
//!
//! [`Recorder`] is a number type that writes down what is done with it. A divergence evaluated on dual numbers over it
//! leaves a [`Program`] for φ and ∂φ/∂ln q, which a backend prints as its own instructions.

use crate::divergence::Q;
use crate::real::{Dual, Lane, Real};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What a program is given.
///
/// ```
/// use lipex_core::{ErasedDivergence, Input, Kl, Step};
///
/// let program = Kl.record(false);
/// let reads = |input| program.steps().contains(&Step::Input(input));
/// assert!(reads(Input::P) && reads(Input::LnQ));
/// assert!(!reads(Input::Width)); // KL has no kinks to smooth
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// p, the black box's probability.
    P,
    /// ln q, the logarithm of the surrogate's.
    LnQ,
    /// q.
    Q,
    /// √q.
    SqrtQ,
    /// The width of a smoothed divergence; see [`Divergence::smoothed`](crate::Divergence::smoothed).
    Width,
}

/// One step of a program: an input, a constant, or an operation on earlier steps, which are named by their position.
///
/// ```
/// use lipex_core::{ErasedDivergence, JensenShannon};
///
/// // A backend can print the steps in order: none looks ahead.
/// let program = JensenShannon.record(false);
/// let steps = program.steps();
/// assert!((0..steps.len()).all(|i| steps[i].operands().all(|earlier| earlier < i)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// One of the inputs.
    Input(Input),
    /// The f32 with these bits, and the same number as an f64: one that was computed, like ln 2, has more digits there.
    Constant(u32, u64),
    /// a + b.
    Add(usize, usize),
    /// a − b.
    Subtract(usize, usize),
    /// a · b.
    Multiply(usize, usize),
    /// a / b, rounded to nearest.
    Divide(usize, usize),
    /// −a.
    Negate(usize),
    /// |a|.
    Absolute(usize),
    /// √a, rounded to nearest.
    SquareRoot(usize),
    /// eᵃ, by the polynomial of [`Lane`].
    Exponential(usize),
    /// ln a, by the polynomial of [`Lane`].
    Logarithm(usize),
    /// a if a < b, else b.
    Minimum(usize, usize),
    /// a if a > b, else b.
    Maximum(usize, usize),
    /// b if a > 0, else c.
    Select(usize, usize, usize),
}

impl Step {
    /// The earlier steps that this one needs.
    pub fn operands(&self) -> impl Iterator<Item = usize> {
        let list = match *self {
            Step::Input(_) | Step::Constant(..) => [None; 3],
            Step::Negate(a) | Step::Absolute(a) | Step::SquareRoot(a) | Step::Exponential(a) | Step::Logarithm(a) => {
                [Some(a), None, None]
            }
            Step::Add(a, b)
            | Step::Subtract(a, b)
            | Step::Multiply(a, b)
            | Step::Divide(a, b)
            | Step::Minimum(a, b)
            | Step::Maximum(a, b) => [Some(a), Some(b), None],
            Step::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        list.into_iter().flatten()
    }

    fn renumbered(self, new: impl Fn(usize) -> usize) -> Step {
        match self {
            Step::Input(_) | Step::Constant(..) => self,
            Step::Add(a, b) => Step::Add(new(a), new(b)),
            Step::Subtract(a, b) => Step::Subtract(new(a), new(b)),
            Step::Multiply(a, b) => Step::Multiply(new(a), new(b)),
            Step::Divide(a, b) => Step::Divide(new(a), new(b)),
            Step::Negate(a) => Step::Negate(new(a)),
            Step::Absolute(a) => Step::Absolute(new(a)),
            Step::SquareRoot(a) => Step::SquareRoot(new(a)),
            Step::Exponential(a) => Step::Exponential(new(a)),
            Step::Logarithm(a) => Step::Logarithm(new(a)),
            Step::Minimum(a, b) => Step::Minimum(new(a), new(b)),
            Step::Maximum(a, b) => Step::Maximum(new(a), new(b)),
            Step::Select(a, b, c) => Step::Select(new(a), new(b), new(c)),
        }
    }

    /// The step's number, from those before it.
    fn evaluate<R: Real>(&self, before: &[R], input: impl Fn(Input) -> R, constant: impl Fn(u32, u64) -> R) -> R {
        let at = |i: usize| before[i];
        match *self {
            Step::Input(i) => input(i),
            Step::Constant(single, double) => constant(single, double),
            Step::Add(a, b) => at(a) + at(b),
            Step::Subtract(a, b) => at(a) - at(b),
            Step::Multiply(a, b) => at(a) * at(b),
            Step::Divide(a, b) => at(a) / at(b),
            Step::Negate(a) => -at(a),
            Step::Absolute(a) => at(a).abs(),
            Step::SquareRoot(a) => at(a).sqrt(),
            Step::Exponential(a) => at(a).exp(),
            Step::Logarithm(a) => at(a).ln(),
            Step::Minimum(a, b) => at(a).min(at(b)),
            Step::Maximum(a, b) => at(a).max(at(b)),
            Step::Select(a, b, c) => at(a).select_positive(at(b), at(c)),
        }
    }
}

/// Numbers for a program's inputs.
///
/// ```
/// use lipex_core::{ErasedDivergence, Hellinger, Inputs};
///
/// // At p = q the divergence is 0.
/// let at = Inputs { p: 0.25, ln_q: 0.25f32.ln(), q: 0.25, sqrt_q: 0.5, width: 0.0 };
/// assert!(Hellinger.record(false).run(&at).0.abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Inputs {
    /// p.
    pub p: f32,
    /// ln q.
    pub ln_q: f32,
    /// q.
    pub q: f32,
    /// √q.
    pub sqrt_q: f32,
    /// The width of a smoothed divergence.
    pub width: f32,
}

impl Inputs {
    fn get(&self, input: Input) -> f32 {
        match input {
            Input::P => self.p,
            Input::LnQ => self.ln_q,
            Input::Q => self.q,
            Input::SqrtQ => self.sqrt_q,
            Input::Width => self.width,
        }
    }
}

/// φ, ∂φ/∂ln q and perhaps ∂²φ/∂(ln q)² as a list of steps: each subexpression once, nothing that is not needed, constants computed.
///
/// The same divergence gives the same program, so that it can be a key under which compiled code is kept.
///
/// # Numerics
/// All in f32, but for constants, which are computed in f64 too, for a backend that runs a program in f64. While recording, a product with the constant 0 is 0 and a sum with it is the other term, whatever that is;
/// this is where a program may differ from [`Lane`], which would make 0·∞ no number.
///
/// ```
/// use lipex_core::{ErasedDivergence, Inputs, Kl};
///
/// let program = Kl.record(false);
/// let at = Inputs { p: 0.5, ln_q: 0.25f32.ln(), q: 0.25, sqrt_q: 0.5, width: 0.0 };
/// let (value, slope) = program.run(&at);
/// // The same as the f64 oracle.
/// let (exact, derivative, _) = Kl.derivatives(0.5, 0.25f64.ln(), None);
/// assert!((f64::from(value) - exact).abs() < 1e-5 && (f64::from(slope) - derivative).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    steps: Vec<Step>,
    value: usize,
    slope: usize,
    second: Option<usize>,
}

impl Program {
    /// Records what `term` does with p and q.
    pub(crate) fn record(term: impl FnOnce(Number, Q<Number>, Number) -> Number) -> Program {
        // Whatever was being recorded on this thread goes on afterwards.
        let outer = TAPE.replace(Tape::default());
        let constant = |value| Dual { value, slope: Recorder::constant(0.0) };
        let p = constant(Recorder::push(Step::Input(Input::P)));
        let width = constant(Recorder::push(Step::Input(Input::Width)));
        let result = term(p, Q::dual(Recorder::q()), width);
        let tape = TAPE.replace(outer);
        Program::from_tape(&tape.steps, result.value.0, result.slope.0, None)
    }

    /// The same with the second derivative.
    pub(crate) fn record_curved(term: impl FnOnce(Dual<Number>, Q<Dual<Number>>) -> Dual<Number>) -> Program {
        let outer = TAPE.replace(Tape::default());
        let zero = || Recorder::constant(0.0);
        let p = Dual { value: Recorder::push(Step::Input(Input::P)), slope: zero() };
        let result =
            term(Dual { value: p, slope: Dual { value: zero(), slope: zero() } }, Q::dual(Q::dual(Recorder::q())));
        let tape = TAPE.replace(outer);
        Program::from_tape(&tape.steps, result.value.value.0, result.slope.value.0, Some(result.slope.slope.0))
    }

    /// Keeps the steps that the results need.
    fn from_tape(tape: &[Step], value: usize, slope: usize, second: Option<usize>) -> Program {
        let mut needed = vec![false; tape.len()];
        [Some(value), Some(slope), second].into_iter().flatten().for_each(|result| needed[result] = true);
        for i in (0..tape.len()).rev() {
            if needed[i] {
                tape[i].operands().for_each(|o| needed[o] = true);
            }
        }
        let mut place = vec![0; tape.len()];
        let mut steps: Vec<Step> = Vec::new();
        for (i, step) in tape.iter().enumerate().filter(|(i, _)| needed[*i]) {
            place[i] = steps.len();
            steps.push(step.renumbered(|o| place[o]));
        }
        Program { steps, value: place[value], slope: place[slope], second: second.map(|s| place[s]) }
    }

    /// The steps, in an order in which each finds its operands before it.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The position of the step that is φ.
    pub fn value(&self) -> usize {
        self.value
    }

    /// The position of the step that is ∂φ/∂ln q.
    pub fn slope(&self) -> usize {
        self.slope
    }

    /// The position of the step that is ∂²φ/∂(ln q)², if that was recorded.
    pub fn second(&self) -> Option<usize> {
        self.second
    }

    /// φ and ∂φ/∂ln q, step by step on the host: the reference for a backend's own code.
    pub fn run(&self, inputs: &Inputs) -> (f32, f32) {
        let numbers = self.numbers(inputs);
        (numbers[self.value].0, numbers[self.slope].0)
    }

    /// ∂²φ/∂(ln q)² in the same way, if that was recorded.
    pub fn run_second(&self, inputs: &Inputs) -> Option<f32> {
        self.second.map(|second| self.numbers(inputs)[second].0)
    }

    fn numbers(&self, inputs: &Inputs) -> Vec<Lane<true>> {
        let mut numbers: Vec<Lane<true>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let input = |i| Lane(inputs.get(i));
            let number = step.evaluate(&numbers, input, |single, _| Lane(f32::from_bits(single)));
            numbers.push(number);
        }
        numbers
    }
}

/// What a divergence is evaluated on while it is recorded.
pub(crate) type Number = Dual<Recorder>;

/// A number that stands for a step of the program being recorded on this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorder(usize);

#[derive(Default)]
struct Tape {
    steps: Vec<Step>,
    known: HashMap<Step, usize>,
}

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::default();
}

impl Recorder {
    /// q in its three forms, which are inputs.
    fn q() -> Q<Recorder> {
        let input = |i| Recorder::push(Step::Input(i));
        Q { value: input(Input::Q), ln: input(Input::LnQ), sqrt: input(Input::SqrtQ) }
    }

    /// The step's position; an equal step is not written twice.
    fn push(step: Step) -> Recorder {
        // A sum and a product are the same either way round.
        let step = match step {
            Step::Add(a, b) if a > b => Step::Add(b, a),
            Step::Multiply(a, b) if a > b => Step::Multiply(b, a),
            other => other,
        };
        TAPE.with_borrow_mut(|tape| {
            if let Some(&at) = tape.known.get(&step) {
                return Recorder(at);
            }
            let at = tape.steps.len();
            tape.steps.push(step);
            tape.known.insert(step, at);
            Recorder(at)
        })
    }

    fn step(self) -> Step {
        TAPE.with_borrow(|tape| tape.steps[self.0])
    }

    /// The constant that this number is, if it is one: as f32 and as f64.
    fn pair(self) -> Option<(f32, f64)> {
        match self.step() {
            Step::Constant(single, double) => Some((f32::from_bits(single), f64::from_bits(double))),
            _ => None,
        }
    }

    /// The constant that this number is, if it is one and the same in f32 and f64.
    fn known(self) -> Option<f32> {
        self.pair().filter(|&(single, double)| f64::from(single) == double).map(|(single, _)| single)
    }

    /// Writes down a step, or its number if all operands are constants.
    fn fold(step: Step, operands: &[Recorder]) -> Recorder {
        let known: Option<Vec<(f32, f64)>> = operands.iter().map(|o| o.pair()).collect();
        let Some(numbers) = known else { return Self::push(step) };
        let position = |at: usize| operands.iter().position(|o| o.0 == at).unwrap_or(0);
        let step = step.renumbered(position);
        let singles: Vec<Lane<true>> = numbers.iter().map(|n| Lane(n.0)).collect();
        let doubles: Vec<f64> = numbers.iter().map(|n| n.1).collect();
        let single = step.evaluate(&singles, |_| Lane(0.0), |single, _| Lane(f32::from_bits(single))).0;
        let double = step.evaluate(&doubles, |_| 0.0, |_, double| f64::from_bits(double));
        // What is clamped in f32, like ln 0, is no number to go on with in f64.
        let double = if double.is_finite() { double } else { f64::from(single) };
        Self::push(Step::Constant(single.to_bits(), double.to_bits()))
    }

    fn unary(self, step: fn(usize) -> Step) -> Self {
        Self::fold(step(self.0), &[self])
    }

    fn binary(self, other: Self, step: fn(usize, usize) -> Step) -> Self {
        Self::fold(step(self.0, other.0), &[self, other])
    }
}

impl Add for Recorder {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(0.0), _) => other,
            (_, Some(0.0)) => self,
            _ => self.binary(other, Step::Add),
        }
    }
}

impl Sub for Recorder {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (_, Some(0.0)) => self,
            (Some(0.0), _) => -other,
            _ => self.binary(other, Step::Subtract),
        }
    }
}

impl Mul for Recorder {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(0.0), _) | (_, Some(0.0)) => Self::constant(0.0),
            (Some(1.0), _) => other,
            (_, Some(1.0)) => self,
            (Some(-1.0), _) => -other,
            (_, Some(-1.0)) => -self,
            _ => self.binary(other, Step::Multiply),
        }
    }
}

impl Div for Recorder {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(0.0), divisor) if divisor != Some(0.0) => Self::constant(0.0),
            (_, Some(divisor)) if is_power_of_two(divisor) => self * Self::constant(1.0 / divisor),
            _ => self.binary(other, Step::Divide),
        }
    }
}

/// Whether a product with 1/x is the quotient to the bit.
fn is_power_of_two(x: f32) -> bool {
    x.is_normal() && x.to_bits() << 9 == 0 && (1.0 / x).is_normal()
}

impl Neg for Recorder {
    type Output = Self;
    fn neg(self) -> Self {
        match self.step() {
            Step::Negate(a) => Recorder(a),
            _ => self.unary(Step::Negate),
        }
    }
}

impl Real for Recorder {
    fn constant(x: f32) -> Self {
        Self::push(Step::Constant(x.to_bits(), f64::from(x).to_bits()))
    }
    fn exp(self) -> Self {
        self.unary(Step::Exponential)
    }
    fn ln(self) -> Self {
        self.unary(Step::Logarithm)
    }
    fn sqrt(self) -> Self {
        self.unary(Step::SquareRoot)
    }
    fn powf(self, exponent: f32) -> Self {
        let at_zero = Lane::<true>(0.0).powf(exponent).0;
        self.select_positive((self.ln() * Self::constant(exponent)).exp(), Self::constant(at_zero))
    }
    fn abs(self) -> Self {
        self.unary(Step::Absolute)
    }
    fn min(self, other: Self) -> Self {
        self.binary(other, Step::Minimum)
    }
    fn max(self, other: Self) -> Self {
        self.binary(other, Step::Maximum)
    }
    fn select_positive(self, yes: Self, no: Self) -> Self {
        match self.pair() {
            _ if yes.0 == no.0 => yes,
            Some((x, _)) if x > 0.0 => yes,
            Some(_) => no,
            None => Self::push(Step::Select(self.0, yes.0, no.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(term: impl Fn(Number, Q<Number>) -> Number) -> Program {
        Program::record(|p, q, _| term(p, q))
    }

    #[test]
    fn equal_steps_are_shared_and_unneeded_ones_dropped() {
        let program = record(|p, q| {
            let _unused = p.exp();
            let product = p * q.value;
            product + q.value * p
        });
        // p, q, p·q, its double for the value; the derivative in ln q is the same number.
        assert_eq!(program.steps().len(), 4, "{program:?}");
        assert_eq!(program.value(), program.slope());
        assert_eq!(program.run(&Inputs { p: 3.0, q: 0.5, ..Inputs::default() }), (3.0, 3.0));
    }

    #[test]
    fn constants_are_computed_while_recording() {
        let two = |_: Number, _: Q<Number>| {
            let c = |x| Number::constant(x);
            (c(16.0).sqrt() - c(1.0)).max(c(0.5)) / c(1.5) * c(1.0) + c(0.0)
        };
        let program = record(two);
        assert_eq!(program.steps().len(), 2, "{program:?}");
        assert_eq!(program.run(&Inputs::default()), (2.0, 0.0));
        let quarter = record(|p, _| p / Number::constant(4.0));
        assert!(quarter.steps().contains(&Step::Constant(0.25f32.to_bits(), 0.25f64.to_bits())), "{quarter:?}");
        // A third is no f32, so the quotient stays one.
        assert!(record(|p, _| p / Number::constant(3.0)).steps().iter().any(|s| matches!(s, Step::Divide(..))));
    }

    #[test]
    fn computed_constants_have_all_the_digits_of_both_types() {
        let program = record(|p, _| p * Number::constant(2.0).ln() + Number::constant(1.0) / Number::constant(3.0));
        let constant = |single: f32, double: f64| Step::Constant(single.to_bits(), double.to_bits());
        assert!(program.steps().contains(&constant(std::f32::consts::LN_2, std::f64::consts::LN_2)), "{program:?}");
        assert!(program.steps().contains(&constant(1.0 / 3.0, 1.0 / 3.0)), "{program:?}");
        // ln 0 is clamped in f32, and stays a number.
        let clamped = record(|p, _| p * Number::constant(0.0).ln());
        let value = Lane::<true>(0.0).ln().0;
        assert!(clamped.steps().contains(&constant(value, f64::from(value))), "{clamped:?}");
    }

    #[test]
    fn recordings_do_not_see_each_other() {
        let alone = record(|p, q| p * q.ln);
        let within = record(|p, q| {
            assert_eq!(record(|p, q| p * q.ln), alone);
            p * q.ln
        });
        assert_eq!(alone, within);
    }
}
