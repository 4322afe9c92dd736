//! The embedded classifier: its tokens, its file, its answers.

use lipex_demo::{CLASSES, Demo, Layers, UNITS, word_hash, word_hashes, words};

const TEXTS: [&str; 6] = [
    "I can't believe you threw me a surprise party, I'm shaking with joy",
    "That's disgusting... who DOES that?! [NAME] should be ashamed",
    "R.I.P. you will be missed; so, so sad",
    "“Curly quotes”, émigré, 你好 – and 🎉 emoji\twith tabs",
    "one",
    "the cat the dog the cat",
];

#[test]
fn dropping_words_and_tokenising_commute() {
    let demo = Demo::embedded();
    let mut state = 1u64;
    for text in TEXTS {
        let all = words(text);
        for _ in 0..40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let keeps = |i: usize| state >> (20 + i % 40) & 1 == 1;
            // The text with words cut out and everything between them left, as an explainer cuts it.
            let (mut damaged, mut at) = (String::new(), 0);
            for (i, word) in all.iter().enumerate() {
                let start = word.as_ptr() as usize - text.as_ptr() as usize;
                damaged.push_str(&text[at..start]);
                if keeps(i) {
                    damaged.push_str(word);
                }
                at = start + word.len();
            }
            damaged.push_str(&text[at..]);
            let kept: Vec<u32> =
                all.iter().enumerate().filter(|(i, _)| keeps(*i)).map(|(_, word)| word_hash(word)).collect();
            assert_eq!(word_hashes(&damaged), kept, "{damaged}");
            let e = demo.logits_of_words(&kept).map(f32::exp);
            let sum: f32 = e.iter().sum();
            let p = demo.probabilities(&damaged);
            assert!(p.iter().zip(e).all(|(p, e)| (p - e / sum).abs() < 1e-6), "{damaged}");
        }
    }
}

#[test]
fn the_file_is_small_and_whole() {
    let bytes = include_bytes!("../../src/weights.bin");
    assert!(bytes.len() <= 1 << 20, "{}", bytes.len());
    let layers = Layers::from_bytes(bytes).unwrap();
    assert_eq!(&layers, Demo::embedded().layers());
    assert!(layers.hashes.len() > 10_000);
    assert_eq!(layers.to_bytes(), bytes, "rounding what is rounded changes nothing");
    for end in [0, 3, 7, 100, bytes.len() - 1] {
        assert!(Layers::from_bytes(&bytes[..end]).is_err());
    }
    assert!(
        Layers::from_bytes(&[bytes.as_slice(), &[0]].concat()).unwrap_err().to_string().contains("1 bytes too many")
    );
    assert!(Layers::from_bytes(&[0xff; 64]).is_err());
}

#[test]
fn every_text_has_a_distribution_whatever_the_batch() {
    let demo = Demo::embedded();
    let long = "joy ".repeat(20_000);
    let texts: Vec<&str> = TEXTS.iter().copied().chain(["", "?!", "qqqzzzxx", &long]).collect();
    let all = demo.predict(&texts);
    for (text, row) in texts.iter().zip(all.chunks_exact(CLASSES.len())) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|p| *p >= 0.0), "{row:?}");
        assert_eq!(row, demo.predict(&[text]), "one by one");
    }
}

#[test]
fn plain_sentences_are_understood() {
    let demo = Demo::embedded();
    let cases = [
        ("Thank you so much, this made my day!", "joy"),
        ("I love this, it is beautiful", "joy"),
        ("Congratulations, I am so happy for you", "joy"),
        ("haha that was hilarious", "joy"),
        ("This makes me so angry, I hate you", "anger"),
        ("Shut up you stupid idiot", "anger"),
        ("That is disgusting and gross", "disgust"),
        ("I am scared and terrified of spiders", "fear"),
        ("I'm sorry for your loss, this is so sad", "sadness"),
        ("Rest in peace, I miss him so much", "sadness"),
        ("Wow, I did not expect that at all!", "surprise"),
        ("What? How is that even possible? I'm confused", "surprise"),
        ("The shop opens at nine on Mondays", "neutral"),
        ("He plays in the second league", "neutral"),
    ];
    let answer = |text: &str| {
        let p = demo.probabilities(text);
        CLASSES[(0..CLASSES.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best })]
    };
    let right = cases.iter().filter(|(text, class)| answer(text) == *class).count();
    assert!(right >= 11, "{right} of {}", cases.len());
}

#[test]
fn order_matters_and_case_does_not() {
    let demo = Demo::embedded();
    assert_eq!(demo.probabilities("I am NOT happy"), demo.probabilities("i am not happy"));
    assert_ne!(demo.probabilities("not happy am I"), demo.probabilities("I am not happy"));
}

#[test]
fn layers_make_a_classifier_and_are_checked() {
    let demo = Demo::embedded();
    let again = Demo::from_layers(demo.layers().clone()).unwrap();
    assert_eq!(again.predict(&TEXTS), demo.predict(&TEXTS));
    let mut noisy = demo.layers().clone();
    noisy.output.iter_mut().enumerate().for_each(|(i, w)| *w += if i % 2 == 0 { 0.5 } else { -0.5 });
    assert_ne!(Demo::from_layers(noisy).unwrap().predict(&TEXTS), demo.predict(&TEXTS));
    let mut short = demo.layers().clone();
    short.hidden.truncate(UNITS);
    assert!(Demo::from_layers(short).unwrap_err().to_string().contains("hidden has 32"));
    let mut unsorted = demo.layers().clone();
    unsorted.hashes.swap(0, 1);
    assert!(Demo::from_layers(unsorted).is_err());
    let mut nan = demo.layers().clone();
    nan.output_bias[0] = f32::NAN;
    assert!(Demo::from_layers(nan).is_err());
}

#[test]
fn the_test_rows_of_goemotions() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/goemotions/test.tsv");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the GoEmotions test rows are not there");
        return;
    };
    let demo = Demo::embedded();
    let rows: Vec<(&str, &str)> = text.lines().skip(1).filter_map(|line| line.rsplit_once('\t')).collect();
    let right = |(text, label): &&(&str, &str)| {
        let p = demo.probabilities(text);
        let class = CLASSES.iter().position(|c| c == label).unwrap();
        p.iter().all(|v| *v <= p[class])
    };
    let accuracy = rows.iter().filter(right).count() as f64 / rows.len() as f64;
    println!("{} rows, accuracy {accuracy:.4}", rows.len());
    assert_eq!(rows.len(), 4968);
    assert!(accuracy >= 0.62);
}
