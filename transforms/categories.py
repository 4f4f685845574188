"""Category words: several in one cell, written in many ways, decoded to the literals of the sheets.

Words, short forms and code tables are in ``transforms/categories.yaml``. Rules R14 and R15: a category is in the list,
其他 carries a text, several are joined by a half-width ``;``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from transforms.columns import Kind, Sheet
from transforms.distinct import read_distinct
from transforms.yaml_text import read_yaml

ListName = Literal[
    "penalty", "licence", "subject", "id_type", "check_type", "check_result", "abnormal_cause", "abnormal_removal",
    "serious_cause", "serious_removal", "measure", "site_type", "licence_shown", "self_operated", "site_state",
]  # fmt: skip
Tag = Literal["found", "unverified", "our_reading"]

OTHER: Final = "其他"
_SEPARATOR: Final = re.compile(r"[;,、|/\s]+")
_OTHER: Final = re.compile(
    r"其[他它](?:\s*[-—–―_:]+\s*(?P<text>[^;|]*)|\s*\((?P<bracketed>[^;|()]*)\))?(?=\s*(?:[;,、|/]|$))"
)


CODED: Final[dict[Kind, dict[str, ListName]]] = {
    Kind.INSPECTION: {"check_type": "check_type", "result": "check_result"},
    Kind.ABNORMAL_OPERATION: {"listing_cause": "abnormal_cause", "removal_reason": "abnormal_removal"},
    Kind.SERIOUS_VIOLATION: {"listing_cause": "serious_cause", "removal_reason": "serious_removal"},
    Kind.ENFORCEMENT_NOTICE: {"measure": "measure"},
    Kind.BASIC_INFO: {
        "site_type": "site_type",
        "licence_shown": "licence_shown",
        "self_operated": "self_operated",
        "site_state": "site_state",
    },
}
"""Standard columns that hold words of a list. Their codes differ by source (domain 6), so the descriptor of a source
translates them before standardising; a code that nobody translated is ``UNKNOWN`` here."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Part):
    list: ListName
    tag: Tag
    literals: tuple[str, ...]


class _Aliases(_Part):
    list: ListName
    tag: Tag
    words: dict[str, str]


class _Codes(_Part):
    table: str
    list: ListName
    tag: Tag
    seen: str
    codes: dict[str, str]


class _Assignment(_Part):
    agency: str
    kind: Kind
    sheet: Sheet
    table: str
    since: date
    tag: Tag


class _Catalogue(_Part):
    words: tuple[_Words, ...]
    aliases: tuple[_Aliases, ...]
    codes: tuple[_Codes, ...]
    assignments: tuple[_Assignment, ...]


@dataclass(frozen=True, slots=True)
class _Reader:
    """What one cell may say: words and short forms by their normal form, codes, whether several may stand together."""

    words: dict[str, str]
    codes: dict[str, str]
    several: bool
    other: bool

    def read(self, text: str) -> tuple[str | None, str | None]:
        plain = unicodedata.normalize("NFKC", text).strip("\ufeff\u200b \t\r\n")
        found: dict[str, None] = {}
        findings: set[str] = set()
        while plain := plain[_skip(plain) :]:
            literal, finding, length = self._next(plain)
            plain = plain[length:]
            found[literal] = None
            if finding:
                findings.add(finding)
        if len(found) > 1 and not self.several:
            findings.add("UNKNOWN")
        return ";".join(found) or None, ";".join(sorted(findings, reverse=True)) or None

    def _next(self, plain: str) -> tuple[str, str | None, int]:
        for word, literal in self.words.items():
            if plain.startswith(word) and (len(plain) == len(word) or _SEPARATOR.match(plain, len(word))):
                return literal, None, len(word)
        if self.other and (other := _OTHER.match(plain)):
            text = (other["text"] or other["bracketed"] or "").strip()
            return (f"{OTHER}-{text}", None, other.end()) if text else (OTHER, "OTHER_WITHOUT_TEXT", other.end())
        end = _SEPARATOR.search(plain)
        token = plain[: end.start()] if end else plain
        literal = self.codes.get(token, "")
        if literal == OTHER:
            return OTHER, "OTHER_WITHOUT_TEXT", len(token)
        return (literal, None, len(token)) if literal else (token, "UNKNOWN", len(token))


def _skip(plain: str) -> int:
    separators = _SEPARATOR.match(plain)
    return separators.end() if separators else 0


@cache
def _catalogue() -> _Catalogue:
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return _Catalogue.model_validate(read_yaml(text))


def _table_of(kind: Kind, sheet: Sheet, agency: str | None) -> str | None:
    wanted = (agency, kind, sheet)
    return next((a.table for a in _catalogue().assignments if (a.agency, a.kind, a.sheet) == wanted), None)


@cache
def _reader(name: ListName, table: str | None, *, several: bool, other: bool) -> _Reader:
    catalogue = _catalogue()
    words = {literal: literal for part in catalogue.words if part.list == name for literal in part.literals}
    for part in catalogue.aliases:
        if part.list == name:
            words |= part.words
    codes = next((part.codes for part in catalogue.codes if part.table == table), {})
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return _Reader({word: words[word] for word in longest_first}, codes, several, other)


def decode(
    kind: Kind, sheet: Sheet, texts: pa.Array | pa.ChunkedArray, agency: str | None = None
) -> tuple[pa.StringArray, pa.StringArray]:
    """Decode penalty (处罚类别) or licence (许可类别) categories; return the literals joined by ``;`` and the findings.

    Long literals that contain 、 themselves are matched before 、 is taken as a separator; ``;``, ``，``, ``、``,
    ``|``, ``/`` and blanks, half or full width, become ``;``; a literal counts once; 其他-text keeps its text.
    Codes are decoded only by the table that ``agency`` is assigned for this kind and sheet. Findings: ``UNKNOWN`` (the
    token stays as received), ``OTHER_WITHOUT_TEXT``, joined by ``;``. Null and blank texts give null and no finding.
    """
    reader = _reader(kind.value, _table_of(kind, sheet, agency), several=True, other=True)
    decoded, findings = read_distinct(texts, reader.read, pa.string(), pa.string())
    return decoded, findings


def in_words(name: ListName, texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Read the words of a list that has no codes of its own; literals and findings as in :func:`decode`."""
    decoded, findings = read_distinct(
        texts, _reader(name, None, several=True, other=True).read, pa.string(), pa.string()
    )
    return decoded, findings


def subject_category(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Decode 行政相对人类别, as words or as the codes 01 to 04; an ``UNKNOWN`` text stays as received."""
    decoded, findings = read_distinct(
        texts, _reader("subject", "subject", several=False, other=False).read, pa.string(), pa.string()
    )
    return decoded, findings


def id_type(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Decode 证件类型, as words, as the codes 1 to 5 or as 其他-name; findings as in :func:`decode`."""
    decoded, findings = read_distinct(
        texts, _reader("id_type", "id_type", several=False, other=True).read, pa.string(), pa.string()
    )
    return decoded, findings
