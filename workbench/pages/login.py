"""登录: name and password against a session."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from pipeline import accounts
from pipeline.office import Office
from workbench.desk import At, url_of
from workbench.door import COOKIE, give_cookie, take_cookie
from workbench.rendering import render_bare

router = APIRouter()


@router.get("/login")
def login_page(request: Request, next: str = "") -> Response:
    """Ask for name and password."""
    return render_bare(request, "login", next=next, wrong=False)


@router.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next: Annotated[str, Form()] = "",
) -> Response:
    """Begin a session and go where the person wanted to; a refusal does not say which of its reasons it was."""
    office: Office = request.app.state.office
    now: dt.datetime = request.app.state.clock()
    logged_in = accounts.log_in(office, name, password, now=now)
    if logged_in is None:
        return render_bare(request, "login", status=401, next=next, wrong=True)
    own = next.startswith("/") and not next.startswith(("//", "/\\"))
    goal = request.scope.get("root_path", "") + next if own else url_of(request, "overview")
    response = RedirectResponse(goal, 303)
    give_cookie(request, response, logged_in.token)
    return response


@router.post("/logout")
def log_out(desk: At) -> Response:
    """End the session."""
    accounts.log_out(desk.office, desk.request.cookies.get(COOKIE, ""))
    response = RedirectResponse(desk.url("login_page"), 303)
    take_cookie(desk.request, response)
    return response
