//! The explained picture with its segments tinted and marked by what they do to a class.
//!
//! Blue holds the class up, orange speaks against it, both stronger with the share; segments that the class was not fitted on
//! stay as they are. A sign is drawn into each tinted segment, since colours alone do not reach everybody.

use super::instance::ImageInstance;
use super::picture::Picture;
use font8x8::legacy::BASIC_LEGACY;
use lipex_core::{Error, Explanation, Rank, Result, expect_len};

/// Blue, for segments that hold the class up.
const UP: [f64; 3] = [20.0, 110.0, 245.0];
/// Orange, for segments that speak against it.
const DOWN: [f64; 3] = [235.0, 100.0, 0.0];
/// Pixels that the longer side of an overlay has at least: small pictures are enlarged, so that marks can be read.
const READABLE: usize = 640;
/// Segments of a smaller share of the largest |W| are tinted but not marked.
const FAINT: f64 = 0.08;
/// Segments whose names are written on an overlay: those with the largest |W| for its class.
const NAMED: usize = 8;
/// Lines between signs.
const PITCH: usize = 44;

/// Draws what segments do to classes over the picture, every class on one scale.
///
/// The picture turns grey. A segment that holds the class up is tinted blue and bears + signs, one that speaks against it is
/// tinted orange and bears − signs; the larger |W| is, the stronger the tint and the larger the signs. Segments that were
/// not kept stay grey, without an outline. The eight segments with the largest |W| bear their names.
///
/// ```
/// use lipex::prelude::*;
/// use lipex::Overlays;
///
/// let model = ImageFn::new(["dark", "light"], |images| {
///     images.iter().map(|image| f64::from(image[0]) / 255.0).map(|p| [1.0 - p, p]).collect()
/// });
/// let picture = Picture::from_rgb(2, 1, vec![200, 200, 200, 9, 9, 9])?;
/// let image = ImageInstance::builder(picture, SegmentMap::grid(2, 1, 1, 2)?).baseline(lipex::PlainColour::BLACK).build()?;
/// let explanation = lipex().images().explain(&image, &model)?;
/// let overlay = Overlays::new(&image, &explanation, &[0, 1])?.of(1)?;
/// assert_eq!((overlay.width(), overlay.height()), (640, 320));
/// let png: Vec<u8> = overlay.to_png();
/// # assert!(png.len() > 100);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Debug)]
pub struct Overlays<'a> {
    /// The picture and its segments.
    image: &'a ImageInstance,
    /// What is drawn.
    explanation: &'a Explanation,
    /// The largest absolute share of any class, so that pictures of one explanation can be compared.
    largest: f64,
    /// How many times the picture is enlarged, and the width of a line after that.
    zoom: usize,
    /// Width of outlines, in pixels.
    line: usize,
    /// For each segment its pixel (column, row, enlarged) that is nearest to its middle: marks are laid out from there.
    anchors: Vec<(usize, usize)>,
}

impl<'a> Overlays<'a> {
    /// Overlays of `classes`, which share a scale: the largest |W| of any of them has the full tint.
    ///
    /// # Errors
    /// [`Error::Shape`] when the explanation is of another image; [`Error::Setting`] when there is no such class.
    pub fn new(image: &'a ImageInstance, explanation: &'a Explanation, classes: &[usize]) -> Result<Self> {
        expect_len("features of the explanation", image.segments().len(), explanation.features.len())?;
        classes.iter().try_for_each(|&c| check_class(explanation, c))?;
        let shares = explanation.shares();
        let largest = classes.iter().flat_map(|&c| shares.row(c)).fold(0.0, |m: f64, v| m.max(v.abs()));
        let picture = image.picture();
        let long = picture.width().max(picture.height());
        let zoom = READABLE.div_ceil(long).max(1);
        let line = (long * zoom).div_ceil(2 * READABLE).max(1);
        Ok(Overlays { image, explanation, largest, zoom, line, anchors: anchors(image, zoom) })
    }

    /// The largest |W| of the classes, which has the full tint.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The overlay of one class.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such class.
    pub fn of(&self, class: usize) -> Result<Picture> {
        let strengths = self.strengths(class)?;
        let picture = self.image.picture();
        let (width, height) = (picture.width() * self.zoom, picture.height() * self.zoom);
        let mut rgb = Vec::with_capacity(3 * width * height);
        for y in 0..height {
            for x in 0..width {
                rgb.extend(self.pixel(x, y, &strengths));
            }
        }
        let mut overlay = Picture::from_rgb(width, height, rgb)?;
        for named in self.explanation.top_k(class, NAMED, Rank::Absolute) {
            if strengths[named.feature].is_some_and(|share| share.abs() >= FAINT) {
                self.write_name(&mut overlay, named.feature);
            }
        }
        Ok(overlay)
    }

    /// Writes a segment's name under its middle sign, white on black.
    fn write_name(&self, overlay: &mut Picture, feature: usize) {
        // Names are ids; what the font lacks is left out.
        let name = &self.explanation.features[feature].name;
        let glyphs: Vec<[u8; 8]> = name.chars().filter_map(|c| BASIC_LEGACY.get(c as usize).copied()).collect();
        let (wide, high) = ((8 * glyphs.len() + 2) * self.line, 10 * self.line);
        let (width, height) = (overlay.width(), overlay.height());
        let (ax, ay) = self.anchors[feature];
        let left = ax.saturating_sub(wide / 2).min(width.saturating_sub(wide));
        let top = (ay + 10 * self.line).min(height.saturating_sub(high));
        for y in top..(top + high).min(height) {
            for x in left..(left + wide).min(width) {
                let (column, row) = ((x - left) / self.line, (y - top) / self.line);
                let inside = column > 0 && (1..9).contains(&row);
                let glyph = glyphs.get(column.wrapping_sub(1) / 8).filter(|_| inside);
                let lit = glyph.is_some_and(|g| g[row - 1] >> ((column - 1) % 8) & 1 == 1);
                let at = 3 * (y * width + x);
                overlay.as_rgb_mut()[at..at + 3].fill(if lit { 255 } else { 0 });
            }
        }
    }

    /// For each segment its entry as a share of the largest; `None` where the segment was not kept.
    fn strengths(&self, class: usize) -> Result<Vec<Option<f64>>> {
        let mut strengths = vec![None; self.anchors.len()];
        check_class(self.explanation, class)?;
        let shares = self.explanation.shares();
        for &j in shares.support(class) {
            let share = if self.largest > 0.0 { shares.row(class)[j] / self.largest } else { 0.0 };
            strengths[shares.kept()[j]] = Some(share.clamp(-1.0, 1.0));
        }
        Ok(strengths)
    }

    /// The segment at a place.
    fn segment(&self, x: usize, y: usize) -> usize {
        let index = y / self.zoom * self.image.picture().width() + x / self.zoom;
        usize::from(self.image.segments().of_pixels()[index])
    }

    /// The colour at a place: tint, outline or the picture.
    fn pixel(&self, x: usize, y: usize, strengths: &[Option<f64>]) -> [u8; 3] {
        let picture = self.image.picture();
        let own = picture.pixel(y / self.zoom * picture.width() + x / self.zoom).unwrap_or_default();
        let grey = 0.299 * f64::from(own[0]) + 0.587 * f64::from(own[1]) + 0.114 * f64::from(own[2]);
        let segment = self.segment(x, y);
        let Some(share) = strengths[segment] else {
            return [(70.0 + 0.6 * grey) as u8; 3];
        };
        if let Some(mark) = self.mark(x, y, segment, share) {
            return [mark; 3];
        }
        if self.is_outline(x, y, segment) {
            return [255; 3];
        }
        // What does nothing has no colour.
        if share == 0.0 {
            return [grey as u8; 3];
        }
        let (tint, part) = (if share > 0.0 { UP } else { DOWN }, 0.08 + 0.62 * share.abs());
        tint.map(|t| (grey * (1.0 - part) + t * part) as u8)
    }

    /// Whether the pixel is at the right or lower end of its segment.
    fn is_outline(&self, x: usize, y: usize, segment: usize) -> bool {
        let picture = self.image.picture();
        let (right, below) = (x + self.line, y + self.line);
        (right < picture.width() * self.zoom && self.segment(right, y) != segment)
            || (below < picture.height() * self.zoom && self.segment(x, below) != segment)
    }

    /// The place nearest to `at` that is a whole number of pitches from the anchor.
    fn nearest_of_lattice(&self, at: usize, anchor: usize) -> Option<usize> {
        let pitch = (PITCH * self.line) as i64;
        let off = at as i64 - anchor as i64;
        usize::try_from(anchor as i64 + (off + pitch / 2).div_euclid(pitch) * pitch).ok()
    }

    /// The grey of a sign at this pixel: white, with a black rim. Signs stand in a lattice around the segment's anchor, where
    /// the segment is.
    fn mark(&self, x: usize, y: usize, segment: usize, share: f64) -> Option<u8> {
        if share.abs() < FAINT {
            return None;
        }
        let (ax, ay) = self.anchors[segment];
        let (cx, cy) = (self.nearest_of_lattice(x, ax)?, self.nearest_of_lattice(y, ay)?);
        let picture = self.image.picture();
        if cx >= picture.width() * self.zoom || cy >= picture.height() * self.zoom || self.segment(cx, cy) != segment {
            return None;
        }
        let line = self.line as f64;
        let (dx, dy) = (x.abs_diff(cx) as f64, y.abs_diff(cy) as f64);
        let (arm, half) = ((2.5 + 7.5 * share.abs()) * line, (0.6 + 1.4 * share.abs()) * line);
        let within = |rim: f64| {
            let across = dx <= arm + rim && dy <= half + rim;
            across || (share > 0.0 && dy <= arm + rim && dx <= half + rim)
        };
        match (within(0.0), within(1.2 * line)) {
            (true, _) => Some(255),
            (false, true) => Some(0),
            _ => None,
        }
    }
}

/// Passes if there is such a class.
fn check_class(explanation: &Explanation, class: usize) -> Result<()> {
    let last = explanation.classes.len().max(1) - 1;
    let reason = || format!("classes are numbered 0 to {last}");
    if class < explanation.classes.len() { Ok(()) } else { Err(Error::setting("class", class, reason())) }
}

/// For each segment the pixel of its own that is nearest to its centre of mass, enlarged.
fn anchors(image: &ImageInstance, zoom: usize) -> Vec<(usize, usize)> {
    let (of, width) = (image.segments().of_pixels(), image.picture().width());
    let mut sums = vec![[0usize; 3]; image.segments().len()];
    for (i, &segment) in of.iter().enumerate() {
        let [x, y, count] = &mut sums[usize::from(segment)];
        *x += i % width;
        *y += i / width;
        *count += 1;
    }
    let mut nearest = vec![(f64::INFINITY, (0, 0)); sums.len()];
    for (i, &segment) in of.iter().enumerate() {
        let [x, y, count] = sums[usize::from(segment)].map(|v| v as f64);
        let (px, py) = (i % width, i / width);
        let away = (px as f64 - x / count).powi(2) + (py as f64 - y / count).powi(2);
        let best = &mut nearest[usize::from(segment)];
        if away < best.0 {
            *best = (away, (px * zoom + zoom / 2, py * zoom + zoom / 2));
        }
    }
    nearest.into_iter().map(|(_, at)| at).collect()
}
