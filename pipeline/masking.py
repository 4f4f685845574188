"""Problems as they may be stored and shown: what a delivery said is quoted in them, whatever it held."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pyarrow as pa

from transforms import personal
from transforms.columns import TEXT
from transforms.problems import Problem

_CUT_OFF: Final = re.compile(r"[0-9０-９](?:[ -]{0,2}[0-9０-９]){5,16}(?=…)")
"""Digits before a place where something was cut off: they may be an ID number without its last ones."""


def masked(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems with every ID number masked and every telephone number cut (invariant 8)."""
    told = list(problems)
    quoted = {
        name: personal.without_numbers(
            pa.array([_CUT_OFF.sub("********", getattr(problem, name)) for problem in told], TEXT)
        ).to_pylist()
        for name in ("message", "remedy", "file", "field", "value", "text")
    }
    return tuple(
        replace(problem, **{name: texts[position] for name, texts in quoted.items()})
        for position, problem in enumerate(told)
    )
