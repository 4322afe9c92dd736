//! The first lines: how far to trust it, why not further, and what to do.

use super::layout::{Page, printable};
use lipex::{Explanation, Grade, Observed};

pub fn print(page: &mut Page, e: &Explanation) {
    if let Some(verdict) = e.verdict() {
        page.heading(&format!("Verdict: {}", verdict.grade));
        for reason in &verdict.reasons {
            let line = printable(format!("{} {}", reason.told, reason.advice).trim_end());
            if reason.grade == Grade::Good { page.note(&line) } else { page.warning(&line) }
        }
        page.gap();
    }
    if e.observed.sums_off > Observed::ROUNDED {
        let off = e.observed.sums_off;
        page.note(&format!("Rows of the model summed to 1 ± {off:.4}; each was divided by its sum."));
    }
}
