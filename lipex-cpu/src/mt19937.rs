//! The Mersenne Twister, as NumPy's legacy `RandomState` uses it: only to draw the masks that LIME draws.
//!
//! # Source
//! Matsumoto and Nishimura: Mersenne Twister (1998), MT19937; NumPy's legacy bounded integers by masked rejection.

/// n of the recurrence: words of state.
const WORDS: usize = 624;
/// m of the recurrence.
const SHIFT: usize = 397;

/// The generator.
pub(crate) struct Mt19937 {
    /// The words.
    state: [u32; WORDS],
    /// The next word to give out; all are used up at [`WORDS`].
    next: usize,
}

impl Mt19937 {
    /// The generator that `RandomState(seed)` starts with.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for i in 1..WORDS {
            let last = state[i - 1];
            state[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Mt19937 { state, next: WORDS }
    }

    /// The next state: x_{k+n} = x_{k+m} ⊕ (upper bit of x_k, lower bits of x_{k+1})·A.
    fn twist(&mut self) {
        for i in 0..WORDS {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % WORDS] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % WORDS] ^ (y >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// The next 32 bits.
    pub fn draw(&mut self) -> u32 {
        if self.next == WORDS {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A number in 0…`most`, all equally likely; draws nothing for `most` = 0.
    pub fn bounded(&mut self, most: u32) -> u32 {
        if most == 0 {
            return 0;
        }
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let draw = self.draw() & mask;
            if draw <= most {
                return draw;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_thousandth_draw_is_the_published_one() {
        // The C++ standard, [rand.predef]: the 10000th of a default-seeded (5489) mt19937.
        let mut generator = Mt19937::new(5489);
        (0..9999).for_each(|_| {
            generator.draw();
        });
        assert_eq!(generator.draw(), 4_123_659_995);
    }

    #[test]
    fn bounded_numbers_cover_their_range() {
        let mut generator = Mt19937::new(1);
        assert_eq!(generator.bounded(0), 0);
        let mut counts = [0; 6];
        (0..6000).for_each(|_| counts[generator.bounded(5) as usize] += 1);
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
    }
}
