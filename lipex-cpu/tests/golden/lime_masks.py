"""The masks that PyPI lime draws for a seed.

Text: LimeTextExplainer(random_state=seed) drawing its neighbourhood for D distinct words. Image: LimeImageExplainer(
random_state=seed).data_labels with D segments, that is, `explain_instance` with a random_seed (without one it first
draws a number below 1000 for the segmentation).

Run: python lime_masks.py   (writes lime_masks.json beside it)
Written with Python 3.11, lime 0.2.0.1, numpy 2.4.6, scikit-learn 1.9.1, scikit-image 0.26.0.

A record: sampler (text or image), seed, features (D), rows (N), words: the masks in hexadecimal, 8 digits a 32-bit word,
ceil(D/32) words a row; feature j is bit j mod 32 of word j // 32; 1 keeps a feature.
"""

import os

import numpy as np
from lime.lime_image import LimeImageExplainer
from lime.lime_text import IndexedString, LimeTextExplainer

from problem import words, write


def uniform(inputs):
    return np.full((len(inputs), 2), 0.5)


def text(seed, features, rows):
    explainer = LimeTextExplainer(random_state=seed)
    indexed = IndexedString(" ".join(f"w{j}" for j in range(features)))
    return explainer._LimeTextExplainer__data_labels_distances(indexed, uniform, rows)[0]


def image(seed, features, rows):
    explainer = LimeImageExplainer(random_state=seed)
    pixels = np.zeros((1, features, 3))
    return explainer.data_labels(pixels, pixels, np.arange(features)[None, :], uniform, rows)[0]


def record(sampler, seed, features, rows):
    z = sampler(seed, features, rows)
    assert z.shape == (rows, features) and z[0].all()
    digits = "".join(f"{w:08x}" for w in words(z).ravel().tolist())
    return dict(sampler=sampler.__name__, seed=seed, features=features, rows=rows, words=digits)


if __name__ == "__main__":
    settings = [
        (text, 0, 1, 10), (text, 1, 2, 40), (text, 42, 7, 100), (text, 7, 32, 100), (text, 0, 44, 1000),
        (text, 2**32 - 1, 65, 60), (text, 2024, 300, 40),
        (image, 0, 1, 20), (image, 7, 33, 100), (image, 42, 65, 300), (image, 2**32 - 1, 200, 20),
    ]
    write(os.path.join(os.path.dirname(__file__), "lime_masks.json"), [record(*s) for s in settings])
