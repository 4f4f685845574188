"""A seeded register of enterprises of Beijing: full set of the first day, changes of each later one.

Shares, of all enterprises: 12 % 个体工商户 (code 92), 3 % cooperatives (93), 6 % branches beside their parent under
nearly the same name, 8 % with former names, 10 % without registration number, 1 % with one of 13 digits of before 2007,
4 % with full-width brackets in the name, 0.4 % that share their name with another one, 3 % deregistered or revoked.
Each later day: 1 % new, 1 % renamed, 0.5 % moved, 0.5 % deregistered.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

from simulator.business_days import DEMO_DAYS, FULL_REGISTER_DAYS
from simulator.codes import credit_code, organisation_code, registration_number

COLUMNS: Final = ("UNISCID", "ENTNAME", "REGNO", "LEREP", "DOM", "ESTDATE", "REGSTATE", "HISTNAMES")

LARGEST: Final = 900_000
"""Serial numbers above are kept for bodies that are in no register."""

DISTRICTS: Final = {
    "110101": "东城区",
    "110102": "西城区",
    "110105": "朝阳区",
    "110106": "丰台区",
    "110107": "石景山区",
    "110108": "海淀区",
    "110109": "门头沟区",
    "110111": "房山区",
    "110112": "通州区",
    "110113": "顺义区",
    "110114": "昌平区",
    "110115": "大兴区",
    "110116": "怀柔区",
    "110117": "平谷区",
    "110118": "密云区",
    "110119": "延庆区",
    "110302": "经济技术开发区",  # not in GB/T 2260, yet registering
}
_IMITATION: Final = "拟仿虚模样试"
_LUCKY: Final = "华盛恒信瑞丰泰和鑫源博远天诚嘉业宏达金鼎永安康宁德美佳新世纪东方中联创科智云海润通利兴隆旺富强明正大同"
_TRADES: Final = (  # noqa: SIM905 - thirty words are read better as a line
    "科技 电子商务 网络技术 信息技术 商贸 食品 餐饮管理 医药 生物科技 文化传媒 广告 装饰工程 建筑工程 物流 物业管理 "
    "教育科技 咨询 服装 家具 汽车销售 环保科技 机电设备 化妆品 图书 农业科技 旅游 健康管理 珠宝 贸易 软件"
).split()
_SHOPS: Final = "小吃店 便利店 服装店 理发店 水果店 五金店 网店 餐馆 药店 文具店 烟酒店 洗车行".split()  # noqa: SIM905
_FORMS: Final = ("有限公司", "有限责任公司", "股份有限公司")
_FORM_WEIGHTS: Final = (80, 12, 8)
_ROADS: Final = "拟和路 仿安大街 虚宁街 模范南路 样泰路 试远西街".split()  # noqa: SIM905
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂"
_STATES: Final = ("存续", "吊销", "注销")


class Form(StrEnum):
    """What kind of body an enterprise is, as far as records treat it differently."""

    COMPANY = "company"
    BRANCH = "branch"
    SHOP = "shop"  # 个体工商户
    COOPERATIVE = "cooperative"


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One body of the register; dates are days, former names oldest first."""

    uscc: str
    name: str
    regno: str
    legal_rep: str
    address: str
    established: date
    state: str
    former_names: tuple[str, ...]
    form: Form
    region: str

    @property
    def org_code(self) -> str:
        """The organisation code inside the USCC."""
        return self.uscc[8:17]

    def row(self) -> tuple[str, ...]:
        """The register's columns, in the order of COLUMNS."""
        former = ";".join(self.former_names)
        day = self.established.isoformat()
        return (self.uscc, self.name, self.regno, self.legal_rep, self.address, day, self.state, former)


@dataclass(frozen=True, slots=True)
class Population:
    """The register on the first day and what each later day changes in it (new rows, the new state of changed ones)."""

    first: tuple[Enterprise, ...]
    changes: Mapping[date, tuple[Enterprise, ...]]

    def on(self, day: date) -> tuple[Enterprise, ...]:
        """The register after the changes of a day."""
        after = {enterprise.uscc: enterprise for enterprise in self.first}
        for changed_on in sorted(self.changes):
            if changed_on <= day:
                after |= {enterprise.uscc: enterprise for enterprise in self.changes[changed_on]}
        return tuple(after.values())


def make_population(seed: int, enterprises: int = 3_000, days: Sequence[date] = DEMO_DAYS) -> Population:
    """Make a register and its changes of ``days[1:]``; equal arguments give equal registers."""
    if not 50 <= enterprises <= LARGEST // 2:
        raise ValueError(f"a register has 50 to {LARGEST // 2} enterprises, not {enterprises}")
    rng = Random(f"register:{seed}")  # noqa: S311
    names: set[str] = set()
    first: list[Enterprise] = []
    for serial in range(enterprises):
        draw = rng.random()
        if draw < 0.06 and len(first) > 20:
            first.append(_branch(rng, serial, first, names))
        elif draw < 0.064 and len(first) > 20:
            twin = rng.choice([enterprise for enterprise in first if enterprise.form is Form.COMPANY])
            first.append(replace(_company(rng, serial, names, Form.COMPANY), name=twin.name, former_names=()))
        elif draw < 0.184:
            first.append(_company(rng, serial, names, Form.SHOP))
        elif draw < 0.214:
            first.append(_company(rng, serial, names, Form.COOPERATIVE))
        else:
            first.append(_company(rng, serial, names, Form.COMPANY))
    changes: dict[date, tuple[Enterprise, ...]] = {}
    population = Population(tuple(first), changes)
    for day in days[1:]:
        changes[day] = tuple(_changes(rng, population.on(day), names, day))
    return population


def stranger(rng: Random, serial: int) -> Enterprise:
    """Make a company that is in no register; ``serial`` counts them."""
    company = _company(rng, LARGEST + serial, set(), Form.COMPANY)
    return replace(company, name=company.name.replace("北京", "北京外", 1), former_names=())


def write_register(path: Path, enterprises: Iterable[Enterprise]) -> None:
    """Write a register file as the registry hands it out: UTF-8, comma, header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(enterprise.row() for enterprise in enterprises)


def write_register_of(population: Population, day: date, folder: Path) -> Path:
    """Write the register file of a day into a folder: the full set once a week, else changes."""
    path = folder / register_name(day)
    is_full = day in FULL_REGISTER_DAYS
    write_register(path, population.on(day) if is_full else population.changes[day])
    return path


def register_name(day: date) -> str:
    """Return the name under which the registry hands a day's file out."""
    return f"register_{day:%Y%m%d}_{'full' if day in FULL_REGISTER_DAYS else 'changes'}.csv"


def person(rng: Random) -> str:
    """Make a name of a person."""
    return rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2))))


def _company(rng: Random, serial: int, names: set[str], form: Form) -> Enterprise:
    region = rng.choice(tuple(DISTRICTS))
    department = {Form.SHOP: "92", Form.COOPERATIVE: "93"}.get(form, "91")
    name = _new_name(rng, names, form, region)
    former = tuple(
        _new_name(rng, names, form, region) for _ in range(rng.choice((1, 1, 2)) if rng.random() < 0.08 else 0)
    )
    return Enterprise(
        uscc=credit_code(department, region, organisation_code(serial)),
        name=name,
        regno=_regno(region, serial) if rng.random() < 0.9 else "",
        legal_rep=person(rng),
        address=f"北京市{DISTRICTS[region]}{rng.choice(_ROADS)}{rng.randint(1, 300)}号",
        established=date(1992, 1, 1) + timedelta(days=rng.randrange(9_600)),
        state=rng.choices(_STATES, (97, 1, 2))[0],
        former_names=former,
        form=form,
        region=region,
    )


def _regno(region: str, serial: int) -> str:
    return f"{region}1{serial:06d}" if serial % 100 == 50 else registration_number(region, serial)


def _branch(rng: Random, serial: int, first: list[Enterprise], names: set[str]) -> Enterprise:
    body = _company(rng, serial, names, Form.BRANCH)
    parents = [enterprise for enterprise in rng.sample(first, 20) if enterprise.form is Form.COMPANY]
    if not parents:
        return replace(body, form=Form.COMPANY)
    place = DISTRICTS[body.region].removesuffix("区")
    wanted = f"{parents[0].name}{place}分公司"
    number = 2
    while wanted in names:
        wanted = f"{parents[0].name}{place}第{number}分公司"
        number += 1
    names.add(wanted)
    return replace(body, name=wanted, former_names=())


def _new_name(rng: Random, names: set[str], form: Form, region: str) -> str:
    while True:
        word = rng.choice(_IMITATION) + "".join(rng.choices(_LUCKY, k=2))
        match form:
            case Form.SHOP:
                name = f"北京{word}{rng.choice(_SHOPS)}"
            case Form.COOPERATIVE:
                name = f"北京{word}种植专业合作社"
            case _:
                trade, legal = rng.choice(_TRADES), rng.choices(_FORMS, _FORM_WEIGHTS)[0]
                place = rng.random()
                if place < 0.05:
                    name = f"{word}{trade}（北京）{legal}"
                elif place < 0.12:
                    name = f"北京{DISTRICTS[region].removesuffix('区')}{word}{trade}{legal}"
                else:
                    name = f"北京{word}{trade}{legal}"
        if name not in names:
            names.add(name)
            return name


def _changes(rng: Random, held: Sequence[Enterprise], names: set[str], day: date) -> list[Enterprise]:
    count = max(1, len(held) // 100)
    companies = [e for e in held if e.form is Form.COMPANY and e.state == "存续"]
    touched = rng.sample(companies, 2 * count)
    renamed, rest = touched[:count], touched[count:]
    moved, closed = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    changes = [
        replace(e, name=_new_name(rng, names, e.form, e.region), former_names=(*e.former_names, e.name))
        for e in renamed
    ]
    changes += [replace(e, address=f"{e.address}院内{rng.randint(1, 9)}号楼") for e in moved]
    changes += [replace(e, state="注销") for e in closed]
    new = (_company(rng, len(held) + n, names, Form.COMPANY) for n in range(count))
    changes += [replace(e, established=day - timedelta(days=1), state="存续") for e in new]
    return changes
