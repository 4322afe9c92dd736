"""Explains what a classifier does around one text, image or row of a table, for every class at once.

    >>> import lipex
    >>> def predict(texts):
    ...     return [[0.1, 0.9] if "wonderful" in text else [0.6, 0.4] for text in texts]
    >>> e = lipex.explain_text("A wonderful film, if a little long", predict, class_names=["bad", "good"])
    >>> e.top_k("good", 1)[0][0]
    'wonderful'

A model is a callable, ``"onnx:FOLDER"`` (run in process, without onnxruntime) or ``"demo"``. Settings are keywords,
by the names that ``lipex.settings()`` lists; ``docs/python.md`` tells the whole.
"""

from __future__ import annotations

from ._explain import Explainer, explain_answers, explain_image, explain_table, explain_text
from ._explanation import Explanation, Record
from ._lipex import __version__
from ._settings import Setting, settings
from .adapters import from_pipeline, from_torch

__all__ = [
    "Explainer",
    "Explanation",
    "Record",
    "Setting",
    "__version__",
    "explain_answers",
    "explain_image",
    "explain_table",
    "explain_text",
    "from_pipeline",
    "from_torch",
    "settings",
]
