//! A warp's registers: columns of 32 lanes, and how an operation runs over them.
//!
//! Registers of at most 32 bits live in columns of `u32`, zero-extended; those of 64 bits in columns of `u64`; predicates are
//! masks with a bit a lane. Immediates and special registers are columns too, filled when a warp starts, so that an
//! operation never asks what its operands are.

/// Lanes of a warp.
pub const LANES: usize = 32;

/// The registers of one warp.
#[derive(Default)]
pub struct Registers {
    /// Columns of up to 32 bits.
    pub narrow: Vec<[u32; LANES]>,
    /// Columns of 64 bits.
    pub wide: Vec<[u64; LANES]>,
    /// Predicates, a bit a lane.
    pub truth: Vec<u32>,
    /// The carry flag of `add.cc` and the like, a bit a lane.
    pub carry: u32,
}

/// Which columns an operation reads and writes; the meaning of each is the operation's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    /// Destination.
    pub d: u32,
    /// First source.
    pub a: u32,
    /// Second source.
    pub b: u32,
    /// Third source.
    pub c: u32,
    /// A constant, a fourth source or a second destination.
    pub e: u32,
}

/// An operation over a warp's registers for the lanes in a mask.
///
/// # Safety
/// The function may have been compiled for AVX2 and FMA: [`choose`] hands out only what this processor runs.
pub type Alu = unsafe fn(&mut Registers, &Operands, u32);

/// Whether this processor runs the operations compiled for AVX2 and FMA, and `CUDA_EMULATOR_VECTORS` is not 0.
pub fn wide_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *KNOWN.get_or_init(|| {
            let wanted = !std::env::var("CUDA_EMULATOR_VECTORS").is_ok_and(|v| v.trim() == "0");
            wanted && vector_features()
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Whether the processor has every feature that `operation!` and `Warp::run_vector` are compiled for.
#[cfg(target_arch = "x86_64")]
fn vector_features() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("fma")
        && std::is_x86_feature_detected!("f16c")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
}

/// The second form of an operation where the processor runs it, else the first.
pub fn choose(plain: Alu, vector: Alu) -> Alu {
    if wide_vectors() { vector } else { plain }
}

/// A type that columns are made of.
pub trait Lane: Copy + Default {
    /// Column `i`.
    fn column(registers: &Registers, i: u32) -> &[Self; LANES];
    /// Column `i`, to be written.
    fn column_mut(registers: &mut Registers, i: u32) -> &mut [Self; LANES];
}

impl Lane for u32 {
    #[inline(always)]
    fn column(registers: &Registers, i: u32) -> &[u32; LANES] {
        &registers.narrow[i as usize]
    }
    #[inline(always)]
    fn column_mut(registers: &mut Registers, i: u32) -> &mut [u32; LANES] {
        &mut registers.narrow[i as usize]
    }
}

impl Lane for u64 {
    #[inline(always)]
    fn column(registers: &Registers, i: u32) -> &[u64; LANES] {
        &registers.wide[i as usize]
    }
    #[inline(always)]
    fn column_mut(registers: &mut Registers, i: u32) -> &mut [u64; LANES] {
        &mut registers.wide[i as usize]
    }
}

impl Registers {
    /// Writes `values` to column `d` for the lanes in `mask`.
    #[inline(always)]
    pub fn store<T: Lane>(&mut self, d: u32, values: &[T; LANES], mask: u32) {
        let to = T::column_mut(self, d);
        if mask == u32::MAX {
            *to = *values;
            return;
        }
        for lane in 0..LANES {
            to[lane] = if mask >> lane & 1 == 1 { values[lane] } else { to[lane] };
        }
    }

    /// Writes the bits of `values` to predicate `d` for the lanes in `mask`.
    #[inline(always)]
    pub fn store_truth(&mut self, d: u32, values: u32, mask: u32) {
        let to = &mut self.truth[d as usize];
        *to = (values & mask) | (*to & !mask);
    }

    /// d = f(a).
    #[inline(always)]
    pub fn map1<A: Lane, R: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(A) -> R) {
        let a = *A::column(self, o.a);
        let mut out = [R::default(); LANES];
        for lane in 0..LANES {
            out[lane] = f(a[lane]);
        }
        self.store(o.d, &out, mask);
    }

    /// d = f(a, b).
    #[inline(always)]
    pub fn map2<A: Lane, B: Lane, R: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(A, B) -> R) {
        let (a, b) = (*A::column(self, o.a), *B::column(self, o.b));
        let mut out = [R::default(); LANES];
        for lane in 0..LANES {
            out[lane] = f(a[lane], b[lane]);
        }
        self.store(o.d, &out, mask);
    }

    /// d = f(a, b, c).
    #[inline(always)]
    pub fn map3<A: Lane, B: Lane, C: Lane, R: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(A, B, C) -> R) {
        let (a, b, c) = (*A::column(self, o.a), *B::column(self, o.b), *C::column(self, o.c));
        let mut out = [R::default(); LANES];
        for lane in 0..LANES {
            out[lane] = f(a[lane], b[lane], c[lane]);
        }
        self.store(o.d, &out, mask);
    }

    /// d = f(a, b, c, e), for the two instructions that need it.
    #[inline(always)]
    pub fn map4<R: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(R, R, u32, u32) -> R) {
        let (a, b) = (*R::column(self, o.a), *R::column(self, o.b));
        let (c, e) = (*u32::column(self, o.c), *u32::column(self, o.e));
        let mut out = [R::default(); LANES];
        for lane in 0..LANES {
            out[lane] = f(a[lane], b[lane], c[lane], e[lane]);
        }
        self.store(o.d, &out, mask);
    }

    /// Predicate d = f(a, b).
    #[inline(always)]
    pub fn test2<A: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(A, A) -> bool) {
        let (a, b) = (A::column(self, o.a), A::column(self, o.b));
        let mut out = 0;
        for lane in 0..LANES {
            out |= u32::from(f(a[lane], b[lane])) << lane;
        }
        self.store_truth(o.d, out, mask);
    }

    /// Predicate d = f(a).
    #[inline(always)]
    pub fn test1<A: Lane>(&mut self, o: &Operands, mask: u32, f: impl Fn(A) -> bool) {
        let a = A::column(self, o.a);
        let mut out = 0;
        for lane in 0..LANES {
            out |= u32::from(f(a[lane])) << lane;
        }
        self.store_truth(o.d, out, mask);
    }
}

/// An operation from a body over `(registers, operands, mask)`, compiled plainly and for AVX2 with FMA.
macro_rules! operation {
    (|$w:ident, $o:ident, $m:ident| $body:expr) => {{
        #[inline(always)]
        fn body($w: &mut $crate::exec::registers::Registers, $o: &$crate::exec::registers::Operands, $m: u32) {
            $body
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c,popcnt,lzcnt,bmi1,bmi2")]
        unsafe fn vector(w: &mut $crate::exec::registers::Registers, o: &$crate::exec::registers::Operands, m: u32) {
            body(w, o, m)
        }
        #[cfg(not(target_arch = "x86_64"))]
        use body as vector;
        $crate::exec::registers::choose(body, vector)
    }};
}

/// An operation from a function of one, two or three lanes.
macro_rules! lanes {
    (|$a:ident: $A:ty| -> $R:ty $f:block) => {
        $crate::exec::registers::operation!(|w, o, m| w.map1(o, m, |$a: $A| -> $R { $f }))
    };
    (|$a:ident: $A:ty, $b:ident: $B:ty| -> $R:ty $f:block) => {
        $crate::exec::registers::operation!(|w, o, m| w.map2(o, m, |$a: $A, $b: $B| -> $R { $f }))
    };
    (|$a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty| -> $R:ty $f:block) => {
        $crate::exec::registers::operation!(|w, o, m| w.map3(o, m, |$a: $A, $b: $B, $c: $C| -> $R { $f }))
    };
}

pub(crate) use {lanes, operation};
