//! Numbers in chunks of eight, which the compiler turns into vector instructions.

use std::ops::{Add, AddAssign};

/// Numbers in a chunk: one 256-bit register of f32.
pub(crate) const LANES: usize = 8;

/// Eight neighbouring classes.
pub(crate) type Chunk<T> = [T; LANES];

/// f32 or f64.
pub(crate) trait Number: Copy + Default + Add<Output = Self> + AddAssign + Send + Sync {}
impl Number for f32 {}
impl Number for f64 {}

/// Adds `b` to `a`, lane by lane.
#[inline(always)]
pub(crate) fn add<T: Number>(a: &mut Chunk<T>, b: &Chunk<T>) {
    for l in 0..LANES {
        a[l] += b[l];
    }
}

/// The sum of a chunk's lanes, in a fixed order.
#[inline(always)]
pub(crate) fn sum(a: &Chunk<f32>) -> f32 {
    ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]))
}

/// A loop that is compiled for the instructions the machine has; `FMA` tells whether they multiply and add in one.
pub(crate) trait Vectorised {
    /// The loop. Must be `#[inline(always)]`, and everything that it calls too.
    fn run<const FMA: bool>(self);
}

struct Dispatch<V>(V);

impl<V: Vectorised> pulp::WithSimd for Dispatch<V> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        // The scalar fallback is the one that has no fused multiply-add.
        if S::F32_LANES > 1 { self.0.run::<true>() } else { self.0.run::<false>() }
    }
}

/// Runs a loop on the widest vectors that the machine has.
pub(crate) fn vectorised(work: impl Vectorised) {
    pulp::Arch::new().dispatch(Dispatch(work));
}

/// Calls `$body` for the blocks of up to four chunks that `$chunks` chunks fall into; `K` is the block's length, a
/// constant, and `$at` its first chunk.
macro_rules! blocks {
    ($chunks:expr, |$at:ident, $k:ident| $body:expr) => {{
        let chunks = $chunks;
        let mut $at = 0;
        while $at < chunks {
            match chunks - $at {
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
