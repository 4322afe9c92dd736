"""From a model and an instance to an explanation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, Sequence

import numpy as np

from . import _answers, _lipex, _settings, _tables
from ._explanation import Explanation

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import Keywords

#: Keywords that are no settings of the library.
_OWN = (
    "class_names", "outputs", "ignore_words", "flip_to", "masks",
    "segments", "baseline", "background", "columns", "reference",
)  # fmt: skip
#: Keywords of a model in a folder.
_FOLDER = ("tokenizer", "max_tokens", "output", "sigmoid")


class Explainer:
    """Explains instances of one model with the same settings.

    ``model`` is a callable, ``"onnx:FOLDER"``, ``"FILE.onnx"`` or ``"demo"``. A callable takes a list of str and
    gives an (n, C) array; with ``segments`` it takes images, an (n, height, width, 3) array of uint8; with
    ``background`` rows, in the kind of table that the background is. It may give arrays, tensors or lists.

    ``masks`` are masks of one's own in place of drawn ones: an (N, D) array of 0 and 1 whose first row is all ones,
    or a callable of D that gives one. ``class_names`` are the columns' names; without them classes are numbered.
    ``outputs`` says what the numbers are: ``"probabilities"``, ``"logits"`` or ``"independent"``. The other
    keywords are settings (:func:`lipex.settings` lists them); for folders also ``tokenizer``, ``max_tokens``,
    ``output`` and ``sigmoid``.

    An explainer can be pickled where its model can.

    >>> import lipex
    >>> shout = lipex.Explainer(lambda texts: [[0.2, 0.8] if "!" in t else [0.7, 0.3] for t in texts],
    ...                         class_names=["calm", "loud"], removed="mask:_", seed=7)
    >>> shout.explain("stop it !").predicted_name
    'loud'

    :raises TypeError: for a keyword that is no setting; offers the nearest one.
    :raises ValueError: for a value that a setting cannot have, alone or beside another one.
    """

    def __init__(
        self,
        model: Callable[[Any], Any] | str,
        *,
        class_names: Any = None,
        outputs: str | None = None,
        ignore_words: Iterable[str] = (),
        flip_to: str | int | None = None,
        masks: Any = None,
        segments: Any = None,
        baseline: Any = None,
        background: Any = None,
        columns: Sequence[str] | None = None,
        reference: str | None = None,
        **settings: Unpack[Keywords],
    ) -> None:
        if not callable(model) and not isinstance(model, str):
            raise TypeError(f'model: a callable, "demo" or "onnx:FOLDER", not {type(model).__name__}')
        self.model = model
        self.class_names = _answers.names(class_names)
        self.outputs, self.flip_to, self.masks = outputs, flip_to, masks
        if isinstance(ignore_words, str):
            raise TypeError(f"ignore_words = {ignore_words!r}: a sequence of words, not one text")
        self.ignore_words = [str(word) for word in ignore_words]
        self.segments, self.baseline = segments, baseline
        self.background, self.columns, self.reference = background, columns, reference
        given: dict[str, Any] = dict(settings)
        folder = {name: given.pop(name) for name in _FOLDER if name in given}
        self.settings = given
        self._folder = folder
        self._pairs = _settings.pairs(given)
        self._opened: tuple[int, Any] | None = None
        self._check()

    def _check(self) -> None:
        """Mistakes are told before the model is asked."""
        _lipex.check(self._pairs, self.domain)
        if self._folder and not isinstance(self.model, str):
            raise TypeError(f'{next(iter(self._folder))} is for models in folders ("onnx:FOLDER") alone')
        belongs = {
            "image": ("baseline",),
            "table": ("columns", "reference"),
        }
        for domain, keywords in belongs.items():
            for name in keywords:
                if self.domain != domain and getattr(self, name) is not None:
                    beside = "segments" if domain == "image" else "background"
                    raise TypeError(f"{name} goes with {beside}; give that too, or leave it out")
        drawn = [name for name in ("sampler", "samples", "adaptive") if self.settings.get(name)]
        if self.masks is not None and drawn:
            raise TypeError(f"{drawn[0]}: masks are given, so none are drawn; leave one of the two out")
        if self.domain != "text" and self.ignore_words:
            raise TypeError("ignore_words is of texts alone; leave it out")

    @property
    def domain(self) -> str:
        """What is explained: ``"text"``, ``"image"`` (there are segments) or ``"table"`` (there is a background)."""
        if self.segments is not None:
            if self.background is not None:
                raise TypeError("segments are of images, background is of tables; leave one out")
            return "image"
        return "text" if self.background is None else "table"

    def _keywords(self) -> dict[str, Any]:
        keywords = {name: getattr(self, name) for name in _OWN}
        return {**keywords, **self._folder, **self.settings}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def __repr__(self) -> str:
        told = "".join(f", {name}={value!r}" for name, value in self.settings.items() if value is not None)
        model = (
            self.model
            if isinstance(self.model, str)
            else getattr(self.model, "__qualname__", type(self.model).__name__)
        )
        return f"Explainer({model}{told})"

    def _asked(self) -> Any:
        """What the library asks."""
        if not isinstance(self.model, str):
            given = None
            if self.domain == "table":
                given = _tables.like(self.background, _tables.read(self.background, self.columns)[0])
            return _answers.asked(self.model, given)
        # Threads of a model that is open do not survive a fork.
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), self._open()
        return self._opened[1]

    def _open(self) -> Any:
        options = {
            "tokenizer": self._folder.get("tokenizer"),
            "labels": self.class_names,
            "max_tokens": self._folder.get("max_tokens"),
            "output": self._folder.get("output"),
            "sigmoid": bool(self._folder.get("sigmoid", False)),
            "threads": self.settings.get("threads"),
        }
        return _lipex.open(str(self.model), self.domain, options)

    def _how(self, model: Any) -> dict[str, Any]:
        flip_to = self.flip_to
        if flip_to is not None and not isinstance(flip_to, str):
            names = model.labels if isinstance(self.model, str) else self.class_names
            if names is not None and not 0 <= int(flip_to) < len(names):
                raise ValueError(f"flip_to = {flip_to}: there are {len(names)} classes, from 0")
            flip_to = str(int(flip_to)) if names is None else names[int(flip_to)]
        return {
            "labels": self.class_names,
            "outputs": self.outputs,
            "settings": self._pairs,
            "flip_to": flip_to,
            "masks": given_masks(self.masks),
        }

    def explain(self, instance: Any, **changes: Any) -> Explanation:
        """Explains a text, an image or a row; ``changes`` are keywords of this call alone.

        >>> import lipex
        >>> lipex.Explainer("demo").explain("what a wonderful day").predicted_name
        'joy'
        """
        if changes:
            other = Explainer(self.model, **{**self._keywords(), **changes})
            same = all(getattr(other, name) == getattr(self, name) for name in ("class_names", "_folder"))
            if same and other.settings.get("threads") == self.settings.get("threads"):
                other._opened = self._opened
            return other.explain(instance)
        model = self._asked()
        how = self._how(model)
        if self.domain == "image":
            return self._explain_image(instance, model, how)
        if self.domain == "table":
            columns, background = _tables.read(self.background, self.columns)
            _, rows = _tables.read(_row(instance, columns), columns)
            return Explanation(_lipex.explain_table(columns, (rows, background), model, how, self.reference))
        if not isinstance(instance, str):
            raise TypeError(f"a text to explain is a str, not {type(instance).__name__}")
        return Explanation(_lipex.explain_text(instance, model, how, self.ignore_words))

    __call__ = explain

    def _explain_image(self, image: Any, model: Any, how: dict[str, Any]) -> Explanation:
        pixels = np.asarray(image)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            got = f"shape {pixels.shape} of {pixels.dtype}"
            raise ValueError(f"an image to explain is an array (height, width, 3) of uint8, not {got}")
        segments = self.segments(pixels) if callable(self.segments) else self.segments
        if not isinstance(segments, str):
            segments = np.asarray(segments)
            if segments.shape != pixels.shape[:2] or segments.dtype.kind not in "iub":
                got = f"shape {segments.shape} of {segments.dtype}"
                raise ValueError(f"segments are an array {pixels.shape[:2]} of whole numbers, an id a pixel, not {got}")
            segments = np.ascontiguousarray(segments, dtype=np.int64)
        baseline = "mean" if self.baseline is None else self.baseline
        if not isinstance(baseline, str):
            baseline = np.asarray(baseline)
            if baseline.shape != pixels.shape or baseline.dtype != np.uint8:
                got = f"shape {baseline.shape} of {baseline.dtype}"
                raise ValueError(
                    f"a baseline is a name or an image of the same shape, {pixels.shape} of uint8, not {got}"
                )
        pixels = np.ascontiguousarray(pixels)
        made = _lipex.explain_image(pixels, model, how, segments, baseline)
        return Explanation(made, pixels, made.segments() if isinstance(segments, str) else segments)

    def explain_many(
        self, instances: Iterable[Any], errors: str = "raise", *, progress: bool = False, **changes: Any
    ) -> list[Explanation | Exception]:
        """Explains each of many instances, in order.

        ``errors="return"`` gives the exception in the place of an explanation that failed; ``"raise"`` ends at the
        first. ``progress=True`` shows a bar where ``tqdm`` is installed.

        >>> import lipex
        >>> told = lipex.Explainer("demo").explain_many(["so happy", ""], errors="return")
        >>> type(told[1]).__name__
        'ValueError'
        """
        if errors not in ("raise", "return"):
            raise ValueError(f'errors = {errors!r}: choose "raise" or "return"')
        explainer = Explainer(self.model, **{**self._keywords(), **changes}) if changes else self
        made: list[Explanation | Exception] = []
        for instance in _shown(instances) if progress else instances:
            try:
                made.append(explainer.explain(instance))
            except Exception as error:
                if errors == "raise":
                    raise
                made.append(error)
        return made


def given_masks(masks: Any) -> Any:
    """Masks of one's own as the library takes them."""
    if masks is None:
        return None
    if callable(masks):
        return lambda features: given_masks(masks(features))
    masks = np.asarray(masks)
    if masks.ndim != 2 or masks.dtype.kind not in "iub":
        raise ValueError(f"masks are an (N, D) array of 0 and 1, not shape {masks.shape} of {masks.dtype}")
    return np.ascontiguousarray(masks != 0, dtype=np.uint8)


def explain_answers(
    masks: Any,
    answers: Any,
    *,
    features: Sequence[str] | None = None,
    weights: Any = None,
    class_names: Any = None,
    outputs: str | None = None,
    **settings: Any,
) -> Explanation:
    """Explains answers that were asked for before: a row of ``answers`` (N, C) for each of ``masks`` (N, D).

    The first mask is all ones. Inputs may be made in any way, and differ under equal masks. ``weights`` (N) take
    the place of the proximity.

    >>> import lipex
    >>> masks = [[1, 1], [1, 0], [0, 1], [0, 0]]
    >>> answers = [[0.1, 0.9], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]
    >>> lipex.explain_answers(masks, answers, features=["a", "b"]).top_k(1, 1)[0][0]
    'a'
    """
    masks, answers = given_masks(masks), _answers.to_rows(answers)
    names = [f"x{j}" for j in range(masks.shape[1])] if features is None else [str(name) for name in features]
    if len(answers) != len(masks):
        raise ValueError(f"answers: there are {len(answers)} for {len(masks)} masks; a row a mask")
    pairs = _settings.pairs(settings)
    _lipex.check(pairs, "table")
    weights = None if weights is None else [float(weight) for weight in np.asarray(weights).ravel()]
    how = {
        "labels": _answers.names(class_names),
        "outputs": outputs,
        "settings": pairs,
        "flip_to": None,
        "masks": masks,
    }
    return Explanation(_lipex.explain_answers(names, answers, weights, how))


def _row(instance: Any, columns: list[str]) -> Any:
    """A row's values in the order of the columns, where it names them."""
    if hasattr(instance, "items") and not _tables.is_frame(instance):
        named = {str(name): value for name, value in instance.items()}
        missing = [name for name in columns if name not in named]
        if missing:
            raise ValueError(f"the row has no column {missing[0]!r}; the background has {', '.join(columns)}")
        return {name: named[name] for name in columns}
    return instance


def _shown(instances: Iterable[Any]) -> Iterable[Any]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return instances
    return tqdm(instances, unit="explanation")


def explain_text(
    text: str, model: Callable[[list[str]], Any] | str, *, class_names: Any = None, **settings: Any
) -> Explanation:
    """Explains a text: what each word does to each class.

    ``model`` takes a list of str and gives an (n, C) array of probabilities, a row a text; or it is
    ``"onnx:FOLDER"`` or ``"demo"``. Keywords are those of :class:`Explainer`.

    >>> import lipex
    >>> predict = lambda texts: [[0.1, 0.9] if "fine" in t else [0.6, 0.4] for t in texts]
    >>> e = lipex.explain_text("a fine day", predict, class_names=["bad", "good"], preset="paper", seed=1)
    >>> e.contrast("good", "bad")[0][0]
    'fine'
    """
    return Explainer(model, class_names=class_names, **settings).explain(text)


def explain_image(
    image: Any,
    model: Callable[[np.ndarray], Any] | str,
    *,
    segments: Any,
    baseline: Any = "mean",
    class_names: Any = None,
    **settings: Any,
) -> Explanation:
    """Explains an image, (height, width, 3) of uint8: what each segment does to each class.

    ``model`` takes (n, height, width, 3) of uint8 and gives an (n, C) array; or it is ``"onnx:FOLDER"``.
    ``segments`` is an (height, width) array of ids, a callable of the image that gives one (skimage's ``slic``), or
    a name: ``"slic"``, ``"slic:50"``, ``"grid:4x4"``. ``baseline``, what a removed segment becomes, is a name
    (``"mean"``, ``"black"``, ``"blur"`` …) or another image.

    >>> import lipex, numpy as np
    >>> image = np.zeros((8, 8, 3), np.uint8)
    >>> image[:4, :4, 0] = 250
    >>> red = lambda images: [[1 - p, p] for p in images[..., 0].mean(axis=(1, 2)) / 255]
    >>> e = lipex.explain_image(image, red, segments="grid:2x2", baseline="black", class_names=["other", "red"])
    >>> e.top_k("red", 1)[0][0]
    'r1c1'
    """
    return Explainer(model, class_names=class_names, segments=segments, baseline=baseline, **settings).explain(image)


def explain_table(
    row: Any,
    model: Callable[[Any], Any] | str,
    *,
    background: Any,
    columns: Sequence[str] | None = None,
    reference: str | None = None,
    class_names: Any = None,
    **settings: Any,
) -> Explanation:
    """Explains a row of a table: what each column's value does to each class.

    A removed value is replaced by those of ``background``: an array, a data frame, a mapping of columns. The model
    is given rows in the same kind of table. ``reference`` says what is made of the background: ``"sample:K"`` rows
    (the default, 100), ``"mean"``, ``"median"`` or ``"row:J"``. ``columns`` names the columns of an array.

    >>> import lipex, numpy as np
    >>> background = np.array([[20.0, 0.0], [40.0, 1.0], [60.0, 0.0]])
    >>> old = lambda rows: [[1 - p, p] for p in rows[:, 0] / 100]
    >>> e = lipex.explain_table([80.0, 1.0], old, background=background, columns=["age", "member"],
    ...                         class_names=["no", "yes"])
    >>> e.top_k("yes", 1)[0][0]
    'age = 80'
    """
    return Explainer(
        model, class_names=class_names, background=background, columns=columns, reference=reference, **settings
    ).explain(row)
