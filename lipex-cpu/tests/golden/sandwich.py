"""Standard errors of W by the sandwich, with numpy alone: Hessians by central differences of the gradient, the
pseudo-inverse by numpy.linalg.pinv, no basis of contrasts.

Cov = A+ M A+, A the Hessian of L at SciPy's best fit, M = (1/N^2) sum over drawn units of G G^T times n/(n - 1), G the sum of
a unit's gradients pi_i (d d_i - mean) / sqrt(1 - h_i), h_i = pi_i tr(A+ d2 d_i) / (N (C - 1)). Row 0 is not drawn. Units are rows,
or rows 2m - 1 and 2m together.

With u the share of a unit in the variance V of an entry: the degrees of freedom solve 2/nu + 2/nu^2 = the mean over entries of
the jackknife's variance of ln V, sum over units of (ln(1 - u) - mean)^2; the unevenness is a quarter of the sum over units of
the variance of u over entries.

Run: python sandwich.py   (half a minute; writes sandwich.json beside it)
Written with Python 3.11, numpy and scipy as `pip install numpy scipy` gives them.
"""

import numpy as np

from optimum import Fit, terms
from problem import problem, write

STEP = 1e-5


def jacobian(f, x):
    columns = []
    for k in range(len(x)):
        step = np.zeros_like(x)
        step[k] = STEP
        columns.append((f(x + step) - f(x - step)) / (2 * STEP))
    return np.array(columns).T


def record(name, divergence, lam, intercept, pairs, settings):
    p, z, prob, w = problem(**settings)
    n = len(z)
    fit = Fit(z, prob, w, divergence, lam, intercept, np.ones(n))
    x = fit.descend(np.zeros(fit.shape[0] * fit.shape[1]))
    # Newton steps, since L-BFGS-B stops early.
    for _ in range(5):
        a = jacobian(lambda v: fit(v)[1], x)
        x = x - np.linalg.pinv(0.5 * (a + a.T), rcond=1e-9) @ fit(x)[1]
    inverse = np.linalg.pinv(0.5 * (a + a.T), rcond=1e-9)
    gradients, leverages = [], []
    for i in range(n):
        one = Row(fit, i, w[i])
        gradients.append(one(x))
        leverages.append(np.trace(inverse @ jacobian(one, x)) / (n * (fit.shape[0] - 1)))
    g, h = np.array(gradients), np.clip(leverages, 0.0, 0.9)
    residuals = (g - g[1:].mean(axis=0)) / np.sqrt(1 - h)[:, None]
    units = [residuals[i : i + 2].sum(axis=0) for i in range(1, n, 2)] if pairs else list(residuals[1:])
    m = sum(np.outer(u, u) for u in units) / n**2 * (n - 1) / (n - 2)
    covariance = inverse @ m @ inverse
    errors = np.sqrt(np.diag(covariance)).reshape(fit.shape)[:, : z.shape[1]]
    # Entries of W of each unit, whose squares add up to the variances.
    parts = (np.array(units) @ inverse / n * np.sqrt((n - 1) / (n - 2))).reshape(-1, *fit.shape)[:, :, : z.shape[1]]
    parts = parts.reshape(len(units), -1)
    shares = parts**2 / (parts**2).sum(axis=0)
    logs = np.log(1 - shares)
    noise = ((logs - logs.mean(axis=0)) ** 2).sum(axis=0).mean()
    degrees = (1 + np.sqrt(1 + 2 * noise)) / noise
    unevenness = shares.var(axis=1).sum() / 4
    print(f"{name}: nu {degrees:.1f}, unevenness {unevenness:.4f}, |g| {abs(fit(x)[1]).max():.0e}, errors {errors.min():.4f} to {errors.max():.4f}, h to {h.max():.2f}")
    return dict(name=name, problem=p, divergence=divergence, intercept=intercept, pairs=pairs, **{"lambda": lam},
                std_error=errors.tolist(), degrees=degrees, unevenness=unevenness)


class Row:
    """The gradient of pi_i d(P_i || softmax(W z_i + b)) in (W, b)."""

    def __init__(self, fit, i, weight):
        self.fit, self.i, self.weight = fit, i, float(weight)

    def __call__(self, x):
        fit, i = self.fit, self.i
        logits = fit.design[i] @ x.reshape(fit.shape).T
        u = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        _, slope = terms(fit.divergence, fit.p[i], u)
        return self.weight * np.outer(slope - np.exp(u) * slope.sum(), fit.design[i]).ravel()


if __name__ == "__main__":
    small = dict(rows=120, features=6, classes=3, strength=600)
    write("sandwich.json", [
        record("hellinger", "hellinger", 1e-3, True, False, dict(seed=41, **small)),
        record("hellinger without intercept", "hellinger", 1e-3, False, False, dict(seed=42, **small)),
        record("kl", "kl", 1e-2, True, False, dict(seed=43, **small)),
        record("js", "js", 1e-4, True, False, dict(seed=44, **small)),
        record("reverse kl in pairs", "reverse-kl", 1e-3, True, True, dict(seed=45, **small)),
        record("hellinger in pairs", "hellinger", 1e-4, True, True, dict(seed=46, rows=61, features=4, classes=5, strength=300)),
    ])
