"""Invariant 6 and 7: a process killed at any point and started again ends where one ends that was never killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, as_csv, legacy_penalty, penalty, registered, write

from feeds.verification import verify_release
from pipeline.reconcile import reconcile

PROJECT = Path(__file__).parent.parent.parent
SITES = ("creditchina", "gsxt")

INGEST_CUTS = (
    "pipeline.ingest:ingest_delivery:before",  # bytes safe, delivery entered, nothing read
    "store.records:store_rows:after",  # rows copied, nothing committed
    "store.deliveries:store_check_counts:after",  # all of it there but the commit
)
ATTACH_CUTS = ("pipeline.attach:copy_in:after",)
PUBLISH_CUTS = (
    "pipeline.press:build_release:before",  # entered as building, no file yet
    "pipeline.press:make_visible:before",  # built and verified, unseen
    "feeds.visible:point_at:before",  # in its place, nobody is sent there
    "pipeline.press:make_visible:after",  # seen by readers, the ledger does not know
)


def first_day(desk: Any) -> None:
    desk.register(registered(Company(serial)) for serial in range(1, 10))
    desk.ingest([penalty(serial) for serial in range(1, 6)])
    desk.attach()
    desk.publish(DAY, *SITES)


def second_day() -> bytes:
    return as_csv(
        [
            legacy_penalty(1, CF_ZT="1", SJC="2018-08-22 08:00:00"),
            legacy_penalty(6, SJC="2018-08-22 08:00:00"),
            legacy_penalty(7, SJC="2018-08-22 08:00:00", CF_JG="罚款人民币3万元"),
        ],
        extra_lines=["断掉的一行"],
    )


def outcome(desk: Any) -> dict[str, Any]:
    """What must be equal: no ids, which a sequence gives, and no times."""
    return {
        "rows": desk.query(
            "SELECT p.row_no, p.content_hash, r.state, p.sheet, r.shown_on, r.method FROM penalty p"
            " JOIN row_state r USING (record_id) ORDER BY p.delivery_id, p.row_no"
        ),
        "verdicts": desk.query("SELECT expectation, count(*) FROM verdict GROUP BY 1 ORDER BY 1"),
        "deliveries": desk.query("SELECT content_sha256, state, rows FROM delivery ORDER BY content_sha256"),
        "attachments": desk.query(
            "SELECT method, grade, uscc, count(*) FROM attachment GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ),
        "disclosures": desk.query(
            "SELECT site, record_key, shown, reason, count(*) FROM disclosure GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        ),
        "releases": desk.query("SELECT site, sequence, as_of, state, manifest_sha256 FROM release ORDER BY 1, 2"),
    }


@pytest.mark.timeout(240)
def test_killed_at_every_step_it_ends_where_an_uncut_run_ends(
    new_home: Callable[[], Any], office_of: Any, desk_of: Any, hashes_of: Any, tmp_path: Path
) -> None:
    uncut, cut = new_home(), new_home()
    desks = {site.database_url: desk_of(office_of(site)) for site in (uncut, cut)}
    for desk in desks.values():
        first_day(desk)
    whole, broken = desks[uncut.database_url], desks[cut.database_url]
    content = second_day()
    whole.ingest(content, NEXT_DAY)
    whole.attach(NEXT_DAY)
    whole.publish(NEXT_DAY, *SITES)

    def run(point: str | None, *command: str) -> None:
        killed = ["-m", "simulator.chaos.killed", point]
        program = killed if point else ["-c", "from pipeline.cli import app; app()"]
        environment = cut.environment | {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": "7"}
        ended = subprocess.run(
            [sys.executable, *program, *command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        expected = 0 if point is None else -signal.SIGKILL
        assert ended.returncode == expected, f"{point}: {ended.stderr}"
        if point:
            assert_no_half_release(broken.office.settings.feeds)

    delivered = write(tmp_path, "second.csv", content)
    day = ("--as-of", NEXT_DAY.isoformat())
    take_in = ("ingest", str(delivered), "--agency", "aic", "--kind", "penalty", *day)
    for point in INGEST_CUTS:
        run(point, *take_in)
        assert broken.query("SELECT count(*) FILTER (WHERE delivery_id > 1) AS n FROM penalty") == [{"n": 0}]
        assert any("archived" in finding for finding in reconcile(broken.office).findings)
    broken.ingest(content, NEXT_DAY)
    for point in ATTACH_CUTS:
        run(point, "attach", *day)
    broken.attach(NEXT_DAY)
    for point in PUBLISH_CUTS:
        run(point, "publish", "--site", SITES[0], *day)
    run(None, "publish", *(word for site in SITES for word in ("--site", site)), *day)

    def releases_of(site: Any) -> dict[str, str]:
        """The command lays scorecards beside a release; the step alone, by which the uncut run went, does not."""
        return {path: code for path, code in hashes_of(site.home / "feeds").items() if "/scorecards/" not in path}

    assert reconcile(broken.office).ok
    assert releases_of(cut) == releases_of(uncut)
    assert not list((cut.home / "feeds").rglob(".building*"))
    assert outcome(broken) == outcome(whole)


def assert_no_half_release(feeds: Path) -> None:
    for site in SITES:
        report = verify_release(feeds / site)
        assert report.ok, report
        assert str((feeds / site / "current").readlink()) in ("releases/000001", "releases/000002")
