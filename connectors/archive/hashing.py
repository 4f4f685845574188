"""The hash of a stream, reckoned beside whoever packs or unpacks it."""

from __future__ import annotations

import hashlib
from typing import Final

from connectors.beside import Beside


class HashBeside:
    """SHA-256 of the pieces it is given; one piece waits at the most. ``close`` ends its thread."""

    def __init__(self) -> None:
        """Nothing is hashed yet."""
        self._digest: Final = hashlib.sha256()
        self._beside: Final = Beside(self._digest.update)
        self.update: Final = self._beside.give
        self.close: Final = self._beside.close

    def hexdigest(self) -> str:
        """Return the hash of all pieces so far."""
        self._beside.settle()
        return self._digest.hexdigest()
