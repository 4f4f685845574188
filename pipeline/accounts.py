"""Logging in to the workbench: passwords, lock-out, sessions.

Passwords are kept as scrypt (RFC 7914) with a salt each. After ``TRIES`` wrong ones in a row an account is locked for
``LOCKED``; a locked account, an unknown name and a wrong password are answered alike and take the same time. A session
ends after ``IDLE`` without use and ``LONGEST`` after the login. The database holds only the hash of its token.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
import sqlalchemy.exc

from connectors.descriptor import load_agency
from pipeline.office import Office
from store import accounts
from store.accounts import Account, Role, Session
from store.holds import person_key
from store.typed_text import NumberTyped, require_no_number

TRIES: Final = 5
LOCKED: Final = dt.timedelta(minutes=15)
IDLE: Final = dt.timedelta(hours=1)
LONGEST: Final = dt.timedelta(hours=10)
SHORTEST_PASSWORD: Final = 12

_COST, _BLOCK, _LANES, _BYTES = 2**15, 8, 1, 32
_MEMORY: Final = 2 * 128 * _COST * _BLOCK
_SEEN_EVERY: Final = dt.timedelta(minutes=1)


class AccountRefused(ValueError):
    """An account that cannot be made or changed as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A fresh login: the token for the browser's cookie and the account."""

    token: str = field(repr=False)
    account: Account


def new_password() -> str:
    """Return a password that nobody has to invent: 96 random bits."""
    return secrets.token_urlsafe(12)


def hash_password(password: str) -> str:
    """Return a password as it is kept. Raises ``AccountRefused`` for one that is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountRefused(f"a password has at least {SHORTEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    kept = [base64.b64encode(part).decode() for part in (salt, _derive(password, salt, _COST, _BLOCK, _LANES))]
    return "$".join(["scrypt", str(_COST), str(_BLOCK), str(_LANES), *kept])


def password_fits(password: str, kept: str) -> bool:
    """Tell whether a password is the one that was kept."""
    _, cost, block, lanes, salt, derived = kept.split("$")
    given = _derive(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(given, base64.b64decode(derived))


def _derive(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    # more than this is no password, and hashing it would be work for nothing
    return hashlib.scrypt(
        password[:1024].encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY,
        dklen=_BYTES,
    )  # fmt: skip


@functools.cache
def _nobodys_password() -> str:
    return hash_password(new_password())


def add_account(
    office: Office,
    person: str,
    *,
    role: Role,
    agency: str | None = None,
    password: str | None = None,
    airflow_user: str | None = None,
) -> None:
    """Enter a person.

    Raises ``AccountRefused`` where the name is empty, taken or holds a number of a person, the role does not fit the
    agency, or the person could not come in by any way; ``connectors.descriptor.DescriptorError`` for an agency that
    does not exist.
    """
    if not person_key(person):
        raise AccountRefused("an account needs a name")
    try:
        require_no_number("姓名", person)
    except NumberTyped as error:
        raise AccountRefused(str(error)) from None
    if (role is Role.AGENCY) != (agency is not None):
        raise AccountRefused("an agency steward, and nobody else, has an agency")
    if agency is not None:
        load_agency(agency)
    if password is None and airflow_user is None:
        raise AccountRefused("an account needs a password or the name of an Airflow user")
    kept = None if password is None else hash_password(password)
    try:
        with office.engine.begin() as connection:
            accounts.add_account(connection, person, role=role, agency=agency, password=kept, airflow_user=airflow_user)
    except sqlalchemy.exc.IntegrityError as error:
        raise AccountRefused(f"{person!r}, or the Airflow user {airflow_user!r}, has an account already") from error


def change_password(office: Office, person: str, password: str) -> None:
    """Give a person another password; it unlocks the account and ends its sessions. Raises ``AccountRefused``."""
    kept = hash_password(password)
    with office.engine.begin() as connection:
        accounts.set_password(connection, _known(accounts.find_account(connection, person), person), kept)


def set_disabled(office: Office, person: str, *, disabled: bool) -> None:
    """Close an account and end its sessions, or open it again. Raises ``AccountRefused``."""
    with office.engine.begin() as connection:
        account_id = _known(accounts.find_account(connection, person), person)
        accounts.set_disabled(connection, account_id, disabled=disabled)


def _known(found: Account | None, person: str) -> int:
    if found is None:
        raise AccountRefused(f"nobody is called {person!r}")
    return found.account_id


def list_accounts(office: Office) -> list[Account]:
    """Return every account by name."""
    with office.engine.connect() as connection:
        return accounts.list_accounts(connection)


def log_in(office: Office, person: str, password: str, *, now: dt.datetime) -> LoggedIn | None:
    """Return a new session where name and password fit and the account is neither locked nor closed; else nothing."""
    with office.engine.begin() as connection:
        found = accounts.find_account(connection, person, for_update=True)
        fits = password_fits(password, (found.password if found else None) or _nobodys_password())
        if found is None or found.disabled or found.password is None:
            return None
        if found.locked_until is not None and now < found.locked_until:
            return None
        if not fits:
            failures = found.failures + 1
            locked = failures >= TRIES
            accounts.set_failures(
                connection, found.account_id, 0 if locked else failures, now + LOCKED if locked else None
            )
            return None
        accounts.set_failures(connection, found.account_id, 0, None)
        accounts.end_sessions_before(connection, started=now - LONGEST, seen=now - IDLE)
        token = secrets.token_urlsafe(32)
        _begin(connection, found, token, now)
        return LoggedIn(token, found)


def _begin(connection: sa.Connection, account: Account, token: str, now: dt.datetime) -> None:
    accounts.begin_session(
        connection, account.account_id, token_sha256=_digest(token), csrf=secrets.token_urlsafe(32), now=now
    )


def session_of(office: Office, token: str, *, now: dt.datetime) -> Session | None:
    """Return the session of a token while it lasts."""
    digest = _digest(token)
    with office.engine.connect() as connection:
        found = accounts.find_session(connection, digest)
        if found is None or found.account.disabled:
            return None
        if now - found.started_at > LONGEST or now - found.seen_at > IDLE:
            return None
        if now - found.seen_at > _SEEN_EVERY:
            accounts.see_session(connection, digest, now)
            connection.commit()
    return found


def session_for_airflow_user(
    office: Office, airflow_user: str, token: str | None, *, now: dt.datetime
) -> tuple[Session | None, str | None]:
    """Return the session of somebody whom Airflow let in, and the token of a new one where there was none.

    Both are nothing where the Airflow user has no open account here.
    """
    found = session_of(office, token, now=now) if token else None
    if found is not None and found.account.airflow_user == airflow_user:
        return found, None
    with office.engine.begin() as connection:
        known = accounts.find_airflow_user(connection, airflow_user)
        if known is None or known.disabled:
            return None, None
        new_token = secrets.token_urlsafe(32)
        _begin(connection, known, new_token, now)
        return accounts.find_session(connection, _digest(new_token)), new_token


def log_out(office: Office, token: str) -> None:
    """End the session of a token."""
    with office.engine.begin() as connection:
        accounts.end_session(connection, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
