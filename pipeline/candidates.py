"""Enterprises of the register that a record may be about, with what speaks for each and against it (归属复核).

For a person to choose from; no machine chooses (invariant 3). Found by every key that the record carries, by codes one
character away from a wrong one, and by similar names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from rapidfuzz import fuzz

from pipeline.office import Office
from store import rulings
from transforms import former_names, identifiers, names
from transforms.suggest import one_character_away

SIMILAR: Final = 80.0
"""Similarity of names (0 to 100, share of characters in common order) from which on an enterprise is named."""
_LOOKED_AT: Final = 2_000
_PIECE: Final = 3

_BY_KEYS: Final = """
SELECT uscc, name, name_key, former_names, regno, legal_rep, address, reg_state FROM enterprise
WHERE to_version IS NULL AND (
    uscc = ANY(:codes) OR substr(uscc, 9, 9) = ANY(:organisations) OR regno = :regno OR name_key = :name
    OR former_names LIKE :former
)
ORDER BY uscc LIMIT :most
"""
_BY_NAME: Final = """
SELECT uscc, name, name_key, former_names, regno, legal_rep, address, reg_state FROM enterprise
WHERE to_version IS NULL AND name_key LIKE ANY(:pieces) ORDER BY uscc LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enterprise of the register. ``similarity`` of its nearest name, 0 to 100; reasons in Chinese."""

    uscc: str
    name: str
    former_names: tuple[str, ...]
    regno: str | None
    legal_rep: str | None
    address: str | None
    reg_state: str | None
    similarity: float
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]


def candidates(office: Office, record_id: int, *, limit: int = 10) -> list[Candidate]:
    """Return the enterprises that a record may be about, those with most evidence first. Raises ``LookupError``.

    The look-up of similar names reads the register once (a second for a million enterprises).
    """
    with office.engine.connect() as connection:
        _, record = rulings.row_of(connection, record_id)
        found = {row["uscc"]: dict(row) for row in _known(connection, record)}
    judged = [_weighed(record, row) for row in found.values()]
    chosen = [each for each in judged if each.speaks_for]
    chosen.sort(key=lambda each: (-len(each.speaks_for), len(each.speaks_against), -each.similarity, each.uscc))
    return chosen[:limit]


def _known(connection: sa.Connection, record: Mapping[str, Any]) -> list[sa.RowMapping]:
    uscc, key = record["uscc"] or "", record["subject_key"] or ""
    organisations = [code for code in (record["org_code"], _organisation_of_tax(record["tax_no"])) if code]
    shown_name = (record["subject_name"] or "").replace("%", "").replace("_", "")
    rows = connection.execute(
        sa.text(_BY_KEYS),
        {
            "codes": [uscc, *one_character_away(uscc)], "organisations": organisations, "regno": record["regno"],
            "name": key, "former": f"%{shown_name}%" if shown_name else None, "most": _LOOKED_AT,
        },
    ).mappings().all()  # fmt: skip
    pieces = _pieces(key)
    if not pieces:
        return list(rows)
    similar = connection.execute(sa.text(_BY_NAME), {"pieces": pieces, "most": _LOOKED_AT}).mappings().all()
    return [*rows, *(row for row in similar if fuzz.ratio(key, row["name_key"]) >= SIMILAR)]


def _pieces(key: str) -> list[str]:
    """Patterns of which a similar name matches one: the middle of the name, where its own words stand."""
    plain = key.replace("%", "").replace("_", "")
    return [f"%{plain[place : place + _PIECE]}%" for place in range(2, min(len(plain) - _PIECE, 8), 2)]


def _organisation_of_tax(tax_no: str | None) -> str | None:
    found: str | None = identifiers.org_code_of_tax_no(pa.array([tax_no], pa.string()))[0].as_py()
    return found


def _weighed(record: Mapping[str, Any], row: Mapping[str, Any]) -> Candidate:
    listed: list[str] = former_names.split(pa.array([row["former_names"] or ""], pa.string()))[0].as_py()
    former = tuple(name for name in listed if name)
    key, uscc, organisation = record["subject_key"] or "", record["uscc"], row["uscc"][8:17]
    former_keys = names.name_key(pa.array(former, pa.string())).to_pylist()
    similarity = max(fuzz.ratio(key, each or "") for each in (row["name_key"], *former_keys))
    speaks_for: list[str] = []
    against: list[str] = []

    def weigh(given: object, agrees: bool, good: str, bad: str) -> None:
        if given and (good if agrees else bad):
            (speaks_for if agrees else against).append(good if agrees else bad)

    if uscc and _one_apart(row["uscc"], uscc):
        speaks_for.append("统一社会信用代码只差一位")
    else:
        weigh(uscc, uscc == row["uscc"], "统一社会信用代码相同", "统一社会信用代码不同")
    if key == row["name_key"]:
        speaks_for.append("名称相同")
    elif key in former_keys:
        speaks_for.append("与曾用名相同")
    elif similarity >= SIMILAR:
        speaks_for.append(f"名称相近（{similarity:.0f}%）")
    else:
        against.append("名称不同")
    weigh(record["org_code"], record["org_code"] == organisation, "组织机构代码相同", "组织机构代码不同")
    weigh(record["regno"], record["regno"] == row["regno"], "工商注册号相同", "工商注册号不同")
    tax = _organisation_of_tax(record["tax_no"])
    weigh(tax, tax == organisation, "税务登记号所含组织机构代码相同", "税务登记号所含组织机构代码不同")
    weigh(record["legal_rep"], record["legal_rep"] == row["legal_rep"], "法定代表人相同", "法定代表人不同")
    return Candidate(
        row["uscc"], row["name"], former, row["regno"], row["legal_rep"], row["address"], row["reg_state"],
        round(similarity, 1), tuple(speaks_for), tuple(against),
    )  # fmt: skip


def _one_apart(right: str, given: str) -> bool:
    return len(given) == len(right) and sum(a != b for a, b in zip(right, given, strict=True)) == 1
