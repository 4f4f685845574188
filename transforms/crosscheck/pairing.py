"""Which row of a report stands for which site, one to one, and in which fields the two differ.

Most rows have one site to go with. Where several rows could go with several sites, the assignment in which the fewest
fields differ is taken, so that rows in another order are no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from rapidfuzz.fuzz import ratio
from scipy.optimize import linear_sum_assignment

from transforms.crosscheck.cases import Rules
from transforms.icp import read_icp
from transforms.names import name_key

PAIRS: Final = pa.schema(
    [
        ("site", pa.string()), ("row", pa.string()), ("site_name", pa.string()), ("row_name", pa.string()),
        ("site_type", pa.string()), ("row_type", pa.string()), ("site_icp", pa.string()), ("row_icp", pa.string()),
    ]
)  # fmt: skip
"""A row of a report and a site that it could stand for; ``site`` and ``row`` are keys that name no other."""


def similarity(names: Iterable[tuple[str | None, str | None]], rules: Rules) -> list[float]:
    """Compare names of sites, 0 to 1, words that say nothing left out; 1 where either is missing."""
    words = re.compile("|".join(map(re.escape, rules.empty_words)))
    return [_alike(one, other, words) for one, other in names]


def _alike(one: str | None, other: str | None, words: re.Pattern[str]) -> float:
    if not one or not other or one == other:
        return 1.0
    left, right = words.sub("", one) or one, words.sub("", other) or other
    if left in right or right in left:
        return 1.0
    return ratio(left, right) / 100


def assign(pairs: pa.Table, rules: Rules) -> pa.Table:
    """Choose among candidate pairs (schema ``PAIRS``), one row for one site; return them with ``differs``.

    ``differs`` names the fields that differ, joined by ``;``, empty when none does. Sites that share a row with a
    better one are left out. The answer does not depend on the order of the pairs.
    """
    if not pairs.num_rows:
        return pairs.append_column("differs", pa.array([], pa.string()))
    pairs = pairs.sort_by([("site", "ascending"), ("row", "ascending")])
    differing = _differing(pairs, rules)
    cost = np.array([len(fields) for fields in differing])
    chosen = _one_to_one(pairs["site"].to_pylist(), pairs["row"].to_pylist(), cost)
    told = pa.array([";".join(fields) for fields in differing], pa.string())
    return pairs.append_column("differs", told).take(pa.array(chosen, pa.int64()))


def _differing(pairs: pa.Table, rules: Rules) -> list[list[str]]:
    site_names, row_names = (name_key(pairs[name]).to_pylist() for name in ("site_name", "row_name"))
    alike = similarity(zip(site_names, row_names, strict=True), rules)
    allowed = {"app", "account", None}
    columns = (pairs[name].to_pylist() for name in ("site_type", "row_type", "site_icp", "row_icp"))
    found: list[list[str]] = []
    for likeness, site_type, row_type, site_icp, row_icp in zip(alike, *columns, strict=True):
        fields = []
        if row_type is not None and site_type not in allowed and site_type not in rules.types[row_type]:
            fields.append("site_type")
        if likeness < rules.name_similarity:
            fields.append("site_name")
        if _icp_differs(site_icp, row_icp):
            fields.append("icp_no")
        found.append(fields)
    return found


def _one_to_one(sites: Sequence[str], rows: Sequence[str], cost: np.ndarray[Any, Any]) -> list[int]:
    """Return the places of the chosen pairs. Groups of pairs that share a site or a row are solved on their own."""
    chosen: list[int] = []
    for group in _groups(sites, rows):
        if len(group) == 1:
            chosen += group
            continue
        of_site = {site: place for place, site in enumerate(dict.fromkeys(sites[place] for place in group))}
        of_row = {row: place for place, row in enumerate(sorted({rows[place] for place in group}))}
        costs = np.full((len(of_site), len(of_row)), 1e6)
        where: dict[tuple[int, int], int] = {}
        for place in group:
            cell = of_site[sites[place]], of_row[rows[place]]
            # the order of names settles equal costs, so that the answer is one
            costs[cell], where[cell] = cost[place] + 1e-6 * (cell[0] * len(of_row) + cell[1]) ** 0.5, place
        for cell in zip(*linear_sum_assignment(costs), strict=True):
            if cell in where:
                chosen.append(where[cell])
    return sorted(chosen)


def _groups(sites: Sequence[str], rows: Sequence[str]) -> list[list[int]]:
    """Put pairs together that share a site or a row, directly or by others."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for site, row in zip(sites, rows, strict=True):
        parent[root("s" + site)] = root("r" + row)
    found: dict[str, list[int]] = {}
    for place, site in enumerate(sites):
        found.setdefault(root("s" + site), []).append(place)
    return list(found.values())


def _icp_differs(one: str | None, other: str | None) -> bool:
    """Compare by subject number, and by site number where both have one; numbers of two sorts are not comparable."""
    read, other_read = read_icp(one or ""), read_icp(other or "")
    if read is None or other_read is None or read.kind != other_read.kind:
        return False
    if read.subject != other_read.subject:
        return True
    return read.site is not None and other_read.site is not None and read.site != other_read.site
