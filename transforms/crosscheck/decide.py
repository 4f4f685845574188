"""Decide the cases of the cross-check, set-based, for one year (decision table: ``cases.yaml``, domain 5.5).

Inputs are tables of one engine (``Inputs``); the answer is one table of findings (``FINDINGS``). It depends on what the
rows say, never on their order: ties are settled by texts and numbers of the sources.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Final, Protocol

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from transforms.crosscheck.blocks import whole_enterprises
from transforms.crosscheck.cases import Rules
from transforms.crosscheck.pairing import PAIRED, assign, similarity
from transforms.distinct import flat
from transforms.names import name_key

FINDINGS: Final = pa.schema(
    [
        ("case_no", pa.int32()), ("lead", pa.bool_()), ("uscc", pa.string()), ("site_key", pa.string()),
        ("site_url", pa.string()), ("subject_id", pa.string()), ("report_id", pa.string()), ("fields", pa.string()),
        ("link", pa.string()), ("subject_record", pa.int64()), ("report_record", pa.int64()),
    ]
)  # fmt: skip
"""A finding: ``lead`` where it is not certain enough; ``fields`` is JSON {field: [reported, base]}; the records are the
rows of evidence."""


class Tables(Protocol):
    """Where the tables are: ``keep`` stores the answer of an expression, ``load`` rows; ``stream`` reads an answer."""

    def keep(self, name: str, expression: ir.Table) -> ir.Table: ...  # noqa: D102
    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> ir.Table: ...  # noqa: D102
    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is compared.

    ``reports``: the rows of the newest report of each enterprise: record_id, uscc, report_id, has_site, site_type,
    site_name, address, icp_no. ``items``: the addresses of these rows: record_id, ordinal, kind, platform, text, key;
    a row without an address has an item of kind none. ``filed``: uscc of every enterprise that filed anything for the
    year. ``subjects``: the newest snapshot of each site: record_id, subject_id, uscc and link (null where the operator
    is not known), site_type, site_name, address, first_seen, last_seen, site_state, icp_no. ``keys``: record_id, key,
    kind, text, platform of each of their addresses. ``enterprises``: uscc, established, reg_state.
    """

    reports: ir.Table
    items: ir.Table
    filed: ir.Table
    subjects: ir.Table
    keys: ir.Table
    enterprises: ir.Table


def decide(inputs: Inputs, *, year: int, as_of: dt.date, rules: Rules, tables: Tables) -> ir.Table:
    """Return the findings of a year as they stand on a day (schema ``FINDINGS``), in no order.

    Only rows that differ are ever held in memory, and of those the ones of a block of enterprises.
    """
    desk = _Desk(inputs, year=year, as_of=as_of, rules=rules, tables=tables)
    parts = [
        desk.not_reported(), desk.unreported(), desk.differing(), desk.other_operator(), desk.gaps(), desk.stale(),
        desk.contradictions(), desk.unreadable(),
    ]  # fmt: skip
    return tables.keep("crosscheck_findings", ibis.union(*parts))


class _Desk:
    """The tables that the cases share, each built once."""

    def __init__(self, inputs: Inputs, *, year: int, as_of: dt.date, rules: Rules, tables: Tables) -> None:
        self._in, self._rules, self._tables = inputs, rules, tables
        self._year, self._as_of = year, as_of
        self._first, self._last = dt.date(year, 1, 1), dt.date(year, 12, 31)
        self._items = tables.keep("crosscheck_items", self._items_of_rows())
        self._sites = tables.keep("crosscheck_sites", self._sites_of_base())
        self._matches = tables.keep("crosscheck_matches", self._matched())
        self._reports = tables.keep("crosscheck_reports", self._reports_as_a_whole())
        self._active = tables.keep("crosscheck_active", self._active_sites())
        self._open = tables.keep("crosscheck_open", self._open_sites())
        self._unknown = tables.keep("crosscheck_unknown", self._items_unknown_to_base())
        self._pairs = tables.load("crosscheck_pairs", _PAIRS, self._chosen_pairs())
        self._named = tables.load("crosscheck_named", _NAMED, self._paired_by_name())
        self._perhaps = tables.load("crosscheck_perhaps", _PERHAPS, self._perhaps_the_same())

    def _items_of_rows(self) -> ir.Table:
        """Addresses of the reports' rows. A row that only names its site is an address that cannot be read.

        The name and the ICP number of a row are those of its site or shop, not of an account beside it.
        """
        items, rows = self._in.items, self._in.reports
        t = items.inner_join(rows, "record_id")
        kind = ibis.ifelse((t.kind == "none") & t.site_name.notnull(), "name_only", t.kind)
        account = t.kind.isin(_ACCOUNTS)
        by_name = account & t.text.notnull() & ~t.text.contains(".")  # a page of an app store has a dot, a name none
        shown = ibis.ifelse(
            by_name,
            ibis.ifelse(t.kind == "app", "APP:", "微信公众号:") + t.text,
            ibis.coalesce(t.address, t.site_name),
        )
        nothing = ibis.null("string")
        return t.select(
            "record_id", "uscc", "report_id", "platform", "text", "key", "site_type",
            site_name=ibis.ifelse(account, nothing, t.site_name), icp_no=ibis.ifelse(account, nothing, t.icp_no),
            kind=kind, shown=shown,
            item=t.report_id + "|" + ibis.coalesce(t.key, t.text, "") + "|" + ibis.coalesce(t.address, "") + "|"
            + ibis.coalesce(t.site_name, "") + "|" + ibis.coalesce(t.site_type, "") + "|" + t.ordinal.cast("string"),
        )  # fmt: skip

    def _sites_of_base(self) -> ir.Table:
        """One row per subject and key, ``site``: what makes subjects of one operator one site.

        A shop on a platform that the table does not know is told by its page, never by the platform's domain.
        """
        t = self._in.keys.inner_join(self._in.subjects, "record_id")
        paged = (t.kind == "site") & (t.site_type == "shop").fill_null(False)
        t = t.mutate(paged=paged, own_key=ibis.ifelse(paged, ibis.literal("page:") + t.text, t.key))
        least = t.group_by("record_id").agg(site=t.own_key.min())
        return t.left_join(least, "record_id").drop("record_id_right")

    def _matched(self) -> ir.Table:
        """Items beside every subject of the base that has the same address."""
        items = self._items.filter(self._items.key.notnull())
        sites = self._sites.select(
            "key", "paged", "site", "subject_id", "link", "first_seen", "last_seen", "site_state", "own_key",
            base_record="record_id", operator="uscc", base_text="text", base_type="site_type", base_name="site_name",
            base_icp="icp_no", base_shown="address",
        )  # fmt: skip
        t = items.inner_join(sites, "key")
        return t.filter(~t.paged | (t.text == t.base_text)).mutate(
            own=(t.operator == t.uscc).fill_null(False), same_page=t.text == t.base_text
        )

    def _reports_as_a_whole(self) -> ir.Table:
        """One row per reported enterprise: what it answered, and whether it named any site at all."""
        t = self._items
        told = t.group_by("uscc").agg(names_site=(t.kind != "none").any(), blind=(t.kind == "unresolved").any())
        r = self._in.reports
        asked = r.group_by("uscc").agg(
            report_id=r.report_id.min(), has_site=r.has_site.max(), report_record=r.record_id.min()
        )
        return asked.left_join(told, "uscc").select(
            "uscc", "report_id", "has_site", "report_record",
            names_site=told.names_site.fill_null(False), blind=told.blind.fill_null(False),
        )  # fmt: skip

    def _active_sites(self) -> ir.Table:
        """One row per enterprise and site that was seen in the year, under however many subjects."""
        t = self._sites
        seen = (t.first_seen <= self._last) & (t.last_seen >= self._first)
        t = t.filter(t.uscc.notnull() & seen.fill_null(True)).mutate(
            dated=t.first_seen.notnull() & t.last_seen.notnull()
        )
        trusted = t.link.isin(self._rules.trusted) & t.dated
        t = t.mutate(trusted=trusted, order=ibis.ifelse(trusted, "0", "1") + t.subject_id)
        return t.group_by("uscc", "site").agg(
            trusted=t.trusted.any(), subject_id=t.subject_id.argmin(t.order),
            subject_record=t.record_id.argmin(t.order), link=t.link.argmin(t.order),
            site_url=t.address.argmin(t.order), site_name=t.site_name.argmin(t.order),
            platform=t.platform.argmin(t.order),
        )  # fmt: skip

    def _chosen_pairs(self) -> Iterator[pa.RecordBatch]:
        """Rows of reports and own sites, one to one, with the fields in which they differ.

        A pair is of one enterprise, so that a block of whole enterprises is decided by itself. An account is no row of
        its own that could differ.
        """
        t = self._matches.filter(self._matches.own & self._matches.link.isin(self._rules.trusted))
        t = t.filter(~t.kind.isin(_ACCOUNTS))
        t = t.mutate(exact=ibis.ifelse(t.same_page, 0, 1))
        order = ("uscc", "subject_id", "item", "exact", "icp_no", "record_id", "base_record")
        names = [name for name in _PAIRS.names if name != "differs"]
        for block in whole_enterprises(self._tables.stream(t.order_by(*order).select(*names))):
            yield from assign(_first_of_each(block), self._rules).select(_PAIRS.names).cast(_PAIRS).to_batches()

    def _open_sites(self) -> ir.Table:
        """Active sites that no row of the operator's report has the address of."""
        own = self._matches.filter(self._matches.own).select("uscc", "site").distinct()
        return self._active.anti_join(own, ["uscc", "site"])

    def _paired_by_name(self) -> Iterator[pa.RecordBatch]:
        """Rows whose address cannot be read beside open sites of the same enterprise, where the names agree.

        Beside a site of another platform than the row speaks of, only the very same name is enough.
        """
        items = self._items.filter(self._items.kind.isin([*self._rules.unreadable_kinds, "unresolved"]))
        t = items.inner_join(self._open.rename(base_name="site_name", base_platform="platform"), "uscc")
        t = t.mutate(
            elsewhere=ibis.coalesce(t.platform != t.base_platform, False),
            row_name=ibis.coalesce(t.site_name, ibis.ifelse(t.kind == "name_only", t.text, ibis.null("string"))),
        )
        t = t.filter(t.base_name.notnull() & t.row_name.notnull())
        wanted = t.order_by("uscc").select(*_NAMED.names, "elsewhere", "base_name", "row_name")
        for block in whole_enterprises(self._tables.stream(wanted)):
            yield from _named_alike(block, self._rules).select(_NAMED.names).cast(_NAMED).to_batches()

    def _items_unknown_to_base(self) -> ir.Table:
        """Addresses that can be compared and that no subject of the base has."""
        t = self._items.filter(self._items.kind.isin(self._rules.comparable_kinds) & self._items.key.notnull())
        return t.anti_join(self._matches.select("item").distinct(), "item")

    def _perhaps_the_same(self) -> Iterator[pa.RecordBatch]:
        """Addresses that the base does not know beside open sites of the same enterprise that they may be of.

        A shop is known by a number and by a name, an account by its id and by a name, a shop on a platform that the
        table does not know by several pages: where report and base each have another one, the two are not told apart.
        """
        t = self._unknown
        items = t.select("uscc", "item", "key", row_name="site_name", **_spot(t))
        sites = self._sites.semi_join(self._open, ["uscc", "site"])
        sites = sites.filter((sites.kind != "site") | sites.paged)
        sites = sites.select("uscc", "site", **_spot(sites))
        spots = sites.group_by("uscc", "site", "spot").agg(
            numbered=sites.numbered.fill_null(False).any(), lettered=(~sites.numbered).fill_null(False).any()
        )
        t = items.inner_join(spots, ["uscc", "spot"])
        t = t.filter(t.numbered.isnull() | ibis.ifelse(t.numbered, ~t.numbered_right, ~t.lettered))
        t = t.inner_join(self._open.select("uscc", "site", base_name="site_name"), ["uscc", "site"])
        wanted = t.order_by("uscc").select("uscc", "site", "item", "key", "base_name", "row_name")
        for block in whole_enterprises(self._tables.stream(wanted)):
            yield from _told_by_name(block, self._rules).select(_PERHAPS.names).cast(_PERHAPS).to_batches()

    # --- the cases ----------------------------------------------------------------------------------------------

    def not_reported(self) -> ir.Table:
        """Case 1: nothing filed by the last day, and a site was seen in the year."""
        closed = self._as_of > self._rules.correction_until(self._year)
        t = self._active.filter(self._active.trusted & closed).anti_join(self._in.filed, "uscc")
        e = self._in.enterprises
        owing = e.filter(
            ibis.coalesce(e.established <= self._last, True)
            & ~e.reg_state.isin(self._rules.no_report_states).fill_null(False)
        )
        t = t.semi_join(owing, "uscc")
        t = t.group_by("uscc").agg(
            subject_id=t.subject_id.min(), site_url=t.site_url.argmin(t.subject_id), link=t.link.argmin(t.subject_id),
            subject_record=t.subject_record.argmin(t.subject_id), sites=t.count(),
        )  # fmt: skip
        return _findings(t, case_no=1, site_key=ibis.literal(""), fields=_told("sites", "", t.sites.cast("string")))

    def unreported(self) -> ir.Table:
        """Cases 2 and 3, and 10 where the link, the dates or what else the report names leave it open."""
        same = self._perhaps.filter(self._perhaps.same)
        perhaps = self._perhaps.select("uscc", "site").distinct().mutate(perhaps=True)
        t = self._open.anti_join(self._named, ["uscc", "site"]).anti_join(same, ["uscc", "site"])
        t = t.left_join(perhaps, ["uscc", "site"]).drop("uscc_right", "site_right")
        r = self._reports
        t = t.left_join(r, "uscc").drop("uscc_right")
        concealed = (t.has_site == "no") & ~t.names_site
        t = t.mutate(case_no=ibis.cases((concealed, 2), (t.names_site, 3), (t.report_id.isnull(), 1), else_=0))
        unfiled = (t.case_no == 1) & ~t.trusted & (self._as_of > self._rules.correction_until(self._year))
        t = t.filter(t.case_no.isin([2, 3]) | unfiled).anti_join(self._pending(), "uscc")
        lead = ~t.trusted | t.blind.fill_null(False) | t.perhaps.fill_null(False)
        case_no = ibis.ifelse(lead, 10, t.case_no)
        return _findings(t, case_no=case_no, lead=lead, site_key=t.site, fields=_told("address", "", t.site_url))

    def _pending(self) -> ir.Table:
        """Enterprises whose report of the year waits for a steward: nothing is said about them."""
        return self._in.filed.anti_join(self._reports, "uscc")

    def differing(self) -> ir.Table:
        """Case 4: a row and its site differ in type, name or ICP number."""
        t = self._pairs.filter(self._pairs.differs != "")
        columns = {
            "site_type": ("site_type", "base_type"),
            "site_name": ("site_name", "base_name"),
            "icp_no": ("icp_no", "base_icp"),
        }
        told = [
            ibis.ifelse(t.differs.contains(name), _member(name, t[row], t[base]) + ",", "")
            for name, (row, base) in columns.items()
        ]
        fields = ibis.literal("{") + reduce(lambda a, b: a + b, told).re_replace(",$", "") + "}"
        return _findings(
            t, case_no=4, site_key=t.site, site_url=t.base_shown, fields=fields, subject_record=t.base_record,
            report_record=t.record_id,
        )  # fmt: skip

    def other_operator(self) -> ir.Table:
        """Case 5: another enterprise operates the site.

        A lead where only the domain or the name of an account says so (others may have the name), or two operators do.
        """
        own = self._matches.filter(self._matches.own | self._matches.operator.isnull()).select("item").distinct()
        t = self._matches.filter(self._matches.operator.notnull() & ~self._matches.own).anti_join(own, "item")
        t = t.mutate(
            sure=t.link.isin(self._rules.trusted)
            & ((t.kind == "shop") | ((t.kind == "site") & t.same_page).fill_null(False)),
            order=ibis.ifelse(t.link.isin(self._rules.trusted), "0", "1")
            + ibis.ifelse(t.same_page, "0", "1")
            + t.subject_id,
        )
        t = t.group_by("uscc", "key").agg(
            subject_id=t.subject_id.argmin(t.order), subject_record=t.base_record.argmin(t.order), shown=t.shown.min(),
            link=t.link.argmin(t.order), operators=t.operator.nunique(), operator=t.operator.argmin(t.order),
            report_id=t.report_id.min(), report_record=t.record_id.min(), sure=t.sure.any(),
        )  # fmt: skip
        lead = ~t.sure | (t.operators > 1)
        fields = _told("operator", t.uscc, t.operator)
        return _findings(
            t, case_no=ibis.ifelse(lead, 10, 5), lead=lead, site_key=t.key, site_url=t.shown, fields=fields
        )

    def gaps(self) -> ir.Table:
        """Case 6: the base does not know the address, and has no site of the same name that it may be of."""
        t = self._unknown.anti_join(self._perhaps.filter(self._perhaps.same), ["uscc", "key"])
        t = t.group_by("uscc", "key").agg(
            site_url=t.shown.min(), report_id=t.report_id.min(), report_record=t.record_id.min()
        )
        return _findings(t, case_no=6, site_key=t.key, fields=_told("address", t.site_url, ""))

    def stale(self) -> ir.Table:
        """Case 7: the only sites of that address were dead before the year began.

        A lead where they are nobody's and only of the same domain: the page reported may be another one.
        """
        t = self._matches.mutate(
            dead=(
                self._matches.site_state.isin(self._rules.dead_states) & (self._matches.last_seen < self._first)
            ).fill_null(False)
        )
        other = t.filter(~t.dead).select("item").distinct()
        t = t.filter(t.dead & (t.own | t.operator.isnull())).anti_join(other, "item")
        t = t.mutate(sure=t.own | t.same_page.fill_null(False))
        t = t.mutate(order=ibis.ifelse(t.sure, "0", "1") + t.subject_id)
        t = t.group_by("uscc", "key").agg(
            subject_id=t.subject_id.argmin(t.order), subject_record=t.base_record.argmin(t.order),
            site_url=t.shown.min(), report_id=t.report_id.min(), report_record=t.record_id.min(),
            link=t.link.argmin(t.order), last_seen=t.last_seen.max(), sure=t.sure.any(),
        )  # fmt: skip
        return _findings(
            t, case_no=ibis.ifelse(t.sure, 7, 10), lead=~t.sure,
            site_key=ibis.ifelse(t.sure, t.key, ibis.literal("dead:") + t.key),
            fields=_told("last_seen", "", t.last_seen.cast("string")),
        )  # fmt: skip

    def contradictions(self) -> ir.Table:
        """Case 8: yes without a site, or no with one."""
        r = self._reports
        t = r.filter(((r.has_site == "yes") & ~r.names_site) | ((r.has_site == "no") & r.names_site))
        rows = ibis.ifelse(t.names_site, "rows", "no rows")
        return _findings(t, case_no=8, site_key=ibis.literal(""), fields=_told("has_site", t.has_site, rows))

    def unreadable(self) -> ir.Table:
        """Case 9: an address by which no site can be found, with the site that it seems to mean."""
        t = self._items.filter(self._items.kind.isin(self._rules.unreadable_kinds))
        named = self._named.select("item", "subject_id", "subject_record", base_url="site_url")
        t = t.left_join(named, "item").drop("item_right")
        t = t.group_by("uscc", "shown").agg(
            subject_id=t.subject_id.min(), subject_record=t.subject_record.argmin(t.subject_id), kind=t.kind.min(),
            base_url=t.base_url.argmin(t.subject_id), report_id=t.report_id.min(), report_record=t.record_id.min(),
        )  # fmt: skip
        return _findings(
            t,
            case_no=9,
            site_key=t.shown,
            site_url=t.shown,
            fields=_told("address", t.shown, ibis.coalesce(t.base_url, "")),
        )


_PAIRS: Final = pa.schema(
    [
        *((name, pa.string()) for name in PAIRED), ("uscc", pa.string()), ("site", pa.string()),
        ("base_shown", pa.string()), ("report_id", pa.string()), ("link", pa.string()), ("base_record", pa.int64()),
        ("record_id", pa.int64()), ("differs", pa.string()),
    ]
)  # fmt: skip
_NAMED: Final = pa.schema(
    [
        ("uscc", pa.string()), ("site", pa.string()), ("item", pa.string()), ("subject_id", pa.string()),
        ("subject_record", pa.int64()), ("site_url", pa.string()),
    ]
)  # fmt: skip


_PERHAPS: Final = pa.schema(
    [("uscc", pa.string()), ("site", pa.string()), ("key", pa.string()), ("same", pa.bool_())]
)  # fmt: skip
_ACCOUNTS: Final = ("wechat", "app")
_NUMBER: Final = r":(?:shop[0-9a-z]*[0-9][0-9a-z]*|[0-9]+)$"
"""A shop by its number, after the platform; some write one for a shop that chose no name (shop123.1688.com)."""


def _spot(t: ir.Table) -> dict[str, ir.Value]:
    """Tell where something has its one address of a kind, and whether it is known there by a number or an id.

    ``spot`` is the platform of a shop, the domain of a page, the sort of an account; ``numbered`` is null for a page.
    """
    spot = ibis.cases((t.kind == "shop", ibis.literal("shop:") + t.platform), (t.kind == "site", t.key), else_=t.kind)
    numbered = ibis.cases(
        (t.kind == "shop", t.text.re_search(_NUMBER)),
        (t.kind.isin(_ACCOUNTS), ~t.text.re_search(r"[^\x00-\x7F]")),
        else_=ibis.null("boolean"),
    )
    return {"spot": spot, "numbered": numbered}


def _told_by_name(rows: pa.Table, rules: Rules) -> pa.Table:
    """Tell of rows beside sites that may be theirs which are the ``same`` by name, one to one; the others stay open.

    Only the very same name is enough. A row or a site that has its other by name is no other's.
    """
    named = pc.and_(pc.is_valid(rows["base_name"]), pc.is_valid(rows["row_name"]))
    rows_named = rows.filter(named)
    very_same = pa.repeat(pa.scalar(True), len(rows_named))
    same = _named_alike(rows_named.append_column("elsewhere", very_same), rules)
    left = rows
    for name in ("item", "site"):
        of_same = pc.binary_join_element_wise(same["uscc"], same[name], "\n")
        left = left.filter(pc.invert(pc.is_in(pc.binary_join_element_wise(left["uscc"], left[name], "\n"), of_same)))
    told = [(same, True), (left, False)]
    return pa.concat_tables(
        table.select(["uscc", "site", "key"]).append_column("same", pa.repeat(pa.scalar(value), len(table)))
        for table, value in told
    )


def _first_of_each(rows: pa.Table) -> pa.Table:
    """Keep the first row per subject and item of ordered rows: a subject with two addresses pairs once with an item."""
    other = pa.repeat(pa.scalar(False), len(rows) - 1)
    for name in ("subject_id", "item"):
        keys = flat(rows[name])
        other = pc.or_(other, pc.not_equal(keys[1:], keys[:-1]))
    return rows.filter(pa.concat_arrays([pa.array([True]), other]))


def _named_alike(rows: pa.Table, rules: Rules) -> pa.Table:
    """Choose, among rows and sites whose names agree, one row for one site, the most alike first."""
    alike = similarity(name_key(rows["base_name"]), name_key(rows["row_name"]), rules)
    needed = pc.if_else(rows["elsewhere"], 1.0, rules.name_similarity)
    rows = rows.append_column("alike", alike).filter(pc.greater_equal(alike, needed))
    order = [("elsewhere", "ascending"), ("alike", "descending"), ("site", "ascending"), ("item", "ascending")]
    rows = rows.sort_by(order)
    taken: set[tuple[str, str]] = set()
    places = []
    names = (rows[name].to_pylist() for name in ("uscc", "site", "item"))
    for place, (uscc, site, item) in enumerate(zip(*names, strict=True)):
        if (uscc, site) not in taken and (uscc, item) not in taken:
            taken |= {(uscc, site), (uscc, item)}
            places.append(place)
    return rows.take(pa.array(places, pa.int64()))


def _quoted(text: ir.Value) -> ir.Value:
    """Write a text as JSON writes it."""
    escaped = text.fill_null("").replace("\\", "\\\\").replace('"', '\\"')
    return ibis.literal('"') + escaped.re_replace(r"[\x00-\x1f]", " ") + '"'


def _member(name: str, reported: ir.Value, base: ir.Value) -> ir.Value:
    return ibis.literal(f"{json.dumps(name)}:[") + _quoted(reported) + "," + _quoted(base) + "]"


def _told(name: str, reported: ir.Value | str, base: ir.Value | str) -> ir.Value:
    values = [ibis.literal(value) if isinstance(value, str) else value for value in (reported, base)]
    return ibis.literal("{") + _member(name, *values) + "}"


def _findings(t: ir.Table, **given: ir.Value | int | bool) -> ir.Table:
    """Return the columns of ``FINDINGS``: those given, else those of the table, else nothing."""
    columns = {}
    for field in FINDINGS:
        value = given.get(field.name, t[field.name] if field.name in t.columns else None)
        if field.name == "lead" and value is None:
            value = False
        kind = ibis.dtype(str(field.type).replace("bool", "boolean"))
        columns[field.name] = (value if isinstance(value, ir.Value) else ibis.literal(value, kind)).cast(kind)
    return t.select(**columns)
