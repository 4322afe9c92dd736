//! Maxima and means over windows. Of equal maxima the first in reading order gets the gradient.
//!
//! Over the places i of an output's window: MaxPool is y = max xᵢ, with x̄ᵢ += ȳ at the first i where xᵢ = y;
//! AveragePool is y = Σ xᵢ/n, with x̄ᵢ += ȳ/n. n counts the places within the plane, or under `count_include_pad` those
//! within the padded plane (`ceil_mode` may let a window reach beyond). Where windows overlap, a place gathers from each.
//!
//! # Shapes
//! images × channels × width, or × height × width. Windows go over each channel alone; `Window` has their settings.
//!
//! # Numerics
//! Padding is never a maximum, and neither is NaN. A mean is a sum of xᵢ·(1/n), in the network's type.
//!
//! # DeepLIFT
//! The first winner of the point, or of the reference where that has the larger maximum, gets ȳ·Δy/Δxᵢ. Means are
//! linear.

use super::conv::Window;
use super::{Back, Call, Gradients, winner};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor, count};

/// The window and the shape of what comes out.
///
/// # Errors
/// Anything but images, and a window that does not go over them.
fn plan<T: Number>(call: &Call<'_, T>) -> Fallible<(Window, Vec<usize>)> {
    let shape = call.input(0)?.shape();
    let &[images, channels, ref plane @ ..] = shape else {
        return Err(format!("takes images, not shape {shape:?}"));
    };
    let kernel = call.attribute("kernel_shape").map_or(&[][..], |a| &a.ints);
    let kernel: Option<Vec<usize>> = kernel.iter().map(|&k| usize::try_from(k).ok().filter(|&k| k < 1 << 20)).collect();
    let window = Window::new(call, plane, &kernel.ok_or("has a kernel of negative size")?)?;
    let [height, width] = window.out;
    let out = if plane.len() == 1 { vec![images, channels, width] } else { vec![images, channels, height, width] };
    Ok((window, out))
}

/// The largest number of each window.
pub(crate) fn max_forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (window, shape) = plan(call)?;
    let x = call.floats(0)?;
    let mut y = vec![T::of(f64::NEG_INFINITY); count(&shape)?];
    let planes = x.chunks_exact(window.pixels().max(1));
    for (x, y) in planes.zip(y.chunks_exact_mut(window.pixels_out())) {
        window.pairs(|o, i| {
            if x[i] > y[o] {
                y[o] = x[i];
            }
        });
    }
    Tensor::floats(shape, y)
}

/// ȳ to the first place of its window that is the maximum.
///
/// Places of a kernel are visited in reading order, so that the first one met is the first one.
pub(crate) fn max_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (window, _) = plan(&back.at)?;
    let (x, x0) = (back.at.floats(0)?, back.reference.floats(0)?);
    let (y, y0) = (back.made.as_floats()?, back.made_there.as_floats()?);
    let (pixels, out) = (window.pixels(), window.pixels_out());
    let mut gradient = vec![T::zero(); x.len()];
    let mut done = vec![false; out];
    for plane in 0..x.len() / pixels.max(1) {
        done.fill(false);
        window.pairs(|o, i| {
            let (place, at) = (plane * out + o, plane * pixels + i);
            let from_point = !back.rescales() || y[place] >= y0[place];
            let wins = if from_point { x[at] == y[place] } else { x0[at] == y0[place] };
            if done[o] || !wins {
                return;
            }
            done[o] = true;
            let part = if back.rescales() { winner(y[place], y0[place], x[at], x0[at]) } else { T::one() };
            gradient[at] += back.gradient[place] * part;
        });
    }
    Ok(vec![(0, gradient)])
}

/// One over the number of places of each output's window: of a plane, for all planes.
fn shares<T: Number>(call: &Call<'_, T>, window: &Window) -> Vec<T> {
    let mut places = vec![0.0; window.pixels_out()];
    if call.int("count_include_pad", 0) != 0 {
        let [rows, columns] = [0, 1].map(|axis| window.padded_places(axis));
        let all = rows.iter().flat_map(|r| columns.iter().map(move |c| (r * c) as f64));
        places.iter_mut().zip(all).for_each(|(n, all)| *n = all);
    } else {
        window.pairs(|o, _| places[o] += 1.0);
    }
    places.into_iter().map(|n| T::of(1.0 / n)).collect()
}

/// The mean of each window.
pub(crate) fn mean_forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (window, shape) = plan(call)?;
    let (x, shares) = (call.floats(0)?, shares(call, &window));
    let mut y = vec![T::zero(); count(&shape)?];
    let planes = x.chunks_exact(window.pixels().max(1));
    for (x, y) in planes.zip(y.chunks_exact_mut(window.pixels_out())) {
        window.pairs(|o, i| y[o] += x[i] * shares[o]);
    }
    Tensor::floats(shape, y)
}

/// ȳ/n to each place of the window.
pub(crate) fn mean_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (window, _) = plan(&back.at)?;
    let shares = shares(&back.at, &window);
    let mut gradient = vec![T::zero(); back.at.input(0)?.len()];
    let planes = gradient.chunks_exact_mut(window.pixels().max(1));
    for (x, g) in planes.zip(back.gradient.chunks_exact(window.pixels_out())) {
        window.pairs(|o, i| x[i] += g[o] * shares[o]);
    }
    Ok(vec![(0, gradient)])
}
