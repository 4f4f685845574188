"""WeChat accounts and apps as people name them, beside an address or in a column of their own (公众号, 小程序, APP).

A name follows its label (微信公众号: 甲乙) or, where nothing follows, stands before it (甲乙APP); one text may hold
several.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal, NamedTuple

from transforms.sentinels import PLACEHOLDERS
from transforms.site_platforms import fold, platforms

AccountKind = Literal["wechat", "app"]

_APART: Final = re.compile(r"[,;、|/。\n\r\t]+|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
"""What stands between two names. A blank between Latin letters belongs to one name."""
_PUNCTUATION: Final = re.compile(r"[\s,;:|/\\。、.()\[\]<>\"'“”‘’【】_-]+")
_QR: Final = ("二维码", "扫码", "扫一扫")
_DIGITS: Final = re.compile(r"\d{7}")


class Accounts(NamedTuple):
    """The accounts that a text names, in order; ``blind`` where it speaks of one without telling which."""

    named: list[tuple[AccountKind, str]]
    blind: bool


def punctuation_dropped(folded: str) -> str:
    """Leave out what stands between the letters of a name."""
    return _PUNCTUATION.sub("", folded)


def shows_qr_code(folded: str) -> bool:
    """Tell whether a text only says that there is a code to scan."""
    return any(word in folded for word in _QR)


def accounts_in(plain: str, kind: AccountKind | None = None) -> Accounts:
    """Read the accounts of a lower-case text. ``kind`` is that of a name without a label; null: such text is none."""
    named: list[tuple[AccountKind, str]] = []
    blind = labelled = False
    for part in _APART.split(plain):
        pieces = _pieces(part, kind)
        labelled = labelled or bool(pieces.labels)
        kind = pieces.kind
        for of, piece in pieces.names:
            folded = fold(piece)
            name = punctuation_dropped(folded)
            if not name or name in platforms().label_words or _says_nothing(folded) or _says_nothing(name):
                continue
            if shows_qr_code(name) or name.isdigit():
                blind = True  # a number is a telephone's or somebody's own: which account it is, is not known
            elif not _DIGITS.search(name):
                named.append((of, name))
    return Accounts(list(dict.fromkeys(named)), blind or (labelled and not named))


def _says_nothing(folded: str) -> bool:
    return folded in platforms().none_words or folded in PLACEHOLDERS


class _Pieces(NamedTuple):
    """Names of one part with their kinds, how many labels it has, and the kind that the next part goes on with."""

    names: list[tuple[AccountKind, str]]
    labels: int
    kind: AccountKind | None


def _pieces(part: str, kind: AccountKind | None) -> _Pieces:
    labels = [(_kind(found), found.start(), found.end()) for found in _labels().finditer(part)]
    if not labels:
        return _Pieces([(kind, part)] if kind else [], 0, kind)
    starts, ends = [start for _, start, _ in labels], [end for _, _, end in labels]
    between = [part[end:start] for end, start in zip([0, *ends], [*starts, len(part)], strict=True)]
    if not _PUNCTUATION.sub("", between[-1]) and part[ends[-1] - 1] not in ":=":
        names = [(of, piece) for (of, _, _), piece in zip(labels, between[:-1], strict=True)]
        return _Pieces(names, len(labels), kind)
    names = [(of, piece) for (of, _, _), piece in zip(labels, between[1:], strict=True)]
    before: list[tuple[AccountKind, str]] = [(kind, between[0])] if kind else []
    return _Pieces([*before, *names], len(labels), labels[-1][0])


def _kind(label: re.Match[str]) -> AccountKind:
    return "wechat" if label["wechat"] else "app"


@cache
def _labels() -> re.Pattern[str]:
    """Words of the table, several in a row as one, with the mark after them. In a longer Latin word there is no APP."""
    table = platforms()
    wechat, app = (
        "|".join(re.escape(word.lower()) + ("(?![a-z])" if word.isascii() else "") for word in words)
        for words in (table.wechat_words, table.app_words)
    )
    return re.compile(
        rf"(?:(?P<wechat>(?:{wechat})(?:\s*(?:{wechat}))*)|(?P<app>(?:{app})(?:\s*(?:{app}))*))"
        r"(?:\s*(?:名称|名字|名|账号|帐号|id)?\s*[:=])?"
    )
