//! The backend's memory.

use lipex_core::{Backend, Probabilities};

/// Uploads, zeros, gathers, places and checks.
pub fn arrays_keep_their_rows<B: Backend>(on: &B) {
    let words: Vec<u32> = (0..30).collect();
    let rows = on.upload(words.clone()).unwrap();
    assert_eq!((on.len(&rows), on.download(&rows).unwrap()), (30, words));
    assert_eq!(on.download(&on.zeros::<f64>(7).unwrap()).unwrap(), [0.0; 7]);
    assert_eq!(on.download(&on.zeros::<f32>(0).unwrap()).unwrap(), [0f32; 0]);
    assert_eq!(
        on.download(&on.gather(&rows, 10, &[2, 0, 2]).unwrap()).unwrap()[..11],
        [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 0]
    );
    assert!(on.gather(&rows, 10, &[3]).is_err());
    assert_eq!(on.download(&on.gather(&rows, 10, &[]).unwrap()).unwrap(), [0u32; 0]);
    let bytes = on.upload((0..9u8).collect::<Vec<_>>()).unwrap();
    assert_eq!(on.download(&on.gather(&bytes, 3, &[1, 0, 2]).unwrap()).unwrap(), [3, 4, 5, 0, 1, 2, 6, 7, 8]);
    let wide = on.upload(vec![1.5f64, 2.5, 3.5, 4.5]).unwrap();
    assert_eq!(on.download(&on.gather(&wide, 2, &[1, 0]).unwrap()).unwrap(), [3.5, 4.5, 1.5, 2.5]);
    let mut whole = on.zeros::<u32>(6).unwrap();
    let part = on.upload(vec![7u32, 8]).unwrap();
    on.place(&part, &mut whole, 2, 1).unwrap();
    assert_eq!(on.download(&whole).unwrap(), [0, 0, 7, 8, 0, 0]);
    assert!(on.place(&part, &mut whole, 2, 3).is_err());
    wrong_rows_are_found(on);
}

/// A thousand rows of which one, then an earlier one too, is no distribution.
fn wrong_rows_are_found<B: Backend>(on: &B) {
    let mut p: Vec<f32> = (0..1000).flat_map(|i| [i as f32 / 1000.0, 1.0 - i as f32 / 1000.0]).collect();
    let check = |p: &[f32]| {
        let values = on.upload(p.to_vec()).unwrap();
        on.check(&Probabilities::new(on, p.len() / 2, 2, values).unwrap())
    };
    check(&p).unwrap();
    for (row, bad, word) in
        [(999, f32::NAN, "NaN"), (640, -0.25, "negative"), (300, 0.5, "sums to"), (17, f32::INFINITY, "inf")]
    {
        p[2 * row] = bad;
        let text = check(&p).unwrap_err().to_string();
        assert!(text.contains(&format!("row {row} ")) && text.contains(word), "{text}");
    }
    rows_of_any_width_are_checked(on);
}

/// More classes than are read at once, and a fault in the last of them only.
fn rows_of_any_width_are_checked<B: Backend>(on: &B) {
    for classes in [1, 15, 16, 17, 33, 100] {
        let mut p = vec![0f32; 300 * classes];
        p.iter_mut().step_by(classes).for_each(|first| *first = 1.0);
        let values = on.upload(p.clone()).unwrap();
        on.check(&Probabilities::new(on, 300, classes, values).unwrap()).unwrap();
        p[270 * classes - 1] = -0.5;
        let values = on.upload(p).unwrap();
        let text = on.check(&Probabilities::new(on, 300, classes, values).unwrap()).unwrap_err().to_string();
        assert!(text.contains("row 269 ") && text.contains("negative"), "{classes} classes: {text}");
    }
}
