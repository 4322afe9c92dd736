"""LIME's explainer of images."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Iterable

import numpy as np

from .. import _explain, _lipex
from .._explanation import Explanation
from . import shared


class ImageExplanation:
    """What LIME gives for an image: ``local_exp``, ``intercept``, ``score``, ``local_pred``, and pictures."""

    def __init__(self, image: np.ndarray, segments: np.ndarray, made: shared.LimeExplanation) -> None:
        self.image, self.segments = image, segments
        #: The explanation of every class.
        self.lipex: Explanation = made.lipex
        self.local_exp, self.intercept = made.local_exp, made.intercept
        self.score, self.local_pred, self.top_labels = made.score, made.local_pred, made.top_labels

    def get_image_and_mask(
        self,
        label: int,
        positive_only: bool = True,
        negative_only: bool = False,
        hide_rest: bool = False,
        num_features: int = 5,
        min_weight: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture (height, width, 3) and a mask (height, width) of the segments that count most for a label."""
        if label not in self.local_exp:
            raise KeyError("Label not in explanation")
        if positive_only and negative_only:
            raise ValueError("Positive_only and negative_only cannot be true at the same time.")
        shown = np.zeros(self.image.shape) if hide_rest else self.image.copy()
        mask = np.zeros(self.segments.shape, self.segments.dtype)
        if positive_only or negative_only:
            sign = 1 if positive_only else -1
            chosen = [(j, w) for j, w in self.local_exp[label] if sign * w > 0 and sign * w > min_weight]
        else:
            chosen = [(j, w) for j, w in self.local_exp[label][:num_features] if abs(w) >= min_weight]
        for j, weight in chosen[:num_features]:
            place = self.segments == j
            shown[place] = self.image[place]
            mask[place] = 1
            if not (positive_only or negative_only):
                mask[place] = -1 if weight < 0 else 1
                shown[place, 0 if weight < 0 else 1] = np.max(self.image)
        return shown, mask

    def _repr_html_(self) -> str:
        return self.lipex._repr_html_()


class LimeImageExplainer:
    """LIME's, with its signature: ``explain_instance`` gives the same weights on the same masks.

    Images of uint8 are rendered by lipex, others (and grey ones) in NumPy, as LIME does it. Not taken: ``kernel``.

    >>> from lipex.lime import LimeImageExplainer
    >>> import numpy as np
    >>> image = np.zeros((8, 8, 3), np.uint8)
    >>> image[:4, :4, 0] = 250
    >>> red = lambda images: np.stack([1 - images[..., 0].mean((1, 2)) / 255, images[..., 0].mean((1, 2)) / 255], 1)
    >>> quarters = lambda image: np.add.outer(np.arange(8) // 4 * 2, np.arange(8) // 4)
    >>> explainer = LimeImageExplainer(random_state=0)
    >>> e = explainer.explain_instance(image, red, top_labels=2, hide_color=0, segmentation_fn=quarters)
    >>> e.local_exp[1][0][0]
    0
    """

    def __init__(
        self,
        kernel_width: float = 0.25,
        kernel: Any = None,
        verbose: bool = False,
        feature_selection: str = "auto",
        random_state: Any = None,
    ) -> None:
        shared.refuse({"kernel": kernel is not None})
        self.kernel_width, self.verbose, self.feature_selection = float(kernel_width), verbose, feature_selection
        self.random_state = shared.random_state(random_state)

    def explain_instance(
        self,
        image: np.ndarray,
        classifier_fn: Callable[[np.ndarray], Any],
        labels: Iterable[int] = (1,),
        hide_color: Any = None,
        top_labels: int | None = 5,
        num_features: int = 100000,
        num_samples: int = 1000,
        batch_size: int = 10,
        segmentation_fn: Callable[[np.ndarray], np.ndarray] | None = None,
        distance_metric: str = "cosine",
        model_regressor: Any = None,
        random_seed: int | None = None,
    ) -> ImageExplanation:
        """Explains an image. Not taken: another ``distance_metric``, ``model_regressor``."""
        shared.refuse({"distance_metric": distance_metric != "cosine", "model_regressor": model_regressor is not None})
        image = np.stack([image] * 3, axis=-1) if image.ndim == 2 else image
        if random_seed is None:
            random_seed = self.random_state.randint(0, high=1000)
        segments = np.asarray((segmentation_fn or quickshift(random_seed))(image))
        names, ids = np.unique(segments, return_inverse=True)
        ids = ids.reshape(segments.shape)
        draws = self.random_state.randint(0, 2, num_samples * len(names)).reshape(num_samples, len(names))
        draws[0] = 1
        settings: dict[str, Any] = dict(
            preset="lime",
            select=shared.select(
                self.feature_selection, min(num_features, len(names)) if num_features > 6 else num_features
            ),
            proximity=f"exponential:{self.kernel_width!r}",
        )
        hidden, asked = fudged(image, ids, hide_color), shared.Asked(classifier_fn)
        if image.dtype == np.uint8:
            e = _explain.explain_image(
                image, asked, segments=ids, baseline=hidden, masks=draws, batch_size=batch_size, **settings
            )
        else:
            answers = answered(image, hidden, ids, draws, asked, batch_size)
            e = _explain.explain_answers(draws, answers, features=[str(name) for name in names], **settings)
        made = shared.LimeExplanation(e, labels, top_labels, self.random_state, asked.first)
        if self.verbose:
            shared.tell(made)
        return ImageExplanation(image, segments, made)


def quickshift(random_seed: int) -> Callable[[np.ndarray], Any]:
    """LIME's segments: skimage's quickshift, asked as LIME asks it; lipex's where skimage is not installed."""
    try:
        from skimage.segmentation import quickshift as of_skimage
    except ImportError:
        return native_quickshift
    seeded = "random_seed" in inspect.signature(of_skimage).parameters
    keywords = {"random_seed": random_seed} if seeded else {}
    return lambda image: of_skimage(image, kernel_size=4, max_dist=200, ratio=0.2, **keywords)


def native_quickshift(image: np.ndarray) -> np.ndarray:
    """lipex's own quickshift with LIME's numbers."""
    if image.dtype != np.uint8:
        raise TypeError("segmentation_fn: install scikit-image, or give one; lipex itself cuts images of uint8 alone")
    return _lipex.cut(np.ascontiguousarray(image), "quickshift:4,200,0.2")


def fudged(image: np.ndarray, ids: np.ndarray, hide_color: Any) -> np.ndarray:
    """What hidden segments look like: their mean colours, or one colour."""
    hidden = image.copy()
    if hide_color is not None:
        hidden[:] = hide_color
        return hidden
    for j in np.unique(ids):
        place = ids == j
        hidden[place] = tuple(np.mean(image[place][:, channel]) for channel in range(3))
    return hidden


def answered(
    image: np.ndarray,
    hidden: np.ndarray,
    ids: np.ndarray,
    draws: np.ndarray,
    classifier: shared.Asked,
    batch_size: int,
) -> np.ndarray:
    """The classifier's answers to each mask's image, in batches."""
    rows = []
    for start in range(0, len(draws), batch_size):
        keeps = draws[start : start + batch_size][:, ids].astype(bool)
        rows.append(classifier(np.where(keeps[..., None], image, hidden)))
    return np.concatenate(rows)
