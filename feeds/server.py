"""The feed server: a site fetches its releases over HTTP with its own token, and nothing else.

Routes (GET and HEAD)::

    /health                              200, no token: for the health check of a container
    /<site>/current/<file>               a file of the newest release
    /<site>/releases/<number>/<file>     a file of one release; its bytes never change
    /<site>/scorecards/<number>.json     the agencies' scorecards (机关成绩单) as of that release; .csv too

A site proves itself by ``Authorization: Bearer <token>``. Its token opens its own folder only. Without a token, with
a wrong one, and for a site that does not exist the answer is the same 401. What lies outside the folders above,
what a publisher is still writing (names that begin with a dot) and links that lead out of the site's folder are 404.

The address is plain HTTP: TLS is ended in front of it. ``current`` may move between two requests: a client reads
``current/manifest.json`` first and fetches the rest from ``releases/<number>``, with the manifest's ``sequence`` in
six digits as the number.

Started with ``python -m feeds.server``; it reads ``DISCLOSURE_FEEDS_DIR`` (the folder of the sites' folders),
``DISCLOSURE_FEEDS_HOST`` (127.0.0.1), ``DISCLOSURE_FEEDS_PORT`` (8090) and one ``DISCLOSURE_FEED_TOKEN_<SITE>`` for
each site.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from feeds.sites import load_sites

SITE_VARIABLE: Final = "DISCLOSURE_FEED_TOKEN_"
DIRECTORY_VARIABLE: Final = "DISCLOSURE_FEEDS_DIR"
HOST_VARIABLE: Final = "DISCLOSURE_FEEDS_HOST"
PORT_VARIABLE: Final = "DISCLOSURE_FEEDS_PORT"

_FOLDERS: Final = ("current", "releases", "scorecards")
LEAST_TOKEN_LENGTH: Final = 32
_NEVER_CHANGES: Final = "private, max-age=31536000, immutable"
_ASK_AGAIN: Final = "private, no-cache"


class ServerSettingsError(Exception):
    """The server must not start; the message names the variable and never holds a token."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the server is started from: folder of the feeds, token per site, address."""

    directory: Path
    tokens: Mapping[str, str] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8090


def settings_from_environment(environment: Mapping[str, str]) -> ServerSettings:
    """Read the settings.

    Raises:
        ServerSettingsError: the folder or a site's token is missing, a token is shorter than 32 characters or serves
            two sites, the port is no number.
    """
    if not environment.get(DIRECTORY_VARIABLE):
        raise ServerSettingsError(f"set {DIRECTORY_VARIABLE} to the folder that holds the sites' folders")
    tokens: dict[str, str] = {}
    for site in sorted(load_sites()):
        variable = f"{SITE_VARIABLE}{site.upper()}"
        token = environment.get(variable, "")
        if len(token) < LEAST_TOKEN_LENGTH or not token.isascii():
            raise ServerSettingsError(f"set {variable} to at least {LEAST_TOKEN_LENGTH} ASCII characters")
        if token in tokens.values():
            raise ServerSettingsError(f"{variable} is another site's token as well")
        tokens[site] = token
    port = environment.get(PORT_VARIABLE, "8090")
    if not port.isdecimal():
        raise ServerSettingsError(f"{PORT_VARIABLE} must be a number")
    directory = Path(environment[DIRECTORY_VARIABLE]).resolve()
    return ServerSettings(directory, tokens, environment.get(HOST_VARIABLE, "127.0.0.1"), int(port))


def create_app(settings: ServerSettings) -> Starlette:
    """Return the application; it opens no file before the first request with a token."""
    folders = {
        site: StaticFiles(directory=settings.directory / site, check_dir=False, follow_symlink=False)
        for site in settings.tokens
    }

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def release_file(request: Request) -> Response:
        site: str = request.path_params["site"]
        if not _is_token_of(settings.tokens.get(site), request.headers.get("authorization", "")):
            raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="feeds"'})
        path: str = request.path_params["path"]
        folder, *rest = path.split("/")
        if folder not in _FOLDERS or any(part == "" or part.startswith(".") for part in rest):
            raise HTTPException(404)
        try:
            response = await folders[site].get_response(path, request.scope)
        except (ValueError, OSError) as error:  # a NUL or an overlong name
            raise HTTPException(404) from error
        response.headers["Cache-Control"] = _ASK_AGAIN if folder == "current" else _NEVER_CHANGES
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    app = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/{site}/{path:path}", release_file, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


def _is_token_of(token: str | None, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    expected = token or ""
    same = hmac.compare_digest(given.strip().encode(), expected.encode())
    return same and token is not None and scheme.lower() == "bearer"


def main() -> None:
    """Serve until stopped."""
    try:
        settings = settings_from_environment(os.environ)
    except ServerSettingsError as error:
        raise SystemExit(f"feed server: {error}") from error
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, log_level="info", server_header=False)


if __name__ == "__main__":
    main()
