"""Explanations for shap's plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._explanation import Explanation


def to_shap(e: Explanation, per: str) -> Any:
    """See :meth:`lipex.Explanation.to_shap`."""
    if per not in ("token", "feature"):
        raise ValueError(f'per = {per!r}: choose "token" or "feature"')
    if per == "token" and e.text is None:
        raise ValueError("per = 'token': of texts alone; choose \"feature\"")
    if e.intercept is None:
        raise ValueError("to_shap: this explanation has no linear surrogate, so no base that values are added to")
    import shap

    if per == "feature":
        names = [e.features[j] for j in e.kept]
        # Data beside the names would be shown as "film = film".
        return shap.Explanation(
            values=e.matrix.T.copy(), base_values=e.intercept.copy(), feature_names=names, output_names=e.classes
        )
    tokens, values = _tokens(e)
    return shap.Explanation(
        values=values[None],
        base_values=e.intercept[None].copy(),
        data=(np.array(tokens, dtype=object),),
        output_names=e.classes,
    )


def _tokens(e: Explanation) -> tuple[list[str], np.ndarray]:
    """Pieces of the text, separators with the word before, and what each adds to each class."""
    text, column = e.text or "", {j: place for place, j in enumerate(e.kept)}
    places = sorted((start, end, j) for j, spans in enumerate(e.spans) for start, end in spans)
    tokens, values = [], []
    for i, (start, _, j) in enumerate(places):
        end = places[i + 1][0] if i + 1 < len(places) else len(text)
        tokens.append(text[start if i else 0 : end])
        share = e.matrix[:, column[j]] / len(e.spans[j]) if j in column else np.zeros(len(e.classes))
        values.append(share)
    return tokens, np.array(values)
