"""Fits with a penalty for each class, and their standard errors, with SciPy and numpy, every row of W free.

lambda_c = rho kappa (1/N) sum_i pi_i p_ic (1 - p_ic); the penalty is 1/2 sum_c lambda_c |W_c|^2 over all W, so that the
common shift of the rows, which changes no answer, is whatever makes it least. W is then centred over classes, and so are
its errors: T A^-1 M A^-1 T^T with T the centring and A the Hessian in the free W (see sandwich.py).

Run: python class_penalty.py   (a minute; writes class_penalty.json beside it)
Written with Python 3.11, numpy 2.4.6, scipy 1.17.1.
"""

import numpy as np

from optimum import Fit
from problem import problem, write
from sandwich import Row, jacobian

KAPPA = {"hellinger": 0.25, "kl": 1.0, "js": 0.25, "reverse-kl": 1.0}


def record(name, divergence, rho, by_weight, settings):
    p, z, prob, w = problem(**settings)
    n, classes = z.shape[0], prob.shape[1]
    w, prob = w.astype(float), prob.astype(float)
    total = w.sum() if by_weight else n
    curvature = KAPPA[divergence] * (w[:, None] * prob * (1 - prob)).sum(axis=0) / total
    fit = Fit(z, prob, w, divergence, rho * curvature.mean(), True, np.ones(n))
    fit.row = w / total
    fit.penalty = np.repeat(fit.penalty[None], classes, axis=0)
    fit.penalty[:, :-1] = rho * curvature[:, None]
    x = fit.descend(np.zeros(fit.shape[0] * fit.shape[1]))
    for _ in range(8):
        a = jacobian(lambda v: fit(v)[1], x)
        x = x - np.linalg.solve(0.5 * (a + a.T), fit(x)[1])
    inverse = np.linalg.inv(0.5 * (a + a.T))
    k = fit.shape[1]
    centre = np.kron(np.eye(classes) - 1 / classes, np.eye(k))
    scale = n / total
    gradients, leverages = [], []
    pull = (fit.penalty * x.reshape(fit.shape)).ravel()
    for i in range(n):
        one = Row(fit, i, w[i] * scale)
        # Where the sum is divided by the weights, a row of weight pi brings its share of the penalty along.
        gradients.append(one(x) + (w[i] * scale * pull if by_weight else 0))
        leverages.append(np.trace(inverse @ jacobian(one, x)) / (n * (classes - 1)))
    g, h = np.array(gradients), np.clip(leverages, 0.0, 0.9)
    residuals = (g - g[1:].mean(axis=0)) / np.sqrt(1 - h)[:, None]
    m = residuals[1:].T @ residuals[1:] / n**2 * (n - 1) / (n - 2)
    covariance = centre @ inverse @ m @ inverse @ centre.T
    errors = np.sqrt(np.diag(covariance)).reshape(fit.shape)[:, : z.shape[1]]
    solution = (centre @ x).reshape(fit.shape)
    print(f"{name}: penalties {rho * curvature.min():.1e} to {rho * curvature.max():.1e}, |g| {abs(fit(x)[1]).max():.0e}, "
          f"W to {abs(solution[:, :-1]).max():.2f}, errors {errors.min():.4f} to {errors.max():.4f}")
    return dict(name=name, problem=p, divergence=divergence, rho=rho, by_weight=by_weight, objective=fit(x)[0],
                penalties=(rho * curvature).tolist(), matrix=solution[:, :-1].tolist(), std_error=errors.tolist())


if __name__ == "__main__":
    steep = dict(rows=120, features=6, classes=4, strength=1500)
    write("class_penalty.json", [
        record("hellinger", "hellinger", 3e-2, False, dict(seed=61, **steep)),
        record("kl", "kl", 0.1, False, dict(seed=62, **steep)),
        record("js", "js", 1e-2, False, dict(seed=63, **steep)),
        record("hellinger over weights", "hellinger", 0.1, True, dict(seed=64, **steep)),
        record("two classes", "hellinger", 0.1, False, dict(seed=65, rows=80, features=5, classes=2, strength=900)),
    ])
