//! Any bytes as a table: of a batch (the first byte chooses CSV, tabs or JSON lines), and as rows of `lipex tabular`. There are
//! as many rows as were counted, a bad one has its reason, and what is refused is refused in one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::{Reference, Table, TabularInstance};

#[path = "../../lipex-cli/src/batch/input.rs"]
#[allow(dead_code, unexpected_cfgs)]
mod input;
/// What `input` takes of the command beside it.
mod write {
    pub const NO_PARQUET: &str = "";
}
use input::{Columns, Input};

fn refused(error: lipex::Error) {
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

fn of_batch(name: &str, bytes: &[u8]) -> lipex::Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).expect("a file");
    for id in [None, Some("id".to_string())] {
        let input = Input::open(file.to_str().expect("a name"), None, &Columns { id, ..Columns::default() })?;
        let mut count = 0;
        for (i, row) in input.read()?.enumerate() {
            assert_eq!(row.number, i as u64);
            assert!(row.content.err().is_none_or(|reason| !reason.is_empty()));
            count += 1;
        }
        assert!(count == input.rows && count > 0);
    }
    Ok(())
}

fn of_rows(text: &str) -> lipex::Result<()> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let columns = lines.next().unwrap_or_default();
    let table = Table::from_texts(columns, lines)?;
    assert!(table.rows().iter().all(|row| row.len() == table.columns().len()));
    if table.rows().len() > 1 {
        let background = Reference::Mean.of(&table.only(1..table.rows().len())?, 0)?;
        TabularInstance::new(&table.only([0])?, &background)?;
    }
    Ok(())
}

fuzz_target!(|input: &[u8]| {
    let Some((&which, bytes)) = input.split_first() else { return };
    let name = ["t.csv", "t.tsv", "t.jsonl"][usize::from(which % 3)];
    of_batch(name, bytes).unwrap_or_else(refused);
    if let Ok(text) = std::str::from_utf8(bytes) {
        of_rows(text).unwrap_or_else(refused);
    }
});
