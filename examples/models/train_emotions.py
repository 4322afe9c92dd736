"""Trains the small text classifier `emotions/`: seven emotions of a comment, from the means of its words' vectors.

    pip install -r examples/models/requirements.txt
    python examples/models/train_emotions.py FOLDER    # with train.tsv, dev.tsv, test.tsv: text, tab, label

The data are GoEmotions (Demszky et al., ACL 2020; CC BY 4.0) in Ekman's grouping, rows of one label. Writes model.onnx,
config.json, tokenizer.json and expected.json (what onnxruntime says of some rows) and prints the accuracy on test.tsv.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

OUT = Path(__file__).parent / "emotions"
WORDS, VECTOR, HIDDEN, LENGTH = 6000, 24, 48, 64
DROP, DECAY, EPOCHS, BATCH, RATE = 0.3, 3e-6, 8, 64, 2e-3
rng = np.random.default_rng(0)


def read(folder, name):
    lines = (Path(folder) / f"{name}.tsv").read_text(encoding="utf-8").split("\n")[1:]
    return [line.rsplit("\t", 1) for line in lines if line]


def tokenizer(texts):
    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]"]
    made.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=WORDS, min_frequency=3, special_tokens=special))
    return made


def padded(rows, length=LENGTH):
    ids = np.zeros((len(rows), length), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row[:length]
    return ids


def forward(w, ids, mask):
    mean = (w["words"][ids] * mask[..., None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
    hidden = np.maximum(mean @ w["hidden"] + w["hidden_bias"], 0)
    return mean, hidden, hidden @ w["out"] + w["out_bias"]


def train(rows, labels, classes):
    scale = lambda a, b: rng.normal(0, np.sqrt(2 / a), (a, b))
    w = {
        "words": rng.normal(0, 0.1, (WORDS, VECTOR)),
        "hidden": scale(VECTOR, HIDDEN), "hidden_bias": np.zeros(HIDDEN),
        "out": scale(HIDDEN, classes), "out_bias": np.zeros(classes),
    }
    moments = {k: [np.zeros_like(v), np.zeros_like(v)] for k, v in w.items()}
    step = 0
    for epoch in range(EPOCHS):
        rate = RATE * (1 - epoch / EPOCHS)
        for at in np.array_split(rng.permutation(len(rows)), len(rows) // BATCH):
            ids, step = rows[at], step + 1
            mask = (ids > 0) & (rng.random(ids.shape) > DROP)
            mean, hidden, logits = forward(w, ids, mask)
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(len(at)), labels[at]] -= 1
            p /= len(at)
            back = (p @ w["out"].T) * (hidden > 0)
            to_mean = (back @ w["hidden"].T) / np.maximum(mask.sum(1, keepdims=True), 1)
            words = np.zeros_like(w["words"])
            np.add.at(words, ids, to_mean[:, None, :] * mask[..., None])
            gradient = {
                "words": words, "hidden": mean.T @ back, "hidden_bias": back.sum(0),
                "out": hidden.T @ p, "out_bias": p.sum(0),
            }
            for k, g in gradient.items():
                g = g + DECAY * w[k]
                m, v = moments[k]
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w[k] -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        w["words"][0] = 0
    return w


def graph(w, labels):
    half = lambda name: numpy_helper.from_array(w[name].astype(np.float16), name + "_half")
    nodes = [helper.make_node("Cast", [n + "_half"], [n], to=TensorProto.FLOAT) for n in w]
    nodes += [
        helper.make_node("Gather", ["words", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["vectors", "mask3"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "middle"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("MatMul", ["mean", "hidden"], ["h1"]),
        helper.make_node("Add", ["h1", "hidden_bias"], ["h2"]),
        helper.make_node("Relu", ["h2"], ["h3"]),
        helper.make_node("MatMul", ["h3", "out"], ["l1"]),
        helper.make_node("Add", ["l1", "out_bias"], ["logits"]),
    ]
    axis = lambda name, value: numpy_helper.from_array(np.array([value], np.int64), name)
    tokens = lambda name: helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
    made = helper.make_graph(
        nodes, "emotions", [tokens("input_ids"), tokens("attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(labels)])],
        [half(n) for n in w] + [axis("last", -1), axis("middle", 1)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parts = {name: read(sys.argv[1], name) for name in ("train", "dev", "test")}
    labels = sorted({label for _, label in parts["train"]})
    tokens = tokenizer(text for text, _ in parts["train"])
    encode = lambda part: [tokens.encode(text).ids for text, _ in part]
    numbers = lambda part: np.array([labels.index(label) for _, label in part])
    w = train(padded(encode(parts["train"])), numbers(parts["train"]), len(labels))
    OUT.mkdir(exist_ok=True)
    onnx.save(graph(w, labels), OUT / "model.onnx")
    tokens.save(str(OUT / "tokenizer.json"), pretty=False)
    config = {
        "model_type": "mean-of-words", "problem_type": "single_label_classification", "pad_token_id": 0,
        "max_position_embeddings": 256, "id2label": dict(enumerate(labels)), "label2id": {l: i for i, l in enumerate(labels)},
    }
    (OUT / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    session = onnxruntime.InferenceSession(OUT / "model.onnx")
    alone = lambda ids: session.run(None, {"input_ids": [ids], "attention_mask": [[1] * len(ids)]})[0][0]
    for name in ("dev", "test"):
        right = [np.argmax(alone(ids or [0])) == label for ids, label in zip(encode(parts[name]), numbers(parts[name]))]
        print(name, round(float(np.mean(right)), 4))
    examples = []
    for text in ["I’m so happy for you, congratulations!", "This is disgusting, I feel sick.", "Why would anyone do that?",
                 "I am terrified of the dark", "She cried all night and misses him."]:
        encoded = tokens.encode(text)
        logits = [round(float(x), 5) for x in alone(encoded.ids)]
        examples.append({"text": text, "tokens": encoded.tokens, "input_ids": encoded.ids, "logits": logits})
    about = {"made_with": f"onnxruntime {onnxruntime.__version__}, batch of 1, no padding", "examples": examples}
    (OUT / "expected.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
