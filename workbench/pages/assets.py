"""The style sheet and the script, and the answer to a health check."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import PlainTextResponse

router = APIRouter()

_FOLDER: Final = Path(__file__).parent.parent / "static"
_TYPES: Final = {"workbench.css": "text/css", "workbench.js": "text/javascript"}
_FILES: Final = {name: (_FOLDER / name).read_bytes() for name in _TYPES}
VERSION: Final = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
"""Changes with the files: pages ask for them by it, so that browsers may keep them for ever."""


@router.get("/static/{name}")
def asset(name: str) -> Response:
    """Return the style sheet or the script."""
    if name not in _FILES:
        raise HTTPException(404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_FILES[name], media_type=_TYPES[name], headers=kept)


@router.get("/health")
def health() -> PlainTextResponse:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")
