//! Shared memory of a block, and a watch over who touched it when.
//!
//! For each granule (4 bytes, or fewer if the kernel has narrower accesses) the watch keeps the last writer and the readers
//! since, with the number of block-wide barriers and of warp-wide ones passed. Two accesses by different threads conflict if
//! one writes, no block-wide barrier lies between them, and, within a warp, no warp-wide one. Atomic accesses do not conflict
//! with each other.

use crate::report::Problem;

/// Thread number that stands for several threads.
const SEVERAL: u64 = 0xfff;
/// Added to a warp's number: several lanes of that warp.
const LANES_OF: u64 = 0x800;
/// Marks an atomic write.
const ATOMIC: u64 = 1 << 15;

/// Who makes an access.
#[derive(Clone, Copy)]
pub struct Actor {
    /// Thread number in the block.
    pub thread: u32,
    /// Warp-wide barriers that its warp has passed.
    pub warp_epoch: u16,
}

/// How an access touches memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It reads.
    Read,
    /// It writes.
    Write,
    /// It does both in one step.
    Atomic,
}

/// Who touched a granule last.
#[derive(Clone, Copy, Default)]
pub(super) struct Watch {
    writer: u64,
    reader: u64,
}

/// Shared memory.
#[derive(Default)]
pub struct Shared {
    words: Vec<u64>,
    size: u32,
    watches: Vec<Watch>,
    granule_shift: u32,
    epoch: u32,
}

/// A conflict, with the other thread if it is known.
#[derive(Debug)]
pub struct Conflict {
    /// What kind of conflict.
    pub problem: Problem,
    /// What exactly.
    pub message: String,
    /// The other thread.
    pub other: Option<u32>,
}

impl Shared {
    /// Makes the memory of a new block: `size` bytes, nothing written.
    pub fn reset(&mut self, size: u32, granule: u32) {
        self.size = size;
        self.granule_shift = granule.max(1).trailing_zeros();
        self.words.clear();
        self.words.resize(size.div_ceil(8) as usize, u64::MAX);
        self.watches.clear();
        self.watches.resize((size as usize).div_ceil(granule.max(1) as usize), Watch::default());
        self.epoch = 1;
    }

    /// Size in bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// A block-wide barrier was passed.
    pub fn barrier(&mut self) {
        self.epoch += 1;
    }

    /// Reads 4 bytes at a multiple of 4 within the size.
    #[inline(always)]
    pub fn word(&self, at: u32) -> u32 {
        (self.words[at as usize / 8] >> ((at & 4) * 8)) as u32
    }

    /// Reads 1, 2, 4 or 8 bytes at a multiple of as many within the size.
    #[inline(always)]
    pub fn load(&self, at: u32, bytes: u32) -> u64 {
        let word = self.words[at as usize / 8] >> (at % 8 * 8);
        if bytes == 8 { word } else { word & ((1 << (bytes * 8)) - 1) }
    }

    /// Writes 1, 2, 4 or 8 bytes at a multiple of as many within the size.
    #[inline(always)]
    pub fn store(&mut self, at: u32, bytes: u32, value: u64) {
        let word = &mut self.words[at as usize / 8];
        if bytes == 8 {
            *word = value;
            return;
        }
        let shift = at % 8 * 8;
        let mask = ((1u64 << (bytes * 8)) - 1) << shift;
        *word = (*word & !mask) | (value << shift & mask);
    }

    /// The moment of an access by `actor`.
    #[inline(always)]
    pub fn stamp(&self, actor: Actor) -> u64 {
        u64::from(self.epoch) << 32 | u64::from(actor.warp_epoch) << 16 | u64::from(actor.thread)
    }

    /// Watches an access of `bytes` bytes at `at`, which lie within the size.
    ///
    /// # Errors
    /// The memory was never written, or another thread touches it too.
    #[inline(always)]
    pub fn touch(&mut self, at: u32, bytes: u32, actor: Actor, touch: Touch) -> Result<(), Box<Conflict>> {
        let first = at >> self.granule_shift;
        let last = (at + bytes - 1) >> self.granule_shift;
        let now = self.stamp(actor);
        // Stamps from before the last barrier are smaller than this one.
        let since = u64::from(self.epoch) << 32;
        for granule in first..=last {
            let watch = &mut self.watches[granule as usize];
            let fine = match touch {
                Touch::Read if watch.writer.wrapping_sub(1) < since - 1 => {
                    if watch.reader < since {
                        watch.reader = now;
                    } else if watch.reader != now && thread(watch.reader) != SEVERAL {
                        watch.add_reader(now);
                    }
                    true
                }
                Touch::Read => watch.read(now),
                Touch::Write if watch.writer < since && watch.reader < since => {
                    watch.writer = now;
                    true
                }
                Touch::Write => watch.write(now),
                Touch::Atomic => watch.atomic(now),
            };
            if !fine {
                return Err(watch.explain(now, granule << self.granule_shift, touch));
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn thread(stamp: u64) -> u64 {
    stamp & 0xfff
}

/// Whether what `then` did and what `now` does are in order, or by the same thread.
#[inline(always)]
fn ordered(then: u64, now: u64) -> bool {
    if then >> 32 != now >> 32 {
        return true;
    }
    let (a, b) = (thread(then), thread(now));
    if a == b {
        return true;
    }
    let same_warp = if a & LANES_OF != 0 { a != SEVERAL && a & 31 == b >> 5 } else { a >> 5 == b >> 5 };
    same_warp && (then ^ now) >> 16 & 0xffff != 0
}

impl Watch {
    /// Of memory that something before this block wrote.
    pub(super) const BEFORE: Watch = Watch { writer: 1, reader: 0 };

    /// Notes an access; the other thread, if it is one, that it collides with, and whether that one wrote.
    pub(super) fn touch(&mut self, now: u64, touch: Touch) -> Result<(), (Option<u32>, bool)> {
        let fine = match touch {
            Touch::Read => self.read(now),
            Touch::Write => self.write(now),
            Touch::Atomic => self.atomic(now),
        };
        if fine {
            return Ok(());
        }
        let wrote = !ordered(self.writer & !ATOMIC, now);
        let other = thread(if wrote { self.writer & !ATOMIC } else { self.reader });
        Err(((other & LANES_OF == 0).then_some(other as u32), wrote))
    }

    #[inline(always)]
    fn read(&mut self, now: u64) -> bool {
        if self.writer == 0 || !ordered(self.writer, now) {
            return false;
        }
        self.add_reader(now);
        true
    }

    /// Remembers one more reader since the last barrier.
    #[inline]
    fn add_reader(&mut self, now: u64) {
        let then = self.reader;
        self.reader = if then >> 32 != now >> 32 || thread(then) == thread(now) {
            now
        } else {
            let (a, b) = (thread(then), thread(now));
            let warp = if a & LANES_OF != 0 { a & 31 } else { a >> 5 };
            if a == SEVERAL || warp != b >> 5 {
                now & !0xfff | SEVERAL
            } else if then >> 16 == now >> 16 {
                now & !0xfff | LANES_OF | warp
            } else {
                now
            }
        };
    }

    #[inline(always)]
    fn write(&mut self, now: u64) -> bool {
        if (self.writer != 0 && !ordered(self.writer & !ATOMIC, now)) || !ordered(self.reader, now) {
            return false;
        }
        self.writer = now;
        true
    }

    fn atomic(&mut self, now: u64) -> bool {
        if self.writer == 0 || !ordered(self.reader, now) {
            return false;
        }
        let then = self.writer;
        if then >> 32 == now >> 32 && then & ATOMIC != 0 {
            let several = thread(then) != thread(now);
            self.writer = if several { now & !0xfff | SEVERAL } else { now } | ATOMIC;
            return true;
        }
        if !ordered(then, now) {
            return false;
        }
        self.writer = now | ATOMIC;
        true
    }

    #[cold]
    fn explain(&self, now: u64, at: u32, touch: Touch) -> Box<Conflict> {
        if self.writer == 0 {
            let message = format!("shared memory at offset {at} is read before it is written");
            return Box::new(Conflict { problem: Problem::Uninitialised, message, other: None });
        }
        let writer_conflicts = !ordered(self.writer & !ATOMIC, now);
        let (stamp, did) = if writer_conflicts { (self.writer, "wrote") } else { (self.reader, "read") };
        let does = if touch == Touch::Read { "reads" } else { "writes" };
        let (who, other) = match thread(stamp & !ATOMIC) {
            SEVERAL => ("several threads".to_string(), None),
            t if t & LANES_OF != 0 => (format!("several lanes of warp {}", t & 31), None),
            t => (format!("thread {t}"), Some(t as u32)),
        };
        let message = format!(
            "thread {} {does} shared memory at offset {at} that {who} {did} with no barrier between",
            thread(now)
        );
        Box::new(Conflict { problem: Problem::Race, message, other: if writer_conflicts { other } else { None } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Touch::{Atomic, Read, Write};

    fn memory() -> Shared {
        let mut shared = Shared::default();
        shared.reset(64, 4);
        shared
    }

    fn by(thread: u32, warp_epoch: u16) -> Actor {
        Actor { thread, warp_epoch }
    }

    /// Whether the second access of one word is in order behind the first, after a write by thread 0 and a barrier.
    fn fine(first: (u32, Touch), second: (u32, Touch), warp_epoch: u16) -> bool {
        let mut shared = memory();
        shared.touch(8, 4, by(0, 0), Write).expect("a first write");
        shared.barrier();
        shared.touch(8, 4, by(first.0, 0), first.1).expect("the first access after a barrier");
        shared.touch(8, 4, by(second.0, warp_epoch), second.1).is_ok()
    }

    #[test]
    fn what_conflicts() {
        for (a, b, wanted) in [
            (Read, Read, true),
            (Read, Write, false),
            (Write, Read, false),
            (Write, Write, false),
            (Atomic, Atomic, true),
            (Atomic, Read, false),
            (Read, Atomic, false),
            (Atomic, Write, false),
            (Write, Atomic, false),
        ] {
            let case = format!("{} then {}", a as u8, b as u8);
            assert_eq!(fine((3, a), (40, b), 0), wanted, "another warp: {case}");
            assert_eq!(fine((3, a), (40, b), 1), wanted, "a warp-wide barrier orders no other warp: {case}");
            assert_eq!(fine((3, a), (4, b), 0), wanted, "another lane: {case}");
            assert!(fine((3, a), (4, b), 1), "another lane, a warp-wide barrier between: {case}");
            assert!(fine((3, a), (3, b), 0), "the same thread: {case}");
        }
    }

    #[test]
    fn all_readers_count() {
        let mut shared = memory();
        shared.touch(0, 4, by(0, 0), Write).expect("a first write");
        shared.barrier();
        for thread in [33, 1, 34] {
            shared.touch(0, 4, by(thread, 0), Read).expect("readers do not disturb each other");
        }
        let conflict = shared.touch(0, 4, by(34, 0), Write).expect_err("others read it");
        assert_eq!(conflict.problem, Problem::Race);
        shared.barrier();
        shared.touch(0, 4, by(34, 0), Write).expect("a barrier orders everything");
    }

    #[test]
    fn narrow_accesses_are_watched_apart() {
        let mut shared = Shared::default();
        shared.reset(8, 1);
        for thread in 0..4 {
            shared.touch(thread, 1, by(thread, 0), Write).expect("neighbouring bytes");
        }
        assert!(shared.touch(0, 4, by(0, 0), Read).is_err());
        assert_eq!(shared.touch(4, 2, by(0, 0), Read).expect_err("never written").problem, Problem::Uninitialised);
    }

    #[test]
    fn bytes_keep_to_themselves() {
        let mut shared = memory();
        shared.store(8, 8, 0x0123_4567_89ab_cdef);
        shared.store(10, 1, 0xff);
        shared.store(12, 2, 0x5555);
        assert_eq!(shared.load(8, 8), 0x0123_5555_89ff_cdef);
        assert_eq!((shared.load(8, 4), shared.word(12)), (0x89ff_cdef, 0x0123_5555));
        assert_eq!(shared.load(14, 2), 0x0123);
    }
}
