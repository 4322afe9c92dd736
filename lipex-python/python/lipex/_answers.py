"""What models take and give."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np


def to_rows(answer: Any) -> np.ndarray:
    """A model's answer as a C-contiguous (n, C) array of float64.

    Taken in this order: tensors with ``detach`` (torch: with a gradient, in bfloat16, on a device), ``__array__``,
    ``__dlpack__``, nested lists.
    """
    if hasattr(answer, "detach"):
        answer = answer.detach()
        answer = answer.double() if hasattr(answer, "double") else answer
        answer = answer.cpu().numpy()
    elif not hasattr(answer, "__array__") and hasattr(answer, "__dlpack__"):
        answer = np.from_dlpack(answer)
    if isinstance(answer, dict):
        raise ValueError("the model gave a dict; expected an (n, C) array: a row an input, a number a class")
    try:
        array = np.asarray(answer)
        if array.dtype.kind == "c":
            raise TypeError("these are complex numbers")
        array = np.ascontiguousarray(array, dtype=np.float64) if array.ndim else array
    except (TypeError, ValueError) as error:
        told = " ".join(str(error).split())
        raise ValueError(f"the model's answer is no (n, C) array of numbers: {told}") from error
    if array.ndim != 2:
        got = type(answer).__name__ if array.ndim == 0 else f"shape {array.shape}"
        raise ValueError(f"the model gave {got}; expected (n, C): a row an input, a number a class")
    return array


def asked(call: Callable[[Any], Any], given: Callable[[Any], Any] | None = None) -> Callable[[Any], np.ndarray]:
    """A user's callable as the library calls it; ``given`` makes what it is given."""
    if given is None:
        return lambda inputs: to_rows(call(inputs))
    return lambda inputs: to_rows(call(given(inputs)))


def names(class_names: Any) -> list[str] | None:
    """Class names as texts: a sequence, or a mapping from numbers, such as a configuration's ``id2label``."""
    if class_names is None:
        return None
    if isinstance(class_names, str):
        raise TypeError(f"class_names = {class_names!r}: a sequence of names, not one text")
    if hasattr(class_names, "items"):
        class_names = [name for _, name in sorted(class_names.items(), key=lambda item: int(item[0]))]
    return [str(name) for name in class_names]
