//! A text classifier of four classes that Python and Rust compute alike, to the bit; `golden/hash_model.py` is the same.

/// FNV-1a of 64 bits.
pub fn fnv(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0xcbf2_9ce4_8422_2325, |h, v| (h ^ v).wrapping_mul(0x100_0000_01b3))
}

/// One step of splitmix64.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The probabilities of one text: words and pairs of neighbouring words add to each class's score by their hashes.
///
/// Words are what Python's `\W+` leaves; for scripts with combining signs, which no golden text has, the two differ.
pub fn classify(text: &str) -> [f64; 4] {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty());
    let words: Vec<u64> = words.map(|w| fnv(w.bytes().map(u64::from))).collect();
    let e = std::array::from_fn(|c| {
        let c = c as u64;
        let single = words.iter().map(|w| (mix(w ^ c) % 1025) as i64 - 512);
        let pairs = words.windows(2).map(|w| (mix(mix(w[0] ^ c) ^ w[1]) % 769) as i64 - 384);
        let score = single.sum::<i64>() + pairs.sum::<i64>();
        // (1 + x/256)^256 by squaring.
        (0..8).fold(1.0 + score as f64 / 1024.0 / 256.0, |x: f64, _| x * x)
    });
    let total = e.iter().fold(0.0, |sum, e| sum + e);
    e.map(|e| e / total)
}
