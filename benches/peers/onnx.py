"""Explanations of texts by a model in an ONNX folder: lipex in one process beside LIME on Python's onnxruntime.

Run from the workspace root, after `cargo build --release -p lipex-cli` and
`cargo build --release -p lipex-onnx --example rows`:

    python -m venv target/peers && target/peers/bin/pip install lime==0.2.0.1 onnxruntime==1.32.0 tokenizers==0.23.3
    target/peers/bin/python benches/peers/onnx.py MODEL TEXTS [--count 20] [--max-tokens N] [--threads 2] [--record FILE]

MODEL is a folder (model.onnx, tokenizer.json, config.json), TEXTS a file of `text;label` lines or of JSON lines with `text`; evenly
spaced texts of it are taken.

Per text, one after the other, so that a busy machine is held against neither:

* lipex: the whole command by the clock, start and loading of the model included; N = 1000, and `--adaptive`.
* LIME 0.2.0.1: `explain_instance` alone, for all classes; imports and loading are not counted. At 1000 samples and at its default of
  5000, on a function as pipelines are: batches of 32 in the order given, each padded to its longest. At 1000 also on a function
  that puts equal lengths together.

Then rows a second of the model alone on texts of 24 tokens, in rounds: lipex (its tokenizer included) with that many threads, and
onnxruntime (tokens at hand, batches of 32) as one session of that many threads and as that many sessions of one.
"""

import argparse
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
import onnxruntime
from lime.lime_text import LimeTextExplainer
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH = 32


class Model:
    """The classifier by onnxruntime."""

    def __init__(self, folder, threads, most):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options)
        self.wanted = {i.name for i in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(most or 512)
        config = json.load(open(os.path.join(folder, "config.json"), encoding="utf-8"))
        names = config["id2label"]
        self.names = [names[str(i)] for i in range(len(names))]
        self.pad = config.get("pad_token_id", 0)

    def ids(self, texts):
        return [e.ids for e in self.tokenizer.encode_batch(list(texts))]

    def batch(self, rows):
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), self.pad, np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, :len(row)], mask[i, :len(row)] = row, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        z = self.session.run(["logits"], {k: v for k, v in feed.items() if k in self.wanted})[0].astype(np.float64)
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def as_given(self, texts):
        rows = self.ids(texts)
        return np.concatenate([self.batch(rows[i:i + BATCH]) for i in range(0, len(rows), BATCH)])

    def by_length(self, texts):
        rows = self.ids(texts)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        out = np.empty((len(rows), len(self.names)))
        for i in range(0, len(rows), BATCH):
            out[order[i:i + BATCH]] = self.batch([rows[j] for j in order[i:i + BATCH]])
        return out


def read(file, count):
    lines = [line for line in open(file, encoding="utf-8") if line.strip()]
    lines = lines[::max(1, len(lines) // count)][:count]
    return [json.loads(line)["text"] if file.endswith("l") else line.rsplit(";", 1)[0] for line in lines]


def timed(work):
    start = time.perf_counter()
    given = work()
    return time.perf_counter() - start, given


def lipex(options, text, *more):
    command = [ROOT / "target/release/lipex", "text", "-", "--model", f"onnx:{options.model}", "--threads",
               str(options.threads), "--json", "-", *more]
    if options.max_tokens:
        command += ["--max-tokens", str(options.max_tokens)]
    seconds, done = timed(lambda: subprocess.run(command, check=True, capture_output=True, text=True, input=text))
    return seconds, json.loads(done.stdout)["calls"]["inputs"]


def with_lime(model, text, samples, function):
    explainer = LimeTextExplainer(class_names=model.names, random_state=0)
    work = lambda: explainer.explain_instance(text, function, num_features=5, num_samples=samples,
                                              labels=range(len(model.names)))
    return timed(work)[0]


def explanations(options, model):
    columns = {"lipex, N = 1000": [], "lipex, --adaptive": [], "LIME, 1000": [], "LIME, 1000, by length": [], "LIME, 5000": []}
    model.as_given(["warm up"] * BATCH)
    asked = []
    for text in read(options.texts, options.count):
        first, inputs = lipex(options, text, "--samples", "1000")
        columns["LIME, 1000"].append(with_lime(model, text, 1000, model.as_given))
        columns["LIME, 1000, by length"].append(with_lime(model, text, 1000, model.by_length))
        # Before and after its peer, so that a machine that grows busy harms neither.
        columns["lipex, N = 1000"].append((first + lipex(options, text, "--samples", "1000")[0]) / 2)
        columns["LIME, 5000"].append(with_lime(model, text, 5000, model.as_given))
        adaptive, few = lipex(options, text, "--adaptive")
        columns["lipex, --adaptive"].append(adaptive)
        asked.append((inputs, few))
        print(*(f"{name} {times[-1]:.2f} s;" for name, times in columns.items()), inputs, few, file=sys.stderr, flush=True)
    return columns, asked


def rows_a_second(options, model, rounds):
    """Texts of 24 tokens: those of one token a word, in other orders."""
    words = [w for w, _ in sorted(model.tokenizer.get_vocab().items(), key=lambda kv: kv[1]) if w.isalpha() and len(w) > 3]
    words = [w for w in words[:2000] if len(model.ids([w])[0]) == 3]
    r = np.random.default_rng(0)
    texts = [" ".join(r.choice(words, 22)) for _ in range(512)]
    rows = model.ids(texts)
    assert {len(row) for row in rows} == {24}
    one = [Model(options.model, 1, None) for _ in range(options.threads)]
    pool = ThreadPoolExecutor(options.threads)
    batches = [rows[i:i + BATCH] for i in range(0, len(rows), BATCH)]
    serial = lambda: [model.batch(b) for b in batches]
    shares = [batches[i::options.threads] for i in range(options.threads)]
    parallel = lambda: list(pool.map(lambda ib: [one[ib[0]].batch(b) for b in ib[1]], enumerate(shares)))
    command = [ROOT / "target/release/examples/rows", options.model, str(options.threads)]
    told = {"lipex": [], f"one session of {options.threads} threads": [], f"{options.threads} sessions of one": []}
    ours = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours.stdin.write(json.dumps(texts) + "\n")
    ours.stdin.flush()
    assert ours.stdout.readline().strip() == "ready"
    serial(), parallel()
    for _ in range(rounds):
        ours.stdin.write("go\n")
        ours.stdin.flush()
        told["lipex"].append(float(ours.stdout.readline()))
        for name, work in zip(list(told)[1:], (serial, parallel)):
            told[name].append(len(rows) / timed(work)[0])
    ours.stdin.close()
    ours.wait()
    return told


def peak(options, text):
    """Mebibytes of the command at its most, by the system's count."""
    lipex(options, text)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("texts")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--record")
    options = parser.parse_args()
    model = Model(options.model, options.threads, options.max_tokens)
    memory = peak(options, max(read(options.texts, options.count), key=len))
    speed = rows_a_second(options, model, options.rounds)
    print(*(f"{name} {median(rates):.0f} rows/s;" for name, rates in speed.items()), file=sys.stderr, flush=True)
    columns, asked = explanations(options, model)
    reference = columns["LIME, 5000"]
    lines = [
        f"# Texts by {os.path.basename(os.path.normpath(options.model))}, {datetime.date.today()}", "",
        f"`python benches/peers/onnx.py {' '.join(sys.argv[1:])}`; {os.cpu_count()} processors, load average at the end "
        f"{os.getloadavg()[0]:.1f}; onnxruntime {onnxruntime.__version__}, lime 0.2.0.1. Seconds by the clock for one explanation,",
        f"medians over {len(reference)} texts; ratios are medians of the texts' own. lipex is the whole command, LIME the call alone.", "",
        "| who | seconds | ÷ LIME at 1000 | ÷ LIME at 5000 |", "|---|---|---|---|",
    ]
    for name, times in columns.items():
        ratio = lambda other: median(t / o for t, o in zip(times, other))
        lines.append(f"| {name} | {median(times):.2f} | {ratio(columns['LIME, 1000']):.3f} | {ratio(reference):.4f} |")
    lines += ["", f"Distinct inputs that lipex asked about: {median(a for a, _ in asked):.0f} of 1000 masks, {median(b for _, b in asked):.0f} "
              f"with --adaptive (medians). Memory of the command at its most: {memory:.0f} MiB.", "",
              f"Rows a second at 24 tokens, medians of {options.rounds} rounds of 512 rows in turn:", "", "| who | rows a second |", "|---|---|"]
    lines += [f"| {name} | {median(rates):.0f} |" for name, rates in speed.items()]
    ours, *others = speed.values()
    paired = median(o / max(theirs) for o, *theirs in zip(ours, *others))
    lines += ["", f"lipex ÷ the better of the others in the same round, median: {paired:.3f}."]
    print("\n".join(lines))
    if options.record:
        pathlib.Path(options.record).write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
