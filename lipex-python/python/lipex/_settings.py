"""Settings as keywords."""

from __future__ import annotations

import numbers
from functools import cache
from typing import Any, Mapping, NamedTuple

from . import _lipex


class Setting(NamedTuple):
    """A setting: what it takes (nothing for one that is True or False), its default, what it does."""

    values: str
    default: str
    about: str


def settings(domain: str = "text") -> dict[str, Setting]:
    """Every setting of explanations, by name; ``domain`` is ``"text"``, ``"image"`` or ``"table"``.

    >>> import lipex
    >>> lipex.settings()["samples"].default
    "1000, the paper's; lime: 5000; kernel-shap: 2D+2048"
    """
    return {name: Setting(*rest) for name, *rest in _lipex.settings(domain)}


def pairs(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keywords as the library reads them; None is what is not given."""
    for name in given:
        if name not in _names():
            _lipex.check([(name, "")], "text")
    return [(name, _spelt(name, value)) for name, value in given.items() if value is not None]


@cache
def _names() -> frozenset[str]:
    return frozenset(settings())


def _spelt(name: str, value: Any) -> str:
    if name == "intercept" and isinstance(value, bool):
        return "fitted" if value else "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return repr(float(value))
    if name == "pairs" and isinstance(value, (list, tuple)):
        return "given:" + ",".join("+".join(str(int(j)) for j in pair) for pair in value)
    raise TypeError(f"{name} = {value!r}: a text, a number, True or False, not {type(value).__name__}")
