"""How the workbench knows who is asking: its own login, or the login of the Airflow that it is mounted in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi import Depends, Request, Response

from pipeline import accounts
from pipeline.office import Office
from store.accounts import Session

COOKIE: Final = "disclosure_session"
"""Holds the token of a session."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session, and its token where the browser does not have it yet."""

    session: Session
    new_token: str | None = None


class Door(Protocol):
    """Tells whose request it is."""

    has_login: bool
    """Whether people log in here; else another system did it, and there is nothing to log out of."""
    framed: bool
    """Whether the pages may stand in a frame of the same host."""

    def enter(self, office: Office, request: Request, now: dt.datetime) -> Entered | None:
        """Return the session of a request, nothing where nobody is known."""
        ...


class LoginDoor:
    """The workbench's own login."""

    has_login = True
    framed = False

    def enter(self, office: Office, request: Request, now: dt.datetime) -> Entered | None:
        """Return the session that the cookie names."""
        token = request.cookies.get(COOKIE)
        found = accounts.session_of(office, token, now=now) if token else None
        return Entered(found) if found else None


class AirflowDoor:
    """The login of Airflow: ``request.state.airflow_user`` is set by a dependency that Airflow's own guard is part of.

    The Airflow user's account here, by ``account.airflow_user``, gives role and agency; without one nobody enters.
    """

    has_login = False
    framed = True

    def enter(self, office: Office, request: Request, now: dt.datetime) -> Entered | None:
        """Return the session of the Airflow user; the cookie only keeps the token of the forms."""
        user: str | None = getattr(request.state, "airflow_user", None)
        if not user:
            return None
        session, new = accounts.session_for_airflow_user(office, user, request.cookies.get(COOKIE), now=now)
        return Entered(session, new) if session else None


def remember_airflow_user(get_user: Callable[..., Any]) -> Callable[[Request, Any], None]:
    """Return a dependency that notes whom ``get_user``, Airflow's own, let in."""

    def remember(request: Request, user: Any = Depends(get_user)) -> None:  # noqa: B008 (FastAPI)
        request.state.airflow_user = user.get_name()

    return remember


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Hand the token of a session to the browser; over TLS it never travels without."""
    path = request.scope.get("root_path") or "/"
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=path, httponly=True, samesite="lax", secure=secure)


def take_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(COOKIE, path=request.scope.get("root_path") or "/")
