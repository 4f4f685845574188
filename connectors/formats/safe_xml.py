"""Expat as every reader of XML uses it: no document type definition, decoded before it is parsed, piece by piece."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from xml.parsers import expat

from connectors.formats.rules import BROKEN_XML, XML_DTD
from connectors.formats.source import Source


class _DoctypeError(Exception):
    """A document type definition begins."""


def safe_parser() -> expat.XMLParserType:
    """Return a parser that stops at the first character of a document type definition."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16

    def refuse(*_: object) -> None:
        raise _DoctypeError

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


class _Decoder:
    """Decodes piece by piece; ``sound`` until something had to be replaced, for a text may hold U+FFFD by itself."""

    def __init__(self, encoding: str) -> None:
        self.sound = True
        self._decoder_of = codecs.getincrementaldecoder(encoding)
        self._decoder = self._decoder_of("strict")

    def decode(self, piece: bytes, *, final: bool = False) -> str:
        state = self._decoder.getstate()
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self.sound = False
            self._decoder = self._decoder_of("replace")
            self._decoder.setstate(state)
            return self._decoder.decode(piece, final)


def fed(parser: expat.XMLParserType, source: Source, encoding: str, file: str) -> Iterator[bool]:
    """Decode and parse the file piece by piece; blanks before the document are let through.

    Yields after each piece whether everything so far could be decoded; U+FFFD stands where it could not. Raises
    DeliveryRefused: malformed or cut off (F09), a document type definition (F10).
    """
    decoder = _Decoder(encoding)
    lines_above = 0
    begun = False
    try:
        for piece in source.pieces():
            text = decoder.decode(piece)
            if not begun:
                kept = text.lstrip("\ufeff \t\r\n")
                lines_above += text.count("\n", 0, len(text) - len(kept))
                begun, text = bool(kept), kept
            parser.Parse(text, False)
            yield decoder.sound
        parser.Parse(decoder.decode(b"", final=True), True)
        yield decoder.sound
    except _DoctypeError as error:
        raise XML_DTD.refusal(file) from error
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise BROKEN_XML.refusal(file, line=error.lineno + lines_above, what=what) from error
