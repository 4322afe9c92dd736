//! Lines, columns and colours.

use anstyle::{AnsiColor, Color, Style};
use unicode_width::UnicodeWidthStr;

const RESET: anstyle::Reset = anstyle::Reset;

/// A text that cannot move the cursor or turn a line around: control and formatting characters are spelled out.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().flat_map(|c| if hidden(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Columns that a text takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A text of at most `width` columns, with … where something was cut off.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_string();
    }
    let mut short = String::new();
    for c in text.chars() {
        let longer = format!("{short}{c}");
        if columns(&longer) + 1 > width {
            break;
        }
        short = longer;
    }
    short + "…"
}

/// A text followed by spaces up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A text after spaces up to `width` columns.
pub fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A bar of up to `width` columns for a share of 1.
pub fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), parts[eighths % 8])
}

/// A number with a sign, of two decimals; nearly 0 has none.
pub fn signed(value: f64) -> String {
    if value.abs() < 0.005 { "0.00".into() } else { format!("{value:+.2}") }
}

/// A number as [`signed`] has it, coloured by its sign and by how large it is beside the largest.
pub fn coloured(value: f64, largest: f64, text: &str) -> String {
    let share = if largest > 0.0 { value.abs() / largest } else { 0.0 };
    let colour = if value > 0.0 { AnsiColor::Green } else { AnsiColor::Red };
    let style = Style::new().fg_color(Some(Color::Ansi(colour)));
    let style = match share {
        s if s < 0.1 => Style::new().dimmed(),
        s if s > 0.5 => style.bold(),
        _ => style,
    };
    format!("{style}{text}{RESET}")
}

/// A report in the making.
pub struct Page {
    width: usize,
    text: String,
}

impl Page {
    pub fn new(width: usize) -> Self {
        Page { width, text: String::new() }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn finish(self) -> String {
        self.text
    }

    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    fn styled(&mut self, style: Style, text: &str) {
        for line in wrap(text, self.width, 0) {
            self.line(&format!("{style}{line}{RESET}"));
        }
    }

    pub fn heading(&mut self, text: &str) {
        let style = Style::new().bold();
        if columns(text) <= self.width {
            self.line(&format!("{style}{text}{RESET}"));
        } else {
            self.styled(style, text);
        }
    }

    /// A remark, less prominent.
    pub fn note(&mut self, text: &str) {
        self.styled(Style::new().dimmed(), text);
    }

    pub fn warning(&mut self, text: &str) {
        self.styled(Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Yellow))), text);
    }

    /// A paragraph; lines after the first are indented.
    pub fn paragraph(&mut self, text: &str) {
        wrap(text, self.width, 2).iter().for_each(|line| self.line(line));
    }
}

/// A paragraph in lines of at most `width` columns; lines after the first start with `indent` spaces.
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut empty = true;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        if !empty && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        let room = width.saturating_sub(columns(&line)).max(1);
        line.push_str(&cut(word, room));
        empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_spelled_out() {
        assert_eq!(printable("a\u{1b}[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\n\\u{202e}c");
        assert_eq!(printable("héé 你好 🎉"), "héé 你好 🎉");
    }

    #[test]
    fn widths_are_those_of_a_terminal() {
        assert_eq!(cut("surprise", 5), "surp…");
        assert_eq!(columns(&cut("你好你好", 5)), 5);
        assert_eq!(pad("你", 4), "你  ");
        assert_eq!(pad_left("x", 3), "  x");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(1.0 / 16.0, 2), "▏");
    }

    #[test]
    fn paragraphs_are_wrapped() {
        assert_eq!(wrap("one two three", 7, 2), ["one two", "  three"]);
        assert_eq!(wrap("a incomprehensible b", 8, 1), ["a", " incomp…", " b"]);
        assert!(wrap("", 5, 0) == [""]);
    }

    #[test]
    fn numbers_have_signs() {
        assert_eq!((signed(1.0).as_str(), signed(-0.5).as_str(), signed(-0.001).as_str()), ("+1.00", "-0.50", "0.00"));
    }
}
