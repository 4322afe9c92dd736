"""What comes out, and how to read it."""

from __future__ import annotations

import html
import json
from functools import cached_property
from typing import Any, Iterable

import numpy as np

from . import _lipex


class Record(dict):
    """A part of an explanation, by the names of docs/json.md: ``part.name`` or ``part["name"]``.

    >>> from lipex import Record
    >>> Record(tv=0.25).tv
    0.25
    """

    def __init__(self, *args: Any, **parts: Any) -> None:
        super().__init__(*args, **parts)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}; there are {', '.join(self)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]


def _record(value: Any) -> Any:
    if isinstance(value, dict):
        return Record((name, _record(part)) for name, part in value.items())
    return [_record(part) for part in value] if isinstance(value, list) else value


class Explanation:
    """What a classifier does around one instance, for every class at once.

    ``matrix[c, j]`` is what the feature ``kept[j]`` does to class c: log-odds relative to the other classes for a
    softmax, probability for a ridge and Kernel SHAP. A class is named by its name or its index wherever one is
    asked for.

    >>> import lipex
    >>> predict = lambda texts: [[0.1, 0.9] if "fine" in t else [0.6, 0.4] for t in texts]
    >>> e = lipex.explain_text("a fine day", predict, class_names=["bad", "good"])
    >>> e.matrix.shape, e.features
    ((2, 3), ['a', 'fine', 'day'])
    """

    def __init__(self, made: Any, image: Any = None, segments: Any = None) -> None:
        self._made = made
        self._image, self._segments = image, segments

    @cached_property
    def _document(self) -> dict[str, Any]:
        return json.loads(self._made.to_json())

    # What was found

    @cached_property
    def matrix(self) -> np.ndarray:
        """The shares, a (C, F) array: a row a class, a column a kept feature."""
        rows = self._document["matrix"]
        return (
            np.zeros((len(self.classes), 0))
            if rows is None
            else np.array(rows, dtype=np.float64).reshape(len(rows), -1)
        )

    @cached_property
    def intercept(self) -> np.ndarray | None:
        """C numbers: the surrogate's scores with nothing left; None for a surrogate that is not linear."""
        values = self._document["intercept"]
        return None if values is None else np.array(values, dtype=np.float64)

    @property
    def classes(self) -> list[str]:
        """The classes' names, in the order of the matrix's rows."""
        return list(self._document["classes"])

    @cached_property
    def features(self) -> list[str]:
        """The names of all D features; of those that are alike the second is "to (2)"."""
        return self._made.names()

    @property
    def kept(self) -> list[int]:
        """The features that the matrix's columns belong to, ascending."""
        return list(self._document["kept"] or [])

    @property
    def spans(self) -> list[list[tuple[int, int]]]:
        """For each feature the places (first character, one after the last) where it stands in the text."""
        return [[tuple(span["chars"]) for span in feature.get("spans", [])] for feature in self._document["features"]]

    @property
    def regions(self) -> list[Record | None]:
        """For each segment of an image its ``pixels`` and its ``box``, [left, top, right, bottom]; else None."""
        return [_record(feature.get("region")) for feature in self._document["features"]]

    @property
    def text(self) -> str | None:
        """The text that was explained."""
        return self._document["text"]

    @property
    def predicted(self) -> int:
        """The class that the model finds likeliest."""
        return self._made.predicted()

    @property
    def predicted_name(self) -> str:
        """Its name."""
        return self.classes[self.predicted]

    @property
    def probabilities(self) -> np.ndarray:
        """The model's answer at the instance, C numbers."""
        return np.array(self._document["probabilities"]["model"])

    @property
    def model_probabilities(self) -> np.ndarray:
        """The same: the model's answer at the instance."""
        return self.probabilities

    @property
    def surrogate_probabilities(self) -> np.ndarray:
        """The surrogate's answer at the instance, C numbers."""
        return np.array(self._document["probabilities"]["surrogate"])

    @property
    def link(self) -> str | None:
        """``"softmax"`` and ``"logistic"``: shares are log-odds; ``"identity"``: they are probabilities."""
        return self._document["link"]

    @cached_property
    def pairs(self) -> list[tuple[tuple[str, str], np.ndarray]]:
        """Features that act together: two names, and C coefficients of both together beyond each."""
        terms, rows = self._document["terms"] or [], self._document["coefficients"] or []
        at = [(t, term) for t, term in enumerate(terms) if len(term) == 2]
        return [((self.features[a], self.features[b]), np.array([row[t] for row in rows])) for t, (a, b) in at]

    # How far it can be trusted

    @property
    def fidelity(self) -> Record | None:
        """How well surrogate and model agree: ``out_of_fold``, ``near``, ``at_instance``, ``in_sample``, ``r2``."""
        return _record(self._document["fidelity"])

    @property
    def verdict(self) -> Record | None:
        """How far it can be trusted: ``grade`` ("good", "fair", "poor") and ``reasons``."""
        return _record(self._document["verdict"])

    @property
    def uncertainty(self) -> Record | None:
        """Error bars, where they were asked for (``uncertainty=True``)."""
        return _record(self._document["uncertainty"])

    @property
    def growth(self) -> Record | None:
        """The course of a run that added masks (``adaptive=True``)."""
        return _record(self._document["growth"])

    @property
    def flip(self) -> Record | None:
        """What would take the prediction to the class of ``flip_to``, checked by the model."""
        return _record(self._document["flip"])

    @property
    def settings(self) -> dict[str, str | list[str]]:
        """Every setting of the run, as the command spells them."""
        return dict(self._document["settings"])

    @property
    def calls(self) -> Record:
        """What the model was asked: ``masks``, ``inputs`` (distinct ones) and ``complete``."""
        return _record(self._document["calls"])

    @property
    def document(self) -> dict[str, Any]:
        """All of it, as docs/json.md says; a copy."""
        return json.loads(self.to_json())

    # Readings

    def class_index(self, label: str | int) -> int:
        """The index of a class that is named or numbered.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").class_index("joy")
        3
        """
        if isinstance(label, str):
            return self._made.class_index(label)
        index = int(label)
        if not 0 <= index < len(self.classes):
            raise ValueError(f"class {index}: there are {len(self.classes)} classes, from 0")
        return index

    def _named(self, reading: Iterable[tuple[int, float]]) -> list[tuple[str, float]]:
        return [(self.features[j], value) for j, value in reading]

    def top_k(self, label: str | int, k: int = 5, rank: str | None = None) -> list[tuple[str, float]]:
        """The first ``k`` features for a class, with their numbers.

        ``rank`` is ``"supporting"``, ``"opposing"``, ``"absolute"`` or ``"effect"`` (change of probability on
        removal); the setting of that name is the default.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").top_k("joy", 1)[0][0]
        'happy'
        """
        return self._named(self._made.top_k(self.class_index(label), k, rank))

    def contrast(self, a: str | int, b: str | int) -> list[tuple[str, float]]:
        """What each kept feature adds for class a against class b, largest first; in log-odds for a softmax.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").contrast("joy", "sadness")[0][0]
        'happy'
        """
        return self._named(self._made.contrast(self.class_index(a), self.class_index(b)))

    def _numbers(self, features: str | int | Iterable[str | int]) -> list[int]:
        features = [features] if isinstance(features, (str, int)) else list(features)
        numbers = []
        for feature in features:
            if isinstance(feature, str) and feature not in self.features:
                raise ValueError(
                    f"feature {feature!r}: there is none of that name; there are {', '.join(self.features)}"
                )
            j = self.features.index(feature) if isinstance(feature, str) else int(feature)
            if not 0 <= j < len(self.features):
                raise ValueError(f"feature {j}: there are {len(self.features)} features, from 0")
            numbers.append(j)
        return numbers

    def without(self, features: str | int | Iterable[str | int]) -> np.ndarray:
        """The surrogate's probabilities, C numbers, when features (names or numbers) are removed.

        >>> import lipex
        >>> e = lipex.Explainer("demo").explain("so happy")
        >>> bool(e.without("happy")[e.class_index("joy")] < e.surrogate_probabilities[e.class_index("joy")])
        True
        """
        return np.array(self._made.without(self._numbers(features)))

    def what_would_change(self, to: str | int) -> tuple[list[str], np.ndarray] | None:
        """Features to remove so that the surrogate finds ``to`` likeliest, and its answer then; None if none do.

        >>> import lipex
        >>> predict = lambda texts: [[0.1, 0.9] if "fine" in t else [0.6, 0.4] for t in texts]
        >>> e = lipex.explain_text("a fine day", predict, class_names=["bad", "good"])
        >>> e.what_would_change("bad")[0]
        ['fine']
        """
        change = self._made.what_would_change(self.class_index(to))
        return None if change is None else ([self.features[j] for j in change[0]], np.array(change[1]))

    def what_to_remove(self, label: str | int | None = None) -> list[tuple[str, float]]:
        """Features to remove so that a class (default: the predicted one) falls fastest, and how far it falls.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").what_to_remove()[0][0]
        'happy'
        """
        label = self.predicted if label is None else label
        return self._named(zip(*self._made.what_to_remove(self.class_index(label))))

    def as_list(self, label: str | int | None = None, k: int | None = None) -> list[tuple[str, float]]:
        """Features and shares of a class (default: the predicted one), largest absolute share first.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").as_list("joy", 1)[0][0]
        'happy'
        """
        label = self.predicted if label is None else label
        return self.top_k(label, len(self.kept) if k is None else k, "absolute")

    def as_map(self) -> dict[int, list[tuple[int, float]]]:
        """For each class features by number and shares, largest absolute share first.

        >>> import lipex
        >>> sorted(lipex.Explainer("demo").explain("so happy").as_map())
        [0, 1, 2, 3, 4, 5, 6]
        """
        return {c: self._made.top_k(c, len(self.kept), "absolute") for c in range(len(self.classes))}

    # Files

    def to_json(self) -> str:
        """JSON in the schema of docs/json.md; :meth:`from_json` gives the same explanation back to the last bit.

        >>> import lipex
        >>> e = lipex.Explainer("demo").explain("so happy")
        >>> lipex.Explanation.from_json(e.to_json()) == e
        True
        """
        return self._made.to_json()

    def to_json_canonical(self) -> str:
        """The same on one line without times: equal runs give equal texts.

        >>> import lipex
        >>> demo = lipex.Explainer("demo")
        >>> demo("so happy").to_json_canonical() == demo("so happy").to_json_canonical()
        True
        """
        return self._made.canonical()

    @classmethod
    def from_json(cls, text: str) -> Explanation:
        """Reads what :meth:`to_json`, the command or a batch wrote. A picture is not in it.

        >>> import lipex
        >>> lipex.Explanation.from_json("{}")
        Traceback (most recent call last):
        ValueError: schema = missing: this is no explanation; lipex 0.1.0 reads lipex.explanation/2 and the one before
        """
        return cls(_lipex.Made.from_json(text))

    def _classes(self, labels: Iterable[str | int] | None) -> list[int] | None:
        return None if labels is None else [self.class_index(label) for label in labels]

    def to_html(self, classes: Iterable[str | int] | None = None, contrast: tuple[Any, Any] | None = None) -> str:
        """A page that needs no network: of these classes (default: the likeliest), with this contrast first.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("so happy").to_html()[:15]
        '<!DOCTYPE html>'
        """
        pair = None if contrast is None else (self.class_index(contrast[0]), self.class_index(contrast[1]))
        return self._made.to_html(self._classes(classes), pair)

    def to_svg(self, classes: Iterable[str | int] | None = None) -> str:
        """The matrix as a figure.

        >>> import lipex
        >>> "<svg" in lipex.Explainer("demo").explain("so happy").to_svg(["joy", "fear"])
        True
        """
        return self._made.to_svg(self._classes(classes))

    def to_csv(self) -> str:
        """The matrix as a table.

        >>> import lipex
        >>> "happy" in lipex.Explainer("demo").explain("so happy").to_csv()
        True
        """
        return self._made.to_csv()

    def to_frame(self) -> Any:
        """The matrix as a data frame of pandas: a row a kept feature, a column a class.

        >>> import lipex
        >>> bool(lipex.Explainer("demo").explain("so happy").to_frame().loc["happy", "joy"] > 1)
        True
        """
        import pandas

        names = [self.features[j] for j in self.kept]
        return pandas.DataFrame(self.matrix.T, index=pandas.Index(names, name="feature"), columns=self.classes)

    def to_shap(self, per: str = "token") -> Any:
        """A ``shap.Explanation`` for shap's plots.

        ``per="token"``, of texts: (1, tokens, C), pieces of the text in order, a word's share spread evenly over
        its occurrences. ``per="feature"``: (F, C). Base and values add up to the surrogate's score: log-odds for a
        softmax, probability for ridge and Kernel SHAP.
        """
        from ._shap import to_shap

        return to_shap(self, per)

    # Pictures

    def overlay(self, label: str | int | None = None) -> np.ndarray:
        """The picture tinted by what segments do to a class (default: the predicted one), (height, width, 3).

        Blue holds the class up, orange speaks against it.

        >>> import lipex, numpy as np
        >>> image = np.zeros((8, 8, 3), np.uint8)
        >>> image[:4, :4, 0] = 250
        >>> red = lambda images: [[1 - p, p] for p in images[..., 0].mean(axis=(1, 2)) / 255]
        >>> lipex.explain_image(image, red, segments="grid:2x2", baseline="black").overlay(1).shape
        (640, 640, 3)
        """
        tinted = self._made.overlay(self.class_index(self.predicted if label is None else label))
        if tinted is None:
            raise ValueError("overlay: no picture is known; texts and explanations that were read from JSON have none")
        return tinted

    def plot(self, label: str | int | None = None, k: int = 10, ax: Any = None) -> Any:
        """Bars of the ``k`` largest shares of a class (default: the predicted one) by matplotlib; gives the axes.

        Error bars are drawn where there are some.
        """
        import matplotlib.pyplot as plt

        c = self.class_index(self.predicted if label is None else label)
        largest = self._made.top_k(c, k, "absolute")[::-1]
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 0.4 * len(largest) + 1.2), layout="constrained")
        errors = None
        if self.uncertainty is not None:
            half, place = self.uncertainty["quantile"], {j: p for p, j in enumerate(self.kept)}
            errors = [half * self.uncertainty["std_error"][c][place[j]] for j, _ in largest]
        colours = ["#146ef5" if value >= 0 else "#eb6400" for _, value in largest]
        ax.barh(range(len(largest)), [value for _, value in largest], xerr=errors, color=colours)
        ax.set_yticks(range(len(largest)), [self.features[j] for j, _ in largest])
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xlabel("change of probability" if self.link == "identity" else "log-odds against the other classes")
        ax.set_title(f"{self.classes[c]}: {self.probabilities[c]:.3f}")
        return ax

    def _repr_html_(self) -> str:
        page = html.escape(self.to_html(), quote=True)
        style = "width:100%;height:640px;border:0"
        return f'<iframe sandbox="allow-scripts" srcdoc="{page}" style="{style}"></iframe>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # Where frames are stripped, the figure is left.
        bundle = {"text/html": self._repr_html_, "image/svg+xml": self.to_svg, "text/plain": lambda: repr(self)}
        asked = [kind for kind in bundle if (not include or kind in include) and kind not in (exclude or ())]
        return {kind: bundle[kind]() for kind in asked}

    # Python's own

    def __repr__(self) -> str:
        c = self.predicted
        words = ", ".join(f"{name} {value:+.2f}" for name, value in self.top_k(c, 5))
        return f"Explanation({self.classes[c]} {self.probabilities[c]:.3f}: {words})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Explanation):
            return NotImplemented
        return self.to_json_canonical() == other.to_json_canonical()

    def __hash__(self) -> int:
        return hash(self.to_json_canonical())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_json(), self._image, self._segments)


def _restored(text: str, image: Any, segments: Any) -> Explanation:
    """An explanation from a pickle."""
    made = _lipex.Made.from_json(text)
    return Explanation(made if image is None else made.with_picture(image, segments), image, segments)
