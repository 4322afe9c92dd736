//! Felzenszwalb and Huttenlocher's graph-based segmentation.
//!
//! Pixels are nodes, neighbours (eight of each) are joined by edges that weigh as much as their colours differ. Edges are taken
//! from the lightest on; two segments become one where the edge between them weighs less than what is within either, plus
//! scale / size. What is smaller than `min` pixels then joins the neighbour that looks most like it.
//!
//! # Source
//! Felzenszwalb and Huttenlocher, "Efficient graph-based image segmentation", IJCV 2004; the partition is that of
//! scikit-image 0.26, where ties between edges are broken alike.

use super::smooth::{Colours, gaussian};
use super::union::Union;
use crate::image::Picture;

/// An edge between two pixels.
struct Edge {
    /// How much the two pixels' colours differ.
    weight: f64,
    /// The two pixels.
    ends: [u32; 2],
}

/// The segment of each pixel.
pub(super) fn felzenszwalb(picture: &Picture, scale: f64, sigma: f64, min: usize) -> Vec<u32> {
    let (w, h) = (picture.width(), picture.height());
    let colours: Colours =
        picture.as_rgb().as_chunks::<3>().0.iter().map(|p| p.map(|v| f64::from(v) / 255.0)).collect();
    let edges = edges(&gaussian(colours, w, h, sigma), w, h);
    let mut segments = Union::new(w * h);
    let mut within = vec![0f64; w * h];
    // As in the authors' program, whose colours go to 255.
    let scale = scale / 255.0;
    for Edge { weight, ends } in &edges {
        let [a, b] = ends.map(|end| segments.root(end));
        let room = |s: u32, segments: &Union| within[s as usize] + scale / segments.size(s) as f64;
        if a != b && *weight < room(a, &segments).min(room(b, &segments)) {
            within[segments.join(a, b) as usize] = *weight;
        }
    }
    for Edge { ends, .. } in &edges {
        let [a, b] = ends.map(|end| segments.root(end));
        if a != b && segments.size(a).min(segments.size(b)) < min {
            segments.join(a, b);
        }
    }
    segments.numbered()
}

/// The edges from the lightest on; equal ones in the order right, down, down right, down left, and row by row.
fn edges(colours: &Colours, w: usize, h: usize) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(4 * w * h);
    let mut add = |a: usize, b: usize| {
        let (p, q) = (colours[a], colours[b]);
        let weight = (0..3).map(|c| (p[c] - q[c]) * (p[c] - q[c])).sum::<f64>().sqrt();
        edges.push(Edge { weight, ends: [a as u32, b as u32] });
    };
    let rows = |from: usize| (from..h).flat_map(|y| (0..w).map(move |x| (x, y)));
    rows(0).filter(|(x, _)| *x > 0).for_each(|(x, y)| add(y * w + x, y * w + x - 1));
    rows(1).for_each(|(x, y)| add(y * w + x, (y - 1) * w + x));
    rows(1).filter(|(x, _)| *x > 0).for_each(|(x, y)| add(y * w + x, (y - 1) * w + x - 1));
    rows(1).filter(|(x, _)| x + 1 < w).for_each(|(x, y)| add(y * w + x, (y - 1) * w + x + 1));
    edges.sort_by(|a, b| a.weight.total_cmp(&b.weight));
    edges
}
