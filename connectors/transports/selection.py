"""What a source is asked for (its changes since a watermark, less an overlap) and the watermark behind it."""

from __future__ import annotations

from datetime import date, timedelta

from connectors.descriptor import ChangeDates, ChangeNumbers

Mark = int | str
"""A change number, or a day as YYYY-MM-DD."""


def since(by: ChangeDates | ChangeNumbers, watermark: Mark | None) -> Mark | None:
    """Return from where on to ask: the number above which, or the day from which on; null for everything."""
    if watermark is None:
        return None
    if isinstance(by, ChangeNumbers):
        return max(0, int(watermark) - by.overlap)
    return (date.fromisoformat(str(watermark)) - timedelta(days=by.overlap_days)).isoformat()


def moved(by: ChangeDates | ChangeNumbers, watermark: Mark | None, *, until: str, highest: int | None) -> Mark:
    """Return the mark behind a complete selection; it never moves backwards."""
    if isinstance(by, ChangeNumbers):
        return max(int(highest or 0), int(watermark or 0))
    return max(until, str(watermark or ""))
