"""What a decision must not show as it is (rule R26, domain 3.4): secrets, minors, natural persons, details of people.

ID numbers and telephones are found by ``transforms.personal`` (R09). A mark in a text holds it for a person or is
counted, as the suite says; it is never taken for an answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import FREE_TEXT, NATURAL_PERSON, SOLE_TRADER, TEXT
from transforms.distinct import ask_each_text
from transforms.joining import join_present
from transforms.personal_names import looks_personal
from transforms.policy import in_force
from transforms.policy.content_marks import Mark, content_marks

_LOOKED_AT: Final = tuple(name for name in FREE_TEXT if name not in ("basis", "certificate_name", "document_name"))
"""Running text about a case; what quotes the law or names a form speaks of secrets without holding one."""
_NULL: Final = pa.scalar(None, TEXT)


def withheld_findings(
    columns: Mapping[str, pa.Array], under_age: pa.StringArray | None, as_of: dt.date
) -> dict[str, pa.StringArray]:
    """Return the findings of R26 about standard columns; ``under_age`` is what ``personal`` said of the ID numbers.

    The finding of a mark lists the columns that bear it, joined by ``;``.
    """
    rows = len(columns["subject_name"])
    found = {f"R26.{mark.id}": pa.nulls(rows, TEXT) for mark in content_marks()}  # not in force: found nowhere
    found |= {f"R26.{mark.id}": marked for mark, marked in _marked(columns, as_of).items()}
    category, name = columns["subject_category"], columns["subject_name"]
    person = pc.fill_null(pc.equal(category, NATURAL_PERSON), False)
    found["R26.natural_person"] = _when(person, "NATURAL_PERSON")
    found["R26.under_age"] = pa.nulls(rows, TEXT) if under_age is None else under_age
    coded = pc.or_(pc.is_valid(columns["uscc"]), pc.is_valid(columns["regno"]))
    found["R26.personal_name"] = _when(looks_personal(name, pc.invert(pc.or_(coded, person))), "LOOKS_LIKE_A_PERSON")
    own = pc.and_(pc.equal(category, SOLE_TRADER), pc.equal(name, columns["legal_rep"]))
    found["R26.trade_name"] = _when(looks_personal(name, pc.fill_null(own, False)), "NAME_OF_OPERATOR")
    return found


def _marked(columns: Mapping[str, pa.Array], as_of: dt.date) -> dict[Mark, pa.StringArray]:
    """Look for all marks at once, and only where one is found for which: nearly every text bears none."""
    rows = len(columns["subject_name"])
    marks = _in_force(as_of)
    parts: dict[Mark, list[pa.StringArray]] = {mark: [] for mark in marks}
    for name in _LOOKED_AT:
        if name not in columns or columns[name].null_count == rows or not marks:
            continue
        held = pc.fill_null(ask_each_text(columns[name], _holds_a_mark(marks)), False)
        suspects = np.flatnonzero(held)
        texts = columns[name].take(pa.array(suspects))
        for mark in marks:
            hit = suspects[np.asarray(_bears(texts, mark))] if len(suspects) else suspects
            if len(hit):
                where = np.zeros(rows, np.bool_)
                where[hit] = True
                parts[mark].append(_when(pa.array(where), name))
    return {mark: join_present(named, rows) for mark, named in parts.items()}


def _holds_a_mark(marks: tuple[Mark, ...]) -> Callable[[pa.StringArray], pa.BooleanArray]:
    pick, any_of = "|".join(mark.pick for mark in marks), "|".join(mark.any_of for mark in marks)

    def ask(texts: pa.StringArray) -> pa.BooleanArray:
        picked = pc.indices_nonzero(pc.match_substring_regex(texts, pick))
        held = np.zeros(len(texts), np.bool_)
        held[picked.to_numpy()] = np.asarray(pc.match_substring_regex(texts.take(picked), any_of))
        return pc.if_else(texts.is_valid(), pa.array(held), pa.scalar(None, pa.bool_()))

    return ask


def _bears(texts: pa.StringArray, mark: Mark) -> pa.BooleanArray:
    plain = pc.replace_substring_regex(texts, mark.not_in, "") if mark.not_in else texts
    return pc.match_substring_regex(plain, mark.any_of)


@cache
def _in_force(day: dt.date) -> tuple[Mark, ...]:
    return tuple(mark for mark in content_marks() if in_force(day, mark.from_, mark.to))


def _when(condition: pa.BooleanArray, finding: str) -> pa.StringArray:
    return pc.if_else(condition, pa.scalar(finding, TEXT), _NULL)
