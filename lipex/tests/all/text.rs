//! Texts as instances: features, spans, and what masks make of a text.

use lipex::{
    BlackBox, Cpu, Distinct, Error, Explainer, Instance, Masks, Removed, Render, Split, TextFn, TextInstance, Texts,
    Unit, authors, kernel_shap, lime, lipex, paper,
};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const TEXTS: [&str; 9] = [
    "I can't believe it, I can't!",
    "यह फ़िल्म बहुत अच्छी है। यह देखो",
    "😀 good 😀😀 film 👩‍👩‍👧 ok",
    "שלום עולם שלום",
    "e\u{301}te\u{301} cafe\u{301} ete",
    "日本語の映画 日本語",
    "one",
    "  \t_x_ 3.14 ½\r\n\n tail\u{0} end  ",
    "مرحبا\u{200f} بالعالم ١٢٣",
];

fn names(text: &TextInstance) -> Vec<&str> {
    text.features().iter().map(|f| f.name.as_str()).collect()
}

/// Masks whose row i keeps the features that `keep` says.
fn masks(text: &TextInstance, rows: usize, keep: impl Fn(usize, usize) -> bool) -> Masks<Cpu> {
    let features = text.features().len();
    let words = features.div_ceil(32);
    let mut bits = vec![0; rows * words];
    for i in 0..rows {
        (0..features).filter(|&j| keep(i, j)).for_each(|j| bits[i * words + j / 32] |= 1 << (j % 32));
    }
    Masks::new(&Cpu::new(), rows, features, bits).unwrap()
}

fn render(text: &TextInstance, masks: &Masks<Cpu>) -> Vec<String> {
    let texts: Texts = text.render(&Cpu::new(), masks, 0..masks.rows()).unwrap();
    texts.as_slice().to_vec()
}

fn distinct(text: &TextInstance, masks: &Masks<Cpu>) -> Distinct {
    Render::<Cpu, Texts>::distinct(text, &Cpu::new(), masks).unwrap().unwrap()
}

fn every_setting(text: &str) -> Vec<TextInstance> {
    let mut all = Vec::new();
    for unit in [Unit::Word, Unit::Occurrence, Unit::Sentence] {
        for split in
            ["unicode", "lime", "char", "space", r"regex:\pL\pM*|[!?.]+"].map(|name| Split::by_name(name).unwrap())
        {
            for removed in [Removed::Drop, Removed::Mask("UNK".into())] {
                all.extend(TextInstance::builder(text).unit(unit).split(split.clone()).removed(removed).build());
            }
        }
    }
    all
}

#[test]
fn spans_give_the_words_back() {
    for text in TEXTS {
        for instance in every_setting(text) {
            let chars: Vec<char> = text.chars().collect();
            for feature in instance.features() {
                assert!(!feature.spans.is_empty());
                for span in &feature.spans {
                    assert_eq!(&text[span.bytes[0]..span.bytes[1]], feature.name);
                    assert_eq!(chars[span.chars[0]..span.chars[1]].iter().collect::<String>(), feature.name);
                }
            }
        }
    }
}

#[test]
fn the_full_mask_is_the_text_itself() {
    for text in TEXTS {
        for instance in every_setting(text) {
            assert_eq!(render(&instance, &masks(&instance, 1, |_, _| true)), [text]);
            assert_eq!(instance.without(&[]).unwrap(), text);
        }
    }
}

#[test]
fn a_distinct_word_goes_everywhere_and_separators_stay() {
    let text = TextInstance::new("The cat saw the cat, the Cat.").unwrap();
    assert_eq!(names(&text), ["The", "cat", "saw", "the", "Cat"]);
    assert_eq!(text.without(&[1]).unwrap(), "The  saw the , the Cat.");
    assert_eq!(text.without(&[0, 1, 2, 3, 4]).unwrap(), "    ,  .");
    let text = TextInstance::builder("The cat saw the cat").unit(Unit::Occurrence).build().unwrap();
    assert_eq!(names(&text), ["The", "cat", "saw", "the", "cat"]);
    assert_eq!(text.without(&[1]).unwrap(), "The  saw the cat");
    assert!(text.without(&[5]).unwrap_err().to_string().contains("0 to 4"));
}

#[test]
fn a_mask_takes_the_place_of_what_is_removed() {
    let text = TextInstance::builder("a b a").removed(Removed::Mask("UNK".into())).build().unwrap();
    assert_eq!(text.without(&[0]).unwrap(), "UNK b UNK");
    assert_eq!(text.without(&[0, 1]).unwrap(), "UNK UNK UNK");
    assert!(TextInstance::builder("a").removed(Removed::Mask(String::new())).build().is_err());
}

#[test]
fn sentences_are_removed_whole() {
    let text = TextInstance::builder("It rains. It pours!  No. It rains.").unit(Unit::Sentence).build().unwrap();
    assert_eq!(names(&text), ["It rains.", "It pours!", "No.", "It rains."]);
    assert_eq!(text.without(&[1, 3]).unwrap(), "It rains.   No. ");
    let ignoring = TextInstance::builder("It rains.").unit(Unit::Sentence).ignore(["it"]).build();
    assert!(matches!(ignoring, Err(Error::Setting { .. })));
}

#[test]
fn ignored_words_stay() {
    let text = TextInstance::builder("The film and the end").ignore(["the", "AND"]).build().unwrap();
    assert_eq!(names(&text), ["film", "end"]);
    assert_eq!(text.without(&[0, 1]).unwrap(), "The  and the ");
}

#[test]
fn words_to_ignore_that_are_not_there_are_named() {
    let ignoring = |text: &str, split: Split| {
        let text =
            TextInstance::builder(text).split(split).ignore(["The", "[SEP]", "don't", "sun", "the", "SUN"]).build();
        text.unwrap().unmatched().to_vec()
    };
    assert_eq!(ignoring("the [SEP] don't rain", Split::Lime), ["[SEP]", "don't", "sun"]);
    assert_eq!(ignoring("the [SEP] don't rain", Split::Unicode), ["[SEP]", "sun"]);
    assert_eq!(ignoring("the [SEP] don't rain", Split::Space), ["sun"]);
    assert!(TextInstance::new("rain").unwrap().unmatched().is_empty());
}

#[test]
fn words_are_split_by_unicode_unless_said() {
    let decomposed = TextInstance::new("so nai\u{308}ve").unwrap();
    assert_eq!(names(&decomposed), ["so", "nai\u{308}ve"]);
    let shouted = TextInstance::new("wow !!! 😂😂 :-)").unwrap();
    assert_eq!(names(&shouted), ["wow", "!!!", "😂", ":-)"]);
    assert_eq!(shouted.without(&[2]).unwrap(), "wow !!!  :-)");
}

#[test]
fn a_split_departs_from_the_paper_and_the_preset() {
    let model = TextFn::new(["a", "b"], |texts| vec![[0.5f32, 0.5]; texts.len()]);
    let of = |explainer: &Explainer<Cpu>, split: Split| {
        let text = TextInstance::builder("one two three").split(split).build().unwrap();
        let e = explainer.clone().samples(20).explain(&text, &model).unwrap();
        assert!(e.settings.iter().any(|setting| setting.name == "split"));
        let departure = e.departures.into_iter().find(|d| d.name == "split");
        departure.map(|d| [d.value, d.preset, d.paper].join(" "))
    };
    assert_eq!(of(&lipex(), Split::Unicode).unwrap(), "unicode unicode lime");
    assert_eq!(of(&lipex(), Split::Lime).unwrap(), "lime unicode lime");
    assert_eq!(of(&lime(), Split::Char).unwrap(), "char lime lime");
    for explainer in [lime(), paper(), authors(), kernel_shap()] {
        assert_eq!(of(&explainer, Split::Lime), None);
    }
}

#[test]
fn what_is_sent_when_nothing_is_left() {
    let of = |text: &str| TextInstance::builder(text).when_empty("nothing");
    assert_eq!(of("a, b").build().unwrap().without(&[0, 1]).unwrap(), "nothing");
    assert_eq!(of("a, b").build().unwrap().without(&[0]).unwrap(), ", b");
    assert_eq!(of("a, b").removed(Removed::Mask("X".into())).build().unwrap().without(&[0, 1]).unwrap(), "nothing");
    assert_eq!(of("a, b").ignore(["a"]).build().unwrap().without(&[0]).unwrap(), "a, ");
    assert_eq!(of("one").when_empty("").build().unwrap().without(&[0]).unwrap(), "");
}

#[test]
fn texts_without_features_are_refused_in_one_line() {
    for (builder, word) in [
        (TextInstance::builder(""), "empty"),
        (TextInstance::builder(" \u{feff}\n "), "no words"),
        (TextInstance::builder(" …!?\n— 😀").split(Split::Lime), "no words"),
        (TextInstance::builder(" …!?\n—").unit(Unit::Sentence), "no words"),
        (TextInstance::builder("abc").split(Split::regex("x").unwrap()), "no words"),
        (TextInstance::builder("The the").ignore(["the"]), "ignored"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, Error::Instance(_)), "{error}");
        assert!(error.to_string().contains(word) && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn masks_that_render_alike_are_one_input() {
    // Without the first or the second "a" the words are the same, the spaces are not: only these two rows are equal.
    let text = TextInstance::builder("a-a-a").unit(Unit::Occurrence).build().unwrap();
    let m = masks(&text, 5, |i, j| [0b111, 0b110, 0b011, 0b110, 0b101][i] >> j & 1 == 1);
    assert_eq!(render(&text, &m), ["a-a-a", "-a-a", "a-a-", "-a-a", "a--a"]);
    assert_eq!(distinct(&text, &m).of, [0, 1, 2, 1, 3]);
    // Words that touch can be equal texts under different masks.
    let text = TextInstance::builder("日日本").unit(Unit::Occurrence).split(Split::Unicode).build().unwrap();
    let m = masks(&text, 4, |i, j| [0b111, 0b110, 0b101, 0b100][i] >> j & 1 == 1);
    let d = distinct(&text, &m);
    assert_eq!((d.first, d.of), (vec![0, 1, 3], vec![0, 1, 1, 2]));
}

#[test]
fn masks_of_another_text_are_refused() {
    let (text, other) = (TextInstance::new("a b").unwrap(), TextInstance::new("a b c").unwrap());
    let m = masks(&other, 1, |_, _| true);
    let rendered: lipex::Result<Texts> = text.render(&Cpu::new(), &m, 0..1);
    assert!(matches!(rendered, Err(Error::Shape { expected: 2, got: 3, .. })));
}

#[test]
fn twenty_thousand_words_are_no_trouble() {
    let words: Vec<String> = (0..20_000).map(|i| format!("w{i}")).collect();
    let text = TextInstance::new(words.join(" ")).unwrap();
    assert_eq!(text.features().len(), 20_000);
    let m = masks(&text, 200, |i, j| i == 0 || (i * 31 + j * 7) % 64 > i % 64);
    let begin = Instant::now();
    let d = distinct(&text, &m);
    let rendered = render(&text, &m);
    // A rendering that took more than time in proportion would take minutes.
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(d.first.len() > 60 && rendered[1].len() < rendered[0].len());
    assert_eq!(rendered[0], text.text());
}

#[test]
fn functions_are_black_boxes() {
    let on = Cpu::new();
    let ask = |model: &TextFn<'_>| {
        let batch = Texts::from(vec!["a".to_string(), "bb".to_string()]);
        model.predict(&on, &batch).map(|p| p.values().clone())
    };
    let arrays = TextFn::new(["x", "y"], |texts| {
        texts.iter().map(|t| [t.len() as f32 / 4.0, 1.0 - t.len() as f32 / 4.0]).collect()
    });
    assert_eq!(ask(&arrays).unwrap(), [0.25, 0.75, 0.5, 0.5]);
    assert_eq!(BlackBox::<Cpu, Texts>::labels(&arrays).unwrap(), ["x", "y"]);
    let lists = TextFn::new(vec!["x".to_string(), "y".into()], |texts| vec![vec![0.0f64, 3f64.ln()]; texts.len()]);
    assert_eq!(ask(&lists.logits()).unwrap(), [0.25, 0.75, 0.25, 0.75]);
    let independent = TextFn::new(["x", "y"], |_| vec![[0.25f64, 0.75], [0.5, 0.125]]).independent();
    assert_eq!(ask(&independent).unwrap(), [0.25, 0.75, 0.5, 0.125]);
    // None of the labels is an answer, and so is all of them; a little above 1 is rounding.
    let ends = TextFn::new(["x", "y"], |_| vec![[0.0, 0.0], [0.5, 1.0000001]]).independent();
    assert_eq!(ask(&ends).unwrap(), [0.0, 0.0, 0.5, 1.0]);
    for bad in [[1.5, 0.5], [f64::NAN, 0.5], [1.0, -1e-60]] {
        let independent = TextFn::new(["x", "y"], |_| vec![[0.25f64, 0.75], bad]).independent();
        assert!(matches!(ask(&independent), Err(Error::NotADistribution { row: 1, .. })), "{bad:?}");
    }
    // As f32 the second number would be 0.
    let negative = TextFn::new(["x", "y"], |_| vec![[1.0f64, -1e-60]; 2]);
    assert!(matches!(ask(&negative), Err(Error::NotADistribution { row: 0, .. })));
    let short = TextFn::new(["x", "y"], |_| vec![[0.5f32, 0.5]]);
    assert!(matches!(ask(&short), Err(Error::Shape { expected: 2, got: 1, .. })));
    let wide = TextFn::new(["x", "y"], |_| vec![[0.5f32, 0.5, 0.0]; 2]);
    let error = ask(&wide).unwrap_err();
    assert!(matches!(error, Error::Shape { expected: 2, got: 3, .. }) && error.to_string().contains("row 0"));
    let failing = TextFn::fallible(["x", "y"], |_| Err::<Vec<[f32; 2]>, _>("no weights"));
    assert_eq!(ask(&failing).unwrap_err().to_string(), "the model failed: no weights");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Any text whatever: spans are right, rendering drops exactly what is masked, equal rows are equal texts.
    #[test]
    fn any_text_renders_as_its_masks_say(text in "\\PC{0,40}", rows in proptest::collection::vec(any::<u64>(), 1..8)) {
        for instance in every_setting(&text) {
            let m = masks(&instance, rows.len(), |i, j| rows[i] >> (j % 64) & 1 == 1);
            let rendered = render(&instance, &m);
            let d = distinct(&instance, &m);
            for i in 0..rows.len() {
                let first = d.first[d.of[i] as usize] as usize;
                prop_assert!(first <= i && rendered[first] == rendered[i]);
                let removed: Vec<usize> = (0..instance.features().len()).filter(|&j| !m.keeps(i, j)).collect();
                prop_assert_eq!(&rendered[i], &instance.without(&removed).unwrap());
            }
            let mut texts: Vec<&String> = d.first.iter().map(|&i| &rendered[i as usize]).collect();
            texts.sort();
            texts.dedup();
            prop_assert_eq!(texts.len(), d.first.len());
        }
    }
}
