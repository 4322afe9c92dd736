"""Whole explanations of five texts by PyPI lime, for every class of the classifier in hash_model.py.

LimeTextExplainer(random_state=seed), everything else by default (split \\W+, bow, kernel width 25, Ridge(alpha=1)); a
fresh explainer for each class, so that all classes see the same masks and LIME's score is that class's. Each text with 5
features and 1000 samples (LIME then selects forward) and with LIME's defaults (10 and 5000: highest weights).
A classifier rounded to f32 must give the same words, and numbers within 1e-6, so that no near tie is pinned.

Run: python lime_text.py   (1 minute; writes lime_text.json beside it)
Written with Python 3.11, lime 0.2.0.1, scikit-learn 1.9.1, numpy 2.4.6.

A record: text, seed, features, samples, checksum (of the classifier on the text, see hash_model.py), classes: words
([word, weight], LIME's order), intercept, score (R2 on the masks), local_pred (of the surrogate at the text).
"""

import json
import os

import numpy as np
from lime.lime_text import LimeTextExplainer

from hash_model import CLASSES, checksum, classify

TEXTS = [
    ("I can't believe you threw me a surprise party, I'm shaking with joy", 0),
    ("The cat saw the dog and the dog saw the cat; then the cat ran, and ran, and RAN!", 1),
    ("Straße, café und naïve Ærøskøbing — «Привет, мир», Ελλάδα: 東京 は 42度 ❤!", 42),
    ("so-so", 7),
    ("It was late in November when the old ferry, painted green once but now mostly rust, left harbour for its last "
     "crossing; nobody aboard spoke much, though a small band near the stern played waltzes, and children who had "
     "never seen snow ran between benches counting flakes aloud until their parents, smiling, called them back.", 2024),
]


def single(texts):
    return np.array([classify(t) for t in texts]).astype(np.float32).astype(float)


def double(texts):
    return np.array([classify(t) for t in texts])


def explain(text, seed, features, samples, model):
    classes = []
    for c in range(CLASSES):
        explainer = LimeTextExplainer(random_state=seed)
        e = explainer.explain_instance(text, model, labels=(c,), num_features=features, num_samples=samples)
        words = [[str(w), float(v)] for w, v in e.as_list(label=c)]
        classes.append(dict(words=words, intercept=float(e.intercept[c]), score=float(e.score),
                            local_pred=float(e.local_pred[0])))
    return classes


def numbers(classes):
    return [v for c in classes for v in (c["intercept"], c["score"], c["local_pred"], *(v for _, v in c["words"]))]


def record(text, seed, features, samples):
    classes = explain(text, seed, features, samples, double)
    rounded = explain(text, seed, features, samples, single)
    for a, b in zip(classes, rounded):
        assert [w for w, _ in a["words"]] == [w for w, _ in b["words"]], (text, a, b)
    away = np.abs(np.subtract(numbers(classes), numbers(rounded))).max()
    assert away < 1e-6
    print(f"{text[:30]!r} {features} of {samples}: {np.round(classify(text), 3)}, f32 moves numbers by {away:.0e}", flush=True)
    return dict(text=text, seed=seed, features=features, samples=samples, checksum=checksum(text), classes=classes)


if __name__ == "__main__":
    records = [record(text, seed, *size) for text, seed in TEXTS for size in [(5, 1000), (10, 5000)]]
    with open(os.path.join(os.path.dirname(__file__), "lime_text.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in records) + "\n]\n")
