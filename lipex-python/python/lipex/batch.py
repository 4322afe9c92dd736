"""Tables in, tables out: for engines that spread work over machines, and for one machine. Needs ``pyarrow``.

A row of text in, an explanation or an error out, in the schema ``lipex.batch/1``. Every row has the same seed, so
the result does not depend on how a table is cut. docs/beyond-one-machine.md shows Ray Data, Spark and Dask.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Sequence

from ._explain import Explainer

if TYPE_CHECKING:
    import pyarrow

#: Name and version of the columns, in a schema's metadata under ``lipex.schema``.
SCHEMA_NAME = "lipex.batch/1"

#: The columns for Spark's ``mapInArrow`` and ``mapInPandas``, without those that are kept.
SPARK = (
    "classes array<string>, predicted string, features array<string>, kept array<int>, matrix array<array<double>>, "
    "intercept array<double>, p_model array<double>, p_surrogate array<double>, tv_unseen double, inputs int, "
    "explanation string, error string"
)


def schema() -> pyarrow.Schema:
    """The columns beside those that are kept; docs/batch.md says what they hold.

    >>> import lipex.batch
    >>> lipex.batch.schema().names[:3]
    ['classes', 'predicted', 'features']
    """
    import pyarrow as pa

    numbers, texts = pa.list_(pa.float64()), pa.list_(pa.string())
    fields = [
        ("classes", texts),
        ("predicted", pa.string()),
        ("features", texts),
        ("kept", pa.list_(pa.int32())),
        ("matrix", pa.list_(numbers)),
        ("intercept", numbers),
        ("p_model", numbers),
        ("p_surrogate", numbers),
        ("tv_unseen", pa.float64()),
        ("inputs", pa.int32()),
        ("explanation", pa.string()),
        ("error", pa.string()),
    ]
    return pa.schema(fields, metadata={"lipex.schema": SCHEMA_NAME})


class Explain:
    """Explains the texts of a table's column; called with tables, one after the other.

    ``make_model`` makes the model where the work is, once: it takes nothing and gives a callable, or is itself
    ``"demo"`` or ``"onnx:FOLDER"``. ``text`` is the column of texts, ``keep`` are columns that the result has too;
    the other keywords are :class:`lipex.Explainer`'s. A table is one of Arrow (or a record batch), a data frame of
    pandas, or a dict of columns; the result is of the same kind (of a dict, a table of Arrow). A row that fails has
    its error in one line, and null in the other columns.

    >>> import lipex.batch
    >>> explain = lipex.batch.Explain("demo")
    >>> table = explain({"id": [1, 2], "text": ["so happy", None]})
    >>> table["predicted"].to_pylist(), table["error"].to_pylist()
    (['joy', None], [None, 'ValueError: the text is null'])
    """

    def __init__(
        self,
        make_model: Callable[[], Any] | str,
        *,
        text: str = "text",
        keep: Sequence[str] = ("id",),
        class_names: Any = None,
        **settings: Any,
    ) -> None:
        if isinstance(keep, str):
            raise TypeError(f"keep = {keep!r}: a sequence of columns, not one text")
        model = make_model if isinstance(make_model, str) else make_model()
        self.explainer = Explainer(model, class_names=class_names, **settings)
        self.text, self.keep = text, list(keep)
        taken = [name for name in self.keep if name in schema().names]
        if taken:
            raise ValueError(f"keep: {taken[0]} is a column of the result itself; rename yours")

    def __call__(self, table: Any) -> Any:
        """The result's table: kept columns, then those of :func:`schema`, a row a row, in order."""
        import pyarrow as pa

        if isinstance(table, dict):
            # A missing text is NaN in a column of NumPy.
            return self._table(
                pa.table({name: pa.array(list(column), from_pandas=True) for name, column in table.items()})
            )
        if isinstance(table, pa.RecordBatch):
            made = self._table(pa.Table.from_batches([table])).combine_chunks()
            return made.to_batches()[0] if made.num_rows else pa.RecordBatch.from_pylist([], schema=made.schema)
        if isinstance(table, pa.Table):
            return self._table(table)
        if hasattr(table, "itertuples"):
            return self._table(pa.Table.from_pandas(table, preserve_index=False)).to_pandas()
        raise TypeError(f"a table of pyarrow or pandas, or a dict of columns, not {type(table).__name__}")

    def _table(self, table: pyarrow.Table) -> pyarrow.Table:
        import pyarrow as pa

        for name in (self.text, *self.keep):
            if name not in table.column_names:
                raise ValueError(f"there is no column {name!r}; there are {', '.join(table.column_names)}")
        rows = pa.Table.from_pylist([self._row(text) for text in table[self.text].to_pylist()], schema=schema())
        for place, name in enumerate(self.keep):
            rows = rows.add_column(place, table.schema.field(name), table[name])
        return rows.replace_schema_metadata({"lipex.schema": SCHEMA_NAME})

    def _row(self, text: str | None) -> dict[str, Any]:
        try:
            if text is None:
                raise ValueError("the text is null")
            row = json.loads(self.explainer.explain(text)._made.row())
        except Exception as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())
            return {**dict.fromkeys(schema().names), "error": told}
        return {name: row[name] for name in schema().names}


def spark(make_model: Callable[[], Any] | str, **settings: Any) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """For ``DataFrame.mapInArrow`` and ``mapInPandas``: one :class:`Explain` a partition.

    >>> import lipex.batch, pyarrow as pa
    >>> run = lipex.batch.spark("demo")
    >>> batch = pa.RecordBatch.from_pydict({"id": [1], "text": ["so happy"]})
    >>> [made["predicted"].to_pylist() for made in run([batch])]
    [['joy']]
    """

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        explain = Explain(make_model, **settings)
        for batch in batches:
            if len(batch):
                yield explain(batch)

    return run
