"""What a site answers to a release (回执): one JSON document, written by the reference client, read by the office.

::

    {"site": "gsxt", "sequence": 2, "manifest_sha256": "...", "outcome": "applied",
     "tables": {"E_OT_CASE": 91, "E_OT_PERMIT": 134}, "problems": []}

``outcome`` is ``applied`` (已公示: the site shows the release; ``tables`` are the rows that it holds now) or
``refused`` (退回: ``problems`` say why). The hash says which bytes the site means: a receipt about others
acknowledges nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from feeds.client import ApplyReport
from feeds.manifest import MANIFEST, manifest_hash

LONGEST: Final = 1 << 20
"""Bytes of a receipt that are read."""

Outcome = Literal["applied", "refused"]


class ReceiptError(ValueError):
    """A document that is no receipt; the message says why, without quoting it."""


class Receipt(BaseModel):
    """A site's answer to one release."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: str = Field(pattern=r"^[a-z]{1,40}$")
    sequence: int = Field(ge=1)
    manifest_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    outcome: Outcome
    tables: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict, max_length=100)
    problems: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=100)

    @classmethod
    def of(cls, report: ApplyReport) -> Self:
        """Return the receipt of a client that has applied a release."""
        content = (report.directory / MANIFEST).read_bytes()
        return cls(
            site=report.site, sequence=report.sequence, manifest_sha256=manifest_hash(content), outcome="applied",
            tables=dict(report.tables),
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a receipt. Raises ``ReceiptError``."""
        if len(content) > LONGEST:
            raise ReceiptError(f"a receipt has at most {LONGEST} bytes")
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            places = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
            raise ReceiptError(f"not a receipt: {places}") from error

    def to_bytes(self) -> bytes:
        """Return the document; the same receipt gives the same bytes."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def write_receipt(report: ApplyReport, path: Path) -> Receipt:
    """Write the receipt of an applied release."""
    receipt = Receipt.of(report)
    path.write_bytes(receipt.to_bytes())
    return receipt
