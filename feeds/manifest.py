"""The manifest of a release: what it holds, what it follows, and how each delta leads from one state to the next.

JSON with sorted keys, no clock in it, signed as the bytes it is. The schema of the words is documented in
``docs/feeds.md``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transforms.columns import Kind

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
PUBLIC_KEY: Final = "public_key.pem"
DATA_PACKAGE: Final = "datapackage.json"
FORMATS: Final = ("csv", "jsonl", "xml")


class Part(StrEnum):
    """The three parts a table is published in."""

    FULL = "full"
    DELTA = "delta"
    TOMBSTONES = "tombstones"


class ManifestError(Exception):
    """Bytes that are not a manifest of this format."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^(schema/)?[A-Za-z0-9_][A-Za-z0-9_.]*$")]  # never leads out of the release


class FileEntry(_Strict):
    """One file of the release. ``rows`` counts records, null for files that hold none."""

    rows: int | None
    bytes: int
    sha256: Sha256
    sm3: Sha256


class PreviousRelease(_Strict):
    """The release before, by number and by the SHA-256 of its manifest."""

    sequence: int = Field(ge=1)
    manifest_sha256: Sha256


class DeltaProof(_Strict):
    """Hashes of the full CSV file before and after the delta; before the first release it is the header alone."""

    base_rows: int
    base_sha256: Sha256
    result_rows: int
    result_sha256: Sha256


class TableEntry(_Strict):
    """One table: the columns of full and delta in their order, the key first, and the proof of its delta."""

    kind: Kind
    columns: tuple[str, ...] = Field(min_length=1)
    tombstone_columns: tuple[str, ...] = Field(min_length=1)
    delta: DeltaProof


class XmlNames(_Strict):
    """Names of root and row elements."""

    root: str
    row: str


class Manifest(_Strict):
    """What a release says of itself."""

    format: Literal["credit-disclosure-release/1"] = "credit-disclosure-release/1"
    site: str
    site_name: str
    sequence: int = Field(ge=1, le=999_999)
    as_of: dt.date
    key_id: Sha256
    csv_bom: bool
    xml: XmlNames
    previous: PreviousRelease | None
    tables: Mapping[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], TableEntry]
    files: Mapping[FileName, FileEntry]

    def to_bytes(self) -> bytes:
        """Return the bytes that are published and signed."""
        content = self.model_dump(mode="json")
        return (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            ManifestError: not JSON, another format version, or a missing, unknown or wrong entry.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"]) or "(file)"
            raise ManifestError(f"{MANIFEST}, {where}: {first['msg']}") from error


def part_file(table: str, part: Part, form: str) -> str:
    """Return the name of one data file, such as ``CF.full.csv``."""
    return f"{table}.{part}.{form}"


def schema_file(site: str) -> str:
    """Return the name of the XML Schema of a site's files."""
    return f"schema/{site}.xsd"


def manifest_hash(content: bytes) -> str:
    """Return the SHA-256, in hex, by which the next release names a manifest."""
    return hashlib.sha256(content).hexdigest()
