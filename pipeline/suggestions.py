"""Suggestions for a steward: what a record may be meant to say, each with a reason that can be checked.

They are never applied by themselves: a steward who takes one over proposes a correction like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pipeline.office import Office
from pipeline.rulings import current_version
from store import rulings
from transforms import money
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS
from transforms.suggest import date_readings, one_character_away


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text for one column (code of the sheet), and why, in Chinese."""

    code: str
    text: str
    why: str


def suggestions(office: Office, record_id: int) -> list[Suggestion]:
    """Return what may be put into the columns that a record's failed rules name. Raises ``LookupError``."""
    with office.engine.connect() as connection:
        version = current_version(connection, record_id)
        row = rulings.read_row(connection, version.kind, version.record_id)
        failed = [v for v in version.verdicts if v["severity"] in ("reject", "hold")]
        found = [
            *_days(failed, row),
            *_amount(version.kind, failed, row),
            *_codes(connection, version.kind, row),
        ]
    return list(dict.fromkeys(found))


def _days(failed: list[Mapping[str, Any]], row: Mapping[str, Any]) -> Iterator[Suggestion]:
    received = json.loads(row["source_text"] or "{}")
    for verdict in failed:
        if verdict["rule"] in ("R10", "R11", "R12"):
            for code in verdict["field"].split(";"):
                for reading in date_readings(received.get(code, "")):
                    yield Suggestion(code, f"{reading.day:%Y/%m/%d}", f"按{reading.order}读“{received[code]}”")


def _amount(kind: Kind, failed: list[Mapping[str, Any]], row: Mapping[str, Any]) -> Iterator[Suggestion]:
    if kind is not Kind.PENALTY or row["content"] is None:
        return
    if not any(verdict["rule"] in ("R16", "R17", "R18") for verdict in failed):
        return
    fine, confiscated = (sums[0].as_py() for sums in money.amounts_in_text(pa.array([row["content"]])))
    code_of = SHEETS[kind, Sheet(row["sheet"])].code_of
    for target, amount in (("fine_amount", fine), ("confiscated_amount", confiscated)):
        if amount is not None and amount != row[target]:
            text = f"{amount.normalize():f}"
            yield Suggestion(code_of(target), text, f"处罚内容写明 {text} 万元: “{row['content'][:40]}”")


def _codes(connection: sa.Connection, kind: Kind, row: Mapping[str, Any]) -> Iterator[Suggestion]:
    """The code that the register has for this name; the one enterprise that a mistyped character away agrees."""
    code_of = SHEETS[kind, Sheet(row["sheet"])].code_of
    named = _enterprises(connection, "name_key = :key", key=row["subject_key"])
    if len(named) == 1 and named[0].uscc != row["uscc"]:
        yield Suggestion(code_of("uscc"), named[0].uscc, f"登记库中名称“{named[0].name}”只对应这一代码")
    near = _enterprises(connection, "uscc = ANY(:codes)", codes=list(one_character_away(row["uscc"] or "")))
    if len(near) == 1 and near[0].name_key == row["subject_key"]:
        place = next(i for i, pair in enumerate(zip(near[0].uscc, row["uscc"], strict=True), 1) if pair[0] != pair[1])
        yield Suggestion(code_of("uscc"), near[0].uscc, f"只差第{place}位, 且登记名称与所填名称一致")
    held = _enterprises(connection, "uscc = :uscc", uscc=row["uscc"])
    if len(held) == 1 and held[0].name_key != row["subject_key"]:
        yield Suggestion(code_of("subject_name"), held[0].name, "登记库中该代码的现用名称")


def _enterprises(connection: sa.Connection, where: str, **parameters: Any) -> list[sa.Row[Any]]:
    query = f"SELECT uscc, name, name_key FROM enterprise WHERE to_version IS NULL AND {where} ORDER BY uscc LIMIT 2"  # noqa: S608 (own text)
    return list(connection.execute(sa.text(query), parameters).all())
