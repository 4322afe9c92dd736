//! Masks between a number a feature and a bit a feature.

/// Packs masks of a number a feature into bits; a number other than 0 keeps the feature.
///
/// # Shapes
/// `dense` holds rows of `features` numbers, row-major; what comes out is laid out as in [`Masks`](crate::Masks). Numbers
/// after the last whole row are left out.
///
/// ```
/// use lipex_core::{pack_bits, unpack_bits};
///
/// // Two masks of three features: 101 and 011.
/// let bits = pack_bits(3, &[1, 0, 1, 0, 1, 1]);
/// assert_eq!(bits, [0b101, 0b110]);
/// assert!(unpack_bits(&bits[1..], 3).eq([0, 1, 1]));
/// ```
pub fn pack_bits(features: usize, dense: &[u8]) -> Vec<u32> {
    let mut bits = Vec::with_capacity(dense.len().checked_div(features).unwrap_or(0) * features.div_ceil(32));
    for row in dense.chunks_exact(features.max(1)) {
        let (bytes, rest) = row.as_chunks::<8>();
        let (words, last) = bytes.as_chunks::<4>();
        bits.extend(words.iter().map(|of_word| word(of_word)));
        if !(last.is_empty() && rest.is_empty()) {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            bits.push(word(last) | eight(padded) << (8 * last.len()));
        }
    }
    bits
}

/// The mask that keeps all of so many features, ⌈D/32⌉ words.
///
/// ```
/// assert_eq!(lipex_core::whole_mask(34), [u32::MAX, 0b11]);
/// ```
pub fn whole_mask(features: usize) -> Vec<u32> {
    (0..features.div_ceil(32)).map(|w| u32::MAX >> (32 * (w + 1)).saturating_sub(features)).collect()
}

/// Unpacks the bits of one row, `features` of them, into 1 where the feature is kept and 0 elsewhere.
pub fn unpack_bits(row: &[u32], features: usize) -> impl Iterator<Item = u8> {
    (0..features).map(|j| (row[j / 32] >> (j % 32) & 1) as u8)
}

/// At most four groups of eight numbers as one word, the first number lowest.
fn word(groups: &[[u8; 8]]) -> u32 {
    groups.iter().rev().fold(0, |word, &group| word << 8 | eight(group))
}

/// Eight numbers as eight bits, all at once in a word of 64.
fn eight(numbers: [u8; 8]) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let x = u64::from_le_bytes(numbers);
    // The addition carries into a byte's top bit if any lower bit is set.
    let ones = (((x & LOW) + LOW) | x) >> 7 & ONES;
    // The product brings bit 8j to bit 56 + j.
    (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_packs_as_a_loop_does_and_unpacks() {
        for features in 1..=70usize {
            // Rows of a pattern without a short period, with numbers other than 1 for what is kept.
            let dense: Vec<u8> = (0..3 * features).map(|i| [0, 1, 128, 100, 255][i * i * 7 % 11 % 5]).collect();
            let mut by_loop = vec![0u32; 3 * features.div_ceil(32)];
            for (i, row) in dense.chunks(features).enumerate() {
                for (j, _) in row.iter().enumerate().filter(|(_, n)| **n != 0) {
                    by_loop[i * features.div_ceil(32) + j / 32] |= 1 << (j % 32);
                }
            }
            let bits = pack_bits(features, &dense);
            assert_eq!(bits, by_loop, "{features} features");
            let rows = bits.chunks(features.div_ceil(32));
            let back: Vec<u8> = rows.flat_map(|row| unpack_bits(row, features)).collect();
            assert_eq!(back, dense.iter().map(|n| u8::from(*n != 0)).collect::<Vec<_>>());
            assert!(back.contains(&0) && back.contains(&1) || features < 4);
        }
    }

    #[test]
    fn nothing_packs_into_nothing() {
        assert!(pack_bits(0, &[]).is_empty() && pack_bits(5, &[]).is_empty() && pack_bits(5, &[1; 4]).is_empty());
    }
}
