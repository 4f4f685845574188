"""A file appears whole or not at all, and takes the place of the one before."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, content: bytes) -> Path:
    """Write beside and rename; the folder is made. Returns ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    return draft.replace(path)
