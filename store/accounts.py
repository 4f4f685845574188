"""Who may use the workbench, as what, and who is logged in. Every function works inside the caller's transaction.

Tokens and passwords come in hashed; every moment is one that the caller gave.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from store.holds import person_key
from store.schema import account, web_session


class Role(StrEnum):
    """What a person may do in the workbench."""

    AGENCY = "agency"  # 机关数据员: one agency's data
    PLATFORM = "platform"  # 平台数据员: every agency's data
    APPROVER = "approver"  # 审批人: decides on what needs two people
    AUDITOR = "auditor"  # 审计员: reads everything, changes nothing


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. ``agency`` is set for an agency steward only."""

    account_id: int
    person: str
    role: Role
    agency: str | None
    password: str | None
    airflow_user: str | None
    failures: int
    locked_until: dt.datetime | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A login: whose, what its forms carry, when it began and was last used."""

    account: Account
    csrf: str
    started_at: dt.datetime
    seen_at: dt.datetime


_ACCOUNT = tuple(account.c[name] for name in Account.__dataclass_fields__)


def _account_of(row: Sequence[Any]) -> Account:
    values: dict[str, Any] = dict(zip(Account.__dataclass_fields__, row, strict=False))
    return Account(**(values | {"role": Role(str(values["role"]))}))


def add_account(
    connection: sa.Connection,
    person: str,
    *,
    role: Role,
    agency: str | None,
    password: str | None,
    airflow_user: str | None,
) -> None:
    """Enter a person. Raises ``sqlalchemy.exc.IntegrityError`` where the name, however spelt, is taken."""
    values = {"role": role.value, "agency": agency, "password": password, "airflow_user": airflow_user}
    connection.execute(sa.insert(account).values(person=person.strip(), person_key=person_key(person), **values))


def list_accounts(connection: sa.Connection) -> list[Account]:
    """Return every account by name."""
    return [_account_of(row) for row in connection.execute(sa.select(*_ACCOUNT).order_by(account.c.person_key))]


def find_account(connection: sa.Connection, person: str, *, for_update: bool = False) -> Account | None:
    """Return the account of a name, however spelt."""
    query = sa.select(*_ACCOUNT).where(account.c.person_key == person_key(person))
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _account_of(row)


def find_airflow_user(connection: sa.Connection, airflow_user: str) -> Account | None:
    """Return the account that an Airflow user has here."""
    row = connection.execute(sa.select(*_ACCOUNT).where(account.c.airflow_user == airflow_user)).one_or_none()
    return None if row is None else _account_of(row)


def set_password(connection: sa.Connection, account_id: int, password: str) -> None:
    """Give an account another password (hashed), unlock it and end its sessions."""
    values = {"password": password, "failures": 0, "locked_until": None}
    connection.execute(sa.update(account).where(account.c.account_id == account_id).values(**values))
    end_sessions(connection, account_id)


def set_failures(connection: sa.Connection, account_id: int, failures: int, locked_until: dt.datetime | None) -> None:
    """Keep how many wrong passwords came in a row, and until when none is looked at."""
    values = {"failures": failures, "locked_until": locked_until}
    connection.execute(sa.update(account).where(account.c.account_id == account_id).values(**values))


def set_disabled(connection: sa.Connection, account_id: int, *, disabled: bool) -> None:
    """Close an account, which ends its sessions, or open it again."""
    connection.execute(sa.update(account).where(account.c.account_id == account_id).values(disabled=disabled))
    if disabled:
        end_sessions(connection, account_id)


def begin_session(
    connection: sa.Connection, account_id: int, *, token_sha256: str, csrf: str, now: dt.datetime
) -> None:
    """Enter a login."""
    values = {"token_sha256": token_sha256, "account_id": account_id, "csrf": csrf}
    connection.execute(sa.insert(web_session).values(**values, started_at=now, seen_at=now))


def find_session(connection: sa.Connection, token_sha256: str) -> Session | None:
    """Return a login, whatever its age."""
    row = connection.execute(
        sa.select(*_ACCOUNT, web_session.c.csrf, web_session.c.started_at, web_session.c.seen_at)
        .join(account, account.c.account_id == web_session.c.account_id)
        .where(web_session.c.token_sha256 == token_sha256)
    ).one_or_none()
    return None if row is None else Session(_account_of(row), row.csrf, row.started_at, row.seen_at)


def see_session(connection: sa.Connection, token_sha256: str, now: dt.datetime) -> None:
    """Note that a login was used."""
    connection.execute(sa.update(web_session).where(web_session.c.token_sha256 == token_sha256).values(seen_at=now))


def end_session(connection: sa.Connection, token_sha256: str) -> None:
    """Forget a login."""
    connection.execute(sa.delete(web_session).where(web_session.c.token_sha256 == token_sha256))


def end_sessions(connection: sa.Connection, account_id: int) -> None:
    """Forget every login of an account."""
    connection.execute(sa.delete(web_session).where(web_session.c.account_id == account_id))


def end_sessions_before(connection: sa.Connection, *, started: dt.datetime, seen: dt.datetime) -> None:
    """Forget logins that began, or were last used, before a moment."""
    old = sa.or_(web_session.c.started_at < started, web_session.c.seen_at < seen)
    connection.execute(sa.delete(web_session).where(old))
