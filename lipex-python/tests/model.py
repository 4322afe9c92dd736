"""A small bag of words: what the tests ask, in process and, as a program, under the command."""

import json
import sys

import numpy as np

NAMES = ["bad", "dull", "good"]
WEIGHTS = {
    "wonderful": [-1.5, -0.5, 2.0],
    "moving": [-0.5, -0.5, 1.0],
    "dreadful": [2.0, 0.2, -1.5],
    "long": [0.2, 1.5, -0.4],
    "not": [0.8, 0.0, -0.8],
}
TEXT = "A wonderful and moving film, if not too long: dreadful acting, wonderful music"


def logits(texts):
    """(n, 3); "not" before "too" counts double."""
    rows = []
    for text in texts:
        words = [word.strip(",:.!?").lower() for word in text.split()]
        row = np.array([0.1, 0.0, -0.1])
        for word in words:
            row = row + WEIGHTS.get(word, [0.0, 0.0, 0.0])
        rows.append(row + [0.0, 0.7, -0.7] if "not" in words and "too" in words else row)
    return np.array(rows).reshape(len(rows), 3)


def predict(texts):
    """(n, 3) probabilities."""
    scores = np.exp(logits(texts))
    return scores / scores.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    print(json.dumps({"labels": NAMES}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"probabilities": predict(json.loads(line)["texts"]).tolist()}), flush=True)
