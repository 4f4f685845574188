"""The policy tables are complete, dated without gaps, and say where they come from."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from transforms.columns import Kind
from transforms.policy import PolicyInvalid, _period, _period_table, withholdings
from transforms.policy.patterns import read_words, spelled_out


def test_every_row_names_its_source_and_its_display() -> None:
    channels, periods = _period_table()
    assert len({period.id for period in periods}) == len(periods)
    for period in periods:
        assert period.source
        assert period.channel in {channel for read in channels.values() for channel in read}
        assert period.to is None or period.from_ <= period.to
        assert not (period.shown and period.kind is Kind.PENALTY and period.months is None)
        if period.months is not None:
            assert (period.min_months or 0) <= period.months <= (period.max_months or period.months)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_rules_of_a_channel_follow_each_other_without_a_gap_and_end_in_a_rule_for_every_class(kind: Kind) -> None:
    channels, periods = _period_table()
    for read in channels.values():
        every_class = [p for p in periods if p.channel in read and p.kind is kind and not p.any_of and not p.only]
        for earlier, later in pairwise(every_class):
            assert earlier.to is not None
            assert earlier.to + dt.timedelta(days=1) == later.from_
        assert every_class[-1].to is None


def test_every_reason_for_withholding_has_its_words_and_its_legal_basis() -> None:
    expected = {
        "natural_person", "withdrawn", "invalid", "not_public", "expired", "policy_not_shown", "no_policy", "replaced",
        "in_doubt", "absent_from_full_set", "not_accepted",
    }  # fmt: skip
    assert withholdings().keys() == expected
    assert all(row.reason and row.legal_basis for row in withholdings().values())


def test_a_row_that_cannot_be_used_is_refused_by_name() -> None:
    row = {
        "id": "x",
        "channel": "gsxt",
        "kind": "penalty",
        "from": dt.date(2018, 1, 1),
        "clock": "decision",
        "source": "s",
    }
    with pytest.raises(PolicyInvalid, match="x: says neither"):
        _period(row)
    with pytest.raises(PolicyInvalid, match="x: unknown key until"):
        _period(row | {"months": 3, "until": 1})


def test_a_word_of_a_pattern_is_built_of_earlier_ones() -> None:
    words = read_words({"A": "a+", "B": "(?:<A>|b)"})
    assert spelled_out("(?P<cut><B>)(?<!<A>)", words, "x") == "(?P<cut>(?:a+|b))(?<!a+)"
    assert "王" in words["SURNAMES"]
    with pytest.raises(PolicyInvalid, match="A: no word B"):
        read_words({"A": "<B>", "B": "b"})
