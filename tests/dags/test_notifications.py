"""Digests reach people by a real mail server and a real web server: one a day, none without news, none lost."""

from __future__ import annotations

import datetime as dt
import email
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, as_csv, penalty, write

from dags.notifying import MAIL, WEBHOOK, senders
from pipeline import steps
from pipeline.ingest import ingest_file
from pipeline.office import Office
from store import audit
from transforms.columns import Kind

NOW = dt.datetime(2018, 8, 22, 2, 0, tzinfo=dt.UTC)
WRONG = {"CF_XDR_SHXYM": "91110105MA0000000X"}


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that takes every message; while ``refuses`` it takes none."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[tuple[list[str], Message]] = []
        self.refuses = False


class _Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()
            if verb.startswith("RCPT TO:"):
                to.append(line.split("<")[1].split(">")[0])
            if verb == "DATA":
                if self.server.refuses:
                    self._say("451 try again later")
                    continue
                self._say("354 go on")
                self.server.messages.append((to, self._message()))
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _message(self) -> Message:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=default)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Hook(HTTPServer):
    """A web server that notes what is posted to it and answers ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posted)
        self.posted: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.status = 204


class _Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status < 300:
            self.server.posted.append(told)
        self.server.tokens.add(self.headers["Authorization"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    for server in serving(Mailbox()):
        said = {
            "conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1],
            "extra": {
                "from_email": "platform@example.invalid", "disable_ssl": True, "disable_tls": True, "retry_limit": 1,
                "office": "wang@example.invalid, li@example.invalid", "to_agencies": True,
            },
        }  # fmt: skip
        monkeypatch.setenv(f"AIRFLOW_CONN_{MAIL.upper()}", json.dumps(said))
        yield server


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for server in serving(Hook()):
        said = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_address[1]}/told", "password": "secret"}
        monkeypatch.setenv(f"AIRFLOW_CONN_{WEBHOOK.upper()}", json.dumps(said))
        yield server


@pytest.fixture
def deliver(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Take in a delivery of wrong rows."""
    monkeypatch.setattr(steps, "_office", lambda: office)

    def take_in(first: int, last: int, day: dt.date = DAY) -> None:
        rows = [penalty(serial, Company(serial), **WRONG) for serial in range(first, last + 1)]
        path = write(tmp_path, f"cf_{first}.csv", as_csv(rows))
        ingest_file(office, path, agency="aic", kind=Kind.PENALTY, as_of=day)

    return take_in


def notify(day: dt.date = DAY) -> dict[str, int]:
    return steps.send_digests(senders({}), day, NOW)


def test_each_recipient_gets_one_digest_a_day_with_counts_and_no_record(
    mailbox: Mailbox, hook: Hook, deliver: Callable[..., None], office: Office
) -> None:
    deliver(1, 3)
    assert notify() == {"mail": 2, "webhook": 2}
    assert notify() == {"mail": 0, "webhook": 0}
    sent = {tuple(to): message for to, message in mailbox.messages}
    assert ("wang@example.invalid", "li@example.invalid") in sent
    [(_, to_agency)] = [pair for pair in sent.items() if "wang" not in pair[0][0]]
    [part] = [part for part in to_agency.walk() if part.get_content_type() == "text/html"]
    text = part.get_content()  # type: ignore[attr-defined]
    assert "统一社会信用代码不正确" in text and "北京市工商行政管理局" in to_agency["Subject"]
    assert [told["recipient"] for told in hook.posted] == ["office", "aic"]
    assert hook.posted[1]["lines"][0] == {
        "what": "统一社会信用代码不正确",
        "count": 3,
        "note": "超期 0, 最早 2018-08-21",
    }
    assert hook.tokens == {"Bearer secret"}
    for everything in (text, json.dumps(hook.posted, ensure_ascii=False)):
        assert Company(1).name not in everything and "91110105MA0000000X" not in everything
    with office.engine.connect() as connection:
        assert len(audit.events(connection, actor="notify")) == 4
        assert list(audit.faults(connection)) == []


def test_the_same_again_is_kept_back_for_three_days_and_news_is_not(hook: Hook, deliver: Callable[..., None]) -> None:
    deliver(1, 3)
    assert notify()["webhook"] == 2
    assert notify(NEXT_DAY)["webhook"] == 0, "nothing changed"
    deliver(4, 5, NEXT_DAY)
    assert notify(NEXT_DAY)["webhook"] == 2
    assert hook.posted[-1]["lines"][0]["count"] == 5
    reminded = dt.date(2018, 8, 25)
    assert notify(reminded)["webhook"] == 2, "a reminder"


def test_what_failed_is_sent_by_the_next_try_and_nothing_twice(
    mailbox: Mailbox, hook: Hook, deliver: Callable[..., None]
) -> None:
    deliver(1, 1)
    mailbox.refuses = True
    with pytest.raises(ExceptionGroup, match="2 digests"):
        notify()
    assert (len(mailbox.messages), len(hook.posted)) == (0, 2)
    mailbox.refuses = False
    assert notify() == {"mail": 2, "webhook": 0}
    hook.status = 500
    deliver(2, 2, NEXT_DAY)
    with pytest.raises(ExceptionGroup, match="2 digests"):
        notify(NEXT_DAY)
    assert len(hook.posted) == 2


def test_nothing_is_sent_where_nothing_waits_or_no_channel_is_known(hook: Hook, deliver: Callable[..., None]) -> None:
    assert notify() == {"webhook": 0}
    assert hook.posted == []
    assert steps.send_digests({}, DAY, NOW) == {}


def test_around_a_due_date_office_and_agencies_are_told_whose_returns_are_missing(
    hook: Hook, deliver: Callable[..., None]
) -> None:
    due = dt.date(2018, 8, 28)
    assert notify(due) == {"webhook": 14}, "the office and thirteen agencies"
    told = {message["recipient"]: message["lines"] for message in hook.posted}
    assert told["psb"] == [{"what": "专项行动统计表未报或缺项", "count": 1, "note": "7月（期限 2018-08-28）"}]
    [line] = told["office"]
    assert (line["what"], line["count"]) == ("专项行动到期事项", 13)
    assert "今日到期" in line["note"] and "北京海关 7月" in line["note"]
    assert list(steps.campaign_due(due)) == ["wj2018/2018-07"]
    assert steps.campaign_due(DAY) == {}


def test_a_running_action_is_reported_and_one_that_is_over_only_when_it_is_named(
    deliver: Callable[..., None], office: Office
) -> None:
    over = dt.date(2019, 5, 12)
    [report] = steps.campaign_reports(DAY)
    assert (report["action"], report["version"], report["new"]) == ("wj2018", 1, True)
    assert all(Path(path).parent == office.settings.state / "campaign" for path in report["files"])
    assert all(Path(path).stat().st_size > 5_000 for path in report["files"])
    assert steps.campaign_reports(over) == []
    [named] = steps.campaign_reports(over, "wj2018")
    assert named["version"] == 1


def test_a_channel_whose_connection_is_empty_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for channel in (MAIL, WEBHOOK):  # as docker-compose.yml leaves them where nobody filled them in
        monkeypatch.setenv(f"AIRFLOW_CONN_{channel.upper()}", "")
    assert senders({}) == {}


def test_a_hook_without_tls_is_not_used(monkeypatch: pytest.MonkeyPatch, deliver: Callable[..., None]) -> None:
    deliver(1, 1)
    monkeypatch.setenv(
        f"AIRFLOW_CONN_{WEBHOOK.upper()}", json.dumps({"conn_type": "http", "host": "http://a.invalid/"})
    )
    with pytest.raises(ExceptionGroup) as raised:
        notify()
    assert "https" in str(raised.value.exceptions[0])
