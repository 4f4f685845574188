"""Typical cases (典型案例) of a special action: chosen by criteria that can be read, personal data cut.

A case qualifies as :mod:`store.campaign_cases` says, and when its texts bear none of the marks of rule R26, no ID
number and nothing that may still be a name once they are cut. Of those that qualify the next one is taken from an
agency that has none yet, then of a kind that has none yet, then the heaviest, then the one with the largest amount; the
decision number settles ties.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.campaign.report import TypicalCase
from store.campaign_cases import Candidate, candidates
from transforms import personal
from transforms.campaign.counting import Counting
from transforms.campaign.sheets import Action
from transforms.columns import TEXT
from transforms.personal_details import cut_details
from transforms.personal_names import may_name_someone, shorten_names
from transforms.withholding import withheld_findings

_OF_EACH_AGENCY: Final = 30
_TEXTS: Final = {
    "case_name": "案件名称", "violation_type": "违法行为类型", "facts": "违法事实", "basis": "处罚依据",
    "penalty_category": "处罚类别", "content": "处罚内容", "revoked_certificate": "暂扣或吊销证照",
}  # fmt: skip
"""What a decision document says, and what it is called; remarks of the agency are none of it."""
_JUDGED: Final = (*_TEXTS, "remarks", "subject_name", "subject_category", "uscc", "regno", "legal_rep")


def typical_cases(connection: sa.Connection, action: Action, rules: Counting, as_of: dt.date) -> list[TypicalCase]:
    """Return up to ``most_cases`` cases in the order in which they were chosen; fewer where fewer qualify."""
    found = candidates(connection, subjects=action.case_subjects, today=as_of, most=_OF_EACH_AGENCY)
    chosen = _chosen(_without_marks(found, as_of), action.most_cases, rules, as_of)
    return [_as_shown(case, why, rules, as_of) for case, why in chosen]


def _without_marks(found: Sequence[Candidate], as_of: dt.date) -> list[Candidate]:
    """Leave out what a person should look at first: the marks may be newer than the day on which it came in."""
    if not found:
        return []
    columns = {name: pa.array([getattr(case, name) for case in found], TEXT) for name in _JUDGED}
    marked = [pc.is_valid(finding) for finding in withheld_findings(columns, None, as_of).values()]
    marked += [pc.fill_null(personal.id_like(columns[name], code_column=False), False) for name in _JUDGED
               if name not in ("uscc", "regno", "subject_category")]  # fmt: skip
    told = pa.table({str(place): each for place, each in enumerate(marked)}).to_pylist()
    return [case for case, marks in zip(found, told, strict=True) if not any(marks.values())]


def _texts(case: Candidate, as_of: dt.date) -> dict[str, str]:
    """What the decision document says by the titles under which it is shown, cut."""
    people = [case.legal_rep] if case.legal_rep else []
    return {title: _cut(text, people, as_of) for name, title in _TEXTS.items() if (text := getattr(case, name))}


def _chosen(showable: Sequence[Candidate], most: int, rules: Counting, as_of: dt.date) -> list[tuple[Candidate, str]]:
    """Take one after the other; one whose text may still name somebody once it is cut is passed over."""
    chosen: list[tuple[Candidate, str]] = []
    left = list(showable)
    while left and len(chosen) < most:
        agencies = {case.agency for case, _ in chosen}
        kinds = {case.rank for case, _ in chosen}
        best = min(
            left,
            key=lambda case: (case.agency in agencies, case.rank in kinds, -case.rank, -case.amount, case.case_key),
        )
        left.remove(best)
        if any(may_name_someone(text) for text in _texts(best, as_of).values()):
            continue
        title = rules.title(best.rank)
        reasons = [f"处罚种类最重为{title}"]
        if not chosen:
            reasons = [f"全部可用案件中处罚种类最重（{title}）"]
        elif best.agency not in agencies:
            reasons.insert(0, "所在机关此前未入选")
        if chosen and best.rank not in kinds:
            reasons.append("该处罚种类此前未入选")
        chosen.append((best, "；".join([*reasons, "同等条件下罚没金额最大"])))
    return chosen


def _as_shown(case: Candidate, why: str, rules: Counting, as_of: dt.date) -> TypicalCase:
    texts = _texts(case, as_of)
    for title, amount in (("罚款金额（万元）", case.fine_amount), ("没收金额（万元）", case.confiscated_amount)):
        if amount:
            texts[title] = _plain(amount)
    return TypicalCase(
        document_no=case.document_no, agency=case.agency, authority_name=case.authority_name,
        subject_name=case.subject_name, uscc=case.enterprise_uscc, decision_date=case.decision_date,
        district=case.district, heaviest=rules.title(case.rank), amount=case.amount, why=why, texts=texts,
        source=f"交付 {case.delivery_id} 第 {case.row_no} 行",
    )  # fmt: skip


def _cut(text: str, people: Sequence[str], as_of: dt.date) -> str:
    """Return a text as feeds cut it on a day: no ID numbers, telephones, details and names of people (domain 3.4)."""
    plain = cut_details(personal.without_numbers(pa.array([text], TEXT)), as_of)
    return shorten_names(str(plain[0].as_py()), people)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
