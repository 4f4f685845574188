"""Well-formed synthetic codes: USCC (GB 32100), organisation code (GB 11714), registration number, resident ID."""

from __future__ import annotations

from datetime import date
from typing import Final

from transforms.identifiers import uscc_check_character

_ORG: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def organisation_code(serial: int) -> str:
    """Return the nine characters of the synthetic body ``TE`` + six digits; serials run to 999,999."""
    body = f"TE{serial:06d}"
    rest = 11 - sum(_ORG.index(char) * weight for char, weight in zip(body, _ORG_WEIGHTS, strict=True)) % 11
    return body + {10: "X", 11: "0"}.get(rest, str(rest))


def credit_code(department: str, region: str, organisation: str) -> str:
    """Return the USCC of an organisation; ``department`` is the first two characters, e.g. 91 or 92."""
    body = f"{department}{region}{organisation}"
    return body + uscc_check_character(body)


def registration_number(region: str, serial: int) -> str:
    """Return a 15-digit registration number (ISO 7064 MOD 11,10)."""
    body = f"{region}{serial:08d}"
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return body + str((11 - product) % 10)


def resident_id(region: str, born: date, serial: int) -> str:
    """Return a well-formed 18-character resident ID number that belongs to nobody known."""
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _ID_WEIGHTS, strict=True)) % 11]
