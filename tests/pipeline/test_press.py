"""While the files of one site are written, the next is decided: what fails there takes nothing with it but itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from delivering import DAY, Company, penalty, registered

from feeds.release import ReleaseError
from pipeline import press
from pipeline.publish import publish
from pipeline.reconcile import reconcile

SITES = ["creditbj", "creditchina", "gsxt", "qyxy"]


@pytest.fixture
def ready(desk: Any) -> Any:
    """Attached records, and nothing published."""
    desk.register(registered(Company(n)) for n in range(1, 5))
    desk.ingest([penalty(n) for n in range(1, 5)])
    desk.attach()
    return desk


def failing_for(site: str, step: Callable[..., Any], named: Callable[..., str]) -> Callable[..., Any]:
    def tried(*arguments: Any, **options: Any) -> Any:
        if named(*arguments, **options) == site:
            raise ReleaseError(f"{site} fails")
        return step(*arguments, **options)

    return tried


def of_options(*_: Any, **options: Any) -> str:
    site = options["site"]
    return str(getattr(site, "site", site))


def of_rows(_connection: Any, _table: str, rows: Any) -> str:
    return str(rows.column("site")[0])


@pytest.mark.parametrize(
    ("step", "named"),
    [("disclose", of_options), ("copy_in", of_rows), ("build_release", of_options)],
    ids=["its decisions", "their entry", "its files"],
)
@pytest.mark.parametrize("site", SITES)
def test_a_site_that_fails_leaves_those_before_it_and_nothing_of_itself_or_those_after(
    ready: Any, monkeypatch: pytest.MonkeyPatch, step: str, named: Callable[..., str], site: str
) -> None:
    before = SITES[: SITES.index(site)]
    with monkeypatch.context() as broken:
        broken.setattr(press, step, failing_for(site, getattr(press, step), named))
        with pytest.raises(ReleaseError, match=f"{site} fails"):
            publish(ready.office, SITES, as_of=DAY)
    releases = ready.query("SELECT site, state FROM release ORDER BY site")
    assert [(each["site"], each["state"]) for each in releases] == [(made, "visible") for made in before]
    assert {each["site"] for each in ready.query("SELECT DISTINCT site FROM disclosure")} == set(before)
    for each in SITES:
        left = {path.name for path in (ready.office.settings.feeds / each).glob("*")}
        assert left == ({"current", "releases"} if each in before else set())
    assert reconcile(ready.office).ok
    made = publish(ready.office, SITES, as_of=DAY)
    assert [each.already_published for each in made] == [each in before for each in SITES]
    assert {each.tables["CF" if each.site.startswith("credit") else "E_OT_CASE"]["full"] for each in made} == {4}
