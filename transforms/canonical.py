"""The one text form of a standard value: what comparing, hashing, showing and publishing write."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import DAY, MONEY
from transforms.dates import day_text


def canonical_text(values: pa.Array) -> pa.StringArray:
    """Return days as YYYY/MM/DD, amounts (万元) as plain decimals without trailing zeros, text as it is."""
    if values.type == DAY:
        return day_text(values)
    if values.type == MONEY:
        return pc.replace_substring_regex(pc.cast(values, pa.string()), r"\.?0+$", "")
    return values
