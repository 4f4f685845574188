"""A small world of publishable records in DuckDB, and the sites that are fed from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feeds.release import ReleaseSummary, build_release
from feeds.signature import Signer
from feeds.sites import Site, load_sites
from feeds.visible import building_directory, current_release, make_visible
from transforms.columns import STANDARD_COLUMNS, Kind

KEY_PEM = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""  # of RFC 8032, section 7.1, test 1

DAY = dt.date(2018, 8, 21)
EXTRA = {
    "record_key": "VARCHAR",
    "enterprise_uscc": "VARCHAR",
    "enterprise_name": "VARCHAR",
    "show_until": "DATE",
    "first_shown": "DATE",
    "last_changed": "DATE",
}
DEFAULTS: dict[str, Any] = {
    "enterprise_uscc": "91110105MA0000009T",
    "enterprise_name": "北京测试科技有限公司",
    "subject_name": "北京测试科技有限公司",
    "subject_category": "法人及非法人组织",
    "document_no": "京工商朝处字〔2018〕第1号",
    "content": "罚款人民币2000元",
    "decision_date": dt.date(2018, 8, 1),
    "first_shown": DAY,
    "show_until": dt.date(2019, 8, 1),
    "status": "valid",
}


def _types(kind: Kind) -> dict[str, str]:
    names = {"string": "VARCHAR", "date32[day]": "DATE", "decimal128(18, 6)": "DECIMAL(18,6)"}
    return {name: names[str(kind_type)] for name, kind_type in STANDARD_COLUMNS[kind].items()} | EXTRA


class World:
    """Records that sites show, by kind and key, and the reasons of those that are shown no longer."""

    def __init__(self, *, threads: int = 2) -> None:
        self.database = duckdb.connect(config={"threads": threads})
        for kind in Kind:
            columns = ", ".join(f"{name} {sql}" for name, sql in _types(kind).items())
            self.database.execute(f"CREATE TABLE shown_{kind} ({columns})")
        self.database.execute(
            "CREATE TABLE withdrawal (kind VARCHAR, record_key VARCHAR, reason_code VARCHAR, reason VARCHAR, "
            "legal_basis VARCHAR, effective_date DATE, successor_key VARCHAR)"
        )
        self.signer = Signer.from_pem(KEY_PEM)

    def put(self, kind: Kind, key: str, **values: object) -> None:
        self.database.execute(f"DELETE FROM shown_{kind} WHERE record_key = ?", [key])
        known = _types(kind)
        row = {name: value for name, value in (DEFAULTS | {"record_key": key} | values).items() if name in known}
        if kind is Kind.PENALTY:
            row.setdefault("fine_amount", Decimal("0.2"))
        marks = ", ".join("?" for _ in row)
        self.database.execute(f"INSERT INTO shown_{kind} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def withdraw(self, kind: Kind, key: str, successor: str | None = None) -> None:
        self.drop(kind, key)
        self.database.execute(
            "INSERT INTO withdrawal VALUES "
            "(?, ?, 'REVOKED', '决定被撤销', '行政复议法第二十八条', DATE '2018-08-22', ?)",
            [kind.value, key, successor],
        )

    def drop(self, kind: Kind, key: str) -> None:
        self.database.execute(f"DELETE FROM shown_{kind} WHERE record_key = ?", [key])

    def build(self, site: Site, root: Path, sequence: int, into: Path | None = None) -> ReleaseSummary:
        return build_release(
            self.database,
            site=site,
            relations={kind: f"shown_{kind}" for kind in Kind},
            withdrawals="withdrawal",
            previous=current_release(root),
            into=into or building_directory(root, sequence),
            sequence=sequence,
            as_of=DAY + dt.timedelta(days=sequence - 1),
            signer=self.signer,
        )

    def publish(self, site: Site, root: Path, sequence: int) -> ReleaseSummary:
        root.mkdir(exist_ok=True)
        summary = self.build(site, root, sequence)
        make_visible(root, building_directory(root, sequence), sequence)
        return summary


@pytest.fixture
def world() -> World:
    """Two penalties and a licence."""
    world = World()
    world.put(Kind.PENALTY, "a1", facts='当事人称"绝对第一",<b>&违法</b>\n第二行\t\x07完', content="=罚款(2000)")
    world.put(Kind.PENALTY, "b2", fine_amount=None, content=None)
    world.put(Kind.LICENCE, "c3", valid_to=dt.date(9999, 9, 9), certificate_no="JY11101050000001")
    return world


@pytest.fixture(params=["creditchina", "creditbj", "gsxt", "qyxy"])
def site(request: pytest.FixtureRequest) -> Site:
    return load_sites()[request.param]


@pytest.fixture
def creditchina() -> Site:
    return load_sites()["creditchina"]
