//! SLIC: pieces of about equal size that follow edges, by k-means over colour and place.
//!
//! `count` centres start on a grid. Ten times each pixel joins the nearest centre around it, by (ΔL\*a\*b\*)² +
//! (10 Δplace / step)², and centres move to the means of their pixels. Of each segment only the largest connected piece
//! stays; the others join the neighbours that reach them first, so that every segment is in one piece.
//!
//! # Source
//! Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods", PAMI 2012; the grid and the last step
//! are this file's own.

use super::smooth::{Colours, lab};
use crate::image::Picture;
use std::collections::VecDeque;

/// How much place counts against colour.
const COMPACTNESS: f64 = 10.0;
/// Rounds of k-means, as in the paper.
const ROUNDS: usize = 10;

/// L, a, b, x, y.
type Centre = [f64; 5];

/// The segment of each pixel, at most `count` of them.
pub(super) fn slic(picture: &Picture, count: usize) -> Vec<u32> {
    let (w, h) = (picture.width(), picture.height());
    let colours = lab(picture);
    let step = ((w * h) as f64 / count as f64).sqrt().max(1.0);
    let mut centres = grid(&colours, w, h, count, step);
    let mut of = vec![0u32; w * h];
    for _ in 0..ROUNDS {
        assign(&colours, w, h, step, &centres, &mut of);
        move_centres(&colours, w, &mut centres, &of);
    }
    in_one_piece(&of, w, h)
}

/// Centres in rows of nearly equal numbers.
fn grid(colours: &Colours, w: usize, h: usize, count: usize, step: f64) -> Vec<Centre> {
    let rows = ((h as f64 / step).round() as usize).clamp(1, count);
    let mut centres = Vec::with_capacity(count);
    for row in 0..rows {
        let columns = (row + 1) * count / rows - row * count / rows;
        let y = (row as f64 + 0.5) * h as f64 / rows as f64;
        for column in 0..columns {
            let x = (column as f64 + 0.5) * w as f64 / columns as f64;
            let [l, a, b] = colours[(y as usize).min(h - 1) * w + (x as usize).min(w - 1)];
            centres.push([l, a, b, x, y]);
        }
    }
    centres
}

/// Each pixel to the nearest centre of those within two steps.
fn assign(colours: &Colours, w: usize, h: usize, step: f64, centres: &[Centre], of: &mut [u32]) {
    let weight = (COMPACTNESS / step).powi(2);
    let mut nearest = vec![f64::INFINITY; w * h];
    for (k, centre) in centres.iter().enumerate() {
        let [_, _, _, cx, cy] = *centre;
        let window =
            |at: f64, side: usize| (at - 2.0 * step).max(0.0) as usize..((at + 2.0 * step + 1.0) as usize).min(side);
        for y in window(cy, h) {
            for x in window(cx, w) {
                let (pixel, p) = (y * w + x, colours[y * w + x]);
                let colour: f64 = (0..3).map(|c| (p[c] - centre[c]).powi(2)).sum();
                let d = colour + weight * ((x as f64 - cx).powi(2) + (y as f64 - cy).powi(2));
                if d < nearest[pixel] {
                    nearest[pixel] = d;
                    of[pixel] = k as u32;
                }
            }
        }
    }
}

/// Each centre to the mean of its pixels; one without any stays.
fn move_centres(colours: &Colours, w: usize, centres: &mut [Centre], of: &[u32]) {
    let mut sums = vec![([0f64; 5], 0usize); centres.len()];
    for (pixel, &k) in of.iter().enumerate() {
        let (sum, count) = &mut sums[k as usize];
        let [l, a, b] = colours[pixel];
        let here = [l, a, b, (pixel % w) as f64, (pixel / w) as f64];
        sum.iter_mut().zip(here).for_each(|(s, v)| *s += v);
        *count += 1;
    }
    for (centre, (sum, count)) in centres.iter_mut().zip(sums) {
        if count > 0 {
            *centre = sum.map(|s| s / count as f64);
        }
    }
}

/// The pixels beside one: left, right, above, below.
fn beside(pixel: usize, w: usize, h: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (pixel % w, pixel / w);
    [
        (x > 0).then(|| pixel - 1),
        (x + 1 < w).then(|| pixel + 1),
        (y > 0).then(|| pixel - w),
        (y + 1 < h).then(|| pixel + w),
    ]
    .into_iter()
    .flatten()
}

/// Segments of one piece each, numbered from 0.
fn in_one_piece(of: &[u32], w: usize, h: usize) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let pieces = pieces(of, w, h);
    // The largest piece of each segment, the first of equal ones.
    let mut largest: std::collections::BTreeMap<u32, &Vec<usize>> = std::collections::BTreeMap::new();
    for piece in &pieces {
        let best = largest.entry(of[piece[0]]).or_insert(piece);
        if piece.len() > best.len() {
            *best = piece;
        }
    }
    let mut made = vec![NONE; of.len()];
    for (number, piece) in largest.values().enumerate() {
        piece.iter().for_each(|&pixel| made[pixel] = number as u32);
    }
    let mut reached: VecDeque<usize> = (0..made.len()).filter(|&pixel| made[pixel] != NONE).collect();
    while let Some(pixel) = reached.pop_front() {
        for other in beside(pixel, w, h) {
            if made[other] == NONE {
                made[other] = made[pixel];
                reached.push_back(other);
            }
        }
    }
    made
}

/// The connected pieces, each with its pixels.
fn pieces(of: &[u32], w: usize, h: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; of.len()];
    let mut pieces = Vec::new();
    for start in 0..of.len() {
        if seen[start] {
            continue;
        }
        let (mut piece, mut at) = (vec![start], 0);
        seen[start] = true;
        while let Some(&pixel) = piece.get(at) {
            for other in beside(pixel, w, h) {
                if !seen[other] && of[other] == of[pixel] {
                    seen[other] = true;
                    piece.push(other);
                }
            }
            at += 1;
        }
        pieces.push(piece);
    }
    pieces
}
