"""What scikit-learn's DecisionTreeRegressor makes of masks, probabilities and weights that this script and the test draw alike.

Run: python tree.py   (seconds; writes tree.json beside it)
Written with Python 3.11, scikit-learn 1.9.1, numpy 2.4.6.

Numbers come from a linear congruential generator in whole numbers (64 bits, of which the upper 32 are used), so that both sides
have the same bits: first the masks of rows 1…, a feature a number (kept where it is odd), row after row (row 0 keeps all); then for each row
C numbers u, and p_k is s_k/Σs in single precision, s_k = u_k + 2^32·(the number of kept features j with j mod C = k and j < 3C); then a weight for each
row, (u/256 + 1)/2^24 in single precision. Probabilities are continuous, so no two splits tie, where scikit-learn would take one at
random.

A record: features (D), rows (N), classes (C), seed, depth (levels at most), min_weight (a leaf's least share of all weight),
leaf_of (the leaf of each row, numbered as they appear), values (of each leaf, C numbers).
"""

import json
import os

import numpy as np
from sklearn.tree import DecisionTreeRegressor


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 32


def drawn(features, rows, classes, seed):
    numbers = Numbers(seed)
    masks = np.ones((rows, features), np.float32)
    for i in range(1, rows):
        masks[i] = [numbers.next() & 1 for _ in range(features)]
    p = np.zeros((rows, classes))
    for i in range(rows):
        of_class = [int(masks[i, k : 3 * classes : classes].sum()) for k in range(classes)]
        s = [numbers.next() + 2**32 * count for count in of_class]
        p[i] = [np.float32(float(v) / float(sum(s))) for v in s]
    weights = np.array([np.float32((numbers.next() >> 8) + 1) / np.float32(2**24) for _ in range(rows)], np.float64)
    return masks, p, weights


def record(features, rows, classes, seed, depth, min_weight):
    masks, p, weights = drawn(features, rows, classes, seed)
    tree = DecisionTreeRegressor(max_depth=depth, min_weight_fraction_leaf=min_weight, random_state=0)
    tree.fit(masks, p, sample_weight=weights)
    values, leaf_of = [], []
    for row in tree.predict(masks).tolist():
        if row not in values:
            values.append(row)
        leaf_of.append(values.index(row))
    return {
        "features": features, "rows": rows, "classes": classes, "seed": seed, "depth": depth, "min_weight": min_weight,
        "leaf_of": leaf_of, "values": values,
    }


if __name__ == "__main__":
    cases = [record(12, 300, 3, 1, 3, 0.0), record(12, 300, 3, 1, 6, 0.0), record(44, 1000, 6, 2, 3, 0.0),
             record(44, 1000, 6, 2, 6, 0.0), record(44, 1000, 6, 2, 6, 0.03)]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tree.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
