//! Scalar types and state spaces.

/// A scalar type of PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are PTX's own")]
pub enum Type {
    Pred,
    B8,
    B16,
    B32,
    B64,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F16,
    F16x2,
    F32,
    F64,
}

/// What the bits of a [`Type`] stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A truth value.
    Pred,
    /// Bits without a meaning.
    Bits,
    /// An unsigned integer.
    Unsigned,
    /// A two's complement integer.
    Signed,
    /// A floating-point number.
    Float,
}

impl Type {
    /// The type of that name, without the dot.
    pub fn named(name: &str) -> Option<Type> {
        use Type::*;
        Some(match name {
            "pred" => Pred,
            "b8" => B8,
            "b16" => B16,
            "b32" => B32,
            "b64" => B64,
            "u8" => U8,
            "u16" => U16,
            "u32" => U32,
            "u64" => U64,
            "s8" => S8,
            "s16" => S16,
            "s32" => S32,
            "s64" => S64,
            "f16" => F16,
            "f16x2" => F16x2,
            "f32" => F32,
            "f64" => F64,
            _ => return None,
        })
    }

    /// Width in bits; a predicate has 1.
    pub fn bits(self) -> u32 {
        use Type::*;
        match self {
            Pred => 1,
            B8 | U8 | S8 => 8,
            B16 | U16 | S16 | F16 => 16,
            B32 | U32 | S32 | F32 | F16x2 => 32,
            B64 | U64 | S64 | F64 => 64,
        }
    }

    /// Size in memory, in bytes; 0 for a predicate, which has none.
    pub fn bytes(self) -> u32 {
        self.bits() / 8
    }

    /// What the bits stand for.
    pub fn class(self) -> Class {
        use Type::*;
        match self {
            Pred => Class::Pred,
            B8 | B16 | B32 | B64 => Class::Bits,
            U8 | U16 | U32 | U64 => Class::Unsigned,
            S8 | S16 | S32 | S64 => Class::Signed,
            F16 | F16x2 | F32 | F64 => Class::Float,
        }
    }

    /// Whether the type is a two's complement integer.
    pub fn signed(self) -> bool {
        self.class() == Class::Signed
    }

    /// Whether the type is a signed, unsigned or untyped integer.
    pub fn integral(self) -> bool {
        matches!(self.class(), Class::Bits | Class::Unsigned | Class::Signed)
    }
}

/// A state space that variables live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// Device memory.
    Global,
    /// Read-only device memory.
    Const,
    /// Memory of a block.
    Shared,
    /// Memory of a thread.
    Local,
    /// Kernel parameters.
    Param,
    /// Any of global, const, shared, local: the address says which.
    Generic,
}

impl Space {
    /// The space of that name, without the dot; `shared::cta` is `shared`.
    pub fn named(name: &str) -> Option<Space> {
        Some(match name {
            "global" => Space::Global,
            "const" => Space::Const,
            "shared" | "shared::cta" => Space::Shared,
            "local" => Space::Local,
            "param" => Space::Param,
            _ => return None,
        })
    }
}
