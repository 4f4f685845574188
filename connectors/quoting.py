"""The words of an agency in problems and messages: by their beginning, and without numbers of persons (invariant 8).

What is cut off first and masked afterwards is not masked: of an ID number without its last digits nothing tells that it
is one, and the last ones can be computed. So numbers are masked in what is behind the cut too.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from transforms import personal
from transforms.columns import TEXT

LONGEST_NUMBER: Final = 200
"""Characters of an ID number, with as many blanks between its digits as do not hide it."""
_UNSEEN: Final = dict.fromkeys((0, 0xFFFD, *range(0xD800, 0xE000)), "\N{ZERO WIDTH SPACE}")
"""NUL and lone surrogates, which no database takes and which are shown escaped, and what stands for damaged bytes."""


def quoted(text: str, most: int) -> str:
    """Return the first ``most`` characters of a text, ID numbers masked and telephones cut, ``…`` where more follows.

    NUL and lone surrogates are escaped; they hide no number, and are left out where something is masked.
    """
    shown = without_numbers(text[: most + LONGEST_NUMBER])
    cut_off = len(text) > most + LONGEST_NUMBER
    if cut_off:  # what stands last may be the beginning of a number
        shown = shown[: max(0, len(shown) - LONGEST_NUMBER)]
    cut_off = cut_off or len(shown) > most
    escaped = shown[:most].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{escaped}…" if cut_off else escaped


def without_numbers(text: str) -> str:
    """Return a text with ID numbers masked and telephones cut, whatever is no text between their digits."""
    plain = text.translate(_UNSEEN)
    masked = str(personal.without_numbers(pa.array([plain], TEXT))[0].as_py())
    return text if masked == plain else masked
