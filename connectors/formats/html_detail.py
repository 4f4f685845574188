"""Web pages that show one record as a table of labels and values: a decision published page by page.

The record is read from the table (or definition list) with the most labels, at least three: in a row of a table each
``th`` is the label of the ``td`` behind it; in a table without any ``th`` the first, third... cell of a row is; in a
list each ``dt`` is that of its ``dd``. A colon behind a label is left out. Scripts, styles and comments are no content;
blanks are what a browser shows of them, a line break for ``br`` and between blocks.

A page that asks for a password, or has no such table, is refused as a web page (F02): it is no data file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import lxml.html
import pyarrow as pa
from lxml import etree

from connectors.formats.encoding import Encoding, decoded
from connectors.formats.findings import Findings
from connectors.formats.header import NAMED_CELLS, clean_name, column_names
from connectors.formats.rules import TOO_LARGE, UNDECODABLE, UNKNOWN_ENCODING, WEB_PAGE
from connectors.formats.screening import Row, batches_of
from connectors.formats.source import Source

_DECLARED: Final = re.compile(rb"""<meta\b[^>]*\bcharset\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.IGNORECASE)
_KNOWN_ENCODINGS: Final = ("utf-8", "utf8", "us-ascii", "ascii", "gbk", "gb2312", "gb18030")
_BLOCKS: Final = ("p", "div", "li", "tr")
_UNSEEN: Final = ("script", "style", "template", "noscript")
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_COLONS: Final = ":：∶"

_Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class HtmlDetail:
    """An opened page: one record, cells in the order of the page."""

    columns: tuple[str, ...]
    cells: tuple[str, ...]
    spoilt: bool

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the one screened batch, none where the record is damaged."""
        return batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        if self.spoilt and any("\ufffd" in cell for cell in (*self.columns, *self.cells)):
            findings.reject(UNDECODABLE, 1, ",".join(self.cells), encoding="UTF-8/GB18030")
        else:
            yield 1, self.cells


def open_html(source: Source, encoding: Encoding, findings: Findings) -> HtmlDetail:
    """Read the page. Raises DeliveryRefused: no record on it or a login page (F02), too large (F08), an encoding
    declared that the exchange does not know (F04), a label used twice (F06).
    """
    file, most = findings.file, findings.limits.whole_json_bytes
    if source.size > most:
        raise TOO_LARGE.refusal(file, what=f"网页超过 {most >> 20} MB")
    content = source.head(source.size)
    declared = _DECLARED.search(content[:4096])
    if declared and declared[1].decode().lower() not in _KNOWN_ENCODINGS:
        raise UNKNOWN_ENCODING.refusal(file, what=declared[1].decode())
    text, sound = decoded(content, encoding)
    text = text.replace("\0", "\ufffd")
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        page = lxml.html.document_fromstring(text.encode(), parser=parser)
    except etree.ParserError as error:
        raise WEB_PAGE.refusal(file) from error
    asks_for_password = any(field.get("type", "").strip().lower() == "password" for field in page.iter("input"))
    pairs = [] if asks_for_password else _record(page)
    if len(pairs) < NAMED_CELLS:
        raise WEB_PAGE.refusal(file)
    columns = column_names([label for label, _ in pairs], file, findings.limits)
    return HtmlDetail(columns, tuple(value for _, value in pairs), spoilt=not sound)


def _record(page: lxml.html.HtmlElement) -> _Pairs:
    tables = [_of_table(table) for table in page.iter("table") if table.find(".//table") is None]
    lists = [_of_list(each) for each in page.iter("dl")]
    return max([*tables, *lists], key=len, default=[])


def _of_table(table: lxml.html.HtmlElement) -> _Pairs:
    with_headings = table.find(".//th") is not None
    pairs: _Pairs = []
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("th", "td")]
        for place, (cell, following) in enumerate(pairwise(cells)):
            is_label = cell.tag == "th" and following.tag == "td" if with_headings else place % 2 == 0
            if is_label and (label := _label(cell)):
                pairs.append((label, _shown(following)))
    return pairs


def _of_list(found: lxml.html.HtmlElement) -> _Pairs:
    pairs: _Pairs = []
    for term in found.iter("dt"):
        value = term.getnext()
        if value is not None and value.tag == "dd" and (label := _label(term)):
            pairs.append((label, _shown(value)))
    return pairs


def _label(cell: lxml.html.HtmlElement) -> str:
    return clean_name(clean_name(_shown(cell)).rstrip(_COLONS))


def _shown(cell: lxml.html.HtmlElement) -> str:
    """Return the text of a cell as a browser shows it."""
    lines = "".join(_parts(cell)).split("\v")
    shown = [_BLANKS.sub(" ", line).strip(" ") for line in lines]
    return "\n".join(line for line in shown if line)


def _parts(cell: lxml.html.HtmlElement) -> Iterator[str]:
    walk = etree.iterwalk(cell, events=("start", "end"))
    for event, element in walk:
        edge = "\v" if element.tag in (*_BLOCKS, "br") else ""
        if event == "start" and element.tag in _UNSEEN:
            walk.skip_subtree()
        elif event == "start":
            yield f"{edge}{element.text or ''}"
        elif element is not cell:
            yield f"{edge}{element.tail or ''}"
