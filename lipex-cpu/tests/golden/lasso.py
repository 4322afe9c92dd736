"""What PyPI lime's lasso_path picks, which is scikit-learn's lars_path(method="lasso") cut where at most k are not 0.

Run: python lasso.py   (a minute; writes lasso.json beside it)
Written with Python 3.11, lime 0.2.0.1, scikit-learn 1.9.1, numpy 2.4.6.

A record: problem (see problem.py), k, classes. A class: picks, ascending; steady, whether rounding cannot change them:
the same features come out when the probabilities are moved by 1e-9 of their spread, ten times over, and when
coefficients below 1e-12 of the largest (a feature that leaves the path is left with such) count as 0.
"""

import os

import numpy as np
from lime.lime_base import LimeBase
from sklearn.linear_model import lars_path

from problem import problem, write


def by_path(z, y, w, k):
    """The picks from the path itself."""
    centre = lambda a: (a - np.average(a, axis=0, weights=w)) * (np.sqrt(w) if a.ndim == 1 else np.sqrt(w)[:, None])
    _, _, coefs = lars_path(centre(z), centre(y), method="lasso")
    size = abs(coefs).max()
    for point in coefs.T[:0:-1]:
        picks = np.flatnonzero(abs(point) > 1e-12 * size)
        if len(picks) <= k:
            break
    return sorted(picks.tolist())


def record(k, settings):
    p, z, prob, w = problem(**settings)
    z, prob, w = z.astype(float), prob.astype(float), w.astype(float)
    base = LimeBase(None, random_state=0)
    noise = np.random.default_rng(settings["seed"])
    classes = []
    for y in prob.T:
        picks = sorted(int(j) for j in base.feature_selection(z, y, w, k, "lasso_path"))
        again = [y + 1e-9 * y.std() * noise.standard_normal(len(y)) for _ in range(10)]
        steady = bool(y.std()) and all(by_path(z, v, w, k) == picks for v in [y, *again])
        classes.append(dict(picks=picks, steady=steady))
    print(k, settings, "steady", [c["steady"] for c in classes], "picks", [len(c["picks"]) for c in classes], flush=True)
    return dict(problem=p, k=k, classes=classes)


def settings(seed, rows, features, classes, **more):
    return dict(seed=seed, rows=rows, features=features, classes=classes, **{"strength": 400, **more})


if __name__ == "__main__":
    cases = [
        (3, settings(300, 200, 10, 2)),
        (5, settings(301, 500, 30, 3)),
        (5, settings(302, 1000, 44, 6)),
        (10, settings(303, 1000, 44, 6)),
        (6, settings(304, 1000, 100, 4, strength=250)),
        (4, settings(305, 300, 20, 4, empty=True)),
        (6, settings(306, 100, 5, 2)),
        (6, settings(307, 60, 90, 3)),
        (4, settings(308, 200, 10, 3, constant=6)),
        (20, settings(309, 400, 40, 5, strength=900)),
        (1, settings(310, 300, 25, 3)),
        (8, settings(311, 1000, 300, 2, strength=150)),
        # Features leave the path here, which brings it back to 45, 48 and 57 of them after it had more.
        (45, settings(312, 80, 60, 4, strength=900)),
        (48, settings(312, 80, 60, 4, strength=900)),
        (57, settings(312, 80, 60, 4, strength=900)),
    ]
    write(os.path.join(os.path.dirname(__file__), "lasso.json"), [record(*c) for c in cases])
