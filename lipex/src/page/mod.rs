//! An explanation as a page, a figure or a table: files for people, next to the JSON for programs.
//!
//!
//! function
//! what for
//!
//!
//! ---
//! ---
//!
//!
//! [`to_html`]
//! a page that needs no network, for reading
//!
//!
//! [`to_svg`]
//! the matrix as a figure, for a paper
//!
//!
//! [`to_csv`]
//! the matrix as a table, for a spreadsheet
//!

mod colour;
mod comparison;
mod csv;
mod html;
mod markup;
mod matched;
mod overlay;
mod phrases;
mod scores;
mod summary;
mod svg;
mod table;
mod tree;
mod words;

pub use comparison::comparison_to_html;
pub use csv::to_csv;
pub use html::to_html;
pub use matched::match_to_html;
pub use scores::attributions_to_explanation;
pub use summary::summary_to_html;
pub use svg::to_svg;

#[cfg(feature = "image")]
use crate::image::ImageInstance;
use lipex_core::Explanation;
use overlay::Overlay;

/// What a page ([`to_html`]) or a figure ([`to_svg`]) shows of an explanation.
///
/// ```
/// use lipex::{PageOptions, prelude::*, to_html};
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("wonderful") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// });
/// let explanation = lipex().explain(&TextInstance::new("A wonderful film")?, &model)?;
/// let page = to_html(&explanation, &PageOptions::default().contrast(1, 0))?;
/// assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("://"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// Classes to show; the likeliest if `None`.
    classes: Option<Vec<usize>>,
    /// The contrast that is shown first.
    contrast: Option<(usize, usize)>,
    /// The picture, if one was explained.
    image: Option<Overlay>,
}

impl PageOptions {
    /// The classes shown, by index, in this order; default the likeliest: 12 on a page, 7 in a figure.
    ///
    /// A page holds other classes too, behind a filter, up to 50 in all.
    pub fn classes(mut self, classes: impl IntoIterator<Item = usize>) -> Self {
        self.classes = Some(classes.into_iter().collect());
        self
    }

    /// The two classes whose contrast W\[a\] − W\[b\] a page shows first; default the two likeliest. A reader can choose
    /// others.
    pub fn contrast(mut self, a: usize, b: usize) -> Self {
        self.contrast = Some((a, b));
        self
    }

    /// The image that was explained, to be coloured in place of a text; default none.
    ///
    /// More than 1.5 million pixels are thinned out: the page is for looking at.
    #[cfg(feature = "image")]
    pub fn image(mut self, image: &ImageInstance) -> Self {
        self.image = Some(Overlay::new(image));
        self
    }

    /// The classes to show, without repetitions; the `usual` likeliest where none were named.
    fn shown(&self, e: &Explanation, usual: usize) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        match &self.classes {
            Some(list) => list.iter().copied().filter(|&c| seen.insert(c)).collect(),
            None => e.classes_by_probability().into_iter().take(usual).collect(),
        }
    }
}
