"""The best objective of LIPEX's surrogate that SciPy's L-BFGS-B finds, for random problems.

L(W, b) = (1/n) sum_i pi_i m_i d(P_i || softmax(W z_i + b)) + lambda/2 |W|^2 + 1e-8/2 |b|^2, n = sum_i m_i, in f64, with
lambda as given. Starts: zeros, two random points, and the best fit under KL (for KL: two more random points). Each start
is run twice, in W itself and in variables preconditioned by the weighted Gram matrix; the best end is polished from there.

Run: python optimum.py   (4 minutes; writes optimum.json beside it)
Written with Python 3.11, numpy 2.4.6, scipy 1.17.1.

A record: name, problem (see problem.py), divergence, lambda, intercept (whether there is one), multiplicities (whether
rows count 0 to 3 times), objective (the best), at_zero (the objective at W = 0, b = 0), and for some solution: W, a row a
class, and intercept b, rounded to 12 digits, and the objective there.
"""

import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize

from problem import multiplicities, problem, write

FLOOR = float(np.float32(1e-7))
INTERCEPT_PENALTY = 1e-8


def terms(name, p, u):
    """phi(p, q) and its derivative in u = ln q, by class."""
    q = np.exp(u)
    if name == "hellinger":
        d = np.sqrt(p) - np.sqrt(q)
        return 0.5 * d * d, -0.5 * np.sqrt(q) * d
    with np.errstate(divide="ignore", invalid="ignore"):
        ln_p = np.log(p)
        if name == "kl":
            return np.where(p > 0, p * (ln_p - u), 0.0), -p
        if name == "reverse-kl":
            ratio = u - np.log(np.maximum(p, FLOOR))
            return q * ratio, q * (ratio + 1.0)
        if name == "js":
            ln_mid = np.log(0.5 * (p + q))
            slope = 0.5 * q * np.where(p > 0, u - ln_mid, np.log(2.0))
            return np.where(p > 0, 0.5 * p * (ln_p - ln_mid), 0.0) + slope, slope
    a = float(np.float32(name.removeprefix("alpha:")))
    mixed = p**a * np.exp((1.0 - a) * u)
    scale = a * (a - 1.0)
    return (mixed - a * p - (1.0 - a) * q) / scale, (1.0 - a) * (mixed - q) / scale


class Fit:
    """One objective, in the variables x = (W, b) of shape C x (F + intercept)."""

    def __init__(self, z, p, weights, divergence, lam, intercept, m):
        z = z.astype(float)
        self.design = np.hstack([z, np.ones((len(z), 1))]) if intercept else z
        self.p, self.divergence = p.astype(float), divergence
        self.row = weights.astype(float) * m / m.sum()
        self.penalty = np.full(self.design.shape[1], lam)
        if intercept:
            self.penalty[-1] = INTERCEPT_PENALTY
        self.shape = (p.shape[1], self.design.shape[1])
        gram = (self.design * self.row[:, None]).T @ self.design * (0.25 / self.shape[0])
        # Rows of x are y @ inverse, so that the Hessian in y is near a multiple of the identity.
        self.inverse = np.linalg.inv(np.linalg.cholesky(gram + np.diag(self.penalty)))

    def __call__(self, x):
        x = x.reshape(self.shape)
        logits = self.design @ x.T
        top = logits.max(axis=1, keepdims=True)
        u = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        value, slope = terms(self.divergence, self.p, u)
        by_logit = slope - np.exp(u) * slope.sum(axis=1, keepdims=True)
        objective = self.row @ value.sum(axis=1) + 0.5 * np.sum(self.penalty * x * x)
        gradient = (by_logit * self.row[:, None]).T @ self.design + self.penalty * x
        return objective, gradient.ravel()

    def preconditioned(self, y):
        objective, gradient = self(y.reshape(self.shape) @ self.inverse)
        return objective, (gradient.reshape(self.shape) @ self.inverse.T).ravel()

    def descend(self, x):
        """The better of two L-BFGS-B runs from x."""
        limits = dict(maxiter=20000, maxfun=40000, maxcor=20, ftol=1e-15, gtol=1e-11)
        plain = minimize(self, x, jac=True, method="L-BFGS-B", options=limits).x
        y = np.linalg.solve(self.inverse.T, x.reshape(self.shape).T).T.ravel()
        y = minimize(self.preconditioned, y, jac=True, method="L-BFGS-B", options=limits).x
        other = (y.reshape(self.shape) @ self.inverse).ravel()
        return min(plain, other, key=lambda x: self(x)[0])


def starts(fit, seed, kl):
    random = np.random.default_rng(seed)
    size = fit.shape[0] * fit.shape[1]
    points = [np.zeros(size), random.normal(0.0, 0.3, size), random.normal(0.0, 1.0, size)]
    if kl is None:
        return points + [random.normal(0.0, 0.3, size), random.normal(0.0, 1.0, size)]
    return points + [kl]


def record(case):
    name, settings, divergence, lam, intercept, repeated, keep = case
    began = time.time()
    p, z, prob, w = problem(**settings)
    m = multiplicities(p["seed"], p["rows"]) if repeated else np.ones(p["rows"])
    kl_fit = Fit(z, prob, w, "kl", lam, intercept, m)
    kl = None if divergence == "kl" else kl_fit.descend(np.zeros(kl_fit.shape[0] * kl_fit.shape[1]))
    fit = Fit(z, prob, w, divergence, lam, intercept, m)
    ends = [fit.descend(x) for x in starts(fit, p["seed"], kl)]
    values = [fit(x)[0] for x in ends]
    best = fit.descend(min(ends, key=lambda x: fit(x)[0]))
    objective, gradient = fit(best)
    at_zero = fit(np.zeros_like(best))[0]
    # Digits of difference to the best start: a local minimum shows here.
    spread = ", ".join(f"{(v - objective) / objective:.0e}" for v in values)
    print(f"{name:32} {objective:.12e} zero {at_zero:.3e} |g| {abs(gradient).max():.0e} "
          f"starts {spread} {time.time() - began:.0f} s", flush=True)
    r = dict(name=name, problem=p, divergence=divergence, intercept=intercept, multiplicities=repeated,
             objective=objective, at_zero=at_zero)
    r["lambda"] = lam
    if keep:
        x = np.array([float(f"{v:.12g}") for v in best]).reshape(fit.shape)
        features = p["features"]
        r["solution"] = dict(matrix=x[:, :features].tolist(), objective=fit(x.ravel())[0],
                             intercept=x[:, features].tolist() if intercept else [0.0] * p["classes"])
    return r


def cases():
    """(name, problem, divergence, lambda, intercept, multiplicities, whether to keep the solution)"""
    sizes = {15: 500, 30: 400, 67: 250, 70: 250}
    table = [
        # features, classes, divergence, lambda, intercept; strength, empty, repeated, keep
        (15, 2, "hellinger", 1e-2, False, {}),
        (15, 2, "kl", 1e-6, True, dict(keep=True)),
        (15, 3, "js", 1e-3, True, dict(keep=True)),
        (15, 3, "reverse-kl", 1e-4, False, dict(keep=True)),
        (15, 6, "alpha:0.5", 1e-4, True, {}),
        (15, 6, "hellinger", 1e-4, True, dict(keep=True, empty=True)),
        (30, 2, "hellinger", 1e-6, True, {}),
        (30, 2, "js", 1e-4, False, {}),
        (30, 3, "kl", 1e-3, False, dict(repeated=True, keep=True)),
        (30, 3, "hellinger", 1e-3, False, dict(strength=1400)),
        (30, 6, "hellinger", 1e-4, True, dict(repeated=True)),
        (30, 6, "reverse-kl", 1e-3, True, dict(empty=True)),
        (30, 6, "kl", 1e-4, True, dict(empty=True)),
        (30, 20, "js", 1e-3, True, {}),
        (67, 2, "kl", 1e-2, True, {}),
        (67, 3, "hellinger", 1e-6, False, {}),
        (67, 6, "hellinger", 1e-3, False, {}),
        (67, 6, "kl", 1e-4, True, dict(strength=1000)),
        (67, 6, "js", 1e-6, True, {}),
        (67, 20, "hellinger", 1e-3, False, {}),
        (67, 20, "hellinger", 1e-4, True, {}),
        (67, 20, "hellinger", 1e-6, True, {}),
        (67, 20, "kl", 1e-3, False, {}),
        (67, 20, "kl", 1e-6, False, {}),
        (67, 20, "alpha:0.5", 1e-4, False, {}),
        (70, 3, "alpha:0.5", 1e-3, True, dict(empty=True)),
        (70, 6, "hellinger", 1e-2, True, dict(strength=1000)),
        (70, 6, "reverse-kl", 1e-4, True, {}),
        (70, 20, "hellinger", 1e-4, True, dict(empty=True)),
        (70, 20, "js", 1e-4, True, dict(strength=1000)),
        (70, 20, "reverse-kl", 1e-3, False, dict(repeated=True)),
        (15, 3, "alpha:0.3", 1e-3, True, dict(keep=True)),
        (30, 6, "hellinger", 1e-6, True, dict(strength=2000)),
        (67, 6, "hellinger", 1e-6, True, dict(strength=1400)),
        (67, 20, "hellinger", 1e-6, False, dict(strength=1400)),
        (70, 6, "kl", 1e-6, True, dict(strength=1400)),
    ]
    for n, (features, classes, divergence, lam, intercept, more) in enumerate(table):
        more = dict(more)
        repeated, keep = more.pop("repeated", False), more.pop("keep", False)
        settings = dict(seed=100 + n, rows=1000, features=features, classes=classes,
                        strength=more.pop("strength", sizes[features]), **more)
        name = f"F={features} C={classes} {divergence} {lam:g}" + " intercept" * intercept + " repeated" * repeated
        name += " empty" * settings.get("empty", False) + " peaked" * (settings["strength"] >= 1000)
        yield name, settings, divergence, lam, intercept, repeated, keep


if __name__ == "__main__":
    chosen = [c for c in cases() if all(word in c[0] for word in sys.argv[1:])]
    records = [record(c) for c in chosen]
    if len(sys.argv) == 1:
        write(os.path.join(os.path.dirname(__file__), "optimum.json"), records)
