//! Convolutions over one or two axes, with groups, dilation and uneven padding.
//!
//! With stride s, dilation d and padding p, along one axis (two go alike; c goes over the channels of o's group):
//!
//! * value: y[o, t] = b[o] + Σ_c Σ_k w[o, c, k]·x[c, s·t + d·k − p], where x is 0 outside its plane;
//! * input: x̄[c, i] = Σ w[o, c, k]·ȳ[o, t] over all o, k, t with s·t + d·k − p = i;
//! * kernels: w̄[o, c, k] = Σ_t ȳ[o, t]·x[c, s·t + d·k − p], over all images;
//! * bias: b̄[o] = Σ_t ȳ[o, t], over all images.
//!
//! As in every framework this is a correlation: the kernel is not turned round.
//!
//! # Shapes
//! x: images × channels × (height ×) width. w: kernels × channels of a group × (height ×) width. y: images × kernels ×
//! (height ×) width; along an axis of n numbers, ⌊(n + padding − d·(kernel − 1) − 1)/s⌋ + 1.
//!
//! # How
//! One input channel a group goes directly, row by row; kernels of one pixel are one product of matrices; the rest is a
//! product with the patches of the input (im2col), and its gradient the same backwards.
//!
//! # DeepLIFT
//! As of any product: input and kernels are averaged over point and reference. Constant kernels stay as they are.
//!
//! # Cost
//! A multiplication for each triple (o, c, k) and output pixel, and as many for each gradient. Patches of one image and
//! group are in memory at a time: channels of a group × pixels of a kernel × output pixels.

use super::matmul::{view, view_mut};
use super::{Back, Call, Gradients};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor, count};
use ndarray::linalg::general_mat_mul;

/// A window that goes over planes of pixels. One axis is a plane of one row. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Height and width of a plane, of the kernel, and of what comes out.
    pub plane: [usize; 2],
    pub kernel: [usize; 2],
    pub out: [usize; 2],
    /// Pixels between two windows.
    stride: [usize; 2],
    /// Pixels between two places of the kernel; 1 where it has no gaps.
    dilation: [usize; 2],
    /// Rows above and columns left of the plane.
    before: [usize; 2],
    /// Rows below and columns right of it.
    behind: [usize; 2],
}

/// Where one place of the kernel meets a row: rows of output and input, the output's columns, the input's first one.
pub(super) struct Meeting {
    /// The row of the output.
    pub out_row: usize,
    /// The row of the input.
    pub row: usize,
    /// The first column of the output.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// The column of the input at `from`; each further one is a stride on.
    pub column: usize,
}

impl Window {
    /// For each output along an axis the places of the kernel that lie on the padded plane.
    pub fn padded_places(&self, axis: usize) -> Vec<usize> {
        let end = self.before[axis] + self.plane[axis] + self.behind[axis];
        let inside = |o: usize| {
            let first = o * self.stride[axis];
            (0..self.kernel[axis]).filter(|p| first + p * self.dilation[axis] < end).count()
        };
        (0..self.out[axis]).map(inside).collect()
    }

    /// The window of a node over planes of `plane` (one or two axes), by its `strides`, `dilations`, `pads`,
    /// `auto_pad` and `ceil_mode`.
    ///
    /// # Errors
    /// A kernel of other axes than the plane, more than two, an empty one, one larger than the padded plane; settings
    /// of another length, negative or from 2²⁰ on; a stride or dilation of 0.
    pub fn new<T: Number>(call: &Call<'_, T>, plane: &[usize], kernel: &[usize]) -> Fallible<Self> {
        let axes = plane.len();
        if axes != kernel.len() || !(1..=2).contains(&axes) || kernel.contains(&0) {
            return Err(format!("a kernel {kernel:?} over {plane:?} is not supported; one or two axes are"));
        }
        let pick = |name: &str, default: usize, n: usize| match call.attribute(name) {
            Some(a) if !a.ints.is_empty() => {
                let list: Option<Vec<usize>> = a.ints.iter().map(|&v| usize::try_from(v).ok()).collect();
                let list = list.filter(|l| l.len() == n && l.iter().all(|&v| v < 1 << 20));
                list.ok_or_else(|| format!("{name} must be {n} whole numbers"))
            }
            _ => Ok(vec![default; n]),
        };
        let (stride, dilation, pads) =
            (pick("strides", 1, axes)?, pick("dilations", 1, axes)?, pick("pads", 0, 2 * axes)?);
        if stride.contains(&0) || dilation.contains(&0) {
            return Err("has a step of 0".into());
        }
        let two = |list: &[usize], one: usize| if list.len() == 1 { [one, list[0]] } else { [list[0], list[1]] };
        let mut window = Window {
            plane: two(plane, 1),
            kernel: two(kernel, 1),
            out: [1, 1],
            stride: two(&stride, 1),
            dilation: two(&dilation, 1),
            before: two(&pads[..axes], 0),
            behind: [0, 0],
        };
        let mut after = two(&pads[axes..], 0);
        window.pad_as_said(call.text("auto_pad"), &mut after)?;
        window.behind = after;
        let up = call.int("ceil_mode", 0) != 0;
        for (k, after) in after.into_iter().enumerate() {
            let reach = window.dilation[k] * (window.kernel[k] - 1) + 1;
            let room = window.plane[k] + window.before[k] + after;
            let room = room.checked_sub(reach).ok_or("the kernel is larger than what it goes over")?;
            let mut steps = if up { room.div_ceil(window.stride[k]) } else { room / window.stride[k] };
            // A window that began in the padding behind would see nothing.
            if up && steps * window.stride[k] >= window.plane[k] + window.before[k] {
                steps -= 1;
            }
            window.out[k] = steps + 1;
        }
        Ok(window)
    }

    /// Padding that follows from the sizes. VALID: none. SAME: as much as gives ⌈n/s⌉ outputs, the odd one behind
    /// (UPPER) or before (LOWER).
    fn pad_as_said(&mut self, auto: &str, after: &mut [usize; 2]) -> Fallible<()> {
        match auto {
            "" | "NOTSET" => return Ok(()),
            "VALID" => (self.before, *after) = ([0; 2], [0; 2]),
            "SAME_UPPER" | "SAME_LOWER" => {
                for (k, after) in after.iter_mut().enumerate() {
                    let out = self.plane[k].div_ceil(self.stride[k]).max(1);
                    let reach = self.dilation[k] * (self.kernel[k] - 1) + 1;
                    let all = ((out - 1) * self.stride[k] + reach).saturating_sub(self.plane[k]);
                    let less = all / 2;
                    (self.before[k], *after) =
                        if auto == "SAME_UPPER" { (less, all - less) } else { (all - less, less) };
                }
            }
            other => return Err(format!("auto_pad {other} is not supported")),
        }
        Ok(())
    }

    /// Rows of output that kernel place (y, x) meets. Columns of the padding are left out by arithmetic, so that
    /// what is done with a row needs no test.
    pub fn meet(&self, y: usize, x: usize, mut visit: impl FnMut(Meeting)) {
        let stride = self.stride[1] as i64;
        let offset = (x * self.dilation[1]) as i64 - self.before[1] as i64;
        let from = if offset < 0 { (-offset + stride - 1) / stride } else { 0 };
        let to = ((self.plane[1] as i64 - 1 - offset).div_euclid(stride) + 1).min(self.out[1] as i64);
        if to <= from {
            return;
        }
        let (from, to, column) = (from as usize, to as usize, (from * stride + offset) as usize);
        for out_row in 0..self.out[0] {
            let row = (out_row * self.stride[0] + y * self.dilation[0]).checked_sub(self.before[0]);
            if let Some(row) = row.filter(|&row| row < self.plane[0]) {
                visit(Meeting { out_row, row, from, to, column });
            }
        }
    }

    /// Each place of the kernel, in reading order.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [height, width] = self.kernel;
        (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
    }

    /// Columns between two windows.
    pub fn stride(&self) -> usize {
        self.stride[1]
    }

    /// Pixels of a plane of the input.
    pub fn pixels(&self) -> usize {
        self.plane[0] * self.plane[1]
    }

    /// Pixels of a plane of the output.
    pub fn pixels_out(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Every pair of places (output, input) that meet within a plane, by the place of the kernel.
    pub fn pairs(&self, mut visit: impl FnMut(usize, usize)) {
        for (y, x) in self.places() {
            self.meet(y, x, |m| {
                for t in 0..m.to - m.from {
                    let input = m.row * self.plane[1] + m.column + t * self.stride[1];
                    visit(m.out_row * self.out[1] + m.from + t, input);
                }
            });
        }
    }

    /// Whether the patches are the planes themselves: a kernel of one pixel, without stride or padding.
    fn is_one_pixel(&self) -> bool {
        self.kernel == [1, 1] && self.out == self.plane && self.stride == [1, 1] && self.before == [0, 0]
    }
}

/// Sizes of a convolution.
struct Plan {
    window: Window,
    images: usize,
    groups: usize,
    /// Channels in and out of a group.
    taken: usize,
    made: usize,
}

/// # Errors
/// Channels that the groups do not divide, and those of `Window::new`.
fn plan<T: Number>(call: &Call<'_, T>) -> Fallible<Plan> {
    let (x, w) = (call.input(0)?.shape(), call.input(1)?.shape());
    let (&[images, channels, ref plane @ ..], &[made, taken, ref kernel @ ..]) = (x, w) else {
        return Err(format!("takes images and kernels, not shapes {x:?} and {w:?}"));
    };
    let groups =
        usize::try_from(call.int("group", 1)).ok().filter(|&g| g > 0 && made % g == 0 && taken * g == channels);
    let groups = groups.ok_or_else(|| format!("kernels of shape {w:?} do not go over {channels} channels"))?;
    Ok(Plan { window: Window::new(call, plane, kernel)?, images, groups, taken, made: made / groups })
}

impl Plan {
    /// The shape of the result for an input of so many axes, 3 or 4.
    fn shape(&self, axes: usize) -> Vec<usize> {
        let channels = self.groups * self.made;
        let [height, width] = self.window.out;
        if axes == 3 { vec![self.images, channels, width] } else { vec![self.images, channels, height, width] }
    }

    /// Numbers of one kernel.
    fn patch(&self) -> usize {
        self.taken * self.window.kernel[0] * self.window.kernel[1]
    }

    /// The image and group of each part.
    fn parts(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (images, groups) = (self.images, self.groups);
        (0..images).flat_map(move |i| (0..groups).map(move |g| (i, g)))
    }

    /// Where the channels of a part lie in input and output, and its kernels in the weights.
    fn places(&self, (image, group): (usize, usize)) -> [std::ops::Range<usize>; 3] {
        let range = |part: usize, size: usize| part * size..(part + 1) * size;
        let part = image * self.groups + group;
        [
            range(part, self.taken * self.window.pixels()),
            range(part, self.made * self.window.pixels_out()),
            range(group, self.made * self.patch()),
        ]
    }

    /// The patches that the kernel meets, a column an output pixel, a row a channel of the group and place of the
    /// kernel; 0 in the padding.
    fn patches<T: Number>(&self, x: &[T], columns: &mut [T]) {
        let w = &self.window;
        let (pixels, out) = (w.pixels(), w.pixels_out());
        columns.fill(T::zero());
        let mut rows = columns.chunks_exact_mut(out);
        for plane in x.chunks_exact(pixels) {
            for (y, x) in w.places() {
                let Some(row) = rows.next() else { return };
                w.meet(y, x, |m| {
                    let target = &mut row[m.out_row * w.out[1] + m.from..m.out_row * w.out[1] + m.to];
                    let source = plane[m.row * w.plane[1] + m.column..].iter().step_by(w.stride());
                    target.iter_mut().zip(source).for_each(|(t, &s)| *t = s);
                });
            }
        }
    }

    /// The patches' gradients added up where they came from, those of the padding dropped.
    fn patches_back<T: Number>(&self, columns: &[T], x: &mut [T]) {
        let w = &self.window;
        let mut rows = columns.chunks_exact(w.pixels_out());
        for plane in x.chunks_exact_mut(w.pixels()) {
            for (y, x) in w.places() {
                let Some(row) = rows.next() else { return };
                w.meet(y, x, |m| {
                    let source = &row[m.out_row * w.out[1] + m.from..m.out_row * w.out[1] + m.to];
                    let target = plane[m.row * w.plane[1] + m.column..].iter_mut().step_by(w.stride());
                    target.zip(source).for_each(|(t, &s)| *t += s);
                });
            }
        }
    }

    /// Memory for the patches of one part; none where no patches are made.
    fn room<T: Number>(&self) -> Fallible<Vec<T>> {
        let needed = if self.taken == 1 || self.window.is_one_pixel() { 0 } else { self.window.pixels_out() };
        Ok(vec![T::zero(); count(&[self.patch(), needed])?])
    }
}

/// One channel in: out += kernel over plane, row by row.
fn direct<T: Number>(w: &Window, plane: &[T], kernel: &[T], out: &mut [T]) {
    for ((y, x), &weight) in w.places().zip(kernel) {
        w.meet(y, x, |m| {
            let target = &mut out[m.out_row * w.out[1] + m.from..m.out_row * w.out[1] + m.to];
            let source = &plane[m.row * w.plane[1] + m.column..];
            match w.stride() {
                1 => target.iter_mut().zip(source).for_each(|(t, &s)| *t += weight * s),
                step => target.iter_mut().zip(source.iter().step_by(step)).for_each(|(t, &s)| *t += weight * s),
            }
        });
    }
}

/// The same backwards: plane += kernel turned over out.
fn direct_back<T: Number>(w: &Window, out: &[T], kernel: &[T], plane: &mut [T]) {
    for ((y, x), &weight) in w.places().zip(kernel) {
        w.meet(y, x, |m| {
            let source = &out[m.out_row * w.out[1] + m.from..m.out_row * w.out[1] + m.to];
            let target = &mut plane[m.row * w.plane[1] + m.column..];
            match w.stride() {
                1 => target.iter_mut().zip(source).for_each(|(t, &s)| *t += weight * s),
                step => target.iter_mut().step_by(step).zip(source).for_each(|(t, &s)| *t += weight * s),
            }
        });
    }
}

/// y: per part W·patches, on top of the bias.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let p = plan(call)?;
    let (x, kernels) = (call.floats(0)?, call.floats(1)?);
    let (w, out_pixels, patch) = (&p.window, p.window.pixels_out(), p.patch());
    let shape = p.shape(call.input(0)?.shape().len());
    let mut y = vec![T::zero(); count(&shape)?];
    if call.given(2).is_some() {
        let bias = call.floats(2)?;
        if bias.len() != p.groups * p.made {
            return Err(format!("has {} kernels and a bias of {}", p.groups * p.made, bias.len()));
        }
        y.chunks_exact_mut(out_pixels).zip(bias.iter().cycle()).for_each(|(plane, &b)| plane.fill(b));
    }
    let mut columns = p.room()?;
    for part in p.parts() {
        let [xs, ys, ks] = p.places(part);
        let (x, y, kernels) = (&x[xs], &mut y[ys], &kernels[ks]);
        if p.taken == 1 && !w.is_one_pixel() {
            y.chunks_exact_mut(out_pixels).zip(kernels.chunks_exact(patch)).for_each(|(y, k)| direct(w, x, k, y));
            continue;
        }
        let source = if w.is_one_pixel() {
            x
        } else {
            p.patches(x, &mut columns);
            &columns
        };
        let (kernels, source) = (view(kernels, p.made, patch)?, view(source, patch, out_pixels)?);
        general_mat_mul(T::one(), &kernels, &source, T::one(), &mut view_mut(y, p.made, out_pixels)?);
    }
    Tensor::floats(shape, y)
}

/// The gradients of input, kernels and bias, of those that are asked for.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let p = plan(&back.at)?;
    let mut gradients = Vec::new();
    if back.wants(0) {
        gradients.push((0, of_input(back, &p)?));
    }
    if back.wants(1) {
        gradients.push((1, of_kernels(back, &p)?));
    }
    if back.wants(2) {
        let mut bias = vec![T::zero(); p.groups * p.made];
        for (i, plane) in back.gradient.chunks_exact(p.window.pixels_out().max(1)).enumerate() {
            bias[i % (p.groups * p.made)] += plane.iter().fold(T::zero(), |sum, &g| sum + g);
        }
        gradients.push((2, bias));
    }
    Ok(gradients)
}

/// x̄: per part the patches' gradient Wᵀ·Ȳ, added up where the patches came from.
fn of_input<T: Number>(back: &Back<'_, T>, p: &Plan) -> Fallible<Vec<T>> {
    let (w, out_pixels, patch) = (&p.window, p.window.pixels_out(), p.patch());
    let kernels = back.averaged(1)?;
    let mut x = vec![T::zero(); back.at.input(0)?.len()];
    let mut columns = p.room()?;
    for part in p.parts() {
        let [xs, ys, ks] = p.places(part);
        let (x, g, kernels) = (&mut x[xs], &back.gradient[ys], &kernels[ks]);
        if p.taken == 1 && !w.is_one_pixel() {
            g.chunks_exact(out_pixels).zip(kernels.chunks_exact(patch)).for_each(|(g, k)| direct_back(w, g, k, x));
            continue;
        }
        let (kernels, g) = (view(kernels, p.made, patch)?, view(g, p.made, out_pixels)?);
        let target = if w.is_one_pixel() { &mut *x } else { &mut columns[..] };
        general_mat_mul(T::one(), &kernels.t(), &g, T::zero(), &mut view_mut(target, patch, out_pixels)?);
        if !w.is_one_pixel() {
            p.patches_back(&columns, x);
        }
    }
    Ok(x)
}

/// w̄: the sum over images of Ȳ·patchesᵀ, per group.
fn of_kernels<T: Number>(back: &Back<'_, T>, p: &Plan) -> Fallible<Vec<T>> {
    let (out_pixels, patch) = (p.window.pixels_out(), p.patch());
    let x = back.averaged(0)?;
    let mut kernels = vec![T::zero(); back.at.input(1)?.len()];
    let mut columns = vec![T::zero(); count(&[patch, out_pixels])?];
    for part in p.parts() {
        let [xs, ys, ks] = p.places(part);
        p.patches(&x[xs], &mut columns);
        let (g, columns) = (view(&back.gradient[ys], p.made, out_pixels)?, view(&columns, patch, out_pixels)?);
        general_mat_mul(T::one(), &g, &columns.t(), T::one(), &mut view_mut(&mut kernels[ks], p.made, patch)?);
    }
    Ok(kernels)
}
