"""What a person types beside a decision (理由, 附言), or calls a file: it is kept for ever, printed and sent on.

No ID number and no telephone of a person may stand in it (rule R09, invariant 8). Whoever takes such a text refuses it
before anything is stored (``require_no_number``), so that its author can say it in other words. Behind that stands
``masked_told`` for whatever can never be cleaned: the audit log, and what a replay does again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from transforms import personal
from transforms.columns import TEXT

_SHORTEST_NUMBER: Final = 7
_HASH: Final = re.compile(r"(?=.*[a-f])[0-9a-f]{32,64}")


class NumberTyped(ValueError):
    """A typed text holds a number of a person. The message names field, reason and remedy, never the number."""

    def __init__(self, field: str, what: str) -> None:
        """Say it in the words of the stewards."""
        super().__init__(f"{field}含疑似{what}, 没有记入: 请删去号码后重新提交, 需要指明当事人的写姓名或文号")


def require_no_number(field: str, text: str) -> None:
    """Refuse a text that holds a resident ID number or a telephone number; ``field`` is what the form calls it.

    Service numbers (12315, 400 and 800 hotlines) are not personal. Raises ``NumberTyped``.
    """
    if personal.holds_id(text):
        raise NumberTyped(field, "居民身份证号")
    if personal.has_telephone(pa.array([text], TEXT))[0].as_py():
        raise NumberTyped(field, "电话号码")


def masked_text(text: str) -> str:
    """Return a text with ID numbers masked and telephone numbers cut."""
    return str(masked_told(text))


def masked_name(file: str) -> str:
    """Return the name of a file without numbers of persons; its suffix, by which formats are told, stays."""
    stem, dot, suffix = file.rpartition(".")
    return masked_text(f"{masked_text(stem)}{dot}{masked_text(suffix)}")


def masked_told(told: Any) -> Any:
    """Return what is told (mappings, sequences, texts) with every number of a person masked, keys included.

    Hashes are left as they are: digits in them say nothing, and damaged they would name nothing.
    """
    suspects = sorted({text for text in _texts(told) if _may_hold_number(text)})
    if not suspects:
        return told
    masked = personal.without_numbers(pa.array(suspects, TEXT)).to_pylist()
    return _with(told, dict(zip(suspects, masked, strict=True)))


def _may_hold_number(text: str) -> bool:
    return len(text) >= _SHORTEST_NUMBER and not _HASH.fullmatch(text)


def _texts(told: Any) -> Iterator[str]:
    match told:
        case str():
            yield told
        case Mapping():
            for name, value in told.items():
                yield from _texts(name)
                yield from _texts(value)
        case list() | tuple():
            for value in told:
                yield from _texts(value)


def _with(told: Any, masked: Mapping[str, str]) -> Any:
    match told:
        case str():
            return masked.get(told, told)
        case Mapping():
            return {_with(name, masked): _with(value, masked) for name, value in told.items()}
        case list() | tuple():
            return [_with(value, masked) for value in told]
        case _:
            return told
