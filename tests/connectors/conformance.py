"""What every source must keep, for the agencies that are shipped and for one that was just begun."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import yaml
from airflow.sdk import CronPartitionTimetable
from openpyxl import Workbook

from connectors.descriptor import Agency, RecordStream, load_descriptor
from expectations.suite import load_suite
from pipeline.source_check import SampleReport, check_sample
from simulator.offices import Office
from tests.transforms.sheet_rows import AS_OF, SOUND
from transforms.sheets import SHEETS

CAMPAIGN = (dt.date(2018, 1, 1), dt.date(2018, 12, 31))
DAY = dt.timedelta(days=1)


def assert_source_conforms(path: Path) -> None:
    """Everything that can be said of a descriptor without a delivery."""
    agency = load_descriptor(path)
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=agency.schema.json\n")
    _assert_whole_2018(agency)
    assert len({stream.transport.type for stream in agency.streams}) == 1, "one address can be given per agency"
    assert len({stream.schedule for stream in agency.streams}) == 1, "one run collects all streams"
    for stream in (*agency.streams, *agency.references):
        CronPartitionTimetable(stream.schedule, timezone="Asia/Shanghai")
        limits = stream.mass_change
        assert limits.added.rows >= stream.daily_rows.most, "a usual day must not be held"
        assert limits.withdrawn.rows <= limits.changed.rows <= limits.added.rows
        assert limits.withdrawn.share <= limits.changed.share <= limits.added.share
        assert 24 <= stream.freshness_hours <= 14 * 24
    for stream in agency.streams:
        assert load_suite(stream.kind, stream.sheet).expectations
        _assert_fields_fill_the_sheet(stream)


def _assert_whole_2018(agency: Agency) -> None:
    first, last = CAMPAIGN
    for dated in (agency.names, agency.codes):
        assert dated[0].from_ is None or dated[0].from_ <= first
        assert dated[-1].to is None or dated[-1].to >= last
        for earlier, later in pairwise(dated):
            assert earlier.to is not None and later.from_ == earlier.to + DAY, "a day without name or code"
    for name in agency.names[:-1]:
        assert name.successor, f"{name.name} ended: who went on?"


def _assert_fields_fill_the_sheet(stream: RecordStream) -> None:
    required = {c.code for c in SHEETS[stream.kind, stream.sheet].columns if c.required and not c.may_be_absent}
    assert not stream.fields or required <= set(stream.fields.values())
    assert set(stream.code_tables) <= set(stream.fields.values() or stream.code_tables)


def assert_office_is_sound(path: Path, descriptor: Path) -> None:
    """The simulator can play every stream that the descriptor has."""
    agency = load_descriptor(descriptor)
    told = {"agency": agency.id, "name": agency.names[0].name, "code": agency.codes[0].code}
    office = Office.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) | told)
    for stream in agency.streams:
        assert stream.kind in office.numbers
        first, usual = office.volume(stream)
        assert first >= usual > 0


def assert_sound_row_is_accepted(path: Path, folder: Path) -> None:
    """A sound row, written as each stream writes it, is recognised, decoded and accepted without a word."""
    agency = load_descriptor(path)
    for stream in agency.streams:
        rows = [own_row(agency, stream)] * (1 if stream.format.type == "html" else 2)
        report = sample_report(agency, stream, folder, rows)
        assert report.sound, report
        assert report.rows == len(rows)
        assert report.stream == stream.id
        assert not {failure.expectation for failure in report.failures}, report.failures


def own_row(agency: Agency, stream: RecordStream) -> dict[str, str]:
    """The sound row of the stream's sheet as the agency writes it: its name, code, columns and code values."""
    row = SOUND[stream.kind, stream.sheet]
    columns = SHEETS[stream.kind, stream.sheet].columns
    authority_codes = {column.code for column in columns if column.target in ("authority_code", "source_code")}
    for code, text in row.items():
        if text == "北京市工商行政管理局":
            row = row | {code: agency.name_on(AS_OF)}
        elif code in authority_codes:
            row = row | {code: agency.codes[0].code}
    for code, table in stream.code_tables.items():
        row = row | {code: next((value for value, text in table.items() if text == row[code]), row[code])}
    return {name: row.get(code, "") for name, code in stream.fields.items()} if stream.fields else row


def sample_report(agency: Agency, stream: RecordStream, folder: Path, rows: list[dict[str, str]]) -> SampleReport:
    """Write rows in the stream's own format and encoding, and check them."""
    file = folder / f"{agency.id}_{stream.id}.{stream.format.type}"
    write_sample(stream, file, rows)
    return check_sample(agency, file, as_of=AS_OF, stream_id=stream.id)


def write_sample(stream: RecordStream, file: Path, rows: list[dict[str, str]]) -> None:
    """Write rows in the stream's own format and encoding."""
    match stream.format.type:
        case "csv":
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(rows[0]), delimiter=stream.format.delimiter or ",")
            writer.writeheader()
            writer.writerows(rows)
            file.write_bytes(text.getvalue().encode(stream.format.encoding))
        case "html":
            [row] = rows
            cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in row.items())
            file.write_text(f"<!DOCTYPE html><html><body><table>{cells}</table></body></html>", encoding="utf-8")
        case "xlsx":
            workbook = Workbook()
            sheet = workbook.active
            assert sheet is not None
            for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
                sheet.append(cells)
            workbook.save(file)
        case "xml":
            cells = ("".join(f"<{name}>{escape(text)}</{name}>" for name, text in row.items()) for row in rows)
            body = "".join(f"<ROW>{row}</ROW>" for row in cells)
            file.write_text(f'<?xml version="1.0" encoding="UTF-8"?><ROWDATA>{body}</ROWDATA>', encoding="utf-8")
        case "json":
            value: object = rows
            for key in reversed((stream.format.rows_at or "").split(".") if stream.format.rows_at else []):
                value = {key: value}
            file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        case "jsonl":
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
