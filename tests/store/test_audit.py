"""An audit log that was changed, cut or put in another order says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import audit
from store.audit import GENESIS, Head

_EVENTS: Final = 7
_TEXTS: Final = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=8)


def write(connection: sa.Connection, events: int = _EVENTS) -> Head:
    for number in range(events):
        end = audit.append(
            connection, actor=f"张三{number % 2}", action="claimed", about=f"review:{number}", details={"why": "核对"}
        )
    return end


@pytest.fixture
def log(office: Any) -> Any:
    with office.engine.begin() as connection:
        write(connection)
    return office


def damaged(connection: sa.Connection, *statements: str) -> None:
    """Change the log as an owner of the database could, with its guard taken off."""
    connection.execute(sa.text("ALTER TABLE audit_event DISABLE TRIGGER append_only"))
    for statement in statements:
        connection.execute(sa.text(statement))


def test_a_log_left_alone_is_whole_and_holds_its_earlier_ends(log: Any) -> None:
    with log.engine.begin() as connection:
        noted = audit.head(connection)
        assert noted.sequence == _EVENTS
        write(connection, 3)
        assert list(audit.faults(connection, noted)) == []
        assert [event.object for event in audit.events(connection, actor="张三1", limit=1)] == ["review:1"]


@pytest.mark.parametrize("statement", [
    "UPDATE audit_event SET actor = '李四'", "DELETE FROM audit_event", "TRUNCATE audit_event",
])  # fmt: skip
def test_the_database_refuses_to_change_it(log: Any, statement: str) -> None:
    with log.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text(statement))


DAMAGE: Final[dict[str, Callable[[int], list[str]]]] = {
    "an actor is changed": lambda n: [f"UPDATE audit_event SET actor = '李四' WHERE sequence = {n}"],
    "a moment is changed": lambda n: [f"UPDATE audit_event SET at = at - interval '1 us' WHERE sequence = {n}"],
    "an event is taken out": lambda n: [f"DELETE FROM audit_event WHERE sequence = {n}"],
    "an event is taken out and the gap closed": lambda n: [
        f"DELETE FROM audit_event WHERE sequence = {n}",
        f"UPDATE audit_event SET sequence = sequence - 1 WHERE sequence > {n}",
    ],
    "two events change places": lambda n: [
        f"UPDATE audit_event SET sequence = -1 WHERE sequence = {n}",
        f"UPDATE audit_event SET sequence = {n} WHERE sequence = {n + 1}",
        f"UPDATE audit_event SET sequence = {n + 1} WHERE sequence = -1",
    ],
    "an event is put in": lambda n: [
        f"UPDATE audit_event SET sequence = sequence + 100 WHERE sequence > {n}",
        "UPDATE audit_event SET sequence = sequence - 99 WHERE sequence > 100",
        f"INSERT INTO audit_event SELECT {n + 1}, at, '李四', action, object, details, hash, hash FROM audit_event"
        f" WHERE sequence = {n}",
    ],
    "the end is cut off": lambda n: [f"DELETE FROM audit_event WHERE sequence > {n}"],
}


@pytest.mark.parametrize("what", DAMAGE)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(1, _EVENTS - 1))
def test_every_damage_shows(log: Any, what: str, place: int) -> None:
    with log.engine.connect() as connection:
        noted = audit.head(connection)
        damaged(connection, *DAMAGE[what](place))
        assert list(audit.faults(connection, noted)), what


def test_a_log_written_anew_does_not_hold_the_noted_end(log: Any) -> None:
    with log.engine.connect() as connection:
        noted = audit.head(connection)
        damaged(connection, "DELETE FROM audit_event")
        write(connection)
        assert list(audit.faults(connection)) == [], "nothing inside the log can show it"
        assert any("written anew" in fault for fault in audit.faults(connection, noted))


def test_a_step_that_the_log_does_not_know_shows(log: Any) -> None:
    with log.engine.connect() as connection:
        connection.execute(
            sa.text("INSERT INTO step_run (run_no, step, as_of) VALUES (1, 'attach', CAST('2018-08-21' AS date))")
        )
        assert list(audit.faults(connection)) == ["step 1 is not in the log"]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(_TEXTS, _TEXTS, st.dictionaries(_TEXTS, _TEXTS, max_size=3)), max_size=5))
def test_any_text_can_be_told(office: Any, events: list[tuple[str, str, dict[str, str]]]) -> None:
    with office.engine.connect() as connection:
        for actor, about, details in events:
            audit.append(connection, actor=actor, action="x", about=about, details=details)
        assert list(audit.faults(connection)) == []
        assert audit.head(connection).sequence == len(events)
        assert events or audit.head(connection).hash == GENESIS
