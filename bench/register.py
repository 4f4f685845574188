"""A seeded synthetic enterprise register for the bench; memory does not grow with the number of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from bench.columns import Column, Ints, falling_shares, joined, numbers, picked, where
from bench.identities import enterprise_names, person_names, registration_numbers, uscc_codes
from simulator.population import DISTRICTS

BATCH: Final = 50_000
"""Rows made at a time."""
REGISTER_COLUMNS: Final = ("UNISCID", "ENTNAME", "REGNO", "LEREP", "DOM", "ESTDATE", "REGSTATE", "HISTNAMES")
_ROADS: Final = (
    "建国路",
    "中关村大街",
    "学院路",
    "西直门外大街",
    "京顺路",
    "马家堡东路",
    "科兴路",
    "荣华南路",
    "新华西街",
)
_STATES: Final = ("存续（在营、开业、在册）", "吊销，未注销", "注销")


def write_register(path: Path, n: int, seed: int) -> None:
    """Write a register CSV of ``n`` enterprises (UTF-8, columns ``REGISTER_COLUMNS``) with valid codes and numbers.

    ``n`` is at least a few hundred, so that each kind of enterprise occurs. One in ten has a former name,
    a few of them two, joined by ``;``. One in twelve is a 个体工商户.
    """
    schema = pa.schema([(name, pa.string()) for name in REGISTER_COLUMNS])
    with pa_csv.CSVWriter(path, schema) as writer:
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(n, start + BATCH), dtype=np.int64)
            rng = np.random.default_rng([seed, 1, start])
            writer.write_batch(pa.record_batch(_enterprises(rows, n, seed, rng), schema=schema))


def _enterprises(rows: Ints, n: int, seed: int, rng: np.random.Generator) -> list[Column]:
    region = rng.choice(len(DISTRICTS), rows.size, p=falling_shares(len(DISTRICTS)))
    sole_trader = rng.random(rows.size) < 1 / 12
    renamed = rng.random(rows.size)
    former = joined(
        where(renamed < 0.10, enterprise_names(rows + n, sole_trader, region, seed, rng), ""),
        where(renamed < 0.01, ";", ""),
        where(renamed < 0.01, enterprise_names(rows + 2 * n, sole_trader, region, seed, rng), ""),
    )
    established = np.datetime64("1985-01-01") + rng.integers(0, 33 * 365, rows.size).astype("timedelta64[D]")
    return [
        uscc_codes(rows, sole_trader, region, seed),
        enterprise_names(rows, sole_trader, region, seed, rng),
        registration_numbers(rows, region, seed),
        person_names(rng, rows.size),
        joined(
            "北京市",
            picked(tuple(DISTRICTS.values()), region),
            picked(_ROADS, rng.integers(0, len(_ROADS), rows.size)),
            numbers(rng.integers(1, 400, rows.size)),
            "号院",
            numbers(rng.integers(1, 30, rows.size)),
            "号楼",
            numbers(rng.integers(101, 2599, rows.size)),
            "室",
        ),
        pa.array(established.astype(str)),
        picked(_STATES, rng.choice(3, rows.size, p=[0.93, 0.04, 0.03])),
        former,
    ]
