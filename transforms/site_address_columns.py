"""Columns of cells with addresses of sites and shops, read as ``site_addresses.read_cell`` reads one cell.

Most cells hold one address in plain letters and nothing beside it. These are taken apart and told by expressions over
the column; any other text is read by ``read_text``, each different text once.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import TEXT
from transforms.distinct import flat, holds_byte, read_distinct, rewrite_where
from transforms.site_accounts import AccountKind
from transforms.site_addresses import (
    DEFAULT_PORTS,
    LABELS,
    Address,
    AddressKind,
    plain_text,
    read_accounts,
    read_text,
    registrable,
)
from transforms.site_platforms import TRIVIAL_PATH, Platform, platforms

ADDRESSES: Final = pa.schema(
    [
        ("place", pa.int64()), ("ordinal", pa.int32()), ("kind", TEXT), ("platform", TEXT), ("text", TEXT),
        ("key", TEXT),
    ]
)  # fmt: skip
"""An address of a column of cells: place of the cell (from 0), ordinal within it (from 0), what was read."""

_Counts = np.ndarray[tuple[int], np.dtype[np.int64]]
_OF_TEXT: Final = pa.schema([ADDRESSES.field(name) for name in ADDRESSES.names if name != "place"])
_ODD: Final = np.array([not 0x20 <= byte < 0x7F for byte in range(256)])
_ASIDE: Final = r"\x00-\x20,;|<>\"'()@\x7f-\x{10FFFF}"
_ALONE: Final = (
    rf"^(?:https?:)?(?://)?(?P<host>{LABELS}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})\.?(?::(?P<port>\d{{1,5}}))?"
    rf"(?P<path>(?:/[^?#{_ASIDE}]*)?)(?:#(?:[^/!{_ASIDE}][^{_ASIDE}]*)?)?$"
)
"""One address without a query or a route (``#/``) and nothing beside it, in a text as ``plain_text`` leaves it."""


def read_addresses(cells: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Read a column of cells (schema ``ADDRESSES``); a null cell has no address."""
    encoded = _plain(flat(cells)).dictionary_encode()
    return _spread(encoded, *_read(encoded.dictionary))


def read_report_rows(address: pa.StringArray, wechat: pa.StringArray, app_names: pa.StringArray) -> pa.Table:
    """Read the columns of a report's rows in which sites stand (schema ``ADDRESSES``).

    Accounts and apps are addresses of their own beside that of the row. Where a row has one, a word for nothing in its
    address, or the same name without an address, says nothing more and is left out.
    """
    rows = read_addresses(pc.fill_null(address, ""))
    named = (_read_accounts(wechat, "wechat"), _read_accounts(app_names, "app"))
    accounts = pa.concat_tables([table for table in named if table.num_rows] or [rows.slice(0, 0)])
    if not accounts.num_rows:
        return rows
    places = accounts["place"].combine_chunks()
    with_account = pc.is_in(rows["place"], places)
    bare_name = pc.and_(pc.equal(rows["kind"], str(AddressKind.NAME_ONLY)), pc.is_null(rows["platform"]))
    repeats = pc.and_(bare_name, pc.is_in(_spoken(rows), _spoken(accounts).combine_chunks()))
    silent = pc.and_(with_account, pc.or_(pc.equal(rows["kind"], str(AddressKind.NONE)), repeats))
    return _each_once(pa.concat_tables([rows.filter(pc.invert(silent)), accounts]))


def _read_accounts(cells: pa.StringArray, kind: AccountKind) -> pa.Table:
    encoded = flat(cells).dictionary_encode()
    read = [read_accounts(plain_text(text), kind) for text in encoded.dictionary.to_pylist()]
    counts = np.array([len(addresses) for addresses in read], np.int64)
    return _spread(encoded, _rows_of(read), counts)


def _spoken(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(rows["place"].cast(TEXT), pc.fill_null(rows["text"], ""), "\n")


def _each_once(rows: pa.Table) -> pa.Table:
    """Order rows by place, keep the first of each key, and number those of a place anew."""
    rows = rows.take(pa.array(np.argsort(rows["place"].to_numpy(), kind="stable")))
    told = pc.binary_join_element_wise(rows["place"].cast(TEXT), rows["key"], "\n")
    codes = told.combine_chunks().dictionary_encode(null_encoding="mask").indices
    known, first = pc.is_valid(codes).to_numpy(zero_copy_only=False), np.zeros(len(codes), np.bool_)
    first[np.unique(pc.fill_null(codes, -1).to_numpy(), return_index=True)[1]] = True
    rows = rows.filter(pa.array(first | ~known))
    places = rows["place"].to_numpy()
    ordinals = np.arange(len(places)) - np.searchsorted(places, places)
    return rows.set_column(1, ADDRESSES.field("ordinal"), pa.array(ordinals, pa.int32()))


def _spread(encoded: pa.DictionaryArray, of_text: pa.Table, counts: _Counts) -> pa.Table:
    """Give each cell the addresses of its text; ``counts`` is how many each different text has."""
    bounds = np.concatenate([[0], np.cumsum(counts)])
    lists = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(np.arange(bounds[-1])))
    lists = lists.take(encoded.indices)
    places = pc.list_parent_indices(lists).cast(pa.int64())
    return pa.table([places, *of_text.take(lists.flatten()).columns], schema=ADDRESSES)


def _plain(cells: pa.StringArray) -> pa.StringArray:
    plain = pc.ascii_trim_whitespace(pc.ascii_lower(pc.replace_substring(cells, "\\", "/")))
    return rewrite_where(cells, holds_byte(cells, _ODD), plain_text, plain)


def _read(texts: pa.StringArray) -> tuple[pa.Table, _Counts]:
    """Return the addresses of different texts, text after text, and how many each has."""
    alone = _alone(texts)
    told = pc.is_valid(alone["kind"]).to_numpy(zero_copy_only=False)
    counts = np.ones(len(texts), np.int64)
    read = [read_text(text) for text in texts.filter(pa.array(~told)).to_pylist()]
    counts[~told] = [len(addresses) for addresses in read]
    others = _rows_of(read)
    of_text = np.concatenate([np.flatnonzero(told), np.repeat(np.flatnonzero(~told), counts[~told])])
    rows = pa.concat_tables([pa.table(alone).filter(pa.array(told)).cast(_OF_TEXT), others])
    return rows.take(pa.array(np.argsort(of_text, kind="stable"))), counts


def _rows_of(read: list[tuple[Address, ...]]) -> pa.Table:
    """Return the addresses of texts one below another (schema ``_OF_TEXT``)."""
    columns: dict[str, list[object]] = {name: [] for name in _OF_TEXT.names}
    for addresses in read:
        for ordinal, address in enumerate(addresses):
            columns["ordinal"].append(ordinal)
            for name in ("kind", "platform", "text", "key"):
                columns[name].append(getattr(address, name))
    return pa.table(columns, schema=_OF_TEXT)


def _alone(texts: pa.StringArray) -> dict[str, pa.Array]:
    """Tell what each text names that is one plain address; ``kind`` is null for any other."""
    table = platforms()
    found = pc.extract_regex(texts, _ALONE)
    whole, port, path = (pc.struct_field(found, name) for name in ("host", "port", "path"))
    (domain,) = read_distinct(whole, lambda host: (registrable(host),), TEXT)
    bare = pc.replace_substring_regex(whole, r"^www\.", "")
    host = pc.if_else(pc.greater_equal(pc.binary_length(bare), pc.binary_length(domain)), bare, whole)
    led = pc.is_in(host, pa.array(table.short_links | table.wechat_hosts | table.app_hosts, TEXT))
    known = pc.and_(pc.is_valid(domain), pc.invert(led))
    port = pc.if_else(pc.is_in(port, pa.array(["", *DEFAULT_PORTS])), "", pc.binary_join_element_wise(":", port, ""))
    trivial = pc.match_substring_regex(path, f"^(?:{TRIVIAL_PATH.pattern})$")
    directory = pc.utf8_rtrim(path, "/")
    text = pc.binary_join_element_wise(host, port, directory, "")
    own = pc.binary_join_element_wise(_desktop(host, domain), port, pc.if_else(trivial, "", directory), "")
    platform, shop = _shops(domain, host, path)
    shop_text = pc.binary_join_element_wise(platform, shop, ":")
    on_platform, is_shop = pc.is_valid(platform), pc.is_valid(shop)
    kinds = (AddressKind.SITE, AddressKind.SHOP, AddressKind.FRONT_PAGE, AddressKind.UNRESOLVED)
    cases = pc.make_struct(pc.invert(on_platform), is_shop, trivial)
    nothing = pa.scalar(None, TEXT)
    keyed = (
        pc.binary_join_element_wise("site", domain, ":"), pc.binary_join_element_wise("shop", shop_text, ":"), nothing
    )  # fmt: skip
    return {
        "ordinal": pa.array(np.zeros(len(texts), np.int32)),
        "kind": pc.if_else(known, pc.case_when(cases, *(pa.scalar(str(kind)) for kind in kinds)), nothing),
        "platform": platform,
        "text": pc.case_when(cases, own, shop_text, host, text),
        "key": pc.case_when(cases, *keyed),
    }


def _desktop(host: pa.StringArray, domain: pa.StringArray) -> pa.StringArray:
    """Leave out a first label under which a site answers telephones, where the domain remains."""
    labels = "|".join(map(re.escape, sorted(platforms().mobile_labels)))
    rest = pc.replace_substring_regex(host, rf"^(?:{labels})\.", "")
    return pc.if_else(pc.greater_equal(pc.binary_length(rest), pc.binary_length(domain)), rest, host)


def _shops(domain: pa.StringArray, host: pa.StringArray, path: pa.StringArray) -> tuple[pa.Array, pa.Array]:
    """Return the platform that each domain belongs to, and the shop that host and path name on it."""
    of_domain = platforms().by_domain
    places = pc.index_in(domain, pa.array(list(of_domain), TEXT))
    platform = pa.array([known.id for known in of_domain.values()], TEXT).take(places)
    spoken = pc.binary_join_element_wise(host, path, "\n")
    shop = pa.nulls(len(domain), TEXT)
    for name in pc.drop_null(platform.unique()).to_pylist():
        rows = pc.fill_null(pc.equal(platform, name), False)
        shop = pc.replace_with_mask(shop, rows, _shops_on(platforms().by_id[name], spoken.filter(rows)))
    return platform, shop


def _shops_on(platform: Platform, spoken: pa.StringArray) -> pa.StringArray:
    """As ``Platform.shop_of`` for addresses without a query; the first form that names a shop is taken."""
    shop = pa.nulls(len(spoken), TEXT)
    for pattern, reserved in _forms(platform.id):
        named = pc.struct_field(pc.extract_regex(spoken, pattern), "id")
        shop = pc.coalesce(shop, pc.if_else(pc.is_in(named, reserved), None, named))
    return shop


@cache
def _forms(platform: str) -> tuple[tuple[str, pa.StringArray], ...]:
    """Return the pattern over host, line end and path of each form, and the words that are no shop's id in it."""
    table = platforms().by_id[platform]
    reserved = pa.array(["", *sorted(table.reserved)], TEXT)
    return tuple(
        (
            rf"^(?:{form.host.pattern if form.host else '.*'})\n(?:{form.path.pattern if form.path else '.*'})$",
            reserved if form.kind == "subdomain" else reserved.slice(0, 1),
        )
        for form in table.shops
        if form.query is None
    )
