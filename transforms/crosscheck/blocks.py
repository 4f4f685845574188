"""Rows of a table that is ordered by enterprise, in blocks that hold every row of each of their enterprises.

What is decided about an enterprise needs its own rows and no other's: block by block, memory stays that of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc


class OutOfOrder(RuntimeError):
    """Rows do not rise by enterprise: the rows of one could be decided apart from each other."""


def whole_enterprises(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the rows of ``batches`` in their order; no ``uscc`` stands in two blocks.

    Raises ``OutOfOrder`` before a block is yielded that a later row should have been in.
    """
    held: list[pa.Table] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        rows = pa.Table.from_batches([batch])
        enterprises = batch.column("uscc")
        last = held[-1]["uscc"][-1].as_py() if held else ""
        if last > enterprises[0].as_py() or pc.any(pc.greater(enterprises[:-1], enterprises[1:])).as_py():
            raise OutOfOrder(f"rows beside {last or enterprises[0].as_py()} are not in order of the enterprise")
        begins = pc.index(enterprises, enterprises[-1]).as_py()
        if begins or (held and last != enterprises[-1].as_py()):
            yield pa.concat_tables([*held, rows.slice(0, begins)])
            held = []
        held.append(rows.slice(begins))
    if held:
        yield pa.concat_tables(held)
