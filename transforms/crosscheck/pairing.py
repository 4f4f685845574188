"""Which row of a report stands for which site, one to one, and in which fields the two differ.

Most rows have one site to go with. Where several rows could go with several sites, the assignment in which the fewest
fields differ is taken, so that rows in another order are no error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.fuzz import ratio
from scipy.optimize import linear_sum_assignment

from transforms.columns import TEXT
from transforms.crosscheck.cases import Rules
from transforms.distinct import flat, read_distinct
from transforms.icp import read_icp
from transforms.names import name_key

PAIRED: Final = ("subject_id", "item", "base_name", "site_name", "base_type", "site_type", "base_icp", "icp_no")
"""What ``assign`` reads of a site and a row that could stand for it: the keys of both, and what either says."""

_Places = np.ndarray[tuple[int], np.dtype[np.int64]]


def similarity(ones: pa.StringArray, others: pa.StringArray, rules: Rules) -> pa.DoubleArray:
    """Compare keys of names of sites, 0 to 1, words that say nothing left out; 1 where either is missing."""
    words = "|".join(map(re.escape, rules.empty_words))
    left, right = _telling(ones, words), _telling(others, words)
    unequal = pc.fill_null(pc.not_equal(left, right), False).to_numpy(zero_copy_only=False)
    alike = np.ones(len(ones))
    names = (side.filter(pa.array(unequal)).to_pylist() for side in (left, right))
    alike[unequal] = [_likeness(one, other) for one, other in zip(*names, strict=True)]
    return pa.array(alike)


def _telling(names: pa.StringArray, words: str) -> pa.StringArray:
    told = pc.replace_substring_regex(names, words, "")
    return pc.coalesce(*(pc.if_else(pc.equal(text, ""), None, text) for text in (told, names)))


def _likeness(one: str, other: str) -> float:
    return 1.0 if one in other or other in one else ratio(one, other) / 100


def assign(pairs: pa.Table, rules: Rules) -> pa.Table:
    """Choose among candidate pairs (columns ``PAIRED``), one row for one site; return them with ``differs``.

    ``differs`` names the fields that differ, joined by ``;``, empty when none does. Sites that share a row with a
    better one are left out. The answer does not depend on the order of the pairs.
    """
    fields = _differing(pairs, rules)
    names = [pc.if_else(differs, f"{name};", "") for name, differs in fields.items()]
    told = pc.utf8_rtrim(pc.binary_join_element_wise(*names, ""), ";")
    cost = np.sum([differs.to_numpy(zero_copy_only=False) for differs in fields.values()], axis=0)
    alone = _alone(pairs["subject_id"]) & _alone(pairs["item"])
    crowded = np.flatnonzero(~alone)
    ordered = pc.sort_indices(
        pairs.select(["subject_id", "item"]).take(pa.array(crowded)),
        sort_keys=[("subject_id", "ascending"), ("item", "ascending")],
    )
    crowded = crowded[ordered.to_numpy()]
    sites, rows = (pairs[name].take(pa.array(crowded)).to_pylist() for name in ("subject_id", "item"))
    chosen = np.concatenate([np.flatnonzero(alone), crowded[_one_to_one(sites, rows, cost[crowded])]])
    return pairs.append_column("differs", told).take(pa.array(chosen))


def _alone(keys: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which places hold a key that stands nowhere else."""
    places = flat(keys).dictionary_encode().indices.to_numpy()
    return np.asarray(np.bincount(places)[places] == 1) if len(places) else np.zeros(0, np.bool_)


def _differing(pairs: pa.Table, rules: Rules) -> dict[str, pa.BooleanArray]:
    columns = {name: flat(pairs[name]) for name in PAIRED}
    alike = similarity(name_key(columns["base_name"]), name_key(columns["site_name"]), rules)
    return {
        "site_type": _type_differs(columns["base_type"], columns["site_type"], rules),
        "site_name": pc.less(alike, rules.name_similarity),
        "icp_no": _icp_differs(columns["base_icp"], columns["icp_no"]),
    }


def _type_differs(base: pa.StringArray, reported: pa.StringArray, rules: Rules) -> pa.BooleanArray:
    """An app or an account may stand under either type of the report."""
    fits = pc.or_(pc.is_null(reported), pc.is_in(base, pa.array(["app", "account", None], TEXT)))
    for name, of in rules.types.items():
        fits = pc.or_(fits, pc.fill_null(pc.and_(pc.equal(reported, name), pc.is_in(base, pa.array(of, TEXT))), False))
    return pc.invert(fits)


def _icp_differs(base: pa.StringArray, reported: pa.StringArray) -> pa.BooleanArray:
    """Compare by subject number, and by site number where both have one; numbers of two sorts are not comparable."""
    either = (pc.if_else(pc.is_valid(reported), base, None), pc.if_else(pc.is_valid(base), reported, None))
    (kind, subject, site), (other_kind, other_subject, other_site) = (
        read_distinct(texts, _icp, TEXT, TEXT, pa.int64()) for texts in either
    )
    unequal = pc.or_(
        pc.fill_null(pc.not_equal(subject, other_subject), False), pc.fill_null(pc.not_equal(site, other_site), False)
    )
    return pc.and_(pc.fill_null(pc.equal(kind, other_kind), False), unequal)


def _icp(text: str) -> tuple[str | None, str | None, int | None]:
    return read_icp(text) or (None, None, None)


def _one_to_one(sites: Sequence[str], rows: Sequence[str], cost: np.ndarray[Any, Any]) -> _Places:
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
    return np.array(sorted(chosen), np.int64)


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
