"""What happens to a record that is told again on a later day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from delivering import DAY, NEXT_DAY, SOMEONE, document_no, legacy_penalty, licence, penalty

from pipeline.reconcile import reconcile
from transforms.columns import Kind

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


def lines(feeds: Path, site: str, part: str) -> list[dict[str, Any]]:
    """Rows of one part of a site's penalty table, from its JSON Lines."""
    table = "CF" if site.startswith("credit") else "E_OT_CASE"
    text = (feeds / site / "current" / f"{table}.{part}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_changes_withdrawals_and_corrections_reach_the_sites(known: Any) -> None:
    stays, changes, falls, mended = penalty(1), penalty(2), legacy_penalty(3), penalty(4, CF_CFLB="训诫")
    newest = legacy_penalty(5, SJC="2018-08-20 10:00:00", CF_JG="罚款人民币5万元")
    known.ingest([stays, changes, mended])
    legacy = known.ingest([falls, newest])
    known.attach()
    known.publish(DAY, *SITES)
    feeds = known.office.settings.feeds
    for site in SITES:
        assert len(lines(feeds, site, "full")) == 4
    assert known.query("SELECT count(DISTINCT record_id) AS n FROM open_review") == [{"n": 1}]

    known.ingest([changes | {"CF_NR": "罚款人民币3万元", "CF_NR_FK": "3"}, mended | {"CF_CFLB": "罚款"}], NEXT_DAY)
    known.ingest(
        [
            falls | {"CF_ZT": "1", "SJC": "2018-08-22 09:00:00"},
            newest | {"CF_JG": "罚款人民币4万元", "SJC": "2018-08-19 09:00:00"},
        ],
        NEXT_DAY,
    )
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY, *SITES)

    assert known.states(legacy.delivery_id) == {2: "superseded", 3: "published"}
    late = known.query("SELECT state FROM penalty WHERE updated_at LIKE '2018-08-19%'")
    assert late == [{"state": "superseded"}]
    assert known.query("SELECT count(*) AS n FROM open_review") == [{"n": 0}], "the correction closes the returned row"
    for site in SITES:
        full, delta, tombstones = (lines(feeds, site, part) for part in ("full", "delta", "tombstones"))
        assert [len(full), len(delta), len(tombstones)] == [4, 2, 1], site
        text = json.dumps([full, delta], ensure_ascii=False)
        assert "5万元" in text
        assert "4万元" not in text
        assert "撤销" in json.dumps(tombstones, ensure_ascii=False)
    assert reconcile(known.office).ok


def test_a_record_in_review_does_not_displace_what_is_shown(known: Any) -> None:
    known.ingest([licence(1)], DAY, Kind.LICENCE)
    doubtful = known.ingest([licence(1, XK_NR=f"准予经营, 联系人证件{SOMEONE}")], NEXT_DAY, Kind.LICENCE)
    assert dict(doubtful.row_states) != {"accepted": 1}
    assert known.query("SELECT state FROM licence ORDER BY record_id")[0] == {"state": "accepted"}


def test_an_older_file_that_comes_late_does_not_displace_a_newer_one(known: Any) -> None:
    known.ingest([penalty(1, CF_NR="罚款人民币3万元", CF_NR_FK="3")], NEXT_DAY)
    late = known.ingest([penalty(1)], DAY)
    assert dict(late.row_states) == {"superseded": 1}
    assert known.query("SELECT content FROM penalty WHERE state = 'accepted'") == [{"content": "罚款人民币3万元"}]


def test_brackets_and_blanks_do_not_make_another_record(known: Any) -> None:
    known.ingest([penalty(1)])
    variant = document_no(1).replace("〔", "[").replace("〕", "]").replace("第", " 第")
    again = known.ingest([penalty(1, CF_WSH=variant, CF_NR="罚款人民币20000元。")], NEXT_DAY)
    assert dict(again.row_states) == {"accepted": 1}
    assert known.query("SELECT count(*) AS n FROM penalty WHERE state = 'superseded'") == [{"n": 1}]


def test_two_contents_in_one_file_are_held_for_a_person(known: Any) -> None:
    taken = known.ingest([penalty(1), penalty(1, CF_NR="罚款人民币3万元", CF_NR_FK="3"), penalty(2)])
    assert dict(taken.row_states) == {"accepted": 1, "review": 2}
    assert taken.failures["R22.same_document"] == 2
