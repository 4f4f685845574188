"""The feed server lets a site see its own releases and nobody anything else."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.routing import Route

from feeds.server import ServerSettings, ServerSettingsError, create_app, settings_from_environment
from feeds.sites import load_sites

SITES = sorted(load_sites())
TOKENS = {site: f"{site}-{'t' * 40}" for site in SITES}
ROOT = Path(__file__).parents[2]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, token: str | None = None, *, method: str = "GET", **headers: str) -> Answer:
        """Send the path as it is: no client library tidies ``..`` away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer


def _environment(directory: Path, port: int = 8090) -> dict[str, str]:
    tokens = {f"DISCLOSURE_FEED_TOKEN_{site.upper()}": token for site, token in TOKENS.items()}
    return {**tokens, "DISCLOSURE_FEEDS_DIR": str(directory), "DISCLOSURE_FEEDS_PORT": str(port)}


def _write_feeds(directory: Path) -> None:
    for site in SITES:
        release = directory / site / "releases" / "000001"
        release.mkdir(parents=True)
        (release / "manifest.json").write_text(f'{{"site": "{site}"}}')
        (directory / site / "current").symlink_to(Path("releases/000001"))
        unfinished = directory / site / ".building-000002"
        unfinished.mkdir()
        (unfinished / "manifest.json").write_text("half")
        (release / ".rows.parquet").write_text("half")
    (directory / "secret.txt").write_text("outside")
    (directory / SITES[0] / "releases" / "out").symlink_to(directory)
    (directory / SITES[0] / "notes.txt").write_text("not of a release")


@contextmanager
def _serving(directory: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "feeds.server"], cwd=ROOT, env={**os.environ, **_environment(directory, port)}
    )
    server = Server(port)
    try:
        for _ in range(200):
            try:
                server.ask("/health")
                break
            except ConnectionRefusedError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("feeds")
    _write_feeds(directory)
    with _serving(directory) as running:
        yield running


def test_every_route_but_health_refuses_without_token(server: Server) -> None:
    routes = create_app(ServerSettings(Path("feeds"), TOKENS)).routes
    paths = {route.path for route in routes if isinstance(route, Route)}
    assert len(paths) == len(routes) and paths == {"/health", "/{site}/{path:path}"}
    for site in [*SITES, "nosuchsite"]:
        for path in ["", "current", "current/manifest.json", "releases/000001/manifest.json", "../secret.txt", "."]:
            for method in ["GET", "HEAD"]:
                assert server.ask(f"/{site}/{path}", method=method).status == 401, (site, path, method)
    assert server.ask("/health").status == 200
    assert server.ask("/").status == 404
    assert server.ask("/openapi.json").status == 404


@pytest.mark.parametrize("site", SITES)
def test_own_token_opens_own_site_only(server: Server, site: str) -> None:
    for other in [*SITES, "nosuchsite"]:
        expected = 200 if other == site else 401
        assert server.ask(f"/{other}/current/manifest.json", TOKENS[site]).status == expected


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", f"Basic {TOKENS['gsxt']}", f"Bearer {TOKENS['gsxt'][:-1]}", "Bearer é"]
)
def test_anything_but_the_whole_token_is_refused(server: Server, authorization: str) -> None:
    assert server.ask("/gsxt/current/manifest.json", Authorization=authorization).status == 401


def test_current_and_numbered_release_are_the_same_bytes(server: Server) -> None:
    current = server.ask("/gsxt/current/manifest.json", TOKENS["gsxt"])
    numbered = server.ask("/gsxt/releases/000001/manifest.json", TOKENS["gsxt"])
    assert current.body == numbered.body == b'{"site": "gsxt"}'
    assert "immutable" in numbered.headers["cache-control"] and "no-cache" in current.headers["cache-control"]


def test_a_part_and_an_unchanged_file_cost_no_more_than_they_must(server: Server) -> None:
    path, token = "/gsxt/current/manifest.json", TOKENS["gsxt"]
    part = server.ask(path, token, Range="bytes=2-5")
    assert (part.status, part.body) == (206, b"site")
    again = server.ask(path, token, **{"If-None-Match": part.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "current/../../secret.txt", "releases/../../secret.txt", "current/%2e%2e/%2e%2e/secret.txt",
        "releases/..%2f..%2fsecret.txt", "releases//etc/passwd", "current/%00", "../secret.txt",
        "releases/out/secret.txt",
        ".building-000002/manifest.json", "releases/000001/.rows.parquet", "releases", "current", "current/", "",
        "notes.txt", "releases/000001", "releases/000009/manifest.json", f"current/{'x' * 5000}",
    ],
)  # fmt: skip
def test_nothing_but_files_of_finished_releases_is_served(server: Server, path: str) -> None:
    answer = server.ask(f"/{SITES[0]}/{path}", TOKENS[SITES[0]])
    assert answer.status == 404
    assert b"outside" not in answer.body and b"half" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(server: Server, method: str) -> None:
    assert server.ask("/gsxt/current/manifest.json", TOKENS["gsxt"], method=method).status == 405


@pytest.mark.parametrize("site", SITES)
def test_no_start_without_a_good_token_per_site(tmp_path: Path, site: str) -> None:
    variable = f"DISCLOSURE_FEED_TOKEN_{site.upper()}"
    other = next(each for each in SITES if each != site)
    for bad in ["", "short", TOKENS[other]]:
        with pytest.raises(ServerSettingsError) as refused:
            settings_from_environment({**_environment(tmp_path), variable: bad})
        assert TOKENS[other] not in str(refused.value)


def test_no_start_without_folder_or_with_a_wrong_port(tmp_path: Path) -> None:
    with pytest.raises(ServerSettingsError, match="DISCLOSURE_FEEDS_DIR"):
        settings_from_environment({**_environment(tmp_path), "DISCLOSURE_FEEDS_DIR": ""})
    with pytest.raises(ServerSettingsError, match="DISCLOSURE_FEEDS_PORT"):
        settings_from_environment({**_environment(tmp_path), "DISCLOSURE_FEEDS_PORT": "http"})


def test_settings_do_not_show_tokens(tmp_path: Path) -> None:
    shown = repr(settings_from_environment(_environment(tmp_path)))
    assert all(token not in shown for token in TOKENS.values())
