"""请企业更正: the letter that asks an enterprise to check and correct its annual report (年度报告核对更正通知).

It tells what was decided about and nothing else: the fields that differ with both values, what would clear the
finding, and until when the enterprise may correct its report by itself. The same decision gives the same bytes.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from connectors.descriptor import load_agency
from pipeline.inspection_packet import FIELD_NAMES, field_value
from pipeline.letters import rendered
from pipeline.office import Office
from store import discrepancies
from store.discrepancies import Finding
from transforms import personal
from transforms.columns import TEXT
from transforms.crosscheck.cases import rules

_SENDER: Final = "aic"
"""Who receives annual reports, and asks for their correction."""


class LetterRefused(RuntimeError):
    """There is nothing to ask of the enterprise as things stand; the message says why, in Chinese."""


def may_have_letter(found: Finding) -> bool:
    """Tell whether a finding was sent to its enterprise for correction, and still says what was decided about."""
    return _refusal(found) is None


def file_name(found: Finding) -> str:
    """Return the name under which a letter is saved."""
    return f"correction-{found.uscc}-{found.year}-{found.finding_key[:8]}.html"


def correction_letter(office: Office, finding_key: str) -> tuple[str, bytes]:
    """Return the name of a finding's letter and the letter, a page (HTML, UTF-8), dated as the decision.

    Raises ``store.discrepancies.FindingUnknown``; ``LetterRefused`` where the finding was not sent for correction, is
    closed, changed since, or is about the monitoring base.
    """
    with office.engine.connect() as connection:
        found = discrepancies.read_finding(connection, finding_key)
        _, decisions = discrepancies.history(connection, finding_key)
    if (refusal := _refusal(found)) is not None:
        raise LetterRefused(refusal)
    day = decisions[-1].as_of
    fields = [
        (FIELD_NAMES.get(name, name), *_shown([field_value(name, value) for value in values]))
        for name, values in found.fields.items()
    ]
    [enterprise, address] = _shown([found.enterprise_name or "", found.site_url or ""])
    page = rendered(
        "correction_letter.html",
        number=found.finding_key[:16], enterprise=enterprise or "贵单位", uscc=found.uscc, year=found.year,
        basis=rules().letter_basis, title=rules().cases[found.case_no].title, fields=fields, address=address,
        clears=found.clears, until=found.correct_until, in_time=day <= found.correct_until, day=day,
        not_reported=found.kind == "not_reported", agency=load_agency(_SENDER).name_on(day),
        snapshot=found.evidence.get("snapshot_date"), evidence=found.evidence.get("snapshot_hash"),
        report_id=found.report_id,
    )  # fmt: skip
    return file_name(found), page.encode()


def _refusal(found: Finding) -> str | None:
    if found.closed:
        return "此项已消除, 无须再请企业更正"
    if found.state != "sent_for_correction":
        return "此项尚未决定请企业更正"
    if found.outdated:
        return "作出决定之后比对结果有变化, 请重新核对并决定"
    if found.kind == "base_gap":
        return "此项应由网监库补录, 不须企业更正"
    return None


def _shown(texts: object) -> list[str]:
    """Return texts as they may leave: no ID number, no telephone."""
    masked = personal.without_numbers(pa.array(texts, TEXT))
    return [text or "" for text in masked.to_pylist()]
