//! Who touched which word of device memory in a launch, to find blocks, and threads of a block, that get in each other's way.
//!
//! Threads of a block are watched as in shared memory: a barrier must lie between. Accesses of less than 4 bytes are not.
//!
//! Blocks of a launch run in any order, or at the same time. So what one of them writes no other may touch, unless both do
//! so by atomics. Blocks run one after another here, and who comes second is told of whom.

use super::shared::{Touch, Watch};
use std::collections::HashMap;

/// Bytes that a page's cells stand for.
const PAGE: u64 = 1024;
/// Nobody; several.
const NONE: u32 = 0;
const MANY: u32 = u32::MAX;

/// The blocks that touched a place, as one more than their numbers.
#[derive(Clone, Copy, Default)]
struct Cell {
    readers: u32,
    writer: u32,
    atomics: u32,
}

impl Cell {
    /// Notes an access of a block; another block's that it collides with, and what that one did.
    fn touch(&mut self, block: u32, kind: Touch) -> Option<(u32, Touch)> {
        let found = self.collision(block, kind);
        let who = match kind {
            Touch::Read => &mut self.readers,
            Touch::Write => &mut self.writer,
            Touch::Atomic => &mut self.atomics,
        };
        *who = if *who == NONE || *who == block { block } else { MANY };
        found
    }

    /// Another block's access that one of this kind collides with.
    fn collision(&self, block: u32, kind: Touch) -> Option<(u32, Touch)> {
        let all = [(self.writer, Touch::Write), (self.atomics, Touch::Atomic), (self.readers, Touch::Read)];
        all.into_iter().find(|&(who, did)| {
            let harmless = kind == did && kind != Touch::Write;
            who != NONE && who != block && !harmless
        })
    }
}

/// Cells of a page: one a word of 4 bytes and, once a narrower access came, one a byte.
struct Page {
    words: Vec<Cell>,
    bytes: Vec<Cell>,
    /// The threads of a block that touched each word.
    threads: Vec<Watch>,
    /// Which block that is.
    block: u32,
}

impl Page {
    fn new() -> Self {
        Page {
            words: vec![Cell::default(); PAGE as usize / 4],
            bytes: Vec::new(),
            threads: vec![Watch::BEFORE; PAGE as usize / 4],
            block: NONE,
        }
    }

    /// Notes an access of `bytes` bytes at offset `at`, which does not leave the page.
    fn touch(&mut self, at: usize, bytes: usize, block: u32, kind: Touch) -> Option<(u32, Touch)> {
        let mut found = None;
        if bytes < 4 {
            self.bytes.resize(PAGE as usize, Cell::default());
            found = found.or(self.words[at / 4].collision(block, kind));
            for cell in &mut self.bytes[at..at + bytes] {
                found = found.or(cell.touch(block, kind));
            }
            return found;
        }
        for cell in &mut self.words[at / 4..(at + bytes) / 4] {
            found = found.or(cell.touch(block, kind));
        }
        for cell in self.bytes.get(at..at + bytes).unwrap_or(&[]) {
            found = found.or(cell.collision(block, kind));
        }
        found
    }
}

/// Another's access that one collides with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collision {
    /// A block's of this number, if it is one; what it did.
    Block(Option<u64>, Touch),
    /// A thread's of the same block, if it is one, with no barrier between; whether it wrote.
    Thread(Option<u32>, bool),
}

/// What the blocks of one launch touched.
#[derive(Default)]
pub struct Shadow {
    places: HashMap<u64, usize>,
    pages: Vec<Page>,
    /// The page that was touched last: neighbouring lanes touch the same.
    last: Option<(u64, usize)>,
    block: u32,
}

impl Shadow {
    /// The accesses to come are those of block `number`.
    pub fn enter(&mut self, number: u64) {
        // With more blocks than numbers some share one, and collisions among those are missed.
        self.block = (number % u64::from(MANY - 1)) as u32 + 1;
    }

    /// Notes an aligned access of at most 16 bytes at the moment `now` of its block.
    ///
    /// # Errors
    /// It collides with another's.
    pub fn touch(&mut self, address: u64, bytes: u32, kind: Touch, now: u64) -> Result<(), Collision> {
        let number = address / PAGE;
        let index = match self.last {
            Some((page, index)) if page == number => index,
            _ => *self.places.entry(number).or_insert_with(|| {
                self.pages.push(Page::new());
                self.pages.len() - 1
            }),
        };
        self.last = Some((number, index));
        let (page, at) = (&mut self.pages[index], (address % PAGE) as usize);
        if let Some((who, did)) = page.touch(at, bytes as usize, self.block, kind) {
            return Err(Collision::Block((who != MANY).then(|| u64::from(who) - 1), did));
        }
        if page.block != self.block {
            page.threads.fill(Watch::BEFORE);
            page.block = self.block;
        }
        let words = at / 4..(at + bytes as usize) / 4;
        page.threads[words]
            .iter_mut()
            .try_for_each(|watch| watch.touch(now, kind))
            .map_err(|(other, wrote)| Collision::Thread(other, wrote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The collision of the last of some accesses (block, address, bytes, kind); those before must have none.
    fn last(accesses: &[(u64, u64, u32, Touch)]) -> Option<Collision> {
        let mut shadow = Shadow::default();
        let mut found = None;
        for &(block, address, bytes, kind) in accesses {
            assert_eq!(found, None);
            shadow.enter(block);
            found = shadow.touch(address, bytes, kind, 1 << 32).err();
        }
        found
    }

    #[test]
    fn a_write_collides_with_every_other_block() {
        use Touch::{Atomic, Read, Write};
        let of = |other, did| Some(Collision::Block(other, did));
        assert_eq!(last(&[(0, 64, 4, Write), (1, 64, 4, Read)]), of(Some(0), Write));
        assert_eq!(last(&[(4, 64, 4, Read), (1, 64, 4, Write)]), of(Some(4), Read));
        assert_eq!(last(&[(4, 64, 4, Read), (5, 64, 4, Read), (6, 64, 4, Write)]), of(None, Read));
        assert_eq!(last(&[(0, 64, 4, Write), (1, 64, 4, Write)]), of(Some(0), Write));
        assert_eq!(last(&[(0, 64, 4, Atomic), (1, 64, 4, Write)]), of(Some(0), Atomic));
        assert_eq!(last(&[(0, 64, 4, Atomic), (1, 64, 4, Read)]), of(Some(0), Atomic));
        assert_eq!(last(&[(0, 64, 4, Read), (1, 64, 4, Atomic)]), of(Some(0), Read));
        assert_eq!(last(&[(0, 64, 16, Write), (1, 72, 4, Read)]), of(Some(0), Write));
    }

    #[test]
    fn what_does_no_harm_is_no_collision() {
        use Touch::{Atomic, Read, Write};
        assert_eq!(last(&[(0, 64, 4, Read), (1, 64, 4, Read), (2, 64, 8, Read)]), None);
        assert_eq!(last(&[(0, 64, 4, Atomic), (1, 64, 4, Atomic), (1, 64, 4, Atomic)]), None);
        assert_eq!(last(&[(3, 64, 4, Write), (3, 64, 4, Read), (3, 64, 4, Write), (3, 64, 4, Atomic)]), None);
        assert_eq!(last(&[(0, 64, 4, Write), (1, 68, 4, Write), (2, 1088, 4, Write)]), None);
    }

    #[test]
    fn bytes_of_a_word_are_told_apart() {
        use Touch::{Read, Write};
        assert_eq!(last(&[(0, 64, 2, Write), (1, 66, 2, Write), (2, 68, 1, Write), (3, 69, 1, Read)]), None);
        let of = |did| Some(Collision::Block(Some(0), did));
        assert_eq!(last(&[(0, 64, 2, Write), (1, 65, 1, Write)]), of(Write));
        assert_eq!(last(&[(0, 65, 1, Write), (1, 64, 4, Read)]), of(Write));
        assert_eq!(last(&[(0, 64, 4, Write), (1, 67, 1, Read)]), of(Write));
    }

    #[test]
    fn threads_of_a_block_want_a_barrier_between() {
        let at = |epoch: u64, thread: u64| epoch << 32 | thread;
        let second = |then: u64, now: u64| {
            let mut shadow = Shadow::default();
            shadow.enter(0);
            shadow.touch(64, 8, Touch::Write, then).unwrap();
            shadow.touch(68, 4, Touch::Read, now)
        };
        assert_eq!(second(at(1, 3), at(1, 40)), Err(Collision::Thread(Some(3), true)));
        assert_eq!(second(at(1, 3), at(2, 40)), Ok(()));
        assert_eq!(second(at(1, 3), at(1, 3)), Ok(()));
        // Another block's moments are others.
        let mut shadow = Shadow::default();
        for block in 0..2 {
            shadow.enter(block);
            shadow.touch(64 + 4 * block, 4, Touch::Write, at(1, 3)).unwrap();
        }
    }
}
