"""Former names (曾用名) as the register writes them: several in one text, parted by ``;`` or ``；``."""

from __future__ import annotations

import html
import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import flat

_ENTITY: Final = re.compile("[&＆][#＃]?[0-9A-Za-z]{2,32}[;；]")
_PARTS: Final = "[;；]"


def split(texts: pa.Array | pa.ChunkedArray) -> pa.ListArray:
    """Return the names of each text, some perhaps empty; a null where the text is null.

    HTML entities are resolved first, however often they were written over: the ``;`` that ends one parts no names.
    """
    listed = flat(texts)
    escaped = pc.fill_null(pc.match_substring_regex(listed, "[&＆]"), False)
    if pc.any(escaped).as_py():
        resolved = [_resolved(text) for text in listed.filter(escaped).to_pylist()]
        listed = pc.replace_with_mask(listed, escaped, pa.array(resolved, listed.type))
    return pc.split_pattern_regex(listed, _PARTS)


def _resolved(text: str) -> str:
    while (plain := _ENTITY.sub(_character, text)) != text:
        text = plain
    return text


def _character(entity: re.Match[str]) -> str:
    """The character that an entity stands for; a text that is none stays as it is, with the ``;`` that parts names."""
    written = entity[0].translate({ord("＆"): "&", ord("；"): ";", ord("＃"): "#"})
    character = html.unescape(written)
    return entity[0] if ";" in character and len(character) > 1 else character
