"""What a decision tells of a person is cut on its way into a feed, in all running text and on every site."""

from __future__ import annotations

from typing import Any

from delivering import DAY, licence, penalty

from transforms.columns import Kind

CARD = "4000 0000 0000 0002"
TOLD = f"张某，家住北京市朝阳区仿真路1号，驾驶京A12345号货车，汇入银行卡{CARD}，"
SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


def test_no_feed_holds_a_bank_card_a_plate_or_a_home_address(known: Any) -> None:
    known.ingest([penalty(1, CF_SY=TOLD, CF_YJ=TOLD, CF_NR=f"罚款人民币20000元，{TOLD}", CF_WFXW=TOLD), penalty(2)])
    known.ingest([licence(1, XK_NR=TOLD, XK_XKZS="道路运输证京A12345")], kind=Kind.LICENCE)
    known.attach()
    known.publish(DAY, *SITES)
    shown = {
        path.name: path.read_text("utf-8")
        for site in SITES
        for path in (known.office.settings.feeds / site / "current").glob("*.full.*")
    }
    assert sum("〔车牌略〕" in text for text in shown.values()) >= len(SITES) * 3
    for text in shown.values():
        assert not any(private in text for private in (CARD, "京A12345", "仿真路1号"))
    facts = shown["CF.full.jsonl"]
    assert "张某，家住〔住址略〕，驾驶〔车牌略〕号货车，汇入银行卡〔卡号略〕，" in facts
    [kept] = known.query("SELECT facts FROM penalty WHERE facts LIKE '%银行卡%'")
    assert kept == {"facts": TOLD}, "stewards see what was received"
