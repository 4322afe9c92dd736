//! The colours of entries: blue for +, orange for −, which colour-blind readers tell apart; the sign is always written too.
//!
//! # Contrast
//! Six steps of each colour, in light and dark, with text of at least 4.5 : 1 against every one of them; a test computes the
//! ratios. Six steps are as many as a reader tells from one another without a legend.

/// Fills of levels 1 to 6 of what speaks for a class, on light paper under dark text.
pub(super) const FOR: [&str; 6] = ["#eaf3fb", "#d3e6f6", "#b5d5ef", "#92c1e6", "#6cabdb", "#4794cf"];

/// Fills of levels 1 to 6 of what speaks against it.
pub(super) const AGAINST: [&str; 6] = ["#fdf0e3", "#fbdfc3", "#f8c99a", "#f3b06f", "#ec9547", "#df7a26"];

/// Text on any of the fills.
pub(super) const INK: &str = "#111111";

/// Text of what is not significantly different from 0.
pub(super) const FAINT: &str = "#595959";

/// The fill of a level from −6 to 6; white for 0.
pub(super) fn fill(level: i32) -> &'static str {
    let step = level.unsigned_abs() as usize;
    let side = if level < 0 { AGAINST } else { FOR };
    step.checked_sub(1).and_then(|i| side.get(i)).copied().unwrap_or("#ffffff")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::html::STYLE;

    /// Relative luminance (WCAG 2).
    fn luminance(hex: &str) -> f64 {
        let channel = |i: usize| {
            let c = f64::from(u8::from_str_radix(&hex[i..i + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_every_fill() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        for level in -6..=6 {
            assert!(contrast(INK, fill(level)) >= 4.5, "{level}");
        }
        assert!(contrast(FAINT, "#ffffff") >= 4.5);
    }

    /// The value of a custom property in one of the style sheet's two themes.
    fn property(theme: usize, name: &str) -> String {
        let part = STYLE.split("prefers-color-scheme: dark").nth(theme).expect("two themes");
        let at = part.find(&format!("--{name}:")).unwrap_or_else(|| panic!("--{name}"));
        part[at..].split([':', ';']).nth(1).unwrap().trim().to_string()
    }

    #[test]
    fn the_style_sheet_has_these_colours_and_readable_ones_in_the_dark() {
        for step in 1..=6 {
            assert_eq!(property(0, &format!("p{step}")), fill(step));
            assert_eq!(property(0, &format!("n{step}")), fill(-step));
        }
        for theme in [0, 1] {
            let of = |name: &str| property(theme, name);
            for step in 1..=6 {
                for side in ["p", "n"] {
                    let fill = of(&format!("{side}{step}"));
                    assert!(
                        contrast(&of("ink"), &fill) >= 4.5,
                        "{theme} {side}{step}: {}",
                        contrast(&of("ink"), &fill)
                    );
                }
            }
            for ink in ["ink", "faint", "link", "for", "against"] {
                for paper in ["paper", "card"] {
                    let ratio = contrast(&of(ink), &of(paper));
                    assert!(ratio >= 4.5, "theme {theme}: {ink} on {paper} has {ratio}");
                }
            }
        }
    }
}
