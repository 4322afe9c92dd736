"""Settings as keywords."""

from __future__ import annotations

import numbers
from functools import cache
from typing import Any, Mapping, NamedTuple, Sequence, TypedDict

from . import _lipex


class Keywords(TypedDict, total=False):
    """Every setting, and what folders have, as keywords; for type checkers and editors."""

    preset: str | None
    samples: int | str | None
    sampler: str | None
    within_angle: float | str | None
    filtered: bool | None
    enumerate: str | None
    seed: int | None
    proximity: str | None
    select: str | None
    surrogate: str | None
    divergence: str | None
    lambda_: float | str | None
    lambda_scale: str | None
    normalise: str | None
    intercept: bool | str | None
    pairs: int | str | Sequence[tuple[int, int]] | None
    starts: int | str | None
    tolerance: float | None
    alpha: float | None
    min_weight: float | str | None
    leaf: str | None
    unit: str | None
    split: str | None
    removed: str | None
    uncertainty: bool | None
    ask_again: bool | None
    adaptive: bool | None
    settled: int | str | None
    half_width: float | None
    max_samples: int | str | None
    top: int | None
    rank: str | None
    batch_size: int | None
    threads: int | None
    backend: str | None
    tokenizer: str | None
    max_tokens: int | None
    output: str | None
    sigmoid: bool | None


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
