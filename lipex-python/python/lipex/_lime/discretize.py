"""Columns of numbers cut into bins, as LIME cuts them.

LIME draws a value of a bin from a normal distribution that is cut off at its borders (SciPy's ``truncnorm``).
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

#: Percentiles between bins.
PERCENTILES = {"quartile": [25, 50, 75], "decile": [10, 20, 30, 40, 50, 60, 70, 80, 90]}


class Discretizer:
    """Bins of every column that is not categorical, with the mean, the spread and the borders of each."""

    def __init__(
        self, data: np.ndarray, categorical: Sequence[int], names: Sequence[str], kind: str, state: Any
    ) -> None:
        self.state = state
        self.borders: dict[int, np.ndarray] = {}
        self.names: dict[int, list[str]] = {}
        self.bins: dict[int, np.ndarray] = {}
        for j in (j for j in range(data.shape[1]) if j not in categorical):
            cuts = np.unique(np.percentile(data[:, j], PERCENTILES[kind]))
            self.borders[j] = cuts
            between = [f"{low:.2f} < {names[j]} <= {high:.2f}" for low, high in zip(cuts, cuts[1:])]
            self.names[j] = [f"{names[j]} <= {cuts[0]:.2f}", *between, f"{names[j]} > {cuts[-1]:.2f}"]
            bins = np.searchsorted(cuts, data[:, j])
            parts = [data[bins == b, j] for b in range(len(cuts) + 1)]
            # A bin without spread keeps LIME's 1e-11.
            mean = [0 if len(part) == 0 else np.mean(part) for part in parts]
            spread = [1e-11 + (0 if len(part) == 0 else np.std(part)) for part in parts]
            low = [np.min(data[:, j]), *cuts.tolist()]
            high = [*cuts.tolist(), np.max(data[:, j])]
            self.bins[j] = np.array([low, high, mean, spread])

    def to_bins(self, data: np.ndarray) -> np.ndarray:
        """Numbers of bins in place of values, of a row or of rows."""
        binned = data.copy()
        for j, cuts in self.borders.items():
            binned[..., j] = np.searchsorted(cuts, data[..., j])
        return binned

    def to_values(self, binned: np.ndarray) -> np.ndarray:
        """Drawn values in place of numbers of bins."""
        from scipy.stats import truncnorm

        values = binned.copy()
        for j, bins in self.bins.items():
            low, high, mean, spread = bins[:, binned[:, j].astype(int)]
            drawn, to = (low - mean) / spread, (high - mean) / spread
            wide = drawn != to
            drawn[wide] = truncnorm.rvs(
                drawn[wide], to[wide], loc=mean[wide], scale=spread[wide], random_state=self.state
            )
            values[:, j] = drawn
        return values
