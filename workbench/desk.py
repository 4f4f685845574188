"""What a route works with: the office, the person, the business day. Whoever may not be there gets no desk."""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from pipeline.office import Office
from store.accounts import Role
from store.schema import step_run
from workbench.access import PUBLIC, may
from workbench.door import Door, Entered


class NotLoggedIn(Exception):
    """Nobody is known; a page is answered with the way to the login, anything else with 401."""


@dataclass(frozen=True)
class Desk:
    """One person's request. ``agency`` is whose rows the person sees, null for all; ``today`` the business day."""

    office: Office
    request: Request
    person: str
    role: Role
    agency: str | None
    csrf: str
    now: dt.datetime
    today: dt.date

    def may(self, route: str) -> bool:
        """Tell whether the person may use a route."""
        return may(self.role, route, self.agency)

    def sees(self, agency: str) -> bool:
        """Tell whether the person sees an agency's rows."""
        return self.agency in (None, agency)

    def url(self, route: str, **parts: Any) -> str:
        """Return the path of a route, wherever the workbench is mounted; ``query`` is a mapping of parameters."""
        return url_of(self.request, route, **parts)


def url_of(request: Request, route: str, **parts: Any) -> str:
    """Return the path of a route with its query; parameters that are null or empty are left out."""
    query = parts.pop("query", {})
    path: str = request.scope.get("root_path", "") + str(request.app.url_path_for(route, **parts))
    given = [
        f"{quote(str(key))}={quote(str(value), safe='')}" for key, value in query.items() if value not in (None, "")
    ]
    return path + ("?" + "&".join(given) if given else "")


def business_day(office: Office, now: dt.datetime) -> dt.date:
    """Return the newest business day that was worked on: what is late is late on that day, not on the wall's."""
    with office.engine.connect() as connection:
        newest = connection.scalar(sa.select(sa.func.max(step_run.c.as_of)))
    return newest or now.date()


async def admit(request: Request) -> None:
    """Let a request pass only where its person may use its route; runs before every route.

    Raises ``NotLoggedIn``, and ``HTTPException`` 403 for a wrong role and for a form without its session's token.
    """
    route = getattr(request.scope.get("route"), "name", "")
    if request.method not in ("GET", "HEAD") and request.headers.get("sec-fetch-site") == "cross-site":
        raise HTTPException(403, "不接受来自其他网站的请求")
    if route in PUBLIC:
        return
    office: Office = request.app.state.office
    door: Door = request.app.state.door
    now: dt.datetime = request.app.state.clock()
    entered = await run_in_threadpool(door.enter, office, request, now)
    if entered is None:
        raise NotLoggedIn
    if not may(entered.session.account.role, route, entered.session.account.agency):
        raise HTTPException(403, "您的角色无权使用此页面")
    if request.method not in ("GET", "HEAD"):
        await _check_form(request, entered)
    request.state.entered = entered
    account = entered.session.account
    today = await run_in_threadpool(business_day, office, now)
    request.state.desk = Desk(
        office, request, account.person, account.role, account.agency, entered.session.csrf, now, today
    )


async def _check_form(request: Request, entered: Entered) -> None:
    given = request.headers.get("X-CSRF-Token")
    if given is None:
        form = await request.form()
        given = str(form.get("csrf", ""))
    if not hmac.compare_digest(given.encode(), entered.session.csrf.encode()):
        raise HTTPException(403, "表单已失效, 请返回上一页刷新后重试")


def _desk(request: Request) -> Desk:
    found: Desk = request.state.desk
    return found


At = Annotated[Desk, Depends(_desk)]
"""A route's parameter: the desk of its request."""
