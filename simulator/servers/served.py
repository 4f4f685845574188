"""What can be started and stopped, and be held open by ``with``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Served(ABC):
    """Something that answers between ``start`` and ``stop``."""

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Answer from now on."""

    @abstractmethod
    def stop(self) -> None:
        """Answer no more."""
