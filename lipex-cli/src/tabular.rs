//! `lipex tabular`.

use crate::backend;
use crate::explain::{Asked, explain, settings, threads, unknown_backend};
use crate::files;
use crate::model::TableModel;
use crate::options::TabularOptions;
use crate::output;
use crate::staging::Staging;
use lipex::{AnyExplainer, Domain, Error, Reference, Result, Rows, Table, TabularInstance, lipex_cuda, npy};
use std::path::Path;

pub fn run(options: &TabularOptions) -> Result<()> {
    let targets = files::targets(&options.save)?;
    let settings = settings(&options.settings, &options.view)?;
    let seed = settings.get("seed").and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let row = instance(options, seed)?;
    let model = TableModel::open(&options.model, threads(&settings))?;
    let explainer = settings.explainer(settings.device(), Domain::Rows)?;
    backend::tell(settings.device(), &explainer);
    let asked = Asked { flip_to: options.flip_to.as_deref(), view: &options.view };
    let (explanation, around, view) = match explainer {
        AnyExplainer::Cpu(explainer) => explain::<_, Rows>(&explainer, &row, &model, &asked)?,
        // The program answers on the host.
        AnyExplainer::Cuda(explainer) => {
            let (explanation, around, view) = explain::<_, Rows>(&explainer, &row, &model, &asked)?;
            backend::report_traffic(explainer.backend());
            (explanation, lipex_cuda::to_host(explainer.backend(), &around)?, view)
        }
        _ => unknown_backend()?,
    };
    let others = |option: &str| (option == "save-neighbourhood").then(|| npy::neighbourhood_to_npz(&around));
    files::finish(Staging::default(), &targets, &explanation, &view, others, &told(&row, &options.reference))
}

/// The row, and the rows whose values take the place of removed ones.
fn instance(options: &TabularOptions, seed: u64) -> Result<TabularInstance> {
    let table = read("TABLE", &options.table)?;
    let ignored: Vec<&str> = options.ignore_columns.iter().flat_map(|list| list.split(',')).map(str::trim).collect();
    let table = table.without(&ignored).map_err(|e| renamed(e, "ignore-columns"))?;
    let row = table.only([options.row])?;
    let reference = Reference::by_name(&options.reference)?;
    let background = match &options.background {
        Some(file) => read("background", file)?.as_in(&table)?,
        None if table.rows().len() == 1 => {
            let reason = "the table has one row: give --background FILE, whose values take the place of removed ones";
            return Err(Error::Instance(reason.into()));
        }
        // A row of the table is counted as in the table.
        None if matches!(reference, Reference::Row(_)) => table.clone(),
        None => table.only((0..table.rows().len()).filter(|&i| i != options.row))?,
    };
    Ok(TabularInstance::new(&row, &reference.of(&background, seed)?)?.reference(reference))
}

/// A table from CSV.
fn read(option: &str, file: &str) -> Result<Table> {
    let text = output::read(option, file)?;
    let tabs = Path::new(file).extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let delimiter = if tabs { b'\t' } else { b',' };
    let text = text.trim_start_matches('\u{feff}');
    let refuse = |e: csv::Error| Error::setting(option, file, e.to_string());
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().map_err(refuse)?.iter().map(String::from).collect();
    let fields = |record: csv::StringRecord| record.iter().map(String::from).collect::<Vec<String>>();
    let rows: csv::Result<Vec<Vec<String>>> = reader.records().map(|record| record.map(fields)).collect();
    Table::from_texts(names, rows.map_err(refuse)?).map_err(|e| renamed(e, option))
}

/// A complaint of the library about a column, under the option's name.
fn renamed(error: Error, option: &str) -> Error {
    match error {
        Error::Setting { name, value, reason } if name == "column" => Error::setting(option, value, reason),
        other => other,
    }
}

/// What the report says of the background.
fn told(row: &TabularInstance, reference: &str) -> String {
    let values = match row.background().len() {
        1 => "the value of one background row".to_string(),
        n => format!("the values of {n} background rows, over which probabilities are averaged"),
    };
    format!("\nA removed column takes {values} (--reference {reference}).\n")
}
