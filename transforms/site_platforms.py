"""The reviewed table of trading platforms: whose address is it, and which shop does it name (domain 5.3).

The table is data (``policy/platforms.yaml``): which forms an address may take changes with the platforms, and a form
that nobody has reviewed is never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).parent / "policy" / "platforms.yaml"
TRIVIAL_PATH: Final = re.compile(r"/?(?:(?:index|default|home|main)(?:\.[a-z]{2,5})?)?/?")
"""A lower-case path that says no more than the host."""


@dataclass(frozen=True, slots=True)
class ShopForm:
    """One form of a shop's address; null parts ask for nothing. ``kind`` is what the id is: shop_id, subdomain, ...

    A first label of the host is a shop's name on its front page alone, where no other path is reviewed: the services of
    a platform stand under such labels too, with a page for each of their customers.
    """

    kind: str
    host: re.Pattern[str] | None
    path: re.Pattern[str] | None
    query: str | None
    tag: str


@dataclass(frozen=True, slots=True)
class Platform:
    """A trading platform: the names people write, its registrable domains, the forms of its shops."""

    id: str
    names: tuple[str, ...]
    domains: tuple[str, ...]
    shops: tuple[ShopForm, ...]
    reserved: frozenset[str]

    def shop_of(self, host: str, path: str, query: Mapping[str, str], fragment: str = "") -> tuple[str, str] | None:
        """Return (id, kind of id) of the shop that an address in lower case names, or null."""
        for form in self.shops:
            if fragment and form.kind == "subdomain":
                continue
            matches = [
                pattern.fullmatch(text)
                for pattern, text in ((form.host, host), (form.path, path))
                if pattern is not None
            ]
            if any(found is None for found in matches):
                continue
            named = {name: text for found in matches if found for name, text in found.groupdict().items()}
            shop = query.get(form.query.lower(), "").strip() if form.query else named.get("id")
            if not shop or (form.kind == "subdomain" and shop in self.reserved):
                continue
            return shop, form.kind
        return None


@dataclass(frozen=True, slots=True)
class Platforms:
    """The whole table, ready for look-ups."""

    by_id: dict[str, Platform]
    by_domain: dict[str, Platform]
    by_name: dict[str, Platform]
    short_links: frozenset[str]
    wechat_hosts: frozenset[str]
    app_hosts: frozenset[str]
    wechat_words: tuple[str, ...]
    app_words: tuple[str, ...]
    none_words: frozenset[str]
    mobile_labels: frozenset[str]
    tracking: frozenset[str]
    tracking_on_platforms: frozenset[str]
    label_words: tuple[str, ...]

    def named_in(self, folded: str) -> Platform | None:
        """Return the platform whose name stands in a folded text, the longest name first; null where none does."""
        return next((platform for name, platform in self.by_name.items() if name in folded), None)


def fold(text: str) -> str:
    """Fold a text for comparison with the words of the table: NFKC, upper case, blanks dropped."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()


@cache
def platforms() -> Platforms:
    """Read the table once. Raises ``ValueError`` where two platforms claim one domain or name."""
    content = read_yaml(_TABLE.read_text(encoding="utf-8"))
    by_id = {name: _platform(name, entry) for name, entry in content["platforms"].items()}
    names = _claimed(
        {fold(name): p for p in by_id.values() for name in p.names}, sum(len(p.names) for p in by_id.values())
    )
    return Platforms(
        by_id=by_id,
        by_domain=_claimed(
            {domain: p for p in by_id.values() for domain in p.domains}, sum(len(p.domains) for p in by_id.values())
        ),
        by_name=dict(sorted(names.items(), key=lambda item: (-len(item[0]), item[0]))),
        short_links=frozenset(content["short_links"]),
        wechat_hosts=frozenset(content["wechat_hosts"]),
        app_hosts=frozenset(content["app_hosts"]),
        wechat_words=tuple(sorted(map(fold, content["wechat_words"]), key=len, reverse=True)),
        app_words=tuple(sorted(map(fold, content["app_words"]), key=len, reverse=True)),
        none_words=frozenset(map(fold, content["none_words"])),
        mobile_labels=frozenset(content["mobile_labels"]),
        tracking=frozenset(content["tracking"]),
        tracking_on_platforms=frozenset(content["tracking_on_platforms"]),
        label_words=tuple(content["label_words"]),
    )


def _claimed(claims: dict[str, Platform], count: int) -> dict[str, Platform]:
    if len(claims) != count:
        raise ValueError(f"{_TABLE.name}: a domain or a name is claimed twice")
    return claims


def _platform(name: str, entry: dict[str, Any]) -> Platform:
    return Platform(
        id=name,
        names=tuple(entry["names"]),
        domains=tuple(entry["domains"]),
        shops=tuple(map(_form, entry["shops"])),
        reserved=frozenset(map(str, entry.get("reserved", ()))),
    )


def _form(entry: dict[str, str]) -> ShopForm:
    parts = {name: re.compile(entry[name]) if name in entry else None for name in ("host", "path")}
    if entry["kind"] == "subdomain" and parts["path"] is None:
        parts["path"] = TRIVIAL_PATH
    return ShopForm(entry["kind"], parts["host"], parts["path"], entry.get("query"), entry["tag"])
