//! Settings as reports print them.
//!
//! Reports, files and departures are made of these: what a part prints is what [`Settings`](https://docs.rs/lipex) reads back,
//! so that a report is a recipe.

/// One setting with its value, spelled as on the command line.
///
/// ```
/// use lipex_core::Setting;
///
/// assert_eq!(Setting::new("samples", 1000).value, "1000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Setting {
    /// The name, for instance `divergence`.
    pub name: String,
    /// The value, for instance `alpha:0.5`.
    pub value: String,
}

impl Setting {
    /// A setting from a name and anything printable.
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Setting { name: name.into(), value: value.to_string() }
    }
}

/// Says what a part is set to, for reports.
///
/// ```
/// use lipex_core::{Describe, Forward};
///
/// let told = Forward::new(5)?.describe();
/// assert_eq!((told[0].name.as_str(), told[0].value.as_str()), ("select", "forward:5"));
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait Describe {
    /// The part's settings; the first one names the part itself (`sampler = uniform-size`).
    fn describe(&self) -> Vec<Setting>;
}

impl<T: Describe + ?Sized> Describe for std::sync::Arc<T> {
    fn describe(&self) -> Vec<Setting> {
        (**self).describe()
    }
}

/// A setting that differs from the preset or from the paper.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().samples(200).enumerate(lipex::Enumerate::Never).explain(&text, &model)?;
/// let told = explanation.departures.iter().find(|departure| departure.name == "samples").unwrap();
/// assert_eq!((told.value.as_str(), told.preset.as_str(), told.paper.as_str()), ("200", "1000", "1000"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Departure {
    /// The setting's name.
    pub name: String,
    /// Its value in this explanation; empty if the setting does not exist here.
    pub value: String,
    /// Its value in the preset; empty if it does not exist there.
    pub preset: String,
    /// Its value in the paper; empty if it does not exist there.
    pub paper: String,
}
