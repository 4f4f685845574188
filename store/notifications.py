"""Which digests were sent: one a business day for each recipient and channel, and none that tells nothing new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import sqlalchemy as sa

from store import audit
from store.schema import notification

Channel = Literal["mail", "webhook"]


def told_last(connection: sa.Connection, recipient: str, channel: Channel) -> tuple[dt.date, str] | None:
    """Return day and content hash of the newest digest that a recipient got by a channel."""
    query = (
        sa.select(notification.c.as_of, notification.c.content_sha256)
        .where(notification.c.recipient == recipient, notification.c.channel == channel)
        .order_by(notification.c.as_of.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def send_once(
    engine: sa.Engine,
    send: Callable[[], None],
    *,
    recipient: str,
    channel: Channel,
    as_of: dt.date,
    content_sha256: str,
    subject: str,
) -> bool:
    """Send a digest unless the recipient has had one by this channel that day or later, and enter that it was sent.

    Two senders wait for each other. One that is killed between sending and entering sends again the next time: twice is
    better than never.
    """
    name = f"notify {recipient} {channel}"
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
        last = told_last(connection, recipient, channel)
        if last is not None and last[0] >= as_of:
            return False
        send()
        values = {
            "recipient": recipient, "channel": channel, "as_of": as_of, "content_sha256": content_sha256,
            "subject": subject,
        }  # fmt: skip
        connection.execute(sa.insert(notification).values(**values))
        audit.append(connection, actor="notify", action="notified", about=f"recipient:{recipient}", details=values)
    return True
