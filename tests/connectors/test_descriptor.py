"""Descriptors of agencies: the shipped ones are sound, and a mistake is told with file, line and key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from connectors.descriptor import (
    DescriptorError,
    Limit,
    agency_ids,
    load_agency,
    load_descriptor,
)
from connectors.endpoint import Endpoint, EndpointError, endpoint_from_environment

SOUND = """\
id: demo
names:
  - {name: 北京市示范局, to: 2018-11-30, successor: 北京市新局}
  - {name: 北京市新局, from: 2018-12-01}
codes:
  - {code: 11110000TE0000010U, synthetic: true}
contacts:
  - {role: 联系人, email: data@demo.invalid}
streams:
  - id: licence
    kind: licence
    sheet: standard
    transport:
      type: paged_api
      path: /licences
      page_size: 200
      watermark: {by: number, overlap: 20}
    format: {type: json, rows_at: rows}
    schedule: "30 6 * * *"
    daily_rows: {least: 1, most: 9}
    freshness_hours: 48
    mass_change:
      added: {rows: 18, share: 0.5}
      changed: {rows: 9, share: 0.1}
      withdrawn: {rows: 2, share: 0.02}
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "demo.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_shipped_agency_marks_its_code_as_a_stand_in() -> None:
    for agency in map(load_agency, agency_ids()):
        assert not agency.codes_verified
        assert all(code.code.startswith("11110000TE") for code in agency.codes)


def test_a_sound_file_is_read_and_cannot_be_changed(written) -> None:
    agency = load_descriptor(written(SOUND))
    assert agency.stream("licence").transport.page_size == 200
    with pytest.raises(ValidationError):
        agency.id = "other"  # type: ignore[misc]
    with pytest.raises(KeyError, match="only licence"):
        agency.stream("penalty")


@pytest.mark.parametrize(
    ("day", "name"),
    [(date(2018, 8, 21), "北京市示范局"), (date(2018, 12, 1), "北京市新局"), (date(2026, 1, 1), "北京市新局")],
)
def test_a_decision_finds_the_name_of_its_day(written, day: date, name: str) -> None:
    assert load_descriptor(written(SOUND)).name_on(day) == name


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("page_size: 200", "page_size: 9000", "demo.yaml line 16: streams[0].transport.page_size: "),
        ("page_size: 200", "pagesize: 200", "line 16: streams[0].transport.pagesize: is not a key that belongs here"),
        ("      page_size: 200\n", "", "line 13: streams[0].transport.page_size: is missing"),
        ("type: paged_api", "type: ftp", "line 13: streams[0].transport: type is 'ftp', must be one of 'paged_api'"),
        ("by: number", "by: moon", "line 17: streams[0].transport.watermark: by is 'moon'"),
        ("kind: licence", "kind: fine", "line 11: streams[0].kind: input should be 'licence'"),
        ('"30 6 * * *"', "daily", "line 19: streams[0].schedule: 'daily' is not a cron line"),
        (
            "rows_at: rows}",
            "rows_at: rows, encoding: gbk99}",
            "line 18: streams[0].format.encoding: 'gbk99' is not the name",
        ),
        ("least: 1, most: 9", "least: 10, most: 9", "line 20: streams[0].daily_rows: least (10) is above most (9)"),
        ("to: 2018-11-30, ", "", "overlap or are out of order"),
        ("id: demo", "id: other", "line 1: id: 'other' must be the name of the file"),
        ("contacts:", "codes: []\ncontacts:", "line 7: codes: is given twice"),
        ("names:", "names: [", "not readable as YAML"),
        ("E0000010U", "E0000010X", "line 6: codes[0].code: '11110000TE0000010X' is not a unified social credit code"),
        ("sheet: standard", "sheet: standard\n    fields: {名称: XK_XX}", "not a column of the standard sheet"),
        ("share: 0.1}", "share: 10}", "streams[0].mass_change.changed.share: input should be less than or equal to 1"),
        (
            "freshness_hours: 48",
            "deletions: {by: tombstone, column: ZT}\n    freshness_hours: 48",
            "line 21: streams[0].deletions.value: is missing",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(written, old: str, new: str, expected: str) -> None:
    assert old in SOUND
    with pytest.raises(DescriptorError) as caught:
        load_descriptor(written(SOUND.replace(old, new, 1)))
    assert "demo.yaml" in str(caught.value)
    assert expected in str(caught.value)


def test_a_mistake_in_a_merged_part_is_told_where_it_is_written(written) -> None:
    text = SOUND.replace("transport:", "transport: &api").replace("page_size: 200", "page_size: 0")
    first, _, stream = text.partition("streams:\n")
    second = stream.replace("id: licence", "id: penalty").replace("transport: &api", "transport:\n      <<: *api")
    kept = [line for line in second.splitlines() if "page_size" not in line]
    with pytest.raises(DescriptorError) as caught:
        load_descriptor(written(f"{first}streams:\n{stream}" + "\n".join(kept) + "\n"))
    assert [line.partition(": input")[0] for line in str(caught.value).splitlines()] == [
        "demo.yaml line 16: streams[0].transport.page_size",
        "demo.yaml line 16: streams[1].transport.page_size",
    ]


def test_a_limit_lets_a_small_stream_live_and_a_big_one_grow() -> None:
    limit = Limit(rows=100, share=0.1)
    assert [limit.most(held) for held in (0, 500, 5000)] == [100, 100, 500]


def test_all_mistakes_are_told_at_once(written) -> None:
    text = SOUND.replace("kind: licence", "kind: fine").replace("freshness_hours: 48", "freshness: 2")
    with pytest.raises(DescriptorError) as caught:
        load_descriptor(written(text))
    assert len(str(caught.value).splitlines()) == 3


def test_a_stream_id_may_stand_once(written) -> None:
    streams = yaml.safe_load(SOUND)["streams"] * 2
    text = SOUND.split("streams:", maxsplit=1)[0] + yaml.safe_dump({"streams": streams})
    with pytest.raises(DescriptorError, match="stream id given twice: licence"):
        load_descriptor(written(text))


@pytest.mark.parametrize("text", ["", "- a\n", "\udcff"])
def test_a_file_that_is_no_descriptor_is_refused(written, tmp_path: Path, text: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DescriptorError, match=r"demo\.yaml"):
        load_descriptor(path)


def test_an_unknown_agency_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DescriptorError, match="aic, bca, bcom"):
        load_agency("nobody")


def test_an_endpoint_is_read_from_the_environment_and_hides_its_secrets() -> None:
    environment = {"DISCLOSURE_QTSB_URL": "postgresql://user:pw1@host/db", "DISCLOSURE_QTSB_SECRET": "pw2"}
    endpoint = endpoint_from_environment("qtsb", environment)
    assert endpoint == Endpoint("postgresql://user:pw1@host/db", "pw2", None)
    assert "pw" not in repr(endpoint) + endpoint.shown
    assert endpoint.shown == "postgresql://host/db"
    with pytest.raises(EndpointError, match="DISCLOSURE_AIC_URL"):
        endpoint_from_environment("aic", environment)
