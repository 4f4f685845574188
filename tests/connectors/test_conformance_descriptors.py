"""Every shipped source keeps what every source must keep, and together they are the thirteen of the plan."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from connectors.descriptor import agency_ids, load_agency
from connectors.descriptor.schema import agency_schema
from tests.connectors.conformance import (
    assert_office_is_sound,
    assert_sound_row_is_accepted,
    assert_source_conforms,
    own_row,
    sample_report,
)

AGENCIES = Path(str(resources.files("connectors") / "agencies"))
OFFICES = Path(str(resources.files("simulator") / "offices"))
VERTICAL = {"bca": "工业和信息化部", "customs": "海关总署", "post": "国家邮政局"}
HELD = {"customs", "psb"}
KNOWS_THE_WORD = {"R01.subject_category", "R14.category", "R20.status"}
"""The expectations that fail for a word that is none of the list's."""
OTHER = "其他"
"""A class that has to be explained beside it (R14), whatever code it was written with."""
MERGED = {"aic", "fda", "qtsb"}


@pytest.mark.parametrize("agency_id", agency_ids())
def test_the_descriptor_conforms(agency_id: str) -> None:
    assert_source_conforms(AGENCIES / f"{agency_id}.yaml")


@pytest.mark.parametrize("agency_id", agency_ids())
def test_the_simulator_can_play_it(agency_id: str) -> None:
    assert_office_is_sound(OFFICES / f"{agency_id}.yaml", AGENCIES / f"{agency_id}.yaml")


@pytest.mark.parametrize("agency_id", agency_ids())
def test_a_sound_row_is_accepted(agency_id: str, tmp_path: Path) -> None:
    assert_sound_row_is_accepted(AGENCIES / f"{agency_id}.yaml", tmp_path)


@pytest.mark.parametrize("agency_id", agency_ids())
def test_every_value_of_a_code_table_is_a_word_that_the_rules_know(agency_id: str, tmp_path: Path) -> None:
    agency = load_agency(agency_id)
    for stream in agency.streams:
        for code, table in stream.code_tables.items():
            cell = next((name for name, filled in stream.fields.items() if filled == code), code)
            row = own_row(agency, stream)
            rows = [row | {cell: value} for value, text in table.items() if text != OTHER]
            report = sample_report(agency, stream, tmp_path, rows)
            assert not {failure.expectation for failure in report.failures} & KNOWS_THE_WORD, (code, report.failures)
            assert report.untranslated == {}


def test_they_are_the_thirteen_of_the_plan_by_every_transport() -> None:
    assert len(agency_ids()) == 13
    used = {stream.transport.type for each in agency_ids() for stream in load_agency(each).streams}
    assert used == set(agency_schema()["$defs"]["RecordStream"]["properties"]["transport"]["discriminator"]["mapping"])


def test_merged_vertical_and_held_agencies_say_so() -> None:
    agencies = [load_agency(agency_id) for agency_id in agency_ids()]
    assert {each.id for each in agencies if each.names[0].successor == "北京市市场监督管理局"} == MERGED
    assert {each.id: each.vertical for each in agencies if each.vertical} == VERTICAL
    assert {each.id for each in agencies if each.default_hold} == HELD


def test_no_two_agencies_share_a_code_or_a_mailbox() -> None:
    agencies = [load_agency(agency_id) for agency_id in agency_ids()]
    for shared in (
        [code.code for each in agencies for code in each.codes],
        [contact.email for each in agencies for contact in each.contacts],
    ):
        assert len(shared) == len(set(shared))
