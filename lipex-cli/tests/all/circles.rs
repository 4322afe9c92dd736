//! No circle of modules: what a module uses does not use it, however far around.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Uses = BTreeMap<String, BTreeSet<String>>;

/// For each module right under `src`, the others that it names as `crate::…`. Tests count too.
fn uses(src: &Path) -> Uses {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for entry in std::fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        texts.entry(name).or_default().push_str(&everything(&path));
    }
    texts.remove("lib");
    texts.remove("main");
    let names: Vec<String> = texts.keys().cloned().collect();
    let used = |text: &str, own: &str| -> BTreeSet<String> {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let named = code.split("crate::").skip(1).flat_map(|rest| {
            // One name, or a list in braces.
            let list = rest.strip_prefix('{').map_or("", |list| list.split('}').next().unwrap_or_default());
            let one = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let first = |part: &str| part.trim().split("::").next().unwrap_or_default().to_string();
            list.split(',').map(first).chain([one.to_string()]).collect::<Vec<_>>()
        });
        named.filter(|name| name != own && names.contains(name)).collect()
    };
    texts.iter().map(|(name, text)| (name.clone(), used(text, name))).collect()
}

/// The text of a file, or of all Rust files under a folder.
fn everything(path: &Path) -> String {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().map(|entry| everything(&entry.unwrap().path())).collect();
    }
    if path.extension().is_some_and(|e| e == "rs") { std::fs::read_to_string(path).unwrap() } else { String::new() }
}

/// A module that is reached from itself.
fn circle(uses: &Uses) -> Option<String> {
    let reached = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            next.extend(uses[&module].iter().filter(|used| seen.insert((*used).clone())).cloned());
        }
        seen
    };
    uses.keys().find(|module| reached(module).contains(*module)).cloned()
}

#[test]
fn neither_the_facade_nor_the_command_has_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["lipex/src", "lipex-cli/src"] {
        let uses = uses(&root.join(folder));
        let count: usize = uses.values().map(BTreeSet::len).sum();
        assert!(uses.len() > 8 && count >= 5, "{folder}: {uses:?}");
        assert_eq!(circle(&uses), None, "{folder}: {uses:?}");
    }
    let of = |pairs: &[(&str, &[&str])]| -> Uses {
        pairs.iter().map(|(m, used)| (m.to_string(), used.iter().map(|u| u.to_string()).collect())).collect()
    };
    assert_eq!(circle(&of(&[("a", &["b"]), ("b", &["c"]), ("c", &[])])), None);
    assert_eq!(circle(&of(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])])), Some("b".to_string()));
}

#[test]
fn options_know_no_command() {
    let uses = uses(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for command in ["text", "image", "show", "perturb", "select", "fit"] {
        assert!(uses.contains_key(command) && !uses["options"].contains(command), "{command}");
    }
}
