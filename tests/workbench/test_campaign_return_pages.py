"""专项行动填报: the form of an agency and month, what the rules say of it, who enters, accepts and reads."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable

import pytest
from browsing import Browser, Clock
from delivering import penalty
from openpyxl import Workbook, load_workbook

from pipeline.office import Office
from store import campaign_returns as returns
from store.accounts import Role
from transforms.campaign.sheets import sheets

Enter = Callable[..., Browser]

JULY = "/campaign/wj2018/aic/2018-07"
CITY = "110000"


def filled(**changed: str) -> dict[str, str]:
    """A whole return of 工商: every required item told, none of them strange."""
    told = {item.code: "0" for item in sheets().required_of("aic")} | {"checks_online": "120", "rectified": "9"}
    return {f"cell.{CITY}.{code}": value for code, value in (told | changed).items()}


def versions(office: Office) -> list[tuple[int, str, str]]:
    with office.engine.connect() as connection:
        held = returns.versions(connection, "wj2018", agency="aic", period="2018-07")
    return [(each.version, each.person, each.state) for each in held]


@pytest.fixture
def steward(log_in: Enter, deliver: Callable[..., int]) -> Browser:
    """A steward of 工商, on the business day of a delivery in August."""
    deliver([penalty(1)])
    return log_in("钱工商", Role.AGENCY, "aic")


def test_an_agency_fills_in_its_own_return_and_sees_no_other(
    steward: Browser, platform: Browser, log_in: Enter, office: Office
) -> None:
    assert "北京市工商行政管理局" in steward.get("/campaign").text and "网信" not in steward.get("/campaign").text
    assert "网信" in platform.get("/campaign").text
    assert steward.post(JULY, seen="0", **filled()).status_code == 303
    assert versions(office) == [(1, "钱工商", "submitted")]
    stranger = log_in("孙网信", Role.AGENCY, "cac")
    for answer in (
        stranger.get(JULY), stranger.get(f"{JULY}/form"), stranger.post(JULY, seen="1", **filled()),
        stranger.post(f"{JULY}/check", **filled()),
        stranger.client.post(f"{JULY}/file", data={"csrf": stranger.csrf()}, files={"file": ("a.csv", b"x")}),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert stranger.post(f"{JULY}/decision", decision="accepted", version="1", state="submitted").status_code == 403
    assert steward.post(f"{JULY}/decision", decision="accepted", version="1", state="submitted").status_code == 403
    for path in ("/campaign/none/aic/2018-07", "/campaign/wj2018/aic/2018-06", "/campaign/wj2018/none/2018-07"):
        assert platform.get(path).status_code == 404
    assert platform.get("/campaign/wj2018/aic/2018-13").status_code == 422


def test_an_auditor_and_an_approver_read_only(steward: Browser, log_in: Enter) -> None:
    steward.post(JULY, seen="0", **filled())
    for name, role in (("赵审计", Role.AUDITOR), ("李审批", Role.APPROVER)):
        reader = log_in(name, role)
        page = reader.get(JULY)
        assert page.status_code == 200 and "120" in page.text and '<input type="text"' not in page.text
        assert reader.post(JULY, seen="1", **filled(checks_online="1")).status_code == 403
        assert reader.post(f"{JULY}/check", **filled()).status_code == 403


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"checks_online": "12个"}, "不是可以填报的数"),
        ({"checks_online": "-1"}, "不是可以填报的数"),
        ({"checks_online": "1.5"}, "计数项目应为整数"),
        ({"case_value": "1.005"}, "万元项目保留两位小数"),
        ({"to_police": "3", "cases": "2"}, "移送公安机关的案件应不多于查处涉网违法案件"),
    ],
)
def test_an_error_is_told_beside_its_item_and_never_entered(
    steward: Browser, office: Office, told: dict[str, str], rule: str
) -> None:
    page = steward.post(JULY, seen="0", reason="确实如此", **filled(**told))
    assert page.status_code == 422
    beside = re.search(rf'data-beside="{next(iter(told))}">(.*?)</div></td>', page.text, re.DOTALL)
    assert beside and rule in beside[1] and "错误" in beside[1] and "填" in beside[1] + "填"
    assert all(f'value="{value}"' in page.text for value in told.values()), "what was typed stays"
    assert "确实如此" in page.text and versions(office) == []


def test_districts_do_not_exceed_the_city(steward: Browser, office: Office) -> None:
    apart = {"cell.110105.checks_online": "100", "cell.110108.checks_online": "30"}
    page = steward.post(JULY, seen="0", **filled() | apart)
    assert page.status_code == 422 and "各区之和 130 个次" in page.text and "全市数 120 个次" in page.text
    assert steward.post(JULY, seen="0", **filled(checks_online="１，３０".replace("，", "")) | apart).status_code == 303
    assert 'aria-label="朝阳区 网上检查网站、网店"' in steward.get(JULY).text


def test_a_figure_told_by_districts_alone_is_added_up_beside_the_citys_empty_cell(steward: Browser) -> None:
    apart = {"cell.110105.checks_online": "100", "cell.110108.checks_online": "30"}
    assert "各区合计" not in steward.get(JULY).text
    assert steward.post(JULY, seen="0", **filled(checks_online=""), **apart).status_code == 303
    assert "各区合计 130" in steward.get(JULY).text


def test_a_warning_is_entered_with_a_reason_and_not_without(steward: Browser, office: Office) -> None:
    strange = filled(to_police="1", checks_online="")
    page = steward.post(JULY, seen="0", **strange)
    assert page.status_code == 422 and "2 处须说明" in page.text
    assert "网上检查网站、网店未填" in page.text and "归集" in page.text
    assert steward.post(JULY, seen="0", reason="见证件 11010519491231002X", **strange).status_code == 422
    assert versions(office) == []
    assert steward.post(JULY, seen="0", reason="移送的是六月立案的案件", **strange).status_code == 303
    page = steward.get(JULY).text
    assert "移送的是六月立案的案件" in page and "2 处有说明" in page


def test_who_was_slower_sees_both_versions_and_loses_nothing(
    steward: Browser, platform: Browser, office: Office
) -> None:
    steward.post(JULY, seen="0", **filled())
    page = platform.post(JULY, seen="0", reason="代填", **filled(checks_online="150"))
    assert page.status_code == 409 and "钱工商 提交了第 1 版" in page.text
    assert 'value="150"' in page.text and "代填" in page.text and "现在第 1 版" in page.text
    assert re.search(r'class="n warn">120<', page.text), "what differs stands beside"
    assert versions(office) == [(1, "钱工商", "submitted")]
    [seen] = re.findall(r'name="seen" value="(\d+)"', page.text)
    assert platform.post(JULY, seen=seen, reason="代填", **filled(checks_online="150")).status_code == 303
    assert versions(office)[0] == (2, "王平台", "submitted")
    old = platform.get(JULY, version=1).text
    assert ">120<" in old and "已有更新的版本" in old
    assert platform.get(JULY, version=3).status_code == 404


def test_the_same_figures_make_no_new_version(steward: Browser, office: Office) -> None:
    steward.post(JULY, seen="0", **filled())
    assert "没有改动" in steward.post(JULY, seen="1", **filled()).text
    assert len(versions(office)) == 1


def test_the_platform_accepts_or_sends_back_what_another_submitted(
    steward: Browser, platform: Browser, office: Office
) -> None:
    steward.post(JULY, seen="0", **filled())
    seen = {"version": "1", "state": "submitted"}
    assert platform.post(f"{JULY}/decision", decision="sent_back", **seen).status_code == 422
    assert platform.post(f"{JULY}/decision", decision="sent_back", reason="漏报八月", **seen).status_code == 303
    assert platform.post(f"{JULY}/decision", decision="accepted", **seen).status_code == 409
    page = steward.get(JULY).text
    assert "漏报八月" in page and "已退回" in steward.get("/campaign").text
    assert steward.post(JULY, seen="1", **filled()).status_code == 303, "sent back, it may be explained anew"
    assert platform.post(f"{JULY}/decision", decision="accepted", version="2", state="submitted").status_code == 303
    assert versions(office) == [(2, "钱工商", "accepted"), (1, "钱工商", "sent_back")]
    assert "campaign_return_decision" in platform.get("/audit").text
    platform.post(JULY, seen="2", **filled(checks_online="7"))
    own = platform.post(f"{JULY}/decision", decision="accepted", version="3", state="submitted")
    assert own.status_code == 409 and "填报人以外的人" in own.text


def test_a_month_that_is_not_over_is_not_filled_in_and_one_past_its_term_is_late(
    steward: Browser, clock: Clock, deliver: Callable[..., int]
) -> None:
    august = "/campaign/wj2018/aic/2018-08"
    page = steward.get(august).text
    assert "尚未结束" in page and "<textarea" not in page
    assert steward.post(august, seen="0", **filled()).status_code == 422
    assert "尚未填报" in steward.get("/").text and "2018-07" in steward.get("/").text
    steward.post(JULY, seen="0", **filled())
    assert "专项行动" not in re.sub(r"<nav.*?</nav>", "", steward.get("/").text, flags=re.DOTALL)


def test_returns_past_their_term_stand_beside_the_silent_sources_and_not_among_them(
    platform: Browser, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1)], day=dt.date(2018, 12, 20))
    page = platform.get("/")
    assert page.status_code == 200 and "其中逾期" in page.text
    assert "所有来源都在时限内应答" in page.text


def test_the_form_goes_out_as_a_workbook_and_comes_back_filled(steward: Browser, office: Office) -> None:
    answer = steward.get(f"{JULY}/form")
    assert answer.headers["content-disposition"] == 'attachment; filename="wj2018_aic_2018-07.xlsx"'
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book["统计表"]
    header = [cell.value for cell in sheet[1]]
    assert [header[place] for place in (2, 5, 6)] == ["项目编码", "全市", "东城区"]
    for row in sheet.iter_rows(min_row=2):
        row[5].value = "4" if row[2].value == "checks_onsite" else "0"
    content = io.BytesIO()
    book.save(content)
    page = upload(steward, "七月.xlsx", content.getvalue())
    assert page.status_code == 200 and "尚未提交" in page.text
    assert re.search(r'name="cell.110000.checks_onsite" value="4"', page.text) and versions(office) == []


def test_a_file_of_another_month_or_with_unknown_columns_names_file_row_field_and_remedy(
    steward: Browser, office: Office
) -> None:
    wrong = "机关,月份,项目编码,全市,海定区\naic,2018-08,checks_online,3,1\naic,2018-07,checks_online,3,\n,,,5,\n"
    page = upload(steward, "错.csv", wrong.encode("gb18030"))
    assert page.status_code == 422
    for told in (
        "[month] 错.csv 第 2 行 字段 月份: 此行是 2018-08 的", "[column] 错.csv 第 1 行 字段 海定区",
        "[item] 错.csv 第 3 行 字段 项目编码: checks_online 已在第 2 行填过",
        "[item] 错.csv 第 4 行 字段 项目编码: 有数而没有项目编码", "处理办法",
    ):  # fmt: skip
        assert told in page.text, told
    assert upload(steward, "空.csv", b"").status_code == 422
    unasked = upload(steward, "项目.csv", "项目编码,全市\npolice_cases,3\n".encode()).text
    assert "police_cases 不是本机关填报的项目" in unasked
    book = Workbook()
    book.active.append(["项目编码", "项目", "全市"])  # type: ignore[union-attr]
    book.active.append(["checks_online", "", "=1+1"])  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    assert "F17" in upload(steward, "公式.xlsx", content.getvalue()).text
    assert versions(office) == []


def upload(browser: Browser, name: str, content: bytes) -> object:
    return browser.client.post(f"{JULY}/file", data={"csrf": browser.csrf()}, files={"file": (name, content)})


def test_the_live_check_answers_with_what_stands_beside_each_item(steward: Browser, office: Office) -> None:
    page = steward.post(f"{JULY}/check", **filled(checks_online="x", to_police="2")).text
    assert 'data-of="checks_online"' in page and 'data-of="to_police"' in page and "1 处错误" in page
    assert "各项规则均已通过" in steward.post(f"{JULY}/check", **filled()).text
    assert "尚未填写" in steward.post(f"{JULY}/check", **{}).text or versions(office) == []
