"""The statistics sheets (专项行动情况统计表) that simulated agencies return for a month, most of them in time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Final

from pipeline.office import Office
from store import campaign_returns
from transforms.campaign.sheets import Item, sheets

ACTION: Final = "wj2018"
SILENT: Final = ("customs", "post", "pprft")
"""Agencies whose return of the month does not come."""
_CLERK: Final = "模拟报送员"
_USUAL: Final = {
    "checks_online": 5_000, "checks_onsite": 640, "deletions": 500, "rectified": 200, "closed": 54, "shops_stopped": 58,
    "info_cleared": 800, "police_info": 900, "to_police": 1,
}  # fmt: skip
"""What an agency counts in a usual month; a tenth or so of the published results of a province (domain 7)."""
_COUNTS_ITS_CASES: Final = "aic"
"""The agency that tells its own count of what is derived, too."""
_BY_DISTRICT: Final = ("checks_online", "checks_onsite")


def submit_returns(office: Office, month: str, day: dt.date, *, seed: int = 7) -> int:
    """Submit the month's return of every agency but the silent ones, once; how many."""
    table = sheets()
    talking = [agency for agency in table.agencies if agency not in SILENT]
    for agency in talking:
        rng = Random(f"{seed} {agency} {month}")  # noqa: S311 (made-up figures)
        figures: dict[tuple[str, str], Decimal] = {}
        for item in table.asked_of(agency) if agency == _COUNTS_ITS_CASES else table.required_of(agency):
            if item.code in _BY_DISTRICT:
                figures |= {(district.code, item.code): _figure(rng, item, 17) for district in table.districts}
            else:
                figures[table.whole_city, item.code] = _figure(rng, item, 1)
        with office.engine.begin() as connection:
            campaign_returns.submit(
                connection, action=ACTION, agency=agency, period=month, seen=0, figures=figures, warnings=[],
                person=_CLERK, reason="", as_of=day,
            )  # fmt: skip
    return len(talking)


def _figure(rng: Random, item: Item, parts: int) -> Decimal:
    usual = _USUAL.get(item.code, 12) / parts
    return Decimal(str(round(rng.uniform(0.5, 1.5) * usual, item.decimals)))
