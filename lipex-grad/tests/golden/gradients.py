"""Writes gradients.json: gradients of the shared models by PyTorch in f64, norm and 64 entries each.

    pip install torch onnx numpy
    python gradients.py ../../../../shared/models

The graphs run on an interpreter of some twenty operators in PyTorch, checked against each model's expected.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

torch.set_num_threads(1)


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def conv(x, w, b, a):
    top, left, bottom, right = a.get("pads", [0] * 4)
    x = F.pad(x, (left, right, top, bottom))
    return F.conv2d(x, w, b, stride=a.get("strides", 1), dilation=a.get("dilations", 1), groups=a.get("group", 1))


def axes_of(v, a, position=1):
    return a["axes"] if "axes" in a else [int(i) for i in v[position]] if len(v) > position else None


def sliced(v):
    x, starts, ends = v[0], v[1].tolist(), v[2].tolist()
    axes = v[3].tolist() if len(v) > 3 else range(len(starts))
    for s, e, ax in zip(starts, ends, axes):
        n = x.shape[ax]
        s, e = (s + n if s < 0 else min(s, n)), (e + n if e < 0 else min(e, n))
        x = x.narrow(ax, s, max(e - s, 0))
    return x


def unsqueezed(x, axes):
    for ax in sorted(axes):
        x = x.unsqueeze(ax)
    return x


def apply(op, v, a, real):
    if op == "Cast":
        return v[0].to(real if a["to"] in (1, 10, 11) else torch.int64)
    if op == "Reshape":
        return v[0].reshape([v[0].shape[i] if d == 0 else d for i, d in enumerate(v[1].tolist())])
    if op == "Gather":
        axis = a.get("axis", 0)
        index = v[1].long()
        index = torch.where(index < 0, index + v[0].shape[axis], index)
        out = v[0].index_select(axis, index.reshape(-1))
        return out.reshape(list(v[0].shape[:axis]) + list(index.shape) + list(v[0].shape[axis + 1 :]))
    return {
        "Add": lambda: v[0] + v[1],
        "Sub": lambda: v[0] - v[1],
        "Mul": lambda: v[0] * v[1],
        "Div": lambda: v[0] / v[1],
        "MatMul": lambda: v[0] @ v[1],
        "Sqrt": lambda: v[0].sqrt(),
        "Erf": lambda: v[0].erf(),
        "Softmax": lambda: v[0].softmax(a.get("axis", -1)),
        "ReduceMean": lambda: v[0].mean(axes_of(v, a), keepdim=bool(a.get("keepdims", 1))),
        "ReduceSum": lambda: v[0].sum(axes_of(v, a), keepdim=bool(a.get("keepdims", 1))),
        "Transpose": lambda: v[0].permute(a["perm"]),
        "Shape": lambda: torch.tensor(v[0].shape),
        "Unsqueeze": lambda: unsqueezed(v[0], axes_of(v, a)),
        "Slice": lambda: sliced(v),
        "Conv": lambda: conv(v[0], v[1], v[2] if len(v) > 2 else None, a),
        "Clip": lambda: v[0].clamp(float(v[1]), float(v[2])),
        "GlobalAveragePool": lambda: v[0].mean((2, 3), keepdim=True),
        "Flatten": lambda: v[0].flatten(a.get("axis", 1)),
        "Identity": lambda: v[0],
    }[op]()


class Model:
    def __init__(self, file, real=torch.float64):
        self.graph, self.real = onnx.load(str(file)).graph, real
        self.fixed = {}
        for t in self.graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(t).copy())
            self.fixed[t.name] = value.to(real) if value.dtype == torch.float32 else value
        for node in self.graph.node:
            if node.op_type == "Constant":
                value = torch.from_numpy(numpy_helper.to_array(attributes(node)["value"]).copy())
                self.fixed[node.output[0]] = value.to(real) if value.is_floating_point() else value

    def run(self, feeds, upto="logits"):
        values = {**self.fixed, **feeds}
        for node in self.graph.node:
            if node.op_type == "Constant" or node.output[0] in feeds:
                continue
            missing = [i for i in node.input if i and i not in values]
            if missing:
                continue
            values[node.output[0]] = apply(node.op_type, [values[i] for i in node.input if i], attributes(node), self.real)
            if node.output[0] == upto:
                return values[upto]

    def word_cut(self):
        """The tensor of the words' embeddings: the Gather by input_ids, then casts, differences and products of such."""
        made, last = {"input_ids"}, None
        for node in self.graph.node:
            others = [i for i in node.input if i not in self.fixed and i not in made]
            if others or not any(i in made for i in node.input):
                continue
            if node.op_type in ("Gather", "Cast", "Sub", "Mul"):
                made.add(node.output[0])
                last = node.output[0]
        return last


def told(gradient):
    flat = gradient.detach().reshape(-1)
    step = max(1, len(flat) // 64)
    return {"norm": float(flat.norm()), "step": step, "entries": [float(g) for g in flat[::step][:64]]}


def text(folder):
    model = Model(folder / "model.onnx")
    example = json.loads((folder / "expected.json").read_text())["examples"][0]
    ids = torch.tensor([example["input_ids"]])
    feeds = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if any(i.name == "token_type_ids" for i in model.graph.input):
        feeds["token_type_ids"] = torch.zeros_like(ids)
    cut = model.word_cut()
    x = model.run(feeds, cut).detach().requires_grad_()
    logits = model.run({**feeds, cut: x})
    assert np.allclose(logits.detach().numpy()[0], example["logits"], atol=2e-3), (logits, example["logits"])
    best = int(logits.argmax())
    logits[0, best].backward()
    return {"cut": cut, "ids": example["input_ids"], "class": best, "logit": float(logits[0, best]), **told(x.grad)}


def photo(folder):
    model = Model(folder / "model.onnx")
    # A picture that needs no file: waves of colour in the model's input space.
    c, h, w = np.meshgrid(np.arange(3), np.arange(224), np.arange(224), indexing="ij")
    picture = np.sin(0.05 * h * (c + 1)) * np.cos(0.03 * w + c)
    x = torch.tensor(picture[None]).requires_grad_()
    name = model.graph.input[0].name
    logits = model.run({name: x})
    best = int(logits.argmax())
    logits[0, best].backward()
    return {"cut": name, "class": best, "logit": float(logits[0, best]), **told(x.grad)}


if __name__ == "__main__":
    models = Path(sys.argv[1])
    made = {name: text(models / name) for name in ("minilm-emotion", "minilm-news6")}
    made["efficientnet-lite0"] = photo(models / "efficientnet-lite0")
    Path(__file__).with_name("gradients.json").write_text(json.dumps(made, indent=1) + "\n")
