"""One person in front of the workbench, without a window and in one."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from fastapi.testclient import TestClient
from httpx import Response
from playwright.sync_api import Locator, expect

PASSWORD = "一二三四 correct horse"
NOW = dt.datetime(2018, 8, 22, 1, 0, tzinfo=dt.UTC)


class Clock:
    """The time that the workbench sees."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_(self, span: dt.timedelta) -> None:
        self.now += span


@dataclass(frozen=True)
class Browser:
    """One person's browser."""

    client: TestClient

    def get(self, path: str, **query: str | int) -> Response:
        return self.client.get(path, params=query, headers={"accept": "text/html"})

    def csrf(self) -> str:
        """The token that the forms of this session carry."""
        return re.findall(r'name="csrf" value="([^"]+)"', self.get("/").text)[0]

    def post(self, path: str, **fields: str) -> Response:
        return self.client.post(path, data={"csrf": self.csrf()} | fields)


def arrived(sign: Locator) -> None:
    """Wait until what tells a page is seen, and its scripts have run: before that it hears no key."""
    expect(sign).to_be_visible()
    sign.page.wait_for_load_state()
