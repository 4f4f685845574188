"""更正, 签批, 归属复核: what one steward changes, what takes two, and that no edit is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from browsing import Browser
from delivering import DAY, Company, as_csv, penalty, registered, write

from pipeline.attach import attach
from pipeline.office import Office
from pipeline.register import load_register
from store.accounts import Role

Enter = Callable[..., Browser]


def live(office: Office) -> dict[str, object]:
    """The version that holds of the one record."""
    query = sa.text("SELECT * FROM penalty WHERE state NOT IN ('superseded', 'duplicate')")
    with office.engine.connect() as connection:
        return dict(connection.execute(query).mappings().one())


def ruling_of(answer: object) -> str:
    return str(answer.headers["location"])  # type: ignore[attr-defined]


def test_a_wrong_date_is_checked_corrected_and_off_the_list(
    platform: Browser, office: Office, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, CF_JDRQ="2018/13/01")])
    record = live(office)["record_id"]
    page = platform.get(f"/records/{record}/correct").text
    assert "2018/<mark>13</mark>/01" in page or "<mark>1</mark><mark>3</mark>" in page
    still = platform.post(f"/records/{record}/recheck", **{"cell.CF_JDRQ": "2018/14/01"}).text
    good = platform.post(f"/records/{record}/recheck", **{"cell.CF_JDRQ": "2018/08/15"}).text
    assert "已退回" in still and "R10.decision_date" in still and "各项规则均已通过" in good
    assert live(office)["record_id"] == record, "a check stores nothing"
    refused = platform.post(f"/records/{record}/correct", **{"cell.CF_JDRQ": "2018/08/15"})
    assert refused.status_code == 422 and "请填写理由" in refused.text and 'value="2018/08/15"' in refused.text
    assert (
        platform.post(f"/records/{record}/correct", **{"cell.CF_JDRQ": "2018/08/15"}, reason="对照").status_code == 303
    )
    assert live(office)["decision_date"] == dt.date(2018, 8, 15)
    assert "0 项" in platform.get("/worklist").text


def test_two_stewards_saving_the_same_record_lose_no_edit(
    platform: Browser, log_in: Enter, office: Office, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, CF_JDRQ="2018/13/01")])
    other, record = log_in("钱工商", Role.AGENCY, "aic"), live(office)["record_id"]
    saved = {"cell.CF_JDRQ": "2018/08/15", "reason": "对照决定书"}
    assert platform.post(f"/records/{record}/correct", **saved).status_code == 303
    late = other.post(f"/records/{record}/correct", **{"cell.CF_SY": "改过的违法事实"}, reason="补正")
    assert late.status_code == 409
    assert "两个版本的不同" in late.text and "2018-08-15" in late.text and "改过的违法事实" in late.text
    assert live(office)["decision_date"] == dt.date(2018, 8, 15)
    again = live(office)["record_id"]
    assert f'action="/records/{again}/correct"' in late.text
    assert other.post(f"/records/{again}/correct", **{"cell.CF_SY": "改过的违法事实"}, reason="补正").status_code == 303
    assert (live(office)["decision_date"], live(office)["facts"]) == (dt.date(2018, 8, 15), "改过的违法事实")


def test_an_amount_is_signed_by_another_person(
    platform: Browser, log_in: Enter, office: Office, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, CF_NR_FK="20000")])
    first = live(office)
    answer = platform.post(f"/records/{first['record_id']}/correct", **{"cell.CF_NR_FK": "2"}, reason="单位是元")
    where = ruling_of(answer)
    assert where.startswith("/rulings/") and live(office)["record_id"] == first["record_id"]
    assert platform.post(where, act="approve", reason="同意").status_code == 409
    assert log_in("钱工商", Role.AGENCY, "aic").post(where, act="approve", reason="同意").status_code == 403
    assert "CF_NR_FK" in platform.get("/rulings").text
    approver = log_in("李审批", Role.APPROVER)
    assert approver.post(where, act="approve", reason="已核对决定书").status_code == 303
    assert live(office)["fine_amount"] == 2
    assert approver.post(where, act="undo", reason="看错了").status_code == 303
    assert live(office)["fine_amount"] == 2, "its undoing takes two as well"
    assert platform.post(where, act="approve", reason="同意撤销").status_code == 303
    assert live(office)["fine_amount"] == first["fine_amount"]


def test_a_steward_of_another_agency_sees_and_mends_nothing(
    log_in: Enter, office: Office, deliver: Callable[..., int], platform: Browser
) -> None:
    deliver([penalty(1, CF_NR_FK="20000")])
    record, stranger = live(office)["record_id"], log_in("孙食药", Role.AGENCY, "fda")
    where = ruling_of(platform.post(f"/records/{record}/correct", **{"cell.CF_NR_FK": "2"}, reason="单位是元"))
    assert {stranger.get(path).status_code for path in (f"/records/{record}", f"/records/{record}/correct", where)} == {
        404
    }
    for path in (f"/records/{record}/correct", f"/records/{record}/recheck"):
        assert stranger.post(path, **{"cell.CF_SY": "x"}, reason="x").status_code == 404
    assert "CF_NR_FK" not in stranger.get("/rulings").text


@pytest.fixture
def uncertain(office: Office, deliver: Callable[..., int], tmp_path: object) -> int:
    """A record whose code and name are of two enterprises."""
    register = write(tmp_path, "register.csv", as_csv([registered(Company(1)), registered(Company(2))]))  # type: ignore[arg-type]
    load_register(office, register, as_of=DAY, mode="full")
    deliver([penalty(1, CF_XDR_MC=Company(2).name)])
    attach(office, as_of=DAY)
    return int(str(live(office)["record_id"]))


def test_an_enterprise_is_chosen_by_one_and_signed_by_another(
    platform: Browser, log_in: Enter, office: Office, uncertain: int
) -> None:
    page = platform.get(f"/records/{uncertain}/attach").text
    assert Company(1).uscc in page and Company(2).uscc in page and "支持" in page
    where = ruling_of(platform.post(f"/records/{uncertain}/attach", uscc=Company(2).uscc, reason="决定书写明"))
    assert log_in("李审批", Role.APPROVER).post(where, act="approve", reason="同意").status_code == 303
    query = sa.text("SELECT uscc, grade FROM attachment ORDER BY attachment_id DESC LIMIT 1")
    with office.engine.connect() as connection:
        assert tuple(connection.execute(query).one()) == (Company(2).uscc, "certain")


def test_every_decision_stands_in_the_audit_log(
    platform: Browser, log_in: Enter, office: Office, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, CF_JDRQ="2018/13/01")])
    platform.post(f"/records/{live(office)['record_id']}/correct", **{"cell.CF_JDRQ": "2018/08/15"}, reason="对照")
    auditor = log_in("赵审计", Role.AUDITOR)
    assert "王平台" in auditor.get("/audit").text
    assert "核验通过" in auditor.get("/audit/verify").text
