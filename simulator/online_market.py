"""Annual reports and online subjects of made-up enterprises, with the truth about every finding they should lead to.

Each enterprise plays one part (``PARTS``): most are clean, the others hide, forget or misstate something. Addresses are
written as people write them. The same seed gives the same rows, and every code, name and address stands for nobody.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.codes import credit_code, organisation_code, registration_number

Row = dict[str, str]

PARTS: Final = {
    "clean_silent": 0.40, "clean_site": 0.22, "clean_shops": 0.18, "clean_bare": 0.05, "concealed": 0.03,
    "omitted": 0.03, "differs": 0.02, "other_operator": 0.01, "base_gap": 0.02, "stale": 0.01, "contradiction": 0.01,
    "unreadable": 0.01, "not_reported": 0.005, "name_only": 0.005,
}  # fmt: skip
"""Share of enterprises by the part they play; clean_bare has sites that were only seen in another year."""

CASES: Final = {
    "concealed": ("concealed", 2), "omitted": ("omitted", 3), "differs": ("misreported", 4),
    "other_operator": ("misreported", 5), "base_gap": ("base_gap", 6), "stale": ("misreported", 7),
    "contradiction": ("misreported", 8), "unreadable": ("misreported", 9), "not_reported": ("not_reported", 1),
    "name_only": ("lead", 10),
}  # fmt: skip
"""Kind and case of the finding that each part leads to."""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """What one enterprise brings: its row of the register, its report, its sites in the base, and the truth."""

    uscc: str
    part: str
    registered: Row
    report: tuple[Row, ...]
    subjects: tuple[Row, ...]

    @property
    def truth(self) -> tuple[str, int] | None:
        """Kind and case of its finding; null for a clean one."""
        return CASES.get(self.part)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an enterprise is in the register."""

    uscc: str
    regno: str
    name: str


def played_by(companies: Sequence[Identity], *, year: int, seed: int) -> Iterator[Enterprise]:
    """Let companies of a register play all parts in turn, each as often as the others."""
    chance = random.Random(seed)  # noqa: S311 (made-up data)
    waiting = iter(enumerate(companies, start=1))
    for part in itertools.cycle(PARTS):
        serial, company = next(waiting, (0, None))
        if company is None:
            return
        maker = _Maker(serial, year, chance, company)
        if part == "other_operator":
            serial, company = next(waiting, (0, None))
            if company is None:
                return
            yield _Maker(serial, year, chance, company).owner_of(maker.site)
        yield maker.make(part)


def enterprises(count: int, *, year: int, seed: int) -> Iterator[Enterprise]:
    """Yield made-up enterprises with their report of ``year`` and the base of August after it."""
    chance = random.Random(seed)  # noqa: S311 (made-up data)
    parts = chance.choices(list(PARTS), list(PARTS.values()), k=count)
    for serial, part in enumerate(parts, start=1):
        maker = _Maker(serial, year, chance)
        yield maker.make(part)
        if part == "other_operator":
            yield _Maker(count + serial, year, chance).owner_of(maker.site)


class _Maker:
    """One enterprise with a site of its own and a shop on a platform, before it is decided what is told of them."""

    def __init__(self, serial: int, year: int, chance: random.Random, company: Identity | None = None) -> None:
        self._serial, self._year, self._chance = serial, year, chance
        company = company or Identity(
            credit_code("91", "110105", organisation_code(serial)),
            registration_number("110105", serial),
            f"仿真网营第{serial}号(北京)商贸有限公司",
        )
        self._uscc, self._regno, self._name = company.uscc, company.regno, company.name
        self.site, self._shop = self._own_site(), self._platform_shop()

    def make(self, part: str) -> Enterprise:
        """Return the enterprise in its part."""
        reported, seen = self._told(part)
        if part != "not_reported" and not reported:
            reported = [self._silent()]
        return Enterprise(self._uscc, part, self._registered(), tuple(reported), tuple(seen))

    def owner_of(self, site: Row) -> Enterprise:
        """Return a clean enterprise that operates and reports a site which another one claims."""
        seen = site | {
            "SUBJECT_ID": f"W{self._serial:08}9", "OPERATOR_NAME": self._name, "OPERATOR_USCC": self._uscc,
            "OPERATOR_REGNO": self._regno, "ICP_NO": "",
        }  # fmt: skip
        return Enterprise(self._uscc, "clean_site", self._registered(), (self._row(seen),), (seen,))

    def _told(self, part: str) -> tuple[list[Row], list[Row]]:
        """Return the rows of its report that name a site, and its sites in the base."""
        site, shop = self.site, self._shop
        of_site = self._row(site)
        dead = {
            "FIRST_SEEN": f"{self._year - 3}-03-01", "LAST_SEEN": f"{self._year - 1}-05-01", "SITE_STATE": "已关闭",
        }  # fmt: skip
        nowhere = self._chance.choice(["www.taobao.com", shop["SITE_NAME"], f"shop{self._serial}@example.com"])
        unnamed = site | {"OPERATOR_USCC": "", "OPERATOR_REGNO": "", "ICP_NO": ""}
        one = [self._chance.choice([site, shop])]
        told: dict[str, tuple[list[Row], list[Row]]] = {
            "clean_silent": ([], []),
            "clean_site": ([of_site], [site]),
            "clean_shops": (self._chance.sample([self._row(shop), of_site], 2), [site, shop]),
            "clean_bare": ([], [site | {"FIRST_SEEN": f"{self._year + 1}-02-01"}]),
            "concealed": ([], one),
            "not_reported": ([], one),
            "omitted": ([of_site], [site, shop]),
            "differs": ([of_site | {"WEBSITNAME": "毫不相干的称呼"}], [site]),
            "other_operator": ([of_site], []),
            "base_gap": ([of_site], []),
            "stale": ([of_site], [site | dead]),
            "contradiction": ([of_site | {"ISWEB": "0"}], [site]),
            "unreadable": ([self._row(shop) | {"DOMAIN": nowhere}], [shop]),
            "name_only": ([], [unnamed]),
        }
        return told[part]

    def _registered(self) -> Row:
        return {
            "UNISCID": self._uscc, "ENTNAME": self._name, "REGNO": self._regno, "LEREP": "仿某",
            "DOM": "北京市朝阳区仿真路1号", "ESTDATE": "2010-01-02", "REGSTATE": "存续", "HISTNAMES": "",
        }  # fmt: skip

    def _silent(self) -> Row:
        return {
            "ANCHEID": f"{self._year}{self._serial:09}", "UNISCID": self._uscc, "REGNO": self._regno,
            "ENTNAME": self._name, "ANCHEYEAR": str(self._year), "ANCHEDATE": f"{self._year + 1}-03-15",
            "ISWEB": "0", "TYPOFWEB": "", "WEBSITNAME": "", "DOMAIN": self._chance.choice(["", "", "无", "没有"]),
        }  # fmt: skip

    def _row(self, subject: Row) -> Row:
        """A row of the report about a site of the base, its address written in one of the ways of people."""
        address = subject["URL"].removeprefix("http://").removeprefix("https://")
        written = self._chance.choice(
            [
                subject["URL"], address, address.upper(), f" {address} ", f"{subject['URL']}?spm=a1z10.1",
                f"http:\\\\{address}", address.replace("www.", "m."), address.translate(_FULL_WIDTH),
            ]
        )  # fmt: skip
        name = self._chance.choice([subject["SITE_NAME"], subject["SITE_NAME"] + "官网", f" {subject['SITE_NAME']}"])
        return self._silent() | {
            "ISWEB": "1", "TYPOFWEB": "2" if subject["SITE_TYPE"] == "2" else "1", "WEBSITNAME": name,
            "DOMAIN": written,
        }  # fmt: skip

    def _subject(self, number: int, **site: str) -> Row:
        return {
            "SUBJECT_ID": f"W{self._serial:08}{number}", "SNAPSHOT_DATE": f"{self._year + 1}-08-01",
            "FIRST_SEEN": f"{self._year - 2}-05-01", "LAST_SEEN": f"{self._year + 1}-08-01", "PLATFORM_NAME": "",
            "SHOP_ID": "", "OPERATOR_NAME": self._name, "OPERATOR_USCC": self._uscc, "OPERATOR_REGNO": self._regno,
            "LICENCE_SHOWN": "1", "ICP_NO": f"京ICP备{self._serial:08}号-{number + 1}", "SITE_STATE": "正常",
            "DISTRICT": "110105",
        } | site  # fmt: skip

    def _own_site(self) -> Row:
        address = f"http://www.fz{self._serial}.com.cn/"
        return self._subject(0, SITE_TYPE="1", SITE_NAME=f"仿真网营{self._serial}", URL=address)

    def _platform_shop(self) -> Row:
        shop_id = str(100_000_000 + self._serial)
        address, platform = self._chance.choice(
            [
                (f"https://shop{shop_id}.taobao.com/", "淘宝网"),
                (f"https://mall.jd.com/index-{shop_id}.html", "京东商城"),
            ]
        )
        return self._subject(
            1, SITE_TYPE="2", SITE_NAME=f"仿真小铺{self._serial}", URL=address, PLATFORM_NAME=platform,
            SHOP_ID=shop_id, ICP_NO="",
        )  # fmt: skip


_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
