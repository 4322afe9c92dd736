//! Work on two streams that touches the same memory with nothing that orders it.
//!
//! Of two pieces of work, one comes before the other if the other's clock says so. Footprints are kept only where a piece is
//! done while another that is not ordered behind it still waits, or may yet be asked for: one stream alone costs nothing.

use super::queue::{Clock, Piece, StreamId, Work};
use super::state::State;
use crate::memory::footprint::Footprint;
use crate::report::{Problem, Report};

/// Work that is done, with what it touched.
pub struct Watched {
    stream: StreamId,
    position: u64,
    clock: Clock,
    footprint: Footprint,
    what: String,
}

impl Work {
    /// What the work is, for reports.
    pub fn describe(&self) -> String {
        match self {
            Work::Kernel { function, .. } => format!("kernel {}", function.program.name),
            Work::Upload(..) | Work::UploadPinned(..) => "a copy from the host".to_string(),
            Work::Download(..) => "a copy to the host".to_string(),
            Work::Copy(..) => "a copy within the device".to_string(),
            Work::Fill(..) => "a fill".to_string(),
            Work::Free(_) => "a free".to_string(),
            Work::Call(..) => "a call to the host".to_string(),
            Work::Event(_) => "an event".to_string(),
        }
    }

    /// What the work touches; a kernel's footprint is recorded while it runs.
    pub fn footprint(&self, size_of: impl Fn(u64) -> u64) -> Footprint {
        match self {
            Work::Upload(to, bytes) => Footprint::write(*to, bytes.len() as u64),
            Work::UploadPinned(to, _, n) => Footprint::write(*to, *n as u64),
            Work::Download(_, from, n) => Footprint::read(*from, *n as u64),
            Work::Copy(to, from, n) => Footprint { writes: vec![(*to, to + n)], reads: vec![(*from, from + n)] },
            Work::Fill(to, pattern, n) => Footprint::write(*to, pattern.len() as u64 * n),
            Work::Free(address) => Footprint::write(*address, size_of(*address)),
            Work::Kernel { .. } | Work::Call(..) | Work::Event(_) => Footprint::default(),
        }
    }
}

impl State {
    /// Whether what the work at `position` of `stream` touches has to be known.
    pub fn must_watch(&self, stream: StreamId, position: u64, clock: &Clock) -> bool {
        let others = || self.streams.iter().filter(|(id, s)| **id != stream && s.issued > 0);
        if others().next().is_none() {
            return false;
        }
        let waits = |piece: &Piece| piece.clock.of(stream) < position;
        self.unawaited
            || self.watched.iter().any(|w| !w.before(clock))
            || others().any(|(_, s)| s.queue.iter().any(waits))
    }

    /// Compares work that is done with all that nothing orders before or behind it, and keeps it for what comes.
    pub fn watch(
        &mut self,
        stream: StreamId,
        position: u64,
        piece: &Piece,
        footprint: Footprint,
    ) -> Result<(), Box<Report>> {
        let what = piece.work.describe();
        for w in self.watched.iter().filter(|w| w.stream != stream && !w.before(&piece.clock)) {
            if w.clock.of(stream) < position
                && let Some(address) = footprint.conflict(&w.footprint)
            {
                let start = crate::memory::heap::Heap::start(address);
                let size = self.heap.allocation(address).map_or(0, |a| a.size());
                let message = format!(
                    "{what} and {} touch byte {} of an allocation of {size} bytes on two streams with no event between",
                    w.what,
                    address - start
                );
                return Err(Box::new(Report::new(Problem::StreamRace, message)));
            }
        }
        self.watched.push(Watched { stream, position, clock: piece.clock.clone(), footprint, what });
        Ok(())
    }

    /// Forgets work that everything to come is ordered behind.
    pub fn forget_watched(&mut self) {
        let (host, streams) = (&self.host, &self.streams);
        let settled = |w: &Watched| {
            w.before(host)
                && streams.iter().all(|(id, s)| *id == w.stream || s.queue.iter().all(|p| w.before(&p.clock)))
        };
        self.watched.retain(|w| !settled(w));
    }
}

impl Watched {
    fn before(&self, clock: &Clock) -> bool {
        clock.of(self.stream) >= self.position
    }
}
