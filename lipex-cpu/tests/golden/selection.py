"""What PyPI lime's forward selection and highest weights pick, and scikit-learn's ridge on the picks.

Run: python selection.py   (2 minutes; writes selection.json beside it)
Written with Python 3.11, lime 0.2.0.1, scikit-learn 1.9.1, numpy 2.4.6.

A record: problem (see problem.py), method (forward or highest: LIME's forward_selection, highest_weights), k, union (the
sorted union of the picks), classes. A class: picks, in LIME's order; steady, how many of them, from the first on, lead
the runner-up by more than 1e-9 (in R2; for highest weights in |coefficient|), after which rounding may decide; and
scikit-learn's Ridge(alpha=1) with the proximity as sample_weight: own and own_intercept on the picks, in their order,
union and union_intercept on the union.

A class that is always 0 has R2 = 1 with any feature: LIME then takes the lowest numbers, and steady is 0. So it is when
only columns that do not vary are left.
"""

import os

import numpy as np
from lime.lime_base import LimeBase
from sklearn.linear_model import Ridge

from problem import problem, write

LEAD = 1e-9


def r2(z, y, w):
    """R2 of the weighted least squares of y on z with an intercept."""
    root = np.sqrt(w)[:, None]
    centre = lambda a: (a - np.average(a, axis=0, weights=w)) * root
    z, y = centre(z), centre(y[:, None])
    if not y.any():
        return 1.0
    residual = y - z @ np.linalg.lstsq(z, y, rcond=1e-10)[0]
    return 1.0 - (residual**2).sum() / (y**2).sum()


def forward_leads(z, y, w, picks):
    """For each pick by how much its R2 exceeds that of the best other candidate."""
    leads = []
    for n, pick in enumerate(picks):
        gains = {j: r2(z[:, [*picks[:n], j]], y, w) for j in range(z.shape[1]) if j not in picks[:n]}
        own = gains.pop(pick)
        leads.append(own - max(gains.values(), default=0.0))
    return leads


def highest_leads(z, y, w, picks):
    """For each pick by how much its |coefficient| exceeds the next in order."""
    size = np.abs(Ridge(alpha=0.01).fit(z, y, sample_weight=w).coef_)
    rest = [size[j] for j in range(len(size)) if j not in picks]
    order = [size[j] for j in picks] + [max(rest, default=-1.0)]
    return [a - b for a, b in zip(order, order[1:])]


def record(method, k, settings):
    p, z, prob, w = problem(**settings)
    z, prob, w = z.astype(float), prob.astype(float), w.astype(float)
    lime_name, leads = {"forward": ("forward_selection", forward_leads),
                        "highest": ("highest_weights", highest_leads)}[method]
    base = LimeBase(None, random_state=0)
    classes, margins = [], []
    for y in prob.T:
        picks = [int(j) for j in base.feature_selection(z, y, w, k, lime_name)]
        lead = leads(z, y, w, picks)
        steady = next((n for n, by in enumerate(lead) if by <= LEAD), len(lead))
        own = Ridge(alpha=1).fit(z[:, picks], y, sample_weight=w)
        classes.append(dict(picks=picks, steady=steady, own=own.coef_.tolist(), own_intercept=float(own.intercept_)))
        margins += lead[:steady]
    union = sorted({j for c in classes for j in c["picks"]})
    for c, y in zip(classes, prob.T):
        fit = Ridge(alpha=1).fit(z[:, union], y, sample_weight=w)
        c.update(union=fit.coef_.tolist(), union_intercept=float(fit.intercept_))
    print(method, k, settings, "steady", [c["steady"] for c in classes], f"smallest lead {min(margins):.0e}", flush=True)
    return dict(problem=p, method=method, k=k, union=union, classes=classes)


def settings(seed, rows, features, classes, **more):
    return dict(seed=seed, rows=rows, features=features, classes=classes, **{"strength": 400, **more})


if __name__ == "__main__":
    cases = [
        ("forward", 3, settings(200, 200, 10, 2)),
        ("forward", 5, settings(201, 500, 30, 3)),
        ("forward", 5, settings(202, 1000, 44, 6)),
        ("forward", 6, settings(203, 1000, 60, 6, strength=250)),
        ("forward", 4, settings(204, 300, 20, 4, empty=True)),
        ("forward", 6, settings(205, 100, 5, 2)),
        ("forward", 6, settings(206, 25, 40, 3)),
        ("forward", 6, settings(207, 200, 10, 3, constant=6)),
        ("highest", 10, settings(208, 1000, 44, 6)),
        ("highest", 10, settings(209, 1000, 60, 3)),
        ("highest", 10, settings(210, 300, 15, 4, empty=True)),
        ("highest", 10, settings(211, 100, 6, 2)),
    ]
    write(os.path.join(os.path.dirname(__file__), "selection.json"), [record(*c) for c in cases])
