//! The one place where text becomes HTML, XML or data within a script.
//!
//! # Safety
//! Tags and attribute names are literals; every text and every value goes through [`escape`], or through the escaping of
//! script data. Texts, labels and names of files come from anywhere, and nothing of them is ever markup.

use std::fmt::Write;

/// HTML or SVG in the making. Names of elements and attributes are literals; everything else is escaped.
#[derive(Default)]
pub(super) struct Markup(String);

/// Attributes: a name and any text.
pub(super) type Attributes<'a> = [(&'static str, &'a str)];

impl Markup {
    /// Opens an element.
    pub fn open(&mut self, tag: &'static str, attributes: &Attributes<'_>) -> &mut Self {
        self.start(tag, attributes);
        self.0.push('>');
        self
    }

    /// An element without content, closed as XML wants it; HTML takes that for the void elements and within SVG.
    pub fn empty(&mut self, tag: &'static str, attributes: &Attributes<'_>) -> &mut Self {
        self.start(tag, attributes);
        self.0.push_str("/>");
        self
    }

    /// The tag and its attributes, without the end.
    fn start(&mut self, tag: &'static str, attributes: &Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
    }

    /// Closes an element.
    pub fn close(&mut self, tag: &'static str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.0);
        self
    }

    /// An element that holds text alone.
    pub fn element(&mut self, tag: &'static str, attributes: &Attributes<'_>, text: &str) -> &mut Self {
        self.open(tag, attributes).text(text).close(tag)
    }

    /// A line end, which keeps files readable and comparable.
    pub fn line(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// All that was written.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Writes text as it may stand between tags and within quoted attributes, in HTML and in XML.
///
/// Characters that neither can hold (controls, noncharacters) become U+FFFD. A carriage return is written as a reference:
/// parsers would turn it into a line feed.
pub(super) fn escape(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '&' => to.push_str("&amp;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            '\r' => to.push_str("&#13;"),
            '\t' | '\n' => to.push(c),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => to.push('\u{fffd}'),
            c if u32::from(c) & 0xfffe == 0xfffe => to.push('\u{fffd}'),
            c => to.push(c),
        }
    }
}

/// JSON that may stand within a script element: nothing in it ends the element, opens a comment or breaks a line.
pub(super) fn script_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Only text holds these in JSON, and there an escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A template with every `{{name}}` replaced, once: what is put in is not looked at again.
pub(super) fn fill<'a>(template: &str, value: impl Fn(&str) -> &'a str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(value(name));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(text, &mut out);
        out
    }

    #[test]
    fn text_ends_no_element_and_no_attribute() {
        assert_eq!(escaped("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
        assert_eq!(escaped("a\0b\u{1b}c\u{fffe}d\u{1ffff}e\r\n\t"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e&#13;\n\t");
        assert_eq!(escaped("héé 你 🎉 مرحبا e\u{301}\u{202e}"), "héé 你 🎉 مرحبا e\u{301}\u{202e}");
        let mut markup = Markup::default();
        markup.open("p", &[("title", "\"><script>")]).text("</p>").close("p").empty("br", &[]);
        assert_eq!(markup.finish(), "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;/p&gt;</p><br/>");
    }

    #[test]
    fn json_in_a_script_means_the_same() {
        let text = "</script><!-- & \u{2028}\u{2029} ]]> \"quoted\"";
        let json = script_json(&serde_json::to_string(text).unwrap());
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn templates_are_filled_once() {
        let value = |name: &str| if name == "a" { "{{b}}" } else { "B" };
        assert_eq!(fill("{{a}} and {{b}}, {{b", value), "{{b}} and B, {{b");
    }
}
