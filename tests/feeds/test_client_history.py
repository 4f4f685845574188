"""Over any history of a feed, clients that follow it, skip releases or start late all hold the same."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path

from conftest import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from feeds import algebra
from feeds.client import apply_release
from feeds.manifest import Part, part_file
from feeds.sites import load_sites
from feeds.verification import verify_release
from feeds.visible import current_release
from transforms.columns import DUAL_PUBLICITY, Kind

KEYS = st.sampled_from([f"{letter}{digit}" for letter in "abc" for digit in range(3)])
KINDS = st.sampled_from(DUAL_PUBLICITY)
TEXTS = st.text(st.sampled_from("罚款 =,'\"<&\n\r\t\x0b"), max_size=8)


class FeedHistory(RuleBasedStateMachine):
    """The model is a dict per kind: key -> content shown."""

    @initialize(site=st.sampled_from(["creditchina", "qyxy"]))
    def start(self, site: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="feed-history-"))
        self.root = self.directory / "site"
        site_of_two = load_sites()[site]
        self.site = site_of_two.model_copy(update={"tables": site_of_two.tables[:2]})
        self.world = World(threads=1)
        self.model: dict[Kind, dict[str, str]] = {kind: {} for kind in DUAL_PUBLICITY}
        self.published: dict[Kind, dict[str, str]] = {kind: {} for kind in DUAL_PUBLICITY}
        self.sequence = 0

    @rule(kind=KINDS, key=KEYS, content=TEXTS)
    def add_or_change(self, kind: Kind, key: str, content: str) -> None:
        self.world.put(kind, key, content=content)
        self.model[kind][key] = content.replace("\x0b", "")

    @precondition(lambda self: any(self.model.values()))
    @rule(kind=KINDS, data=st.data())
    def withdraw(self, kind: Kind, data: st.DataObject) -> None:
        if self.model[kind]:
            key = data.draw(st.sampled_from(sorted(self.model[kind])))
            self.world.withdraw(kind, key)
            del self.model[kind][key]

    @rule(follow=st.booleans())
    def publish(self, follow: bool) -> None:
        before = current_release(self.root) if self.root.exists() else None
        self.sequence += 1
        summary = self.world.publish(self.site, self.root, self.sequence)
        for table in summary.tables.values():
            old, new = self.published[table.kind], self.model[table.kind]
            assert table.full == len(new)
            assert table.tombstones == len(old.keys() - new.keys())
            assert table.delta >= len(new.keys() - old.keys())
        self._algebra_holds(before)
        self.published = {kind: dict(shown) for kind, shown in self.model.items()}
        if follow:
            report = apply_release(self.root, self.directory / "follower")
            assert report.how in {"full", "delta"}
            assert report.how == "delta" or report.sequence == self.sequence

    @precondition(lambda self: self.sequence)
    @rule()
    def skipping_client_catches_up(self) -> None:
        report = apply_release(self.root, self.directory / "skipper")
        assert report.how != "full, chain broken"
        assert self._held(self.directory / "skipper") == self.published

    @precondition(lambda self: self.sequence)
    @rule()
    def late_client_starts_with_the_full_files(self) -> None:
        late = self.directory / "late"
        shutil.rmtree(late, ignore_errors=True)
        assert apply_release(self.root, late).how == "full"
        assert self._held(late) == self.published

    @precondition(lambda self: self.sequence)
    @rule()
    def follower_applies_again_and_again(self) -> None:
        follower = self.directory / "follower"
        apply_release(self.root, follower)
        assert apply_release(self.root, follower).how == "unchanged"
        assert self._held(follower) == self.published

    @invariant()
    def current_release_is_good(self) -> None:
        if getattr(self, "sequence", 0):
            assert verify_release(self.root, public_key=self.world.signer.public_pem).ok

    def _held(self, client: Path) -> dict[Kind, dict[str, str]]:
        held: dict[Kind, dict[str, str]] = {}
        for table in self.site.tables:
            content = next(column.code for column in table.columns if column.source == ("content",))
            with (client / "current" / f"{table.table}.csv").open(encoding="utf-8-sig", newline="") as stream:
                rows = list(csv.DictReader(stream))
            held[table.kind] = {row[table.key]: row[content].removeprefix("'") for row in rows}
        return held

    def _algebra_holds(self, before: Path | None) -> None:
        current = current_release(self.root)
        assert current is not None
        for table in self.site.tables:
            full, delta, gone = (
                dict(algebra.keyed_rows(current / part_file(table.table, part, "csv"))) for part in Part
            )
            base = dict(algebra.keyed_rows(before / part_file(table.table, Part.FULL, "csv"))) if before else {}
            assert {key: row for key, row in base.items() if key not in gone and key not in delta} | delta == full
            assert not gone.keys() & full.keys()

    def teardown(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


FeedHistory.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestFeedHistory = FeedHistory.TestCase
