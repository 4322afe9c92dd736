"""lipex select and lipex fit on NumPy files, against NumPy, SciPy and scikit-learn on the same files.

Run: python stages.py               (writes npy/*.npy, npy/*.npz and stages.json beside it)
     python stages.py check LIPEX   (runs the command LIPEX on fresh files and compares)
Needs numpy, scipy, scikit-learn (written with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1).

The files hold one neighbourhood of 60 masks, 9 features and 3 classes in every form that lipex reads. stages.json has,
for the same neighbourhood:
  ridge    scikit-learn's Ridge (alpha, intercept) on the features `keep`, a class a row
  softmax  SciPy's optimum for a divergence and lambda with intercept: objective, matrix, intercept
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import Ridge

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../lipex-cpu/tests/golden"))
import optimum  # noqa: E402

INTERCEPT_PENALTY = 1e-8


def neighbourhood(seed, rows, features, classes, strength):
    """Masks, probabilities with pairs of features and noise, exponential weights of width 0.25."""
    random = np.random.default_rng(seed)
    z = random.random((rows, features)) < random.random((rows, 1))
    z[0] = True
    logits = z @ random.normal(0, strength, (features, classes)) + random.normal(0, 0.2, (rows, classes))
    logits += (z[:, :-1] & z[:, 1:]) @ random.normal(0, strength / 2, (features - 1, classes))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    distance = 1 - np.sqrt(z.mean(axis=1))
    w = np.exp(-(distance**2) / (2 * 0.25**2)).astype(np.float32)
    return z.astype(np.uint8), p, w


def terms(divergence, p, u):
    if divergence == "tv":
        return 0.5 * abs(p - np.exp(u))
    return optimum.terms(divergence, p, u)[0]


def objective(z, p, w, matrix, b, lam, divergence="hellinger", normalise="count", intercept=True):
    """(1/n) sum_i w_i d(P_i || softmax(W z_i + b)) + lambda/2 |W|^2 + 1e-8/2 |b|^2, in f64."""
    p, w = p.astype(float), w.astype(float)
    logits = z @ matrix.T + b
    top = logits.max(axis=1, keepdims=True)
    u = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    n = len(w) if normalise == "count" else w.sum()
    penalty = lam / 2 * (matrix**2).sum() + (INTERCEPT_PENALTY / 2 * (b**2).sum() if intercept else 0)
    return w @ terms(divergence, p, u).sum(axis=1) / n + penalty


def objective_of_terms(z, p, w, explained):
    """The same of an explanation with an anchored base, pairs among its terms, and squared Hellinger."""
    assert explained["base"]["kind"] == "anchored" and any(len(term) == 2 for term in explained["terms"])
    coefficients = np.array(explained["coefficients"])
    products = np.stack([(z[:, term].astype(float) - 1).prod(axis=1) for term in explained["terms"]], axis=1)
    logits = np.array(explained["base"]["values"]) + products @ coefficients.T
    q = np.exp(logits - logits.max(axis=1, keepdims=True))
    q /= q.sum(axis=1, keepdims=True)
    parts = 0.5 * ((np.sqrt(p.astype(float)) - np.sqrt(q)) ** 2).sum(axis=1)
    return (w.astype(float) * parts).sum() / len(w) + explained["fit"]["lambda"] / 2 * (coefficients**2).sum()


def ridge(z, p, w, alpha):
    """Coefficients and intercepts, a class a row."""
    fits = [Ridge(alpha=alpha).fit(z.astype(float), p[:, c].astype(float), sample_weight=w.astype(float))
            for c in range(p.shape[1])]
    return np.array([f.coef_ for f in fits]), np.array([f.intercept_ for f in fits])


def write():
    z, p, w = neighbourhood(8, 60, 9, 3, 1.0)
    folder = os.path.join(HERE, "npy")
    save = lambda name, a: np.save(os.path.join(folder, name), a)  # noqa: E731
    save("masks", z)
    save("masks-bool-fortran", np.asfortranarray(z.astype(bool)))
    save("masks-f4-fortran", np.asfortranarray(z.astype(np.float32)))
    save("masks-f8", z.astype(np.float64))
    with open(os.path.join(folder, "masks-version-3.npy"), "wb") as f:
        np.lib.format.write_array(f, z, version=(3, 0))
    save("probs", p)
    save("probs-f8-fortran", np.asfortranarray(p.astype(np.float64)))
    save("probs-big-endian", p.astype(">f4"))
    save("weights", w)
    save("weights-f8", w.astype(np.float64))
    np.savez(os.path.join(folder, "all"), masks=z, probs=p, weights=w)
    np.savez_compressed(os.path.join(folder, "compressed"), masks=z.astype(np.float64), probs=p, weights=w)

    keep, alpha, lam = [0, 2, 3, 7], 2.5, 1e-3
    coefficients, intercepts = ridge(z[:, keep], p, w, alpha)
    fit = optimum.Fit(z, p, w, "hellinger", lam, True, np.ones(len(w)))
    best = minimize(fit, np.zeros(fit.shape[0] * fit.shape[1]), jac=True, method="L-BFGS-B",
                    options=dict(maxiter=20000, maxcor=20, ftol=1e-15, gtol=1e-12)).x
    best = fit.descend(best).reshape(fit.shape)
    best -= best.mean(axis=0)  # adding a constant to a column of W or to b changes no probability
    record = {
        "ridge": dict(keep=keep, alpha=alpha, matrix=coefficients.tolist(), intercept=intercepts.tolist()),
        "softmax": dict(divergence="hellinger", objective=objective(z, p, w, best[:, :-1], best[:, -1], lam),
                        matrix=best[:, :-1].tolist(), intercept=best[:, -1].tolist()),
    }
    record["softmax"]["lambda"] = lam
    with open(os.path.join(HERE, "stages.json"), "w", encoding="utf-8") as f:
        json.dump(record, f, indent=1)
        f.write("\n")


def check(lipex):
    """Every fit of a table on files that numpy wrote: the objective of what lipex returns, as NumPy computes it."""
    worst = 0.0
    run = lambda *a: json.loads(subprocess.run([lipex, *a], check=True, capture_output=True).stdout)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        for n, (divergence, lam, normalise, intercept) in enumerate([
            ("hellinger", 1e-4, "count", True), ("hellinger", 1e-3, "weight", False), ("kl", 1e-3, "count", True),
            ("kl", 1e-6, "count", False), ("reverse-kl", 1e-4, "count", True), ("js", 1e-3, "weight", True),
            ("alpha:0.3", 1e-3, "count", False), ("tv", 1e-3, "count", True),
        ]):
            z, p, w = neighbourhood(n, 700, 33, 5, 0.6)
            files = [os.path.join(folder, name) for name in ("m.npy", "p.npy", "w.npy")]
            for file, array in zip(files, (np.asfortranarray(z), p, w.astype(np.float64))):
                np.save(file, array)
            given = ["--masks", files[0], "--probs", files[1], "--weights", files[2]]
            fit = run("fit", *given, "--divergence", divergence, "--lambda", str(lam), "--normalise", normalise,
                      "--pairs", "none", "--intercept", "fitted" if intercept else "none")
            matrix, b = np.array(fit["matrix"]), np.array(fit["intercept"])
            assert fit["kept"] == list(range(33)) and matrix.shape == (5, 33)
            # A total variation has kinks, where its gradient does not vanish.
            assert fit["converged"] or divergence == "tv", fit["stopped"]
            assert intercept or not b.any()
            expected = objective(z, p, w, matrix, b, fit["lambda"], divergence, normalise, intercept)
            off = abs(fit["objective"] / expected - 1)
            print(f"{divergence:12} lambda {lam:g} by {normalise:6} objective {fit['objective']:.12e} off by {off:.1e}")
            assert off < 1e-12, (fit["objective"], expected)
            worst = max(worst, off)

            keep = [1, 4, 5, 20, 32]
            fit = run("fit", *given, "--surrogate", "ridge", "--alpha", "0.7", "--keep", ",".join(map(str, keep)))
            coefficients, intercepts = ridge(z[:, keep], p, w, 0.7)
            off = max(abs(np.array(fit["matrix"]) - coefficients).max(), abs(np.array(fit["intercept"]) - intercepts).max())
            print(f"{'ridge':12} coefficients off by {off:.1e}")
            assert off < 1e-9
        file = os.path.join(folder, "around.npz")
        text = ["text", "a dreadful film with a wonderful cast", "--enumerate", "never", "--json", "-",
                "--save-neighbourhood", file]
        explained = run(*text)
        with np.load(file) as saved:
            z, p, w = saved["masks"], saved["probs"], saved["weights"]
        assert (z.dtype, p.dtype, w.dtype) == (np.uint8, np.float32, np.float32)
        assert z.shape == (1000, 6) and p.shape == (1000, 7) and w.shape == (1000,) and z[0].all() and set(z.flat) == {0, 1}
        assert abs(p[0] - explained["probabilities"]["model"]).max() < 1e-7
        off = abs(objective_of_terms(z, p, w, explained) / explained["fit"]["objective"] - 1)
        assert off < 1e-12, off
        fitted = run(*text, "--pairs", "none", "--intercept", "fitted")
        keep, matrix, b = fitted["kept"], np.array(fitted["matrix"]), np.array(fitted["intercept"])
        off = abs(objective(z[:, keep], p, w, matrix, b, fitted["fit"]["lambda"]) / fitted["fit"]["objective"] - 1)
        assert off < 1e-12, off
    print(f"worst objective: off by {worst:.1e}; of an explanation by {off:.1e}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(sys.argv[2])
    else:
        write()
