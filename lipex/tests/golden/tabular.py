"""SHAP values of a row of a table, by PyPI shap's KernelExplainer, for tests/all/tabular.rs.

    python3 -m venv venv && venv/bin/pip install shap==0.51.0 numpy && venv/bin/python tabular.py > tabular.json

The classifier is the one of the test: numbers as they are, categories by their place in CATEGORIES. Every subset of columns is asked
for, so nothing is drawn.
"""

import json
import sys

import numpy as np
import shap

CATEGORIES = ["red", "green", "blue"]


def logits(row):
    """Three classes; products and a sine, so that columns act together."""
    d = len(row)
    at = lambda j: row[j % d]
    return [
        sum(0.3 * (j % 3 - 1) * x for j, x in enumerate(row)) + 0.5 * at(0) * at(3),
        np.sin(at(1)) + 0.4 * at(2) * at(5) - 0.2 * at(7),
        0.7 * at(4) - 0.3 * at(6) * at(1) + 0.1 * d,
    ]


def model(rows):
    z = np.array([logits(row) for row in np.asarray(rows, dtype=float)])
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def case(name, columns, background, seed):
    rng = np.random.default_rng(seed)
    draw = lambda n: np.round(rng.normal(size=(n, columns)), 3)
    row, rows = draw(1), draw(background)
    # Two columns of categories, one that is the same everywhere.
    for j in [1, columns - 1]:
        row[:, j] = rng.integers(0, 3, size=1)
        rows[:, j] = rng.integers(0, 3, size=background)
    rows[:, 2] = row[0, 2]
    explainer = shap.KernelExplainer(model, rows)
    values = explainer.shap_values(row[0], nsamples=2 ** columns + 100, l1_reg=f"num_features({columns})", silent=True)
    texts = lambda table: [
        [CATEGORIES[int(x)] if j in (1, columns - 1) else repr(float(x)) for j, x in enumerate(r)] for r in table
    ]
    return {
        "name": name,
        "row": texts(row)[0],
        "background": texts(rows),
        "base": np.asarray(explainer.expected_value).tolist(),
        "shap": np.asarray(values).T.tolist(),
        "p": model(row)[0].tolist(),
    }


cases = [case("ten columns", 10, 12, 1), case("one background row", 4, 1, 2), case("six columns", 6, 30, 3)]
json.dump({"shap": shap.__version__, "cases": cases}, sys.stdout, indent=1)
print()
