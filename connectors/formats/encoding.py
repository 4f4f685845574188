"""Which of the two encodings of the exchange a text file is in: UTF-8 or GB18030, told by its bytes alone.

UTF-8 is tried first, strictly, on the whole content: a text in GB18030 hardly ever is valid UTF-8, while a text in
UTF-8 is often valid, meaningless GB18030. A declaration inside the file (XML) or a name is not asked.
"""

from __future__ import annotations

import codecs
import contextlib
from typing import Final, Literal

from connectors.formats.rules import UNKNOWN_ENCODING
from connectors.formats.source import Source

Encoding = Literal["utf-8", "utf-8-sig", "gb18030"]

BOM_GB18030: Final = b"\x84\x31\x95\x33"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def told_encoding(source: Source, file: str, *, header_line: bool) -> tuple[Encoding, bool]:
    """Return the encoding of the content, and whether all of it is known to decode strictly.

    When the content is not valid UTF-8, the first line decides, if ``header_line`` says that it is a header and it is
    not all ASCII. Else it is UTF-8 still (with damaged bytes) when the text up to the end of the first offending piece
    holds more characters of valid UTF-8 than errors, and GB18030 when not. ``utf-8-sig`` says that a byte order mark
    stands at the beginning. Raises DeliveryRefused (F04) for UTF-16, UTF-32 and for a header in neither encoding.
    """
    head = source.head(1 << 12)
    if head.startswith(_UTF16) or _looks_like_utf16(head):
        raise UNKNOWN_ENCODING.refusal(file, what="UTF-16/UTF-32(Excel 的“Unicode 文本”)")
    if head.startswith(BOM_GB18030):
        return "gb18030", False
    utf8: Encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if source.is_utf8():
        return utf8, True
    is_utf8 = _header_is_utf8(source, file) if header_line else None
    if is_utf8 is None:
        is_utf8 = _mostly_utf8(source)
    return (utf8 if is_utf8 else "gb18030"), False


def decoded(content: bytes, encoding: Encoding) -> tuple[str, bool]:
    """Return the text, and whether all of it could be decoded: only where not does U+FFFD stand for what was lost."""
    try:
        return content.decode(encoding), True
    except UnicodeDecodeError:
        return content.decode(encoding, "replace"), False


def _looks_like_utf16(head: bytes) -> bool:
    return len(head) >= 8 and (head[1::2].count(0) > len(head) // 4 or head[0::2].count(0) > len(head) // 4)


def _header_is_utf8(source: Source, file: str) -> bool | None:
    header = next((line for line in source.head(1 << 16).splitlines() if line.strip()), b"")
    if header.isascii():
        return None
    if _decodes(header, "utf-8"):
        return True
    if _decodes(header, "gb18030"):
        return False
    raise UNKNOWN_ENCODING.refusal(file, what="表头既不是 UTF-8,也不是 GB18030")


def _mostly_utf8(source: Source) -> bool:
    """Weigh characters of valid UTF-8 against errors, up to the end of the first offending piece."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    beyond_ascii = 0
    piece = b""
    with contextlib.suppress(UnicodeDecodeError):
        for piece in source.pieces():
            beyond_ascii += (len(piece) - len(decoder.decode(piece))) // 2
    text = piece.decode("utf-8", "replace")
    errors = text.count("\ufffd")
    valid = sum(1 for char in text if char > "\x7f") - errors
    return beyond_ascii + valid > errors


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
