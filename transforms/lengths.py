"""Texts longer than their column in the template allows (rule R29).

The lengths are hearsay of the annex of 790号 and stand in ``transforms/sheets`` as data. Judged is what a template
calls a text: codes, classes and states have rules of their own and are written otherwise in a record than in a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.categories import CODED
from transforms.columns import STANDARD_COLUMNS, TEXT
from transforms.distinct import byte_bounds
from transforms.joining import join_present
from transforms.sheets import SheetDefinition

_JUDGED_OTHERWISE: Final = frozenset(
    {
        "uscc", "regno", "org_code", "tax_no", "authority_code", "source_code", "id_no", "legal_rep_id_no", "id_type",
        "legal_rep_id_type", "subject_category", "penalty_category", "licence_category", "status", "region_code",
        "usage_scope", "seriousness", "updated_at", "district_code",
    }
)  # fmt: skip


def limits_of(definition: SheetDefinition) -> dict[str, int]:
    """Return the most characters per standard column that a template limits; of two columns of one, the longer."""
    limits: dict[str, int] = {}
    own = {*_JUDGED_OTHERWISE, *CODED.get(definition.kind, {})}
    for column in definition.columns:
        if column.max_length and column.target not in own and column.target in STANDARD_COLUMNS[definition.kind]:
            limits[column.target] = max(column.max_length, limits.get(column.target, 0))
    return limits


def too_long(columns: Mapping[str, pa.Array], limits: Mapping[str, int]) -> pa.StringArray:
    """Return the names of the columns that are too long, joined by ``;``; null where all fit.

    A text of no more bytes than characters are allowed needs no counting, and so does nearly every column.
    """
    rows = len(next(iter(columns.values())))
    marks = [
        pc.if_else(where, pa.scalar(name, TEXT), pa.scalar(None, TEXT))
        for name in sorted(limits)
        if (where := _longer(columns[name], limits[name])) is not None
    ]
    return join_present(marks, rows)


def _longer(texts: pa.StringArray, limit: int) -> pa.BooleanArray | None:
    if texts.null_count == len(texts) or np.diff(byte_bounds(texts)[1]).max(initial=0) <= limit:
        return None
    longer = pc.fill_null(pc.greater(pc.utf8_length(texts), limit), False)
    return longer if pc.any(longer).as_py() else None
