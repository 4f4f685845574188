"""Turn one batch of rows as received into standard records (标准化), and say what reading each text showed.

Nothing is invented: what cannot be read becomes null with a reading finding, what the sheet does not have stays
null, and every mapping that guesses is named in ``flags``. ``source_text`` keeps, as one JSON object per row, the
text of every cell that standardising changed or did not know, so that the row as received can be told from the
record. ID numbers are masked on the way in: apart from the raw archive nothing in this system holds one.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import categories, dates, identifiers, money, names, personal, sentinels
from transforms.authority import Authority
from transforms.canonical import canonical_text
from transforms.columns import (
    CODE_COLUMNS,
    DAY,
    DERIVED,
    DUAL_PUBLICITY,
    FREE_TEXT,
    ID_COLUMNS,
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
from transforms.hashes import digest, joined_values
from transforms.joining import join_present
from transforms.natural_keys import keys_of, moment_of_version
from transforms.personal_names import looks_personal
from transforms.sheets import Recognition
from transforms.source_fields import marked_as_gone, translated
from transforms.source_text import source_text

_STATUS_TEXT: Final[dict[tuple[Kind, Sheet], dict[str, str]]] = {
    (Kind.LICENCE, Sheet.STANDARD): {"1": "valid", "有效": "valid", "2": "invalid", "无效": "invalid"},
    **{
        (kind, Sheet.LEGACY): {
            "0": "valid", "正常": "valid", "1": "withdrawn", "撤销": "withdrawn",
            "2": "disputed", "异议": "disputed", "异常": "disputed", "3": "other", "其他": "other",
        }
        for kind in DUAL_PUBLICITY
    },
}  # fmt: skip
"""当前状态 by sheet: the value 1 means the opposite in the two sheets (domain 0.3)."""

_LEGACY_GAPS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.LICENCE: ("source_name", "source_code"),
    Kind.PENALTY: ("violation_type", "valid_to", "revoked_certificate", "source_name", "source_code"),
}
"""Columns of the new sheet that the old one cannot fill (升级缺项)."""


@dataclass(frozen=True)
class Standardised:
    """Standard records of one batch and, per standard column, what was wrong with its text.

    ``records`` has the schema ``record_schema(kind)``. ``reading`` maps a finding name to a text column, null where
    there is nothing to say.
    """

    records: pa.Table
    reading: Mapping[str, pa.Array]


@dataclass
class _Reading:
    """The batch while it is being read."""

    rows: int
    raw: dict[str, pa.Array]
    values: dict[str, pa.Array] = field(default_factory=dict)
    findings: dict[str, pa.Array] = field(default_factory=dict)
    flags: list[pa.Array] = field(default_factory=list)
    personal: dict[str, pa.Array] = field(default_factory=dict)

    def flag(self, name: str, where: pa.Array | None = None) -> None:
        mark = pa.scalar(name, TEXT)
        self.flags.append(
            pa.repeat(mark, self.rows) if where is None else pc.if_else(where, mark, pa.scalar(None, TEXT))
        )


def standardise(batch: pa.RecordBatch, recognition: Recognition, delivering: Authority) -> Standardised:
    """Read a batch of text columns (``row_no`` and the header cells of ``recognition``) into standard records."""
    kind, sheet = recognition.definition.kind, recognition.definition.sheet
    reading = _Reading(batch.num_rows, _raw_columns(batch, recognition))
    _read_texts(reading, kind)
    _read_codes(reading)
    _read_dates(reading, kind)
    _read_categories(reading, kind, sheet, delivering)
    if kind is Kind.PENALTY:
        _read_amounts(reading, sheet)
    _read_status(reading, kind, sheet)
    if recognition.tombstone:
        _withdraw(reading, marked_as_gone(batch, recognition.tombstone))
    if sheet is Sheet.LEGACY:
        _upgrade_legacy(reading, kind, delivering)
    _order_versions(reading, kind)
    _infer_subject_category(reading)
    _find_placeholders(reading, {column.target for column in recognition.definition.columns if column.required})
    written = {name: canonical_text(values) for name, values in reading.values.items() if values.type != TEXT}
    kept_text = source_text(batch, recognition, reading.values | written)
    _mask_id_numbers(reading)
    columns = {name: reading.values[name] for name in STANDARD_COLUMNS[kind]}
    flags = join_present(reading.flags, reading.rows)
    columns |= _derived(kind, columns | written, kept_text, flags)
    records = pa.table({"row_no": batch.column("row_no"), **columns})
    return Standardised(records, reading.findings)


def _raw_columns(batch: pa.RecordBatch, recognition: Recognition) -> dict[str, pa.Array]:
    """Texts by target column; of two source columns of one target the sheet's first counts where it says something."""
    raw: dict[str, pa.Array] = {}
    place = {column.code: number for number, column in enumerate(recognition.definition.columns)}
    for cell, column in sorted(recognition.columns.items(), key=lambda item: place[item[1].code]):
        texts = translated(batch.column(cell), recognition.code_tables.get(column.code))
        earlier = raw.get(column.target)
        raw[column.target] = texts if earlier is None else _first_that_says_something(earlier, texts)
    return raw


def _first_that_says_something(first: pa.Array, second: pa.Array) -> pa.Array:
    """Where neither does, the first as it stands, so that a placeholder in it is seen."""
    return pc.coalesce(sentinels.missing_to_null(first), sentinels.missing_to_null(second), first)


def _text(reading: _Reading, target: str) -> pa.Array:
    raw = reading.raw.get(target)
    if raw is None or not pc.any(pc.not_equal(raw, "")).as_py():
        return pa.nulls(reading.rows, TEXT)
    return ask_each_text(raw, sentinels.missing_to_null)


def _read_texts(reading: _Reading, kind: Kind) -> None:
    for target, column_type in STANDARD_COLUMNS[kind].items():
        if column_type == TEXT:
            reading.values[target] = _text(reading, target)
    reading.values["subject_name"] = names.display_name(reading.values["subject_name"])
    if (raw := reading.raw.get("subject_name")) is not None:
        reading.findings["name"] = names.name_finding(raw)
    if kind is Kind.LICENCE:
        unnumbered = pc.and_(pc.is_null(reading.values["document_no"]), pc.is_valid(reading.values["certificate_no"]))
        reading.values["document_no"] = pc.coalesce(reading.values["document_no"], reading.values["certificate_no"])
        reading.flag("document_no_from_certificate_no", unnumbered)


def _find_placeholders(reading: _Reading, required: Set[str]) -> None:
    """Name the required columns whose placeholder word left them without a value (R24)."""
    marks = []
    for target in sorted(required & reading.raw.keys()):
        empty = pc.indices_nonzero(reading.values[target].is_null())
        hit = empty.filter(pc.fill_null(sentinels.is_placeholder(reading.raw[target].take(empty)), False))
        if len(hit):
            marks.append(_named_at(hit, target, reading.rows))
    reading.findings["placeholder"] = join_present(marks, reading.rows)


def _read_codes(reading: _Reading) -> None:
    for target in CODE_COLUMNS:
        text = reading.values[target]
        reading.values[target] = ask_each_text(text, identifiers.normalise_code)
        lost = pc.indices_nonzero(pc.and_(pc.is_valid(text), pc.is_null(reading.values[target])))
        damaged = lost.filter(identifiers.excel_damaged(text.take(lost)))
        if len(damaged):
            reading.findings[f"damaged.{target}"] = _named_at(damaged, "EXCEL_DAMAGE", reading.rows)
    uscc, regno = reading.values["uscc"], reading.values["regno"]
    of_18 = pc.fill_null(pc.equal(pc.binary_length(regno), 18), False)
    candidates = pc.indices_nonzero(pc.and_(pc.is_null(uscc), of_18))
    found = candidates.filter(identifiers.uscc_valid(regno.take(candidates)))
    if len(found):
        misplaced = _mask_at(found, reading.rows)
        reading.values["uscc"] = pc.if_else(misplaced, regno, uscc)
        reading.values["regno"] = pc.if_else(misplaced, pa.scalar(None, TEXT), regno)
        reading.flag("uscc_from_regno", misplaced)


def _read_dates(reading: _Reading, kind: Kind) -> None:
    for target, column_type in STANDARD_COLUMNS[kind].items():
        if column_type == DAY:
            days, finding = dates.parse_days(_text(reading, target))
            reading.values[target] = days
            reading.findings[f"day.{target}"] = finding
    moments, finding = dates.parse_timestamps(_text(reading, "updated_at"))
    reading.values["updated_at"] = moments
    reading.findings["moment.updated_at"] = finding


def _read_categories(reading: _Reading, kind: Kind, sheet: Sheet, delivering: Authority) -> None:
    """Decode 行政相对人类别 and 证件类型, and what else of the kind is taken from a list of words."""
    own = categories.CODED.get(kind, {})
    for name in (*own, "subject_category", "id_type", "legal_rep_id_type"):
        _mask_in_column(reading, name)  # decoding would cut a number at its blanks
    if kind in DUAL_PUBLICITY:
        _read_decision_category(reading, kind, sheet, delivering)
    for name, words in own.items():
        reading.values[name], reading.findings[f"coded.{name}"] = categories.in_words(words, reading.values[name])
    subject, finding = categories.subject_category(reading.values["subject_category"])
    reading.values["subject_category"], reading.findings["subject_category"] = subject, finding
    for name in ("id_type", "legal_rep_id_type"):
        reading.values[name], _ = categories.id_type(reading.values[name])


def _read_decision_category(reading: _Reading, kind: Kind, sheet: Sheet, delivering: Authority) -> None:
    target = "penalty_category" if kind is Kind.PENALTY else "licence_category"
    second = {"penalty_category_2": _text(reading, "penalty_category_2")} if kind is Kind.PENALTY else {}
    reading.values |= second
    for name in (target, *second):
        _mask_in_column(reading, name)
    texts = reading.values[target]
    if second:
        texts = _both_classes(texts, reading.values.pop("penalty_category_2"))
    reading.values[target], reading.findings["category"] = categories.decode(kind, sheet, texts, delivering.agency)


def _both_classes(first: pa.Array, second: pa.Array) -> pa.Array:
    """处罚类别1 and 处罚类别2 as one list; after a bare 其他 the second cell is its text (其他: 见处罚类别2)."""
    is_other = pc.fill_null(pc.match_substring_regex(first, r"^其他(\(?见处罚类别2\)?|（见处罚类别2）)?$"), False)
    explained = pc.binary_join_element_wise(pa.scalar("其他"), second, "-")
    listed = join_present([first, second], len(first))
    return pc.if_else(pc.and_(is_other, pc.is_valid(second)), explained, listed)


def _read_amounts(reading: _Reading, sheet: Sheet) -> None:
    content = reading.values["content"].dictionary_encode()
    fine_in_text, confiscated_in_text = (
        sums.take(content.indices) for sums in money.amounts_in_text(content.dictionary)
    )
    if sheet is Sheet.STANDARD:
        for target in ("fine_amount", "confiscated_amount"):
            reading.values[target], reading.findings[f"amount.{target}"] = money.parse_amount(_text(reading, target))
        reading.findings["fine_in_text"] = fine_in_text
        reading.findings["confiscated_in_text"] = confiscated_in_text
        return
    reading.values["fine_amount"], reading.values["confiscated_amount"] = fine_in_text, confiscated_in_text
    reading.flag("fine_amount_from_text", pc.is_valid(fine_in_text))
    reading.flag("confiscated_amount_from_text", pc.is_valid(confiscated_in_text))


def _read_status(reading: _Reading, kind: Kind, sheet: Sheet) -> None:
    table = _STATUS_TEXT.get((kind, sheet))
    if table is None:
        reading.values["status"] = pa.repeat(pa.scalar("valid", TEXT), reading.rows)
        return
    text = reading.values["status"]
    known = pc.index_in(text, value_set=pa.array(list(table)))
    status = pa.array(list(table.values())).take(known)
    reading.values["status"] = status
    unknown = pc.and_(pc.is_valid(text), pc.is_null(status))
    reading.findings["status"] = pc.if_else(unknown, pa.scalar("UNKNOWN", TEXT), pa.scalar(None, TEXT))


def _withdraw(reading: _Reading, gone: pa.Array) -> None:
    """Take tombstones for withdrawn, whatever state their sheet writes: some sheets have no column for it."""
    reading.values["status"] = pc.if_else(gone, pa.scalar("withdrawn", TEXT), reading.values["status"])
    if "status" in reading.findings:
        reading.findings["status"] = pc.if_else(gone, pa.scalar(None, TEXT), reading.findings["status"])


def _order_versions(reading: _Reading, kind: Kind) -> None:
    """Where the source gives no 数据更新时间戳, order versions by the days that the kind names (``natural_keys``).

    A withdrawal is not ordered by them: it repeats the days of what it withdraws.
    """
    if (moment := moment_of_version(kind, reading.values)) is not None:
        given = reading.values["updated_at"]
        told = pc.and_(pc.is_null(given), pc.not_equal(reading.values["status"], "withdrawn"))
        reading.values["updated_at"] = pc.if_else(told, moment, given)
        reading.flag("updated_at_from_days", pc.and_(told, pc.is_valid(moment)))


def _upgrade_legacy(reading: _Reading, kind: Kind, delivering: Authority) -> None:
    """Fill what 790号 added and the old sheet implies (1.6); each such value is flagged, gaps are named."""
    values = reading.values
    own = pc.fill_null(pc.is_in(values["authority_name"], value_set=pa.array(delivering.names, TEXT)), False)
    if delivering.codes:
        values["authority_code"] = pc.if_else(own, pa.scalar(delivering.codes[0], TEXT), values["authority_code"])
        reading.flag("authority_code_from_registry", own)
    has_id = pc.is_valid(values["id_no"])
    values["id_type"] = pc.if_else(has_id, pa.scalar("身份证", TEXT), values["id_type"])
    if kind is Kind.LICENCE:
        values["document_name"] = values["project_name"]
        values["valid_from"] = values["decision_date"]
        reading.flag("document_name_from_project_name", pc.is_valid(values["project_name"]))
        reading.flag("valid_from_from_decision_date", pc.is_valid(values["decision_date"]))
        if "valid_to" in reading.raw:
            open_ended = pc.and_(pc.is_null(values["valid_to"]), pc.is_null(reading.findings["day.valid_to"]))
            values["valid_to"] = pc.if_else(open_ended, pa.scalar(dates.OPEN_END, DAY), values["valid_to"])
            reading.flag("valid_to_blank_read_as_open_ended", open_ended)
    reading.flag("upgrade_gap:" + ",".join(_LEGACY_GAPS[kind]))


def _infer_subject_category(reading: _Reading) -> None:
    """Where the sheet has no 行政相对人类别: a person when only an ID number is given, else by the code's first two.

    An ID number and a name that looks like a person's make a person of what has no USCC, whatever else it has.
    """
    if "subject_category" in reading.raw:
        return
    values = reading.values
    no_code = pc.is_null(values[SUBJECT_CODES[0]])
    for code in SUBJECT_CODES[1:]:
        no_code = pc.and_(no_code, pc.is_null(values[code]))
    numbered = pc.is_valid(values["id_no"])
    named = looks_personal(values["subject_name"], pc.and_(numbered, pc.is_null(values["uscc"])))
    person = pc.or_(pc.and_(no_code, numbered), named)
    sole_trader = pc.fill_null(pc.starts_with(values["uscc"], "92"), False)
    values["subject_category"] = pc.if_else(person, NATURAL_PERSON, pc.if_else(sole_trader, SOLE_TRADER, ORGANISATION))
    reading.flag("subject_category_inferred")


def _mask_id_numbers(reading: _Reading) -> None:
    for target, look in _CODE_FINDINGS.items():
        reading.findings[f"code.{target}"] = ask_each_text(reading.values[target], look)
    reading.findings["under_age"] = personal.under_age(reading.values["id_no"], reading.values["decision_date"])
    for target in ID_COLUMNS:
        reading.values[target] = ask_each_text(
            reading.values[target], lambda codes: personal.mask_ids(personal.cover(codes))
        )
    for name in sorted(reading.values):
        _mask_in_column(reading, name)
    marks = [reading.personal[name] for name in sorted(reading.personal)]
    reading.findings["personal_id"] = join_present(marks, reading.rows)
    reading.findings["telephone"] = join_present(
        [mark for name in sorted(reading.values) if (mark := _telephone_in_column(reading, name)) is not None],
        reading.rows,
    )


def _telephone_in_column(reading: _Reading, name: str) -> pa.Array | None:
    """Find telephone numbers where they cannot simply be cut: in a name or a number, not in running text."""
    values = reading.values[name]
    if values.type != TEXT or name in ID_COLUMNS or name in CODE_COLUMNS or name in FREE_TEXT:
        return None
    rows = _matching(values, personal.DIGITS_OF_A_TELEPHONE)
    if not len(rows):
        return None
    hit = rows.filter(pc.fill_null(personal.has_telephone(values.take(rows)), False))
    if not len(hit):
        return None
    return _named_at(hit, name, reading.rows)


_CODE_FINDINGS: Final = {
    "uscc": identifiers.uscc_finding,
    "org_code": identifiers.org_code_finding,
    "regno": identifiers.regno_finding,
    "tax_no": identifiers.tax_no_finding,
    "authority_code": identifiers.uscc_finding,
    "source_code": identifiers.uscc_finding,
    "id_no": identifiers.resident_id_finding,
}
"""Codes are judged before an ID number in them is masked."""


def _mask_in_column(reading: _Reading, name: str) -> None:
    """Mask ID numbers that hide in one column, and note its name where one did."""
    values = reading.values[name]
    if values.type != TEXT or name in ID_COLUMNS:
        return
    is_code = name in CODE_COLUMNS
    rows = _matching(values, personal.BIRTHDAY_IN_CODE if is_code else personal.DIGITS_OF_AN_ID)
    if not len(rows):
        return
    suspects = values.take(rows)
    hit = pc.fill_null(personal.id_like(suspects, code_column=is_code), False)
    if not pc.any(hit).as_py():
        return
    where = _mask_at(rows.filter(hit), reading.rows)
    reading.values[name] = pc.replace_with_mask(values, where, personal.mask_ids(suspects.filter(hit)))
    reading.personal[name] = _named_at(rows.filter(hit), name, reading.rows)


def _matching(texts: pa.StringArray, pattern: str) -> pa.UInt64Array:
    """Positions of the texts that match."""
    found = ask_each_text(texts, lambda texts: pc.match_substring_regex(texts, pattern))
    return pc.indices_nonzero(pc.fill_null(found, False))


def _named_at(positions: pa.Array, name: str, rows: int) -> pa.StringArray:
    """A column of ``rows`` that holds ``name`` at ``positions`` and is null elsewhere."""
    return pc.if_else(_mask_at(positions, rows), pa.scalar(name, TEXT), pa.scalar(None, TEXT))


def _mask_at(positions: pa.Array, rows: int) -> pa.BooleanArray:
    flags = np.zeros(rows, dtype=bool)
    flags[positions.to_numpy()] = True
    return pa.array(flags)


def _derived(kind: Kind, written: Mapping[str, pa.Array], kept_text: pa.Array, flags: pa.Array) -> dict[str, pa.Array]:
    """Derive the columns ``DERIVED`` from the canonical texts of the standard ones."""
    keys = keys_of(kind, written)
    derived = {
        "record_key": digest(keys.natural),
        "document_key": keys.document,
        "subject_key": keys.subject,
        "content_hash": digest(joined_values([texts for name, texts in written.items() if name != "updated_at"])),
        "source_text": kept_text,
        "flags": flags,
    }
    return {name: derived[name] for name in DERIVED}
