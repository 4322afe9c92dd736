//! The syntax tree of a module.

use super::{Space, Type};

/// A parsed PTX module.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// `.version`, as major and minor.
    pub version: (u32, u32),
    /// `.target`'s architecture, such as 75 for `sm_75`.
    pub target: u32,
    /// Variables at module scope.
    pub variables: Vec<Variable>,
    /// Kernels.
    pub kernels: Vec<Kernel>,
    /// Functions that kernels call.
    pub functions: Vec<Function>,
}

/// A `.func` with a body.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it returns.
    pub returns: Vec<Param>,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The statements between its braces.
    pub body: Vec<Statement>,
    /// Line of the `.func`.
    pub line: u32,
}

/// A variable in a state space.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub space: Space,
    /// Size in bytes; 0 for an `.extern` array of unknown size.
    pub size: u64,
    /// Alignment in bytes, a power of two.
    pub align: u64,
    /// Whether it is `.extern`: for shared memory, that its size is given at launch.
    pub external: bool,
    /// Initial bytes; shorter than `size` means zeros after them.
    pub initial: Vec<u8>,
    /// Places in `initial` that hold the address of another variable, plus the number already there.
    pub addresses: Vec<(usize, String)>,
    /// Line of the declaration.
    pub line: u32,
}

/// A kernel's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Offset in the parameter buffer, in bytes.
    pub offset: u32,
    /// Size in bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
}

/// An `.entry`.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name.
    pub name: String,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// `.reqntid`, if given.
    pub required: Option<[u32; 3]>,
    /// `.maxntid`, if given.
    pub maximum: Option<[u32; 3]>,
    /// The statements between its braces.
    pub body: Vec<Statement>,
    /// Line of the `.entry`.
    pub line: u32,
}

/// One statement of a body.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `.reg .ty name;` or, with a count, `.reg .ty name<count>;`.
    Register {
        /// The type.
        ty: Type,
        /// Name, or prefix of the names when there is a count.
        name: String,
        /// How many, for the form with angle brackets.
        count: Option<u64>,
        /// Its line.
        line: u32,
    },
    /// A `.shared` or `.local` variable, or a `.param` that is handed to a function.
    Variable(Variable),
    /// A label.
    Label(String, u32),
    /// The labels of a `.branchtargets`, under its own.
    Targets(String, Vec<String>, u32),
    /// An instruction.
    Instruction(Instruction),
    /// `{ … }`, with names of its own.
    Scope(Vec<Statement>),
}

/// An instruction as written.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// `@p` or `@!p`: the predicate's name, and whether it is negated.
    pub guard: Option<(String, bool)>,
    /// The opcode with its modifiers.
    pub opcode: String,
    /// Operands in order.
    pub operands: Vec<Operand>,
    /// Its line.
    pub line: u32,
}

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A register, special register, label or symbol.
    Name(String),
    /// A symbol with a constant added.
    Offset(String, i64),
    /// An integer.
    Integer(u64),
    /// An f32 by its bits.
    Single(u32),
    /// An f64 by its bits.
    Double(u64),
    /// `[name + offset]`.
    Address(String, i64),
    /// `[number]`.
    Absolute(u64),
    /// `{a, b, …}`.
    Vector(Vec<Operand>),
    /// `d|p`.
    Pair(String, String),
    /// `!p`.
    Not(String),
    /// `(a, b, …)`: what a call hands over.
    List(Vec<Operand>),
}
