"""Names of subjects and numbers of documents: a key for exact comparison, a form for display, and findings.

Keys fold how a thing is written, never what it says: a branch keeps its suffix, a company its legal form.
"""

from __future__ import annotations

import html
import re
import string
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import flat, holds_byte, read_distinct, rewrite_where

_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MARKUP: Final = re.compile(r"<[/!]?[A-Za-z][^<>]*>")
_ZERO_WIDTH_SET: Final = r"\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f"
_CONTROL_SET: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_ZERO_WIDTH: Final = re.compile(f"[{_ZERO_WIDTH_SET}]")
_CONTROL: Final = re.compile(f"[{_CONTROL_SET}]")
_UNSEEN: Final = re.compile(rf"[\s{_ZERO_WIDTH_SET}{_CONTROL_SET}]+")
_SPECIAL: Final = re.compile(
    '[<>＜＞{}\\[\\]\\\\^`~|$#@!?*=+%;:"_｛｝［］＼＾｀～｜＄＃＠！？＊＝＋％；：＂＿\ufffd\ue000-\uf8ff\u2190-\u23ff'
    "\u25a0-\u27bf\U0001f000-\U0001faff]"
)
_IDEOGRAPH: Final = r"[\u3400-\u9fff\U00020000-\U0003ffff]"
_AROUND_CHINESE: Final = re.compile(rf"[(（]([^()（）]*{_IDEOGRAPH}[^()（）]*)[)）]")

_ROUND: Final = str.maketrans(dict.fromkeys("([{（［｛〔【〖﹝﹙", "(") | dict.fromkeys(")]}）］｝〕】〗﹞﹚", ")"))
_MIDDLE_DOTS: Final = str.maketrans(dict.fromkeys("•‧∙⋅・･●", "·"))


def _all_but(kept: str) -> npt.NDArray[np.bool_]:
    """Flag every byte but those of ``kept`` (ASCII) and of U+4000 to U+9FFF, ideographs that no folding changes."""
    odd = np.ones(256, np.bool_)
    odd[[ord(character) for character in kept]] = False
    odd[0x80:0xC0] = False
    odd[0xE4:0xEA] = False
    return odd


_PLAIN: Final = string.digits + string.ascii_letters + "().,-'/"
_ODD_IN_KEY: Final = _all_but(_PLAIN + " ")
_ODD_IN_DISPLAY: Final = _all_but(_PLAIN.replace("(", "").replace(")", ""))


def _plain_brackets(texts: pa.StringArray, pairs: tuple[tuple[str, str], ...]) -> pa.StringArray:
    for opening, closing in pairs:
        texts = pc.replace_substring(pc.replace_substring(texts, opening, "("), closing, ")")
    return texts


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _fold_name(text: str) -> str:
    while True:
        folded = unicodedata.normalize("NFKC", _unescape(text))
        folded = _UNSEEN.sub("", folded.translate(_MIDDLE_DOTS).translate(_ROUND)).upper()
        if folded == text:
            return folded
        text = folded


def name_key(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return keys under which two ways of writing one name are equal.

    NFKC, upper case, HTML entities resolved; blanks, control and zero-width characters dropped; every pair of brackets
    written ``()``, every middle dot ``·``. Nothing that tells two companies apart is dropped. Idempotent.
    """
    names = _plain_brackets(flat(texts), (("（", "）"),))
    plain = pc.ascii_upper(pc.replace_substring(names, " ", ""))
    return rewrite_where(names, holds_byte(names, _ODD_IN_KEY), _fold_name, plain)


def _odd_to_show(names: pa.StringArray) -> npt.NDArray[np.bool_]:
    without_brackets = pc.replace_substring(pc.replace_substring(names, "（", ""), "）", "")
    return holds_byte(without_brackets, _ODD_IN_DISPLAY)


def _show_name(text: str) -> str:
    shown = _CONTROL.sub("", _ZERO_WIDTH.sub("", text)).strip()
    return _AROUND_CHINESE.sub(r"（\1）", shown)


def display_name(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return names as shown: ends trimmed, （） around Chinese, control and zero-width characters gone."""
    names = flat(texts)
    return rewrite_where(names, _odd_to_show(names), _show_name, names)


def _judge_name(text: str) -> tuple[str | None]:
    entities, markup = _ENTITY.search(text), _MARKUP.search(text)
    found = [
        name
        for name, wrong in (
            ("CONTROL", _CONTROL.search(text)),
            ("ZERO_WIDTH", _ZERO_WIDTH.search(text)),
            ("HTML", entities or markup),
            ("SPECIAL", _SPECIAL.search(_MARKUP.sub("", _ENTITY.sub("", text)))),
        )
        if wrong
    ]
    return (";".join(found) or None,)


def name_finding(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge names as received (rule R23).

    Null, or those of ``CONTROL``, ``ZERO_WIDTH``, ``HTML``, ``SPECIAL`` that apply, joined by ``;``.
    """
    names = flat(texts)
    rows = _odd_to_show(names)
    (found,) = read_distinct(pc.if_else(pa.array(rows), names, pa.scalar(None, pa.string())), _judge_name, pa.string())
    return found


def _fold_document(text: str) -> str:
    folded = _UNSEEN.sub("", unicodedata.normalize("NFKC", text).translate(_ROUND))
    return unicodedata.normalize("NFKC", folded)  # a mark may now follow a letter that a blank kept apart


def document_key(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return document numbers (文书号) for comparison: NFKC, blanks dropped, every pair of brackets written 〔〕."""
    numbers = _plain_brackets(flat(texts), (("〔", "〕"), ("（", "）")))
    plain = pc.replace_substring(numbers, " ", "")
    numbers = rewrite_where(numbers, holds_byte(numbers, _ODD_IN_KEY), _fold_document, plain)
    return pc.replace_substring(pc.replace_substring(numbers, "(", "〔"), ")", "〕")


_SCHEME: Final = re.compile(r"^(?:https?:)?//")


def _fold_site(text: str) -> str:
    folded = _SCHEME.sub("", _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).lower())
    return folded.rstrip("/")


def site_key(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return addresses of sites and shops (网址) for comparison: NFKC, lower case, without scheme, blanks, last ``/``.

    No more is folded: ``www.`` and another path can be another site.
    """
    (folded,) = read_distinct(texts, lambda text: (_fold_site(text) or None,), pa.string())
    return folded
