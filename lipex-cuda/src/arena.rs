//! One allocation, one copy to the device and one copy back for all that a stage has there, however many instances.
//!
//! A stage plans what it sends, what it needs room for and what it wants back, places the plan, fills in the jobs, whose
//! fields are addresses, and sends all at once.
//!
//! # Why
//! An allocation, an upload and a wait cost the host microseconds each, a driver's stream tens of them under load: what a
//! stage costs beside its kernels must not grow with the number of instances or arrays.
//!
//! # Shapes
//! Three regions one after the other: sent, answers, room. Every array starts at a multiple of 256 bytes, as allocations do,
//! so that kernels may read whole vectors.
//!
//! # Errors
//! [`Error::Backend`](lipex_core::Error::Backend) with the bytes that were wanted and those that are free, if the device has
//! no room.

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use bytemuck::{Pod, Zeroable};
use lipex_core::Result;

/// What every array's address is a multiple of, as of an allocation of its own.
const ALIGN: usize = 256;

/// What becomes of an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    /// Sent from the host.
    Sent,
    /// Sent back to the host.
    Answer,
    /// Only ever on the device.
    Room,
}

/// An array of a plan.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// Where it lies.
    region: Region,
    /// Where it begins in its region.
    at: usize,
    /// Its length in bytes.
    bytes: usize,
    /// Its number among the plan's arrays, for arrays apart.
    number: usize,
}

/// What a stage wants to have on the device.
#[derive(Default)]
pub(crate) struct Plan {
    /// Bytes that are sent, with gaps for alignment.
    sent: Vec<u8>,
    /// Bytes that are read back.
    answers: usize,
    /// Bytes that stay on the device.
    room: usize,
    /// All arrays in the order they were asked for.
    spots: Vec<Spot>,
}

impl Plan {
    /// Notes an array of so many bytes at a place of its region.
    fn spot(&mut self, region: Region, at: usize, bytes: usize) -> Spot {
        let spot = Spot { region, at, bytes, number: self.spots.len() };
        self.spots.push(spot);
        spot
    }

    /// An array that is a copy of the host's.
    pub fn send<T: Pod>(&mut self, data: &[T]) -> Spot {
        let (at, bytes) = (self.sent.len(), bytemuck::cast_slice::<T, u8>(data));
        self.sent.extend_from_slice(bytes);
        self.sent.resize(self.sent.len().next_multiple_of(ALIGN), 0);
        self.spot(Region::Sent, at, bytes.len())
    }

    /// The same, if there is something to send.
    pub fn send_some<T: Pod>(&mut self, data: Option<&[T]>) -> Option<Spot> {
        data.map(|data| self.send(data))
    }

    /// A table of jobs, to be filled in once addresses are known.
    pub fn jobs<J: Pod + Zeroable>(&mut self, count: usize) -> Spot {
        self.send(&vec![J::zeroed(); count])
    }

    /// Room for `len` numbers that never leave the device.
    pub fn room<T>(&mut self, len: usize) -> Spot {
        let (at, bytes) = (self.room, len * size_of::<T>());
        self.room += bytes.next_multiple_of(ALIGN);
        self.spot(Region::Room, at, bytes)
    }

    /// Room for `len` numbers that are read back.
    pub fn answer<T>(&mut self, len: usize) -> Spot {
        let (at, bytes) = (self.answers, len * size_of::<T>());
        self.answers += bytes.next_multiple_of(ALIGN);
        self.spot(Region::Answer, at, bytes)
    }

    /// Finds room for all of it.
    pub fn place(self, on: &Cuda, stage: &'static str) -> Result<Arena> {
        let Plan { sent, answers, room, spots } = self;
        let buffers = if on.apart {
            spots.iter().map(|spot| on.room::<u8>(stage, spot.bytes)).collect::<Result<Vec<_>>>()?
        } else {
            vec![on.room::<u8>(stage, sent.len() + answers + room)?]
        };
        Ok(Arena { stage, buffers, apart: on.apart, spots, sent, answers })
    }
}

/// A plan on the device: what is sent, then the answers, then the rest. Where [`Cuda::arrays_apart`] asks for it, every array is
/// an allocation of its own, so that a checker of memory sees where it ends.
pub(crate) struct Arena {
    /// The stage that errors name.
    stage: &'static str,
    /// One allocation, or one an array.
    buffers: Vec<DeviceBuffer<u8>>,
    apart: bool,
    /// The plan's arrays.
    spots: Vec<Spot>,
    /// What is sent, until then on the host.
    sent: Vec<u8>,
    /// Bytes that are read back.
    answers: usize,
}

impl Arena {
    /// Where a region begins.
    fn start(&self, region: Region) -> usize {
        match region {
            Region::Sent => 0,
            Region::Answer => self.sent.len(),
            Region::Room => self.sent.len() + self.answers,
        }
    }

    /// An array's buffer, and where it begins there.
    fn find(&self, spot: Spot) -> (&DeviceBuffer<u8>, usize) {
        if self.apart { (&self.buffers[spot.number], 0) } else { (&self.buffers[0], self.start(spot.region) + spot.at) }
    }

    /// The address of an array.
    pub fn at(&self, spot: Spot) -> u64 {
        let (buffer, start) = self.find(spot);
        buffer.address() + start as u64
    }

    /// The address of an array that may be missing: then 0.
    pub fn at_some(&self, spot: Option<Spot>) -> u64 {
        spot.map_or(0, |spot| self.at(spot))
    }

    /// Fills in a table of jobs, on the host.
    pub fn set<J: Pod>(&mut self, table: Spot, jobs: &[J]) {
        let bytes: &[u8] = bytemuck::cast_slice(jobs);
        let len = bytes.len().min(table.bytes);
        self.sent[table.at..table.at + len].copy_from_slice(&bytes[..len]);
    }

    /// Sends all that is to be sent.
    pub fn send(&mut self, on: &Cuda) -> Result<()> {
        if self.apart {
            let sent = self.spots.clone().into_iter().filter(|spot| spot.region == Region::Sent);
            return sent.into_iter().try_for_each(|spot| self.send_again(on, spot));
        }
        on.write(self.stage, &mut self.buffers[0], 0, &self.sent)
    }

    /// Sends one array again, after it was filled in anew.
    pub fn send_again(&mut self, on: &Cuda, spot: Spot) -> Result<()> {
        let (number, start) = if self.apart { (spot.number, 0) } else { (0, spot.at) };
        on.write(self.stage, &mut self.buffers[number], start, &self.sent[spot.at..spot.at + spot.bytes])
    }

    /// One array on the host; waits for all work that was asked for before.
    pub fn receive<T: Pod>(&self, on: &Cuda, spot: Spot) -> Result<Vec<T>> {
        let (buffer, start) = self.find(spot);
        Ok(numbers(&on.read(self.stage, buffer, start, spot.bytes)?))
    }

    /// All answers on the host; waits for all work that was asked for before.
    pub fn receive_answers(&self, on: &Cuda) -> Result<Answers> {
        if !self.apart {
            return Ok(Answers(on.read(self.stage, &self.buffers[0], self.start(Region::Answer), self.answers)?));
        }
        let mut bytes = vec![0; self.answers];
        for spot in self.spots.iter().filter(|spot| spot.region == Region::Answer) {
            let own = on.read(self.stage, &self.buffers[spot.number], 0, spot.bytes)?;
            bytes[spot.at..spot.at + spot.bytes].copy_from_slice(&own);
        }
        Ok(Answers(bytes))
    }
}

/// Bytes as numbers, whatever their alignment.
fn numbers<T: Pod>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(size_of::<T>().max(1)).map(bytemuck::pod_read_unaligned).collect()
}

/// The answers of a stage on the host.
pub(crate) struct Answers(Vec<u8>);

impl Answers {
    /// One array of them.
    pub fn of<T: Pod>(&self, spot: Spot) -> Vec<T> {
        numbers(&self.0[spot.at..spot.at + spot.bytes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_a_plan_do_not_touch() {
        let mut plan = Plan::default();
        let spots = [plan.send(&[1u8; 5]), plan.send(&[2u64; 40]), plan.send::<u32>(&[])];
        let rooms = [plan.room::<f64>(33), plan.room::<f32>(0), plan.room::<f32>(1)];
        let answers = [plan.answer::<f64>(1), plan.answer::<u32>(65)];
        assert_eq!(spots.map(|s| (s.at, s.bytes)), [(0, 5), (256, 320), (768, 0)]);
        assert_eq!(rooms.map(|s| (s.at, s.bytes)), [(0, 264), (512, 0), (512, 4)]);
        assert_eq!(answers.map(|s| (s.at, s.bytes)), [(0, 8), (256, 260)]);
        assert_eq!((plan.sent.len(), plan.room, plan.answers, plan.spots.len()), (768, 768, 768, 8));
        assert!(plan.sent[256..576].iter().step_by(8).all(|&b| b == 2));
    }
}
