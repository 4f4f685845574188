"""What a file is, told by its first bytes; its name and extension are not asked."""

from __future__ import annotations

import codecs
import zipfile
from typing import Final, Literal

from connectors.formats.rules import EMPTY_FILE, UNKNOWN_FORMAT
from connectors.formats.source import Source

Format = Literal["csv", "xlsx", "xml", "html", "json", "jsonl"]

HEAD_BYTES: Final = 1 << 13
_FOREIGN: Final = {
    b"\xd0\xcf\x11\xe0": "旧版 Excel(.xls)或加密的工作簿",
    b"%PDF": "PDF 文档",
    b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包",
    b"\x1f\x8b": "GZIP 压缩包",
    b"PAR1": "Parquet 文件",
    b"{\\rtf": "RTF 文档",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
}
_PAGE_MARKS: Final = (b"<!doctype html", b"<html", b"<head>", b"<head ", b"<body", b"<script")


def told_format(source: Source, file: str) -> Format:
    """Return the format of the content; delimited text when nothing else fits.

    Raises DeliveryRefused: empty or blank (F01), a known foreign format (F03).
    """
    head = source.head(HEAD_BYTES)
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UNKNOWN_FORMAT.refusal(file, what=what)
    if head.startswith(b"PK\x03\x04"):
        return _told_container(source, file)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text and not any(piece.strip() for piece in source.pieces(start=len(head))):
        raise EMPTY_FILE.refusal(file)
    if text.startswith(b"<"):
        if any(mark in text.lower() for mark in _PAGE_MARKS):
            return "html"
        return "xml"
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "jsonl" if _is_one_object_a_line(source) else "json"
    return "csv"


def _told_container(source: Source, file: str) -> Format:
    source.stream.seek(0)
    try:
        with zipfile.ZipFile(source.stream) as container:
            names = container.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise UNKNOWN_FORMAT.refusal(file, what="损坏或被截断的 XLSX/ZIP 文件") from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    what = "二进制工作簿(.xlsb)" if "xl/workbook.bin" in names else "ZIP 压缩包或其他办公文档"
    raise UNKNOWN_FORMAT.refusal(file, what=what)


def _is_one_object_a_line(source: Source) -> bool:
    """Say whether the first two lines that are not blank both open an object."""
    source.stream.seek(0)
    opened = 0
    at_line_start = True
    while part := source.stream.readline(HEAD_BYTES):
        text = part.removeprefix(codecs.BOM_UTF8).strip()
        if at_line_start and text:
            if not text.startswith(b"{"):
                return False
            opened += 1
            if opened == 2:
                return True
        at_line_start = part.endswith(b"\n")
    return False
