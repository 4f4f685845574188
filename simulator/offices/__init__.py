"""How each agency writes and what about: one YAML file per agency, beside its descriptor.

A file says only what a descriptor cannot: forms of document numbers and dates, how many records a stream brings on the
first day (all there is so far) and on a usual day after it, and subjects of licences, penalties, measures and
inspections. Names, codes, streams, kinds and sheets come from :mod:`connectors.descriptor`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from connectors.descriptor import RecordStream, agency_ids, load_agency
from transforms.yaml_text import read_yaml

_USUAL: Final = (40, 24)
_LARGE: Final = 500


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Grant(_Facts):
    """What a licence permits: certificate, content, class 许可类别."""

    certificate: str
    content: str
    class_: str = Field(alias="class")


class Offence(_Facts):
    """What a penalty is for: 违法行为类型, 违法事实, 处罚依据."""

    violation: str
    facts: str
    basis: str


class Measure(_Facts):
    """What a notice orders: 约谈, 责令整改 or 提请关闭, with reason and content."""

    measure: str
    reason: str
    content: str


class Office(_Facts):
    """One agency at its desk. ``records`` is by stream id, else by kind: first day, usual day."""

    numbers: dict[str, str]
    day_forms: tuple[str, ...]
    records: dict[str, tuple[int, int]]
    licences: tuple[Grant, ...] = ()
    offences: tuple[Offence, ...] = ()
    measures: tuple[Measure, ...] = ()
    inspections: tuple[str, ...] = ("抽查",)
    agency: str
    name: str
    code: str

    @property
    def shows_all(self) -> bool:
        """Whether it is so large that each of its days shows every defect that there is."""
        return sum(first for first, _ in self.records.values()) >= _LARGE

    def volume(self, stream: RecordStream) -> tuple[int, int]:
        """How many records a stream brings on the first day and on a usual later one."""
        return self.records.get(stream.id) or self.records.get(stream.kind) or _USUAL


@cache
def load_office(agency: str) -> Office:
    """Return the office of an agency, under the name that it bore in August 2018."""
    text = (resources.files("simulator.offices") / f"{agency}.yaml").read_text(encoding="utf-8")
    descriptor = load_agency(agency)
    told = {"agency": agency, "name": descriptor.names[0].name, "code": descriptor.codes[0].code}
    return Office.model_validate(read_yaml(text) | told)


def staffed() -> tuple[str, ...]:
    """Ids of the agencies that the simulator can play: all that have a descriptor and an office."""
    return tuple(
        agency for agency in agency_ids() if (resources.files("simulator.offices") / f"{agency}.yaml").is_file()
    )
