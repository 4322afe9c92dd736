"""The best exact objective under total variation that SciPy finds, for random problems.

Total variation has kinks, so L-BFGS-B runs on 1/2 sum sqrt((p - q)^2 + width^2) while the width falls from 0.1 to 1e-8 by
thirds, from four starts: zeros, two random points and the best fit under KL. The exact objective is taken at the end of
every run, and the lowest one is written down.

Run: python tv.py   (minutes; writes tv.json beside it)
Written with Python 3.11, numpy 2.4.6, scipy 1.17.1.

A record: problem (see problem.py), lambda, intercept (whether there is one), objective (the best).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize

import optimum
from optimum import Fit
from problem import problem, write

WIDTH = [0.0]
other_terms = optimum.terms


def terms(name, p, u):
    if name != "tv":
        return other_terms(name, p, u)
    q = np.exp(u)
    x = p - q
    root = np.sqrt(x * x + WIDTH[0] ** 2)
    with np.errstate(invalid="ignore"):
        slope = np.where(root > 0, x / root, 0.0)
    return 0.5 * (root - WIDTH[0]), -0.5 * q * slope


optimum.terms = terms


def exact(fit, x):
    WIDTH[0] = 0.0
    return fit(x)[0]


def anneal(fit, x):
    best = (exact(fit, x), x)
    y = np.linalg.solve(fit.inverse.T, x.reshape(fit.shape).T).T.ravel()
    limits = dict(maxiter=3000, maxfun=6000, maxcor=20, ftol=1e-15, gtol=1e-11)
    for width in 0.1 / 3.0 ** np.arange(15.7):
        WIDTH[0] = width
        y = minimize(fit.preconditioned, y, jac=True, method="L-BFGS-B", options=limits).x
        x = (y.reshape(fit.shape) @ fit.inverse).ravel()
        best = min(best, (exact(fit, x), x), key=lambda b: b[0])
    return best


def record(lam, intercept, settings):
    p, z, prob, w = problem(**settings)
    ones = np.ones(p["rows"])
    kl_fit = Fit(z, prob, w, "kl", lam, intercept, ones)
    size = kl_fit.shape[0] * kl_fit.shape[1]
    random = np.random.default_rng(p["seed"])
    starts = [np.zeros(size), random.normal(0.0, 0.3, size), random.normal(0.0, 1.0, size)]
    starts.append(minimize(kl_fit, starts[0], jac=True, method="L-BFGS-B").x)
    fit = Fit(z, prob, w, "tv", lam, intercept, ones)
    values = [anneal(fit, x)[0] for x in starts]
    best = min(values)
    print(settings, lam, f"{best:.9e}", "starts", [f"{v / best - 1:.0e}" for v in values], flush=True)
    return {"problem": p, "lambda": lam, "intercept": intercept, "objective": best}


def settings(seed, rows, features, classes, strength):
    return dict(seed=seed, rows=rows, features=features, classes=classes, strength=strength)


if __name__ == "__main__":
    cases = [
        (1e-3, False, settings(500, 500, 8, 3, 500)),
        (1e-4, True, settings(501, 500, 15, 4, 500)),
        (1e-4, True, settings(502, 1000, 20, 7, 400)),
        (1e-6, True, settings(503, 800, 12, 2, 600)),
        (1e-3, True, settings(504, 400, 25, 5, 900)),
    ]
    write(os.path.join(os.path.dirname(__file__), "tv.json"), [record(*c) for c in cases])
