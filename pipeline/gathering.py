"""Small batches of a stream put together: what is done to each costs as much whether its rows are few or many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[list[pa.RecordBatch]]:
    """Yield lists of batches that hold at least ``rows`` rows together, at the end what is left; none is empty."""
    together: list[pa.RecordBatch] = []
    for batch in batches:
        together.append(batch)
        if sum(part.num_rows for part in together) >= rows:
            enough, together = together, []
            yield enough
    if any(part.num_rows for part in together):
        yield together
