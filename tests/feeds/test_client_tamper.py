"""Whatever is changed in a release, its client sees it and does not apply it."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import World

from feeds.client import APPLIED, ApplyError, apply_release
from feeds.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Manifest
from feeds.signature import Signer
from feeds.sites import Site, load_sites
from feeds.verification import verify_release
from feeds.visible import release_directory
from transforms.columns import Kind


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tamper") / "site"
    world = World(threads=1)
    site = load_sites()["creditchina"]
    for key in ("a1", "b2"):
        world.put(Kind.PENALTY, key)
    world.put(Kind.LICENCE, "c3")
    world.publish(site, root, 1)
    world.put(Kind.PENALTY, "b2", content="更正")
    world.withdraw(Kind.PENALTY, "a1")
    world.publish(site, root, 2)
    return root


@pytest.fixture
def root(two_releases: Path, tmp_path: Path) -> Path:
    shutil.copytree(two_releases, tmp_path / "site", symlinks=True)
    return tmp_path / "site"


def _refused(root: Path, check: str, tmp_path: Path) -> None:
    report = verify_release(root)
    assert not report.ok
    assert check in [one.name for one in report.checks if not one.ok], report.checks
    with pytest.raises(ApplyError):
        apply_release(root, tmp_path / "client")
    assert not (tmp_path / "client" / "current").exists()


def test_one_byte_changed_in_any_file_is_seen(root: Path, tmp_path: Path) -> None:
    current = release_directory(root, 2)
    names = sorted(str(path.relative_to(current)) for path in current.rglob("*") if path.is_file())
    assert len(names) == 23
    for name in names:
        good = (current / name).read_bytes()
        if not good:
            continue
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        (current / name).write_bytes(bytes(bad))
        assert not verify_release(root).ok, name
        (current / name).write_bytes(good)
    assert verify_release(root, deep=True).ok


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (lambda d: (d / "CF.delta.xml").unlink(), "files"),
        (lambda d: (d / "CF.full.csv").write_bytes((d / "CF.full.csv").read_bytes() + b'"zz"\n'), "files"),
        (lambda d: (d / "XK.tombstones.jsonl").write_bytes(b"{}\n"), "files"),
        (lambda d: (d / "readme.txt").write_text("more"), "files"),
        (lambda d: (d / SIGNATURE).unlink(), "signature"),
        (lambda d: (d / SIGNATURE).write_bytes(b"\0" * 64), "signature"),
        (lambda d: (d / PUBLIC_KEY).unlink(), "signature"),
        (lambda d: (d / MANIFEST).write_bytes((d / MANIFEST).read_bytes() + b" "), "signature"),
        (lambda d: (d / MANIFEST).write_bytes(b"{}"), "manifest"),
        (lambda d: (d / MANIFEST).unlink(), "manifest"),
    ],
)
def test_damage_is_named(root: Path, tmp_path: Path, damage: Callable[[Path], object], check: str) -> None:
    damage(release_directory(root, 2))
    _refused(root, check, tmp_path)


def _sign_again(directory: Path, signer: Signer, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads((directory / MANIFEST).read_bytes())
    change(content)
    manifest = (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
    (directory / MANIFEST).write_bytes(manifest)
    (directory / SIGNATURE).write_bytes(signer.sign(manifest))


def test_a_forger_with_a_key_of_his_own_is_seen_by_who_knows_the_key(root: Path, tmp_path: Path) -> None:
    trusted = (release_directory(root, 2) / PUBLIC_KEY).read_bytes()
    forger = Signer.load({}, tmp_path / "forger.pem", generate=True)
    directory = release_directory(root, 2)
    (directory / PUBLIC_KEY).write_bytes(forger.public_pem)
    _sign_again(directory, forger, lambda content: content.update(key_id=forger.key_id))
    assert not verify_release(root, public_key=trusted).ok
    apply_release(release_directory(root, 1), tmp_path / "client")
    with pytest.raises(ApplyError):
        apply_release(root, tmp_path / "client")  # the key of the first release is remembered
    assert (tmp_path / "client" / "current").resolve().name == "000001"


@pytest.mark.parametrize("name", ["../outside.csv", "/etc/passwd", "schema/../../x", ".hidden"])
def test_a_manifest_cannot_point_outside_of_its_release(root: Path, tmp_path: Path, name: str) -> None:
    signer = World(threads=1).signer

    def change(content: dict[str, object]) -> None:
        files = content["files"]
        assert isinstance(files, dict)
        files[name] = files["CF.full.csv"]

    _sign_again(release_directory(root, 2), signer, change)
    _refused(root, "manifest", tmp_path)


def test_formats_that_say_different_things_are_seen_by_a_deep_check(root: Path) -> None:
    signer = World(threads=1).signer
    directory = release_directory(root, 2)
    file = directory / "CF.full.jsonl"
    file.write_bytes(file.read_bytes().replace("更正".encode(), "变更".encode()))

    def change(content: dict[str, object]) -> None:
        import hashlib

        files = content["files"]
        assert isinstance(files, dict)
        for algorithm in ("sha256", "sm3"):
            files["CF.full.jsonl"][algorithm] = hashlib.new(algorithm, file.read_bytes()).hexdigest()

    _sign_again(directory, signer, change)
    assert verify_release(root).ok
    report = verify_release(root, deep=True)
    assert [check.name for check in report.checks if not check.ok] == ["rows"]


def test_an_older_release_and_a_second_version_of_a_number_are_refused(
    root: Path, tmp_path: Path, creditchina: Site
) -> None:
    client = tmp_path / "client"
    apply_release(root, client)
    before = (client / "current" / "CF.csv").read_bytes()
    with pytest.raises(ApplyError, match="不能退回第 1 期"):
        apply_release(release_directory(root, 1), client)
    _sign_again(release_directory(root, 2), World(threads=1).signer, lambda content: content.update(as_of="2018-08-30"))
    with pytest.raises(ApplyError, match="两个版本"):
        apply_release(root, client)
    other = tmp_path / "other"
    world = World(threads=1)
    world.publish(load_sites()["creditbj"], other, 3)
    with pytest.raises(ApplyError, match="creditbj"):
        apply_release(other, client)
    assert (client / "current" / "CF.csv").read_bytes() == before


def test_a_client_whose_files_were_changed_takes_the_full_files(root: Path, tmp_path: Path) -> None:
    client = tmp_path / "client"
    apply_release(release_directory(root, 1), client)
    (client / "current" / "CF.csv").write_bytes(b"lost")
    assert apply_release(root, client).how == "full, chain broken"
    (client / "current" / "XK.csv").unlink()
    assert apply_release(root, client).how == "full, chain broken"
    (client / "current" / APPLIED).write_text("{")
    assert apply_release(root, client).how == "full, chain broken"
    assert apply_release(root, client).how == "unchanged"
    for table in ("CF", "XK"):
        assert (client / "current" / f"{table}.csv").read_bytes() == (
            release_directory(root, 2) / f"{table}.full.csv"
        ).read_bytes()


def test_a_client_takes_the_full_files_where_a_release_in_between_is_missing(
    world: World, creditchina: Site, tmp_path: Path
) -> None:
    root = tmp_path / "chain"
    for sequence in (1, 2, 3):
        world.put(Kind.PENALTY, f"n{sequence}")
        world.publish(creditchina, root, sequence)
    apply_release(release_directory(root, 1), tmp_path / "patient")
    assert apply_release(root, tmp_path / "patient").releases == (2, 3)
    apply_release(release_directory(root, 1), tmp_path / "client")
    shutil.rmtree(release_directory(root, 2))
    report = apply_release(root, tmp_path / "client")
    assert (report.how, report.releases) == ("full, chain broken", (3,))
    assert Manifest.from_bytes((tmp_path / "client" / "current" / MANIFEST).read_bytes()).sequence == 3


@pytest.mark.parametrize("content", [b"", b"{", b'{"site": "creditchina"}', None])
def test_a_client_whose_own_notes_are_damaged_still_knows_its_key_and_its_number(
    root: Path, tmp_path: Path, creditchina: Site, content: bytes | None
) -> None:
    client = tmp_path / "client"
    apply_release(root, client)
    notes = client / "current" / APPLIED
    notes.unlink() if content is None else notes.write_bytes(content)
    forger = World(threads=1)
    forger.signer = Signer.load({}, tmp_path / "forger.pem", generate=True)
    forger.put(Kind.PENALTY, "evil")
    forged = tmp_path / "forged"
    for sequence in (1, 2, 3):
        forger.publish(creditchina, forged, sequence)
        with pytest.raises(ApplyError, match="公钥"):
            apply_release(release_directory(forged, sequence), client)
    with pytest.raises(ApplyError, match="不能退回第 1 期"):
        apply_release(release_directory(root, 1), client)
    with pytest.raises(ApplyError, match="creditbj"):
        world = World(threads=1)
        world.publish(load_sites()["creditbj"], tmp_path / "other", 1)
        apply_release(tmp_path / "other", client)
    assert (client / "current").resolve().name == "000002"


def test_a_client_whose_own_notes_are_damaged_goes_on_with_the_delta(root: Path, tmp_path: Path) -> None:
    client = tmp_path / "client"
    apply_release(release_directory(root, 1), client)
    (client / "current" / APPLIED).write_bytes(b"")
    assert apply_release(root, client).how == "delta"


def test_a_client_that_cannot_tell_what_it_applied_wants_a_key(root: Path, tmp_path: Path) -> None:
    client = tmp_path / "client"
    apply_release(root, client)
    for name in (APPLIED, MANIFEST):
        (client / "current" / name).write_bytes(b"")
    with pytest.raises(ApplyError, match="--key"):
        apply_release(root, client)
    trusted = World(threads=1).signer.public_pem
    assert apply_release(root, client, public_key=trusted).how == "full"
    shutil.rmtree((client / "current").resolve())
    with pytest.raises(ApplyError, match="--key"):
        apply_release(root, client)


@pytest.fixture
def five(world: World, creditchina: Site, tmp_path: Path) -> Path:
    """A site of five releases."""
    root = tmp_path / "five"
    for sequence in range(1, 6):
        world.put(Kind.PENALTY, f"n{sequence}")
        world.publish(creditchina, root, sequence)
    return root


@pytest.mark.parametrize("to", [3, 4, 5])
def test_a_manifest_in_the_chain_that_points_forward_ends_the_chain(five: Path, tmp_path: Path, to: int) -> None:
    client = tmp_path / "client"
    apply_release(release_directory(five, 1), client)
    place = release_directory(five, 3) / MANIFEST
    content = json.loads(place.read_bytes())
    content["previous"]["sequence"] = to
    place.write_text(json.dumps(content), encoding="utf-8")
    signal.alarm(60)  # it never ended
    try:
        assert apply_release(five, client).how == "full, chain broken"
    finally:
        signal.alarm(0)


def test_a_release_in_the_chain_is_the_one_that_the_next_one_names(five: Path, tmp_path: Path) -> None:
    client = tmp_path / "client"
    apply_release(release_directory(five, 1), client)
    signer = World(threads=1).signer
    _sign_again(release_directory(five, 3), signer, lambda content: content.update(as_of="2018-08-30"))
    assert apply_release(five, client).how == "full, chain broken"


def test_a_client_has_its_files_on_the_disk_before_it_points_at_them(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("feeds.client.sync", lambda path: told.append(path.name))
    monkeypatch.setattr("feeds.client.point_at", lambda to, place: told.append(f"current -> {place.name}"))
    apply_release(root, tmp_path / "client")
    files = sorted([APPLIED, "CF.csv", "XK.csv", MANIFEST])
    assert told == [*files, ".building-000002", "releases", "current -> 000002"]
