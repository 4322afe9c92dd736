"""Writes by_captum.json: small graphs with what captum says of them, in PyTorch and f64.

    pip install torch captum onnx numpy
    python by_captum.py

The graphs' weights are f32, as they stand in the file; PyTorch has the same numbers in f64.
"""

import json
from pathlib import Path

import numpy as np
import torch
from captum.attr import LayerGradCam
from onnx import TensorProto, helper, numpy_helper

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(90)


def number(*shape):
    return rng.normal(0, 0.5, shape).astype(np.float32)


def graph(nodes, weights, shape):
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    ends = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])]
    made = helper.make_graph(nodes, "g", ports, ends, [numpy_helper.from_array(v, k) for k, v in weights.items()])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString().hex()


def told(values):
    return [float(v) for v in values.detach().reshape(-1)]


class Planes(torch.nn.Module):
    """Two convolutions, the mean over each plane, three classes."""

    def __init__(self, w):
        super().__init__()
        self.w = {k: torch.tensor(v, dtype=torch.float64) for k, v in w.items()}
        self.first, self.second = torch.nn.ReLU(), torch.nn.ReLU()

    def forward(self, x):
        w = self.w
        a = self.first(torch.nn.functional.conv2d(x, w["k1"], w["c1"], stride=2, padding=1))
        b = self.second(torch.nn.functional.conv2d(a, w["k2"], w["c2"], padding=1))
        return b.mean((2, 3)) @ w["w"] + w["b"]


def gradcam():
    w = {"k1": number(4, 3, 3, 3), "c1": number(4), "k2": number(5, 4, 3, 3), "c2": number(5), "w": number(5, 3), "b": number(3)}
    nodes = [
        helper.make_node("Conv", ["x", "k1", "c1"], ["a0"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a0"], ["a"]),
        helper.make_node("Conv", ["a", "k2", "c2"], ["b0"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["b0"], ["last"]),
        helper.make_node("GlobalAveragePool", ["last"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["logits"]),
    ]
    x = number(1, 3, 13, 10)
    model, point = Planes(w), torch.tensor(x, dtype=torch.float64)
    maps = {}
    for name, layer in (("last", model.second), ("a", model.first)):
        each = [LayerGradCam(model, layer).attribute(point, target=t, relu_attributions=True) for t in range(3)]
        assert any(m.max() > 0.01 for m in each)
        stretched = [torch.nn.functional.interpolate(m, (13, 10), mode="bilinear", align_corners=False) for m in each]
        maps[name] = [told(m) for m in stretched]
    return {"onnx": graph(nodes, w, [1, 3, 13, 10]), "shape": [1, 3, 13, 10], "x": told(torch.tensor(x)), "layers": maps}


Path(__file__).with_name("by_captum.json").write_text(json.dumps({"gradcam": gradcam()}, separators=(",", ":")) + "\n")
