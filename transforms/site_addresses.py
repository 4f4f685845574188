"""Addresses of sites and shops as people type them, told apart and made comparable (网址, domain 5.1 and 5.3).

One cell may hold several addresses, or none, or something that is no address at all. Each that is found becomes an
``Address``; nothing is guessed: a short link is not followed, a platform's page that names no shop is no shop.

Two addresses are of the same site when their ``key`` is equal: platform and shop number for a shop, the registrable
domain (public suffix list) for a site of its own, the name for a WeChat account or an app.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

from transforms.sentinels import PLACEHOLDERS
from transforms.site_accounts import AccountKind, accounts_in, punctuation_dropped, shows_qr_code
from transforms.site_platforms import TRIVIAL_PATH, Platform, Platforms, fold, platforms


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
_HAN: Final = r"[\u3400-\u9fff]"
_OTHER_LETTER: Final = r"[^\W\u3400-\u9fff]"
LABELS: Final = rf"(?:[{_LETTERS}](?:[{_LETTERS}_-]*[{_LETTERS}])?\.)+[a-z][{_LETTERS}-]*[{_LETTERS}]"
"""A host in lower case, by its labels."""
_RUN: Final = re.compile(r"(?P<scheme>https?:/{0,2}|//)?(?P<run>[\w.-]+)")
"""Letters, dots and dashes that may hold hosts, and the scheme before them."""
_TAIL: Final = re.compile(r"\.?(?::(?P<port>\d{1,5}))?(?P<tail>[/?#][^\s,;|<>\"'()\u3000-\u9fff\uff00-\uffef]*)?")
_HOST: Final = re.compile(
    rf"(?<!{_OTHER_LETTER})(?<![.-])(?:{LABELS}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})"
    rf"(?!{_OTHER_LETTER})(?!\.\w)(?!{_HAN}+\.\w)"
)
"""A host in Latin letters. Han characters may stand beside it as text, never a label of the same host."""
_IDN_HOST: Final = re.compile(
    r"(?:[\w-]+\.)+(?:[a-z]{2,}|中国|公司|网络|网址|商城|商店|网店|中文网|集团|我爱你|在线)"
    rf"(?![{_LETTERS}])(?!\.\w)(?!{_HAN}[\w-]*\.\w)"
)
_ENDED_HOST: Final = re.compile(
    r"(?:[a-z0-9_-]+\.)+(?:com|cn|net|org|gov|edu|cc|tv|info|biz|mobi|me|co|hk|tw|top|vip|shop|xyz|club|ltd|wang)"
    rf"(?={_HAN})(?!{_HAN}+\.\w)"
)
"""A host that ends where Han text begins, though another address follows in it (www.abc.com和def.com)."""
_WWW_WITHIN: Final = re.compile(r"(?<=[^\x00-\x7f])(?=www\.)")
_SCHEME: Final = re.compile(r"https?(?![a-z])[:/]*")
_EMAIL: Final = re.compile(rf"[{_LETTERS}._%+-]+@(?P<host>(?:[{_LETTERS}-]+\.)+[a-z]{{2,}})")
_DOTS: Final = re.compile(rf"(?<=[{_LETTERS}])[。．｡](?=[{_LETTERS}])")
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
        return _without_host(plain, table)
    listed = list(dict.fromkeys([*found, *_accounts_in(rest)]))
    real = [address for address in listed if address.kind not in (AddressKind.EMAIL, AddressKind.UNPARSEABLE)]
    return tuple(real or listed)


def read_accounts(plain: str, kind: AccountKind) -> tuple[Address, ...]:
    """Read a cell that names accounts of one kind, folded by ``plain_text``; empty where it names none.

    What is an address there is read as one; a word that stands for an account without telling which is unresolved.
    """
    table = platforms()
    found, rest = _addresses_in(plain, table)
    real = [address for address in found if address.kind is not AddressKind.EMAIL]
    return tuple(dict.fromkeys([*real, *_accounts_in(rest, kind, beside=bool(real))]))


def plain_text(cell: str) -> str:
    """Fold a cell for reading: NFKC, lower case, blanks at the ends and what is not seen dropped."""
    text = unicodedata.normalize("NFKC", cell).replace("\\", "/").lower()
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text)
    return _DOTS.sub(".", text).strip()


def _addresses_in(plain: str, table: Platforms) -> tuple[list[Address], str]:
    """Return the addresses of a text and what stands beside them."""
    emails = [_email(match["host"]) for match in _EMAIL.finditer(plain)] if "@" in plain else []
    text = _EMAIL.sub(" ", plain) if emails else plain
    found: list[Address] = []
    beside: list[str] = []
    place = 0
    while run := _RUN.search(text, place):
        beside.append(text[place : run.start()])
        place, kept = run.end(), run.start()
        for host in _hosts_in(run["run"], led=run["scheme"] is not None):
            begins, ends = run.start("run") + host.begins, run.start("run") + host.ends
            tail = _TAIL.match(text, ends) if host.text and ends + (text[ends : ends + 1] == ".") >= run.end() else None
            read = _read_host(host, tail, table)
            if read is not None:
                found += _with_label(read, host, table)
                beside.append(text[kept:begins])
                kept = tail.end() if tail else ends
        place = max(place, kept)
        beside.append(text[kept:place])
    return [*found, *emails], _SCHEME.sub(" ", " ".join(beside)).strip()


def _read_host(host: _Host, tail: re.Match[str] | None, table: Platforms) -> Address | None:
    if not host.text:
        return Address(AddressKind.UNRESOLVED, "a host that cannot be read")
    return _address(host.text, tail["port"] if tail else None, (tail["tail"] or "") if tail else "", table)


class _Host(NamedTuple):
    """A host within a run of letters: its place, its text, and the Han text that stands before it without a blank.

    ``text`` is empty where a host has to stand and none can be read.
    """

    begins: int
    ends: int
    text: str
    label: str = ""


def _hosts_in(run: str, *, led: bool) -> Iterator[_Host]:
    """Yield the hosts of a run. After a scheme or www. Han letters belong to the host; before one they may be text."""
    if "." not in run:
        return
    if run.isascii():
        match = _HOST.search(run) or _IDN_HOST.search(run)
        if match:
            yield _Host(match.start(), match.end(), match[0])
        return
    begins = 0
    for part in _WWW_WITHIN.split(run):
        rest = 0
        if led or part.startswith("www."):
            match = _led_host(part)
            rest = match.end() if match else len(part)
            if match or "." in part.removeprefix("www."):
                yield _Host(begins, begins + rest, match[0] if match else "")
        for host in _hosts_beside_text(part[rest:]):
            yield host._replace(begins=begins + rest + host.begins, ends=begins + rest + host.ends)
        begins, led = begins + len(part), False


def _led_host(part: str) -> re.Match[str] | None:
    ended = _ENDED_HOST.match(part)
    if ended and registrable(ended[0].removeprefix("www.")):
        return ended
    return _IDN_HOST.match(part)


def _hosts_beside_text(part: str) -> Iterator[_Host]:
    before = 0
    for match in _HOST.finditer(part):
        yield _Host(match.start(), match.end(), match[0], part[before : match.start()])
        before = match.end()
    if not before and (spelt := _IDN_HOST.search(part)):
        yield _Host(spelt.start(), spelt.end(), spelt[0])


def _with_label(read: Address, host: _Host, table: Platforms) -> list[Address]:
    """Say so where the Han text before a site of its own may be part of its name (小米mi.com).

    Then only the domain is comparable, never the page, and it is unresolved beside.
    """
    sure = not host.label or host.label.endswith(table.label_words) or host.text.startswith("www.")
    if sure or read.kind is not AddressKind.SITE or _IPV4.fullmatch(host.text):
        return [read]
    whole = host.label + host.text
    read = read._replace(text=f"{host.label}{read.text}")
    if read.domain != host.text:
        return [read]
    return [read, Address(AddressKind.UNRESOLVED, "a domain, or a word and a domain: not known", text=whole)]


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
    page, _, fragment = tail.partition("#")
    path, _, query = page.partition("?")
    place = _Place(
        host, "" if port in DEFAULT_PORTS else port or "", path, _query(query), domain, _route(fragment, table)
    )  # fmt: skip
    elsewhere = _leads_elsewhere(place, table)
    if elsewhere is not None:
        return elsewhere
    platform = table.by_domain.get(domain)
    if platform is not None:
        return _on_platform(place, platform, table)
    own = place._replace(host=_desktop(host, domain, table), path="" if place.trivial else path)
    return Address(AddressKind.SITE, "a site of its own", domain=domain, text=own.text(table))


class _Place(NamedTuple):
    """An address taken apart: host without www., port that is not the usual one, path, query by lower-case name.

    ``route`` is a fragment that names a page of the site (``#/shop/123``), without the mark.
    """

    host: str
    port: str
    path: str
    query: dict[str, str]
    domain: str
    route: str

    @property
    def trivial(self) -> bool:
        """Whether the path before a route says no more than the host."""
        return TRIVIAL_PATH.fullmatch(self.path) is not None

    def text(self, table: Platforms) -> str:
        """Put it together again, without what only follows the visitor."""
        dropped = (table.tracking, table.tracking_on_platforms if self.domain in table.by_domain else frozenset())
        port, route = f":{self.port}" if self.port else "", f"#{self.route}" if self.route else ""
        return f"{self.host}{port}{self.path.rstrip('/')}{_kept(self.query, *dropped)}{route}"


def _kept(query: Mapping[str, str], *dropped: frozenset[str]) -> str:
    if not query:
        return ""
    kept = "&".join(
        f"{name}={value}" for name, value in sorted(query.items()) if not any(name in names for names in dropped)
    )
    return f"?{kept}" if kept else ""


def _route(fragment: str, table: Platforms) -> str:
    """Return the page that a fragment names within a site, without what follows the visitor; empty for an anchor."""
    if not fragment.startswith(("/", "!/")):
        return ""
    path, _, query = fragment.partition("?")
    kept = _kept(_query(query), table.tracking)
    if not kept and TRIVIAL_PATH.fullmatch(path.removeprefix("!")):
        return ""
    return path.rstrip("/") + kept


def _punycode(host: str) -> str:
    """Write a host in ASCII letter by letter (IDNA 2008): ß stays a letter of its own and is not ss."""
    labels = (label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in host.split("."))
    spelt = ".".join(labels)
    return spelt if all(len(label) < 64 for label in spelt.split(".")) else ""


def _leads_elsewhere(place: _Place, table: Platforms) -> Address | None:
    if place.host in table.short_links:
        return Address(AddressKind.UNRESOLVED, "a short link: what is behind it is not known", text=place.text(table))
    if place.host in table.wechat_hosts:
        return Address(AddressKind.UNRESOLVED, "a WeChat page: it names no account", text=place.text(table))
    if place.host in table.app_hosts:
        return Address(AddressKind.APP, "a page of an app store", text=place.text(table))
    return None


def _on_platform(place: _Place, platform: Platform, table: Platforms) -> Address:
    shop = platform.shop_of(place.host, place.path, place.query, place.route)
    if shop is not None:
        why, text = f"a shop of {platform.id}, told by its {shop[1]}", f"{platform.id}:{shop[0]}"
        return Address(AddressKind.SHOP, why, platform.id, shop[0], place.domain, text)
    if place.trivial and not place.query and not place.route:
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


def _accounts_in(rest: str, kind: AccountKind | None = None, *, beside: bool = True) -> Iterator[Address]:
    """Yield the accounts that a text names; one that is not told is unresolved where no address stands ``beside``."""
    if not rest:
        return
    read = accounts_in(rest, kind)
    for of, name in read.named:
        yield Address(AddressKind(of), f"names {of}", text=name)
    if read.blind and not beside:
        yield Address(AddressKind.UNRESOLVED, "an account: which one is not told")


def _without_host(plain: str, table: Platforms) -> tuple[Address, ...]:
    folded = fold(plain)
    if folded in table.none_words or not punctuation_dropped(folded):
        return (_named_only(plain, table),)
    accounts = () if shows_qr_code(folded) else tuple(_accounts_in(plain, beside=False))
    return accounts or (_named_only(plain, table),)


def _named_only(plain: str, table: Platforms) -> Address:
    folded = fold(plain)
    bare = punctuation_dropped(folded)
    if not bare or folded in table.none_words or bare in table.none_words or plain in PLACEHOLDERS:
        return Address(AddressKind.NONE, "says that there is none")
    if shows_qr_code(folded):
        return Address(AddressKind.UNRESOLVED, "a QR code: what is behind it is not known")
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
    return punctuation_dropped(name if mark and name else label)
