"""What each rule of the catalogue sees in a batch of standard records (domain 1.7).

``rule_findings`` returns one text column per question, named as the expectation that judges it (``R03.uscc``): null
where the record has nothing wrong, otherwise what exactly is wrong. The Great Expectations suites decide what a
finding means (reject, hold or warn); this module only looks. The same function serves a file of a million rows and
the one row that a steward corrects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import identifiers
from transforms.authority import Authority
from transforms.categories import CODED
from transforms.columns import (
    DAY,
    DUAL_PUBLICITY,
    MONEY,
    NATURAL_PERSON,
    ORGANISATION,
    SOLE_TRADER,
    STANDARD_COLUMNS,
    SUBJECT_CODES,
    TEXT,
    Kind,
    Sheet,
)
from transforms.distinct import ask_each_text
from transforms.joining import join_present
from transforms.lengths import limits_of, too_long
from transforms.sheets import SheetDefinition
from transforms.standardise import Standardised
from transforms.timeliness import late_findings
from transforms.withholding import withheld_findings

_LARGEST_PLAUSIBLE_FINE: Final = Decimal(1000)
"""万元; above it a yuan amount was probably put into the 万元 column (R18, our reading)."""
_UNIT_SLIP: Final = Decimal(10_000)
_EXACT: Final = Decimal("0.000001")

_NULL: Final = pa.scalar(None, TEXT)


@dataclass(frozen=True)
class _Rows:
    """A batch under examination."""

    columns: Mapping[str, pa.Array]
    reading: Mapping[str, pa.Array]
    size: int
    as_of: dt.date
    delivering: Authority

    def value(self, name: str) -> pa.Array:
        return self.columns[name]

    def read(self, name: str) -> pa.Array:
        return self.reading.get(name, pa.nulls(self.size, TEXT))

    def read_amount(self, name: str) -> pa.Array:
        return self.reading.get(name, pa.nulls(self.size, MONEY))

    def category_is(self, category: str) -> pa.Array:
        return pc.fill_null(pc.equal(self.columns["subject_category"], category), False)


def rule_findings(
    standardised: Standardised, definition: SheetDefinition, *, delivering: Authority, as_of: dt.date
) -> dict[str, pa.Array]:
    """Return the findings of one batch; duplicates (R22) need the whole delivery and are found by ``versions``."""
    table = standardised.records
    rows = _Rows(
        columns={name: table.column(name).combine_chunks() for name in table.column_names},
        reading=standardised.reading,
        size=table.num_rows,
        as_of=as_of,
        delivering=delivering,
    )
    kind, sheet = definition.kind, definition.sheet
    found: dict[str, pa.Array] = {}
    found |= _subject(rows, kind, sheet)
    found |= _codes(rows)
    found |= _days(rows, kind)
    found |= _category(rows) if kind in DUAL_PUBLICITY else _words(rows, kind)
    if kind is Kind.PENALTY:
        found |= _amounts(rows) if sheet is Sheet.STANDARD else _amounts_in_text(rows)
    if sheet is Sheet.STANDARD:
        found |= _authority_codes(rows)
    if kind is Kind.LICENCE or sheet is Sheet.LEGACY:
        found |= _status(rows)
    if kind is Kind.LICENCE:
        found |= _ended(rows, "invalid" if sheet is Sheet.STANDARD else "withdrawn")
    if "removal_date" in STANDARD_COLUMNS[kind]:
        found |= _removal(rows)
    if kind is Kind.BASIC_INFO:
        found["R01.site"] = _site(rows)
    found |= late_findings(rows.value("decision_date"), kind, as_of)
    found |= withheld_findings(rows.columns, rows.reading.get("under_age"), as_of)
    found["R29.length"] = too_long(rows.columns, limits_of(definition))
    required = [column.target for column in definition.columns if column.required]
    found["R24.placeholder"] = rows.read("placeholder")
    as_given = [name for name in _JUDGED_AS_GIVEN if name in STANDARD_COLUMNS[kind]]
    return found | {target: _given(rows, target) for target in [*required, *as_given]}


_JUDGED_AS_GIVEN: Final = ("region_code", "district_code")
"""Optional columns that a native expectation reads as they are."""

_READINGS: Final = {
    **{name: f"coded.{name}" for coded in CODED.values() for name in coded},
    "penalty_category": "category",
    "licence_category": "category",
    "subject_category": "subject_category",
    "status": "status",
    "updated_at": "moment.updated_at",
}


def _given(rows: _Rows, target: str) -> pa.Array:
    """The column as R01 sees it: a text that could not be read is there, so it is another rule's matter."""
    value = rows.value(target)
    readings = (_READINGS.get(target), f"day.{target}", f"damaged.{target}")
    unread = [_not_sentinel(rows.reading[name]) for name in readings if name and name in rows.reading]
    return pc.coalesce(value if value.type == TEXT else pc.cast(value, TEXT), *unread)


def _not_sentinel(reading: pa.Array) -> pa.Array:
    """A system's default date (1900-01-01) means that nothing was filled in (1.9)."""
    return pc.if_else(pc.fill_null(pc.equal(reading, "SENTINEL"), False), _NULL, reading)


def _when(condition: pa.Array, finding: str) -> pa.Array:
    return pc.if_else(pc.fill_null(condition, False), pa.scalar(finding, TEXT), _NULL)


def _says(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(ask_each_text(texts, lambda texts: pc.match_substring_regex(texts, pattern)), False)


def _join(*parts: pa.Array) -> pa.Array:
    return join_present(parts, len(parts[0]))


def _subject(rows: _Rows, kind: Kind, sheet: Sheet) -> dict[str, pa.Array]:
    person, organisation, trader = map(rows.category_is, (NATURAL_PERSON, ORGANISATION, SOLE_TRADER))
    has_code = pc.is_valid(rows.value(SUBJECT_CODES[0]))
    for code in SUBJECT_CODES[1:]:
        has_code = pc.or_(has_code, pc.is_valid(rows.value(code)))
    damaged = _join(*(rows.read(f"damaged.{code}") for code in SUBJECT_CODES))
    no_code = pc.and_(pc.invert(pc.or_(has_code, person)), pc.is_null(damaged))
    found = {
        "R01.subject_category": rows.read("subject_category"),
        "R02.subject_code": _when(no_code, "NO_CODE"),
        "R23.subject_name": rows.read("name"),
    }
    if sheet is Sheet.STANDARD:
        enterprise = pc.or_(organisation, trader)
        needs = [_when(pc.and_(person, pc.is_null(rows.value(name))), name) for name in ("id_type", "id_no")]
        if kind in DUAL_PUBLICITY:
            needs.insert(0, _when(pc.and_(enterprise, pc.is_null(rows.value("legal_rep"))), "legal_rep"))
        found["R01.by_category"] = _join(*needs)
        found["R01.uscc_expected"] = _when(pc.and_(enterprise, pc.is_null(rows.value("uscc"))), "NO_USCC")
    return found


def _codes(rows: _Rows) -> dict[str, pa.Array]:
    uscc, org_code = rows.value("uscc"), rows.value("org_code")
    uscc_finding = rows.read("code.uscc")
    inner_only = pc.fill_null(pc.equal(uscc_finding, "ORG_CHECK"), False)
    masked = pc.match_substring(uscc, "*")  # it was judged before
    right = pc.and_not(pc.or_(pc.is_null(uscc_finding), inner_only), masked)
    from_uscc = pc.if_else(right, pc.utf8_slice_codeunits(uscc, 8, 17), _NULL)
    disagree = pc.not_equal(org_code, from_uscc)
    foreign_tax = _foreign_tax(rows.value("tax_no"), pc.coalesce(org_code, from_uscc))
    resident = pc.and_(
        pc.equal(rows.value("id_type"), "身份证"),
        pc.is_valid(rows.read("code.id_no")),
    )
    return {
        "R03.uscc": pc.coalesce(rows.read("damaged.uscc"), pc.if_else(inner_only, _NULL, uscc_finding)),
        "R04.uscc_inner": pc.if_else(inner_only, uscc_finding, _NULL),
        "R05.org_code_agrees": _when(disagree, "ORG_CODE_NOT_IN_USCC"),
        "R05.org_code": pc.coalesce(rows.read("damaged.org_code"), rows.read("code.org_code")),
        "R06.regno": pc.coalesce(rows.read("damaged.regno"), rows.read("code.regno")),
        "R07.tax_no": pc.coalesce(rows.read("damaged.tax_no"), rows.read("code.tax_no"), foreign_tax),
        "R08.id_no": pc.if_else(pc.fill_null(resident, False), rows.read("code.id_no"), _NULL),
        "R09.personal_id": rows.read("personal_id"),
        "R09.telephone": rows.read("telephone"),
    }


def _foreign_tax(tax_no: pa.Array, org_code: pa.Array) -> pa.Array:
    """Compare the organisation code inside a tax number with the subject's own."""
    given = pc.and_(pc.is_valid(tax_no), pc.is_valid(org_code))
    inside = identifiers.org_code_of_tax_no(tax_no.filter(given))
    foreign = pc.fill_null(pc.not_equal(inside, org_code.filter(given)), False)
    return _when(pc.replace_with_mask(given, given, foreign), "ORG_CODE_NOT_IN_TAX_NO")


def _days(rows: _Rows, kind: Kind) -> dict[str, pa.Array]:
    found = {
        f"R10.{name}": _not_sentinel(rows.read(f"day.{name}"))
        for name, column_type in STANDARD_COLUMNS[kind].items()
        if column_type == DAY
    }
    found["R10.updated_at"] = rows.read("moment.updated_at")
    collected_until = pa.scalar(f"{rows.as_of + dt.timedelta(days=1)}T23:59:59", TEXT)
    found["R11.updated_at"] = _when(pc.greater(rows.value("updated_at"), collected_until), "AFTER_BUSINESS_DATE")
    today, decided = pa.scalar(rows.as_of, DAY), rows.value("decision_date")
    found["R11.decision_date"] = _when(pc.greater(decided, today), "AFTER_BUSINESS_DATE")
    if "removal_date" in STANDARD_COLUMNS[kind]:
        found["R11.removal_date"] = _when(pc.greater(rows.value("removal_date"), today), "AFTER_BUSINESS_DATE")
    if kind in _WRONG_ORDER:
        found["R12.date_order"] = _join(
            *(
                _when(_COMPARISONS[sign](rows.value(one), rows.value(other)), f"{one} {sign} {other}")
                for one, sign, other in _WRONG_ORDER[kind]
            )
        )
    return found


_COMPARISONS: Final = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater}
_WRONG_ORDER: Final[dict[Kind, tuple[tuple[str, str, str], ...]]] = {
    Kind.LICENCE: (("valid_from", ">", "valid_to"),),
    Kind.PENALTY: (("valid_to", "<", "decision_date"), ("publicity_until", "<=", "decision_date")),
    Kind.ABNORMAL_OPERATION: (("removal_date", "<", "decision_date"),),
    Kind.SERIOUS_VIOLATION: (("removal_date", "<", "decision_date"),),
    Kind.ENFORCEMENT_NOTICE: (("due_date", "<", "decision_date"),),
    Kind.BASIC_INFO: (("first_seen", ">", "last_seen"),),
}
"""Two days of a record and the order in which they cannot stand (R12)."""


def _words(rows: _Rows, kind: Kind) -> dict[str, pa.Array]:
    return {f"R14.{name}": rows.read(f"coded.{name}") for name in CODED[kind]}


def _removal(rows: _Rows) -> dict[str, pa.Array]:
    """A removal (移出) says when and why: without its day the entry would go on being shown as listed."""
    dated = pc.or_(pc.is_valid(rows.value("removal_date")), pc.is_valid(rows.read("day.removal_date")))
    told = pc.or_(pc.is_valid(rows.value("removal_reason")), pc.is_valid(rows.value("removal_authority")))
    return {
        "R01.removal_date": _when(pc.and_not(told, dated), "NO_REMOVAL_DATE"),
        "R01.removal_reason": _when(pc.and_(dated, pc.is_null(rows.value("removal_reason"))), "NO_REMOVAL_REASON"),
    }


def _site(rows: _Rows) -> pa.Array:
    """A site is named by its address, or by its platform and its number there."""
    on_platform = pc.and_(pc.is_valid(rows.value("platform_name")), pc.is_valid(rows.value("shop_id")))
    return _when(pc.and_not(pc.is_null(rows.value("site_address")), on_platform), "NO_ADDRESS")


def _category(rows: _Rows) -> dict[str, pa.Array]:
    """A bare 其他 is explained by 备注 where there is one (其他, 备注注明)."""
    finding = rows.read("category")
    explained = pc.and_(pc.equal(finding, "OTHER_WITHOUT_TEXT"), pc.is_valid(rows.value("remarks")))
    return {"R14.category": pc.if_else(pc.fill_null(explained, False), _NULL, finding)}


def _amounts(rows: _Rows) -> dict[str, pa.Array]:
    category, fine, confiscated = map(rows.value, ("penalty_category", "fine_amount", "confiscated_amount"))
    has_fine, has_confiscation, has_licence = (_says(category, words) for words in ("罚款", "没收", "暂扣|吊销"))
    classified = pc.is_valid(category)
    zero = pa.scalar(Decimal(0), fine.type)
    positive = pc.fill_null(pc.greater(fine, zero), False)
    unread = {name: pc.is_valid(rows.read(f"amount.{name}")) for name in ("fine_amount", "confiscated_amount")}
    missing = _join(
        _when(pc.and_(has_fine, pc.invert(pc.or_(positive, unread["fine_amount"]))), "fine_amount"),
        _when(
            pc.and_(has_confiscation, pc.and_(pc.is_null(confiscated), pc.invert(unread["confiscated_amount"]))),
            "confiscated_amount",
        ),
        _when(pc.and_(has_licence, pc.is_null(rows.value("revoked_certificate"))), "revoked_certificate"),
    )
    surplus = _join(
        _when(pc.and_(classified, pc.and_(positive, pc.invert(has_fine))), "fine_amount"),
        _when(
            pc.and_(classified, pc.and_(pc.greater(confiscated, zero), pc.invert(has_confiscation))),
            "confiscated_amount",
        ),
    )
    return {
        "R16.category_amounts": missing,
        "R16.amount_without_category": surplus,
        "R17.fine_amount": rows.read("amount.fine_amount"),
        "R17.confiscated_amount": rows.read("amount.confiscated_amount"),
        **_against_text(fine, rows.read_amount("fine_in_text"), "R17.fine_in_text", "R18.unit_slip"),
        **_against_text(
            confiscated,
            rows.read_amount("confiscated_in_text"),
            "R17.confiscated_in_text",
            "R18.confiscated_unit_slip",
        ),
    }


def _against_text(amount: pa.Array, in_text: pa.Array, differs: str, slips: str) -> dict[str, pa.Array]:
    """R17 and R18 compare in exact decimals; only rows where both amounts exist and differ are looked at."""
    mismatch, slip = np.zeros((2, len(amount)), np.bool_)
    for position in pc.indices_nonzero(pc.fill_null(pc.not_equal(amount, in_text), False)).to_pylist():
        stated, written = amount[position].as_py(), in_text[position].as_py()
        mismatch[position] = abs(stated - written) > _EXACT
        slip[position] = stated == written * _UNIT_SLIP
    return {
        differs: _when(pa.array(mismatch), "NOT_AS_IN_TEXT"),
        slips: pc.coalesce(_when(pa.array(slip), "TEN_THOUSAND_TIMES_TEXT"), _very_large(amount)),
    }


def _very_large(amount: pa.Array) -> pa.Array:
    return _when(pc.greater(amount, pa.scalar(_LARGEST_PLAUSIBLE_FINE, amount.type)), "VERY_LARGE")


def _amounts_in_text(rows: _Rows) -> dict[str, pa.Array]:
    """The old sheet has no columns for amounts: what its text (处罚结果) states is held against its classes."""
    category, fine, confiscated = map(rows.value, ("penalty_category", "fine_amount", "confiscated_amount"))
    has_fine, has_confiscation = (_says(category, words) for words in ("罚款", "没收"))
    classified = pc.is_valid(category)
    surplus = _join(
        _when(pc.and_(classified, pc.and_not(pc.is_valid(fine), has_fine)), "fine_amount"),
        _when(pc.and_(classified, pc.and_not(pc.is_valid(confiscated), has_confiscation)), "confiscated_amount"),
    )
    return {
        "R16.fine_not_in_text": _when(
            pc.and_(has_fine, pc.and_(pc.is_null(fine), pc.is_valid(rows.value("content")))), "NO_SUM_IN_TEXT"
        ),
        "R16.text_without_category": _when(pc.is_valid(surplus), "SUM_WITHOUT_CLASS"),
        "R18.large_in_text": pc.coalesce(_very_large(fine), _very_large(confiscated)),
    }


def _authority_codes(rows: _Rows) -> dict[str, pa.Array]:
    found: dict[str, pa.Array] = {}
    for name in ("authority_code", "source_code"):
        code = rows.value(name)
        finding = rows.read(f"code.{name}")
        finding = pc.if_else(pc.fill_null(pc.equal(finding, "ORG_CHECK"), False), _NULL, finding)
        not_public = pc.and_(pc.is_valid(code), pc.invert(_says(code, "^1[123]")))
        found[f"R19.{name}"] = pc.coalesce(rows.read(f"damaged.{name}"), finding, _when(not_public, "NOT_AN_AUTHORITY"))
        found[f"R19.{name}_delegated"] = _when(_says(code, "^1[23]"), "NOT_AN_ORGAN")
    own = pc.fill_null(pc.is_in(rows.value("authority_code"), value_set=pa.array(rows.delivering.codes, TEXT)), False)
    foreign = pc.and_(
        pc.and_(pc.is_valid(rows.value("authority_code")), pc.invert(own)), pc.is_null(found["R19.authority_code"])
    )
    known = bool(rows.delivering.codes)
    verified = rows.delivering.codes_verified
    found["R19.own_code"] = _when(foreign, "OF_ANOTHER_AUTHORITY") if known and verified else pa.nulls(rows.size, TEXT)
    found["R19.own_code_unverified"] = (
        _when(foreign, "OF_ANOTHER_AUTHORITY") if known and not verified else pa.nulls(rows.size, TEXT)
    )
    return found


def _status(rows: _Rows) -> dict[str, pa.Array]:
    status = rows.value("status")
    unclear = pc.fill_null(pc.is_in(status, value_set=pa.array(["disputed", "other"])), False)
    return {"R20.status": rows.read("status"), "R20.disputed": pc.if_else(unclear, status, _NULL)}


def _ended(rows: _Rows, written: str) -> dict[str, pa.Array]:
    """A licence that its state (``written`` in that sheet) ends says why in 备注 (R27); an event needs no reason."""
    untold = pc.and_(pc.equal(rows.value("status"), written), pc.is_null(rows.value("remarks")))
    return {"R27.reason": _when(untold, "NO_REASON")}
