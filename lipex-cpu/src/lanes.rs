//! Vector registers, for code that is written once and compiled for each instruction set.
//!
//! A number type's registers are as wide as the machine's; rows of numbers are padded to whole registers and start on
//! cache lines.
//!
//! # Widths
//! `pulp` finds the machine's registers once: 512 bits (AVX-512), 256 (AVX2 with FMA), 128 (NEON) or scalars. Rows are padded
//! by [`padded_f32`] and [`padded_f64`], to half a register where that saves an eighth: with C = 6 and 512 bits a row is 8
//! numbers, not 16.
//!
//! # Numerics
//! Sums within a register are reduced in a fixed order. `mul_add` rounds once where the machine has the instruction and twice
//! elsewhere, so results are the same to the bit on machines of one kind, and within rounding between kinds.

pub(crate) use pulp::{Simd, WithSimd};
use std::marker::PhantomData;
use std::ops::{AddAssign, Deref, DerefMut};

/// f32 or f64, with the arithmetic of its registers.
pub(crate) trait Number: Copy + Default + Into<f64> + AddAssign + Send + Sync + 'static {
    /// A register of these numbers.
    type Register<S: Simd>: Copy;

    /// Numbers in a register.
    fn lanes<S: Simd>() -> usize;
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// Numbers as registers; what does not fill one is left out.
    fn registers<S: Simd>(numbers: &[Self]) -> &[Self::Register<S>];
    /// The same, to be written.
    fn registers_mut<S: Simd>(numbers: &mut [Self]) -> &mut [Self::Register<S>];
    /// x in every lane.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Register<S>;
    /// a + b.
    fn add<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a − b.
    fn sub<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a · b.
    fn mul<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a · b + c, rounded once where the machine can.
    fn mul_add<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>, c: Self::Register<S>)
    -> Self::Register<S>;
    /// The larger of two.
    fn max<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// `a` where `sign` is above 0, else 0.
    fn where_positive<S: Simd>(simd: S, sign: Self::Register<S>, a: Self::Register<S>) -> Self::Register<S>;
    /// The largest lane.
    fn reduce_max<S: Simd>(simd: S, a: Self::Register<S>) -> Self;
    /// The sum of the lanes, in a fixed order.
    fn reduce_sum<S: Simd>(simd: S, a: Self::Register<S>) -> Self;
}

macro_rules! number {
    ($number:ty, $register:ident, $lanes:ident, $as_simd:ident, $as_mut_simd:ident, $splat:ident, $add:ident, $sub:ident,
     $mul:ident, $mul_add:ident, $max:ident, $less:ident, $select:ident, $reduce_max:ident, $reduce_sum:ident) => {
        impl Number for $number {
            type Register<S: Simd> = S::$register;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $number
            }
            #[inline(always)]
            fn registers<S: Simd>(numbers: &[Self]) -> &[S::$register] {
                S::$as_simd(numbers).0
            }
            #[inline(always)]
            fn registers_mut<S: Simd>(numbers: &mut [Self]) -> &mut [S::$register] {
                S::$as_mut_simd(numbers).0
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$register {
                simd.$splat(x)
            }
            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn sub<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn mul<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$register, b: S::$register, c: S::$register) -> S::$register {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn max<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$max(a, b)
            }
            #[inline(always)]
            fn where_positive<S: Simd>(simd: S, sign: S::$register, a: S::$register) -> S::$register {
                let zero = simd.$splat(0.0);
                simd.$select(simd.$less(zero, sign), a, zero)
            }
            #[inline(always)]
            fn reduce_max<S: Simd>(simd: S, a: S::$register) -> Self {
                simd.$reduce_max(a)
            }
            #[inline(always)]
            fn reduce_sum<S: Simd>(simd: S, a: S::$register) -> Self {
                simd.$reduce_sum(a)
            }
        }
    };
}
number!(
    f32,
    f32s,
    F32_LANES,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_f32s,
    mul_add_e_f32s,
    max_f32s,
    less_than_f32s,
    select_f32s,
    reduce_max_f32s,
    reduce_sum_f32s
);
number!(
    f64,
    f64s,
    F64_LANES,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_f64s,
    mul_add_e_f64s,
    max_f64s,
    less_than_f64s,
    select_f64s,
    reduce_max_f64s,
    reduce_sum_f64s
);

/// Runs `work` on the widest registers that the machine has.
///
/// Everything that it calls must be `#[inline(always)]`, or it is compiled for the narrowest.
pub(crate) fn vectorised<W: WithSimd>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}

/// Whether registers of `S` multiply and add in one instruction: the scalar fallback is the one that cannot.
pub(crate) const fn fused<S: Simd>() -> bool {
    S::F32_LANES > 1
}

/// Runs `work` on rows of `width` numbers of type `T`: on the widest registers that divide them.
///
/// Loops over plain numbers within it are compiled for all that the machine has, whichever registers it works on.
pub(crate) fn vectorised_rows<T: Number, W: WithSimd>(width: usize, work: W) -> W::Output {
    if width.is_multiple_of(vectorised(Lanes::<T>(PhantomData))) { vectorised(work) } else { vectorised(Narrow(work)) }
}

/// Work on registers of half the machine's width.
struct Narrow<W>(W);

impl<W: WithSimd> WithSimd for Narrow<W> {
    type Output = W::Output;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        if let Some(half) = pulp::x86::V3::try_new() {
            return self.0.with_simd(half);
        }
        self.0.with_simd(simd)
    }
}

/// Asks how many numbers a register of the machine holds.
struct Lanes<T>(PhantomData<T>);

impl<T: Number> WithSimd for Lanes<T> {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        T::lanes::<S>()
    }
}

/// `count` rounded up to whole registers of f32, or to half a register where that leaves out an eighth or more: see
/// [`vectorised_rows`].
pub(crate) fn padded_f32(count: usize) -> usize {
    let lanes = vectorised(Lanes::<f32>(PhantomData));
    let whole = count.next_multiple_of(lanes);
    // Narrower registers than half of AVX-512's would not carry the work of a loop.
    let half = count.next_multiple_of(8);
    if lanes == 16 && 8 * half <= 7 * whole { half } else { whole }
}

/// `count` rounded up to whole registers of f64.
pub(crate) fn padded_f64(count: usize) -> usize {
    count.next_multiple_of(vectorised(Lanes::<f64>(PhantomData)))
}

/// Numbers that start on a cache line, so that no register's load crosses one.
pub(crate) struct Aligned<T> {
    /// The numbers, with room for the shift.
    numbers: Vec<T>,
    /// Where the first cache line begins.
    start: usize,
    /// Numbers in use.
    len: usize,
}

impl<T: Number> Aligned<T> {
    /// Bytes of a cache line.
    const LINE: usize = 64;

    pub fn zeros(len: usize) -> Self {
        let numbers = vec![T::default(); len + Self::LINE / size_of::<T>()];
        let past = numbers.as_ptr() as usize % Self::LINE;
        let start = if past == 0 { 0 } else { (Self::LINE - past) / size_of::<T>() };
        Aligned { numbers, start, len }
    }
}

impl<T: Number> Default for Aligned<T> {
    fn default() -> Self {
        Aligned::zeros(0)
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.numbers[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

/// Calls `$body` for the blocks of up to four registers that `$registers` registers fall into; `K` is the block's
/// length, a constant, and `$at` its first register.
macro_rules! blocks {
    ($registers:expr, |$at:ident, $k:ident| $body:expr) => {{
        let registers = $registers;
        let mut $at = 0;
        while $at < registers {
            match registers - $at {
                1 => {
                    const $k: usize = 1;
                    $body
                }
                2 => {
                    const $k: usize = 2;
                    $body
                }
                3 => {
                    const $k: usize = 3;
                    $body
                }
                _ => {
                    const $k: usize = 4;
                    $body
                }
            }
            $at += 4;
        }
    }};
}
pub(crate) use blocks;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_on_a_line() {
        for len in [0, 1, 15, 16, 100] {
            let numbers = Aligned::<f32>::zeros(len);
            assert_eq!((numbers.len(), numbers.as_ptr() as usize % 64), (len, 0));
            let numbers = Aligned::<f64>::zeros(len);
            assert_eq!((numbers.len(), numbers.as_ptr() as usize % 64), (len, 0));
        }
    }
}
