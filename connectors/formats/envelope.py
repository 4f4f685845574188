"""SOAP envelopes: the rows may stand in one as XML written as text, as the upload service of 2018 hands them on.

An envelope is told by its root and namespace. When exactly one element of it holds text that is itself an XML
document, that document is read in its place; the bytes that are kept stay those of the envelope. An envelope whose rows
stand in it as elements is read like any XML. Row numbers count the records of the inner document.
"""

from __future__ import annotations

import re
import tempfile
from typing import BinaryIO, Final

from connectors.formats.encoding import Encoding
from connectors.formats.limits import Limits
from connectors.formats.rules import NO_TABLE, TOO_LARGE
from connectors.formats.safe_xml import fed, safe_parser
from connectors.formats.source import Source
from connectors.formats.xml_rows import CONTAINERS

_ENVELOPE: Final = re.compile(
    rb"^(?:<\?xml[^>]*\?>|<!--.*?-->|\s)*<(?:[\w.-]+:)?Envelope\b[^>]*"
    rb"(?:schemas\.xmlsoap\.org/soap/envelope/|www\.w3\.org/2003/05/soap-envelope)",
    re.DOTALL,
)
_HEAD_BYTES: Final = 1 << 12


def unwrapped(source: Source, encoding: Encoding, file: str, limits: Limits) -> Source | None:
    """Return the document that an envelope holds as text, in UTF-8; null for what is no envelope or holds none.

    Raises DeliveryRefused: broken (F09), a document type definition (F10), too large (F08), several documents or no
    rows at all (F05).
    """
    if not _ENVELOPE.match(source.head(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")):
        return None
    spool = tempfile.TemporaryFile()  # noqa: SIM115 closed by the Source around it, or below
    try:
        texts = _Texts(spool, file, limits)
        parser = safe_parser()
        parser.StartElementHandler = texts.start
        parser.EndElementHandler = texts.end
        parser.CharacterDataHandler = texts.data
        for _ in fed(parser, source, "gb18030" if encoding == "gb18030" else "utf-8", file):
            pass
        if texts.documents:
            return Source(spool, file, limits, owned=True)
        if not texts.containers:
            raise NO_TABLE.refusal(file, what="SOAP 信封中没有数据, 只有应答或报错")
    except BaseException:
        spool.close()
        raise
    spool.close()
    return None


class _Texts:
    """Puts the text of an element that begins with ``<`` aside."""

    def __init__(self, spool: BinaryIO, file: str, limits: Limits) -> None:
        self.documents = 0
        self.containers = 0
        self._spool = spool
        self._file = file
        self._most = limits.file_bytes
        self._blank = True
        self._inside = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self.containers += name.rpartition(":")[2] in CONTAINERS
        self._blank, self._inside = True, False

    def end(self, _name: str) -> None:
        self._blank, self._inside = False, False

    def data(self, text: str) -> None:
        if self._blank and text.strip():
            self._blank, self._inside = False, text.lstrip().startswith("<")
            self.documents += self._inside
            if self.documents > 1:
                raise NO_TABLE.refusal(self._file, what="SOAP 信封中不止一份 XML 文档")
        if self._inside:
            self._spool.write(text.encode("utf-8", "surrogatepass"))
            if self._spool.tell() > self._most:
                raise TOO_LARGE.refusal(self._file, what=f"文件超过 {self._most >> 20} MB")
