"""Telling a web page from data, and a login page from a page with content, by what is in it."""

from __future__ import annotations

import codecs
import re
from typing import Final

_HEAD_BYTES: Final = 1 << 13
_MARKS: Final = (b"<!doctype html", b"<html", b"<head>", b"<head ", b"<body", b"<script")
_KINDS: Final = ("text/html", "application/xhtml+xml")
_PASSWORD_FIELD: Final = re.compile(rb"""<input\b[^>]*\btype\s*=\s*["']?password\b""", re.IGNORECASE)


def is_web_page(content: bytes, kind: str = "") -> bool:
    """Say whether an answer is a web page: by its content type, or by its first bytes whatever the type says."""
    head = content[:_HEAD_BYTES].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    declared = kind.partition(";")[0].strip().lower() in _KINDS
    return declared or (head.startswith(b"<") and any(mark in head for mark in _MARKS))


def is_login_page(content: bytes) -> bool:
    """Say whether a web page asks for a password."""
    return bool(_PASSWORD_FIELD.search(content))
