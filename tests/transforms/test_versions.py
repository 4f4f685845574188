"""Of several rows about one decision exactly one holds, or a person decides; in whatever order they came."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from transforms.versions import Held, Incoming, Repeat, RowState, Version, against_held, within_delivery

TIMES = [None, "2018-08-20T10:00:00", "2018-08-20T11:00:00", "2018-08-21T09:00:00"]
CONTENT = st.tuples(st.sampled_from("kl"), st.sampled_from("ABC"), st.sampled_from(TIMES))
DAY1, DAY2 = dt.date(2018, 8, 21), dt.date(2018, 8, 22)


def versions(contents: list[tuple[str, str, str | None]]) -> list[Version]:
    return [Version(position, key, content, time) for position, (key, content, time) in enumerate(contents)]


def outcomes(
    contents: list[tuple[str, str, str | None]], known: dict[tuple[str, str], bool] | None = None
) -> Counter[tuple[str, str, str]]:
    found = within_delivery(versions(contents), known=known)
    return Counter(
        (key, content, found[position].outcome if position in found else "kept")
        for position, (key, content, _) in enumerate(contents)
    )


KNOWN = st.dictionaries(st.tuples(st.sampled_from("kl"), st.sampled_from("ABC")), st.booleans())


@given(st.lists(CONTENT, max_size=8), KNOWN, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(contents: list[tuple[str, str, str | None]], known, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = contents[:]
    random.shuffle(shuffled)
    assert outcomes(shuffled, known) == outcomes(contents, known)


@given(st.lists(CONTENT, max_size=8), KNOWN)
def test_every_row_has_one_outcome_and_every_key_one_row_that_holds_or_a_conflict(
    contents: list[tuple[str, str, str | None]], known: dict[tuple[str, str], bool]
) -> None:
    rows = versions(contents)
    found = within_delivery(rows, known=known)
    assert found.keys() <= set(range(len(rows)))
    for key in {row.record_key for row in rows}:
        group = [row for row in rows if row.record_key == key]
        kept = [row for row in group if row.position not in found]
        conflicts = [row for row in group if row.position in found and found[row.position].outcome == "conflict"]
        assert len(kept) == (0 if conflicts else 1)
        assert len({row.content_hash for row in conflicts}) == len(conflicts) != 1
        for row in group:
            repeat = found.get(row.position)
            if repeat is None or repeat.outcome == "conflict":
                assert repeat is None or repeat.of is None
                continue
            [of] = [other for other in group if other.position == repeat.of]
            assert (of.content_hash == row.content_hash) is (repeat.outcome == "duplicate")
            assert of in kept or of in conflicts or found[of.position].outcome == "superseded"
            if repeat.outcome == "superseded":
                assert of in kept


def test_equal_rows_are_duplicates_of_the_one_that_was_updated_last() -> None:
    rows = versions([("k", "A", TIMES[1]), ("k", "A", TIMES[2]), ("k", "A", TIMES[1])])
    assert within_delivery(rows) == {0: Repeat("duplicate", 1), 2: Repeat("duplicate", 1)}


def test_the_newest_content_holds_where_every_row_has_an_update_time() -> None:
    rows = versions([("k", "A", TIMES[1]), ("k", "B", TIMES[2]), ("k", "A", TIMES[3])])
    assert within_delivery(rows) == {0: Repeat("duplicate", 2), 1: Repeat("superseded", 2)}


def test_two_parties_of_one_name_are_told_apart_by_their_codes_whatever_the_times() -> None:
    one, other = Version(0, "k", "A", TIMES[1], "X"), Version(1, "k", "B", TIMES[2], "Y")
    both = {0: Repeat("conflict", None), 1: Repeat("conflict", None)}
    assert within_delivery([one, other]) == both
    assert within_delivery([one, other], known={("k", "A"): True}) == both
    for code in ("X", None):
        assert within_delivery([one, replace(other, uscc=code)]) == {0: Repeat("superseded", 1)}
    again = [one, other, replace(one, position=2)]
    assert within_delivery(again) == both | {2: Repeat("duplicate", 0)}


def test_different_contents_without_an_order_are_a_conflict() -> None:
    for second in (TIMES[1], None):
        rows = versions([("k", "A", TIMES[1]), ("k", "B", second), ("l", "C", None)])
        assert within_delivery(rows) == {0: Repeat("conflict", None), 1: Repeat("conflict", None)}


def test_a_text_that_was_accepted_before_is_no_conflict_with_its_correction() -> None:
    rows = versions([("k", "A", None), ("k", "B", None)])
    assert within_delivery(rows, known={("k", "A"): True}) == {0: Repeat("superseded", 1)}
    both_heard = {("k", "A"): False, ("k", "B"): True}
    assert within_delivery(rows, known=both_heard) == {0: Repeat("superseded", 1)}
    assert within_delivery(rows, known={("l", "A"): True})[0].outcome == "conflict"
    three = [*rows, Version(2, "k", "C", None)]
    assert {repeat.outcome for repeat in within_delivery(three, known={("k", "A"): True}).values()} == {"conflict"}


# --- against what is held ---------------------------------------------------------------------------------------


def incoming(
    content: str = "B", *, updated: str | None = None, status: str = "valid", state: RowState = "accepted"
) -> Incoming:
    return Incoming(9, "k", content, updated, status, state)


def held(
    record_id: int = 1, content: str = "A", *, updated: str | None = None, sheet: str = "standard",
    as_of: dt.date = DAY1, state: RowState = "accepted",
) -> Held:  # fmt: skip
    return Held(record_id, "k", content, updated, sheet, as_of, state)


def decide(
    row: Incoming, *rows: Held, sheet: str = "standard", as_of: dt.date = DAY2
) -> tuple[str, int | None, tuple[int, ...]]:
    decision = against_held([row], {"k": list(rows)}, sheet=sheet, as_of=as_of)[9]
    return decision.state, decision.superseded_by, decision.supersedes


def test_equal_content_is_a_duplicate_and_later_content_supersedes() -> None:
    assert decide(incoming("A"), held()) == ("duplicate", 1, ())
    assert decide(incoming("B"), held()) == ("accepted", None, (1,))
    assert decide(incoming("B"), held(as_of=DAY2), as_of=DAY1) == ("superseded", 1, ())


def test_the_day_of_the_file_goes_before_the_day_of_arrival_where_both_came_in_one() -> None:
    newer, older = replace(held(), file_day=DAY2), replace(held(as_of=DAY2), file_day=DAY1)

    def against(other: Held, file_day: dt.date | None, as_of: dt.date) -> str:
        return against_held([incoming("B")], {"k": [other]}, sheet="standard", as_of=as_of, file_day=file_day)[9].state

    assert against(newer, DAY1, DAY2) == "superseded"
    assert against(older, DAY2, DAY1) == "accepted"
    assert against(older, DAY1, DAY1) == "accepted"
    assert against(newer, None, DAY2) == "accepted"
    assert against(older, None, DAY1) == "superseded"


def test_the_update_time_goes_before_the_day_of_arrival() -> None:
    row = incoming("B", updated=TIMES[2])
    assert decide(row, held(updated=TIMES[3], sheet="legacy"), sheet="legacy") == ("superseded", 1, ())
    assert decide(row, held(updated=TIMES[1], as_of=DAY2), sheet="legacy", as_of=DAY1) == ("accepted", None, (1,))
    assert decide(row, held(updated=TIMES[2], as_of=DAY2), sheet="legacy", as_of=DAY1) == ("superseded", 1, ())


def test_a_row_of_the_old_sheet_displaces_one_of_the_new_only_with_an_event() -> None:
    assert decide(incoming(updated=TIMES[3]), held(), sheet="legacy") == ("superseded", 1, ())
    for event in ("withdrawn", "disputed"):
        row = incoming(updated=TIMES[3], status=event)
        assert decide(row, held(), sheet="legacy") == ("accepted", None, (1,))


def test_a_row_in_review_does_not_displace_what_is_published() -> None:
    assert decide(incoming(state="review"), held()) == ("review", None, ())
    assert decide(incoming(state="review"), held(state="returned")) == ("review", None, (1,))
    assert decide(incoming(), held(state="review"), held(2, "C", state="returned")) == ("accepted", None, (1, 2))


def test_a_returned_row_changes_nothing() -> None:
    assert against_held([incoming(state="returned")], {"k": [held()]}, sheet="standard", as_of=DAY2) == {}


def test_a_sheet_without_a_status_cannot_undo_a_withdrawal() -> None:
    withdrawn = Held(1, "k", "A", None, "legacy", DAY1, "accepted", "withdrawn")
    silent = against_held([incoming("B")], {"k": [withdrawn]}, sheet="standard", as_of=DAY2, says_status=False)[9]
    assert (silent.state, silent.superseded_by) == ("superseded", 1)
    spoken = against_held([incoming("B")], {"k": [withdrawn]}, sheet="standard", as_of=DAY2, says_status=True)[9]
    assert (spoken.state, spoken.supersedes) == ("accepted", (1,))
