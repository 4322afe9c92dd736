//! Rendering on the device, and the demo classifier there, against the host.

use super::device::device;
use super::mutants;
use lipex_conformance::{Case, made};
use lipex_core::{Backend, Distinct};
use lipex_cuda::{Cuda, DemoLayers, DemoNet, Pixel, PixelTemplate, TokenTemplate, When};
use lipex_demo::Demo;

const CASE: Case = Case { features: 40, rows: 37, classes: 2, kept: 40 };

fn template() -> TokenTemplate {
    let rule = |t: u32| match t % 7 {
        3 => When::Always,
        5 => When::Removed((t as usize * 11) % 40),
        _ => When::Kept((t as usize * 3) % 40),
    };
    TokenTemplate { tokens: (0..75).map(|t| (1000 + t, rule(t))).collect() }
}

#[test]
fn tokens_are_dropped_in_order() {
    let Some((on, _turn)) = device() else { return };
    let problem = made(CASE, 3);
    let masks = problem.on(&on).masks;
    let template = template();
    let batch = template.render(&on, &masks, 5..37).unwrap();
    let (ids, lengths) = (on.download(&batch.ids).unwrap(), on.download(&batch.lengths).unwrap());
    assert_eq!((batch.rows, batch.longest, ids.len()), (32, 75, 32 * 75));
    for (row, i) in (5..37).enumerate() {
        let there = |when: &When| match *when {
            When::Always => true,
            When::Kept(j) => problem.keeps(i, j),
            When::Removed(j) => !problem.keeps(i, j),
        };
        let expected: Vec<u32> = template.tokens.iter().filter(|(_, w)| there(w)).map(|(t, _)| *t).collect();
        let (length, own) = (lengths[row] as usize, &ids[row * 75..(row + 1) * 75]);
        assert_eq!(own[..length], expected);
        assert!(own[length..].iter().all(|&t| t == 0));
    }
    assert!(lengths.iter().any(|&l| l != lengths[0]));
    let beyond = TokenTemplate { tokens: vec![(1, When::Kept(40))] };
    assert!(beyond.render(&on, &masks, 0..1).is_err() && template.render(&on, &masks, 0..38).is_err());
}

fn pictures<T: Pixel + PartialEq>(on: &Cuda, number: impl Fn(usize) -> T) {
    for (pixels, channels) in [(1, 3), (7, 3), (8, 1), (33, 5), (1000, 4)] {
        let problem = made(CASE, 5);
        let masks = problem.on(on).masks;
        let (image, baseline): (Vec<T>, Vec<T>) =
            (0..channels * pixels).map(|e| (number(e), number(e + 10_000))).unzip();
        let segments: Vec<u32> = (0..pixels as u32).map(|x| x * 7 % 40).collect();
        let template = PixelTemplate::new(on, channels, &image, &baseline, &segments).unwrap();
        let batch = template.render(on, &masks, 2..9).unwrap();
        assert_eq!((batch.rows, batch.channels, batch.pixels), (7, channels, pixels));
        let values = on.download(&batch.values).unwrap();
        for (row, i) in (2..9).enumerate() {
            for channel in 0..channels {
                let own = &values[(row * channels + channel) * batch.stride..][..pixels];
                for (x, value) in own.iter().enumerate() {
                    let from = if problem.keeps(i, segments[x] as usize) { &image } else { &baseline };
                    assert!(*value == from[channel * pixels + x], "row {i}, channel {channel}, pixel {x} of {pixels}");
                }
            }
        }
    }
}

#[test]
fn pixels_are_taken_from_the_image_or_the_baseline() {
    let Some((on, _turn)) = device() else { return };
    pictures::<f32>(&on, |e| e as f32 / 7.0);
    pictures::<u16>(&on, |e| half::f16::from_f32(e as f32 / 64.0).to_bits());
    assert!(PixelTemplate::<f32>::new(&on, 2, &[0.0; 4], &[0.0; 4], &[0]).is_err());
    let wide = PixelTemplate::<f32>::new(&on, 1, &[0.0], &[0.0], &[40]).unwrap();
    assert!(wide.render(&on, &made(CASE, 1).on(&on).masks, 0..1).is_err());
}

#[test]
fn equal_masks_are_found() {
    let Some((on, _turn)) = device() else { return };
    for (features, rows) in [(1, 1), (1, 300), (4, 1000), (33, 257), (100, 1000)] {
        let problem = made(Case { features, rows, classes: 2, kept: 1 }, 7);
        let expected = Distinct::by_key(problem.bits.chunks_exact(features.div_ceil(32)));
        let found = lipex_cuda::distinct(&on, &problem.on(&on).masks).unwrap();
        assert_eq!(found, expected, "{features} features, {rows} rows");
        assert!(rows < 1000 || found.first.len() > 10);
    }
}

#[test]
fn the_demo_classifier_answers_as_on_the_host_and_nothing_comes_back() {
    if device().is_none() {
        return;
    }
    // Its own counters.
    let on = Cuda::new().unwrap();
    let demo = Demo::embedded();
    let layers = demo.layers();
    let net = DemoNet::new(
        &on,
        DemoLayers {
            hashes: &layers.hashes,
            idf: &layers.idf,
            hidden: &layers.hidden,
            hidden_bias: &layers.hidden_bias,
            output: &layers.output,
            output_bias: &layers.output_bias,
        },
    )
    .unwrap();
    // Forty different words, one of them three times more.
    let text = "I can not believe you threw me a surprise party and now I am shaking with joy but also a little angry \
                because nobody told my mother who loves cake more than the whole happy laughing crowd of friends and I cried";
    let words = lipex_demo::words(text);
    let mut distinct: Vec<&str> = Vec::new();
    let feature = |word: &str, distinct: &mut Vec<&str>| distinct.iter().position(|d| *d == word);
    let mut tokens = Vec::new();
    for &word in &words {
        if feature(word, &mut distinct).is_none() {
            distinct.push(word);
        }
        tokens.push((lipex_demo::word_hash(word), When::Kept(feature(word, &mut distinct).unwrap())));
    }
    demo_answers(&on, &demo, &net, &tokens, distinct.len(), 60);
    // A text without gaps, whose every word is there: a row as long as the longest.
    demo_answers(&on, &demo, &net, &tokens, distinct.len(), 1);
    // Words over and over, so that most are not the first of their kind.
    let again: Vec<_> = tokens.iter().flat_map(|&token| [token; 3]).chain(tokens.iter().copied()).take(90).collect();
    demo_answers(&on, &demo, &net, &again, distinct.len(), 20);
    // A known pair twice at the very end.
    let pair = |x: &u32| layers.hashes.binary_search(&lipex_demo::bigram_hash(*x, *x)).is_ok();
    let word = (0..u32::MAX).find(pair).unwrap();
    let ending = [word + 1, word, word, word];
    let ending: Vec<_> = ending.into_iter().enumerate().map(|(j, word)| (word, When::Kept(j))).collect();
    demo_answers(&on, &demo, &net, &ending, 4, 1);
}

/// Passes if the demo classifier answers on the device as on the host on `rows` masks, and nothing is copied back.
fn demo_answers(on: &Cuda, demo: &Demo, net: &DemoNet, tokens: &[(u32, When)], features: usize, rows: usize) {
    let problem = made(Case { features, rows, classes: 2, kept: 1 }, 9);
    let masks = problem.on(on).masks;
    let before = on.transferred().received;
    let batch = TokenTemplate { tokens: tokens.to_vec() }.render(on, &masks, 0..rows).unwrap();
    let p = net.predict(on, &batch).unwrap();
    assert_eq!(on.transferred().received, before, "something came back to the host");
    let p = on.download(p.values()).unwrap();
    for i in 0..rows {
        let kept = |t: &&(u32, When)| matches!(t.1, When::Kept(j) if problem.keeps(i, j));
        let hashes: Vec<u32> = tokens.iter().filter(kept).map(|t| t.0).collect();
        let logits = demo.logits_of_words(&hashes).map(f64::from);
        let mut expected = logits.to_vec();
        lipex_core::softmax_in_place(&mut expected);
        for (c, e) in expected.iter().enumerate() {
            assert!((f64::from(p[7 * i + c]) - e).abs() < 1e-5, "row {i}, class {c}: {} {e}", p[7 * i + c]);
        }
    }
}

#[test]
#[ignore = "a run of these tests a mutant"]
fn mutants_are_noticed() {
    mutants::all_are_noticed(&[(&lipex_kernels::RENDER, &["render::"]), (&lipex_kernels::DEMO, &["render::"])], &[]);
}
