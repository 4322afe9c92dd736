"""Writes pairs/: small models of two texts in ONNX folders, and pairs.json: what NumPy says of them.

    pip install onnx numpy tokenizers
    python pairs.py

encoder gives a vector a token, of which the mean is taken; cross-classes gives three classes of a pair, cross-score one number, both
from products of sums over the first text's tokens and the second's, so that token types matter. The padding's row is not 0: a model
that is not masked gives other numbers.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

here = Path(__file__).parent
words = "[PAD] [UNK] [CLS] [SEP] a the man dog cat kitten puppy plays sings music guitar song street outside runs from black".split()
rng = np.random.default_rng(17)
DIM = 6
table = rng.normal(size=(len(words), DIM)).astype(np.float32)
# Words that mean the same are alike.
for one, other in [("dog", "puppy"), ("cat", "kitten"), ("guitar", "music"), ("plays", "sings"), ("street", "outside")]:
    table[words.index(other)] = table[words.index(one)] + 0.3 * rng.normal(size=DIM).astype(np.float32)
mix = rng.normal(size=(DIM, DIM)).astype(np.float32)


def tokenizer():
    t = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    t.normalizer = normalizers.Lowercase()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def weight(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def save(folder, nodes, weights, inputs, output, shape, config):
    folder.mkdir(parents=True, exist_ok=True)
    of = [helper.make_tensor_value_info(n, TensorProto.INT64, ["rows", "tokens"]) for n in inputs]
    graph = helper.make_graph(nodes, "pairs", of, [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    tokenizer().save(str(folder / "tokenizer.json"))


def encoder():
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "input_ids"], ["x"]),
        node("MatMul", ["x", "mix"], ["y"]),
        node("Tanh", ["y"], ["last_hidden_state"]),
    ]
    folder = here / "pairs" / "encoder"
    save(folder, nodes, [weight("table", table), weight("mix", mix)], ["input_ids", "attention_mask"], "last_hidden_state",
         ["rows", "tokens", DIM], {"model_type": "bert", "pad_token_id": 0, "max_position_embeddings": 32})
    modules = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    listed = [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{m}"}
              for i, (m, p) in enumerate(zip(modules, paths))]
    (folder / "modules.json").write_text(json.dumps(listed, indent=1) + "\n")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": DIM, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}) + "\n")


heads = {name: tuple((0.15 * rng.normal(size=(DIM, n))).astype(np.float32) for _ in range(2))
         for name, n in [("cross-classes", 3), ("cross-score", 1)]}


def cross(name, labels):
    node = helper.make_node
    both, alone = heads[name]
    nodes = [
        node("Gather", ["table", "input_ids"], ["x"]),
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
        node("Mul", ["mask", "types"], ["m2"]),
        node("Sub", ["mask", "m2"], ["m1"]),
        node("Unsqueeze", ["m1", "last"], ["w1"]),
        node("Unsqueeze", ["m2", "last"], ["w2"]),
        node("Mul", ["x", "w1"], ["x1"]),
        node("Mul", ["x", "w2"], ["x2"]),
        node("ReduceSum", ["x1", "middle"], ["s1"], keepdims=0),
        node("ReduceSum", ["x2", "middle"], ["s2"], keepdims=0),
        node("Mul", ["s1", "s2"], ["product"]),
        node("MatMul", ["product", "both"], ["a"]),
        node("MatMul", ["s1", "alone"], ["b"]),
        node("Add", ["a", "b"], ["logits"]),
    ]
    weights = [weight("table", table), weight("both", both), weight("alone", alone),
               weight("last", np.array([2], np.int64)), weight("middle", np.array([1], np.int64))]
    config = {"model_type": "bert", "pad_token_id": 0, "max_position_embeddings": 32,
              "id2label": {str(i): label for i, label in enumerate(labels)}}
    save(here / "pairs" / name, nodes, weights, ["input_ids", "attention_mask", "token_type_ids"], "logits",
         ["rows", len(labels)], config)


def said(first, second):
    """What the three models say of two texts, in f64."""
    t, e = tokenizer(), {}
    t64, m64 = table.astype(float), mix.astype(float)
    codes = [np.tanh(t64[t.encode(text).ids] @ m64).mean(0) for text in (first, second)]
    a, b = codes
    e["cosine"] = float(a @ b / np.sqrt(a @ a * (b @ b)))
    pair = t.encode(first, second)
    x, types = t64[pair.ids], np.array(pair.type_ids)
    s1, s2 = x[types == 0].sum(0), x[types == 1].sum(0)
    for name, (both, alone) in heads.items():
        e[name] = ((s1 * s2) @ both.astype(float) + s1 @ alone.astype(float)).tolist()
    return {"texts": [first, second], "ids": pair.ids, "types": pair.type_ids, **e}


encoder()
cross("cross-classes", ["contradiction", "neutral", "entailment"])
cross("cross-score", ["LABEL_0"])
examples = [said(*texts) for texts in [("a man plays guitar", "music outside"), ("the dog runs from the black cat", "a kitten"),
                                       ("the street", ""), ("a song", "the man sings a song on the street outside")]]
(here / "pairs.json").write_text(json.dumps({"examples": examples}, indent=1) + "\n")
