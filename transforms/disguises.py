"""How the digits of a number may be written, and what may stand between two of them.

Numbers are copied from spreadsheets, scans and wrapped lines: other digits than 0 to 9, a line break, a character that
is not seen or a dot between the groups hide nothing. ``PLAIN`` brings a text to one writing, a character for a
character, for patterns of Python; ``DIGIT``, ``BLANKS``, ``DASHES`` and ``MARKS`` say the same inside brackets of RE2,
for the sets of texts that are looked through first.
"""

from __future__ import annotations

import unicodedata
from typing import Final

DIGIT: Final = r"\p{Nd}"
"""Every decimal digit of Unicode."""
BLANKS: Final = r"\s\p{Z}\p{Cc}\p{Cf}"
"""Blanks, line breaks, control characters, and characters that are not seen."""
DASHES: Final = "‐‑‒–—―−－﹣"
"""Hyphens other than ``-``."""
MARKS: Final = "./\\\\_,'`~()·•・‧∙．／＼＿，、～＇’（）"
"""Marks that part the groups of an ID number when somebody writes it so; of other numbers they are a part."""
_LATIN_X: Final = "xｘＸ×ХхΧχⅩⅹ✕✖"
_WRITTEN_DIGITS_END: Final = 0x20000
"""Beyond it Unicode has no digit, and no blank but tags."""

_FOLDED: Final = (
    {"（": "(", "）": ")", "＋": "+", "：": ":"} | dict.fromkeys(DASHES, "-") | dict.fromkeys(_LATIN_X, "X")
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
