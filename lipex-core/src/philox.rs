//! Counter-based random numbers: any row of masks can be made alone, anywhere, in any order.
//!
//! # Source
//! Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (2011), Philox4x32-10.

/// What a stream of draws is for; part of the counter, so that no two uses share numbers.
///
/// This is the project's one table of purposes. Numbers are never reused.
///
/// ```
/// use lipex_core::philox::{Draws, Purpose};
///
/// // The same seed and row, and yet no number in common.
/// let first = |purpose| Draws::new(7, 3, 0, purpose).draw(0);
/// assert_ne!(first(Purpose::Masks), first(Purpose::Own));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Masks of a perturber.
    Masks = 0,
    /// Rows drawn by a bootstrap.
    Bootstrap = 1,
    /// Folds of the out-of-fold fidelity.
    Folds = 2,
    /// Random starts of a solver.
    Starts = 3,
    /// Normal deviates behind simultaneous bands.
    Bands = 4,
    /// Masks that keep what a rule keeps.
    Rule = 5,
    /// Bytes of a picture of noise.
    Noise = 8,
    /// Whatever a program draws for itself.
    Own = 9,
}

/// Blocks that are made together, one a vector lane.
const TOGETHER: usize = 8;

/// Philox4x32-10: four words from a counter and a key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    blocks(counter.map(|word| [word]), key).map(|[word]| word)
}

/// Word `w` of block `l` at `[w][l]`, from counters laid out alike.
#[inline(always)]
fn blocks<const L: usize>(counters: [[u32; L]; 4], key: [u32; 2]) -> [[u32; L]; 4] {
    let (mut words, mut k) = (counters, key);
    for _ in 0..10 {
        let [a, b, c, d] = &mut words;
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (first, third) = (u64::from(*a) * 0xD251_1F53, u64::from(*c) * 0xCD9E_8D57);
            (*a, *b) = ((third >> 32) as u32 ^ *b ^ k[0], third as u32);
            (*c, *d) = ((first >> 32) as u32 ^ *d ^ k[1], first as u32);
        }
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    words
}

/// `draw` scaled to `0..n`: `(draw · n) >> 32`.
///
/// # Numerics
/// The bias is below n / 2³².
#[inline]
pub fn scaled(draw: u32, n: u32) -> u32 {
    ((u64::from(draw) * u64::from(n)) >> 32) as u32
}

/// The draws of one row: word `j` of block `b` is draw `4b + j`.
///
/// Key: the seed's low and high words. Counter: (block, row, stream, purpose).
///
/// ```
/// use lipex_core::philox::{Draws, Purpose};
///
/// // Row 3 of a seed, whatever other rows are drawn.
/// let mut row = Draws::new(7, 3, 0, Purpose::Masks);
/// let (first, again) = (row.draw(0), Draws::new(7, 3, 0, Purpose::Masks).draw(0));
/// assert_eq!(first, again);
/// assert!((0.0..1.0).contains(&row.unit(1)) && row.below(2, 10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u32; 2],
    row: u32,
    stream: u32,
    purpose: Purpose,
    block: u32,
    words: [u32; 4],
}

/// The draws of one row one after another, as a generator of `rand_core`: any law of `rand_distr` can be drawn from it, by
/// row, and stays the same whatever else is drawn.
///
/// ```
/// use lipex_core::philox::{Draws, Philox, Purpose};
/// use rand_core::{Rng, SeedableRng};
/// use rand_distr::{Distribution, Poisson};
///
/// let words = Poisson::new(2.5)?;
/// let row = |i| words.sample(&mut Draws::new(7, i, 0, Purpose::Own).generator());
/// let (second, third): (f64, f64) = (row(2), row(3));
/// assert_eq!((row(3), row(2)), (third, second));
/// // Without rows: those of the purpose `Own`, row 0.
/// assert_eq!(Philox::seed_from_u64(7).next_u32(), Draws::new(7, 0, 0, Purpose::Own).draw(0));
/// # Ok::<(), rand_distr::PoissonError>(())
/// ```
///
/// # Numerics
/// Starts again after 2³⁴ words. Not for cryptography.
#[derive(Clone, Debug)]
pub struct Philox {
    draws: Draws,
    next: u64,
}

impl Philox {
    fn word(&mut self) -> u32 {
        let word = self.draws.draw_of((self.next / 4) as u32, (self.next % 4) as usize);
        self.next += 1;
        word
    }
}

impl rand_core::TryRng for Philox {
    type Error = rand_core::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let low = u64::from(self.word());
        Ok(u64::from(self.word()) << 32 | low)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
        for to in to.chunks_mut(4) {
            to.copy_from_slice(&self.word().to_le_bytes()[..to.len()]);
        }
        Ok(())
    }
}

impl rand_core::SeedableRng for Philox {
    /// Philox's key, its low word first: the seed of 64 bits as little-endian bytes.
    type Seed = [u8; 8];

    fn from_seed(seed: [u8; 8]) -> Self {
        Self::seed_from_u64(u64::from_le_bytes(seed))
    }

    /// The key is the seed itself: nothing needs to be mixed.
    fn seed_from_u64(seed: u64) -> Self {
        Draws::new(seed, 0, 0, Purpose::Own).generator()
    }
}

impl Draws {
    /// The draws from number 0 on, as a generator.
    pub fn generator(self) -> Philox {
        Philox { draws: self, next: 0 }
    }

    /// The draws of `row` for a seed, an instance stream (0 unless set) and a purpose.
    pub fn new(seed: u64, row: u32, stream: u32, purpose: Purpose) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        let words = philox4x32([0, row, stream, purpose as u32], key);
        Draws { key, row, stream, purpose, block: 0, words }
    }

    /// Draw number `index`; cheapest when asked in ascending order.
    #[inline]
    pub fn draw(&mut self, index: u32) -> u32 {
        self.draw_of(index / 4, (index % 4) as usize)
    }

    #[inline]
    fn draw_of(&mut self, block: u32, word: usize) -> u32 {
        if block != self.block {
            self.block = block;
            self.words = philox4x32([block, self.row, self.stream, self.purpose as u32], self.key);
        }
        self.words[word]
    }

    /// Draws `first`, `first` + 1, …; where they are many, several blocks at a time.
    pub fn fill(&mut self, first: u32, out: &mut [u32]) {
        let few = out.len() <= 4 * TOGETHER / 2;
        let ragged = if few { out.len() } else { (first.wrapping_neg() % 4) as usize };
        let (head, rest) = out.split_at_mut(ragged);
        head.iter_mut().zip(first..).for_each(|(out, index)| *out = self.draw(index));
        if !rest.is_empty() {
            pulp::Arch::new().dispatch(Fill { draws: self, block: first.div_ceil(4), out: rest });
        }
    }

    /// Draw `index` [scaled] to `0..n`.
    #[inline]
    pub fn below(&mut self, index: u32, n: u32) -> u32 {
        scaled(self.draw(index), n)
    }

    /// Draw `index` as a number in [0, 1), a multiple of 2⁻³².
    #[inline]
    pub fn unit(&mut self, index: u32) -> f64 {
        f64::from(self.draw(index)) / 4_294_967_296.0
    }
}

/// Writes whole blocks, the last one as far as there is room.
struct Fill<'a> {
    draws: &'a Draws,
    block: u32,
    out: &'a mut [u32],
}

impl pulp::WithSimd for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Fill { draws, mut block, out } = self;
        for out in out.chunks_mut(4 * TOGETHER) {
            let mut counters =
                [[0; TOGETHER], [draws.row; TOGETHER], [draws.stream; TOGETHER], [draws.purpose as u32; TOGETHER]];
            for (l, counter) in counters[0].iter_mut().enumerate() {
                *counter = block.wrapping_add(l as u32);
            }
            let words = blocks(counters, draws.key);
            let mut made = [[0; 4]; TOGETHER];
            for (l, block) in made.iter_mut().enumerate() {
                *block = words.map(|of_block| of_block[l]);
            }
            out.copy_from_slice(&made.as_flattened()[..out.len()]);
            block = block.wrapping_add(TOGETHER as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let answers = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in answers {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn a_generator_gives_the_draws_in_order() {
        use rand_core::{Rng, SeedableRng};
        let mut draws = Draws::new(0x1234_5678_9abc_def0, 7, 3, Purpose::Masks);
        let mut generator = draws.clone().generator();
        assert_eq!(generator.next_u32(), draws.draw(0));
        assert_eq!(generator.next_u64(), u64::from(draws.draw(2)) << 32 | u64::from(draws.draw(1)));
        let mut bytes = [0; 6];
        generator.fill_bytes(&mut bytes);
        assert_eq!(bytes[..4], draws.draw(3).to_le_bytes());
        assert_eq!(bytes[4..], draws.draw(4).to_le_bytes()[..2]);
        assert_eq!(generator.next_u32(), draws.draw(5), "a word that was begun is used up");
        // The known answer of key 0, with the counter of the purpose.
        let mut seeded = Philox::from_seed([0; 8]);
        let expected = philox4x32([0, 0, 0, Purpose::Own as u32], [0; 2]);
        assert_eq!([0; 4].map(|_| seeded.next_u32()), expected);
        let seed = 0x1122_3344_5566_7788u64;
        assert_eq!(Philox::from_seed(seed.to_le_bytes()).next_u64(), Philox::seed_from_u64(seed).next_u64());
        // Past 2³² words the blocks go on.
        let mut late = Philox { next: 1 << 32, ..Draws::new(5, 0, 0, Purpose::Own).generator() };
        assert_eq!(late.next_u32(), philox4x32([1 << 30, 0, 0, Purpose::Own as u32], [5, 0])[0]);
    }

    #[test]
    fn draws_are_words_of_blocks_in_any_order() {
        let mut draws = Draws::new(0x1234_5678_9abc_def0, 7, 3, Purpose::Bootstrap);
        for index in [0, 9, 2, 5, 5, 130] {
            let block = philox4x32([index / 4, 7, 3, 1], [0x9abc_def0, 0x1234_5678]);
            assert_eq!(draws.draw(index), block[(index % 4) as usize]);
        }
        for (first, count) in [(0, 0), (0, 1), (1, 2), (1, 3), (3, 100), (4, 32), (8, 33), (130, 7)] {
            let mut many = vec![0; count];
            draws.clone().fill(first, &mut many);
            assert!(many.iter().zip(first..).all(|(many, index)| *many == draws.draw(index)));
        }
        assert!((0..1000).all(|i| draws.below(i, 7) < 7));
        assert!((0..7).all(|v| (0..1000).any(|i| draws.below(i, 7) == v)));
    }
}
