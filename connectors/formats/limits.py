"""How much of a delivery is read before it counts as an attack or an accident."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep memory flat, whatever is sent. The longest legal field (违法事实) has 5,000 characters.

    ``batch_rows``: most rows in one batch. ``cell_chars``: a longer cell makes its row a damaged row.
    ``columns``: most columns of a table. ``file_bytes``: largest file. ``unpacked_bytes`` and ``unpack_ratio``: an
    XLSX container may grow to that size, and to that multiple of its own size, when unpacked.
    ``whole_json_bytes``: JSON that is one value cannot be cut into lines and is read whole; beyond this size JSON
    Lines is asked for. ``record_bytes``: a text record that is longer is skipped unread. ``damaged_rows``: with
    more, the file as a whole is taken for broken (each one is kept in memory until it is told).
    """

    batch_rows: int = 50_000
    cell_chars: int = 1_000_000
    columns: int = 1_000
    file_bytes: int = 4 << 30
    unpacked_bytes: int = 1 << 30
    unpack_ratio: int = 200
    whole_json_bytes: int = 64 << 20
    record_bytes: int = 32 << 20
    damaged_rows: int = 50_000
