"""The versions of the register (登记主数据): each load that changed something, or was asked for, is one."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from store.schema import register_version


def newest(connection: sa.Connection) -> sa.Row[Any] | None:
    """Return the version that holds; null where no register is loaded."""
    return connection.execute(
        sa.select(register_version).order_by(register_version.c.register_version.desc()).limit(1)
    ).one_or_none()
