"""Addresses of sites and shops as people type them, told apart and made comparable (网址, domain 5.1 and 5.3).

One cell may hold several addresses, or none, or something that is no address at all. Each that is found becomes an
``Address``; nothing is guessed: a short link is not followed, a platform's page that names no shop is no shop.

Two addresses are of the same site when their ``key`` is equal: platform and shop number for a shop, the registrable
domain (public suffix list) for a site of its own.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

from transforms.sentinels import PLACEHOLDERS
from transforms.site_platforms import Platform, Platforms, fold, platforms


class AddressKind(StrEnum):
    """What a text in an address column turns out to be."""

    SHOP = "shop"
    SITE = "site"
    FRONT_PAGE = "front_page"
    EMAIL = "email"
    WECHAT = "wechat"
    APP = "app"
    NONE = "none"
    NAME_ONLY = "name_only"
    UNRESOLVED = "unresolved"
    UNPARSEABLE = "unparseable"


class Address(NamedTuple):
    """One address of a cell. ``key`` is null where it cannot be compared; ``text`` is its normalised form."""

    kind: AddressKind
    why: str
    platform: str | None = None
    shop_id: str | None = None
    domain: str | None = None
    text: str | None = None

    @property
    def key(self) -> str | None:
        """What two addresses of one site share."""
        if self.kind is AddressKind.SHOP:
            return f"shop:{self.platform}:{self.shop_id}"
        if self.kind is AddressKind.SITE:
            return f"site:{self.domain}"
        if self.kind in (AddressKind.WECHAT, AddressKind.APP) and self.text:
            return f"{self.kind}:{self.text}"
        return None


_LETTERS: Final = "a-z0-9"
_TAIL: Final = r"(?::(?P<port>\d{1,5}))?(?P<tail>[/?#][^\s,;|<>\"'()\u3000-\u9fff\uff00-\uffef]*)?"
LABELS: Final = rf"(?:[{_LETTERS}](?:[{_LETTERS}_-]*[{_LETTERS}])?\.)+[a-z][{_LETTERS}-]*[{_LETTERS}]"
"""A host in lower case, by its labels."""
_HOST: Final = re.compile(
    rf"(?<![{_LETTERS}_.@-])(?P<host>{LABELS}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})(?![{_LETTERS}_@])\.?{_TAIL}"
)
_IDN_HOST: Final = re.compile(
    rf"(?P<host>(?:[\w-]+\.)+(?:[a-z]{{2,}}|中国|公司|网络|网址|商城|商店|网店|中文网|集团|我爱你|在线)){_TAIL}"
)
_EMAIL: Final = re.compile(rf"[{_LETTERS}._%+-]+@(?P<host>(?:[{_LETTERS}-]+\.)+[a-z]{{2,}})")
_DOTS: Final = re.compile(rf"(?<=[{_LETTERS}])[。．｡](?=[{_LETTERS}])")
TRIVIAL_PATH: Final = re.compile(r"/?(?:(?:index|default|home|main)(?:\.[a-z]{2,5})?)?/?", re.IGNORECASE)
_QR: Final = ("二维码", "扫码", "扫一扫")
_PUNCTUATION: Final = re.compile(r"[\s,;:|/\\。、.()\[\]<>\"'“”‘’【】_-]+")
_IPV4: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
DEFAULT_PORTS: Final = ("80", "443")


def read_cell(cell: str) -> tuple[Address, ...]:
    """Read every address of one cell, in order, each once; never empty.

    Beside an address that can be compared or followed, an e-mail address or a word for nothing says nothing more and
    is left out.
    """
    return read_text(plain_text(cell))


def read_text(plain: str) -> tuple[Address, ...]:
    """Read a cell that ``plain_text`` folded."""
    table = platforms()
    found, rest = _addresses_in(plain, table)
    if not found:
        found, rest = _addresses_in(re.sub(r"\s+", "", plain), table)
    if not found:
        return (_without_host(plain, table),)
    spoken = _account_in(rest, table)
    listed = list(dict.fromkeys([*found, spoken] if spoken else found))
    real = [address for address in listed if address.kind not in (AddressKind.EMAIL, AddressKind.UNPARSEABLE)]
    return tuple(real or listed)


def plain_text(cell: str) -> str:
    """Fold a cell for reading: NFKC, lower case, blanks at the ends and what is not seen dropped."""
    text = unicodedata.normalize("NFKC", cell).replace("\\", "/").lower()
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text)
    return _DOTS.sub(".", text).strip()


def _addresses_in(plain: str, table: Platforms) -> tuple[list[Address], str]:
    """Return the addresses of a text and what stands beside them."""
    found: list[Address] = []
    emails = [_email(match["host"]) for match in _EMAIL.finditer(plain)] if "@" in plain else []
    rest = _EMAIL.sub(" ", plain) if emails else plain
    for pattern in (_HOST, _IDN_HOST):
        for match in pattern.finditer(rest):
            address = _address(match["host"], match["port"], match["tail"] or "", table)
            if address is not None:
                found.append(address)
        if found:
            return [*found, *emails], pattern.sub(" ", rest)
    return emails, rest


def _email(host: str) -> Address:
    return Address(AddressKind.EMAIL, "an e-mail address", domain=registrable(host), text=f"***@{host}")


def _address(host: str, port: str | None, tail: str, table: Platforms) -> Address | None:
    """Tell what a host and what follows it name; null where the host is under no public suffix."""
    host = host if host.isascii() else _punycode(host)
    domain = registrable(host)
    if domain is None:
        return None
    if (bare := host.removeprefix("www.")) == domain or bare.endswith(f".{domain}"):  # www.com is a domain itself
        host = bare
    path, _, query = tail.partition("#")[0].partition("?")
    place = _Place(host, "" if port in DEFAULT_PORTS else port or "", path, _query(query), domain)
    elsewhere = _leads_elsewhere(place, table)
    if elsewhere is not None:
        return elsewhere
    platform = table.by_domain.get(domain)
    if platform is not None:
        return _on_platform(place, platform, table)
    own = place._replace(host=_desktop(host, domain, table), path="" if place.trivial else path)
    return Address(AddressKind.SITE, "a site of its own", domain=domain, text=own.text(table))


class _Place(NamedTuple):
    """An address taken apart: host without www., port that is not the usual one, path, query by lower-case name."""

    host: str
    port: str
    path: str
    query: dict[str, str]
    domain: str

    @property
    def trivial(self) -> bool:
        """Whether the path says no more than the host."""
        return TRIVIAL_PATH.fullmatch(self.path) is not None

    def text(self, table: Platforms) -> str:
        """Put it together again, without what only follows the visitor."""
        kept = "&".join(f"{name}={value}" for name, value in sorted(self.query.items()) if name not in table.tracking)
        port, mark = f":{self.port}" if self.port else "", "?" if kept else ""
        return f"{self.host}{port}{self.path.rstrip('/')}{mark}{kept}"


def _punycode(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _leads_elsewhere(place: _Place, table: Platforms) -> Address | None:
    if place.host in table.short_links:
        return Address(AddressKind.UNRESOLVED, "a short link: what is behind it is not known", text=place.text(table))
    if place.host in table.wechat_hosts:
        return Address(AddressKind.UNRESOLVED, "a WeChat page: it names no account", text=place.text(table))
    if place.host in table.app_hosts:
        return Address(AddressKind.APP, "a page of an app store", text=place.text(table))
    return None


def _on_platform(place: _Place, platform: Platform, table: Platforms) -> Address:
    shop = platform.shop_of(place.host, place.path, place.query)
    if shop is not None:
        why, text = f"a shop of {platform.id}, told by its {shop[1]}", f"{platform.id}:{shop[0]}"
        return Address(AddressKind.SHOP, why, platform.id, shop[0], place.domain, text)
    if place.trivial and not place.query:
        why = f"the front page of {platform.id}"
        return Address(AddressKind.FRONT_PAGE, why, platform.id, None, place.domain, place.host)
    why = f"a page of {platform.id} that names no shop"
    return Address(AddressKind.UNRESOLVED, why, platform.id, None, place.domain, place.text(table))


def _query(text: str) -> dict[str, str]:
    if not text:
        return {}
    pairs = (pair.partition("=") for pair in text.replace(";", "&").split("&") if pair)
    return {name.lower(): unquote(value) if "%" in value else value for name, _, value in pairs}


def _desktop(host: str, domain: str, table: Platforms) -> str:
    label, _, rest = host.partition(".")
    return rest if label in table.mobile_labels and rest.endswith(domain) else host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@lru_cache(maxsize=200_000)
def registrable(host: str) -> str | None:
    """Return the registrable domain of a host (an IPv4 address is its own); null under no public suffix."""
    if _IPV4.fullmatch(host):
        return host if all(int(part) < 256 for part in host.split(".")) else None
    domain: str | None = _suffixes().privatesuffix(host) if host else None
    return domain


def _account_in(rest: str, table: Platforms) -> Address | None:
    """Return the WeChat account or the app that is named beside an address; null where a word alone stands there."""
    folded = fold(rest)
    if not folded:
        return None
    for kind, words in ((AddressKind.WECHAT, table.wechat_words), (AddressKind.APP, table.app_words)):
        if any(word in folded for word in words) and (name := _named(folded, words)):
            return Address(kind, f"names {kind} beside an address", text=name)
    return None


def _named(folded: str, words: tuple[str, ...]) -> str:
    for word in words:
        folded = folded.replace(word, "")
    return _PUNCTUATION.sub("", folded)


def _without_host(plain: str, table: Platforms) -> Address:
    folded = fold(plain)
    bare = _PUNCTUATION.sub("", folded)
    if not bare or folded in table.none_words or bare in table.none_words or plain in PLACEHOLDERS:
        return Address(AddressKind.NONE, "says that there is none")
    if any(word in folded for word in _QR):
        return Address(AddressKind.UNRESOLVED, "a QR code: what is behind it is not known")
    for kind, words in ((AddressKind.WECHAT, table.wechat_words), (AddressKind.APP, table.app_words)):
        if any(word in folded for word in words):
            return Address(kind, f"names {kind} and no address", text=_named(folded, words) or None)
    if bare.isdigit() or len(bare) < 2:
        return Address(AddressKind.UNPARSEABLE, "neither an address nor a name")
    if re.search(r"[\u3400-\u9fff]", bare) is None:
        return Address(AddressKind.UNPARSEABLE, "no address: no known domain stands in it", text=bare)
    platform = table.named_in(folded)
    return Address(
        AddressKind.NAME_ONLY, "a name without an address", platform.id if platform else None, text=_shop_name(folded)
    )


def _shop_name(folded: str) -> str:
    """Return what follows the label of a name (淘宝店: 某某旗舰店), without punctuation."""
    label, mark, name = folded.partition(":")
    return _PUNCTUATION.sub("", name if mark and name else label)
