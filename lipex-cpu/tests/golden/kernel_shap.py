"""What PyPI shap's KernelExplainer computes, with the coalitions and weights that it draws.

Run: python kernel_shap.py   (seconds; writes kernel_shap.json beside it)
Written with Python 3.11, shap 0.51.0, scikit-learn 1.9.1, numpy 2.4.6.

The model sees D numbers, 1 for a kept feature; the background is all zeros, so shap asks it for masks. Its probabilities
are rounded to whole numbers of 2^-20 that sum to 2^20, so that single precision holds them.

A record: features (D), classes (C), nothing and whole (the answers with no feature and with all, in 2^-20), coalitions (shap's, D
digits each), weights (shap's, one a coalition), answers (the model's, C whole numbers of 2^-20 each), values (C rows of D:
the Shapley values as shap has them, without regularisation), exact (the same over all 2^D coalitions, up to D = 12).
"""

import itertools
import json
import math
import os

import numpy as np
import shap

ONE = 1 << 20


def model(seed, features, classes):
    """Two layers of whole numbers and a softmax, in whole numbers of 2^-20."""
    draw = np.random.default_rng(seed)
    first = draw.integers(-3, 4, (features, 8))
    second = draw.integers(-4, 5, (8, classes))

    def answer(z):
        score = np.maximum(z @ first - 1, 0) @ second / 12
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p = np.floor(p / p.sum(axis=1, keepdims=True) * ONE)
        p[:, 0] += ONE - p.sum(axis=1)
        return p.astype(np.int64)

    return answer


def exact(answer, features):
    """Shapley values from their definition: a mean over all coalitions without the feature."""
    masks = np.array(list(itertools.product([0, 1], repeat=features)))
    p = answer(masks) / ONE
    place = {tuple(m): i for i, m in enumerate(masks)}
    values = np.zeros((p.shape[1], features))
    for j in range(features):
        for m in masks[masks[:, j] == 0]:
            s = m.sum()
            share = math.factorial(s) * math.factorial(features - s - 1) / math.factorial(features)
            with_j = m.copy()
            with_j[j] = 1
            values[:, j] += share * (p[place[tuple(with_j)]] - p[place[tuple(m)]])
    return values


def record(seed, features, classes, samples):
    answer = model(seed, features, classes)
    np.random.seed(seed)
    explainer = shap.KernelExplainer(lambda z: answer(z) / ONE, np.zeros((1, features)))
    values = explainer.shap_values(np.ones((1, features)), nsamples=samples, l1_reg=False, silent=True)[0].T
    count = explainer.nsamplesAdded
    masks = explainer.maskMatrix[:count].astype(int)
    r = dict(features=features, classes=classes,
             nothing=answer(np.zeros((1, features), int))[0].tolist(), whole=answer(np.ones((1, features), int))[0].tolist(),
             coalitions=["".join(map(str, m)) for m in masks], weights=explainer.kernelWeights[:count].tolist(),
             answers=answer(masks).tolist(), values=values.tolist())
    if features <= 12:
        r["exact"] = exact(answer, features).tolist()
        print(f"from exact: {abs(values - np.array(r['exact'])).max():.1e}", end=" ")
    print(f"D={features} C={classes} coalitions {count} largest value {abs(values).max():.2f}", flush=True)
    return r


if __name__ == "__main__":
    records = [record(1, 10, 3, 1022), record(2, 12, 4, 200), record(3, 25, 2, 250), record(4, 40, 3, 120)]
    with open(os.path.join(os.path.dirname(__file__), "kernel_shap.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in records) + "\n]\n")
