"""Whole explanations of one text for every class: lipex, LIME 0.2.0.1 and eli5's TextExplainer, on the same classifier.

Run from the workspace root, after `cargo build --release -p lipex-cli`:

    python -m venv target/peers && target/peers/bin/pip install scikit-learn lime==0.2.0.1 eli5
    target/peers/bin/python benches/peers/text.py [--rounds 5] [--record benches/records/DATE-text.md]

The classifier is a TF-IDF logistic regression of six classes on sentences drawn from a fixed vocabulary; the text has 44 distinct
words. Each explainer asks for 1000 samples. What is compared is its own time: the wall clock less what passed inside the
classifier. eli5 draws its samples otherwise and fits a classifier of its own, so its figure is of the same job, not of the
same computation.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time
from importlib.metadata import version
from statistics import median

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLASSES = ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
WORDS = [first + second for first in ("ba", "do", "fi", "ge", "ku", "lo", "mi", "na", "po", "ru", "sa", "te")
         for second in ("bin", "dor", "fal", "gus", "kem", "lin", "mor", "nas", "pel", "rit")]


def classifier():
    """Sentences of 20 words; each class prefers words of its own."""
    r = np.random.default_rng(0)
    weights = np.exp(1.5 * r.normal(size=(len(CLASSES), len(WORDS))))
    weights /= weights.sum(1, keepdims=True)
    labels = r.integers(0, len(CLASSES), 1200)
    texts = [" ".join(r.choice(WORDS, 20, p=weights[c])) for c in labels]
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [CLASSES[c] for c in labels])


def serve():
    """The classifier as a program that lipex asks."""
    model = classifier()
    print(json.dumps({"labels": model.classes_.tolist()}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"probabilities": model.predict_proba(json.loads(line)["texts"]).tolist()}), flush=True)


def lipex(text, seed):
    """Milliseconds of everything but the model, and the class that is predicted."""
    command = [ROOT / "target/release/lipex", "text", text, "--seed", str(seed), "--batch-size", "1000", "--json", "-",
               "--model", f"command:'{sys.executable}' '{__file__}' --serve"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    times = told["timings_ms"]
    return sum(times.values()) - times["predict"], told["classes"][int(np.argmax(told["probabilities"]["model"]))]


def apart(model, explain):
    """Milliseconds of an explanation less those inside the model."""
    inside = 0.0

    def predict(texts):
        nonlocal inside
        start = time.perf_counter()
        answer = model.predict_proba(list(texts))
        inside += time.perf_counter() - start
        return answer

    start = time.perf_counter()
    explain(predict)
    return 1e3 * (time.perf_counter() - start - inside)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--record", type=pathlib.Path)
    options.add_argument("--serve", action="store_true")
    options = options.parse_args()
    if options.serve:
        return serve()
    from eli5.lime import TextExplainer
    from lime.lime_text import LimeTextExplainer

    model = classifier()
    text = " ".join(np.random.default_rng(1).permutation(WORDS)[:44])
    lime = lambda seed: lambda predict: LimeTextExplainer(class_names=CLASSES, random_state=seed).explain_instance(
        text, predict, num_features=5, num_samples=1000, labels=range(len(CLASSES)))
    eli5 = lambda seed: lambda predict: TextExplainer(n_samples=1000, random_state=seed).fit(text, predict)
    ours, theirs = [], {"LIME 0.2.0.1": [], "eli5's TextExplainer": []}
    for seed in range(options.rounds):
        ms, predicted = lipex(text, seed)
        assert predicted == model.predict([text])[0]
        ours.append(ms)
        theirs["LIME 0.2.0.1"].append(apart(model, lime(seed)))
        theirs["eli5's TextExplainer"].append(apart(model, eli5(seed)))
    mine = median(ours)
    rows = [f"| lipex, 5 features a class, with out-of-fold fidelity | {mine:.2f} | 1 |"]
    rows += [f"| {who} | {median(ms):.0f} | {median(ms) / mine:.0f} |" for who, ms in theirs.items()]
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "lime", "eli5"))
    record = "\n".join([
        f"# Whole explanations of a text, {datetime.date.today()}", "",
        f"{os.cpu_count()} processors; load average at the end {os.getloadavg()[0]:.1f}. {versions}. 44 words, 6 classes, 1000",
        f"samples; `python benches/peers/text.py --rounds {options.rounds}`. The explainer's own time, the classifier's taken out;",
        "medians in milliseconds, rounds in turn.", "", "| who | ms | ÷ lipex |", "|---|---|---|", *rows, "",
    ])
    print(record)
    if options.record:
        options.record.write_text(record)


if __name__ == "__main__":
    main()
