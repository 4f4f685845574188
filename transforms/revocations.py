"""Licences that a penalty says are revoked (吊销), held against licences that still stand as valid (rule R28)."""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

from transforms.names import document_key

REVOKES: Final = "吊销"
"""The word of a class (处罚类别) and of a text that revokes; a class alone may mean 暂扣."""

_SAID_AFTER: Final = re.compile(rf"{REVOKES}([^。；;]{{1,80}})")
_SHORTEST: Final = 5


def said_revoked(category: str | None, content: str | None, certificate: str | None) -> str:
    """Return the folded words in which a penalty names what it revokes; empty where it revokes nothing.

    They stand in 暂扣或吊销证照名称及编号; where the sheet has no such column, after 吊销 in the text of the penalty.
    """
    if REVOKES not in (category or "") or REVOKES not in (content or ""):
        return ""
    said = certificate or ";".join(_SAID_AFTER.findall(content or ""))
    return _folded(said)


def names_licence(said: str, number: str | None) -> bool:
    """Tell whether those words name a licence number (许可编号), however it is written; short numbers are no proof."""
    key = _folded(number or "")
    if len(key) < _SHORTEST:
        return False
    before, found, after = said.partition(key)
    return bool(found) and not (before[-1:].isdigit() and key[0].isdigit()) and not after[:1].isdigit()


def _folded(text: str) -> str:
    [key] = document_key(pa.array([text], pa.string())).to_pylist()
    return str(key).upper()
