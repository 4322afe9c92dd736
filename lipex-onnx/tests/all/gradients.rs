//! Gradients of folders' models: tokens and pixels belong where they should, and the numbers are those of the black box.

use crate::bad_folders::{copy, graph, replace};
use crate::common::{beside, numbers, own};
use lipex::{
    Attribution, Attributions, GradientRule, Images, Instance, Local, Output, Picture, Pool, SegmentMap, TextInstance,
    WhiteBox,
};
use lipex_grad::{DeepLift, Guided, InputXGradient, IntegratedGradients, Saliency};
use lipex_onnx::{MarkedPicture, MarkedText, OnnxImage, OnnxText, TextGradients};

fn around<'a>(gradients: &'a TextGradients<'_>, text: &TextInstance) -> Box<dyn Local + 'a> {
    gradients.at(&MarkedText { text: text.text(), features: text.features() }).unwrap()
}

fn scores(method: &dyn Attribution, at: &dyn Local, outputs: &[Output], text: &TextInstance) -> Attributions {
    Attributions::pool(method, at, outputs, text.features().to_vec(), Pool::Sum).unwrap()
}

fn photo(file: &str) -> Images {
    let picture = Picture::decode(&std::fs::read(own("digits").join(file)).unwrap()).unwrap();
    Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec()).unwrap()
}

#[test]
fn a_text_is_a_function_of_its_words_embeddings() {
    let model = OnnxText::open(own("emotions")).unwrap();
    let gradients = model.gradients("word").unwrap();
    assert_eq!(gradients.cut(), "vectors");
    let text = TextInstance::new("so happy, so sad!").unwrap();
    let at = around(&gradients, &text);
    // so happy , so sad !
    let tokens = model.tokens("so happy, so sad!").unwrap().1;
    assert_eq!(at.owners().len(), tokens.len());
    let named: Vec<&str> =
        at.owners().iter().map(|o| o.map_or("", |j| text.features()[j as usize].name.as_str())).collect();
    for (token, name) in tokens.iter().zip(&named) {
        assert!(
            token.contains(name) && (name.is_empty() != token.chars().any(char::is_alphabetic)),
            "{tokens:?} {named:?}"
        );
    }
    assert_eq!(named.iter().filter(|n| **n == "so").count(), 2, "{named:?}");
    // The value at the point is what the black box says.
    let logits = &model.logits(&["so happy, so sad!"]).unwrap()[0];
    for (class, logit) in logits.iter().enumerate() {
        let value = at.values(at.point(), Output::Logit(class)).unwrap()[0];
        assert!((value - f64::from(*logit)).abs() < 1e-4, "{class}: {value} and {logit}");
    }
    // The graph is homogeneous but for biases: what a word's embedding does is seen by taking it away.
    let whole = at.evaluate(at.point(), Output::Logit(3), GradientRule::Plain).unwrap().remove(0);
    let mut nudged = at.point().to_vec();
    let by: f64 = nudged
        .iter_mut()
        .zip(&whole.gradient)
        .map(|(x, g)| {
            *x += 1e-2 * g;
            f64::from(1e-2 * g * g)
        })
        .sum();
    let moved = at.values(&nudged, Output::Logit(3)).unwrap()[0] - whole.value;
    assert!(by > 1e-4 && (moved - by).abs() < 0.1 * by, "{moved} for {by}");
}

#[test]
fn scores_add_up_and_contrasts_are_differences() {
    let model = OnnxText::open(own("emotions")).unwrap();
    let gradients = model.gradients("word").unwrap();
    let text = TextInstance::new("I was so happy until the rain came and I cried").unwrap();
    let at = around(&gradients, &text);
    let outputs = [Output::Logit(3), Output::Logit(5), Output::Contrast { of: 3, against: 5 }, Output::Probability(3)];
    let lift = scores(&DeepLift::default(), at.as_ref(), &outputs, &text);
    assert!(lift.off().unwrap() < 1e-5, "{:?}", lift.delta);
    let base = gradients.padded(text.text()).unwrap();
    let from_pad = scores(&DeepLift::default().base(base), at.as_ref(), &outputs, &text);
    assert!(from_pad.off().unwrap() < 1e-5, "{:?}", from_pad.delta);
    let integral = scores(&IntegratedGradients::auto(), at.as_ref(), &outputs, &text);
    assert!(integral.off().unwrap() < 0.01, "{:?}", integral.off());
    for found in [&integral, &scores(&InputXGradient, at.as_ref(), &outputs, &text)] {
        for j in 0..text.features().len() {
            let [a, b, both] = [0, 1, 2].map(|row| found.scores[row][j]);
            assert!((a - b - both).abs() < 1e-3, "{j}: {a} − {b} is not {both}");
        }
    }
}

/// `golden/attributions.py` made the numbers: captum's, in PyTorch and f64.
#[test]
fn scores_of_tokens_and_pixels_are_captums() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/attributions.json")).unwrap();
    let methods: [(&str, &dyn Attribution); 5] = [
        ("saliency", &Saliency),
        ("input-x-gradient", &InputXGradient),
        ("guided", &Guided),
        ("integrated-gradients", &IntegratedGradients::default()),
        ("deeplift", &DeepLift::default()),
    ];
    let compare = |name: &str, at: &dyn Local| {
        let class = golden[name]["class"].as_u64().unwrap() as usize;
        let each = at.point().len() / at.owners().len();
        for (method, own) in methods {
            let expected = numbers(&golden[name]["scores"][method]);
            let found = own.attribute(at, Output::Logit(class)).unwrap();
            let found: Vec<f64> = found.chunks(each).map(|c| c.iter().map(|&v| f64::from(v)).sum()).collect();
            let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("{name}, {method}: off by {off:.1e} of {largest:.3}");
            assert!(
                found.len() == expected.len() && largest > 0.01 && off < 1e-5 * largest,
                "{name}, {method}: {found:?}"
            );
        }
    };
    let model = OnnxText::open(own("emotions")).unwrap();
    let gradients = model.gradients("word").unwrap();
    compare(
        "emotions",
        around(&gradients, &TextInstance::new(golden["emotions"]["text"].as_str().unwrap()).unwrap()).as_ref(),
    );
    let model = OnnxImage::open(own("digits")).unwrap();
    let gradients = model.gradients().unwrap();
    let three = photo(golden["digits"]["file"].as_str().unwrap());
    let segments = vec![0; three.width() * three.height()];
    compare("digits", gradients.at(&MarkedPicture { picture: &three, segments: &segments }).unwrap().as_ref());
}

#[test]
fn padding_changes_nothing() {
    let folder = copy("emotions");
    graph(folder.path(), |model| {
        for input in &mut model.graph.as_mut().unwrap().input {
            let tensor = input.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
            let axis = &mut tensor.shape.as_mut().unwrap().dim[1];
            (axis.dim_param, axis.dim_value) = (None, Some(24));
        }
    });
    let text = TextInstance::new("so happy and so sad").unwrap();
    let found: Vec<Attributions> = [own("emotions"), folder.path().to_path_buf()]
        .iter()
        .map(|folder| {
            let model = OnnxText::open(folder).unwrap();
            let gradients = model.gradients("word").unwrap();
            let at = around(&gradients, &text);
            if folder != &own("emotions") {
                assert_eq!((at.shape()[0], at.owners().iter().filter(|o| o.is_none()).count()), (24, 19));
            }
            scores(&Saliency, at.as_ref(), &[Output::Logit(3)], &text)
        })
        .collect();
    for (a, b) in found[0].scores[0].iter().zip(&found[1].scores[0]) {
        assert!((a - b).abs() < 1e-5 && a.abs() > 1e-3, "{a} and {b}");
    }
    assert!(found[1].outside[0].abs() < 1e-6, "{:?}", found[1].outside);
}

#[test]
fn places_that_are_not_there_are_refused() {
    let model = OnnxText::open(own("emotions")).unwrap();
    for cut in ["block", "nowhere", ""] {
        let message = model.gradients(cut).unwrap_err().to_string();
        assert!(message.starts_with("cut = ") && message.contains("choose word"), "{message}");
    }
    // A tensor of another form is refused where it is used.
    let gradients = model.gradients("logits").unwrap();
    let text = TextInstance::new("so happy").unwrap();
    assert!(gradients.at(&MarkedText { text: text.text(), features: text.features() }).is_err());
}

#[test]
fn gradients_of_pixels_are_differences_of_the_black_box() {
    let model = OnnxImage::open(own("digits")).unwrap();
    let gradients = model.gradients().unwrap();
    // A picture of the graph's own size: nothing is resized, and a byte moves its number by 1/127.5.
    let bytes: Vec<u8> = (0..64usize).flat_map(|i| [(20 + 37 * i % 200) as u8; 3]).collect();
    let picture = Images::new(8, 8, bytes.clone()).unwrap();
    let segments: Vec<u16> = (0..64).map(|i| i / 32).collect();
    let at = gradients.at(&MarkedPicture { picture: &picture, segments: &segments }).unwrap();
    assert_eq!((at.shape(), at.owners()[0], at.owners()[63]), (&[1, 8, 8][..], Some(0), Some(1)));
    let gradient = at.evaluate(at.point(), Output::Logit(3), GradientRule::Plain).unwrap().remove(0).gradient;
    let logit = |i: usize, byte: u8| {
        let mut moved = bytes.clone();
        moved[3 * i..3 * i + 3].fill(byte);
        f64::from(model.logits(&Images::new(8, 8, moved).unwrap()).unwrap()[0][3])
    };
    let mut near = 0;
    for (i, &g) in gradient.iter().enumerate() {
        let difference = (logit(i, bytes[3 * i] + 1) - logit(i, bytes[3 * i] - 1)) * 127.5 / 2.0;
        near += usize::from((difference - f64::from(g)).abs() < 1e-3 * difference.abs().max(0.1));
    }
    // Where a ReLU turns on between the two, they differ.
    assert!(near >= 60, "{near} of 64");
    let norm: f32 = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
    assert!(norm > 0.1, "{norm}");
}

#[test]
fn pixels_belong_to_the_segment_that_they_lie_in() {
    let three = photo("3.png");
    let (width, height) = (three.width(), three.height());
    let map = SegmentMap::grid(width, height, 2, 2).unwrap();
    let model = OnnxImage::open(own("digits")).unwrap();
    let gradients = model.gradients().unwrap();
    let at = gradients.at(&MarkedPicture { picture: &three, segments: map.of_pixels() }).unwrap();
    let expected: Vec<Option<u32>> = (0..64).map(|i| Some(2 * (i / 32) + i % 8 / 4)).collect();
    assert_eq!(at.owners(), expected);
    let found = Attributions::pool(
        &DeepLift::default(),
        at.as_ref(),
        &[Output::Probability(3), Output::Logit(8)],
        map.features(),
        Pool::Sum,
    )
    .unwrap();
    assert!(found.off().unwrap() < 1e-5 && found.outside == [0.0, 0.0], "{found:?}");
    assert!(gradients.at(&MarkedPicture { picture: &three, segments: &[0; 7] }).is_err());
    // Filled up by a crop that is larger than the picture: the rim is nobody's.
    let folder = copy("digits");
    replace(folder.path(), "preprocessor_config.json", "\"height\": 8", "\"height\": 6");
    replace(folder.path(), "preprocessor_config.json", "\"width\": 8", "\"width\": 6");
    let crop = "\"do_center_crop\": true, \"crop_size\": {\"height\": 8, \"width\": 8}, \"do_resize\"";
    replace(folder.path(), "preprocessor_config.json", "\"do_resize\"", crop);
    let model = OnnxImage::open(folder.path()).unwrap();
    let gradients = model.gradients().unwrap();
    let at = gradients.at(&MarkedPicture { picture: &three, segments: map.of_pixels() }).unwrap();
    let inside = |i: usize| (1..7).contains(&(i / 8)) && (1..7).contains(&(i % 8));
    let expected: Vec<Option<u32>> =
        (0..64usize).map(|i| inside(i).then_some(2 * (i / 32) as u32 + (i % 8 / 4) as u32)).collect();
    assert_eq!(at.owners(), expected);
}

#[test]
fn shared_texts_are_complete_at_both_cuts() {
    let Some(models) = beside("models") else { return };
    let text = TextInstance::new("I feel so happy today, my friend, though the rain is awful").unwrap();
    for name in ["minilm-emotion", "minilm-news6"] {
        let model = OnnxText::open(models.join(name)).unwrap();
        for (cut, tensor) in [("word", "mul_5"), ("block", if name == "minilm-emotion" { "add_24" } else { "add_22" })]
        {
            let gradients = model.gradients(cut).unwrap();
            assert_eq!(gradients.cut(), tensor);
            let at = around(&gradients, &text);
            let found = scores(&DeepLift::default(), at.as_ref(), &[Output::Logit(1)], &text);
            println!("{name}, {cut}: off by {:.2e} of {:?}", found.off().unwrap(), found.total);
            assert!(found.off().unwrap() < 1e-5, "{name}, {cut}: {:?} of {:?}", found.delta, found.total);
            let base = gradients.padded(text.text()).unwrap();
            let from_pad = scores(&DeepLift::default().base(base), at.as_ref(), &[Output::Logit(1)], &text);
            assert!(from_pad.off().unwrap() < 1e-5, "{name}, {cut}: {:?} of {:?}", from_pad.delta, from_pad.total);
            assert_ne!(from_pad.total, found.total);
            // The two special tokens and two commas are outside.
            assert_eq!(at.owners().iter().filter(|o| o.is_none()).count(), 4);
        }
    }
}

#[test]
fn a_shared_photo_is_complete() {
    let (Some(models), Some(photos)) = (beside("models/efficientnet-lite0"), beside("data/photos")) else { return };
    let model = OnnxImage::open(models).unwrap();
    let gradients = model.gradients().unwrap();
    let picture = Picture::decode(&std::fs::read(photos.join("15_lion.jpg")).unwrap()).unwrap();
    let map = SegmentMap::grid(picture.width(), picture.height(), 4, 4).unwrap();
    let one = Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec()).unwrap();
    let at = gradients.at(&MarkedPicture { picture: &one, segments: map.of_pixels() }).unwrap();
    let lion = model.labels().iter().position(|l| l.contains("lion")).unwrap();
    let outputs = [Output::Logit(lion)];
    let found = Attributions::pool(&DeepLift::default(), at.as_ref(), &outputs, map.features(), Pool::Sum).unwrap();
    println!("off by {:.2e} of {:?}", found.off().unwrap(), found.total);
    assert!(found.off().unwrap() < 1e-5, "{:?} of {:?}", found.delta, found.total);
}
