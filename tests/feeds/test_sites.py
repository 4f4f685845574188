"""Every descriptor fits the standard record and keeps persons' documents in; a wrong one is refused by line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from feeds.sites import NEVER_PUBLISHED, DescriptorError, load_site, load_sites
from transforms.columns import DUAL_PUBLICITY, Kind

DESCRIPTOR = """site: probe
name: 试点
date_format: YYYYMMDD
permanent_date: 2099-12-31
csv: {bom: false}
xml: {root: DATAS, row: DATA}
tables:
  - table: T
    kind: penalty
    label: 处罚
    columns:
      - {code: K, label: 标识, source: record_key, type: key}
      - {code: N, label: 名称, source: subject_name, type: text}
"""


def test_the_four_sites_of_the_plan_are_described() -> None:
    sites = load_sites()
    assert list(sites) == ["creditbj", "creditchina", "gsxt", "qyxy"]
    listed = {Kind.INSPECTION, Kind.ABNORMAL_OPERATION, Kind.SERIOUS_VIOLATION}
    assert {table.kind for table in sites["gsxt"].tables} == {*DUAL_PUBLICITY, *listed}
    assert {table.kind for table in sites["creditchina"].tables} == set(DUAL_PUBLICITY)
    assert sites["creditbj"].tables == (*sites["creditchina"].tables, *sites["gsxt"].tables[2:])
    assert sites["qyxy"].tables == sites["gsxt"].tables


def test_no_site_publishes_documents_of_persons_or_remarks() -> None:
    for site in load_sites().values():
        for table in site.tables:
            assert not NEVER_PUBLISHED.intersection(name for column in table.columns for name in column.source)
            assert not any(code.endswith(("ZJLX", "ZJHM", "SFZH", "BZ")) for code in table.codes)


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("date_format: YYYYMMDD", "date_format: DDMM", 3, "date_format"),
        ("csv: {bom: false}", "csv: {bom: false, colour: red}", 5, "csv.colour"),
        ("label: 处罚", "", 8, "tables.0.label"),
        ("source: subject_name", "source: id_no", 8, "tables.0"),
        ("source: subject_name", "source: subject_nmae", 8, "tables.0"),
        ("type: text", "type: float", 13, "tables.0.columns.1.type"),
        ("code: N", "code: K", 8, "tables.0"),
        ("kind: penalty", "kind: penalty\n    kind: licence", 10, "kind"),
        ("site: probe", "site: other", 1, "site"),
    ],
)
def test_a_wrong_descriptor_is_refused_with_its_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, key: str
) -> None:
    file = tmp_path / "probe.yaml"
    file.write_text(DESCRIPTOR.replace(old, new), encoding="utf-8")
    with pytest.raises(DescriptorError, match=f"probe.yaml, line {line}, key {key}:"):
        load_site(file)


def test_tables_can_be_those_of_another_site(tmp_path: Path) -> None:
    (tmp_path / "probe.yaml").write_text(DESCRIPTOR, encoding="utf-8")
    twin = DESCRIPTOR[: DESCRIPTOR.index("tables:")].replace("site: probe", "site: twin")
    (tmp_path / "twin.yaml").write_text(twin + "tables: probe\n", encoding="utf-8")
    assert load_sites(tmp_path)["twin"].tables == load_sites(tmp_path)["probe"].tables
    (tmp_path / "twin.yaml").write_text(twin + "tables: nobody\n", encoding="utf-8")
    with pytest.raises(DescriptorError, match=r"twin\.yaml, line 7, key tables: no site nobody"):
        load_site(tmp_path / "twin.yaml")
    (tmp_path / "twin.yaml").write_text(twin + "tables: {probe: [T]}\n", encoding="utf-8")
    assert load_sites(tmp_path)["twin"].tables == load_sites(tmp_path)["probe"].tables
    (tmp_path / "twin.yaml").write_text(twin + "tables: {probe: [U]}\n", encoding="utf-8")
    with pytest.raises(DescriptorError, match=r"twin\.yaml, line 7, key tables: probe has no table U"):
        load_site(tmp_path / "twin.yaml")
