"""发布: what each site was given, what changed in it, and whether it still is what was signed."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse

from feeds.manifest import MANIFEST, SIGNATURE, Part
from feeds.verification import VerifyReport
from feeds.verification import verify_release as verify
from pipeline.acceptance import told_of_release
from store import acceptance
from store.receipts import receipts_of
from workbench.desk import At, Desk
from workbench.reads import releases as reads
from workbench.rendering import render
from workbench.words import site_names

router = APIRouter()


@router.get("/releases")
def releases(desk: At, site: str | None = None, before: int | None = None) -> Response:
    """List the releases of a site, newest first, and where each site stands."""
    sites = list(site_names())
    newest = {each: next(iter(reads.list_releases(desk.office, each)), None) for each in sites}
    chosen = site if site in sites else sites[0]
    found = reads.list_releases(desk.office, chosen, before=before)
    more = found[-1].sequence if len(found) == reads.PAGE else None
    with desk.office.engine.connect() as connection:
        answered = {each.sequence: each for each in reversed(receipts_of(connection, chosen))}
    return render(desk, "releases", newest=newest, chosen=chosen, found=found, more=more, answered=answered)


@router.get("/releases/{site}/{sequence}")
def release(desk: At, site: str, sequence: int) -> Response:
    """Show one release: tables, what changed, files."""
    return _page(desk, site, sequence)


@router.get("/releases/{site}/{sequence}/verify")
def verify_release(desk: At, site: str, sequence: int) -> Response:
    """Check signature, hashes, completeness and chain of a release; it changes nothing."""
    listed = _read(desk, site, sequence)
    return _page(desk, site, sequence, verify(reads.directory_of(desk.office, listed)))


@router.get("/releases/{site}/{sequence}/files/{name:path}")
def release_file(desk: At, site: str, sequence: int, name: str) -> Response:
    """Return one file that the manifest lists, or the manifest itself."""
    listed = _read(desk, site, sequence)
    directory = reads.directory_of(desk.office, listed)
    manifest = reads.manifest_of(directory)
    if manifest is None or name not in {*manifest.files, MANIFEST, SIGNATURE}:
        raise HTTPException(404)
    return FileResponse(directory / name, filename=f"{site}-{sequence:06d}-{name.replace('/', '-')}")


def _read(desk: Desk, site: str, sequence: int) -> reads.Listed:
    listed = reads.read_release(desk.office, site, sequence)
    if listed is None:
        raise HTTPException(404)
    return listed


def _page(desk: Desk, site: str, sequence: int, report: VerifyReport | None = None) -> Response:
    listed = _read(desk, site, sequence)
    directory = reads.directory_of(desk.office, listed)
    manifest = reads.manifest_of(directory)
    heads: list[tuple[str, reads.Head]] = []
    if manifest is not None:
        parts = [(table, part) for table in manifest.tables for part in (Part.DELTA, Part.TOMBSTONES)]
        heads = [(part, reads.head_of(directory, manifest, table, part)) for table, part in parts]
    with desk.office.engine.connect() as connection:
        received = receipts_of(connection, site, sequence)
        withheld = acceptance.withheld_of_release(connection, site, sequence)
        counted = acceptance.counts_of_release(connection, listed.release_id)
        kept_back = told_of_release(connection, site, listed.release_id, most=reads.SAMPLE)
    return render(
        desk, "release", listed=listed, manifest=manifest, heads=heads, report=report, received=received,
        withheld=withheld, acceptance=counted, kept_back=kept_back,
    )  # fmt: skip
