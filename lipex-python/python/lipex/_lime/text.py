"""LIME's explainer of texts."""

from __future__ import annotations

from typing import Any, Callable, Iterable

import numpy as np

from .. import _explain
from . import shared

#: LIME counts distances in hundredths.
_HUNDREDTHS = 100


class TextExplanation(shared.LimeExplanation):
    """Of a text: names may be told with their places."""

    def _name(self, feature: int, positions: bool = False, **_: Any) -> str:
        if not positions:
            return super()._name(feature)
        places = "-".join(str(start) for start, _ in self.lipex.spans[feature])
        return f"{super()._name(feature)}_{places}"


class LimeTextExplainer:
    """LIME's, with its signature: ``explain_instance`` gives the same weights on the same masks.

    Not taken: ``kernel``, another ``split_expression`` than ``r"\\W+"``, ``char_level``.

    >>> from lipex.lime import LimeTextExplainer
    >>> predict = lambda texts: [[0.1, 0.9] if "fine" in t else [0.6, 0.4] for t in texts]
    >>> e = LimeTextExplainer(class_names=["bad", "good"], random_state=0).explain_instance("a fine day", predict)
    >>> e.as_list(label=1)[0][0]
    'fine'
    """

    def __init__(
        self,
        kernel_width: float = 25,
        kernel: Any = None,
        verbose: bool = False,
        class_names: Any = None,
        feature_selection: str = "auto",
        split_expression: Any = r"\W+",
        bow: bool = True,
        mask_string: str | None = None,
        random_state: Any = None,
        char_level: bool = False,
    ) -> None:
        shared.refuse(
            {"kernel": kernel is not None, "split_expression": split_expression != r"\W+", "char_level": char_level}
        )
        self.kernel_width, self.verbose, self.class_names = kernel_width, verbose, class_names
        self.feature_selection, self.bow, self.mask_string = feature_selection, bow, mask_string
        self.random_state = shared.random_state(random_state)

    def explain_instance(
        self,
        text_instance: str,
        classifier_fn: Callable[[list[str]], Any] | str,
        labels: Iterable[int] = (1,),
        top_labels: int | None = None,
        num_features: int = 10,
        num_samples: int = 5000,
        distance_metric: str = "cosine",
        model_regressor: Any = None,
    ) -> TextExplanation:
        """Explains a text; ``classifier_fn`` may also be ``"onnx:FOLDER"``.

        Not taken: another ``distance_metric``, ``model_regressor``.
        """
        shared.refuse({"distance_metric": distance_metric != "cosine", "model_regressor": model_regressor is not None})
        asked = shared.Asked(classifier_fn)
        explainer = _explain.Explainer(
            asked if callable(classifier_fn) else classifier_fn,
            class_names=self.class_names,
            preset="lime",
            select=shared.select(self.feature_selection, num_features),
            batch_size=num_samples,
            proximity=f"exponential:{self.kernel_width / _HUNDREDTHS!r}",
            unit="word" if self.bow else "occurrence",
            removed="drop" if self.bow else f"mask:{'UNKWORDZ' if self.mask_string is None else self.mask_string}",
        )
        e = explainer.explain(text_instance, masks=lambda features: masks(self.random_state, features, num_samples))
        answer = asked.first if callable(classifier_fn) else e.probabilities
        made = TextExplanation(e, labels, top_labels, self.random_state, answer)
        if self.verbose:
            shared.tell(made)
        if self.class_names is None:
            self.class_names = list(e.classes)
        return made


def masks(state: np.random.RandomState, features: int, samples: int) -> np.ndarray:
    """LIME's own: a number of words to remove, then which; row 0 is the text."""
    drawn = np.ones((samples, features), dtype=np.uint8)
    for row, size in enumerate(state.randint(1, features + 1, samples - 1), start=1):
        drawn[row, state.choice(features, size, replace=False)] = 0
    return drawn
