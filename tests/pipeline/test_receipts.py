"""回执: a site says what it shows; only what agrees with the release acknowledges it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from delivering import penalty

from feeds.client import apply_release
from feeds.receipt import Receipt, ReceiptError, write_receipt
from store import audit, receipts
from store.receipts import Received, ReleaseUnknown


def enter(desk: Any, told: Receipt) -> Received:
    with desk.office.engine.begin() as connection:
        return receipts.enter(
            connection, site=told.site, sequence=told.sequence, manifest_sha256=told.manifest_sha256,
            outcome=told.outcome, tables=told.tables, problems=told.problems, person="王平台",
        )  # fmt: skip


@pytest.fixture
def applied(known: Any, tmp_path: Path) -> Receipt:
    """The receipt of a site that took its first release."""
    known.ingest([penalty(1), penalty(2)])
    known.attach()
    known.publish()
    report = apply_release(known.office.settings.feeds / "creditchina", tmp_path / "site")
    written = write_receipt(report, tmp_path / "receipt.json")
    assert Receipt.from_bytes((tmp_path / "receipt.json").read_bytes()) == written
    return written


def test_a_receipt_of_the_reference_client_acknowledges_the_release_once(known: Any, applied: Receipt) -> None:
    first = enter(known, applied)
    assert (first.acknowledged, first.differs, first.outcome) == (True, (), "applied")
    assert enter(known, applied).receipt_id == first.receipt_id
    with known.office.engine.connect() as connection:
        assert [each.action for each in audit.events(connection, about="release:creditchina/1")] == ["receipt"]


def test_other_bytes_other_counts_and_a_refusal_acknowledge_nothing(known: Any, applied: Receipt) -> None:
    other = applied.model_copy(update={"manifest_sha256": "0" * 64})
    fewer = applied.model_copy(update={"tables": {**applied.tables, "CF": 1}})
    refused = applied.model_copy(update={"outcome": "refused", "tables": {}, "problems": ("文件不完整",)})
    assert enter(known, other).differs == ("manifest",)
    assert enter(known, fewer).differs == ("CF",)
    told = enter(known, refused)
    assert (told.acknowledged, told.problems) == (False, ("文件不完整",))
    with pytest.raises(ReleaseUnknown):
        enter(known, applied.model_copy(update={"sequence": 9}))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"site": "gsxt"}', b"{" * 2_000_000, '{"site": "汉"}'.encode()])
def test_what_is_no_receipt_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(ReceiptError):
        Receipt.from_bytes(content)
