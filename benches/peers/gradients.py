"""Gradients of ONNX models: lipex-grad beside PyTorch, one thread each, in one run.

Run from the workspace root, after `cargo build --release -p lipex-grad --example gradient_time`:

    python -m venv target/peers && target/peers/bin/pip install torch onnx numpy
    target/peers/bin/python benches/peers/gradients.py MODELS [--rounds 15] [--turns 4]

MODELS is a folder with the folders efficientnet-lite0 and minilm-emotion. A round is a run forwards and one backwards to the pixels,
or to the embeddings of 13 tokens. PyTorch runs the same graph operator by operator, with its own convolutions. Both take turns; CPU
milliseconds, of which a busy machine takes nothing but caches. Printed: the median and the least of all rounds after the first of each turn.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys
import time

# The script's own folder has an onnx.py, which is not the package.
sys.path.pop(0)
from statistics import median

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("graphs", ROOT / "lipex-grad/tests/golden/gradients.py")
graphs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(graphs)
padded = graphs.conv


def conv(x, w, b, a):
    """Pads that are even are the convolution's own."""
    top, left, bottom, right = a.get("pads", [0] * 4)
    if (top, left) != (bottom, right):
        return padded(x, w, b, a)
    step, group = a.get("strides", 1), a.get("group", 1)
    return torch.nn.functional.conv2d(x, w, b, step, (top, left), a.get("dilations", 1), group)


graphs.conv = conv
IDS = [101, 1045, 2001, 2061, 3407, 2127, 1996, 4542, 2234, 1998, 1045, 6639, 102]


def by_torch(model, cut, ids, rounds):
    if ids:
        tokens = torch.tensor([ids])
        feeds = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "token_type_ids": torch.zeros_like(tokens)}
        feeds = {k: v for k, v in feeds.items() if any(i.name == k for i in model.graph.input)}
    else:
        picture = np.sin(0.05 * np.arange(224)[:, None] + 0.03 * np.arange(224)[None]).astype(np.float32)
        feeds = {cut: torch.from_numpy(np.broadcast_to(picture, (1, 3, 224, 224)).copy())}
    times = []
    for _ in range(rounds):
        before = time.process_time()
        if ids:
            x = model.run(feeds, cut).detach().requires_grad_()
        else:
            x = feeds[cut].clone().requires_grad_()
        model.run({**feeds, cut: x})[0, 0].backward()
        times.append(1e3 * (time.process_time() - before))
        assert x.grad.abs().sum() > 0
    return times[1:]


def by_lipex(file, cut, ids, rounds):
    command = [ROOT / "target/release/examples/gradient_time", file, cut, str(rounds)]
    command += [",".join(map(str, ids))] if ids else []
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(line) for line in told.split()][1:]


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("models", type=pathlib.Path)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--turns", type=int, default=4)
    options = options.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}; CPU ms, median (least) of {options.turns} × {options.rounds - 1} rounds")
    for name, ids in (("efficientnet-lite0", None), ("minilm-emotion", IDS)):
        file = options.models / name / "model.onnx"
        model = graphs.Model(file, torch.float32)
        for weight in model.fixed.values():
            weight.requires_grad_(False)
        cut = model.word_cut() if ids else model.graph.input[0].name
        lipex, peer = [], []
        for _ in range(options.turns):
            lipex += by_lipex(file, cut, ids, options.rounds)
            peer += by_torch(model, cut, ids, options.rounds)
        ratio = f"{median(lipex) / median(peer):.2f} ({min(lipex) / min(peer):.2f})"
        of = lambda times: f"{median(times):.1f} ({min(times):.1f})"
        print(f"{name}: lipex {of(lipex)}, PyTorch {of(peer)}, ratio {ratio}")
