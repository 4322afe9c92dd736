//! Whatever the text, the parser answers: it never panics, and what it accepts runs or faults but never panics either.

use std::collections::HashMap;

use cuda_emulator::decode::{self, Settings};
use cuda_emulator::exec::launch::{Launch, Limits};
use cuda_emulator::inspect::inspect;
use cuda_emulator::memory::heap::Heap;
use cuda_emulator::ptx;
use proptest::prelude::*;

const REAL: [&str; 4] = [
    include_str!("../ptx/mathematics.ptx"),
    include_str!("../ptx/philox.ptx"),
    include_str!("../ptx/loops.ptx"),
    include_str!("../ptx/functions.ptx"),
];

/// Words that PTX is made of.
const WORDS: [&str; 60] = [
    ".version",
    "8.0",
    ".target",
    "sm_75",
    ".address_size",
    "64",
    ".visible",
    ".entry",
    "k",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "=",
    "+",
    "-",
    "@",
    "!",
    "|",
    ".param",
    ".reg",
    ".shared",
    ".global",
    ".local",
    ".const",
    ".extern",
    ".align",
    "4",
    ".b8",
    ".u32",
    ".u64",
    ".f32",
    ".pred",
    "%r",
    "%r1",
    "%p1",
    "%rd1",
    "0",
    "-1",
    "0f3F800000",
    "0x7fffffff",
    "99999999999",
    "add.u32",
    "ld.global.u32",
    "st.shared.v4.f32",
    "bra",
    "L",
    "mov.b64",
    "bar.sync",
    "setp.lt.and.s32",
    "shfl.sync.idx.b32",
    "atom.global.cas.b64",
    "// \n",
];

/// A real module with some of its words replaced, dropped, doubled or swapped.
fn damaged(which: usize, edits: &[(usize, usize, u8)]) -> String {
    let mut words: Vec<String> =
        REAL[which % REAL.len()].split_inclusive([' ', '\t', '\n', ',']).map(str::to_string).collect();
    for &(at, other, how) in edits {
        let (at, other) = (at % words.len(), other % words.len());
        match how % 5 {
            0 => words[at] = words[other].clone(),
            1 => words[at] = format!("{} ", WORDS[other % WORDS.len()]),
            2 => drop(words.remove(at)),
            3 => words.insert(at, words[other].clone()),
            _ => words.swap(at, other),
        }
    }
    words.concat()
}

/// Runs every kernel that decodes, with parameters that point nowhere.
fn run(source: &str) {
    let Ok(module) = ptx::parse(source) else { return };
    let addresses: HashMap<String, u64> = module.variables.iter().map(|v| (v.name.clone(), 0)).collect();
    let settings = Settings { addresses: &addresses, perturb: false };
    let heap = Heap::default();
    for kernel in &module.kernels {
        let Ok(program) = decode::decode(&module, kernel, &settings) else { continue };
        let size = program.params.last().map_or(0, |p| (p.offset + p.size) as usize);
        let params = vec![0; size];
        let launch = Launch {
            program: &program,
            grid: [1, 1, 1],
            block: [40, 1, 1],
            dynamic_shared: 64,
            params: &params,
            heap: &heap,
            recorder: None,
            between: None,
        };
        if launch.check(48 << 10).is_ok() {
            // A fault is fine, a panic is not.
            let _ = launch.run(&Limits { threads: 1, loops: 100, backwards: false });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = inspect(&text);
        let _ = inspect(&format!(".version 8.0\n.target sm_75\n{text}"));
    }

    #[test]
    fn any_words_are_answered(words in prop::collection::vec(0..WORDS.len(), 0..80)) {
        let text: Vec<&str> = words.iter().map(|&w| WORDS[w]).collect();
        let body = text.join(" ");
        let _ = inspect(&body);
        let _ = inspect(&format!(".version 8.0\n.target sm_75\n.address_size 64\n{body}"));
        run(&format!(".version 8.0\n.target sm_75\n.entry k() {{ .reg .b32 %r<9>; .reg .pred %p<9>; .reg .b64 %rd<9>; {body} }}"));
    }

    #[test]
    fn damaged_modules_are_answered(
        which in 0..REAL.len(),
        edits in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 1..6),
    ) {
        run(&damaged(which, &edits));
    }
}

#[test]
fn the_undamaged_modules_are_known() {
    for source in REAL {
        let kernels = inspect(source).unwrap();
        assert!(kernels.iter().all(|k| k.opcodes.values().sum::<usize>() > 20));
    }
}

#[test]
fn declared_sizes_are_not_believed() {
    let head = ".version 8.0\n.target sm_75\n.address_size 64\n";
    for bad in [
        ".global .b8 a[99999999999];",
        ".global .b8 a[1000000000][1000000000];",
        ".shared .b8 a[0];",
        ".entry k(.param .b64 a[4294967295]) { ret; }",
        ".entry k() { .local .b8 a[99999999999]; ret; }",
        ".global .b8 a[4] = {1, 2, 3, 4, 5};",
    ] {
        assert!(inspect(&format!("{head}{bad}")).is_err(), "{bad}");
    }
    // Registers cost nothing until they are used.
    assert!(inspect(&format!("{head}.entry k() {{ .reg .b32 %r<99999999999>; mov.b32 %r7, 1; ret; }}")).is_ok());
    let deep = format!("{head}.entry k() {{ {} {} }}", "{ ".repeat(100_000), "} ".repeat(100_000));
    assert!(inspect(&deep).is_err(), "scopes without end");
}
