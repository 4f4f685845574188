"""One JSON object as one row: scalars become the text that stood there, everything else is damage.

Numbers keep the digits they were sent with (``1.50`` stays ``1.50``): JSON is parsed with ``exact`` hooks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final


class _Pairs(list[tuple[str, Any]]):
    """The members of an object in the order sent, repeated names included."""


EXACT: Final = json.JSONDecoder(
    strict=False, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Pairs
)
"""Decodes an object to its members, a number to its text; raw control characters in strings are let through."""


def is_object(value: object) -> bool:
    """Say whether ``value``, decoded by ``EXACT``, is a JSON object."""
    return isinstance(value, _Pairs)


def member_names(value: object) -> Iterable[str]:
    """Return the names of the members of an object decoded by ``EXACT``, none of anything else."""
    return (name for name, _ in value) if isinstance(value, _Pairs) else ()


def as_row(value: object, positions: Mapping[str, int]) -> tuple[list[str | None], str]:
    """Return the cells by position, and what is wrong (``""`` when nothing is), in Chinese.

    true and false become ``true`` and ``false``; null and ``""`` are empty cells.
    """
    cells: list[str | None] = [None] * len(positions)
    if not isinstance(value, _Pairs):
        return cells, "不是 JSON 对象"
    seen = set()
    for name, cell in value:
        position = positions[name]
        if position in seen:
            return cells, f"数据项“{name}”重复"
        seen.add(position)
        if isinstance(cell, bool):
            cells[position] = "true" if cell else "false"
        elif cell is None or isinstance(cell, str):
            cells[position] = cell or None
        else:
            return cells, f"数据项“{name}”含有下级内容"
    return cells, ""
