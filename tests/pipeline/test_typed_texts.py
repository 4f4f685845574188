"""What people type beside their decisions holds no number of a person: refused at once, and never in the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, penalty

from pipeline import retention, rulings, scorecard, steps
from pipeline.accounts import AccountRefused, add_account
from pipeline.campaign import filling
from pipeline.campaign.filling import ReturnInvalid
from pipeline.holds import decide
from pipeline.replay import compare, past_runs, replay
from pipeline.resync import resync
from pipeline.returning import make_notice
from pipeline.scratch import scratch_office
from store import audit, receipts, reviews, runs
from store.accounts import Role
from store.retention import Scope
from store.reviews import Filters
from store.runs import Step
from store.scorecards import Output
from store.typed_text import NumberTyped, masked_name, masked_told, require_no_number
from transforms.campaign.sheets import sheets
from transforms.columns import Kind

TELEPHONE: Final = "13812345678"
BAD_DATE: Final = {"CF_JDRQ": "2018/13/45"}
HOTLINE: Final = "已电话核实, 投诉请拨 12315 或 400-123-4567"


def record_of(desk: Any) -> int:
    [row] = desk.query("SELECT max(record_id) AS newest FROM penalty")
    return int(row["newest"])


def review_act(act: Callable[..., object], **other: Any) -> Callable[[Any, str], object]:
    def do(desk: Any, said: str) -> object:
        with desk.office.engine.begin() as connection:
            [item, *_] = reviews.list_reviews(connection, Filters())
            return act(connection, item.review_id, person="张三", reason=said, **other)

    return do


def correction(desk: Any, said: str) -> object:
    return rulings.propose(
        desk.office, record_of(desk), cells={"CF_JDRQ": "2018/08/01"}, person="张三", reason=said, as_of=NEXT_DAY
    )


def correction_text(desk: Any, said: str) -> object:
    return rulings.propose(
        desk.office, record_of(desk), cells={"CF_SY": said}, person="张三", reason="对照决定书", as_of=NEXT_DAY
    )


def sending_back(desk: Any, said: str) -> object:
    return rulings.propose(
        desk.office, record_of(desk), sends_back=said, person="张三", reason="请改正", as_of=NEXT_DAY
    )


def campaign(desk: Any, said: str) -> object:
    asked = filling.asked_for(sheets().actions[-1].id, "aic", "2018-07")
    cells = {("city", item.code): "4" for item in sheets().required_of("aic")}
    return filling.submit(desk.office, asked, cells, seen=0, person="张三", reason=said, as_of=NEXT_DAY)


def legal_hold(desk: Any, said: str) -> object:
    return retention.add_hold(desk.office, Scope(uscc="91110105MA00000000"), person="张三", reason=said, as_of=DAY)


def end_of_legal_hold(desk: Any, said: str) -> None:
    hold = retention.add_hold(desk.office, Scope(from_day=DAY, to_day=DAY), person="张三", reason="诉讼", as_of=DAY)
    retention.end_hold(desk.office, hold, person="张三", reason=said, as_of=DAY)


TYPED: Final[dict[str, Callable[[Any, str], object]]] = {
    "附言 of a notice": lambda desk, said: make_notice(desk.office, "aic", person="王平台", as_of=DAY, remark=said),
    "remark on an item": review_act(reviews.comment),
    "claim": review_act(reviews.claim),
    "passing on": review_act(reviews.assign, to="李四"),
    "reason of a correction": correction,
    "text of a correction": correction_text,
    "sending back": sending_back,
    "name": lambda desk, said: rulings.propose(
        desk.office, record_of(desk), cells={"CF_JDRQ": "2018/08/01"}, person=said, reason="对照决定书", as_of=NEXT_DAY
    ),
    "legal hold": legal_hold,
    "end of a legal hold": end_of_legal_hold,
    "resynchronisation": lambda desk, said: resync(
        desk.office, "aic", "penalty", as_of=DAY, person="张三", reason=said
    ),
    "where numbers come from": lambda desk, said: scorecard.tell_output(
        desk.office, "aic", Kind.PENALTY, DAY.replace(day=1), Output(7, None, None), source=said, person="张三"
    ),
    "return of a campaign": campaign,
    "account": lambda desk, said: add_account(desk.office, said, role=Role.PLATFORM, password="一二三四 correct"),
}


@pytest.mark.parametrize("act", TYPED)
@pytest.mark.parametrize(("number", "what"), [(SOMEONE, "居民身份证号"), (TELEPHONE, "电话号码")])
def test_a_number_of_a_person_is_refused_wherever_it_is_typed(known: Any, act: str, number: str, what: str) -> None:
    known.ingest([penalty(1, **BAD_DATE), penalty(2, CF_GSJZQ="2018/07/01")])
    kept = everything_kept(known)
    refusals = (NumberTyped, ReturnInvalid, AccountRefused)
    with pytest.raises(refusals, match=f"含疑似{what}, 没有记入: 请删去") as refused:
        TYPED[act](known, f"当事人张三 {number} 已改正")
    assert number not in str(refused.value), "the refusal goes to screens and logs"
    if act != "end of a legal hold":
        assert everything_kept(known) == kept
    assert number not in json.dumps(everything_kept(known), default=str, ensure_ascii=False)


def everything_kept(desk: Any) -> list[dict[str, Any]]:
    tables = ("audit_event", "step_run", "review_event", "ruling", "return_notice", "legal_hold", "watermark_move",
              "agency_output", "campaign_return", "account")  # fmt: skip
    return [row for table in tables for row in desk.query(f"SELECT '{table}' AS kept, * FROM {table}")]


def test_the_hotline_of_an_office_may_be_typed(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    require_no_number("理由", HOTLINE)
    assert correction(known, HOTLINE)


def held(desk: Any) -> int:
    desk.change("INSERT INTO delivery (agency, kind, as_of, content_sha256, state, full_set)"
                " VALUES ('aic', 'penalty', '2018-08-21', repeat('a', 64), 'held', false)")  # fmt: skip
    desk.change("INSERT INTO hold (delivery_id, reasons, numbers, explanation, state)"
                " SELECT max(delivery_id), '{mass_change}', '{}', '新增 1 条', 'open' FROM delivery")  # fmt: skip
    [row] = desk.query("SELECT max(hold_id) AS newest FROM hold")
    return int(row["newest"])


def test_the_reason_for_a_held_delivery_is_refused_and_the_hold_stays_open(desk: Any) -> None:
    hold_id = held(desk)
    with pytest.raises(NumberTyped, match="理由含疑似居民身份证号") as refused:
        decide(desk.office, hold_id, person="张三", decision="reject", reason=f"与{SOMEONE}核对")
    assert SOMEONE not in str(refused.value)
    assert desk.query("SELECT state FROM hold") == [{"state": "open"}]
    assert desk.query("SELECT * FROM approval") == []


def test_an_answer_in_airflow_is_entered_without_the_numbers_that_stood_in_it(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_id = held(desk)
    monkeypatch.setattr(steps, "_office", lambda: desk.office)
    steps.decide_hold(hold_id, person="张三", decision="reject", reason=f"{SOMEONE} {TELEPHONE} 来电")
    [entered] = desk.query("SELECT reason FROM approval")
    assert entered["reason"] == f"{SOMEONE[:6]}********{SOMEONE[-4:]} 〔电话略〕 来电"
    kept = json.dumps(everything_kept(desk), default=str, ensure_ascii=False)
    assert SOMEONE not in kept and TELEPHONE not in kept


def test_the_chain_of_the_audit_log_never_takes_a_number_in(desk: Any) -> None:
    said = {"reason": f"{SOMEONE}", "told": {f"电话{TELEPHONE}": [SOMEONE, 7]}, "sha256": "13812345678" + "a" * 53}
    with desk.office.engine.begin() as connection:
        audit.append(connection, actor=f"张三{TELEPHONE}", action="commented", about="review:7", details=said)
        assert list(audit.faults(connection)) == []
        [event] = audit.events(connection, limit=1)
    assert SOMEONE not in event.details and "1" + TELEPHONE[1:] not in event.actor
    assert json.loads(event.details)["sha256"] == said["sha256"], "what names a file names it still"
    assert json.loads(event.details)["told"]["电话〔电话略〕"][1] == 7


def test_a_step_older_than_the_refusal_is_done_again_without_its_numbers(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    correction(known, "对照决定书")
    known.change(
        "UPDATE step_run SET told = jsonb_set(CAST(told AS jsonb), '{reason}', to_jsonb(CAST(:said AS text)))"
        " WHERE step = 'ruling'",
        said=f"与{SOMEONE}核对, {TELEPHONE}",
    )
    with scratch_office(known.office) as target:
        done = replay(known.office, target, past_runs(known.office, "ledger"))
        assert (done.gone, done.otherwise, done.steps["ruling"]) == ([], [], 1)
        assert compare(known.office, target, done).equal
        with target.engine.connect() as connection:
            [ruling] = [run for run in runs.runs(connection) if run.step is Step.RULING]
    assert ruling.told["reason"] == f"与{SOMEONE[:6]}********{SOMEONE[-4:]}核对, 〔电话略〕"


def test_a_receipt_is_kept_without_the_numbers_that_a_site_wrote(known: Any) -> None:
    known.ingest([penalty(1)])
    known.attach()
    known.publish()
    [release] = known.query("SELECT sequence, manifest_sha256 FROM release")
    with known.office.engine.begin() as connection:
        entered = receipts.enter(
            connection, site="creditchina", sequence=release["sequence"], manifest_sha256=release["manifest_sha256"],
            outcome="refused", tables={}, problems=(f"第 2 行含 {SOMEONE}",), person="张三",
        )  # fmt: skip
    assert SOMEONE not in str(entered.problems) and "第 2 行" in entered.problems[0]


def test_names_and_what_is_told_are_masked_and_nothing_else() -> None:
    assert masked_name(f"张三{SOMEONE}.csv") == f"张三{SOMEONE[:6]}********{SOMEONE[-4:]}.csv"
    assert masked_name(f"{SOMEONE}.7z").endswith(".7z") and SOMEONE not in masked_name(f"{SOMEONE}.7z")
    told = {"uscc": "91110105MA0000000X", "rows": 12, "day": DAY, "files": ["xzcf_20180821.csv", None]}
    assert masked_told(told) == told
