//! Modules: PTX text to kernels and variables.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use super::codes::{self, Code};
use super::patch::patched;
use super::settings::Settings;
use crate::decode::{self, program::Program};
use crate::memory::heap::Heap;
use crate::ptx::{self, Space};

/// A kernel of a loaded module.
pub struct Function {
    /// The kernel.
    pub program: Program,
    /// The most shared memory a launch may give it, in bytes.
    pub most_dynamic: AtomicI32,
}

/// A loaded module.
pub struct Module {
    /// Kernels by name.
    pub functions: HashMap<String, (usize, Arc<Function>)>,
    /// Variables by name: address and size.
    pub variables: HashMap<String, (u64, u64)>,
}

/// Loads PTX.
///
/// # Errors
/// A code, and the line for the log.
pub fn load(
    source: &str,
    heap: &mut Heap,
    settings: &Settings,
    mut handle: impl FnMut() -> usize,
) -> Result<Module, (Code, String)> {
    let refused = |r: ptx::Refusal| (codes::INVALID_PTX, format!("ptx, line {}; error : {}", r.line, r.message));
    let source = patched(source);
    let tree = ptx::parse(&source).map_err(refused)?;
    let newest = settings.ptx_version();
    if tree.version > newest {
        let ((a, b), (c, d)) = (tree.version, newest);
        let message = format!("ptx; error : .version {a}.{b} is newer than the {c}.{d} that this driver reads");
        return Err((codes::UNSUPPORTED_PTX, message));
    }
    let (major, minor) = settings.capability;
    if tree.target as i32 > major * 10 + minor {
        let message = format!("ptx; error : .target sm_{} on a device of sm_{major}{minor}", tree.target);
        return Err((codes::NO_BINARY, message));
    }
    let variables = place(&tree, heap).ok_or((codes::OUT_OF_MEMORY, "no memory for variables".to_string()))?;
    let addresses = variables.iter().map(|(name, v)| (name.clone(), v.0)).collect();
    let how = decode::Settings { addresses: &addresses, perturb: settings.perturb };
    let mut functions = HashMap::new();
    for kernel in &tree.kernels {
        match decode::decode(&tree, kernel, &how) {
            Ok(program) => {
                let most_dynamic = AtomicI32::new((49_152 - program.dynamic_at as i32).max(0));
                let function = Arc::new(Function { program, most_dynamic });
                functions.insert(kernel.name.clone(), (handle(), function));
            }
            Err(refusal) => {
                for (address, _) in variables.values() {
                    let _ = heap.free(*address);
                }
                return Err(refused(refusal));
            }
        }
    }
    Ok(Module { functions, variables })
}

/// Gives variables memory and their first values; `None` if there is no memory.
fn place(tree: &ptx::Module, heap: &mut Heap) -> Option<HashMap<String, (u64, u64)>> {
    let mut out = HashMap::new();
    let stored = |v: &&ptx::Variable| matches!(v.space, Space::Global | Space::Const) && !v.external;
    for v in tree.variables.iter().filter(stored) {
        out.insert(v.name.clone(), (heap.allocate(v.size, v.space == Space::Const, false)?, v.size));
    }
    for v in tree.variables.iter().filter(stored) {
        let mut bytes = v.initial.clone();
        bytes.resize(v.size as usize, 0);
        for (at, name) in &v.addresses {
            let target = out.get(name)?.0;
            let place = bytes.get_mut(*at..*at + 8)?;
            let offset = u64::from_le_bytes(place.try_into().ok()?);
            place.copy_from_slice(&target.wrapping_add(offset).to_le_bytes());
        }
        let spot = heap.spot(out.get(&v.name)?.0, v.size, false).ok()?;
        // SAFETY: the spot was found for `v.size` bytes, and no kernel runs while a module is loaded.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), spot.pointer(), bytes.len()) };
    }
    Some(out)
}
