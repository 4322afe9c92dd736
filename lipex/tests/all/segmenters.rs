//! Pictures cut by their colours: the partitions of scikit-image (`golden/segments.py`), and what holds of any.

use lipex::{Picture, SegmentMap, Segmenter};
use std::collections::{BTreeMap, HashMap};

fn cat() -> Picture {
    Picture::decode(include_bytes!("../golden/segments.png")).unwrap()
}

fn cut(name: &str, picture: &Picture) -> SegmentMap {
    Segmenter::by_name(name).unwrap().cut(picture).unwrap()
}

/// Hubert and Arabie's adjusted Rand index, as scikit-learn's `adjusted_rand_score`.
fn rand_index(a: &[u32], b: &[u32]) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let (mut both, mut left, mut right) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (&x, &y) in a.iter().zip(b) {
        *both.entry((x, y)).or_insert(0.0) += 1.0;
        *left.entry(x).or_insert(0.0) += 1.0;
        *right.entry(y).or_insert(0.0) += 1.0;
    }
    let together: f64 = both.values().map(|&n| pairs(n)).sum();
    let [l, r] = [&left, &right].map(|m| m.values().map(|&n| pairs(n)).sum::<f64>());
    let expected = l * r / pairs(a.len() as f64);
    (together - expected) / (0.5 * (l + r) - expected)
}

#[test]
fn the_rand_index_is_scikit_learns() {
    // sklearn.metrics.adjusted_rand_score([0, 0, 1, 1, 2], [0, 0, 1, 2, 2])
    assert!((rand_index(&[0, 0, 1, 1, 2], &[0, 0, 1, 2, 2]) - 0.375).abs() < 1e-12);
}

#[test]
fn partitions_are_scikit_images() {
    let golden: BTreeMap<String, Vec<u32>> = serde_json::from_str(include_str!("../golden/segments.json")).unwrap();
    assert_eq!(golden.len(), 4);
    for (name, expected) in golden {
        let own = cut(&name, &cat());
        assert!(own.len() > 10, "{name}: {own:?}");
        let expected: Vec<u32> =
            expected.as_chunks::<2>().0.iter().flat_map(|&[id, run]| vec![id; run as usize]).collect();
        let own: Vec<u32> = own.of_pixels().iter().map(|&id| u32::from(id)).collect();
        let index = rand_index(&own, &expected);
        assert!(index >= 0.999, "{name}: {index}");
    }
}

/// Whether every segment is in one piece.
fn in_one_piece(map: &SegmentMap) -> bool {
    let (w, of) = (map.width(), map.of_pixels());
    let mut seen = vec![false; of.len()];
    let mut pieces = vec![0; map.len()];
    for start in 0..of.len() {
        if seen[start] {
            continue;
        }
        pieces[usize::from(of[start])] += 1;
        let mut open = vec![start];
        seen[start] = true;
        while let Some(p) = open.pop() {
            let beside = [
                (p % w > 0, p.wrapping_sub(1)),
                (p % w + 1 < w, p + 1),
                (p >= w, p.wrapping_sub(w)),
                (p + w < of.len(), p + w),
            ];
            for (there, other) in beside {
                if there && !seen[other] && of[other] == of[p] {
                    seen[other] = true;
                    open.push(other);
                }
            }
        }
    }
    pieces.iter().all(|&n| n == 1)
}

#[test]
fn slic_makes_about_as_many_pieces_as_asked_for_each_connected() {
    for picture in [cat(), Picture::decode(include_bytes!("../../../examples/cat.jpg")).unwrap()] {
        for count in [5, 12, 60, 150] {
            let map = cut(&format!("slic:{count}"), &picture);
            assert!((map.len() as f64 / f64::from(count) - 1.0).abs() <= 0.2, "{count}: {map:?}");
            assert!(in_one_piece(&map), "{count}");
        }
    }
}

#[test]
fn maps_are_written_and_read_again() {
    let map = cut("slic:30", &cat());
    for file in [map.to_png(), map.to_npy()] {
        let again = SegmentMap::decode(&file).unwrap();
        assert_eq!((again.of_pixels(), again.names()), (map.of_pixels(), map.names()));
    }
    let shown = map.outlined(&cat()).unwrap();
    let lines = shown.as_rgb().chunks(3).filter(|p| *p == [255, 220, 0]).count();
    assert!(lines > 500 && lines < cat().pixels() / 4, "{lines}");
    assert!(map.outlined(&Picture::filled(3, 3, [0; 3]).unwrap()).is_err());
}

#[test]
fn what_makes_no_segments_is_refused_in_one_line() {
    let plain = Picture::filled(40, 30, [90, 10, 200]).unwrap();
    for (name, word) in [("felzenszwalb", "one segment"), ("quickshift:2,900,1", "one segment")] {
        let message = Segmenter::by_name(name).unwrap().cut(&plain).unwrap_err().to_string();
        assert!(message.contains(word) && !message.contains('\n'), "{message}");
    }
    let fine = Segmenter::by_name("felzenszwalb:0,0,0").unwrap().cut(&cat()).unwrap_err().to_string();
    assert!(fine.contains("more than are taken"), "{fine}");
    for name in
        ["", "slic:x", "slic:0", "grid:4", "quickshift:0,1,1", "felzenszwalb:1,2", "felzenszwalb:1,-2,3", "watershed"]
    {
        assert!(Segmenter::by_name(name).is_err(), "{name}");
    }
    assert_eq!(Segmenter::by_name("quickshift").unwrap().to_string(), "quickshift:4,200,0.2");
}
