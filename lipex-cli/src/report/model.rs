//! What was seen of the model itself, before anything that is said of its answers.

use super::layout::Page;
use super::nouns;
use lipex::{Explanation, Observed};

pub fn print(page: &mut Page, e: &Explanation) {
    let (observed, input) = (&e.observed, nouns(e).instance);
    if let Some(apart) = observed.noise() {
        let told = format!(
            "The model answers the same {input} differently: {apart:.3} apart (total variation) when asked twice."
        );
        if e.settings.iter().any(|setting| setting.name == "ask-again") {
            page.warning(&format!("{told} Every mask was asked for, so error bars cover that."));
        } else {
            page.warning(&format!("{told} No error bar covers that; --ask-again makes it part of them."));
        }
    }
    if observed.is_constant() {
        page.warning(
            "Nothing moves the model: it answers every mask as it answers the whole. There is nothing to explain.",
        );
    }
    if observed.sums_off > Observed::ROUNDED {
        let off = observed.sums_off;
        page.note(&format!("Rows of the model summed to 1 ± {off:.4}; each was divided by its sum."));
    }
}
