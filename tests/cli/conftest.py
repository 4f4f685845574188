"""The command ``disclosure`` as a person runs it, in this process, on a home of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import office
from pipeline.cli import app
from pipeline.office import Office

FOREIGN = ("DISCLOSURE_FEEDS_DIR", "DISCLOSURE_ARCHIVE_DIR", "DISCLOSURE_REGISTER_DROP")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Terminal:
    """Runs commands and keeps everything that was ever shown."""

    folder: Path
    database_url: str
    home: Path
    shown: list[str] = field(default_factory=list)

    def run(self, *words: object) -> Answer:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.shown.append(result.stdout + result.stderr)
        return Answer(result.exit_code, result.stdout, result.stderr)

    def ingest(self, name: str, content: bytes, *more: str, kind: str = "penalty", day: str = "2018-08-21") -> Answer:
        path = self.folder / name
        path.write_bytes(content)
        return self.run("ingest", path, "--agency", "aic", "--kind", kind, "--as-of", day, *more)


@pytest.fixture(scope="module")
def terminal(new_home: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal of a person who has just installed the system; the tests of a module share it."""
    site, original = new_home(), office.open_office
    with pytest.MonkeyPatch.context() as environment:
        for name in FOREIGN:
            environment.delenv(name, raising=False)
        for name, value in site.environment.items():
            environment.setenv(name, value)
        opened: list[Office] = []
        environment.setattr(office, "open_office", lambda: opened.append(original()) or opened[-1])
        yield Terminal(tmp_path_factory.mktemp("desk"), site.database_url, site.home)
        for one in opened:
            one.engine.dispose()
