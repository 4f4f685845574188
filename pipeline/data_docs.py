"""Data Docs of the deliveries of a business day, as files under the home: from the ledger's counts alone.

Pages are built beside the work and not in it: whoever ingests does not wait for a page that nobody may read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import agency_name
from expectations.data_docs import STYLE_SHEET, Counted, OtherCount, data_docs
from expectations.suite import Suite, load_reference_suite, load_suite
from pipeline.office import Office
from pipeline.rule_titles import rule_title
from pipeline.whole_file import write_whole
from store.schema import check_result, delivery
from transforms.columns import CONTENT_NAMES, Reference, Sheet, content_named
from transforms.dates import BEIJING

FOLDER: Final = "data_docs"
"""Folder of a home that the pages lie in."""


def page_of(delivery_id: int) -> str:
    """Return the name of a delivery's page in the folder."""
    return f"delivery_{delivery_id}.html"


def build_data_docs(
    office: Office, *, as_of: dt.date | None = None, delivery_ids: Sequence[int] = (), folder: Path | None = None
) -> Iterator[Path]:
    """Write the page of each delivery that was checked, of a business day or of the numbers given, and name it.

    A page appears whole or not at all, and takes the place of the one before. A delivery that was refused
    as a file, or is held until people approve it, was asked nothing and has none.
    """
    target = folder or office.settings.state / FOLDER
    write_whole(target / STYLE_SHEET.name, STYLE_SHEET.read_bytes())
    chosen = delivery.c.delivery_id.in_(delivery_ids) if delivery_ids else delivery.c.as_of == as_of
    with office.engine.connect() as connection:
        query = sa.select(delivery).where(chosen, delivery.c.state == "checked", delivery.c.suite.is_not(None))
        for row in connection.execute(query.order_by(delivery.c.delivery_id)).all():
            yield write_whole(target / page_of(row.delivery_id), _page(connection, row).encode())


def _page(connection: sa.Connection, row: sa.Row[Any]) -> str:
    suites = _suites(row.kind, row.sheet)
    expectations = {each.id: each for suite in reversed(suites) for each in suite.expectations}
    counts: dict[str, Counted] = {}
    others: list[OtherCount] = []
    for each in connection.execute(
        sa.select(check_result).where(check_result.c.delivery_id == row.delivery_id).order_by("expectation")
    ):
        if each.expectation in expectations:
            counts[each.expectation] = Counted(each.evaluated, each.unexpected)
        else:
            others.append(OtherCount(each.expectation, rule_title(each.expectation, row.kind), each.unexpected))
    facts = [
        ("业务日", row.as_of.isoformat()),
        ("收到", f"{row.received_at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S} 北京时间"),
        ("行数", str(row.rows)),
        ("检查规则", row.suite),
    ]
    now = ",".join(sorted(suite.label for suite in suites))
    if row.suite != now:
        facts.append(("注意", f"规则此后已改为 {now}; 下列标题与处理办法以现行规则为准"))
    title = f"{agency_name(row.agency)} {CONTENT_NAMES[content_named(row.kind)]} 第 {row.delivery_id} 批"
    judged = Suite(row.suite, suites[0].version, tuple(expectations.values()))
    return data_docs(judged, counts, title=title, facts=facts, others=others)


def _suites(kind: str, sheets: str | None) -> list[Suite]:
    """One delivery may hold both sheets of a kind; what both ask was counted together."""
    content = content_named(kind)
    if isinstance(content, Reference):
        return [load_reference_suite(content)]
    return [load_suite(content, Sheet(sheet)) for sheet in (sheets or "").split(",")]
