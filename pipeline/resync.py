"""What a person does to a source by hand: close its circuit, have it read from its beginning."""

from __future__ import annotations

from datetime import date

from pipeline.circuit import closed
from pipeline.office import Office
from store import collections, sources
from store.collections import Cursor
from store.sources import Health


class NeverAsked(LookupError):
    """Nothing is known of a source, because no collection has asked it yet."""


def close_circuit(office: Office, agency: str, stream: str) -> Health:
    """Let the next collection ask the source at once. Raises ``NeverAsked``."""
    with office.engine.begin() as connection:
        health = sources.read_health(connection, agency, stream)
        if health is None:
            raise NeverAsked(f"{agency} {stream} was never asked: there is no circuit to close")
        sources.write_health(connection, closed(health))
    return closed(health)


def resync(office: Office, agency: str, stream: str, *, as_of: date, person: str, reason: str) -> Cursor:
    """Set the watermark of a stream back to its beginning and return the one before; every move is kept.

    Raises ``ValueError`` where name or reason is empty or holds a number of a person.
    """
    with office.engine.begin() as connection:
        before = collections.read_watermark(connection, agency, stream)
        collections.resync(connection, agency, stream, as_of=as_of, person=person, reason=reason)
    return before
