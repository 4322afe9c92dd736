//! What ARCHITECTURE.md names is there: the files and functions of a call's way down, and of the table of what to add where.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows of the table of a section, as cells.
fn table(section: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let start = text.find(section).unwrap_or_else(|| panic!("ARCHITECTURE.md has no section {section:?}"));
    let rows = text[start..].lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect();
    rows.skip(2).map(cells).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a file defines this: a function, a type, a trait, a field of a table, or a kernel.
fn defines(path: &str, name: &str) -> bool {
    let source = std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |rest: &str| !rest.starts_with(is_name);
    let after = |word: &str| source.split(&format!("{word}{name}")).skip(1).any(whole);
    if path.ends_with(".cu") {
        return source.lines().any(|line| line.starts_with("KERNEL(") && line.contains(&format!(" {name}(")));
    }
    ["fn ", "struct ", "enum ", "trait "].iter().any(|word| after(word)) || source.contains(&format!("\"{name}\","))
}

fn assert_defines(path: &str, name: &str) {
    assert!(defines(path, name), "ARCHITECTURE.md says that {path} defines {name}, which it does not");
}

#[test]
fn four_hops_lead_from_the_command_to_a_kernel() {
    let hops = table("## From `lipex text` to the kernel of a stage in four hops");
    assert_eq!(hops.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["–", "1", "2", "3", "4"]);
    let mut chain: Vec<(&str, &str)> = Vec::new();
    for row in &hops {
        let [path] = quoted(&row[1])[..] else { panic!("one file a hop: {row:?}") };
        let functions = quoted(&row[2]);
        assert!(!functions.is_empty(), "{row:?}");
        functions.iter().for_each(|name| assert_defines(path, name));
        chain.extend(functions.iter().map(|name| (path, *name)));
    }
    // Each names the next, in its own file.
    for pair in chain.windows(2) {
        let [(from, _), (_, next)] = pair else { continue };
        let source = std::fs::read_to_string(root().join(from)).unwrap();
        let called = source.matches(next).count() > usize::from(defines(from, next));
        assert!(called, "{from} does not name {next}, the next on the way down");
    }
}

#[test]
fn what_the_table_of_additions_names_is_there() {
    let rows = table("## Where to add what");
    let wanted = ["divergence", "sampler", "surrogate", "instance kind", "model kind", "without masks", "front end"];
    for addition in wanted {
        assert!(rows.iter().any(|row| row[0].contains(addition)), "no row for a {addition}");
    }
    let mut items = 0;
    for row in &rows {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(row[3].contains('`'), "no example for {}", row[0]);
        for cell in row {
            // A path, then in parentheses what it defines.
            for (at, path) in cell.match_indices('`').step_by(2).filter_map(|(at, _)| {
                let path = cell[at + 1..].split('`').next()?;
                path.contains('/').then_some((at + path.len() + 2, path))
            }) {
                assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which is not there");
                let list = cell[at..].strip_prefix(" (").and_then(|rest| rest.split(')').next()).unwrap_or_default();
                quoted(list).iter().for_each(|name| assert_defines(path, name));
                items += quoted(list).len();
            }
        }
    }
    assert!(items > 25, "{items} items are checked");
}

#[test]
fn a_name_that_is_gone_is_noticed() {
    assert!(defines("lipex-core/src/divergence.rs", "by_name") && !defines("lipex-core/src/divergence.rs", "by_nam"));
    assert!(defines("kernels/fit.cu", "lipex_fit") && !defines("kernels/fit.cu", "lipex_refit"));
}
