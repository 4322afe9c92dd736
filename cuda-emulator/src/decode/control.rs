//! Branches, barriers, and exchanges among lanes.

use super::Decoder;
use super::names::Symbol;
use super::program::{AtomicOp, Barrier, Exchange, Exchanged, Kind, NOWHERE, Reduction};
use crate::exec::opcode::Opcode;
use crate::ptx::{self, Operand, Refusal, Type};

impl Decoder<'_> {
    /// Decodes what steers control or exchanges among threads; `false` if the instruction does neither.
    pub(super) fn control(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        match (op.base, op.mods.as_slice(), op.types.as_slice()) {
            ("bra", [] | ["uni"], []) => self.branch(i),
            ("brx", ["idx"] | ["idx", "uni"], []) => self.indexed_branch(i),
            ("call", [] | ["uni"], []) => self.call(i),
            ("ret", [] | ["uni"], []) => match self.calls.last() {
                Some(&(_, behind)) => self.bare(Kind::Branch(behind, NOWHERE), i),
                None => self.bare(Kind::Exit, i),
            },
            ("exit", [], []) => self.bare(Kind::Exit, i),
            ("trap", [], []) => self.bare(Kind::Trap, i),
            // Time means nothing here.
            ("nanosleep", [], [Type::U32]) => {
                let [time] = i.operands.as_slice() else { return self.refuse("nanosleep has one operand") };
                self.source(time, Type::U32)?;
                self.emit(Kind::Fence);
                Ok(true)
            }
            ("bar" | "barrier", ["warp", "sync"], []) => {
                let [mask] = i.operands.as_slice() else { return self.refuse("bar.warp.sync has one operand") };
                let mask = self.source(mask, Type::B32)?;
                self.emit(Kind::WarpBarrier(mask));
                Ok(true)
            }
            ("bar" | "barrier", ..) => self.barrier(op, i),
            ("activemask", [], [Type::B32]) => {
                let [d] = i.operands.as_slice() else { return self.refuse("activemask has one operand") };
                let d = self.destination(d, Type::B32)?;
                self.emit(Kind::ActiveMask(d));
                Ok(true)
            }
            ("shfl", ["sync", how], [Type::B32]) => self.shuffle(how, i),
            ("vote", ["sync", how], &[ty]) => self.vote(how, ty, i),
            ("match", [how, "sync"], &[ty]) => self.matching(how, ty, i),
            ("redux", ["sync", how], &[ty]) => self.reduce(how, ty, i),
            _ => Ok(false),
        }
    }

    fn bare(&mut self, kind: Kind, i: &ptx::Instruction) -> Result<bool, Refusal> {
        if !i.operands.is_empty() {
            return self.refuse("operands where none are expected");
        }
        self.emit(kind);
        Ok(true)
    }

    fn branch(&mut self, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let [Operand::Name(name)] = i.operands.as_slice() else { return self.refuse("a branch has one label") };
        match self.names.find(name) {
            Some(Symbol::Label(label)) => self.emit(Kind::Branch(label, NOWHERE)),
            _ => return self.refuse(format!("unknown label '{name}'")),
        }
        Ok(true)
    }

    fn barrier(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let mut op = op.clone();
        op.take("aligned");
        op.take("cta");
        let (arrive, reduction) = match (op.mods.as_slice(), op.types.as_slice()) {
            (["sync"], []) => (false, Reduction::None),
            (["arrive"], []) => (true, Reduction::None),
            (["red", "popc"], [Type::U32]) => (false, Reduction::Count),
            (["red", "and"], [Type::Pred]) => (false, Reduction::All),
            (["red", "or"], [Type::Pred]) => (false, Reduction::Any),
            _ => return Ok(false),
        };
        let mut rest = i.operands.as_slice();
        let (mut d, mut predicate) = (0, NOWHERE);
        if reduction != Reduction::None {
            let [first, middle @ .., last] = rest else { return self.refuse("operands are missing") };
            d = self.destination(first, if reduction == Reduction::Count { Type::U32 } else { Type::Pred })?;
            predicate = self.signed_predicate(last)?;
            rest = middle;
        }
        let (id, threads) = match rest {
            [id] if !arrive => (self.literal(id)?, 0),
            [id, threads] => (self.literal(id)?, self.literal(threads)?),
            _ => return self.refuse("a barrier has a number and perhaps a count of threads"),
        };
        if id > 15 || threads > 1024 || threads % 32 != 0 || (arrive && threads == 0) {
            return self.refuse("barriers are 0 to 15, counts multiples of 32 up to 1024");
        }
        let (id, threads) = (id as u32, threads as u32);
        self.emit(Kind::Barrier(Box::new(Barrier { id, threads, arrive, reduction, d, predicate })));
        Ok(true)
    }

    /// A destination `d` or `d|p`.
    fn with_predicate(&mut self, operand: &Operand, ty: Type) -> Result<(u32, u32), Refusal> {
        match operand {
            Operand::Pair(d, p) => {
                let d = self.destination(&Operand::Name(d.clone()), ty)?;
                let p = if p == "_" { NOWHERE } else { self.predicate(p)? };
                Ok((d, p))
            }
            other => Ok((self.destination(other, ty)?, NOWHERE)),
        }
    }

    fn exchange(&mut self, what: Exchanged, d: u32, p: u32, sources: [u32; 3], mask: u32) {
        let [a, b, c] = sources;
        self.emit(Kind::Exchange(Box::new(Exchange { what, d, p, a, b, c, mask })));
    }

    fn shuffle(&mut self, how: &str, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let what = match how {
            "up" => Exchanged::ShuffleUp,
            "down" => Exchanged::ShuffleDown,
            "bfly" => Exchanged::ShuffleXor,
            "idx" => Exchanged::ShuffleIndex,
            _ => return Ok(false),
        };
        let [d, a, b, c, mask] = i.operands.as_slice() else { return self.refuse("shfl.sync has five operands") };
        let (d, p) = self.with_predicate(d, Type::B32)?;
        let a = self.source(a, Type::B32)?;
        let (b, c) = (self.source(b, Type::B32)?, self.source(c, Type::B32)?);
        let mask = self.source(mask, Type::B32)?;
        self.exchange(what, d, p, [a, b, c], mask);
        Ok(true)
    }

    fn vote(&mut self, how: &str, ty: Type, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let what = match (how, ty) {
            ("all", Type::Pred) => Exchanged::VoteAll,
            ("any", Type::Pred) => Exchanged::VoteAny,
            ("uni", Type::Pred) => Exchanged::VoteUniform,
            ("ballot", Type::B32) => Exchanged::Ballot,
            _ => return Ok(false),
        };
        let [d, a, mask] = i.operands.as_slice() else { return self.refuse("vote.sync has three operands") };
        let d = self.destination(d, ty)?;
        let a = self.signed_predicate(a)?;
        let mask = self.source(mask, Type::B32)?;
        self.exchange(what, d, NOWHERE, [a, 0, 0], mask);
        Ok(true)
    }

    fn matching(&mut self, how: &str, ty: Type, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let what = match (how, ty) {
            ("any", Type::B32) => Exchanged::MatchAny,
            ("any", Type::B64) => Exchanged::MatchAnyWide,
            ("all", Type::B32) => Exchanged::MatchAll,
            ("all", Type::B64) => Exchanged::MatchAllWide,
            _ => return Ok(false),
        };
        let [d, a, mask] = i.operands.as_slice() else { return self.refuse("match.sync has three operands") };
        let (d, p) = self.with_predicate(d, Type::B32)?;
        let a = self.source(a, ty)?;
        let mask = self.source(mask, Type::B32)?;
        self.exchange(what, d, p, [a, 0, 0], mask);
        Ok(true)
    }

    fn reduce(&mut self, how: &str, ty: Type, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let signed = ty == Type::S32;
        let op = match (how, ty) {
            ("add", Type::U32 | Type::S32) => AtomicOp::Add,
            ("min", Type::U32 | Type::S32) => AtomicOp::Min,
            ("max", Type::U32 | Type::S32) => AtomicOp::Max,
            ("and", Type::B32) => AtomicOp::And,
            ("or", Type::B32) => AtomicOp::Or,
            ("xor", Type::B32) => AtomicOp::Xor,
            _ => return Ok(false),
        };
        let [d, a, mask] = i.operands.as_slice() else { return self.refuse("redux.sync has three operands") };
        let d = self.destination(d, ty)?;
        let a = self.source(a, ty)?;
        let mask = self.source(mask, Type::B32)?;
        self.exchange(Exchanged::Reduce(op, signed), d, NOWHERE, [a, 0, 0], mask);
        Ok(true)
    }
}
