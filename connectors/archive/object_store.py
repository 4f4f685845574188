"""An archive in a bucket of S3 or MinIO, through fsspec.

What is relied on: an upload becomes visible whole or not at all, a single one as well as the completion of one in
parts; ``If-None-Match: *`` refuses to replace what is there; what was written is seen by every later read and list.
A server too old for the condition is asked first whether the name is taken, and may at worst receive the same content
under the same name twice. Address and credentials come from the environment (``AWS_ENDPOINT_URL``,
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_CA_BUNDLE``) or from what else the AWS libraries look at.

Uploads that were cut off are parts that no reader sees; a life-cycle rule of the bucket
(``AbortIncompleteMultipartUpload``) clears them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from connectors.archive.contract import Draft

PART_BYTES: Final = 16 << 20
"""Size of an uploaded part and of a block read ahead; two of each are in memory at the most."""


class ObjectStore:
    """The files under ``s3://bucket/prefix``; the bucket must exist."""

    def __init__(self, url: str) -> None:
        """Connect with the environment's credentials. Raises ValueError when the URL names no bucket."""
        import fsspec  # noqa: PLC0415  (a local archive needs no S3 client)

        scheme, _, place = url.partition("://")
        if scheme != "s3" or not place.strip("/"):
            raise ValueError(f"an archive lies in a folder or at s3://bucket/prefix, not at {url!r}")
        self._root: Final = place.strip("/")
        self._files: Final[Any] = fsspec.filesystem(
            "s3", use_listings_cache=False, default_block_size=PART_BYTES, default_cache_type="readahead"
        )

    @contextlib.contextmanager
    def draft(self) -> Iterator[Draft]:
        """Give a nameless file of this machine to collect the content in: its name follows from it."""
        with tempfile.NamedTemporaryFile(prefix="disclosure-archive-") as file:
            yield Draft(Path(file.name), file.fileno())

    def keep(self, draft: Draft, name: str) -> None:
        """Upload the draft, in parts when it is large, unless the name is taken."""
        if self.has(name):
            return
        with contextlib.suppress(FileExistsError):  # another process was first
            self._files.put_file(
                str(draft.path), self._place(name), mode="create", chunksize=PART_BYTES, max_concurrency=2
            )

    def has(self, name: str) -> bool:
        """Say whether there is a file of that name."""
        return bool(self._files.exists(self._place(name)))

    def open(self, name: str) -> pa.NativeFile:
        """Open a file for reading; raises KeyError when there is none."""
        try:
            return pa.PythonFile(self._files.open(self._place(name), "rb"), mode="r")
        except FileNotFoundError:
            raise KeyError(name) from None

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of all files at any depth of a folder, in their order."""
        for place in sorted(self._files.find(self._place(folder))):
            yield str(place).removeprefix(f"{self._root}/")

    def remove(self, name: str) -> None:
        """Remove a file; in a bucket with versions this hides it, and a life-cycle rule must end the older version."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._place(name))

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"
