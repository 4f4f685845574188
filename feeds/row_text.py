"""One row as one piece of text: the SQL expressions that write it, and the Python twins a client reads it with.

Canonical CSV
    UTF-8; comma; LF; the header line, then one record per key in byte order of the key. Every value stands in double
    quotes, a quote inside is doubled, a missing value is nothing between two commas. A text that begins with one of
    ``GUARDED`` gets one apostrophe in front, so that no spreadsheet takes it for a formula; who reads the file takes
    one leading apostrophe off. The apostrophe itself is guarded too, hence every text comes back exactly.
JSON Lines
    One object per line with every column; text, dates and amounts are strings (an amount never becomes a float),
    missing is ``null``.
XML
    One row element per line without the missing columns; line breaks and tabs inside a text are character references.

Characters that XML 1.0 cannot carry are left out of all three, so that the three say the same.

Nearly every row is plain: no text of it holds a character that any format writes in another way. Whether one is, is
told once (``is_plain``); a line of a plain row is its texts and the markup between them, a third of the work.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from feeds.sites import Column, Site

GUARDED: Final = "=+-@'\t\r\n＝＋－＠"
"""First characters that a spreadsheet may take for a formula (OWASP, CSV injection), and the guard itself."""

ILLEGAL_IN_XML: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
"""Characters outside XML 1.0 (section 2.2), as an RE2 class."""

_OPEN: Final = "chr(1)"  # stand-ins for markup while a row is put together: no text can hold them
_CLOSE: Final = "chr(2)"
_XML_SPACE: Final = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_ESCAPED: Final = ('"', "\\", "&", "<", ">", *_XML_SPACE)
"""What at least one format writes in another way, wherever it stands."""

PLAIN: Final = "row is plain"
"""The column beside the published values that says whether a row is plain; no site can have one of this name."""


def literal(text: str) -> str:
    """Write ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def published_value(column: Column, site: Site, *, drop_illegal: bool = True) -> str:
    """Return the SQL expression of what ``column`` publishes: VARCHAR, NULL where missing, never empty.

    ``drop_illegal`` may be false where it is known that no text holds a character of ``ILLEGAL_IN_XML``: looking for
    them a second time costs a tenth of a release.
    """
    if not column.source:
        return "NULL::VARCHAR"
    sources = [identifier(name) for name in column.source]
    if column.type == "date":
        return date_text(f"coalesce({', '.join(sources)})", site)
    if column.type == "amount":
        return f"coalesce({', '.join(sources)})::DECIMAL(18, 6)::VARCHAR"
    texts = [clean_text(source, drop_illegal=drop_illegal) for source in sources]
    text = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    return text if column.values is None else _translated(text, column)


def clean_text(expression: str, *, drop_illegal: bool = True) -> str:
    """Return the SQL expression of a text without characters that XML cannot carry; NULL where nothing is left."""
    if drop_illegal:
        expression = f"regexp_replace({expression}, {literal(ILLEGAL_IN_XML)}, '', 'g')"
    return f"nullif({expression}, '')"


def date_text(expression: str, site: Site) -> str:
    """Return the SQL expression that writes a DATE as ``site`` wants it; any later day is its permanent date."""
    last = f"DATE '{site.permanent_date}'"
    return f"strftime(CASE WHEN {expression} > {last} THEN {last} ELSE {expression} END, {literal(site.strftime)})"


def _translated(text: str, column: Column) -> str:
    pairs = sorted((column.values or {}).items())
    table = "MAP {" + ", ".join(f"{literal(key)}: {literal(value)}" for key, value in pairs) + "}"
    part = f"coalesce({table}[trim(part)], {table}[split_part(trim(part), '-', 1)])"  # 其他-<text> is 其他
    codes = f"list_transform(string_split({text}, ';'), lambda part: {part})"
    return f"CASE WHEN list_count({codes}) = len({codes}) THEN array_to_string({codes}, ';') END"


def _replaced(expression: str, replacements: Iterable[tuple[str, str]]) -> str:
    for old, new in replacements:
        expression = f"replace({expression}, {old}, {new})"
    return expression


def _is_text(column: Column) -> bool:
    return column.type in {"key", "text", "code"}


@dataclass(frozen=True, slots=True)
class Line:
    """SQL expressions of a line over the published values, LF included: of a plain row, and of any row."""

    plain: str
    escaped: str


def is_plain(columns: Sequence[Column]) -> str:
    """Return the SQL expression over the published values that tells whether a row can be written as it stands."""
    texts = ", ".join(f"{_OPEN}, {identifier(column.code)}" for column in columns if _is_text(column))
    joined = f"concat({texts})"
    escaped = " OR ".join(f"contains({joined}, chr({ord(character)}))" for character in _ESCAPED)
    guards = "".join(rf"\x{{{ord(character):x}}}" for character in GUARDED)
    guarded = rf"\x01[{guards}]"
    return f"NOT ({escaped} OR regexp_matches({joined}, {literal(guarded)}))"


def csv_line(columns: Sequence[Column]) -> Line:
    """Return the SQL expressions of one canonical CSV line over the published values, LF included."""
    guarded = ", ".join(literal(character) for character in GUARDED)

    def cell(column: Column) -> str:
        name = identifier(column.code)
        if _is_text(column):
            return f"{_OPEN} || CASE WHEN left({name}, 1) IN ({guarded}) THEN '''' ELSE '' END || {name} || {_OPEN}"
        return f"{_OPEN} || {name} || {_OPEN}"

    line = "concat(" + ", ',', ".join(cell(column) for column in columns) + ", chr(10))"
    quoted = ", ',', ".join(f"'\"' || {identifier(column.code)} || '\"'" for column in columns)
    return Line(f"concat({quoted}, chr(10))", _replaced(line, [("'\"'", "'\"\"'"), (_OPEN, "'\"'")]))


def json_line(columns: Sequence[Column]) -> Line:
    """Return the SQL expressions of one JSON object over the published values, LF included."""
    cells = [
        f"{_OPEN} || {literal(column.code)} || {_OPEN} || ':' || "
        f"coalesce({_OPEN} || {identifier(column.code)} || {_OPEN}, 'null')"
        for column in columns
    ]
    escapes = [("'\\'", "'\\\\'"), ("'\"'", "'\\\"'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'"), ("chr(9)", "'\\t'")]
    body = _replaced("concat('{', " + ", ',', ".join(cells) + ", '}')", [*escapes, (_OPEN, "'\"'")])
    named = [
        f"{literal(json.dumps(column.code, ensure_ascii=False) + ':')} || "
        f"coalesce('\"' || {identifier(column.code)} || '\"', 'null')"
        for column in columns
    ]
    return Line("concat('{', " + ", ',', ".join(named) + ", '}', chr(10))", f"{body} || chr(10)")


def xml_line(columns: Sequence[Column], site: Site) -> Line:
    """Return the SQL expressions of one XML row element over the published values, LF included."""

    def tag(name: str) -> str:
        return f"{_OPEN} || {literal(name)} || {_CLOSE}"

    cells = [
        f"coalesce({tag(column.code)} || {identifier(column.code)} || {tag('/' + column.code)}, '')"
        for column in columns
    ]
    body = f"concat({tag(site.xml.row)}, {', '.join(cells)}, {tag('/' + site.xml.row)})"
    escapes = [("'&'", "'&amp;'"), ("'<'", "'&lt;'"), ("'>'", "'&gt;'")]
    spaces = [(f"chr({ord(character)})", literal(reference)) for character, reference in _XML_SPACE.items()]
    elements = ", ".join(
        f"{literal(f'<{column.code}>')} || {identifier(column.code)} || {literal(f'</{column.code}>')}"
        for column in columns
    )
    return Line(
        f"concat({literal(f'<{site.xml.row}>')}, {elements}, {literal(f'</{site.xml.row}>')}, chr(10))",
        f"{_replaced(body, [*escapes, *spaces, (_OPEN, literal('<')), (_CLOSE, literal('>'))])} || chr(10)",
    )


def csv_text(values: Iterable[str | None]) -> str:
    """Write one canonical CSV line, the twin of ``csv_line``; columns of dates and amounts never need the guard."""
    cells = ("" if value is None else f'"{_guarded(value)}"' for value in values)
    return ",".join(cells) + "\n"


def _guarded(value: str) -> str:
    guard = "'" if value[:1] in GUARDED and value else ""
    return guard + value.replace('"', '""')


def csv_header(codes: Sequence[str], *, bom: bool) -> bytes:
    """Return the bytes before the first row of a CSV file."""
    return (b"\xef\xbb\xbf" if bom else b"") + csv_text(codes).encode()


def xml_head(root: str) -> bytes:
    """Return the bytes before the first row of an XML file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n'.encode()


def xml_tail(root: str) -> bytes:
    """Return the bytes after the last row of an XML file."""
    return f"</{root}>\n".encode()


def json_text(codes: Sequence[str], values: Sequence[str | None]) -> str:
    """Write one JSON Lines row, the twin of ``json_line``."""
    return json.dumps(dict(zip(codes, values, strict=True)), ensure_ascii=False, separators=(",", ":")) + "\n"


def xml_text(row: str, codes: Sequence[str], values: Sequence[str | None]) -> str:
    """Write one XML row element, the twin of ``xml_line``."""
    cells = (
        f"<{code}>{escape(value, _XML_SPACE)}</{code}>"
        for code, value in zip(codes, values, strict=True)
        if value is not None
    )
    return f"<{row}>{''.join(cells)}</{row}>\n"


def day_text(day: dt.date, site: Site) -> str:
    """Write one day as ``site`` wants it, the twin of ``date_text``."""
    return min(day, site.permanent_date).strftime(site.strftime)
