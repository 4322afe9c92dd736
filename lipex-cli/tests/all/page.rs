//! The page in a browser: no complaint, no request, colours that follow the pointer, any text, any width.

use crate::browser;
use crate::noisy;

use browser::Browser;
use lipex::prelude::*;
use lipex::{ImageFn, ImageInstance, Images, PageOptions, Picture, SegmentMap, to_html};
use std::path::PathBuf;

const UGLY: &str =
    "I <script>alert('joy')</script> \"can't\" believe 🎉 מסיבה مفاجأة e\u{301}tonnant </script><!-- \u{2028} joy";

/// An explanation with everything that one may hold, as a page in a file.
fn page(folder: &tempfile::TempDir, name: &str, text: &str, unit: Unit) -> (Explanation, PathBuf) {
    let text = TextInstance::builder(text).unit(unit).build().unwrap();
    let mut e = lipex().samples(300).explain(&text, &DemoModel::embedded()).unwrap();
    noisy::add(&mut e);
    let file = folder.path().join(format!("{name}.html"));
    std::fs::write(&file, to_html(&e, &PageOptions::default()).unwrap()).unwrap();
    (e, file)
}

/// The style classes of all words, in order.
const LEVELS: &str = "[...document.querySelectorAll('.w')].map(w => w.className.replace(' on', '')).join()";
/// The background of the first word that has one for the predicted class.
const COLOURS: &str = "[...document.querySelectorAll('.w')].map(w => getComputedStyle(w).backgroundColor).join()";

fn quiet(browser: &Browser, file: &std::path::Path) {
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    // The page itself; icon and picture are in the page.
    let own = format!("\"file://{}\"", file.display());
    let others: Vec<&String> = browser.requests.iter().filter(|r| **r != own && !r.starts_with("\"data:")).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(browser.requests.contains(&own));
}

#[test]
fn any_text_at_any_width_in_light_and_dark() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let long = "the quick brown fox jumps over a lazy dog and ".repeat(12);
    for (name, text, unit) in [
        ("plain", "I can't believe you threw me a surprise party, I'm shaking with joy", Unit::Word),
        ("ugly", UGLY, Unit::Word),
        ("rtl", "אני שמח מאוד היום, תודה! مرحبا", Unit::Word),
        (
            "sentences",
            "I was afraid at first. Then came the party! \"Such joy,\" she said. And now? I am sad.",
            Unit::Sentence,
        ),
        ("long", long.as_str(), Unit::Occurrence),
    ] {
        let (e, file) = page(&folder, name, text, unit);
        for (width, dark) in [(360, false), (360, true), (1200, false), (1200, true)] {
            browser.open(&file, (width, 800), dark);
            let at = format!("{name} at {width}");
            assert_eq!(browser.text("document.getElementById('text').textContent"), e.text.clone().unwrap(), "{at}");
            let wide = browser.number("document.documentElement.scrollWidth");
            assert!(wide <= f64::from(width), "{at}: the page is {wide} pixels wide");
            let paper = browser.text("getComputedStyle(document.documentElement).backgroundColor");
            assert_eq!(paper == "rgb(22, 24, 27)", dark, "{at}: {paper}");
            assert_eq!(browser.value("document.scripts.length"), 2);
            quiet(&browser, &file);
            browser.picture(&format!("{name}-{width}{}", if dark { "-dark" } else { "" }));
        }
    }
}

#[test]
fn colours_follow_the_pointer_and_the_keyboard() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (e, file) = page(&folder, "point", UGLY, Unit::Word);
    browser.open(&file, (1200, 900), false);
    let as_written = browser.text(LEVELS);
    let colours = browser.text(COLOURS);
    let other = e.classes_by_probability()[2];
    let row = ".classes tr[data-c='2']";

    // The mouse over a class colours the text for it; away from it, for the chosen one again.
    browser.point_at(row);
    assert_eq!(browser.text("document.querySelector('[data-name]').textContent"), e.classes[other]);
    let pointed = browser.text(LEVELS);
    assert!(pointed != as_written && browser.text(COLOURS) != colours);
    let strongest = e.top_k(other, 1, Rank::Absolute)[0];
    let value = browser.text(&format!(
        "[...document.querySelectorAll('.w')].find(w => w.textContent === {:?}).dataset.v",
        e.features[strongest.feature].name
    ));
    assert_eq!(value.trim_start_matches(['+', '\u{2212}']), format!("{:.2}", strongest.value.abs()));
    browser.point_at("h1");
    assert_eq!(browser.text(LEVELS), as_written, "the script's colours are the page's own");

    // A click chooses.
    browser.click(row);
    browser.point_at("h1");
    assert_eq!(browser.text(LEVELS), pointed);
    assert_eq!(browser.text("document.querySelector('.classes [aria-pressed=true]').textContent"), e.classes[other]);

    // Tab reaches classes and words; arrows go from word to word.
    browser.value("document.querySelector(\".classes tr[data-c='0'] button\").focus()");
    browser.press("Tab");
    browser.press("Enter");
    let chosen = "document.querySelector('.classes [data-chosen=true]').dataset.c";
    assert_eq!(browser.text(chosen), "1");
    browser.value("document.querySelector('.w').focus()");
    browser.press("ArrowRight");
    assert_eq!(browser.value("[...document.querySelectorAll('.w')].indexOf(document.activeElement)"), 1);
    let told = browser.text("document.getElementById('word').textContent");
    assert!(e.classes.iter().all(|class| told.contains(class)) && told.contains('±'), "{told}");
    let outline = browser.text("getComputedStyle(document.activeElement).outlineStyle");
    assert_ne!(outline, "none", "focus is seen");
    quiet(&browser, &file);
    browser.picture("pointed");
}

#[test]
fn a_finger_chooses_classes_and_words() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (e, file) = page(&folder, "touch", UGLY, Unit::Word);
    browser.touchable(true);
    browser.open(&file, (360, 800), false);
    assert_eq!(browser.value("matchMedia('(pointer: coarse)').matches"), true);
    let order = e.classes_by_probability();
    let as_written = browser.text(LEVELS);
    let named = "document.querySelector('[data-name]').textContent";
    // On the name of a class, on its numbers, and on a row of the matrix; the colours stay.
    for (row, at) in
        [(2, ".classes tr[data-c='2'] button"), (1, ".classes tr[data-c='1'] td"), (3, ".matrix tr[data-c='3'] th")]
    {
        browser.tap(at);
        assert_eq!(browser.text(named), e.classes[order[row]], "{at}");
        let pressed = browser.text("document.querySelector('.classes [aria-pressed=true]').textContent");
        assert_eq!(pressed, e.classes[order[row]]);
        assert_ne!(browser.text(LEVELS), as_written);
        let tall = browser.number(&format!("document.querySelector(\".classes tr[data-c='{row}']\").offsetHeight"));
        assert!(tall >= 24.0, "a row of {tall} pixels is hard to hit");
    }
    browser.tap(".classes tr[data-c='0'] button");
    assert_eq!(browser.text(LEVELS), as_written);
    // A word tells what it does, and goes on doing so when the finger is gone; another tap tells of another.
    for i in [1, 3] {
        let word = format!("document.querySelectorAll('.w')[{i}]");
        browser.value(&format!("{word}.id = 'finger'"));
        browser.tap("#finger");
        browser.value(&format!("{word}.id = ''"));
        let told = browser.text("document.getElementById('word').textContent");
        assert!(told.starts_with(&browser.text(&format!("{word}.textContent"))), "{told}");
        assert!(e.classes.iter().all(|class| told.contains(class)), "{told}");
    }
    assert!(browser.number("document.documentElement.scrollWidth") <= 360.0);
    quiet(&browser, &file);
    browser.picture("touch");
}

#[test]
fn contrasts_filters_and_orders_are_chosen() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (e, file) = page(&folder, "choose", "a wonderful joy, not sad, and no fear of anger", Unit::Word);
    browser.open(&file, (1200, 900), true);
    let order = e.classes_by_probability();
    let choose = |id: &str, value: &str| {
        format!(
            "(s => {{ s.value = '{value}'; s.dispatchEvent(new Event('change')); }})(document.getElementById('{id}'))"
        )
    };
    browser.value(&choose("class-a", "3"));
    browser.value(&choose("class-b", "1"));
    let (a, b) = (order[3], order[1]);
    assert_eq!(
        browser.text("document.getElementById('of-contrast').textContent"),
        format!("{} over {}", e.classes[a], e.classes[b])
    );
    let first = "document.querySelector('#contrast tbody tr')";
    let contrast = e.contrast(a, b);
    let (name, value) = (&e.features[contrast[0].feature].name, contrast[0].value);
    assert_eq!(browser.text(&format!("{first}.cells[0].textContent")), *name);
    assert_eq!(browser.text(&format!("{first}.cells[1].textContent")), format!("+{value:.2}"));
    let u = e.uncertainty.as_ref().unwrap();
    let j = e.kept().iter().position(|&j| j == contrast[0].feature).unwrap();
    let half = u.quantile * u.contrast_error(a, b).unwrap()[j];
    assert_eq!(browser.text(&format!("{first}.cells[2].textContent")), format!("±{half:.2}"));

    browser.value(&choose("order", "weight"));
    let top = e.top_k(e.predicted(), 1, Rank::Supporting)[0].feature;
    assert_eq!(browser.text("document.querySelector('.matrix thead th').textContent"), e.features[top].name);
    browser.value(&choose("order", "place"));
    assert_eq!(browser.text("document.querySelector('.matrix thead th').textContent"), "a");

    browser.click("#numbers");
    let shown = browser.text("getComputedStyle(document.querySelector('.w'), '::after').content");
    assert!(shown.contains("0.") || shown.contains("1."), "{shown}");
    quiet(&browser, &file);
}

#[test]
fn segments_are_coloured_like_words() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::from_rgb(60, 40, (0..60 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect()).unwrap();
    let image = ImageInstance::new(picture, SegmentMap::grid(60, 40, 2, 3).unwrap()).unwrap();
    let model = ImageFn::new(["even", "odd", "none"], |images: &Images| {
        let whole: Vec<u8> = (0..60 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let intact = |rgb: &[u8], at: usize| if rgb[at] == whole[at] { 1.0f32 } else { 0.0 };
        let row = |rgb: &[u8]| {
            let p = 0.2 + 0.5 * intact(rgb, 3) - 0.1 * intact(rgb, 60 * 39 * 3 + 3);
            [p, 0.9 - p, 0.1]
        };
        images.iter().map(row).collect::<Vec<_>>()
    });
    let e = lipex().explain(&image, &model).unwrap();
    let file = folder.path().join("image.html");
    std::fs::write(&file, to_html(&e, &PageOptions::default().image(&image)).unwrap()).unwrap();
    browser.open(&file, (1200, 900), false);
    let values = "[...document.querySelectorAll('#picture .v')].map(v => v.textContent).join()";
    let fills = "[...document.querySelectorAll('#picture .w')].map(w => getComputedStyle(w).fill).join()";
    let (as_written, colours) = (browser.text(values), browser.text(fills));
    assert!(as_written.contains('+') && as_written.contains('\u{2212}'), "{as_written}");
    browser.point_at(".classes tr[data-c='1']");
    assert!(browser.text(values) != as_written && browser.text(fills) != colours);
    browser.value("document.querySelector('#picture .w').focus()");
    browser.press("ArrowRight");
    assert!(browser.text("document.getElementById('word').textContent").contains("odd"));
    quiet(&browser, &file);
    browser.picture("image");
    // A finger reaches the last segment too.
    browser.touchable(true);
    browser.open(&file, (360, 800), false);
    browser.value("[...document.querySelectorAll('#picture .w')].pop().id = 'finger'");
    browser.tap("#finger");
    let told = browser.text("document.getElementById('word').textContent");
    assert!(told.starts_with(&e.features[*e.kept().last().unwrap()].name) && told.contains("odd"), "{told}");
    browser.tap(".classes tr[data-c='1'] button");
    assert!(browser.text(values) != as_written && browser.text(fills) != colours);
    quiet(&browser, &file);
}

#[test]
fn many_classes_are_found_by_name() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<String> = (0..60).map(|c| format!("class {c}")).collect();
    let model = TextFn::new(labels, |texts: &[&str]| {
        let row = |t: &&str| {
            let mut p: Vec<f32> = (0..60).map(|c| 1.0 / (1.0 + c as f32)).collect();
            p[40] += t.split(' ').filter(|w| w.ends_with('3')).count() as f32;
            let total: f32 = p.iter().sum();
            p.iter().map(|x| x / total).collect::<Vec<f32>>()
        };
        texts.iter().map(row).collect()
    });
    let words: Vec<String> = (0..80).map(|i| format!("w{i}")).collect();
    let text = TextInstance::new(words.join(" ")).unwrap();
    let e = lime().selector(All).samples(100).explain(&text, &model).unwrap();
    let file = folder.path().join("many.html");
    std::fs::write(&file, to_html(&e, &PageOptions::default()).unwrap()).unwrap();
    browser.open(&file, (1200, 900), false);
    let seen = "[...document.querySelectorAll('.classes tr[data-c]')].filter(r => r.offsetHeight > 0).length";
    assert_eq!(browser.value(seen), 12);
    browser.click("#all");
    assert_eq!(browser.value(seen), 50);
    browser.click("#all");
    browser.value("(f => { f.value = 'S 33'; f.dispatchEvent(new Event('input')); })(document.getElementById('find'))");
    assert_eq!(browser.value(seen), 1);
    quiet(&browser, &file);
    browser.picture("many");
    browser.open(&file, (360, 800), false);
    assert!(browser.number("document.documentElement.scrollWidth") <= 360.0);
    browser.picture("many-360");
}

#[test]
fn the_page_stands_without_its_script() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (e, file) = page(&folder, "still", UGLY, Unit::Word);
    browser.call("Emulation.setScriptExecutionDisabled", serde_json::json!({"value": true}));
    browser.open(&file, (1200, 900), false);
    // The debugger may still look.
    assert_eq!(browser.text("document.getElementById('text').textContent"), e.text.clone().unwrap());
    assert!(browser.text(LEVELS).contains("w p"), "coloured for the predicted class");
    assert_eq!(browser.value("[...document.querySelectorAll('.script')].filter(s => s.offsetHeight > 0).length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('#contrast tbody tr').length > 3"), true);
    quiet(&browser, &file);
    browser.picture("no-script");
}
