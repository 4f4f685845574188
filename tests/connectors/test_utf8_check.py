"""Bytes that come in pieces are valid UTF-8 exactly when Python decodes them as a whole."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.limits import Limits
from connectors.formats.source import PIECE_BYTES, Source
from connectors.formats.utf8 import Utf8Check

WRITTEN = st.one_of(
    st.text(max_size=8).map(str.encode),
    st.binary(max_size=4),
    st.sampled_from([b"\xe4", b"\xe4\xba", "京".encode(), "京".encode("gb18030"), b"\x80\x80\x80\x80", "𠮷".encode()]),
)


def decodes(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.lists(WRITTEN, max_size=8))
def test_pieces_are_judged_as_the_whole_that_they_make(pieces: list[bytes]) -> None:
    check = Utf8Check()
    for piece in pieces:
        check.update(piece)
    assert check.valid() == decodes(b"".join(pieces))


@given(st.lists(WRITTEN, max_size=8))
def test_nothing_is_given_up_that_what_follows_could_complete(pieces: list[bytes]) -> None:
    check = Utf8Check()
    seen = b""
    for piece in pieces:
        check.update(piece)
        seen += piece
        if check.failed:
            with pytest.raises(UnicodeDecodeError):
                codecs.getincrementaldecoder("utf-8")().decode(seen)


class Unseekable(io.RawIOBase):
    """A stream that can be read once, as a decompressed object of the archive."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)


def test_a_character_across_two_pieces_is_one_whether_the_stream_is_spooled_or_a_file_is_read(tmp_path: Path) -> None:
    text = b"x" * (PIECE_BYTES - 1) + "京".encode() + b"y" * PIECE_BYTES
    for content, is_utf8 in ((text, True), (text[:-1] + b"\xe4", False), (text[1:], True), (text + b"\xff", False)):
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        for origin in (path, Unseekable(content)):
            source = Source(origin, "a.csv", Limits())  # type: ignore[arg-type]
            assert source.is_utf8() is is_utf8
            assert b"".join(source.pieces()) == content
            source.close()
