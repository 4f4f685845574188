"""``disclosure simulate``: rows as files with their truth, and faults switched per source while it serves."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.descriptor import Retries, load_agency
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import AgencyRefused, PullInconsistentError
from connectors.transports.pulling import pull
from simulator.__main__ import main
from simulator.business_days import DEMO_DAYS
from simulator.faults import OF_CONTENT, FaultKind
from simulator.plan import SERVED, plans

SMALL = ("--enterprises", "300", "--scale", "0.02")
FIRST, SECOND = DEMO_DAYS


@contextmanager
def serving(home: Path, *options: str) -> Iterator[dict[str, Endpoint]]:
    command = [sys.executable, "-c", "from pipeline.cli import app; app()", "simulate", "serve", "--home", str(home)]
    with subprocess.Popen([*command, *SMALL, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        yield {agency: Endpoint(**each) for agency, each in told.items()}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def rows_of(agency: str, endpoint: Endpoint) -> int:
    stream = load_agency(agency).streams[-1]
    quick = {"rate": 1000.0, "retries": Retries(attempts=1)}
    pieces = pull(stream.model_copy(update=quick), endpoint, cursor={}, as_of=SECOND)
    return sum(piece.rows or 0 for piece in pieces)


def test_faults_and_days_are_switched_while_it_serves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ("--home", str(tmp_path))
    chosen = ("--days", str(FIRST), "--agency", "cac", "drc", "--fault", "cac=unauthorized")
    with serving(tmp_path, *chosen) as endpoints:
        assert set(endpoints) == {"cac", "drc"}
        with pytest.raises(AgencyRefused, match="401"):
            rows_of("cac", endpoints["cac"])
        assert main(["fault", "cac", "wrong-total", *home]) == 0
        with pytest.raises(PullInconsistentError):
            rows_of("cac", endpoints["cac"])
        assert main(["fault", "cac", "off", *home]) == 0
        before = rows_of("cac", endpoints["cac"])
        assert main(["publish", str(SECOND), *home]) == 0
        assert rows_of("cac", endpoints["cac"]) > before > 0
        with pytest.raises(SystemExit) as ended:
            main(["fault", "drc", "wrong-host-key", *home])
        assert ended.value.code == 2
        assert "drc cannot show WRONG_HOST_KEY; it can show" in capsys.readouterr().err
    assert main(["fault", "cac", "off", *home]) == 1
    assert "disclosure simulate serve" in capsys.readouterr().err


def test_it_writes_every_stream_as_a_file_with_the_truth_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["write", "--home", str(tmp_path), *SMALL, "--days", str(FIRST)]) == 0
    names = json.loads(capsys.readouterr().out)["files"]
    with (tmp_path / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    for plan in plans():
        [name] = [name for name in names if name.startswith(f"{plan.agency}/{plan.stream}_{FIRST:%Y%m%d}.")]
        path = tmp_path / name
        with open_table(path, file=path.name) as table:
            read = sum(batch.num_rows for batch in table.batches())
        assert read == sum((row["agency"], row["stream"]) == plan.key for row in truth)
    assert {f"register_{FIRST:%Y%m%d}_full.csv", "truth.csv"} <= set(names)


def test_every_fault_can_be_shown_by_some_agency(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    able = json.loads(capsys.readouterr().out)
    assert set(able) == set(SERVED)
    assert {name for kinds in able.values() for name in kinds} == {kind.name for kind in FaultKind}
    assert {kind.name for kind in OF_CONTENT} <= set(able["fda"]) | set(able["drc"])
