"""Which transactions run in a database now: a change that took its number early may still be on its way in one.

What is seen is the identity of a transaction, never its content; no more is needed to know that it has ended.
"""

from __future__ import annotations

import time
from typing import Final

import sqlalchemy as sa

_POSTGRESQL: Final = sa.text(
    "SELECT DISTINCT virtualtransaction FROM pg_locks"
    " WHERE locktype IN ('virtualxid', 'transactionid') AND pid IS DISTINCT FROM pg_backend_pid()"
)
_MARIADB: Final = sa.text(
    "SELECT CONCAT(trx_mysql_thread_id, '/', trx_started) FROM information_schema.INNODB_TRX"
    " WHERE trx_mysql_thread_id <> CONNECTION_ID()"
)
_MARIADB_SHOWS_AFTER: Final = 0.2
"""Seconds: INNODB_TRX is a copy that may be a tenth of a second old."""
_PROCESS_DENIED: Final = 1227


def running_transactions(connection: sa.Connection) -> frozenset[str] | None:
    """Return the transactions of other sessions, null where the database cannot tell.

    Whatever ran when this was called and still runs when it returns is among them. PostgreSQL tells every reader,
    also of transactions that hold a sequence number and have written nothing yet; MariaDB and MySQL tell those that
    have the right PROCESS.
    """
    match connection.dialect.name:
        case "postgresql":
            return frozenset(map(str, connection.scalars(_POSTGRESQL)))
        case "mysql" | "mariadb":
            time.sleep(_MARIADB_SHOWS_AFTER)
            try:
                return frozenset(map(str, connection.scalars(_MARIADB)))
            except sa.exc.OperationalError as error:
                if _has_no_right(error):
                    return None
                raise
    return None


def _has_no_right(error: sa.exc.OperationalError) -> bool:
    arguments: tuple[object, ...] = getattr(error.orig, "args", ())
    return arguments[:1] == (_PROCESS_DENIED,)
