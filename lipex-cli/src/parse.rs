//! Values of options that are more than a word or a number.

use crate::output;
use lipex::{
    AnotherPicture, Baseline, Error, Picture, Result, SegmentMap, Segmenter, baseline_by_name, class_by_name, nearest,
};
use std::sync::Arc;

/// The part before a colon, and the part after it if there is one.
fn split(value: &str) -> (&str, Option<&str>) {
    value.split_once(':').map_or((value, None), |(name, rest)| (name, Some(rest)))
}

/// A number after a colon.
fn number<T: std::str::FromStr>(option: &str, value: &str, text: &str, what: &str) -> Result<T> {
    text.parse().map_err(|_| Error::setting(option, value, format!("\"{text}\" is not {what}")))
}

/// Features by number: 3,5,9.
pub fn keep(value: &str) -> Result<Vec<usize>> {
    let mut list = Vec::new();
    for text in value.split(',') {
        let feature: usize = number("keep", value, text.trim(), "the number of a feature")?;
        if list.contains(&feature) {
            return Err(Error::setting("keep", value, format!("{feature} is named twice")));
        }
        list.push(feature);
    }
    Ok(list)
}

/// The segments of a picture: a segmenter's, or `map:FILE`.
pub fn segments(value: &str, picture: &Picture) -> Result<SegmentMap> {
    let refuse = |e: Error| Error::setting("segments", value, e.to_string());
    match split(value) {
        ("map", Some(file)) => {
            let map = SegmentMap::decode(&output::read_bytes("segments", file)?).map_err(refuse)?;
            let (own, of) = ((map.width(), map.height()), (picture.width(), picture.height()));
            if own != of {
                let (own, of) = (format!("{}×{}", own.0, own.1), format!("{}×{}", of.0, of.1));
                let reason = format!("has {own} pixels, the picture {of}; they must be of one size");
                return Err(Error::setting("segments", value, reason));
            }
            Ok(map)
        }
        _ => Segmenter::by_name(value)?.cut(picture).map_err(refuse),
    }
}

/// What a removed segment becomes: one that the library knows, or `image:FILE`.
pub fn baseline(value: &str) -> Result<Arc<dyn Baseline>> {
    match value.strip_prefix("image:") {
        Some(file) => {
            let picture = Picture::decode(&output::read_bytes("baseline", file)?)
                .map_err(|e| Error::setting("baseline", value, e.to_string()))?;
            Ok(Arc::new(AnotherPicture { picture, name: file.into() }))
        }
        None => baseline_by_name(value),
    }
}

/// The classes to show, by index, likeliest first; by name in the order named.
pub enum Classes {
    Top(usize),
    Named(Vec<usize>),
}

/// A class by name.
pub fn class(option: &str, name: &str, labels: &[String]) -> Result<usize> {
    class_by_name(name, labels).ok_or_else(|| {
        let names: Vec<&str> = labels.iter().map(String::as_str).collect();
        let meant = nearest(name, &names).map(|meant| format!(" (did you mean `{meant}`?)")).unwrap_or_default();
        Error::setting(option, name, format!("no such class{meant}; the classes are {}", listed(labels)))
    })
}

/// Most classes that a message names.
const MOST_NAMED: usize = 20;

fn listed(labels: &[String]) -> String {
    let named = labels[..labels.len().min(MOST_NAMED)].join(", ");
    match labels.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

pub fn classes(value: &str, labels: &[String]) -> Result<Classes> {
    if value == "all" {
        return Ok(Classes::Top(usize::MAX));
    }
    match value.strip_prefix("top:") {
        Some(n) => match number("classes", value, n, "a number of classes")? {
            0 => Err(Error::setting("classes", value, "at least one class")),
            n => Ok(Classes::Top(n)),
        },
        None => named(value, labels).map(Classes::Named),
    }
}

/// Classes named with commas between them; names may hold commas themselves, and white space may follow one.
fn named(value: &str, labels: &[String]) -> Result<Vec<usize>> {
    let parts: Vec<&str> = value.split(',').collect();
    let known = |name: &str| class_by_name(name, labels).or_else(|| class_by_name(name.trim(), labels));
    let (mut list, mut at) = (Vec::new(), 0);
    while at < parts.len() {
        let longest = (at + 1..=parts.len()).rev().find_map(|to| Some((known(&parts[at..to].join(","))?, to)));
        let Some((c, to)) = longest else { return class("classes", parts[at].trim(), labels).map(|c| vec![c]) };
        if list.contains(&c) {
            return Err(Error::setting("classes", value, format!("{} is named twice", labels[c])));
        }
        list.push(c);
        at = to;
    }
    Ok(list)
}

/// Two classes A:B; names may hold colons themselves.
pub fn contrast(option: &str, value: &str, labels: &[String]) -> Result<(usize, usize)> {
    let known = |name: &str| class_by_name(name, labels);
    let pair = value.match_indices(':').find_map(|(at, _)| Some((known(&value[..at])?, known(&value[at + 1..])?)));
    if let Some((a, b)) = pair {
        let twice = || Error::setting(option, value, "two different classes: one over itself is 0 everywhere");
        return if a == b { Err(twice()) } else { Ok((a, b)) };
    }
    let Some((a, b)) = value.split_once(':') else {
        return Err(Error::setting(option, value, "two classes with a colon between them, A:B"));
    };
    class(option, a, labels)?;
    class(option, b, labels)?;
    Err(Error::setting(option, value, "two classes with a colon between them, A:B"))
}

/// Refuses options that were given.
pub fn refuse(given: impl IntoIterator<Item = (&'static str, bool)>, reason: &str) -> Result<()> {
    match given.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::Instance(format!("--{name} {reason}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["good", "bad", "a:b"].map(String::from).to_vec()
    }

    #[test]
    fn contrasts_take_names_with_colons() {
        assert_eq!(contrast("contrast", "good:bad", &labels()).unwrap(), (0, 1));
        assert_eq!(contrast("contrast", "a:b:good", &labels()).unwrap(), (2, 0));
        assert_eq!(contrast("contrast", "bad:a:b", &labels()).unwrap(), (1, 2));
        for bad in ["good", "good:evil", "evil:good", ":", "good:good"] {
            assert!(contrast("contrast", bad, &labels()).is_err(), "{bad}");
        }
    }

    #[test]
    fn class_lists() {
        assert!(matches!(classes("top:2", &labels()), Ok(Classes::Top(2))));
        assert!(matches!(classes("bad,good", &labels()), Ok(Classes::Named(list)) if list == [1, 0]));
        for bad in ["top:0", "top:x", "evil", "", "good,bad,good", "good,,bad"] {
            assert!(classes(bad, &labels()).is_err(), "{bad}");
        }
        let fish = ["tench, Tinca tinca", "tench", "Tinca tinca", "carp"].map(String::from);
        for (value, expected) in [
            ("tench, Tinca tinca", &[0][..]),
            ("tench,carp", &[1, 3]),
            ("carp, Tinca tinca, tench, Tinca tinca", &[3, 2, 0]),
        ] {
            assert!(matches!(classes(value, &fish), Ok(Classes::Named(list)) if list == expected), "{value}");
        }
    }

    #[test]
    fn a_message_does_not_name_a_thousand_classes() {
        let many: Vec<String> = (0..1000).map(|c| format!("c{c}")).collect();
        let message = class("flip-to", "joyy", &["anger", "joy"].map(String::from)).unwrap_err().to_string();
        assert_eq!(message, "flip-to = joyy: no such class (did you mean `joy`?); the classes are anger, joy");
        let message = class("flip-to", "x", &many).unwrap_err().to_string();
        assert!(message.ends_with("c18, c19 and 980 more"), "{message}");
    }
}
