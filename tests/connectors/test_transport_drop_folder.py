"""The drop folder transport on real files: done-marks, manifests, both date forms, each file once."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from connectors.descriptor import Absence, load_agency
from connectors.endpoint import Endpoint
from connectors.transports import pulling
from connectors.transports.contract import AgencyUnavailable, Cursor, FilesRefusedError, Piece
from connectors.transports.drop_folder import pull
from simulator.faults import Fault, FaultKind
from simulator.servers.dated_files import DropFolder, as_csv, drop_content, drop_file

DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
ROWS = [{"XK_WSH": "京〔2018〕1号", "XK_NR": "食品"}, {"XK_WSH": "京〔2018〕2号", "XK_NR": "药品"}]


def drain(folder: Path, cursor: Cursor | None = None, as_of: date = DAY1) -> list[Piece]:
    return list(pull(load_agency("fda").stream("licence"), Endpoint(str(folder)), cursor=cursor or {}, as_of=as_of))


def refused(folder: Path, cursor: Cursor | None = None) -> tuple[list[Piece], FilesRefusedError]:
    pieces: list[Piece] = []
    stream = load_agency("fda").stream("licence")
    with pytest.raises(FilesRefusedError) as caught:
        for piece in pull(stream, Endpoint(str(folder)), cursor=cursor or {}, as_of=DAY1):
            pieces.append(piece)  # noqa: PERF402 - what came before the error counts
    return pieces, caught.value


def test_files_come_by_date_and_name_in_both_date_forms(tmp_path: Path) -> None:
    for name in ("XK_20180821_002.csv", "XK_2018-08-20.csv", "XK_20180821_001.csv", "CF_20180821.csv", "readme.txt"):
        drop_file(tmp_path, name, ROWS)
    pieces = drain(tmp_path)
    assert [p.name for p in pieces] == ["XK_2018-08-20.csv", "XK_20180821_001.csv", "XK_20180821_002.csv"]
    assert [p.last for p in pieces] == [False, False, True]
    assert all(isinstance(p.content, Path) and "食品" in p.content.read_text("gb18030") for p in pieces)
    assert {p.rows for p in pieces} == {2}


def test_a_folder_may_be_named_by_a_file_url(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20180821.csv", ROWS)
    stream = load_agency("fda").stream("licence")
    assert len(list(pull(stream, Endpoint(tmp_path.as_uri()), cursor={}, as_of=DAY1))) == 1


def test_a_file_without_its_done_mark_waits(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20180821.csv", ROWS)
    mark = tmp_path / "XK_20180821.csv.done"
    mark.unlink()
    assert drain(tmp_path) == []
    mark.touch()
    assert len(drain(tmp_path)) == 1


def test_a_file_of_a_later_day_waits(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20180822.csv", ROWS)
    assert drain(tmp_path, as_of=DAY1) == []
    assert len(drain(tmp_path, as_of=DAY2)) == 1


def test_each_file_is_read_once_by_name_and_bytes(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20180821.csv", ROWS)
    cursor = json.loads(json.dumps(drain(tmp_path)[-1].cursor))
    assert drain(tmp_path, cursor) == []
    drop_file(tmp_path, "XK_20180821.csv", ROWS[:1])  # sent again, corrected
    assert [p.rows for p in drain(tmp_path, cursor)] == [1]


def test_a_pull_that_was_cut_off_goes_on_with_the_other_files(tmp_path: Path) -> None:
    for number in range(4):
        drop_file(tmp_path, f"XK_20180821_{number}.csv", ROWS)
    whole = drain(tmp_path)
    for kept in range(1, 4):
        assert drain(tmp_path, whole[kept - 1].cursor) == whole[kept:]


def test_the_cursor_forgets_files_that_the_agency_cleared_away(tmp_path: Path) -> None:
    old = drop_file(tmp_path, "XK_20180820.csv", ROWS)
    cursor = drain(tmp_path)[-1].cursor
    old.unlink()
    (tmp_path / f"{old.name}.done").unlink()
    drop_file(tmp_path, "XK_20180821.csv", ROWS)
    assert list(drain(tmp_path, cursor)[-1].cursor["done"]) == ["XK_20180821.csv"]


def test_a_data_file_cleared_away_before_its_mark_is_not_asked_for_again(tmp_path: Path) -> None:
    path = drop_file(tmp_path, "XK_20180821.csv", ROWS)
    cursor = drain(tmp_path)[-1].cursor
    path.unlink()
    assert drain(tmp_path, cursor) == []


@pytest.mark.parametrize(
    ("damage", "rule", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "FILE_HASH", "SHA-256"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "FILE_SIZE", "字节"),
        (lambda path: path.unlink(), "FILE_READ", "无法读取"),
        (lambda path: (path.parent / f"{path.name}.manifest.json").unlink(), "MANIFEST", "缺少清单"),
        (lambda path: (path.parent / f"{path.name}.manifest.json").write_text("{"), "MANIFEST", "无法读取"),
        (lambda path: (path.parent / f"{path.name}.manifest.json").write_text("[1]"), "MANIFEST", "无法读取"),
        (
            lambda path: (path.parent / f"{path.name}.manifest.json").write_text('{"rows":"2","size":1,"sha256":"ab"}'),
            "MANIFEST",
            "须为整数",
        ),
    ],
)
def test_a_file_that_is_not_what_its_manifest_says_stays_and_the_others_go_on(
    tmp_path: Path, damage, rule: str, words: str
) -> None:
    bad = drop_file(tmp_path, "XK_20180821_1.csv", ROWS)
    for number in (0, 2):
        drop_file(tmp_path, f"XK_20180821_{number}.csv", ROWS)
    before = set(tmp_path.iterdir())
    damage(bad)
    gone = before - set(tmp_path.iterdir())
    pieces, error = refused(tmp_path)
    assert [(p.name, p.last) for p in pieces] == [("XK_20180821_0.csv", False), ("XK_20180821_2.csv", True)]
    (problem,) = error.problems
    assert (problem.rule, problem.file) == (rule, "XK_20180821_1.csv")
    assert words in problem.message
    assert problem.remedy
    assert before - set(tmp_path.iterdir()) == gone
    drop_file(tmp_path, bad.name, ROWS)  # put right: it comes with the next pull
    assert [p.name for p in drain(tmp_path, pieces[-1].cursor)] == [bad.name]


def test_a_name_with_an_impossible_date_is_reported(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20181345.csv", ROWS)
    pieces, error = refused(tmp_path)
    assert pieces == []
    assert error.problems[0].rule == "FILE_DATE"


def published(tmp_path: Path, *kinds: FaultKind) -> DropFolder:
    office = DropFolder(tmp_path)
    for kind in kinds:
        office.faults.turn_on(Fault(kind, times=1))
    office.publish("XK_{date}*.csv", DAY1, ROWS)
    return office


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (FaultKind.TRUNCATED, "FILE_SIZE"),
        (FaultKind.LOGIN_PAGE, "F02"),
        (FaultKind.EARLY_MARK, "MANIFEST"),
    ],
)
def test_a_file_that_came_wrong_makes_no_delivery_and_comes_when_it_is_put_right(
    tmp_path: Path, kind: FaultKind, rule: str
) -> None:
    office = published(tmp_path, kind)
    pieces, error = refused(tmp_path)
    assert pieces == []
    assert [(problem.rule, problem.file) for problem in error.problems] == [(rule, "XK_20180821.csv")]
    assert all(problem.remedy for problem in error.problems)
    office.publish("XK_{date}*.csv", DAY1, ROWS)
    assert [p.name for p in drain(tmp_path)] == ["XK_20180821.csv"]


def test_a_file_of_a_past_day_without_its_mark_is_told_of(tmp_path: Path) -> None:
    published(tmp_path, FaultKind.NO_MARK)
    assert drain(tmp_path) == []
    stream = load_agency("fda").stream("licence")
    with pytest.raises(FilesRefusedError, match="FILE_UNFINISHED"):
        list(pull(stream, Endpoint(str(tmp_path)), cursor={}, as_of=DAY2))


def test_a_stray_file_is_told_of_once(tmp_path: Path) -> None:
    published(tmp_path, FaultKind.STRAY_FILE)
    (tmp_path / "XK_20180821.csv.bak").touch()
    (tmp_path / "XK_790_20180821.csv").touch()  # of another stream, for all that this one can tell
    pieces, error = refused(tmp_path)
    assert [(p.rule, p.severity, p.file) for p in error.problems] == [
        ("FILE_STRAY", "warn", "XK_20180821.csv.bak"),
        ("FILE_STRAY", "warn", "XK_最终版.csv"),
    ]
    cursor = json.loads(json.dumps(pieces[-1].cursor))
    assert drain(tmp_path, cursor) == []
    (tmp_path / "XK_20180821.csv.bak").unlink()
    drop_file(tmp_path, "XK_20180821_2.csv", ROWS)
    assert drain(tmp_path, cursor)[-1].cursor["told"] == ["XK_最终版.csv"]


def test_a_file_that_grows_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop_file(tmp_path, "XK_20180821.csv", ROWS)
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    digest = hashlib.file_digest

    def write_on(file, name: str):
        found = digest(file, name)
        path.write_bytes(content + b"x")
        return found

    monkeypatch.setattr(hashlib, "file_digest", write_on)
    assert [p.rule for p in refused(tmp_path)[1].problems] == ["FILE_CHANGING"]


def test_a_manifest_may_leave_the_rows_open_and_say_that_the_file_is_everything(tmp_path: Path) -> None:
    drop_content(tmp_path, "XK_20180821.csv", as_csv(ROWS), None, full_set=True)
    (piece,) = drain(tmp_path)
    assert (piece.rows, piece.full_set) == (None, True)


def test_a_folder_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(AgencyUnavailable, match="cannot be read"):
        drain(tmp_path / "unmounted")


def test_a_stream_whose_deliveries_are_full_sets_says_so_of_every_piece(tmp_path: Path) -> None:
    drop_file(tmp_path, "XK_20180821.csv", ROWS)
    stream = load_agency("fda").stream("licence").model_copy(update={"deletions": Absence(by="absence")})
    (piece,) = pulling.pull(stream, Endpoint(str(tmp_path)), cursor={}, as_of=DAY1)
    assert piece.full_set
