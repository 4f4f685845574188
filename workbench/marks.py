"""Which characters of a value are the wrong ones, so that an eye finds them in eighteen alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markupsafe import Markup

from transforms.identifiers import USCC_ALPHABET
from workbench.words import target_of

_CODES: Final = frozenset({"uscc", "authority_code", "source_code"})
_LONG: Final = 18
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060\u3000\ufeff]")
_DAY: Final = re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?")


def mark(value: str | None, field: str, finding: str | None = None) -> Markup:
    """Return a value as HTML with its wrong characters in ``<mark>``; invisible ones show as ``␣``,
    and each character that a credit code lacks as ``□``.

    Which are wrong is read from the finding of the rule where it says so, and from the value itself: characters that no
    credit code has, the check character, months and days that do not exist, full-width digits and blanks in codes.
    """
    text, field = value or "", target_of(field)
    wrong = _in_code(text, finding or "") if field in _CODES else _in_text(text, field)
    lacking = max(0, _LONG - len(text)) if text and field in _CODES else 0
    shown = [_shown(character, place in wrong) for place, character in enumerate(text)]
    return Markup("").join([*shown, Markup("<mark>{}</mark>").format("□" * lacking) if lacking else Markup("")])


def _in_code(text: str, finding: str) -> set[int]:
    wrong = {place for place, character in enumerate(text) if character not in USCC_ALPHABET}
    if wrong:
        return wrong
    if len(text) != _LONG:
        return set(range(_LONG, len(text)))
    parts = finding.split(";")
    if "CHECK" in parts:
        wrong.add(17)
    if "ORG_CHECK" in parts:
        wrong.add(16)
    if "REGION" in parts:
        wrong |= set(range(2, 8))
    if "DEPT_CATEGORY" in parts:
        wrong |= {0, 1}
    return wrong


def _in_text(text: str, field: str) -> set[int]:
    wrong = {match.start() for match in _UNSEEN.finditer(text)}
    if field.endswith(("_date", "_until", "_from", "_to", "_at")):
        wrong |= {
            place
            for place, character in enumerate(text)
            if character not in " :T" and unicodedata.normalize("NFKC", character) != character
        }
        if match := _DAY.search(text):
            wrong |= _outside(match, "month", 12) | _outside(match, "day", 31)
    return wrong


def _outside(match: re.Match[str], part: str, most: int) -> set[int]:
    return set() if 1 <= int(match[part]) <= most else set(range(*match.span(part)))


def _shown(character: str, wrong: bool) -> Markup:
    if not wrong:
        return Markup("{}").format(character)
    seen = "␣" if _UNSEEN.fullmatch(character) else character
    return Markup("<mark>{}</mark>").format(seen)
