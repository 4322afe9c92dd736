//! Settings by name, in Python's spelling.

use crate::errors::{raise, spelt};
use lipex::{Domain, Error, Result, SettingInfo, Settings, Topic};
use pyo3::prelude::*;

/// Names and values, as Python has them.
pub type Pairs = Vec<(String, String)>;

/// The settings of such instances from names and values.
///
/// # Errors
/// [`Error::UnknownSetting`] and [`Error::Setting`], which offer the nearest one.
pub fn read(pairs: &Pairs) -> Result<Settings> {
    let named = pairs.iter().map(|(name, value)| known(name).map(|name| (name, value)));
    Settings::from_pairs(named.collect::<Result<Vec<_>>>()?)
}

/// The library's name of a setting that Python names.
fn known(name: &str) -> Result<&'static str> {
    let named = SettingInfo::ALL.iter().find(|info| spelt(info.name()) == name).map(SettingInfo::name);
    named.ok_or_else(|| {
        // Without the _ at the end of `lambda_`, which would make a slip look larger.
        let own = SettingInfo::ALL.iter().map(|info| info.name().replace('-', "_"));
        let all: Vec<String> = own.chain(EXTRA.map(String::from)).collect();
        Error::unknown_setting(name, &all.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// Keywords of Python's functions beside the library's settings.
const EXTRA: [&str; 6] = ["class_names", "outputs", "ignore_words", "flip_to", "segments", "masks"];

/// The domain of that name.
///
/// # Errors
/// [`Error::Setting`] for any other name.
pub fn domain(name: &str) -> Result<Domain> {
    match name {
        "text" => Ok(Domain::Text),
        "image" => Ok(Domain::Image),
        "table" => Ok(Domain::Rows),
        _ => Err(Error::choice("domain", name, &["text", "image", "table"])),
    }
}

/// Passes if these settings are some, and fit together for such instances.
#[pyfunction]
pub fn check(pairs: Pairs, domain: &str) -> PyResult<()> {
    let of = self::domain(domain).map_err(raise)?;
    let on = lipex::Cpu::new();
    read(&pairs).and_then(|settings| settings.explainer_on(on, of)).map(|_| ()).map_err(raise)
}

/// Every setting of such instances: name, values that it takes (nothing for true or false), default, what it does.
#[pyfunction]
pub fn settings(domain: &str) -> PyResult<Vec<(String, &'static str, String, &'static str)>> {
    let of = self::domain(domain).map_err(raise)?;
    let mine = SettingInfo::ALL.iter().filter(|info| of == Domain::Text || info.topic() != Topic::Text);
    Ok(mine.map(|info| (spelt(info.name()), info.values(), info.default(of), info.about())).collect())
}
