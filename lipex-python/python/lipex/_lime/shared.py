"""What LIME's three explainers have in common."""

from __future__ import annotations

import html
from typing import Any, Iterable

import numpy as np

from .._answers import to_rows
from .._explanation import Explanation


def refuse(given: dict[str, bool]) -> None:
    """Refuses the first setting that was given and is not taken."""
    for name, is_given in given.items():
        if is_given:
            raise NotImplementedError(f"{name}: lipex.lime does not take it; leave it out, or use lime itself for it")


def random_state(given: Any) -> np.random.RandomState:
    """As scikit-learn reads one: a generator, a seed, or NumPy's own."""
    if isinstance(given, np.random.RandomState):
        return given
    return np.random.mtrand._rand if given is None else np.random.RandomState(given)


def select(method: str, num_features: int) -> str:
    """LIME's ``feature_selection`` by lipex's names."""
    if method == "auto":
        method = "forward_selection" if num_features <= 6 else "highest_weights"
    names = {"forward_selection": "forward", "highest_weights": "highest", "lasso_path": "lasso"}
    if method == "none":
        return "all"
    if method not in names:
        choices = ", ".join(["auto", *names, "none"])
        raise ValueError(f"feature_selection = {method!r}: choose {choices}")
    return f"{names[method]}:{num_features}"


class Asked:
    """A classifier that keeps its answer to the instance, which is asked first."""

    def __init__(self, classifier_fn: Any) -> None:
        self.classifier_fn, self.first = classifier_fn, np.zeros(0)

    def __call__(self, inputs: Any) -> np.ndarray:
        rows = to_rows(self.classifier_fn(inputs))
        if not self.first.size and len(rows):
            self.first = rows[0].copy()
        return rows


class LimeExplanation:
    """What LIME's ``explain_instance`` gives, read from a :class:`lipex.Explanation`, which is ``.lipex``.

    ``intercept`` and ``local_exp`` are by label; ``score`` and ``local_pred`` are of the last label, as LIME's are.
    """

    mode = "classification"

    def __init__(
        self, e: Explanation, labels: Iterable[int], top_labels: int | None, state: Any, answer: np.ndarray
    ) -> None:
        #: The explanation of every class.
        self.lipex = e
        self.class_names = list(e.classes)
        self.predict_proba = answer
        self.random_state = state
        self.top_labels: list[int] | None = None
        labels = [int(label) for label in labels]
        if top_labels:
            labels = [int(c) for c in np.argsort(self.predict_proba)[-top_labels:]]
            self.top_labels = labels[::-1]
        missing = [label for label in labels if not 0 <= label < len(e.classes)]
        if missing:
            raise ValueError(f"labels: there is no class {missing[0]}; there are {len(e.classes)}, from 0")
        by_class = {c: [(j, value) for j, value in e._made.top_k(c, len(e.kept), "absolute")] for c in labels}
        self.local_exp: dict[int, list[tuple[int, float]]] = by_class
        intercept = np.zeros(len(e.classes)) if e.intercept is None else e.intercept
        self.intercept: dict[int, float] = {c: float(intercept[c]) for c in labels}
        self.score: float | None = None
        self.local_pred: np.ndarray | None = None
        if labels and e.fidelity is not None:
            self.score = e.fidelity["r2"][labels[-1]]
            self.local_pred = np.array([e.surrogate_probabilities[labels[-1]]])

    def available_labels(self) -> list[int]:
        """The labels that are explained, likeliest first with ``top_labels``."""
        return list(self.top_labels or self.local_exp)

    def _name(self, feature: int, **_: Any) -> str:
        return self.lipex._document["features"][feature]["name"]

    def as_list(self, label: int = 1, **kwargs: Any) -> list[tuple[str, float]]:
        """Names and weights of a label, largest absolute weight first."""
        return [(self._name(j, **kwargs), value) for j, value in self.local_exp[label]]

    def as_map(self) -> dict[int, list[tuple[int, float]]]:
        """Features by number and weights, by label."""
        return self.local_exp

    def as_pyplot_figure(self, label: int = 1, **kwargs: Any) -> Any:
        """A bar chart of matplotlib."""
        import matplotlib.pyplot as plt

        shown = self.as_list(label, **kwargs)[::-1]
        figure = plt.figure()
        values = [value for _, value in shown]
        plt.barh(np.arange(len(shown)) + 0.5, values, color=["green" if v > 0 else "red" for v in values])
        plt.yticks(np.arange(len(shown)) + 0.5, [name for name, _ in shown])
        plt.title(f"Local explanation for class {self.class_names[label]}")
        return figure

    def as_html(self, labels: Iterable[int] | None = None, **_: Any) -> str:
        """lipex's page of these labels (default: those that are explained)."""
        return self.lipex.to_html(self.available_labels() if labels is None else [int(label) for label in labels])

    def _repr_html_(self) -> str:
        page = html.escape(self.as_html(), quote=True)
        return f'<iframe sandbox="allow-scripts" srcdoc="{page}" style="width:100%;height:640px;border:0"></iframe>'

    def show_in_notebook(self, labels: Iterable[int] | None = None, **kwargs: Any) -> None:
        """Shows the page in a notebook."""
        from IPython.display import HTML, display

        page = html.escape(self.as_html(labels, **kwargs), quote=True)
        style = "width:100%;height:640px;border:0"
        display(HTML(f'<iframe sandbox="allow-scripts" srcdoc="{page}" style="{style}"></iframe>'))

    def save_to_file(self, file_path: str, labels: Iterable[int] | None = None, **kwargs: Any) -> None:
        """Writes the page."""
        with open(file_path, "w", encoding="utf8") as file:
            file.write(self.as_html(labels, **kwargs))


def tell(made: LimeExplanation) -> None:
    """What LIME prints of each label if it is to be verbose."""
    for c, intercept in made.intercept.items():
        print("Intercept", intercept)
        print("Prediction_local", [made.lipex.surrogate_probabilities[c]])
        print("Right:", made.predict_proba[c])
