"""The application: every page, guarded as one, for an office that is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.office import Office
from store.typed_text import NumberTyped
from workbench.desk import NotLoggedIn, admit, url_of
from workbench.door import Door, LoginDoor, give_cookie
from workbench.pages import (
    assets,
    attachments,
    audit,
    campaign_returns,
    corrections,
    deliveries,
    findings,
    holds,
    login,
    overview,
    records,
    releases,
    returns,
    scorecards,
    worklist,
)
from workbench.rendering import render_error

_PAGES: Final = (
    overview,
    worklist,
    records,
    corrections,
    attachments,
    findings,
    deliveries,
    holds,
    returns,
    campaign_returns,
    releases,
    scorecards,
    audit,
)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def create_app(
    office: Office,
    *,
    door: Door | None = None,
    before: Sequence[Any] = (),
    clock: Callable[[], dt.datetime] = _now,
) -> FastAPI:
    """Return the workbench of an office.

    ``door`` tells who is asking (default: the workbench's own login); the dependencies ``before`` run ahead of it, on
    every route.
    """
    door = door or LoginDoor()
    app = FastAPI(
        title="数据员工作台", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[*before, Depends(admit)]
    )
    app.state.office, app.state.door, app.state.clock = office, door, clock
    app.state.scorecards, app.state.campaign_records = {}, {}
    app.include_router(assets.router)
    if door.has_login:
        app.include_router(login.router)
    for page in _PAGES:
        app.include_router(page.router)
    app.add_exception_handler(NotLoggedIn, _to_login)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(NumberTyped, _number_typed)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Headers, framed=door.framed)
    return app


class Headers:
    """Says on every answer: nothing from elsewhere, no frame of a stranger, no cached copy, no guessing of types."""

    def __init__(self, app: ASGIApp, *, framed: bool) -> None:
        """Wrap an application; ``framed`` pages may stand in a frame of the same host."""
        ancestors = "'self'" if framed else "'none'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
            f" form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
        )
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"SAMEORIGIN" if framed else b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message["headers"])
                if not any(name == b"cache-control" for name, _ in given):
                    given.append((b"cache-control", b"no-store"))
                message["headers"] = [*given, *self._headers]
                if (entered := scope.get("state", {}).get("entered")) and entered.new_token:
                    bearer = Response()
                    give_cookie(Request(scope), bearer, entered.new_token)
                    message["headers"] += [pair for pair in bearer.raw_headers if pair[0] == b"set-cookie"]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


async def _to_login(request: Request, _: Exception) -> Response:
    asks_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not request.app.state.door.has_login:
        return render_error(request, 403, "Airflow 用户尚未登记为工作台用户, 请联系平台管理员")
    if not asks_page:
        return PlainTextResponse("401: 请先登录\n", 401)
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    following = path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(url_of(request, "login_page", query={"next": following if following != "/" else ""}), 303)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
    told = {404: "没有这个页面或这条数据", 405: "此地址不接受这种请求"}
    text = error.detail if error.status_code not in told or error.detail != _plain(error.status_code) else ""
    return render_error(request, error.status_code, text or told.get(error.status_code, error.detail))


def _plain(status: int) -> str:
    return HTTPException(status).detail


async def _not_understood(request: Request, _: Exception) -> Response:
    return render_error(request, 422, "请求不完整或格式不对, 请返回上一页检查所填内容")


async def _number_typed(request: Request, error: Exception) -> Response:
    return render_error(request, 422, str(error))


async def _failed(request: Request, _: Exception) -> Response:
    return render_error(request, 500, "系统出错, 已记入日志; 您的操作没有生效")
