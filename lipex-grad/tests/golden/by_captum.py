"""Writes by_captum.json: small graphs with what captum says of them, in PyTorch and f64.

    pip install torch captum onnx numpy
    python by_captum.py

The graphs' weights are f32, as they stand in the file; PyTorch has the same numbers in f64.
"""

import json
from pathlib import Path

import numpy as np
import torch
from captum.attr import DeepLift, GuidedBackprop, LayerGradCam
from onnx import TensorProto, helper, numpy_helper

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(90)


def number(*shape):
    return rng.normal(0, 0.5, shape).astype(np.float32)


def graph(nodes, weights, shape, opset=18):
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    ends = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])]
    made = helper.make_graph(nodes, "g", ports, ends, [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString().hex()


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


class Mixed(torch.nn.Module):
    """What captum has a rule for (modules) beside what it has none for: ReLU6, GELU, softmax, a product, layer normalisation."""

    def __init__(self, w):
        super().__init__()
        self.w = {k: torch.tensor(v, dtype=torch.float64) for k, v in w.items()}
        self.relu, self.tanh, self.sigmoid = torch.nn.ReLU(), torch.nn.Tanh(), torch.nn.Sigmoid()
        self.relu6, self.gelu = torch.nn.ReLU6(), torch.nn.GELU()

    def forward(self, x):
        w, f = self.w, torch.nn.functional
        a = self.relu(f.conv2d(x, w["k1"], w["c1"], padding=1))
        b = self.relu6(f.conv2d(a, w["k2"], w["c2"], groups=4, padding=1))
        flat = f.avg_pool2d(b, 2).flatten(1)
        gate = self.sigmoid(flat @ w["w1"]) * self.tanh(flat @ w["w2"])
        mean = gate.mean(1, keepdim=True)
        whitened = (gate - mean) / ((gate - mean).pow(2).mean(1, keepdim=True) + 1e-5).sqrt()
        mixed = whitened * f.softmax(flat @ w["w3"], 1)
        return self.gelu(mixed @ w["w4"]) @ w["w"] + w["b"]


def mixed():
    w = {"k1": number(4, 2, 3, 3), "c1": number(4), "k2": 3 * number(4, 1, 3, 3), "c2": number(4), "w": number(5, 3), "b": number(3)}
    w |= {k: number(36, 6) for k in ("w1", "w2", "w3")} | {"w4": 3 * number(6, 5), "two": np.float32(2.0), "eps": np.float32(1e-5)}
    w |= {"zero": np.float32(0.0), "six": np.float32(6.0), "axis": np.array([1], dtype=np.int64)}
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "k1", "c1"], ["a0"], pads=[1, 1, 1, 1]),
        node("Relu", ["a0"], ["a"]),
        node("Conv", ["a", "k2", "c2"], ["b0"], group=4, pads=[1, 1, 1, 1]),
        node("Clip", ["b0", "zero", "six"], ["b1"]),
        node("AveragePool", ["b1"], ["b2"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["b2"], ["flat"]),
        node("MatMul", ["flat", "w1"], ["g1"]), node("Sigmoid", ["g1"], ["g2"]),
        node("MatMul", ["flat", "w2"], ["h1"]), node("Tanh", ["h1"], ["h2"]),
        node("Mul", ["g2", "h2"], ["gate"]),
        node("ReduceMean", ["gate", "axis"], ["mean"]), node("Sub", ["gate", "mean"], ["moved"]),
        node("Pow", ["moved", "two"], ["square"]), node("ReduceMean", ["square", "axis"], ["var"]),
        node("Add", ["var", "eps"], ["more"]), node("Sqrt", ["more"], ["root"]), node("Div", ["moved", "root"], ["white"]),
        node("MatMul", ["flat", "w3"], ["s1"]), node("Softmax", ["s1"], ["s2"], axis=1),
        node("Mul", ["white", "s2"], ["mixed"]), node("MatMul", ["mixed", "w4"], ["m1"]),
        node("Gelu", ["m1"], ["m2"]), node("Gemm", ["m2", "w", "b"], ["logits"]),
    ]
    shape = [1, 2, 6, 6]
    x, base = number(*shape), number(*shape)
    model = Mixed(w).eval()
    point, start = (torch.tensor(v, dtype=torch.float64) for v in (x, base))
    scores = {
        "deeplift": [told(DeepLift(model).attribute(point.clone(), baselines=start, target=t)) for t in range(3)],
        "guided": [told(GuidedBackprop(model).attribute(point.clone(), target=t)) for t in range(3)],
    }
    made = graph(nodes, w, shape, 20)
    return {"onnx": made, "shape": shape, "x": told(torch.tensor(x)), "base": told(torch.tensor(base)), "scores": scores}


Path(__file__).with_name("by_captum.json").write_text(json.dumps({"gradcam": gradcam(), "mixed": mixed()}, separators=(",", ":")) + "\n")
