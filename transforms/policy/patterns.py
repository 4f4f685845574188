"""Words of the dated tables: parts of regular expressions that several rows share, written ``<WORD>`` in a pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from transforms.disguises import ODD_DIGIT
from transforms.personal_names import COMPOUND_SURNAMES, SURNAMES
from transforms.policy import PolicyInvalid

_WORD: Final = re.compile(r"<([A-Z_]+)>")
_KNOWN: Final = {"SURNAMES": SURNAMES, "COMPOUND_SURNAMES": COMPOUND_SURNAMES, "ODD_DIGIT": ODD_DIGIT}
"""The surnames as they stand inside ``[...]``, those of two characters as alternatives, and a class of RE2."""


def read_words(rows: Mapping[str, str]) -> dict[str, str]:
    """Return the words of a table, each of which may be built of earlier ones; ``PolicyInvalid`` names a wrong one."""
    words = dict(_KNOWN)
    for word, pattern in rows.items():
        words[word] = spelled_out(pattern, words, word)
    return words


def spelled_out(pattern: str, words: Mapping[str, str], row: str) -> str:
    """Return a pattern with every ``<WORD>`` replaced. Raises ``PolicyInvalid`` with the row for a word unknown."""
    if unknown := set(_WORD.findall(pattern)) - words.keys():
        raise PolicyInvalid(f"{row}: no word {', '.join(sorted(unknown))}")
    return _WORD.sub(lambda found: words[found[1]], pattern)
