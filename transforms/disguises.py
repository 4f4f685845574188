"""How the digits of a number may be written, and what may stand between two of them.

Numbers are copied from spreadsheets, scans and wrapped lines: other digits than 0 to 9, a line break, a character that
is not seen or a dot between the groups hide nothing. ``PLAIN`` and ``PLAIN_ID`` bring a text to one writing, a
character for a character, for patterns of Python. The patterns of RE2, which pick the texts that are worth it, take a
wider sign for each: a pattern is compiled anew for every batch, and what stands in it fifteen times must be short.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_DASHES: Final = "‐‑‒–—―−－﹣"
_MARKS: Final = "./\\_,'`~()·•・‧∙．／＼＿，、～＇’（）"
"""Marks that part the groups of an ID number when somebody writes it so; of other numbers they are a part."""
_LATIN_X: Final = "xｘＸ×ХхΧχⅩⅹ✕✖"
_WRITTEN_DIGITS_END: Final = 0x20000
"""Beyond it Unicode has no digit, and no blank but tags."""

_FOLDED: Final = (
    {"（": "(", "）": ")", "＋": "+", "：": ":"} | dict.fromkeys(_DASHES, "-") | dict.fromkeys(_LATIN_X, "X")
)
_KINDS_OF_BLANK: Final = {"Zs", "Zl", "Zp", "Cc", "Cf"}


def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) in _KINDS_OF_BLANK:
        return " "
    return _FOLDED.get(character, character)


PLAIN: Final = {code: plain for code in range(_WRITTEN_DIGITS_END) if (plain := _plain(chr(code))) != chr(code)}
"""One character for one: a place in the plain text is the same place in the text."""
PLAIN_ID: Final = PLAIN | str.maketrans(dict.fromkeys(_MARKS, "/"))
"""Beside it, ``/`` for the marks that may part an ID number."""

DIGIT: Final = "[0-9０-９]"
"""RE2: a digit as it is usually written."""
APART: Final = r"[^0-9A-Za-z０-９\x{3400}-\x{9fff}]"
"""RE2: whatever may stand between two digits of a number, and more: neither a digit nor a letter nor an ideograph."""
ODD_DIGIT: Final = "[{}]".format(
    "".join(
        f"\\x{{{first:x}}}-\\x{{{first + 9:x}}}"
        for first in range(0x100, _WRITTEN_DIGITS_END)
        if chr(first) != "０" and unicodedata.decimal(chr(first), None) == 0
    )
)
"""RE2: a digit that is written otherwise; there is hardly ever one."""
