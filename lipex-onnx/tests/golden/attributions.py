"""Writes attributions.json: what captum says of the models of examples/models, in PyTorch.

    pip install torch captum onnx numpy pillow
    python attributions.py ../../../examples/models

Of a text a number a token (the sum over its embedding), of a picture a number a pixel. DeepLIFT and integrated gradients go from
zeros; guided backpropagation and saliency are with their signs.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from captum.attr import DeepLift, GuidedBackprop, InputXGradient, IntegratedGradients, Saliency
from onnx import numpy_helper
from PIL import Image

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
models = Path(sys.argv[1])


def weights(name):
    graph = onnx.load(models / name / "model.onnx").graph
    return {w.name: torch.tensor(numpy_helper.to_array(w).astype(np.float64)) for w in graph.initializer
            if w.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)}


class Emotions(torch.nn.Module):
    """From the embeddings of tokens to logits."""

    def __init__(self):
        super().__init__()
        self.w, self.relu = weights("emotions"), torch.nn.ReLU()

    def forward(self, vectors):
        mean = vectors.mean(1)
        hidden = self.relu(mean @ self.w["hidden_half"] + self.w["hidden_bias_half"])
        return hidden @ self.w["out_half"] + self.w["out_bias_half"]


class Digits(torch.nn.Module):
    """From pixels to logits."""

    def __init__(self):
        super().__init__()
        graph = onnx.load(models / "digits" / "model.onnx").graph
        gemms = [n for n in graph.node if n.op_type == "Gemm"]
        turned = [any(a.name == "transB" and a.i for a in n.attribute) for n in gemms]
        w = weights("digits")
        self.layers = [(w[n.input[1]].T if t else w[n.input[1]], w[n.input[2]]) for n, t in zip(gemms, turned)]
        self.relu = torch.nn.ReLU()

    def forward(self, pixels):
        (w1, b1), (w2, b2) = self.layers
        return self.relu(pixels.flatten(1) @ w1 + b1) @ w2 + b2


def scores(model, x, target, each):
    model.eval()
    methods = {
        "saliency": lambda: Saliency(model).attribute(x, target=target, abs=False),
        "input-x-gradient": lambda: InputXGradient(model).attribute(x, target=target),
        "guided": lambda: GuidedBackprop(model).attribute(x, target=target),
        "integrated-gradients": lambda: IntegratedGradients(model).attribute(x, target=target, n_steps=50),
        "deeplift": lambda: DeepLift(model).attribute(x, target=target),
    }
    return {name: [round(v, 9) for v in each(make()).tolist()] for name, make in methods.items()}


example = json.loads((models / "emotions" / "expected.json").read_text())["examples"][0]
emotions = Emotions()
vectors = emotions.w["words_half"][torch.tensor(example["input_ids"])][None].clone().requires_grad_()
logits = emotions(vectors)[0]
assert torch.allclose(logits, torch.tensor(example["logits"]), atol=1e-4), (logits, example["logits"])
klass = int(logits.argmax())
text = {"text": example["text"], "class": klass, "scores": scores(emotions, vectors, klass, lambda a: a.sum(2)[0].detach())}

# Eight by eight boxes of eight by eight pixels, as the folder says: means, rounded, then from -1 to 1.
small = Image.open(models / "digits" / "3.png").convert("RGB").resize((8, 8), Image.Resampling.BOX).convert("L")
pixels = torch.tensor((np.asarray(small) / 255 - 0.5) / 0.5)[None, None].requires_grad_()
picture = {"file": "3.png", "class": 3, "scores": scores(Digits(), pixels, 3, lambda a: a.flatten().detach())}

out = Path(__file__).parent / "attributions.json"
out.write_text(json.dumps({"emotions": text, "digits": picture}, ensure_ascii=False) + "\n")
