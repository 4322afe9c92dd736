"""LIME's explainer of rows of tables."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Iterable, Sequence

import numpy as np

from .. import _explain
from . import shared
from .discretize import PERCENTILES, Discretizer


class TabularExplanation(shared.LimeExplanation):
    """Of a row: names are bins, such as "age <= 30.00"."""


class LimeTabularExplainer:
    """LIME's, with its signature: ``explain_instance`` gives the same weights on the same draws.

    A feature is whether a row falls into the same bin (or category) as the one that is explained, so
    ``discretize_continuous=False`` is taken where every column is categorical. Not taken: ``mode="regression"``,
    ``kernel``, sparse data, ``training_data_stats``, ``discretizer`` other than ``"quartile"`` and ``"decile"``.
    Drawing values of bins needs SciPy.

    >>> from lipex.lime import LimeTabularExplainer
    >>> import numpy as np
    >>> data = np.random.RandomState(0).rand(200, 2)
    >>> first = lambda rows: np.stack([1 - rows[:, 0], rows[:, 0]], axis=1)
    >>> explainer = LimeTabularExplainer(data, feature_names=["a", "b"], random_state=0)              # doctest: +SKIP
    >>> explainer.explain_instance(np.array([0.9, 0.1]), first).as_list()[0][0]                        # doctest: +SKIP
    'a > 0.73'
    """

    def __init__(
        self,
        training_data: np.ndarray,
        mode: str = "classification",
        training_labels: Any = None,
        feature_names: Sequence[str] | None = None,
        categorical_features: Sequence[int] | None = None,
        categorical_names: dict[int, Sequence[str]] | None = None,
        kernel_width: float | None = None,
        kernel: Any = None,
        verbose: bool = False,
        class_names: Any = None,
        feature_selection: str = "auto",
        discretize_continuous: bool = True,
        discretizer: Any = "quartile",
        sample_around_instance: bool = False,
        random_state: Any = None,
        training_data_stats: Any = None,
    ) -> None:
        data = training_data
        columns = data.shape[1]
        categorical = list(categorical_features or [])
        shared.refuse(
            {
                f"mode = {mode!r}": mode != "classification",
                "kernel": kernel is not None,
                "training_data (sparse)": not isinstance(data, np.ndarray),
                "training_data_stats": training_data_stats is not None,
                f"discretizer = {discretizer!r}": discretize_continuous and str(discretizer) not in PERCENTILES,
                "discretize_continuous = False": not discretize_continuous and len(categorical) < columns,
            }
        )
        self.random_state = shared.random_state(random_state)
        self.verbose, self.class_names, self.feature_selection = verbose, class_names, feature_selection
        self.feature_names = [str(j) for j in range(columns)] if feature_names is None else list(feature_names)
        self.categorical_features, self.categorical_names = categorical, categorical_names or {}
        self.kernel_width = float(np.sqrt(columns) * 0.75 if kernel_width is None else kernel_width)
        self.discretizer: Discretizer | None = None
        if discretize_continuous:
            self.discretizer = Discretizer(data, categorical, self.feature_names, discretizer, self.random_state)
        binned = self.discretizer.to_bins(data) if self.discretizer else data
        #: For each column its values, ascending, and how often each occurs.
        self.frequencies = [self._frequencies(binned[:, j]) for j in range(columns)]

    @staticmethod
    def _frequencies(column: np.ndarray) -> tuple[list[Any], np.ndarray]:
        values, counts = zip(*sorted(Counter(column).items()))
        return list(values), np.array(counts) / float(sum(counts))

    def explain_instance(
        self,
        data_row: np.ndarray,
        predict_fn: Callable[[np.ndarray], Any],
        labels: Iterable[int] = (1,),
        top_labels: int | None = None,
        num_features: int = 10,
        num_samples: int = 5000,
        distance_metric: str = "euclidean",
        model_regressor: Any = None,
    ) -> TabularExplanation:
        """Explains a row. Not taken: another ``distance_metric``, ``model_regressor``."""
        shared.refuse(
            {
                "distance_metric": distance_metric != "euclidean",
                "model_regressor": model_regressor is not None,
                "data_row (sparse)": not isinstance(data_row, np.ndarray),
            }
        )
        masks, rows = self._draw(data_row, num_samples)
        # The distance is the root of the number of columns that differ.
        weights = np.sqrt(np.exp(-((masks == 0).sum(axis=1)) / self.kernel_width**2))
        asked = shared.Asked(predict_fn)
        e = _explain.explain_answers(
            masks,
            asked(rows),
            features=self._names(data_row),
            weights=weights,
            class_names=self.class_names,
            preset="lime",
            select=shared.select(self.feature_selection, num_features),
        )
        made = TabularExplanation(e, labels, top_labels, self.random_state, asked.first)
        if self.verbose:
            shared.tell(made)
        return made

    def _draw(self, row: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray]:
        """Which columns keep their bin, and rows that do, column by column; the first is the row itself."""
        own = self.discretizer.to_bins(row) if self.discretizer else row
        rows = np.zeros((samples, len(row)))
        masks = np.ones((samples, len(row)), dtype=np.uint8)
        order = list(range(len(row))) if self.discretizer else self.categorical_features
        if self.discretizer is None:
            # LIME draws these for columns of numbers, of which there are none, before the others.
            self.random_state.normal(0, 1, samples * len(row))
        for j in order:
            values, shares = self.frequencies[j]
            drawn = self.random_state.choice(values, size=samples, replace=True, p=shares)
            masks[1:, j] = (drawn == own[j])[1:]
            rows[:, j] = drawn
        if self.discretizer:
            rows[1:] = self.discretizer.to_values(rows[1:])
        rows[0] = row
        return masks, rows

    def _names(self, row: np.ndarray) -> list[str]:
        names = list(self.feature_names)
        for j in self.categorical_features:
            name = int(row[j])
            names[j] = f"{names[j]}={self.categorical_names[j][name] if j in self.categorical_names else name}"
        if self.discretizer:
            binned = self.discretizer.to_bins(row)
            for j, told in self.discretizer.names.items():
                names[j] = told[int(binned[j])]
        return names
