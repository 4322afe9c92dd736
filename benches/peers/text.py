"""Whole explanations of one text for every class: lipex and its peers in Python, on the same classifier.

Run from the workspace root, after `cargo build --release -p lipex-cli`:

    python -m venv target/peers && target/peers/bin/pip install scikit-learn lime==0.2.0.1 eli5 captum
    target/peers/bin/python benches/peers/text.py [--rounds 5] [--record benches/records/DATE-text.md]

Peers: LIME 0.2.0.1, eli5's TextExplainer, captum's Lime and KernelShap (captum brings PyTorch, several gigabytes). One that is
not installed is skipped, aloud. interpreto is none: it explains models of the `transformers` library, not a function.

The classifier is a TF-IDF logistic regression of six classes on sentences drawn from a fixed vocabulary; the text has 44 distinct
words. Each explainer asks for 1000 samples and has one thread. What is compared is its own time, without the classifier's: of
the peers the processor's time, so that a busy machine is not held against them; of lipex what its report says, by the clock.
eli5 draws its samples otherwise and fits a classifier of its own, so its figure is of the same job, not of the
same computation.

captum explains one class at a time and knows no texts. So that nothing is held against it, every class gets the same masks,
their answers are asked for once and kept, and the time of making texts from masks is taken out with the classifier's. Its Lime
is given lipex's masks, LIME's proximity and a ridge on all words: the same computation as `lipex text --surrogate ridge
--select all`, and their coefficients are compared. KernelShap draws its masks itself.
"""

import os

# Before numpy, which reads them when it is imported.
os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = 1000
CAPTUM_LIME = "captum's Lime, ridge on all words"
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


def lipex(text, seed, *options):
    """Milliseconds of everything but the model, and the explanation."""
    command = [ROOT / "target/release/lipex", "text", text, "--seed", str(seed), "--batch-size", "1000", "--json", "-",
               "--model", f"command:'{sys.executable}' '{__file__}' --serve", *options]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    times = told["timings_ms"]
    return sum(times.values()) - times["predict"], told


OURS = {
    "lipex, 5 features a class, with out-of-fold fidelity": [],
    "lipex, ridge on all words, with out-of-fold fidelity": ["--surrogate", "ridge", "--select", "all"],
    "lipex, Kernel SHAP, with out-of-fold fidelity": ["--preset", "kernel-shap"],
}


def apart(model, explain):
    """Milliseconds of an explanation less those inside the model, and what it gives."""
    inside = 0.0

    def predict(texts):
        nonlocal inside
        start = time.process_time()
        answer = model.predict_proba(list(texts))
        inside += time.process_time() - start
        return answer

    start = time.process_time()
    given = explain(predict)
    return 1e3 * (time.process_time() - start - inside), given


def with_lime(text):
    from lime.lime_text import LimeTextExplainer

    return lambda seed: lambda predict: LimeTextExplainer(class_names=CLASSES, random_state=seed).explain_instance(
        text, predict, num_features=5, num_samples=SAMPLES, labels=range(len(CLASSES)))


def with_eli5(text):
    from eli5.lime import TextExplainer

    return lambda seed: lambda predict: TextExplainer(n_samples=SAMPLES, random_state=seed).fit(text, predict)


class Answers:
    """A column of the model's answers for masks, which are asked about once; making texts counts as the model's time."""

    def __init__(self, text, model):
        self.words, self.model, self.kept, self.inside = text.split(), model, {}, 0.0

    def __call__(self, masks, column):
        import torch

        start = time.process_time()
        rows = masks.numpy().astype(bool)
        key = rows.tobytes()
        if key not in self.kept:
            texts = [" ".join(w for w, keep in zip(self.words, row) if keep) for row in rows]
            self.kept[key] = torch.from_numpy(self.model.predict_proba(texts))
        answer = self.kept[key][:, column].contiguous()
        self.inside += time.process_time() - start
        return answer


def with_captum(text, model, made):
    """An explanation of every class made by `made(column of answers, seed)`, an attribution of captum."""
    import torch

    torch.set_num_threads(1)
    whole = torch.ones(1, len(text.split()))

    def explain(seed):
        answers = Answers(text, model)
        start = time.process_time()
        rows = []
        for c in range(len(CLASSES)):
            # The same draws for every class.
            torch.manual_seed(seed)
            attribution, more = made(lambda masks, c=c: answers(masks, c), seed)
            rows.append(attribution.attribute(whole, n_samples=SAMPLES, perturbations_per_eval=SAMPLES, **more))
        ms = 1e3 * (time.process_time() - start - answers.inside)
        assert len(answers.kept) == 1, "every class has the same masks"
        return ms, torch.stack(rows).reshape(len(CLASSES), -1).numpy()

    return explain


def captum_lime(text, model, masks_of):
    from captum._utils.models.linear_model import SkLearnRidge
    from captum.attr import LimeBase
    import torch

    def made(column, seed):
        masks = torch.from_numpy(masks_of[seed])
        def draw(_):
            yield from masks.split(1)
        def proximity(_, __, mask):
            far = 1 - (mask.sum() / mask.numel()).sqrt()
            return torch.exp(-(far**2) / (2 * 0.25**2))
        same = lambda mask, *_: mask
        return LimeBase(column, SkLearnRidge(alpha=1.0), proximity, draw, True, same, None), {}

    return with_captum(text, model, made)


def captum_kernel_shap(text, model):
    from captum.attr import KernelShap

    return with_captum(text, model, lambda column, _: (KernelShap(column), {}))


def peers(text, model, masks_of):
    """Each installed peer: milliseconds and what it gives, for a seed."""
    timed = lambda explain: lambda seed: apart(model, explain(seed))
    makers = {
        "LIME 0.2.0.1": ("lime", lambda: timed(with_lime(text))),
        "eli5's TextExplainer": ("eli5", lambda: timed(with_eli5(text))),
        CAPTUM_LIME: ("captum", lambda: captum_lime(text, model, masks_of)),
        "captum's KernelShap": ("captum", lambda: captum_kernel_shap(text, model)),
    }
    found = {}
    for who, (package, make) in makers.items():
        try:
            found[who] = make()
        except ImportError as error:
            print(f"skipped: {who}: {package} is not installed ({error})", file=sys.stderr)
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--record", type=pathlib.Path)
    options.add_argument("--serve", action="store_true")
    options = options.parse_args()
    if options.serve:
        return serve()
    model = classifier()
    text = " ".join(np.random.default_rng(1).permutation(WORDS)[:44])
    masks_of, times = {}, {}
    others = peers(text, model, masks_of)
    for seed in range(options.rounds):
        masks_of[seed], explained = neighbourhood(text, seed)
        for who, flags in OURS.items():
            ms, told = lipex(text, seed, *flags)
            assert told["classes"][int(np.argmax(told["probabilities"]["model"]))] == model.predict([text])[0]
            times.setdefault(who, []).append(ms)
        for who, explain in others.items():
            ms, given = explain(seed)
            times.setdefault(who, []).append(ms)
            if who == CAPTUM_LIME:
                apart_by = np.abs(given - np.array(explained["matrix"])).max()
                assert apart_by < 1e-4, f"captum's coefficients are {apart_by} off"
    record = table(times, options.rounds)
    print(record)
    if options.record:
        options.record.write_text(record)


def neighbourhood(text, seed):
    """The masks of lipex's explanations, and the explanation by a ridge on all words."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "around.npz"
        _, explained = lipex(text, seed, "--surrogate", "ridge", "--select", "all", "--save-neighbourhood", file)
        return np.load(file)["masks"].astype(np.float32), explained


def table(times, rounds):
    """The record: medians, and how many times the first of them each is."""
    of = {who: median(ms) for who, ms in times.items()}
    first = next(iter(of.values()))
    rows = [f"| {who} | {ms:{'.0f' if ms > 100 else '.2f'}} | {ms / first:{'.0f' if ms > 10 * first else '.2f'}} |"
            for who, ms in of.items()]
    packages = []
    for name in ("scikit-learn", "lime", "eli5", "captum", "torch"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            pass
    return "\n".join([
        f"# Whole explanations of a text, {datetime.date.today()}", "",
        f"{os.cpu_count()} processors; load average at the end {os.getloadavg()[0]:.1f}. {', '.join(packages)}.",
        f"44 words, 6 classes, {SAMPLES} samples; `python benches/peers/text.py --rounds {rounds}`. The explainer's own time in milliseconds, the classifier's taken",
        "out: lipex's by the clock, the peers' of the processor; medians, rounds in turn, one thread. captum explains every class on the",
        "same masks, whose answers are kept; its Lime is the computation of the second row, to within 1e-4 in every coefficient.", "",
        "| who | ms | ÷ lipex |", "|---|---|---|", *rows, "",
    ])


if __name__ == "__main__":
    main()
