"""What is wrong with a report or a subject, per rule (null: nothing), for the suites of ``expectations/references``."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from transforms import identifiers
from transforms.columns import DAY, TEXT, Reference
from transforms.joining import join_present
from transforms.references import Form, StandardRows


def reference_findings(standard: StandardRows, form: Form, *, as_of: dt.date) -> dict[str, pa.Array]:
    """Return the findings of one batch by the column that a suite names: ``Rnn.field``, or a standard column."""
    rows = standard.rows.combine_chunks()
    column = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    found = {f"R14.{name}": standard.readings[name] for name in ("site_type",)}
    if form.reference is Reference.ANNUAL_REPORT:
        found |= _report(column, standard, as_of)
    else:
        found |= _subject(column, standard, as_of)
    required = {each.target: column[each.target] for each in form.columns if each.required}
    return found | {name: values if values.type == TEXT else values.cast(TEXT) for name, values in required.items()}


def _report(column: dict[str, pa.Array], standard: StandardRows, as_of: dt.date) -> dict[str, pa.Array]:
    nobody = _none_of(column, "uscc", "regno", "enterprise_name")
    year = pc.utf8_slice_codeunits(column["submitted_at"], 0, 4)
    return {
        "R01.enterprise": _where(nobody, "uscc;regno;enterprise_name"),
        "R03.uscc": identifiers.uscc_finding(column["uscc"]),
        "R05.regno": identifiers.regno_finding(column["regno"]),
        "R10.report_year": standard.readings["report_year"],
        "R10.submitted_at": standard.readings["submitted_at"],
        "R11.submitted_at": _where(
            pc.greater_equal(column["submitted_at"], (as_of + dt.timedelta(days=1)).isoformat()), "AFTER_BUSINESS_DATE"
        ),
        "R12.report_year": _where(pc.greater(column["report_year"], year), "YEAR_AFTER_SUBMISSION"),
        "R14.has_site": standard.readings["has_site"],
    }


def _subject(column: dict[str, pa.Array], standard: StandardRows, as_of: dt.date) -> dict[str, pa.Array]:
    nowhere = _none_of(column, "address", "shop_id", "site_name")
    unread = [pc.if_else(pc.is_valid(standard.readings[name]), name, None) for name in ("first_seen", "last_seen")]
    return {
        "R01.site": _where(nowhere, "address;shop_id;site_name"),
        "R03.operator_uscc": identifiers.uscc_finding(column["operator_uscc"]),
        "R05.operator_regno": identifiers.regno_finding(column["operator_regno"]),
        "R10.snapshot_date": standard.readings["snapshot_date"],
        "R10.seen": join_present(unread, standard.rows.num_rows),
        "R11.snapshot_date": _where(pc.greater(column["snapshot_date"], pa.scalar(as_of, DAY)), "AFTER_BUSINESS_DATE"),
        "R12.seen": _where(pc.greater(column["first_seen"], column["last_seen"]), "first_seen;last_seen"),
        "R14.licence_shown": standard.readings["licence_shown"],
        "R14.site_state": standard.readings["site_state"],
    }


def _none_of(column: dict[str, pa.Array], *names: str) -> pa.Array:
    empty = pc.is_null(column[names[0]])
    for name in names[1:]:
        empty = pc.and_(empty, pc.is_null(column[name]))
    return empty


def _where(condition: pa.Array, finding: str) -> pa.Array:
    return pc.if_else(pc.fill_null(condition, False), pa.scalar(finding), pa.scalar(None, TEXT))
