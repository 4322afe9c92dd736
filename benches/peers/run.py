"""Times lipex against its peers on the same masks and probabilities, in one run, one thread each.

Run from the workspace root, after `cargo build --release -p lipex-cli`:

    python -m venv target/peers && target/peers/bin/pip install numpy scipy scikit-learn lime==0.2.0.1
    target/peers/bin/python benches/peers/run.py [--rounds 9] [--record benches/records/DATE.md]

Every round runs each contender once; a figure is the median over rounds. lipex times itself (`--repeat`), by the wall clock,
from decoded arrays to the answer. The peers' times are the processor's: on a busy machine their runs, which are longer, would
be interrupted more often, and the wall clock would flatter lipex. A fit's time is that until its objective is within 1e-6
of the best that anyone found.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import tempfile
import time
from importlib.metadata import version
from statistics import median

import numpy as np

import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIPEX = ROOT / "target" / "release" / "lipex"


def lipex(stage, folder, *options, repeat):
    files = ["--masks", folder / "masks.npy", "--probs", folder / "probs.npy", "--weights", folder / "weights.npy"]
    command = [LIPEX, stage, *files, *options, "--repeat", repeat, "--threads", 1, "--json", "-"]
    return json.loads(subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout)


def clocked(f):
    start = time.process_time()
    result = f()
    return 1e3 * (time.process_time() - start), result


def save(folder, masks, p, w):
    for name, array in (("masks", masks), ("probs", p), ("weights", w)):
        np.save(folder / f"{name}.npy", array)


def selection(folder, rounds, lines):
    masks, p, w = peers.problem(1000, 441, 20, seed=1)
    save(folder, masks, p, w)
    times = {"lipex": [], "numpy f64": [], "numpy f32": []}
    for _ in range(rounds):
        own = lipex("select", folder, "--select", "forward:5", repeat=15)
        times["lipex"].append(own["timings_ms"]["select"])
        ms, picks = clocked(lambda: peers.forward(masks, p, w, 5))
        times["numpy f64"].append(ms)
        times["numpy f32"].append(clocked(lambda: peers.forward(masks, p, w, 5, np.float32))[0])
        assert picks == own["per_class"], "numpy picks other features"
    from lime.lime_base import LimeBase

    base = LimeBase(None, random_state=0)
    one, theirs = clocked(lambda: base.feature_selection(masks.astype(float), p[:, 0].astype(float), w, 5, "forward_selection"))
    assert [int(j) for j in theirs] == picks[0], "LIME picks other features"
    mine = median(times["lipex"])
    for name, taken in times.items():
        lines.append(f"| selection, N = 1000, D = 441, C = 20, k = 5 | {name} | {median(taken):.3f} | {median(taken) / mine:.1f} | |")
    lines.append(f"| the same | LIME 0.2.0.1's own, 20 × its time for one class | {20 * one:.0f} | {20 * one / mine:.0f} | |")


FITS = [
    ("hellinger", 1e-3, False),
    ("kl", 1e-3, False),
    ("hellinger", 1e-6, False),
    ("kl", 1e-6, False),
    ("hellinger", 1e-4, True),
    ("kl", 4e-4, True),
]


def fits(folder, rounds, lines):
    masks, p, w = peers.problem(1000, 67, 20, seed=2)
    save(folder, masks, p, w)
    for divergence, lam, intercept in FITS:
        make = lambda: peers.Objective(masks, p, w, divergence, lam, intercept)
        options = ["--surrogate", "softmax", "--divergence", divergence, "--lambda", lam, "--lambda-scale", "raw"]
        options += ["--pairs", "none", "--intercept", "fitted" if intercept else "none"]
        own, watches, mirrors = [], [], []
        for n in range(rounds):
            own.append(lipex("fit", folder, *options, repeat=11))
            mirrors.append(peers.own_fit(make))
            # SciPy takes seconds at λ = 1e-6.
            if n < 3:
                watches.append(peers.scipy_fit(make()))
        best = min([own[0]["objective"]] + [v for watch in watches + mirrors for _, v in watch.seen])
        goal = best * (1 + 1e-6)
        assert own[0]["objective"] <= goal, (divergence, lam, own[0]["objective"] / best - 1)
        mine = median(o["timings_ms"]["fit"] for o in own)
        name = f"fit, N = 1000, F = 67, C = 20, {divergence}, λ = {lam:g}, {'intercept' if intercept else 'no intercept'}"
        lines.append(f"| {name} | lipex | {mine:.3f} | 1.0 | {own[0]['evaluations']} |")
        for who, runs in (("scipy L-BFGS-B, numpy gradient", watches), ("our algorithm in numpy", mirrors)):
            reached = [r for r in (watch.until(goal) for watch in runs) if r]
            if len(reached) < len(runs):
                lines.append(f"| the same | {who} | never | | |")
                continue
            ms = median(r[0] for r in reached)
            lines.append(f"| the same | {who} | {ms:.2f} | {ms / mine:.1f} | {reached[0][1]} |")


def machine():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        model = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
        vectors = "AVX-512" if "avx512f" in text else "AVX2" if "avx2" in text else "no AVX2"
        return f"{model}, {os.cpu_count()} processors, {vectors}"
    except (OSError, StopIteration):
        return platform.processor()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--record", type=pathlib.Path)
    options = options.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        selection(pathlib.Path(folder), options.rounds, lines)
        fits(pathlib.Path(folder), options.rounds, lines)
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "lime"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    load = f"load average at the end {os.getloadavg()[0]:.1f}"
    text = "\n".join([
        f"# lipex and its peers, {datetime.date.today()}", "",
        f"Machine: {machine()}; {load}. {versions}, Python {platform.python_version()}; lipex at {commit}.",
        f"Command: `python benches/peers/run.py --rounds {options.rounds}`. One thread each, medians in milliseconds, rounds in",
        "turn; lipex by the wall clock, its peers by processor time (which is less on a busy machine). A fit's time is that until",
        "its objective is within 1e-6 of the best found.", "",
        "| work | who | ms | ÷ lipex | evaluations |", "|---|---|---|---|---|", *lines, "",
    ])
    print(text)
    if options.record:
        options.record.write_text(text)


if __name__ == "__main__":
    main()
