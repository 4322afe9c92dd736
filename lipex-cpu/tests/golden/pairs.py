"""The best objective of LIPEX's anchored surrogate, and of surrogates with pairs, that SciPy's L-BFGS-B finds.

Anchored: L(W, V) = (1/n) sum_i pi_i m_i d(P_i || softmax(a - W r_i + V s_i)) + lambda/2 (|W|^2 + |V|^2), r_i what row i
removes, s_i the products of pairs of r_i, a = ln P_0, P_0 clamped at 1e-4/C and divided by its sum; n = sum_i m_i. With a
fitted intercept b stands for a, penalised by 1e-8. In f64, starts as in optimum.py.

Ridges: scikit-learn's Ridge on the columns (-r, s), with an intercept on P, or without one on P - P_0.

Run: python pairs.py   (minutes; writes pairs.json beside it)
Written with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.0.

A record: name, problem (see problem.py), divergence, lambda, intercept (anchored or fitted), multiplicities, pairs (given
ones), objective (the best). A ridge's record: name, problem, intercept, alpha, pairs, coefficients (C rows, features then
pairs), base (C numbers, the answer where nothing is removed).
"""

import os
import sys

import numpy as np
import sklearn.linear_model

from optimum import INTERCEPT_PENALTY, Fit, starts, terms
from problem import multiplicities, problem, write


class Removed(Fit):
    """One objective in x of shape C x (F + K, and one for a fitted intercept)."""

    def __init__(self, z, p, weights, divergence, lam, anchored, m, pairs):
        removed = 1.0 - z.astype(float)
        products = np.array([removed[:, a] * removed[:, b] for a, b in pairs]).reshape(len(pairs), len(z)).T
        self.offset = 0.0
        columns = [-removed, products]
        if anchored:
            whole = np.maximum(p[0].astype(float), 1e-4 / p.shape[1])
            self.offset = np.log(whole / whole.sum())
        else:
            columns.append(np.ones((len(z), 1)))
        self.design = np.hstack(columns)
        self.p, self.divergence = p.astype(float), divergence
        self.row = weights.astype(float) * m / m.sum()
        self.penalty = np.full(self.design.shape[1], lam)
        if not anchored:
            self.penalty[-1] = INTERCEPT_PENALTY
        self.shape = (p.shape[1], self.design.shape[1])
        gram = (self.design * self.row[:, None]).T @ self.design * (0.25 / self.shape[0])
        self.inverse = np.linalg.inv(np.linalg.cholesky(gram + np.diag(self.penalty)))

    def __call__(self, x):
        x = x.reshape(self.shape)
        logits = self.offset + self.design @ x.T
        top = logits.max(axis=1, keepdims=True)
        u = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        value, slope = terms(self.divergence, self.p, u)
        by_logit = slope - np.exp(u) * slope.sum(axis=1, keepdims=True)
        objective = self.row @ value.sum(axis=1) + 0.5 * np.sum(self.penalty * x * x)
        gradient = (by_logit * self.row[:, None]).T @ self.design + self.penalty * x
        return objective, gradient.ravel()


def neighbours(count, features):
    return [(2 * k % (features - 1), 2 * k % (features - 1) + 1) for k in range(count)]


def softmax_record(number, features, classes, divergence, lam, intercept, count, strength, repeated, empty):
    settings = dict(seed=500 + number, rows=600, features=features, classes=classes, strength=strength, empty=empty)
    p, z, prob, w = problem(**settings)
    m = multiplicities(p["seed"], p["rows"]) if repeated else np.ones(p["rows"])
    if repeated:
        m[0] = max(m[0], 1)
    pairs = neighbours(count, features)
    anchored = intercept == "anchored"
    kl_fit = Removed(z, prob, w, "kl", lam, anchored, m, pairs)
    kl = None if divergence == "kl" else kl_fit.descend(np.zeros(np.prod(kl_fit.shape)))
    fit = Removed(z, prob, w, divergence, lam, anchored, m, pairs)
    ends = [fit.descend(x) for x in starts(fit, p["seed"], kl)]
    best = fit.descend(min(ends, key=lambda x: fit(x)[0]))
    objective = fit(best)[0]
    name = f"{intercept} F={features} C={classes} {divergence} {lam:g} pairs={count}"
    name += " repeated" * repeated + " empty" * empty + " peaked" * (strength >= 1000)
    print(name, objective, [f"{fit(x)[0] / objective - 1:.0e}" for x in ends], flush=True)
    record = dict(name=name, problem=p, divergence=divergence, intercept=intercept, multiplicities=repeated,
                  pairs=pairs, objective=objective)
    record["lambda"] = lam
    return record


def ridge_record(number, features, classes, intercept, alpha, count):
    p, z, prob, w = problem(seed=600 + number, rows=300, features=features, classes=classes, strength=400)
    removed = 1.0 - z.astype(float)
    pairs = neighbours(count, features)
    products = np.array([removed[:, a] * removed[:, b] for a, b in pairs]).reshape(count, len(z)).T
    columns, target = np.hstack([-removed, products]), prob.astype(float)
    base = target[0] if intercept == "anchored" else np.zeros(classes)
    ridge = sklearn.linear_model.Ridge(alpha=alpha, fit_intercept=intercept == "fitted")
    ridge.fit(columns, target - base, sample_weight=w.astype(float))
    return dict(name=f"ridge {intercept} F={features} C={classes} alpha={alpha:g} pairs={count}", problem=p,
                intercept=intercept, alpha=alpha, pairs=pairs, coefficients=ridge.coef_.tolist(),
                base=(base + ridge.intercept_).tolist())


def cases():
    """features, classes, divergence, lambda, intercept, pairs, strength, repeated, empty"""
    yield 12, 2, "hellinger", 1e-4, "anchored", 0, 400, False, False
    yield 12, 3, "kl", 1e-6, "anchored", 5, 400, False, False
    yield 15, 6, "hellinger", 1e-4, "anchored", 5, 500, True, False
    yield 15, 6, "hellinger", 1e-6, "anchored", 7, 1400, False, False
    yield 15, 3, "js", 1e-3, "anchored", 6, 500, False, False
    yield 15, 3, "reverse-kl", 1e-4, "anchored", 4, 500, False, False
    yield 20, 6, "alpha:0.5", 1e-4, "anchored", 9, 400, False, False
    yield 20, 4, "hellinger", 1e-3, "anchored", 3, 400, False, True
    yield 40, 12, "hellinger", 1e-4, "anchored", 15, 300, False, False
    yield 40, 12, "kl", 1e-4, "anchored", 0, 300, False, False
    yield 12, 3, "hellinger", 1e-4, "fitted", 5, 400, False, False
    yield 20, 6, "kl", 1e-4, "fitted", 9, 500, True, False


if __name__ == "__main__":
    fits = [softmax_record(n, *case) for n, case in enumerate(cases())]
    ridges = [ridge_record(0, 10, 3, "fitted", 1.0, 4), ridge_record(1, 10, 4, "anchored", 0.5, 5),
              ridge_record(2, 16, 2, "anchored", 1.0, 0), ridge_record(3, 30, 6, "fitted", 0.01, 14)]
    folder = os.path.dirname(os.path.abspath(__file__))
    write(os.path.join(folder, "pairs.json"), fits)
    write(os.path.join(folder, "pairs_ridge.json"), ridges)
    sys.exit(0)
