"""The authority behind a delivery, as it stood on one day."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    """Names and codes of a delivering agency on a day (一个机关在某日的名称与代码).

    ``codes_verified`` says whether the codes were checked against the official register of state organs. While they
    were not, a decision that names another code is a warning; afterwards it is held (R19).
    """

    agency: str
    names: tuple[str, ...]
    codes: tuple[str, ...]
    codes_verified: bool = False
