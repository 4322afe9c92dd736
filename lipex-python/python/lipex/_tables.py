"""Rows of tables: arrays, data frames, mappings, lists."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

Cells = "list[list[float | str | None]]"


def _cell(value: Any) -> float | str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        return None if number != number else number
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return str(value)


def is_frame(table: Any) -> bool:
    """Whether this is a data frame, such as pandas'."""
    return hasattr(table, "columns") and hasattr(table, "itertuples")


def read(table: Any, columns: Sequence[str] | None) -> tuple[list[str], list[list[Any]]]:
    """Names and rows. A single row is taken for a table of one."""
    if is_frame(table):
        names = [str(name) for name in table.columns]
        return names, [[_cell(v) for v in row] for row in table.itertuples(index=False, name=None)]
    if hasattr(table, "to_dict") and hasattr(table, "index"):  # a series is a row of a frame
        table = table.to_dict()
    if hasattr(table, "items"):
        table = dict(table)
        names = [str(name) for name in table]
        values = list(table.values())
        if values and all(isinstance(v, (list, tuple, np.ndarray)) for v in values):
            return names, [[_cell(v) for v in row] for row in zip(*values)]
        return names, [[_cell(v) for v in values]]
    rows = np.asarray(table, dtype=None if isinstance(table, np.ndarray) else object)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise ValueError(f"a table of shape {rows.shape}; expected (rows, columns), or one row")
    if not rows.size:
        raise ValueError(f"a table without values, of shape {rows.shape}; expected (rows, columns)")
    names = [f"x{j}" for j in range(rows.shape[1])] if columns is None else [str(name) for name in columns]
    return names, [[_cell(v) for v in row] for row in rows.tolist()]


def like(background: Any, columns: list[str]) -> Callable[[list[list[Any]]], Any]:
    """Makes of rows what the model takes: the kind of table that the background is."""
    if is_frame(background):
        kinds, frame = background.dtypes, type(background)

        def to_frame(rows: list[list[Any]]) -> Any:
            made = frame(rows, columns=background.columns)
            for name, kind in zip(background.columns, kinds):
                # A value that is missing has no place among whole numbers.
                if made[name].isna().any() and getattr(kind, "kind", "O") in "iub":
                    continue
                made[name] = made[name].astype(kind)
            return made

        return to_frame
    if hasattr(background, "items"):
        return lambda rows: [dict(zip(columns, row)) for row in rows]

    def to_array(rows: list[list[Any]]) -> np.ndarray:
        if any(isinstance(value, str) for row in rows for value in row):
            return np.array(rows, dtype=object)
        return np.array(rows, dtype=np.float64)

    return to_array
