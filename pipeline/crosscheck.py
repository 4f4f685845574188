"""Compare the reports of a year with the monitoring base on a day, and keep what was found (比对).

Enterprises and operators are told by the attachment of this system and by nothing else. Two things are added to it: a
site whose ICP filing number is that of sites of one enterprise only, and with no key of its own that says otherwise, is
that enterprise's; and a name alone is a lead (domain 5.5).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.attach import RECORDS_DUE
from pipeline.engine import Engine
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.register_index import open_index
from store import discrepancies, runs
from store.bulk import read_batches
from store.runs import Step
from store.schema import register_version
from transforms import identifiers
from transforms.attach import Index
from transforms.attach import attach as decide_attachments
from transforms.columns import DAY, TEXT
from transforms.crosscheck.cases import Rules, rules
from transforms.crosscheck.decide import Inputs, decide
from transforms.distinct import flat, read_distinct
from transforms.icp import icp_numbers
from transforms.site_address_columns import read_addresses, read_report_rows
from transforms.site_platforms import fold, platforms

_FILED: Final = """
SELECT record_id, record_key, report_id, uscc, regno, subject_key, submitted_at, has_site, site_type, site_name,
       address, icp_no, platform_name, wechat, app_names, state
FROM annual_report
WHERE report_year = $1 AND submitted_at < $2 AND state IN ('accepted', 'review', 'returned')
"""
_SUBJECTS: Final = """
SELECT DISTINCT ON (subject_id) record_id, subject_id, snapshot_date, operator_uscc AS uscc, operator_regno AS regno,
       subject_key, site_type, site_name, address, platform_name, shop_id, first_seen, last_seen, site_state, icp_no,
       district, content_hash, evidence
FROM online_subject
WHERE snapshot_date <= $1::date AND state = 'accepted'
ORDER BY subject_id, snapshot_date DESC, record_id DESC
"""
_ENTERPRISES: Final = "SELECT uscc, name, established, reg_state FROM enterprise WHERE to_version IS NULL"
_YEARS: Final = "SELECT DISTINCT report_year FROM annual_report WHERE state = 'accepted' AND report_year >= '2014'"
_LAST_COMPARED: Final = """
SELECT DISTINCT ON (year) CAST(told ->> 'year' AS integer) AS year, run_no, as_of FROM step_run
WHERE step = 'crosscheck' ORDER BY year, run_no DESC
"""
_NEWEST_INPUT: Final = """
SELECT max(s.run_no) FROM step_run s LEFT JOIN delivery d USING (delivery_id)
WHERE s.step = 'register' OR (s.step = 'ingest' AND d.kind IN ('annual_report', 'online_subject'))
"""
_MEMORY: Final = "300MB"
"""What the engine holds before it works from its scratch folder: a larger base takes longer, not more memory."""
_BY_CODE: Final = ("uscc", "org_code", "regno")


@dataclass(frozen=True, slots=True)
class Compared:
    """What one run did: enterprises that filed, sites compared, findings per kind, events per name."""

    year: int
    as_of: str
    register_version: int
    reported: int
    sites: int
    operators_known: int
    findings: Mapping[str, int]
    events: Mapping[str, int]


def crosscheck(office: Office, *, year: int, as_of: dt.date) -> Compared:
    """Compare reports and base, and enter the findings in one transaction.

    Raises as ``open_index``, ``ValueError`` for a year without a rule, and ``discrepancies.LaterRunExists`` when a
    later day was compared before.
    """
    table = rules()
    until = table.correction_until(year)
    with (
        tempfile.TemporaryDirectory(dir=office.scratch(), prefix="crosscheck-") as scratch,
        journaled(office),
        office.engine.begin() as connection,
        Engine(Path(scratch), memory_limit=_MEMORY) as engine,
    ):
        runs.hold_still(connection, "register", "records")
        run_no = runs.next_number(connection)
        with open_index(office, engine, connection) as (version, index):
            desk = _Comparison(office, engine, index, year, as_of)
            found = desk.findings(table)
            entered = (_as_entered(rows, year, until, table) for rows in engine.stream(found, rows=10_000))
            events = discrepancies.enter(connection, entered, year=year, as_of=as_of, run_no=run_no)
            told = {"year": year} | events
            runs.enter(connection, Step.CROSSCHECK, as_of, run_no=run_no, register_version=version, told=told)
            return Compared(
                year, as_of.isoformat(), version, desk.reported, desk.sites, desk.operators_known,
                _per_kind(engine.answer(found.group_by("case_no", "lead").agg(n=found.count())), table), events,
            )  # fmt: skip


def years_due(office: Office, as_of: dt.date) -> list[int]:
    """Return the years whose comparison would say something new on a day, oldest first.

    A year has reports, or is the one before ``as_of`` while the base knows sites. It is due where reports, sites or a
    register came in after it was last compared, or where its last day to file has passed since; never for a day before
    that.
    """
    table = rules()
    with office.engine.connect() as connection:
        if connection.scalar(sa.select(sa.func.max(register_version.c.register_version))) is None:
            return []
        years = {int(year) for year in connection.scalars(sa.text(_YEARS))}
        if connection.scalar(sa.text("SELECT 1 FROM online_subject LIMIT 1")) is not None:
            years.add(as_of.year - 1)
        compared = {row.year: row for row in connection.execute(sa.text(_LAST_COMPARED))}
        newest_input = connection.scalar(sa.text(_NEWEST_INPUT)) or 0
    due = []
    for year in sorted(year for year in years if year < as_of.year):
        last = compared.get(year)
        if last is None:
            due.append(year)
        elif last.as_of <= as_of:
            closed_between = last.as_of <= table.correction_until(year) < as_of
            if closed_between or last.run_no < newest_input:
                due.append(year)
    return due


class _Comparison:
    """The tables of one run, in the engine."""

    def __init__(self, office: Office, engine: Engine, index: Index, year: int, as_of: dt.date) -> None:
        self.reported = self.sites = self.operators_known = 0
        self._office, self._engine, self._index, self._year, self._as_of = office, engine, index, year, as_of

    def findings(self, table: Rules) -> ir.Table:
        """Return every finding with what a person needs beside it: names, district, evidence."""
        engine = self._engine
        enterprises = self._load("enterprises", _ENTERPRISES, {})
        filed = self._filed()
        reports, items = self._reports(filed)
        subjects, keys = self._subjects()
        inputs = Inputs(reports, items, filed.select("uscc").distinct(), subjects, keys, enterprises)
        found = decide(inputs, year=self._year, as_of=self._as_of, rules=table, tables=engine)
        [self.reported] = self._counted(reports.aggregate(n=reports.uscc.nunique()))
        self.sites, self.operators_known = self._counted(
            subjects.aggregate(n=subjects.count(), known=subjects.uscc.count())
        )
        return self._explained(found, subjects, enterprises)

    def _counted(self, numbers: ir.Table) -> tuple[int, ...]:
        [row] = self._engine.answer(numbers).to_pylist()
        return tuple(row.values())

    def _filed(self) -> ir.Table:
        """Rows filed for the year whose enterprise is known; a name alone does not tell who filed."""
        until = (self._as_of + dt.timedelta(days=1)).isoformat()
        rows = self._load("filed_rows", _FILED, {"year": str(self._year), "until": until})
        attached = self._attached("filed", rows)
        owned = attached.filter(attached.uscc.notnull()).select("record_id", enterprise="uscc")
        return self._engine.keep("filed", rows.inner_join(owned, "record_id").drop("uscc").rename(uscc="enterprise"))

    def _reports(self, filed: ir.Table) -> tuple[ir.Table, ir.Table]:
        """The rows of the newest version of each enterprise, none of which waits for a person; and their addresses."""
        ordered = filed.mutate(order=filed.submitted_at + "|" + filed.report_id)
        newest = ordered.group_by("uscc").agg(record_key=ordered.record_key.argmax(ordered.order))
        t = filed.semi_join(newest, ["uscc", "record_key"])
        waiting = t.filter(t.state != "accepted").select("uscc").distinct()
        reports = self._engine.keep("reports", t.anti_join(waiting, "uscc"))
        return reports, self._engine.load("items", _ITEMS, self._addresses(reports))

    def _addresses(self, reports: ir.Table) -> Iterator[pa.RecordBatch]:
        wanted = reports.select("record_id", "address", "wechat", "app_names")
        for batch in self._engine.stream(wanted):
            columns = (flat(batch.column(name)) for name in ("address", "wechat", "app_names"))
            yield from _keyed(read_report_rows(*columns), batch.column("record_id")).to_batches()

    def _subjects(self) -> tuple[ir.Table, ir.Table]:
        rows = self._load("subject_rows", _SUBJECTS, {"day": self._as_of.isoformat()})
        attached = self._attached("subjects", rows)
        linked = rows.inner_join(
            attached.select("record_id", operator="uscc", link="method", link_grade="grade"), "record_id"
        )
        filing = self._engine.load("filings", _FILINGS, self._filings(rows))
        linked = linked.left_join(filing, "record_id").drop("record_id_right")
        linked = self._engine.keep("linked", linked)
        certain = linked.filter(linked.operator.notnull() & linked.link.isin(_BY_CODE) & linked.filing.notnull())
        owners = certain.group_by("filing").agg(owner=certain.operator.min(), owners=certain.operator.nunique())
        owners = owners.filter(owners.owners == 1)
        t = linked.left_join(owners.select("filing", "owner"), "filing").drop("filing_right")
        silent = t.operator.isnull() & (t.link_grade == "none") & t.subject_key.isnull()
        agrees = t.link.isin(["name", "former_name"]) & (t.operator == t.owner)
        by_filing = (t.owner.notnull() & (silent | agrees)).fill_null(False)
        t = t.mutate(
            uscc=ibis.ifelse(by_filing, t.owner, t.operator),
            link=ibis.ifelse(by_filing, "icp", ibis.ifelse(t.operator.notnull(), t.link, ibis.null("string"))),
        )
        subjects = self._engine.keep("subjects", t.drop("operator", "owner"))
        return subjects, self._engine.load("keys", _KEYS, self._subject_keys(subjects))

    def _filings(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        for batch in self._engine.stream(rows.select("record_id", "icp_no").filter(rows.icp_no.notnull())):
            filing, _ = icp_numbers(batch.column("icp_no"))
            yield pa.record_batch([batch.column("record_id"), filing], schema=_FILINGS)

    def _subject_keys(self, subjects: ir.Table) -> Iterator[pa.RecordBatch]:
        """Keys of each subject: of its address, and of the platform and shop number that stand beside it."""
        for batch in self._engine.stream(subjects.select("record_id", "address", "platform_name", "shop_id")):
            record_ids = batch.column("record_id")
            read = _keyed(read_addresses(batch.column("address")), record_ids)
            yield from read.filter(pc.is_valid(read["key"])).select(_KEYS.names).to_batches()
            named = batch.filter(
                pc.and_(pc.is_valid(batch.column("platform_name")), pc.is_valid(batch.column("shop_id")))
            )
            (platform,) = read_distinct(named.column("platform_name"), _platform, TEXT)
            shop = pc.utf8_lower(named.column("shop_id"))
            text = pc.binary_join_element_wise(platform, shop, ":")
            key = pc.binary_join_element_wise("shop", text, ":")
            kind = pa.repeat(pa.scalar("shop"), len(named))
            yield pa.record_batch([named.column("record_id"), key, kind, text, platform], schema=_KEYS)

    def _attached(self, name: str, rows: ir.Table) -> ir.Table:
        """Decide who each row is of, by the attachment of records (``transforms.attach``)."""
        due = self._engine.load(f"{name}_due", RECORDS_DUE, self._due(rows))
        decided = decide_attachments(due, self._index).select("record_id", "uscc", "method", "grade")
        return self._engine.keep(f"{name}_attached", decided)

    def _due(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        for batch in self._engine.stream(rows.select("record_id", "subject_key", "uscc", "regno")):
            uscc, regno = batch.column("uscc"), batch.column("regno")
            nothing = pa.nulls(batch.num_rows, TEXT)
            columns = {
                "record_id": batch.column("record_id"), "subject_key": batch.column("subject_key"),
                "subject_category": nothing, "org_code": nothing, "tax_no": nothing, "tax_org": nothing,
                "uscc": pc.if_else(identifiers.uscc_valid(uscc), uscc, None),
                "regno": pc.if_else(pc.is_null(identifiers.regno_finding(regno)), regno, None),
            }  # fmt: skip
            yield pa.RecordBatch.from_arrays([columns[name] for name in RECORDS_DUE.names], schema=RECORDS_DUE)

    def _load(self, name: str, query: str, parameters: Mapping[str, str]) -> ir.Table:
        schema = _LOADED[name]
        batches = read_batches(self._office.bulk_url, query, parameters, batch_bytes=4 << 20)
        return self._engine.load(name, schema, (batch.cast(schema) for batch in batches))

    def _explained(self, found: ir.Table, subjects: ir.Table, enterprises: ir.Table) -> ir.Table:
        s = subjects.select(
            subject_record="record_id", district="district", snapshot_date="snapshot_date", snapshot="content_hash",
            shown_evidence="evidence",
        )  # fmt: skip
        e = enterprises.select(owner="uscc", enterprise_name="name")
        t = found.left_join(s, "subject_record").left_join(e, found.uscc == e.owner).drop("owner")
        # characters 3 to 8 of a code are the region of the registration authority (GB 32100)
        return t.mutate(district=ibis.coalesce(t.district, t.uscc.substr(2, 6)))


def _selected(query: str, **types: pa.DataType) -> pa.Schema:
    """Columns of a query above, text where nothing else is said."""
    listed = query.partition("FROM")[0].partition("record_id")[2].split(",")[1:]
    names = ["record_id", *(part.split()[-1] for part in listed)]
    return pa.schema([(name, types.get(name, TEXT)) for name in names])


_LOADED: Final = {
    "filed_rows": _selected(_FILED, record_id=pa.int64()),
    "subject_rows": _selected(_SUBJECTS, record_id=pa.int64(), snapshot_date=DAY, first_seen=DAY, last_seen=DAY),
    "enterprises": pa.schema([("uscc", TEXT), ("name", TEXT), ("established", DAY), ("reg_state", TEXT)]),
}
_ITEMS: Final = pa.schema(
    [
        ("record_id", pa.int64()), ("ordinal", pa.int32()), ("kind", TEXT), ("platform", TEXT), ("text", TEXT),
        ("key", TEXT),
    ]
)  # fmt: skip
_KEYS: Final = pa.schema([("record_id", pa.int64()), ("key", TEXT), ("kind", TEXT), ("text", TEXT), ("platform", TEXT)])
_FILINGS: Final = pa.schema([("record_id", pa.int64()), ("filing", TEXT)])


def _keyed(read: pa.Table, record_ids: pa.Array) -> pa.Table:
    """Put the row's id in the place of its place."""
    columns = {name: read[name] for name in _ITEMS.names if name != "record_id"}
    return pa.table({"record_id": record_ids.take(read["place"].combine_chunks()), **columns}, schema=_ITEMS)


def _platform(text: str) -> tuple[str]:
    folded = fold(text)
    known = platforms().named_in(folded)
    return (known.id if known else folded,)


def _per_kind(counted: pa.Table, table: Rules) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in counted.to_pylist():
        counts[_kind(row, table)] += row["n"]
    return dict(sorted(counts.items()))


def _kind(row: Mapping[str, Any], table: Rules) -> str:
    return "lead" if row["lead"] else table.cases[row["case_no"]].kind


def _as_entered(found: pa.RecordBatch, year: int, until: dt.date, table: Rules) -> pa.Table:
    """Return findings as ``discrepancy`` keeps them; the key names the finding, the hash all that it says."""
    rows = []
    for row in found.to_pylist():
        case = table.cases[row["case_no"]]
        trust = 1.0 if row["link"] is None else table.links[row["link"]]
        evidence = {
            "case": case.name, "title": case.title, "link": row["link"], "snapshot_date": _iso(row["snapshot_date"]),
            "snapshot_hash": row["snapshot"], "snapshot_evidence": row["shown_evidence"],
            "report_id": row["report_id"], "subject_id": row["subject_id"],
        }  # fmt: skip
        told = {
            "uscc": row["uscc"], "enterprise_name": row["enterprise_name"], "year": year,
            "kind": _kind(row, table), "case_no": case.number, "site_url": row["site_url"],
            "subject_id": row["subject_id"], "report_id": row["report_id"], "fields": row["fields"],
            "confidence": f"{case.confidence * trust:.3f}", "evidence": json.dumps(evidence, ensure_ascii=False),
            "clears": case.clears, "district": row["district"], "correct_until": until.isoformat(),
        }  # fmt: skip
        key = [str(year), str(case.number), row["uscc"], row["site_key"] or ""]
        told["finding_key"] = hashlib.sha256("\n".join(key).encode()).hexdigest()[:32]
        told["content_hash"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
        rows.append(told)
    return pa.Table.from_pylist(rows, schema=_ENTERED)


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


_ENTERED: Final = pa.schema(
    [
        ("finding_key", TEXT), ("year", pa.int32()), ("uscc", TEXT), ("enterprise_name", TEXT), ("kind", TEXT),
        ("case_no", pa.int32()), ("site_url", TEXT), ("subject_id", TEXT), ("report_id", TEXT), ("fields", TEXT),
        ("confidence", TEXT), ("evidence", TEXT), ("clears", TEXT), ("district", TEXT), ("correct_until", TEXT),
        ("content_hash", TEXT),
    ]
)  # fmt: skip
