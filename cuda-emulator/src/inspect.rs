//! What can be said of PTX without running it: whether the emulator knows all of it, and what it uses.

use std::collections::{BTreeMap, HashMap};

use crate::decode::{self, Settings, program::Kind};
use crate::ptx::{self, Refusal};

/// What a kernel uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its name.
    pub name: String,
    /// Instructions by opcode, as written.
    pub opcodes: BTreeMap<String, usize>,
    /// Registers that the text names, 64-bit ones counted twice. PTX is in static single assignment form before register
    /// allocation, so an assembler needs far fewer: this is no prediction.
    pub registers: u32,
    /// Shared memory with a size of its own, in bytes.
    pub shared: u32,
    /// Local memory of a thread, in bytes.
    pub local: u32,
    /// Parameters: offset and size in bytes.
    pub params: Vec<(u32, u32)>,
    /// Whether blocks run one after another, since atomics make results depend on their order.
    pub ordered: bool,
}

/// Reads a module and decodes every kernel of it.
///
/// # Errors
/// The first thing that the emulator does not know, with its line.
///
/// ```
/// let source = ".version 8.0\n.target sm_75\n.address_size 64\n.entry k() { .reg .b32 %r<3>; add.u32 %r1, %r2, 1; ret; }";
/// let kernels = cuda_emulator::inspect::inspect(source).unwrap();
/// assert_eq!(kernels[0].opcodes["add.u32"], 1);
///
/// let refusal = cuda_emulator::inspect::inspect(&source.replace("add.", "frob.")).unwrap_err();
/// assert_eq!(refusal.to_string(), "line 4: unknown instruction 'frob.u32'");
/// ```
pub fn inspect(source: &str) -> Result<Vec<Kernel>, Refusal> {
    let module = ptx::parse(source)?;
    // Addresses do not matter here, only that there is one.
    let addresses: HashMap<String, u64> = module.variables.iter().map(|v| (v.name.clone(), 0)).collect();
    let settings = Settings { addresses: &addresses, perturb: false };
    module.kernels.iter().map(|kernel| facts(&module, kernel, &settings)).collect()
}

fn facts(module: &ptx::Module, kernel: &ptx::Kernel, settings: &Settings<'_>) -> Result<Kernel, Refusal> {
    let program = decode::decode(module, kernel, settings)?;
    let mut opcodes = BTreeMap::new();
    // The last instruction is the emulator's own, for code that runs off its end.
    let written = program.code.len() - 1;
    for (instruction, opcode) in program.code[..written].iter().zip(&program.opcodes) {
        if instruction.counted || matches!(instruction.kind, Kind::Fence) {
            *opcodes.entry(opcode.clone()).or_default() += 1;
        }
    }
    Ok(Kernel {
        name: program.name.clone(),
        opcodes,
        registers: program.registers,
        shared: program.shared,
        local: program.local,
        params: program.params.iter().map(|p| (p.offset, p.size)).collect(),
        ordered: program.ordered,
    })
}
