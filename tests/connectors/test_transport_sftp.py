"""The SFTP transport against a real server on loopback: who is talked to, what comes, and what breaks on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.descriptor import DropFolder, Retries, Sftp, Stream, load_agency
from connectors.endpoint import Endpoint, endpoint_from_environment
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, FilesRefusedError, Piece
from connectors.transports.pulling import pull
from simulator.faults import Fault, FaultKind
from simulator.servers.sftp import SftpServer, new_key

DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
ROWS = [{"XK_WSH": f"京〔2018〕{number}号", "XK_NR": "食品"} for number in range(1, 4001)]
PASSWORD = "a-password"
PATTERN = "XK_{date}*.csv"


def stream(**changes: object) -> Stream:
    shipped = next(
        stream
        for stream in load_agency("fda").streams
        if isinstance(stream.transport, DropFolder) and stream.id == "licence"
    )
    options = Sftp.model_validate(
        {"type": "sftp", "pattern": PATTERN, "connect_timeout": 5, "read_timeout": 1} | changes
    )
    retries = Retries(attempts=3, first_wait=0.01, longest_wait=0.02)
    return shipped.model_copy(update={"transport": options, "retries": retries})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path / "out", PASSWORD) as running:
        yield running


def endpoint(server: SftpServer, **changes: str | None) -> Endpoint:
    values: dict[str, str | None] = {"url": server.url, "secret": PASSWORD, "host_key": server.host_key, **changes}
    return Endpoint(**values)  # type: ignore[arg-type]


def drain(server: SftpServer, cursor: Cursor | None = None, as_of: date = DAY1, **changes: str | None) -> list[Piece]:
    """Pull everything; each piece carries the bytes that its file held while it was the newest."""
    kept: list[Piece] = []
    for piece in pull(stream(), endpoint(server, **changes), cursor=cursor or {}, as_of=as_of):
        assert isinstance(piece.content, Path)
        content = piece.content.read_bytes()
        kept.append(Piece(piece.name, content, piece.cursor, piece.last, piece.rows, piece.sha256, piece.full_set))
    return kept


def test_finished_files_come_whole_and_once(server: SftpServer) -> None:
    first = server.publish(PATTERN, DAY1, ROWS)
    server.publish("CF_{date}.csv", DAY1, ROWS[:1])
    server.publish(PATTERN, DAY2, ROWS[:2])
    (piece,) = drain(server)
    assert (piece.name, piece.content, piece.rows, piece.last) == (first.name, first.read_bytes(), 4000, True)
    cursor = json.loads(json.dumps(piece.cursor))
    assert drain(server, cursor) == []
    assert [p.name for p in drain(server, cursor, DAY2)] == ["XK_20180822.csv"]
    server.publish(PATTERN, DAY1, ROWS[:1])  # sent again, corrected
    assert [p.rows for p in drain(server, cursor)] == [1]


def test_nothing_is_left_on_this_machine(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS)
    server.publish(PATTERN, DAY2, ROWS)
    paths = [Path(str(p.content)) for p in pull(stream(), endpoint(server), cursor={}, as_of=DAY2)]
    assert len(paths) == 2
    assert not any(path.exists() or path.parent.parent.exists() for path in paths)


def test_a_manifest_may_say_that_the_file_is_everything(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS[:3], full_set=True)
    server.publish(PATTERN, DAY2, ROWS[:3])
    assert [piece.full_set for piece in drain(server, as_of=DAY2)] == [True, False]


def test_a_private_key_logs_in_too(tmp_path: Path) -> None:
    key, text = new_key()
    with SftpServer(tmp_path, PASSWORD, client_key=key) as server:
        server.publish(PATTERN, DAY1, ROWS[:1])
        assert len(drain(server, secret=text)) == 1
        _, other = new_key()
        with pytest.raises(AgencyRefused, match="private key is refused") as caught:
            drain(server, secret=other)
        assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("kind", ["none", "other host", "bare key of another server"])
def test_a_server_whose_key_is_not_known_gets_no_secret(server: SftpServer, kind: str) -> None:
    stranger, _ = new_key()
    line = {
        "none": None,
        "other host": server.host_key.replace("127.0.0.1", "sftp.invalid"),
        "bare key of another server": f"ssh-ed25519 {stranger.get_base64()}",
    }[kind]
    with pytest.raises(AgencyRefused) as caught:
        drain(server, host_key=line)
    said = str(caught.value)
    assert "compare with" in said
    assert "SHA256:" in said
    assert PASSWORD not in said
    assert not server.requests


def test_another_server_on_the_known_address_is_refused_at_once_and_the_right_one_is_read_again(
    server: SftpServer,
) -> None:
    server.publish(PATTERN, DAY1, ROWS[:1])
    server.faults.turn_on(Fault(FaultKind.WRONG_HOST_KEY, times=1))
    with pytest.raises(AgencyRefused, match=r"the server shows host key ssh-ed25519 SHA256:.*the endpoint holds"):
        drain(server)
    assert len(drain(server)) == 1


def test_a_bare_key_is_that_of_the_endpoints_host(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS[:1])
    comment_and_bare = f"# from the letter of 21 August\n{server.host_key.split(' ', 1)[1]}\n"
    assert len(drain(server, host_key=comment_and_bare)) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret": "wrong"}, "password is refused"),
        ({"secret": None}, "no password or private key"),
        ({"secret": "-----BEGIN OPENSSH PRIVATE KEY-----\nx"}, "cannot be read"),
        ({"url": "sftp://127.0.0.1/"}, "sftp://user@host"),
        ({"url": "sftp://reader:a-password@127.0.0.1/"}, "the password its secret"),
        ({"url": "https://reader@127.0.0.1/"}, "sftp://user@host"),
        ({"host_key": "no such line"}, "line 1 of host_key"),
    ],
)
def test_what_a_person_has_to_put_right_is_refused(server: SftpServer, changes: dict[str, str], words: str) -> None:
    with pytest.raises(AgencyRefused, match=words) as caught:
        drain(server, **changes)
    assert "a-password" not in str(caught.value)


def test_a_broken_connection_is_made_again_and_the_file_goes_on_behind_the_last_byte(server: SftpServer) -> None:
    sent = server.publish(PATTERN, DAY1, ROWS)
    server.faults.turn_on(Fault(FaultKind.RESET, times=1))
    (piece,) = drain(server)
    assert piece.content == sent.read_bytes()
    begun = [int(asked.rpartition(" ")[2]) for asked in server.requests if asked.startswith(f"READ /{sent.name} from")]
    assert len(begun) == 2
    assert 0 < begun[1] <= len(piece.content) // 2


def test_a_connection_that_never_holds_gives_up_and_what_came_before_is_kept(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS[:5])
    server.publish(PATTERN, DAY2, ROWS)
    server.faults.turn_on(Fault(FaultKind.RESET, page=2))
    pieces = []
    with pytest.raises(AgencyUnavailable, match="attempt 3 of 3"):
        for piece in pull(stream(), endpoint(server), cursor={}, as_of=DAY2):
            pieces.append(piece)  # noqa: PERF402 - what came before the error counts
    assert [(p.name, p.last) for p in pieces] == [("XK_20180821.csv", False)]
    server.faults.turn_off()
    assert [(p.name, p.last) for p in drain(server, pieces[-1].cursor, DAY2)] == [("XK_20180822.csv", True)]


def test_a_server_that_says_nothing_is_unavailable(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS[:5])
    server.faults.turn_on(Fault(FaultKind.SLOW, seconds=1.0))
    impatient = stream(read_timeout=0.1)
    with pytest.raises(AgencyUnavailable):
        list(pull(impatient, endpoint(server), cursor={}, as_of=DAY1))


def test_a_server_that_is_down_is_unavailable(server: SftpServer) -> None:
    server.stop()
    with pytest.raises(AgencyUnavailable):
        drain(server)


def test_a_folder_that_may_not_be_listed_is_refused_and_a_single_file_is_reported(server: SftpServer) -> None:
    server.publish(PATTERN, DAY1, ROWS[:1])
    server.publish("XK_{date}_2.csv", DAY1, ROWS[:2])
    server.faults.turn_on(Fault(FaultKind.FORBIDDEN, page=0))
    with pytest.raises(AgencyRefused, match="this account may read it"):
        drain(server)
    server.faults.turn_on(Fault(FaultKind.FORBIDDEN, page=1))
    pieces = []
    with pytest.raises(FilesRefusedError, match="FILE_READ") as caught:
        for piece in pull(stream(), endpoint(server), cursor={}, as_of=DAY1):
            pieces.append(piece)  # noqa: PERF402 - what came before the error counts
    assert [p.name for p in pieces] == ["XK_20180821_2.csv"]
    assert [problem.file for problem in caught.value.problems] == ["XK_20180821.csv"]


def test_a_folder_that_is_not_there_is_refused(server: SftpServer) -> None:
    with pytest.raises(AgencyRefused, match="cannot be listed"):
        list(pull(stream(folder="no/such"), endpoint(server), cursor={}, as_of=DAY1))


def test_a_stale_listing_loses_nothing(server: SftpServer) -> None:
    gone = server.publish(PATTERN, DAY1, ROWS[:1])
    cursor = drain(server)[-1].cursor
    for name in (gone.name, f"{gone.name}.manifest.json", f"{gone.name}.done"):
        (gone.parent / name).unlink()
    server.publish(PATTERN, DAY2, ROWS[:2])
    server.faults.turn_on(Fault(FaultKind.STALE_LISTING, times=1))
    with pytest.raises(FilesRefusedError, match="MANIFEST"):
        drain(server, cursor, DAY2)
    assert [p.name for p in drain(server, cursor, DAY2)] == ["XK_20180822.csv"]


def test_a_cut_copy_is_reported_until_it_is_sent_again(server: SftpServer) -> None:
    server.faults.turn_on(Fault(FaultKind.TRUNCATED, times=1))
    server.publish(PATTERN, DAY1, ROWS)
    for _ in range(2):
        with pytest.raises(FilesRefusedError, match="FILE_SIZE"):
            drain(server)
    server.publish(PATTERN, DAY1, ROWS)
    assert len(drain(server)) == 1


def test_the_environment_names_address_secret_and_host_key() -> None:
    environment = {
        "DISCLOSURE_FDA_URL": "sftp://reader@host/out",
        "DISCLOSURE_FDA_SECRET": "a-password",
        "DISCLOSURE_FDA_HOST_KEY": "host ssh-ed25519 AAAA",
    }
    found = endpoint_from_environment("fda", environment)
    assert found == Endpoint("sftp://reader@host/out", "a-password", host_key="host ssh-ed25519 AAAA")
    assert "a-password" not in repr(found)
