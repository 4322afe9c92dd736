"""What the package says of itself: examples, signatures, types."""

import ast
import doctest
import inspect
import pathlib
import sys
import types

import numpy as np
import pytest

import lipex
import lipex._explain
import lipex._explanation
import lipex._lipex
import lipex._settings
import lipex.adapters

PACKAGE = pathlib.Path(lipex.__file__).parent
MODULES = [lipex, lipex._explain, lipex._explanation, lipex._settings, lipex.adapters]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_hold(module):
    if module is lipex._explanation:
        pytest.importorskip("pandas")
    options = doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL | doctest.ELLIPSIS
    done = doctest.testmod(module, optionflags=options)
    assert done.attempted > 0 and done.failed == 0


def public():
    for name in lipex.__all__:
        item = getattr(lipex, name)
        if callable(item):
            yield name, item
        if inspect.isclass(item):
            yield from ((f"{name}.{n}", m) for n, m in vars(item).items() if inspect.isfunction(m) and n[0] != "_")


@pytest.mark.parametrize("name, item", list(public()), ids=lambda value: value if isinstance(value, str) else "")
def test_public_items_have_signatures_and_documents(name, item):
    assert "class" not in inspect.signature(item).parameters
    assert inspect.getdoc(item) and "None" not in str(inspect.getdoc(item))[:4]
    if not inspect.isclass(item) and name not in ("Explanation.to_shap", "Explanation.plot"):
        assert ">>>" in inspect.getdoc(item), f"{name} has no example"


def test_parts_of_an_explanation_are_documented():
    for name, part in vars(lipex.Explanation).items():
        if name[0] != "_" and not inspect.isfunction(part) and not isinstance(part, classmethod):
            assert inspect.getdoc(part), name


def signatures(tree):
    """Names with their parameters' names, of functions and of classes' methods."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            yield (
                node.name,
                [a.arg for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs if a.arg != "self"],
            )
        elif isinstance(node, ast.ClassDef) and node.name in ("Made", "Opened"):
            yield from ((f"{node.name}.{name}", parameters) for name, parameters in signatures(node))


def test_stubs_are_what_is_there():
    assert (PACKAGE / "py.typed").is_file()
    stubs = dict(signatures(ast.parse((PACKAGE / "_lipex.pyi").read_text())))
    native = lipex._lipex
    there = {name: getattr(native, name) for name in dir(native) if name[0] != "_"}
    for kind in ("Made", "Opened"):
        members = there.pop(kind)
        there.update({f"{kind}.{name}": getattr(members, name) for name in dir(members) if name[0] != "_"})
    assert set(stubs) == set(there)
    for name, parameters in stubs.items():
        if callable(there[name]):
            own = [p for p in inspect.signature(there[name]).parameters if p != "self"]
            assert own == parameters, name


def test_pipelines():
    def pipe(texts, top_k, batch_size):
        assert top_k is None and batch_size == 8
        rows = [[0.2, 0.7, 0.1] if "fine" in text else [0.5, 0.1, 0.4] for text in texts]
        return [
            sorted(({"label": n, "score": p} for n, p in zip("abc", row)), key=lambda s: -s["score"]) for row in rows
        ]

    model = lipex.from_pipeline(pipe, batch_size=8)
    assert model(["a fine day", "no"]).tolist() == [[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]]
    assert model.class_names == ["a", "b", "c"]
    e = lipex.explain_text("a fine day", model, class_names=model.class_names)
    direct = lipex.explain_text(
        "a fine day",
        lambda ts: [[0.2, 0.7, 0.1] if "fine" in t else [0.5, 0.1, 0.4] for t in ts],
        class_names="a b c".split(),
    )
    assert np.abs(e.matrix - direct.matrix).max() < 1e-7


def test_pipelines_that_know_their_labels():
    class Pipe:
        class model:
            class config:
                id2label = {1: "yes", 0: "no"}

        def __call__(self, texts, top_k):
            return [[{"label": self.label, "score": 0.75}, {"label": "no", "score": 0.25}] for _ in texts]

        label = "yes"

    pipe = Pipe()
    model = lipex.from_pipeline(pipe)
    assert model.class_names == ["no", "yes"] and model(["x"]).tolist() == [[0.25, 0.75]]
    pipe.label = "perhaps"
    with pytest.raises(ValueError, match="'perhaps', which is none of no, yes"):
        model(["x"])


def test_torch(monkeypatch):
    """A stand-in of torch, a tokenizer and a model, as far as they are asked."""
    state = {"inference": False}

    class Inference:
        def __enter__(self):
            state["inference"] = True

        def __exit__(self, *_):
            state["inference"] = False

    torch = types.ModuleType("torch")
    torch.inference_mode = Inference
    monkeypatch.setitem(sys.modules, "torch", torch)

    class Tensor:
        def __init__(self, rows, place="cpu"):
            self.rows, self.device = np.array(rows, dtype=np.float64), place

        def to(self, place):
            return Tensor(self.rows, place)

        def detach(self):
            return self

        def double(self):
            return self

        def cpu(self):
            return Tensor(self.rows)

        def numpy(self):
            assert self.device == "cpu"
            return self.rows

    def tokenizer(texts, padding, truncation, return_tensors, max_length):
        assert (padding, truncation, return_tensors, max_length) == (True, True, "pt", 9)
        return {"input_ids": Tensor([[len(text), "fine" in text] for text in texts])}

    class Model:
        def parameters(self):
            yield Tensor([[0.0]], "cuda:0")

        def __call__(self, input_ids):
            assert state["inference"] and input_ids.device == "cuda:0"
            logits = np.stack([np.zeros(len(input_ids.rows)), 3 * input_ids.rows[:, 1]], axis=1)
            return types.SimpleNamespace(logits=Tensor(logits, "cuda:0"))

    predict = lipex.from_torch(Model(), tokenizer, max_length=9)
    e = lipex.explain_text("a fine day", predict, outputs="logits", class_names={0: "no", 1: "yes"})
    assert not state["inference"] and abs(dict(e.contrast("yes", "no"))["fine"] - 3) < 0.05
