"""What counts as an online case (涉网), and how heavy a penalty is (``counting.yaml``)."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from transforms.campaign.sheets import CampaignInvalid, Tag
from transforms.columns import PENALTY
from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).with_name("counting.yaml")
OTHER: Final = "其他"
"""The kind of a penalty that no row of the order names; lighter than all."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    tag: Tag
    source: str = ""


class OnlineMark(_Row):
    """By which words a decision of some days is an online case; regular expressions of PostgreSQL."""

    id: str
    from_: dt.date = Field(alias="from")
    to: dt.date | None
    columns: tuple[str, ...] = Field(min_length=1)
    any_of: tuple[str, ...] = Field(min_length=1)
    not_in: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _of_penalties(self) -> Self:
        if unknown := set(self.columns) - PENALTY.keys():
            raise ValueError(f"{self.id}: penalties have no column {', '.join(sorted(unknown))}")
        return self


class SeverityClass(_Row):
    """A kind of penalty; its place in the list is its weight."""

    id: str
    title: str
    words: tuple[str, ...]


class UndecidedWord(_Row):
    """A word that names two kinds: ``heavier`` where the running text has ``heavier_where``, else ``lighter``."""

    word: str
    heavier: str
    heavier_where: str
    lighter: str


class OnlineEnterprises(_Row):
    """What says that an enterprise trades online."""

    by: tuple[Literal["basic_info", "online_subject", "case"], ...] = Field(min_length=1)


class Counting(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: dt.date
    online: tuple[OnlineMark, ...] = Field(min_length=1)
    severity: tuple[SeverityClass, ...]
    undecided_word: UndecidedWord
    online_enterprises: OnlineEnterprises

    @model_validator(mode="after")
    def _known(self) -> Self:
        ids = [each.id for each in self.severity]
        if unknown := {self.undecided_word.heavier, self.undecided_word.lighter} - set(ids):
            raise ValueError(f"undecided_word: no kind {', '.join(sorted(unknown))} in severity")
        words = [word for each in self.severity for word in each.words]
        if twice := sorted({word for word in words if words.count(word) > 1}):
            raise ValueError(f"severity: word given twice: {', '.join(twice)}")
        return self

    def rank(self, class_id: str) -> int:
        """Return the weight of a kind, 1 the lightest."""
        return 1 + [each.id for each in self.severity].index(class_id)

    @property
    def ranked_words(self) -> dict[str, int]:
        """The weight of each word of 处罚类别 that names one kind."""
        return {word: self.rank(each.id) for each in self.severity for word in each.words}

    def title(self, rank: int) -> str:
        """Return the name of a kind by its weight; 0 is 其他."""
        return self.severity[rank - 1].title if rank else OTHER


@cache
def counting() -> Counting:
    """Return the table that is in the package."""
    return read_counting(_TABLE.read_text(encoding="utf-8"))


def read_counting(text: str) -> Counting:
    """Read a table. Raises ``CampaignInvalid``, which names every place that cannot be used."""
    try:
        return Counting.model_validate(read_yaml(text))
    except ValidationError as error:
        told = (f"counting.yaml {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise CampaignInvalid("; ".join(told)) from None
