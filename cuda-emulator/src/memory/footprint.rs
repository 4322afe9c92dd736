//! Which bytes of device memory a piece of work read and wrote, to find work on two streams that gets in each other's way.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::heap::Heap;

/// Byte ranges, sorted and disjoint: start, end.
pub type Ranges = Vec<(u64, u64)>;

/// What a piece of work touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes read.
    pub reads: Ranges,
    /// Bytes written.
    pub writes: Ranges,
}

fn overlap(a: &Ranges, b: &Ranges) -> Option<u64> {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.0 < y.1 && y.0 < x.1 {
            return Some(x.0.max(y.0));
        }
        if x.1 <= y.0 { i += 1 } else { j += 1 }
    }
    None
}

impl Footprint {
    /// Work that reads `bytes` bytes at `address`.
    pub fn read(address: u64, bytes: u64) -> Self {
        Self { reads: vec![(address, address + bytes)], writes: Vec::new() }
    }

    /// Work that writes `bytes` bytes at `address`.
    pub fn write(address: u64, bytes: u64) -> Self {
        Self { reads: Vec::new(), writes: vec![(address, address + bytes)] }
    }

    /// An address that one of the two writes and the other touches.
    pub fn conflict(&self, other: &Footprint) -> Option<u64> {
        overlap(&self.writes, &other.writes)
            .or_else(|| overlap(&self.writes, &other.reads))
            .or_else(|| overlap(&self.reads, &other.writes))
    }
}

/// A bit a byte, in words by number.
type Marks = BTreeMap<u64, u64>;

/// Collects the footprint of a kernel.
#[derive(Default)]
pub struct Recorder {
    /// Reads and writes.
    marks: Mutex<[Marks; 2]>,
}

impl Recorder {
    /// Marks an access of a warp: `bytes` bytes, at most 16, for each lane in `mask` whose address is device memory.
    pub fn mark(&self, addresses: &[u64; 32], mask: u32, bytes: u32, write: bool) {
        let mut marks = self.marks.lock().unwrap_or_else(|e| e.into_inner());
        let marks = &mut marks[usize::from(write)];
        for (lane, &address) in addresses.iter().enumerate() {
            if mask >> lane & 1 == 1 && Heap::is_device(address) {
                // An aligned access of at most 16 bytes lies within a word of 64.
                *marks.entry(address / 64).or_default() |= ((1 << bytes) - 1) << (address % 64);
            }
        }
    }

    /// The footprint.
    pub fn finish(self) -> Footprint {
        let [reads, writes] = self.marks.into_inner().unwrap_or_else(|e| e.into_inner());
        Footprint { reads: ranges(&reads), writes: ranges(&writes) }
    }
}

fn ranges(marks: &Marks) -> Ranges {
    let mut out: Ranges = Vec::new();
    for (&word, &bits) in marks {
        let mut at = 0;
        while at < 64 {
            let rest = bits >> at;
            if rest == 0 {
                break;
            }
            let start = at + rest.trailing_zeros();
            let length = (bits >> start).trailing_ones();
            let (from, to) = (word * 64 + u64::from(start), word * 64 + u64::from(start + length));
            match out.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => out.push((from, to)),
            }
            at = start + length;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_across_words() {
        let recorder = Recorder::default();
        let base = 20 << 36;
        recorder.mark(&std::array::from_fn(|lane| base + 4 * lane as u64), u32::MAX, 4, true);
        recorder.mark(&[base + 200; 32], 1, 1, true);
        recorder.mark(&[8; 32], u32::MAX, 4, true);
        let footprint = recorder.finish();
        assert_eq!(footprint.writes, [(base, base + 128), (base + 200, base + 201)]);
        assert!(footprint.reads.is_empty());
    }

    #[test]
    fn only_writes_conflict() {
        let (a, b) = (Footprint::read(100, 10), Footprint::write(109, 10));
        assert_eq!(a.conflict(&b), Some(109));
        assert_eq!(b.conflict(&a), Some(109));
        assert_eq!(a.conflict(&a), None);
        assert_eq!(b.conflict(&Footprint::write(119, 1)), None);
        assert_eq!(b.conflict(&b), Some(109));
    }
}
