"""A release holds what is shown now, explains what is gone, and does not come about when something must not get out."""

from __future__ import annotations

import csv
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import World
from lxml import etree

from feeds.manifest import Manifest, Part, part_file, schema_file
from feeds.release import ReleaseError
from feeds.signature import key_id
from feeds.sites import Site
from feeds.verification import verify_release
from feeds.visible import current_release
from transforms.columns import Kind


def _rows(root: Path, table: str, part: Part, *, bom: bool = False) -> list[dict[str, str]]:
    current = current_release(root)
    assert current is not None
    with (current / part_file(table, part, "csv")).open(encoding="utf-8-sig" if bom else "utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_site_gets_a_release_that_its_client_finds_good(world: World, site: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(site, root, 1)
    world.put(Kind.PENALTY, "b2", content="罚款人民币3000元", fine_amount=Decimal("0.3"))
    world.withdraw(Kind.LICENCE, "c3", successor="d4")
    world.put(Kind.LICENCE, "d4")
    summary = world.publish(site, root, 2)
    report = verify_release(root, public_key=world.signer.public_pem, deep=True)
    assert report.ok, report.checks
    assert [check.name for check in report.checks][-3:] == ["rows", "schema", "algebra"]
    by_kind = {table.kind: table for table in summary.tables.values()}
    assert (by_kind[Kind.PENALTY].full, by_kind[Kind.PENALTY].delta, by_kind[Kind.PENALTY].tombstones) == (2, 1, 0)
    assert (by_kind[Kind.LICENCE].full, by_kind[Kind.LICENCE].delta, by_kind[Kind.LICENCE].tombstones) == (1, 1, 1)


def test_frictionless_and_the_xml_schema_accept_a_release(world: World, site: Site, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    world.publish(site, tmp_path / "site", 1)
    world.withdraw(Kind.LICENCE, "c3")
    world.publish(site, tmp_path / "site", 2)
    current = (tmp_path / "site" / "current").resolve()
    report = frictionless.validate(str(current / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    schema = etree.XMLSchema(etree.parse(current / schema_file(site.site)))
    files = sorted(current.glob("*.xml"))
    assert len(files) == 3 * len(site.tables)
    for file in files:
        schema.assertValid(etree.parse(file))


def test_the_xml_schema_refuses_columns_of_another_table_and_wrong_days(
    world: World, creditchina: Site, tmp_path: Path
) -> None:
    world.publish(creditchina, tmp_path / "site", 1)
    current = (tmp_path / "site" / "current").resolve()
    schema = etree.XMLSchema(etree.parse(current / schema_file("creditchina")))
    good = (current / "CF.full.xml").read_text(encoding="utf-8")
    for old, new in (
        ("<CF_WSH>", "<XK_WSH>"),
        ("2018/08/01", "2018-08-01"),
        ("0.200000", "0.2000001"),
        ("<RECORD_KEY>a1</RECORD_KEY>", ""),
    ):
        bad = good.replace(old, new).replace(old.replace("<", "</"), new.replace("<", "</"))
        assert bad != good
        assert not schema.validate(etree.fromstring(bad.encode()))


def test_no_change_makes_an_empty_delta(world: World, site: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(site, root, 1)
    world.publish(site, root, 2)
    for table in site.tables:
        for part in (Part.DELTA, Part.TOMBSTONES):
            assert _rows(root, table.table, part, bom=site.csv.bom) == []
            current = (root / "current").resolve()
            assert (current / part_file(table.table, part, "jsonl")).read_bytes() == b""
            assert len(etree.parse(current / part_file(table.table, part, "xml")).getroot()) == 0
    assert verify_release(root, deep=True).ok


def test_published_cells_say_what_the_record_says(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.publish(creditchina, tmp_path / "site", 1)
    first, second = _rows(tmp_path / "site", "CF", Part.FULL)
    assert first["CF_SY"] == '当事人称"绝对第一",<b>&违法</b>\n第二行\t完'
    assert first["CF_NR"] == "'=罚款(2000)"
    assert first["CF_NR_FK"] == "0.200000"
    assert first["CF_JDRQ"] == "2018/08/01"
    assert (second["CF_NR_FK"], second["CF_NR"], second["CF_YXQ"]) == ("", "", "")
    (licence,) = _rows(tmp_path / "site", "XK", Part.FULL)
    assert (licence["XK_YXQZI"], licence["XK_YXQZ"], licence["XK_ZT"]) == ("2099/12/31", "", "1")


def test_a_tombstone_carries_reason_basis_day_and_successor(world: World, creditchina: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(creditchina, root, 1)
    world.withdraw(Kind.PENALTY, "a1", successor="e5")
    world.publish(creditchina, root, 2)
    assert _rows(root, "CF", Part.TOMBSTONES) == [
        {
            "RECORD_KEY": "a1",
            "REASON_CODE": "REVOKED",
            "REASON": "决定被撤销",
            "LEGAL_BASIS": "行政复议法第二十八条",
            "EFFECTIVE_DATE": "2018/08/22",
            "SUCCESSOR_KEY": "e5",
        }
    ]
    world.publish(creditchina, root, 3)
    assert _rows(root, "CF", Part.TOMBSTONES) == []


def test_of_several_reasons_the_last_one_counts(world: World, creditchina: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(creditchina, root, 1)
    world.withdraw(Kind.PENALTY, "a1")
    world.database.execute(
        "INSERT INTO withdrawal VALUES ('penalty', 'a1', 'REPAIRED', '信用修复', '依据', DATE '2018-09-01', NULL)"
    )
    world.publish(creditchina, root, 2)
    assert [row["REASON_CODE"] for row in _rows(root, "CF", Part.TOMBSTONES)] == ["REPAIRED"]


def test_a_record_that_is_gone_without_a_reason_stops_the_release(world: World, site: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(site, root, 1)
    world.drop(Kind.PENALTY, "a1")
    world.withdraw(Kind.LICENCE, "a1")  # a reason of the other kind explains nothing
    with pytest.raises(ReleaseError, match="a1"):
        world.publish(site, root, 2)
    assert (root / "current").resolve().name == "000001"
    assert sorted(path.name for path in root.iterdir()) == ["current", "releases"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("content", "当事人张某,身份证号11010519491231002X,罚款"),
        ("content", "身份证 110105 19491231 002x"),
        ("content", "证件１１０１０５１９４９１２３１００２Ｘ"),
        ("content", "证件1101\x0105194912\x0231002X"),
        ("content", "联系电话:13800138000"),
        ("content", "电话 010-62345678"),
        ("authority_name", "经办人 138-0013-8000"),
        ("legal_rep", "110105491231003"),
        ("regno", "11010519491231002X"),
        ("tax_no", "11010519491231002X01"),
        ("org_code", "13800138000"),
        ("content", "汇入银行卡4000 0000 0000 0002"),
        ("facts", "驾驶京A12345号小型客车"),
        ("basis", "张某，家住北京市朝阳区仿真路1号，"),
        ("facts", "驾驶京A1\x012345小型客车"),
    ],
)
def test_an_id_number_or_telephone_in_any_column_stops_the_release(
    world: World, creditchina: Site, tmp_path: Path, column: str, text: str
) -> None:
    root = tmp_path / "site"
    world.publish(creditchina, root, 1)
    world.put(Kind.PENALTY, "smuggled", **{column: text})
    with pytest.raises(ReleaseError, match=r"smuggled CF_\w+") as error:
        world.publish(creditchina, root, 2)
    assert "138" not in str(error.value)
    assert "1949" not in str(error.value)
    assert sorted(path.name for path in root.iterdir()) == ["current", "releases"]


def test_a_number_of_a_document_that_looks_like_a_plate_or_a_card_stops_nothing(
    world: World, creditchina: Site, tmp_path: Path
) -> None:
    world.put(
        Kind.PENALTY, "plain", document_no="京A12345", authority_code="4000000000000002", facts="第4000000000000003号"
    )
    assert world.publish(creditchina, tmp_path / "site", 1).tables["CF"].full == 3


def test_an_id_number_in_a_reason_stops_the_release(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.publish(creditchina, tmp_path / "site", 1)
    world.withdraw(Kind.PENALTY, "a1")
    world.database.execute("UPDATE withdrawal SET reason = '申请人11010519491231002X'")
    with pytest.raises(ReleaseError, match="身份证号"):
        world.publish(creditchina, tmp_path / "site", 2)


@pytest.mark.parametrize("key", [None, "", "a b", "-a", 'a"', "键"])
def test_a_key_that_is_missing_or_odd_stops_the_release(
    world: World, creditchina: Site, tmp_path: Path, key: str | None
) -> None:
    world.database.execute("UPDATE shown_penalty SET record_key = ? WHERE record_key = 'a1'", [key])
    with pytest.raises(ReleaseError, match="记录标识"):
        world.publish(creditchina, tmp_path / "site", 1)


def test_a_key_that_occurs_twice_stops_the_release(world: World, site: Site, tmp_path: Path) -> None:
    world.database.execute("INSERT INTO shown_penalty SELECT * FROM shown_penalty WHERE record_key = 'a1'")
    with pytest.raises(ReleaseError, match="a1"):
        world.publish(site, tmp_path / "site", 1)


def test_a_state_without_a_code_stops_the_release(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.put(Kind.LICENCE, "c3", status="disputed")
    with pytest.raises(ReleaseError, match=r"XK\.XK_ZT.*c3 \(disputed\)"):
        world.publish(creditchina, tmp_path / "site", 1)


def test_a_previous_release_that_was_changed_is_no_base(world: World, creditchina: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(creditchina, root, 1)
    full = root / "releases" / "000001" / "CF.full.csv"
    full.write_bytes(full.read_bytes().replace("罚款".encode(), "警告".encode()))
    with pytest.raises(ReleaseError, match=r"CF\.full\.csv"):
        world.publish(creditchina, root, 2)


def test_the_number_must_rise_and_the_site_must_be_the_same(world: World, creditchina: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    world.publish(creditchina, root, 2)
    with pytest.raises(ReleaseError, match="第 2 期"):
        world.build(creditchina, root, 2)


def test_the_manifest_names_its_predecessor_and_has_no_clock(world: World, creditchina: Site, tmp_path: Path) -> None:
    root = tmp_path / "site"
    first = world.publish(creditchina, root, 1)
    second = world.publish(creditchina, root, 2)
    content = (root / "current" / "manifest.json").read_bytes()
    manifest = Manifest.from_bytes(content)
    assert manifest.to_bytes() == content
    assert manifest.previous is not None
    assert (manifest.previous.sequence, manifest.previous.manifest_sha256) == (1, first.manifest_sha256)
    assert manifest.key_id == key_id(world.signer.public_pem)
    assert json.loads(content)["as_of"] == "2018-08-22"
    assert second.manifest_sha256 != first.manifest_sha256


def test_plain_tools_verify_a_release(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.publish(creditchina, tmp_path / "site", 1)
    current = (tmp_path / "site" / "current").resolve()
    openssl = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public_key.pem", "-rawin"]
    signed = subprocess.run(
        [*openssl, "-in", "manifest.json", "-sigfile", "manifest.sig"], cwd=current, capture_output=True, check=False
    )
    assert signed.returncode == 0, signed.stderr
    files = Manifest.from_bytes((current / "manifest.json").read_bytes()).files
    sums = "".join(f"{entry.sha256}  {name}\n" for name, entry in files.items())
    subprocess.run(["sha256sum", "--check", "--quiet"], cwd=current, input=sums, text=True, check=True)
    sm3 = subprocess.run(
        ["openssl", "dgst", "-sm3", "-r", "CF.full.csv"], cwd=current, capture_output=True, text=True, check=True
    )
    assert sm3.stdout.split()[0] == files["CF.full.csv"].sm3
