"""退回机关: a notice holds what failed as it was received, without personal data, and what comes back settles it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, as_csv, document_no, licence, penalty, registered, write

from pipeline.ingest import ingest_file
from pipeline.returning import NothingToReturn, list_notices, make_notice, notice_file, read_notice, returnable
from pipeline.rulings import propose
from store import audit
from store.returns import Notice, sha256
from transforms.columns import Kind

WRONG_CODE = "91110105MA0000000X"
TELEPHONE = "13911112222"


def sheets_of(desk: Any, notice: Notice) -> dict[str, list[list[str]]]:
    content = notice_file(desk.office, notice.notice_id, "workbook")
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {
        sheet.title: [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)] for sheet in book
    }


def make(desk: Any, **how: Any) -> Notice:
    return make_notice(desk.office, "aic", **{"person": "王平台", "as_of": DAY} | how)


def test_five_hundred_rows_mended_in_the_workbook_close_their_items_in_one_ingest(desk: Any, tmp_path: Path) -> None:
    desk.register(registered(Company(serial)) for serial in range(1, 501))
    desk.ingest([penalty(serial, CF_XDR_SHXYM=WRONG_CODE) for serial in range(1, 501)])
    notice = make(desk)
    assert (notice.rows, notice.reviews, notice.left) == (500, 500, 500)

    book = openpyxl.load_workbook(io.BytesIO(notice_file(desk.office, notice.notice_id, "workbook")))
    sheet = book["行政处罚"]
    header = [str(cell.value) for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        serial = next(n for n in range(1, 501) if document_no(n) == row[header.index("CF_WSH")].value)
        row[header.index("CF_XDR_SHXYM")].value = Company(serial).uscc
    path = tmp_path / "mended.xlsx"
    book.save(path)
    taken = ingest_file(desk.office, path, agency="aic", kind=Kind.PENALTY, as_of=NEXT_DAY)

    assert (taken.rows, taken.row_states["accepted"]) == (500, 500)
    assert desk.query("SELECT count(*) AS n FROM review WHERE state = 'open'") == [{"n": 0}]
    settled = read_notice(desk.office, notice.notice_id)
    assert (settled.left, settled.closed) == (0, {"source_fixed": 500})
    with pytest.raises(NothingToReturn):
        make(desk, again=True)


def test_rows_stand_as_received_with_their_rules_and_without_personal_data(known: Any) -> None:
    known.ingest(
        [
            penalty(1, CF_XDR_SHXYM=WRONG_CODE, CF_GSJZQ="2018/07/01", CF_FR_ZJHM=SOMEONE, BZ=f"电话{TELEPHONE}"),
            penalty(2, CF_JDRQ="=2018/13/01", CF_NR=f"罚款人民币20000元, 身份证{SOMEONE}"),
            penalty(3),
        ]
    )
    known.ingest([licence(1, XK_XKLB="无此类")], kind=Kind.LICENCE)
    notice = make(known, remark="请于本周内改正")
    sheets = sheets_of(known, notice)
    assert list(sheets) == ["行政许可", "行政处罚", "问题清单"]
    header, first, second = sheets["行政处罚"]
    assert header[-5:] == ["退回原因", "处理办法", "处理期限", "原文件", "原行号"]
    row = dict(zip(header, first, strict=True))
    assert (row["CF_WSH"], row["CF_XDR_SHXYM"], row["原行号"]) == (document_no(1), WRONG_CODE, "2")
    assert "(R03.uscc)" in row["退回原因"] and "(R12.date_order)" in row["退回原因"]
    assert row["CF_FR_ZJHM"] == "********"
    assert dict(zip(header, second, strict=True))["CF_JDRQ"] == "=2018/13/01"
    assert f"统一社会信用代码“{WRONG_CODE}”不正确: 末位校验码不符" in row["退回原因"]
    said = dict(line[4:8:2] for line in sheets["问题清单"][1:])
    assert said["R10.decision_date"].startswith("处罚决定日期“=2018/13/01”不能作为日期")
    listed = [line[4] for line in sheets["问题清单"][1:]]
    assert set(listed) >= {"R14.category", "R03.uscc", "R12.date_order", "R10.decision_date"}
    cover = notice_file(known.office, notice.notice_id, "cover").decode()
    assert "北京市工商行政管理局" in cover and "请于本周内改正" in cover and notice.workbook_sha256 in cover
    for text in (str(sheets), cover):
        assert SOMEONE not in text and TELEPHONE not in text


def test_what_could_not_be_split_goes_back_as_it_stood(known: Any) -> None:
    known.ingest(as_csv([penalty(1)], extra_lines=[f"一行,只有三格,{SOMEONE}"]))
    notice = make(known)
    sheets = sheets_of(known, notice)
    [title] = [title for title in sheets if "无法拆分" in title]
    assert "只有三格" in sheets[title][1][0]
    assert SOMEONE not in str(sheets)


def test_a_notice_tells_an_item_once_until_its_agency_sends_it_wrong_again(known: Any) -> None:
    known.ingest([penalty(1, CF_XDR_SHXYM=WRONG_CODE), penalty(2, CF_GSJZQ="2018/07/01")])
    first = make(known, rules=["R03.uscc"])
    assert (first.rows, returnable(known.office)[0].untold) == (1, 1)
    assert make(known).rows == 1
    with pytest.raises(NothingToReturn):
        make(known)
    assert make(known, again=True).rows == 2
    known.ingest([penalty(1, CF_XDR_SHXYM=WRONG_CODE, BZ="又一次")], NEXT_DAY)
    assert make(known).rows == 1
    assert [notice.rows for notice in list_notices(known.office, "aic")] == [1, 2, 1, 1]
    assert list_notices(known.office, "fda") == []


def test_what_a_steward_sent_back_is_in_the_notice_with_the_stewards_words(known: Any) -> None:
    known.ingest([penalty(1, CF_NR_FK="20000")])
    assert returnable(known.office) == []
    [held] = known.query("SELECT DISTINCT record_id FROM review")
    propose(known.office, held["record_id"], sends_back="请核对金额单位", person="王平台", reason="金额可疑", as_of=DAY)
    notice = make(known)
    assert "请核对金额单位" in str(sheets_of(known, notice)["行政处罚"][1])


def test_a_notice_is_kept_as_issued_and_stands_in_the_audit_log(known: Any, tmp_path: Path) -> None:
    path = write(tmp_path, "cf.csv", as_csv([penalty(1, CF_XDR_SHXYM=WRONG_CODE)]))
    ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    notice = make(known)
    workbook = notice_file(known.office, notice.notice_id, "workbook")
    assert sha256(workbook) == notice.workbook_sha256
    assert sha256(notice_file(known.office, notice.notice_id, "cover")) == notice.cover_sha256
    with known.office.engine.connect() as connection:
        [event] = audit.events(connection, about=f"return_notice:{notice.notice_id}")
        assert (event.actor, notice.workbook_sha256 in event.details) == ("王平台", True)
        assert list(audit.faults(connection)) == []
    [told] = known.query("SELECT event, person, reason FROM review_event")
    assert told == {"event": "notified", "person": "王平台", "reason": f"return notice {notice.notice_id}"}
    with pytest.raises(Exception, match="append-only"):
        known.change("UPDATE return_notice SET remark = 'x'")


def test_the_list_of_problems_holds_no_number_of_a_person(desk: Any, tmp_path: Path) -> None:
    desk.register([registered(Company(1))])
    rows = [
        penalty(1, CF_XDR_SHXYM=WRONG_CODE) | {"CF_XDR_MC": f"张三, 手机{TELEPHONE}"},
        penalty(2, CF_JDRQ=f"2018/13/01 手机{TELEPHONE}"),
        penalty(3, CF_XDR_SHXYM=WRONG_CODE, CF_WSH=f"京工商罚字〔2018〕第3号 手机{TELEPHONE}"),
    ]
    path = write(tmp_path, f"张三{SOMEONE}.csv", as_csv(rows))
    ingest_file(desk.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    sheets = sheets_of(desk, make(desk))
    assert len(sheets["问题清单"]) > 3
    assert TELEPHONE not in str(sheets) and SOMEONE not in str(sheets)
    assert f"张三{SOMEONE[:6]}********{SOMEONE[-4:]}.csv" in str(sheets["行政处罚"]), "原文件"
