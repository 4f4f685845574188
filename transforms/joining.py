"""Lists inside a text column."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def join_present(parts: Sequence[pa.Array], rows: int, separator: str = ";") -> pa.StringArray:
    """Join what each row has of ``parts``, left to right; null where a row has none of them.

    Arrow's own join with ``null_handling="skip"`` loses the rows in which every part is null (seen in 26.0), so each
    present part carries its separator and the last one is cut off again.
    """
    if not parts:
        return pa.nulls(rows, pa.string())
    ended = [pc.fill_null(pc.binary_join_element_wise(part, pa.scalar(separator), ""), "") for part in parts]
    together = pc.binary_join_element_wise(*ended, "")
    cut = pc.utf8_slice_codeunits(together, 0, -len(separator))
    return pc.if_else(pc.equal(together, ""), pa.scalar(None, pa.string()), cut)
