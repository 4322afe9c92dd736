//! What is known of each kernel beside its counts: its launch, and what it is there to do.

use crate::stages::{CASE, PICTURES, SIDE, Stage, TOKENS};

/// A kernel in a stage of one instance.
pub struct Kernel {
    /// Threads a block.
    pub threads: usize,
    /// Bytes of shared memory that the launch adds.
    pub shared: usize,
    /// Blocks a launch that have something to do.
    pub blocks: f64,
    /// Useful operations of all launches; 0 where there is nothing to count.
    pub operations: f64,
    /// What is counted as one.
    pub useful: &'static str,
}

/// N, D and C as numbers, and words of a mask.
const N: f64 = CASE.rows as f64;
const D: f64 = CASE.features as f64;
const C: f64 = CASE.classes as f64;
const WORDS: f64 = CASE.features.div_ceil(32) as f64;
/// Features that forward selection chooses a class.
const CHOSEN: f64 = 5.0;
/// Candidates for λ, and folds.
const CANDIDATES: f64 = 7.0;
const FOLDS: f64 = 5.0;

fn blocks(threads: f64) -> f64 {
    (threads / 256.0).ceil()
}

/// The kernel of this name, if it is known.
pub fn kernel(name: &str, stage: &Stage) -> Option<Kernel> {
    let (f, e) = (stage.kept as f64, stage.evaluations as f64);
    // Columns of a fit; a stage that fits anew for each fold and candidate runs as many blocks, and its evaluations vary.
    let (k, each) = (f + 1.0, if stage.evaluations > 0 { 1.0 } else { 0.0 });
    let fits = if stage.name == "choose λ" { FOLDS } else { 1.0 };
    let pixels = (3 * SIDE * SIDE * PICTURES) as f64;
    let of = |blocks: f64, operations: f64, useful: &'static str| {
        Some(Kernel { threads: 256, shared: 0, blocks, operations, useful })
    };
    match name {
        "lipex_perturb" => {
            let shared = 4 * (2 * 128 * 2 + 128 * 2 / 32);
            let useful = "a bit of a mask, N·D";
            Some(Kernel { threads: 128, shared, blocks: (N / 128.0).ceil(), operations: N * D, useful })
        }
        "lipex_render_tokens" => of((N / 8.0).ceil(), N * TOKENS as f64, "a token of a row, N·T"),
        "lipex_render_pixels" => of(blocks(pixels / 12.0), pixels, "a number of a picture, N·3·224·224"),
        "lipex_render_pixels_half" => of(blocks(pixels / 24.0), pixels, "a number of a picture, N·3·224·224"),
        "lipex_check" => of(blocks(N), N * C, "a probability, N·C"),
        "lipex_weigh" => of(blocks(N), N * WORDS, "a word of a mask, N·⌈D/32⌉"),
        "lipex_select_moments" => {
            let columns = if stage.name == "select" { D } else { f };
            of((columns / 32.0).ceil(), N * (C + 1.0) * columns, "an addition, N·(C + 1)·D")
        }
        "lipex_select_forward" => of(
            C,
            C * (CHOSEN - 1.0) * N * D,
            "an addition to a Gram column, N·D for all but the last of k features of C classes",
        ),
        "lipex_fit_prepare" => of(fits, each * N * (k + C), "a bit packed or a logarithm, N·(K + C)"),
        "lipex_fit_precondition" => {
            of(fits * C, each * C * N * k * (k + 1.0) / 2.0, "an addition of a Gram without tables, C·N·K(K + 1)/2")
        }
        "lipex_fit" => {
            let shared = 4 * (CASE.classes * 256 + 8 * 544 + (stage.kept + 1).div_ceil(4) * 102);
            let useful = "an addition of the two products without tables, or a divergence: evaluations·N·C·(2K + 1)";
            Some(Kernel { threads: 256, shared, blocks: fits, operations: e * N * C * (2.0 * k + 1.0), useful })
        }
        "lipex_fit_tile" => of(blocks(N), e * N * C * (2.0 * k + 1.0), "as for `lipex_fit`: evaluations·N·C·(2K + 1)"),
        "lipex_fit_advance" => {
            of(1.0, e * C * k * (40.0 + k), "a multiply-add of L-BFGS with ten pairs: evaluations·C·K·(4·10 + K)")
        }
        "lipex_fit_double" => of(fits, 0.0, ""),
        "lipex_fit_objective" => {
            of(fits, each * N * C * (k + 1.0), "an addition to a logit, or a divergence: N·C·(K + 1)")
        }
        "lipex_ridge_gram" => of(blocks(f * f), N * f * (f + 1.0) / 2.0, "an addition, N·F(F + 1)/2"),
        "lipex_ridge_factor" => of(1.0, f * f * f / 6.0, "a multiply-add of Cholesky, F³/6"),
        "lipex_ridge_solve" => of(
            1.0,
            C * 2.0 * (f * f + N),
            "a multiply-add of two triangles, a product and two sums over rows: C·2(F² + N)",
        ),
        "lipex_evaluate" => of(1.0, N * C * k, "an addition to a score, N·C·(F + 1)"),
        "lipex_evaluate_classes" => of(C, 3.0 * N * C, "a term of a sum, 3·N·C"),
        "lipex_evaluate_enter" | "lipex_evaluate_first" => of(blocks(N), N * WORDS, "a word of a mask, N·⌈D/32⌉"),
        "lipex_lambda_held_out" => {
            of(FOLDS, CANDIDATES * N * C * (k + 1.0), "an addition to a logit, or a divergence: candidates·N·C·(F + 2)")
        }
        other => sandwich(other, k * (C - 1.0), k),
    }
}

/// The kernels of the error bars, whose matrices are of n entries, K columns of C − 1 contrasts.
fn sandwich(name: &str, n: f64, k: f64) -> Option<Kernel> {
    let of = |blocks: f64, operations: f64, useful: &'static str| {
        Some(Kernel { threads: 256, shared: 0, blocks, operations, useful })
    };
    let tiles = (n / 16.0).ceil();
    match name {
        "lipex_sandwich_rows" => of(blocks(N), N * C * (k + 4.0), "an addition to a logit or a contrast: N·C·(F + 5)"),
        "lipex_sandwich_hessian" => {
            let pairs = C * (C - 1.0) / 2.0;
            of(pairs, pairs * N * k * (k + 1.0) / 2.0, "an addition to A: N·C(C − 1)/2·K(K + 1)/2")
        }
        "lipex_sandwich_leverage" => of(N, N * n * n / 4.0, "a multiply-add, half of the features kept: N·n²/4"),
        "lipex_sandwich_means" => of(n, N * n, "an addition, N·n"),
        "lipex_sandwich_parts" => of(N - 1.0, N * n, "an addition, N·n"),
        "lipex_sandwich_noise" => {
            of(tiles * (tiles + 1.0) / 2.0, N * n * (n + 1.0) / 2.0, "a multiply-add, N·n(n + 1)/2")
        }
        "lipex_sandwich_moved" => of((N / 16.0).ceil() * tiles, N * n * n, "a multiply-add, N·n²"),
        _ => None,
    }
}
