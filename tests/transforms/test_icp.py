"""ICP numbers in the forms that sites show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.icp import icp_numbers, read_icp

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "vectors.json").read_text(encoding="utf-8"))["icp"]
KINDS = {"备案": "filing", "经营许可证 (commercial ICP)": "licence", "增值电信许可证": "telecom"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["raw"])
def test_vectors(vector: dict[str, Any]) -> None:
    read = read_icp(vector["raw"])
    assert (read is not None) == vector["valid"]
    if read is not None:
        assert read.kind == KINDS[vector["kind"]]
        assert read.subject == vector.get("subject", read.subject)
        assert read.site == vector.get("site")
        assert read.canonical == vector.get("canonical", read.canonical)


@pytest.mark.parametrize("text", ["", "无", "京ICP备1234567号", "X ICP备12345678号", "京ICP证"])
def test_what_is_no_number(text: str) -> None:
    assert read_icp(text) is None


def test_a_column() -> None:
    subject, site = icp_numbers(pa.array(["备案号：京ICP备１２３４５６７８号－３", None, "无", "B1.B2-20090059"]))
    assert subject.to_pylist() == ["京ICP备12345678号", None, None, "B1.B2-20090059号"]
    assert site.to_pylist() == [3, None, None, None]
