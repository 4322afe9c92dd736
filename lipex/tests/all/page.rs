//! Pages, figures and tables: safe for any text, and true to the explanation.

use crate::common::noisy;
use lipex::prelude::*;
use lipex::{Feature, ImageFn, ImageInstance, Images, PageOptions, Picture, SegmentMap, Span, to_csv, to_html, to_svg};
use proptest::prelude::*;

const UGLY: &str = "</script><script>alert('x')</script> \"quoted\" & 'more' 🎉 e\u{301}t\u{e9} مرحبا \u{202e}abc \u{2028} end <!-- {{body}}";

fn emotion(text: &str) -> Explanation {
    lipex().explain(&TextInstance::new(text).unwrap(), &DemoModel::embedded()).unwrap()
}

fn page(e: &Explanation) -> String {
    to_html(e, &PageOptions::default()).unwrap()
}

/// The text of the element that starts with `from`, without tags and with references resolved.
fn inside(html: &str, from: &str, to: &str) -> String {
    let at = html.find(from).unwrap_or_else(|| panic!("no {from}"));
    let part = &html[at + html[at..].find('>').unwrap() + 1..];
    let mut text = String::new();
    let mut tag = false;
    for c in part[..part.find(to).unwrap()].chars() {
        match c {
            '<' => tag = true,
            '>' if tag => tag = false,
            c if !tag => text.push(c),
            _ => {}
        }
    }
    let references = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#13;", "\r"), ("&amp;", "&")];
    references.iter().fold(text, |text, (name, c)| text.replace(name, c))
}

#[test]
fn the_text_is_there_letter_by_letter() {
    for text in [UGLY, "one word", "to be or not to be", "a\r\nb\tc"] {
        let html = page(&emotion(text));
        assert_eq!(inside(&html, "<div id=\"text\"", "</div>"), text);
        assert_eq!(html.matches("<script").count(), 2, "its own two");
        assert_eq!(html.matches("</script").count(), 2);
        assert!(!html.contains("http:") && !html.contains("https:"), "no address");
    }
}

#[test]
fn words_are_coloured_by_their_sign_and_size() {
    let e = emotion("a wonderful joy, not sad");
    let html = page(&e);
    let predicted = e.predicted();
    let strongest = e.top_k(predicted, 1, Rank::Absolute)[0];
    let name = &e.features[strongest.feature].name;
    let at = html.find(&format!(">{name}</span>")).unwrap();
    let tag = &html[html[..at].rfind("<span").unwrap()..at];
    let largest = e.shares().matrix().iter().flatten().fold(0.0f64, |m, w| m.max(w.abs()));
    let level = (strongest.value.abs() / largest * 6.0).ceil();
    let side = if strongest.value < 0.0 { "n" } else { "p" };
    assert!(tag.contains(&format!("class=\"w {side}{level}\"")), "{tag}");
    assert!(level >= 2.0 && tag.contains(&format!("{:.2}", strongest.value.abs())), "{tag}");
}

#[test]
fn a_policy_allows_nothing_but_the_page_s_own_style_and_script() {
    use base64::Engine;
    use sha2::Digest;
    let html = page(&emotion(UGLY));
    let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let content = html.split(open).nth(1).unwrap().split(close).next().unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(content));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{open}");
    }
    assert!(!policy.contains("unsafe") && !html.contains(" style="), "styles in attributes would be refused");
    assert!(!html.contains(" onclick") && !html.contains(" onload"));
}

#[test]
fn what_a_reader_needs_is_on_the_page() {
    let mut e = emotion("I can't believe you threw me a surprise party, I'm shaking with joy");
    let body = |e: &Explanation| page(e).split("<script").next().unwrap().to_string();
    let plain = body(&e);
    for part in [
        "surprise over neutral",
        "unseen masks",
        "Preset <b>lipex</b>",
        "seed 0",
        "1000 masks",
        env!("CARGO_PKG_VERSION"),
        "exponential:0.25",
        "0.0001",
        "scope=\"row\"",
        "aria-labelledby",
    ] {
        assert!(
            plain
                .replace("</bdi>", "")
                .replace("<bdi id=\"name-a\">", "")
                .replace("<bdi id=\"name-b\">", "")
                .contains(part),
            "{part}"
        );
    }
    for absent in ["±", "How much of W is noise", "What would make it", "How many masks it took"] {
        assert!(!plain.contains(absent), "{absent}");
    }
    noisy::add(&mut e);
    let noisy = body(&e);
    for part in [
        "±",
        "How much of W is noise",
        "What would make it",
        "How many masks it took",
        "in top 3",
        "sandwich",
        "left of W",
    ] {
        assert!(noisy.contains(part), "{part}");
    }
    assert!(noisy.contains("class=\"z noise\"") && noisy.matches("class=\"error\"").count() > 10);
}

#[test]
fn entries_that_are_not_told_from_0_have_no_colour() {
    let mut e = emotion("a wonderful joy, not sad");
    noisy::add(&mut e);
    let u = e.uncertainty.as_mut().unwrap();
    u.std_error.iter_mut().flatten().for_each(|s| *s = 100.0);
    let html = page(&e);
    let body = html.split("<main>").nth(1).unwrap().split("<p class=\"legend\"").next().unwrap();
    assert!(body.contains("class=\"w z\"") && !body.contains("class=\"w p") && !body.contains("class=\"w n"));
}

/// A model of many classes, each moved by one word.
fn many(classes: usize) -> TextFn<'static> {
    let labels: Vec<String> = (0..classes).map(|c| format!("class {c}")).collect();
    TextFn::new(labels, move |texts: &[&str]| {
        let row = |t: &&str| {
            let mut p: Vec<f32> = (0..classes).map(|c| 1.0 / (1.0 + c as f32)).collect();
            p[7 % classes] += t.split(' ').filter(|w| w.ends_with('3')).count() as f32;
            let total: f32 = p.iter().sum();
            p.iter().map(|x| x / total).collect::<Vec<f32>>()
        };
        texts.iter().map(row).collect()
    })
}

#[test]
fn many_classes_and_features_have_limits_that_are_told() {
    let words: Vec<String> = (0..400).map(|i| format!("w{i}")).collect();
    let text = TextInstance::new(words.join(" ")).unwrap();
    let explainer = lipex().surrogate(Ridge::default()).selector(All).samples(60);
    let e = explainer.explain(&text, &many(200)).unwrap();
    let html = to_html(&e, &PageOptions::default().contrast(150, 0)).unwrap();
    assert!(html.contains("150 less likely classes are not on this page"), "50 of 200, the contrasted among them");
    assert!(html.contains("100 kept words with smaller entries are not on this page"));
    assert!(html.contains(">class 150</bdi>"));
    assert!(html.len() < 4_000_000, "{}", html.len());
    assert_eq!(inside(&html, "<div id=\"text\"", "</div>"), words.join(" "));
    let svg = to_svg(&e, &PageOptions::default()).unwrap();
    assert_eq!(svg.matches("<g font-weight=\"bold\">").count(), 25, "blocks of 16 features");
    assert_eq!(to_csv(&e).unwrap().lines().count(), 1 + 200 * 400);
    assert!(to_html(&e, &PageOptions::default().classes([200])).is_err());
    assert!(to_html(&e, &PageOptions::default().contrast(0, 200)).is_err());
}

#[test]
fn spans_that_overlap_lose_no_letter() {
    let mut e = emotion("overlapping words here");
    let span = |from, to| Span { bytes: [from, to], chars: [from, to] };
    let feature = |name: &str, spans| Feature { name: name.into(), spans, ..e.features[0].clone() };
    let (a, b) = (feature("overlapping", vec![span(0, 11), span(0, 4)]), feature("ping words", vec![span(7, 17)]));
    e.features[0] = a;
    e.features[1] = b;
    assert_eq!(inside(&page(&e), "<div id=\"text\"", "</div>"), "overlapping words here");
}

#[test]
fn an_explanation_without_its_text_lists_its_features() {
    let mut e = emotion("a wonderful joy, not sad");
    e.text = None;
    assert_eq!(inside(&page(&e), "<div id=\"text\"", "</div>").trim(), "a wonderful joy not sad");
}

#[test]
fn an_image_takes_the_place_of_the_text() {
    let image = Picture::from_rgb(6, 4, (0..72u8).map(|i| 3 * i).collect()).unwrap();
    let segments = SegmentMap::grid(6, 4, 2, 3).unwrap();
    let image = ImageInstance::new(image, segments).unwrap();
    let model = ImageFn::new(["dark", "red"], |images: &Images| {
        images.iter().map(|rgb| if rgb[0] > 100 { [0.1, 0.9] } else { [0.7, 0.3] }).collect::<Vec<_>>()
    });
    let e = lipex().explain(&image, &model).unwrap();
    let html = to_html(&e, &PageOptions::default().image(&image)).unwrap();
    assert!(html.contains("href=\"data:image/png;base64,iVBOR") && html.contains("d=\"M0 0h2v2h-2z\""));
    assert!(html.matches("<text class=\"v\"").count() == e.kept().len(), "a number a segment, read without colour");
    assert!(html.contains("The image, coloured for") && html.contains("What each segment does"));
    assert!(!html.contains("The picture is not here"));
    // As a saved explanation is shown again: by the segments' names, and it says what is missing.
    let shown = page(&e);
    assert_eq!(inside(&shown, "<div id=\"text\"", "</div>").split_whitespace().count(), e.kept().len());
    assert!(shown.contains("The segments, coloured for") && shown.contains("The picture is not here"));
    let other =
        ImageInstance::new(Picture::from_rgb(4, 1, (0..12).collect()).unwrap(), SegmentMap::grid(4, 1, 1, 2).unwrap())
            .unwrap();
    assert!(to_html(&e, &PageOptions::default().image(&other)).is_err());
}

#[test]
fn figures_are_xml_with_a_title_and_signs() {
    let mut e = emotion(UGLY);
    for noise in [false, true] {
        if noise {
            noisy::add(&mut e);
        }
        let svg = to_svg(&e, &PageOptions::default().classes([0, 3, 3, 5])).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "svg");
        let of =
            |name: &str| root.children().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", name))).unwrap().text();
        assert!(of("title").unwrap().contains("log-odds") && of("desc").unwrap().contains(&e.classes[3]));
        let texts: Vec<&str> =
            root.descendants().filter(|n| n.tag_name().name() == "text").filter_map(|n| n.text()).collect();
        assert!(texts.iter().any(|t| t.starts_with('+')) && texts.iter().any(|t| t.starts_with('\u{2212}')));
        assert_eq!(texts.iter().any(|t| t.starts_with('±')), noise);
        assert_eq!(texts.iter().any(|t| t.starts_with('(')), noise, "grey entries are in brackets");
        for (c, shown) in [(0, 1), (3, 1), (5, 1), (1, 0)] {
            assert_eq!(texts.iter().filter(|t| **t == e.classes[c]).count(), shown, "{}", e.classes[c]);
        }
        for &j in e.kept() {
            assert!(texts.contains(&e.features[j].name.as_str()), "{}", e.features[j].name);
        }
    }
}

#[test]
fn tables_are_read_back_to_the_last_bit() {
    let mut e = emotion("to be or not, \"to be\"");
    e.classes[0] = "a, \"b\"\r\nc".into();
    for noise in [false, true] {
        if noise {
            noisy::add(&mut e);
        }
        let table = to_csv(&e).unwrap();
        assert!(table.starts_with("class,feature,weight,se,low,high,with\r\n"));
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let (records, pairs): (Vec<csv::StringRecord>, Vec<_>) =
            reader.records().map(|r| r.unwrap()).partition(|record| record[6].is_empty());
        assert_eq!(records.len(), e.classes.len() * e.kept().len());
        assert_eq!(pairs.len(), e.classes.len() * e.pairs().len());
        for record in &records {
            let class = e.classes.iter().position(|c| *c == record[0]).unwrap();
            let j = e.kept().iter().position(|&j| e.features[j].name == record[1]).unwrap();
            assert_eq!(record[2].parse::<f64>().unwrap(), e.shares().matrix()[class][j]);
            match &e.uncertainty {
                None => assert_eq!((&record[3], &record[4], &record[5]), ("", "", "")),
                Some(u) => {
                    let [se, low, high] = [3, 4, 5].map(|k| record[k].parse::<f64>().unwrap());
                    assert_eq!(se, u.std_error[class][j]);
                    assert!(low <= high && (high - low - 2.0 * u.quantile * se).abs() < 1e-12);
                }
            }
        }
    }
}

#[test]
fn equal_names_are_numbered_and_unfitted_entries_left_out() {
    let text = TextInstance::builder("to be or not to be").unit(Unit::Occurrence).build().unwrap();
    let e = lime().samples(200).explain(&text, &DemoModel::embedded()).unwrap();
    let table = to_csv(&e).unwrap();
    assert!(table.contains(",to (1),") && table.contains(",to (2),") && table.contains(",or,"), "{table}");
    // Numbers count all occurrences, not only the kept ones.
    let mut few = e.clone();
    let linear = few.answer.as_ref().unwrap().linear().unwrap();
    let support = vec![vec![0, 1]; few.classes.len()];
    few.answer = Some(linear.carried_to(vec![4, 5], support).unwrap().into());
    let table = to_csv(&few).unwrap();
    assert!(table.contains(",to (2),") && table.contains(",be (2),") && !table.contains("(1)"), "{table}");
    let e = lime().selector(HighestWeights::new(2).unwrap()).explain(&text, &DemoModel::embedded()).unwrap();
    assert!(e.kept().len() > 2);
    assert_eq!(to_csv(&e).unwrap().lines().count(), 1 + 2 * e.classes.len());
    assert!(
        page(&e).contains("<td class=\"z\">·</td>") && to_svg(&e, &PageOptions::default()).unwrap().contains(">·<")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn any_text_and_any_label_is_safe(text in "\\PC{0,30}", more in any::<String>(), label in any::<String>()) {
        let text = format!("word {text}{more}");
        let mut e = emotion("word");
        e.text = Some(text.clone());
        e.classes[0] = label;
        let html = page(&e);
        prop_assert_eq!(html.matches("<script").count(), 2);
        let shown = inside(&html, "<div id=\"text\"", "</div>");
        prop_assert_eq!(shown.chars().count(), text.chars().count());
        const REPLACED: char = '\u{fffd}';
        prop_assert!(shown.chars().zip(text.chars()).all(|(a, b)| a == b || a == REPLACED));
        let svg = to_svg(&e, &PageOptions::default()).unwrap();
        prop_assert!(roxmltree::Document::parse(&svg).is_ok());
        to_csv(&e).unwrap();
    }
}
