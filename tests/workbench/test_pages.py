"""报送, 记录, 放行, 发布: what they show, and to whom."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from browsing import Browser
from delivering import DAY, Company, as_csv, document_no, legacy_penalty, licence, penalty, registered, write

from pipeline.attach import attach
from pipeline.data_docs import build_data_docs
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register import load_register
from simulator.codes import credit_code
from store.accounts import Role
from store.runs import Step
from transforms.columns import Kind
from workbench.rendering import NAVIGATION
from workbench.words import WORDS

Enter = Callable[..., Browser]


def records(office: Office) -> list[int]:
    with office.engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT record_id FROM penalty ORDER BY record_id")))


def test_a_record_is_found_by_its_number_however_its_brackets_are(
    platform: Browser, office: Office, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1), penalty(2)])
    found = platform.get("/records", q=document_no(2).replace("〔", "[").replace("〕", "] "))
    assert found.headers["location"] == f"/records/{records(office)[1]}"
    assert "没有文书号为" in platform.get("/records", q="京〔2018〕第9号").text


def test_a_record_without_a_number_has_a_page_too(
    platform: Browser, office: Office, deliver: Callable[..., int]
) -> None:
    number = deliver([penalty(1, CF_WSH=""), penalty(2, CF_XDR_MC="<script>alert(1)</script>公司")])
    first, second = records(office)
    page = platform.get(f"/records/{first}")
    assert page.status_code == 200 and "无文书号" in page.text and "R01.document_no" in page.text
    for path in (f"/records/{second}", f"/records?delivery_id={number}", "/worklist/items"):
        assert "<script>alert" not in platform.get(path).text
    assert platform.get(f"/deliveries/{number}").status_code == 200


def test_each_page_of_the_navigation_has_a_key_of_its_own() -> None:
    keys = [key for _, _, key in NAVIGATION]
    assert len(set(keys)) == len(keys)


def test_what_is_not_there_is_said_in_chinese(platform: Browser) -> None:
    for path in ("/records/9", "/holds/9", "/deliveries/9", "/rulings/9", "/releases/gsxt/9", "/nowhere"):
        answer = platform.get(path)
        assert answer.status_code == 404 and "没有这个页面或这条数据" in answer.text
    assert platform.get("/records/abc").status_code == 422


def test_an_agency_steward_sees_one_agency(log_in: Enter, office: Office, deliver: Callable[..., int]) -> None:
    own, held = deliver([penalty(1)]), deliver([penalty(2)], agency="psb")
    steward, [record] = log_in("孙公安", Role.AGENCY, "psb"), records(office)
    assert {steward.get(path).status_code for path in (f"/deliveries/{own}", f"/records/{record}")} == {404}
    assert steward.get("/records", delivery_id=own).status_code == 404
    assert steward.get(f"/deliveries/{held}").status_code == steward.get("/holds/1").status_code == 200
    for path in ("/", "/deliveries?agency=aic", "/records"):
        assert f"/deliveries/{own}" not in steward.get(path).text
    assert log_in("钱工商", Role.AGENCY, "aic").get("/holds/1").status_code == 404


def test_a_rule_is_worded_as_in_the_sheet_that_was_judged(platform: Browser, deliver: Callable[..., int]) -> None:
    number = deliver([licence(1, XK_NR="")], kind=Kind.LICENCE)
    page = platform.get(f"/deliveries/{number}").text
    assert "许可内容为必填项" in page and "处罚结果" not in page
    for path in ("/worklist", "/returns/new/aic", "/"):
        assert "许可内容为必填项" in platform.get(path).text and "处罚结果" not in platform.get(path).text
    for row, wording in ((penalty(2, CF_NR=""), "处罚内容为必填项"), (legacy_penalty(3, CF_JG=""), "处罚结果为必填项")):
        assert wording in platform.get(f"/deliveries/{deliver([row])}").text
    assert "许可内容为必填项 / 处罚内容为必填项" in platform.get("/worklist").text


def test_every_step_of_the_audit_log_is_named_and_what_no_person_did_is_the_systems(
    platform: Browser, deliver: Callable[..., int]
) -> None:
    assert {step.value for step in Step} <= WORDS["audit_action"].keys()
    deliver([penalty(1)])
    [row] = platform.get("/audit").text.split("<tr data-row>")[1:]
    assert "报送入库" in row and '<td class="s">系统</td>' in row


def test_the_data_docs_of_a_delivery_are_linked_once_built_and_shown_to_who_may_see_it(
    log_in: Enter, office: Office, deliver: Callable[..., int]
) -> None:
    number = deliver([penalty(1), penalty(2, CF_CFLB="训诫")])
    steward, stranger = log_in("钱工商", Role.AGENCY, "aic"), log_in("孙网信", Role.AGENCY, "cac")
    address = f"/data-docs/{number}"
    assert address not in steward.get(f"/deliveries/{number}").text and steward.get(address).status_code == 404
    [_] = build_data_docs(office, as_of=DAY)
    assert f'href="{address}"' in steward.get(f"/deliveries/{number}").text
    page = steward.get(address)
    assert "处罚类别" in page.text and "unexpected values found" in page.text
    assert "2 行中 1 行未通过" in page.text and "北京时间" in page.text
    assert 'href="data_docs.css"' in page.text and "--line" in steward.get("/data-docs/data_docs.css").text
    assert stranger.get(address).status_code == 404


def test_one_person_is_one_approval(
    platform: Browser, deliver: Callable[..., int], state_of: Callable[[int], str]
) -> None:
    held = deliver([penalty(1)], agency="psb")
    assert platform.post("/holds/1", decision="approve").status_code == 422
    assert platform.post("/holds/1", decision="approve", reason="核对过").status_code == 303
    assert platform.post("/holds/1", decision="approve", reason="再来").status_code == 409
    assert state_of(held) == "held"
    assert platform.post("/holds/1", decision="reject", reason="不对").status_code == 303
    assert state_of(held) == "refused"
    assert platform.post("/holds/1", decision="reject", reason="还是不对").status_code == 409


@pytest.fixture
def published(office: Office, deliver: Callable[..., int], tmp_path: object) -> None:
    load_register(office, write(tmp_path, "r.csv", as_csv([registered(Company(1))])), as_of=DAY, mode="full")  # type: ignore[arg-type]
    deliver([penalty(1)])
    attach(office, as_of=DAY)
    publish(office, ["creditchina"], as_of=DAY)


@pytest.mark.usefixtures("published")
def test_a_release_is_shown_verified_and_downloaded_as_it_is(log_in: Enter, office: Office) -> None:
    auditor = log_in("赵审计", Role.AUDITOR)
    page = auditor.get("/releases/creditchina/1").text
    assert Company(1).name in page.replace("（", "(").replace("）", ")") and "CF.delta.csv" in page
    assert "核验通过" in auditor.get("/releases/creditchina/1/verify").text
    directory = office.settings.feeds / "creditchina" / "releases" / "000001"
    fetched = auditor.get("/releases/creditchina/1/files/CF.full.csv").content
    assert hashlib.sha256(fetched).digest() == hashlib.sha256((directory / "CF.full.csv").read_bytes()).digest()
    for name in ("..%2F..%2F..%2F..%2Fkeys%2Ffeed_signing.pem", "%2Fetc%2Fpasswd", "..%2F000001%2Fmanifest.json"):
        assert auditor.get(f"/releases/creditchina/1/files/{name}").status_code == 404
    (directory / "CF.full.csv").chmod(0o644)
    (directory / "CF.full.csv").write_bytes(fetched + b"x")
    assert "核验未通过" in auditor.get("/releases/creditchina/1/verify").text


def test_a_record_that_a_site_would_not_take_says_why_on_its_page_and_on_that_of_the_release(
    platform: Browser, office: Office, deliver: Callable[..., int], tmp_path: Path
) -> None:
    village = credit_code("N1", "110105", Company(2).organisation)
    rows = [registered(Company(1)), registered(Company(2), UNISCID=village)]
    load_register(office, write(tmp_path, "register.csv", as_csv(rows)), as_of=DAY)
    deliver([penalty(1), penalty(2, CF_XDR_SHXYM=village)])
    attach(office, as_of=DAY)
    publish(office, ["creditchina", "gsxt"], as_of=DAY)
    first, second = records(office)
    page = platform.get(f"/records/{second}").text
    assert "信用中国不收" in page and "A02.CF_XDR_SHXYM" in page
    assert f"“{village}”不合网站接收的格式" in page and "请与网站联系" in page
    assert "国家企业信用信息公示系统不收" not in page
    assert "不收" not in platform.get(f"/records/{first}").text
    release = platform.get("/releases/creditchina/1").text
    assert "不合本网站的接收规则" in release and document_no(2) in release and "不送该网站" in release
    assert (
        document_no(2) not in platform.get("/releases/gsxt/1").text.partition("<h2>未公示</h2>")[2].partition("<h2>")[0]
    )
