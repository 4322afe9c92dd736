"""Whole explanations of pictures by PyPI lime, for every class of the classifier in colour_model.py.

LimeImageExplainer(random_state=seed).explain_instance(..., num_samples=N, random_seed=0), everything else by default
(mean colours or the hide_color given, kernel width .25, Ridge(alpha=1), every segment kept); a fresh explainer for each
class, so that all classes see the same masks and LIME's score is that class's. (Without a random_seed explain_instance
first draws one, below 1000, and the masks are others.) A classifier rounded to f32 must give numbers within 1e-6.

Run: python lime_image.py   (a minute; writes lime_image.json beside it)
Written with Python 3.11, lime 0.2.0.1, scikit-learn 1.9.1, scikit-image 0.26.0, numpy 2.4.6.

A record: seed, width, height, hide_color (null for the mean), segments (D), samples, first: the fingerprints of the first 20
images that the classifier was sent, in hexadecimal, all: the fingerprint of the fingerprints of all N, classes: weights (D,
in the segments' order), intercept, score (R2 on the masks), local_pred (of the surrogate at the picture).
"""

import json
import os

import numpy as np
from lime.lime_image import LimeImageExplainer

from colour_model import CLASSES, classify, fingerprints, ids, picture


def explain(seed, width, height, hide_color, samples, model):
    image, map_ids = picture(width, height), ids(width, height)
    segments = np.unique(map_ids, return_inverse=True)[1].reshape(height, width)
    classes, prints = [], None
    for c in range(CLASSES):
        seen = []

        def predict(images):
            seen.append(fingerprints(images))
            return model(images)

        e = LimeImageExplainer(random_state=seed).explain_instance(
            image, predict, labels=(c,), top_labels=None, hide_color=hide_color, num_samples=samples,
            segmentation_fn=lambda _: segments, random_seed=0)
        weights = [v for _, v in sorted((int(j), float(v)) for j, v in e.local_exp[c])]
        assert len(weights) == segments.max() + 1
        classes.append(dict(weights=weights, intercept=float(e.intercept[c]), score=float(e.score),
                            local_pred=float(e.local_pred[0])))
        assert prints is None or (prints == np.concatenate(seen)).all()
        prints = np.concatenate(seen)
    return classes, prints


def numbers(classes):
    return [v for c in classes for v in (c["intercept"], c["score"], c["local_pred"], *c["weights"])]


def record(seed, width, height, hide_color, samples):
    classes, prints = explain(seed, width, height, hide_color, samples, classify)
    rounded, _ = explain(seed, width, height, hide_color, samples, lambda x: classify(x).astype(np.float32).astype(float))
    away = np.abs(np.subtract(numbers(classes), numbers(rounded))).max()
    assert away < 1e-6 and len(prints) == samples
    whole = fingerprints(prints.astype("<u8").view(np.uint8)[None])[0]
    print(f"{width}x{height} {len(classes[0]['weights'])} segments: {np.round(classify([picture(width, height)])[0], 3)}, "
          f"f32 moves numbers by {away:.0e}", flush=True)
    return dict(seed=seed, width=width, height=height, hide_color=hide_color, segments=len(classes[0]["weights"]),
                samples=samples, first=[f"{p:016x}" for p in prints[:20].tolist()], all=f"{int(whole):016x}",
                classes=classes)


if __name__ == "__main__":
    settings = [(0, 20, 12, None, 300), (42, 40, 30, None, 1000), (7, 33, 21, [0, 0, 0], 400), (3, 33, 21, [200, 10, 90], 400)]
    with open(os.path.join(os.path.dirname(__file__), "lime_image.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(record(*s)) for s in settings) + "\n]\n")
