"""What the special action's sheets derive from pooled records, set-based: every record is looked at in the server.

A *case* is a decision number, whoever's feed it lies in; its parties are told apart by the enterprise that they are
attached to, else by name. Of two versions of one party's penalty (two feeds, two sheets) the newest counts, with its
amount. A case lies in the month of its earliest decision date, weighs as its heaviest kind, and belongs to a district
only when all parties with a known district share it. An enterprise on a list counts once, in the month in which it was
listed first.

A record counts on a day when it had come by then, was accepted, and was not displaced, taken back, 撤销 or 无效 by
then. Amounts are 万元 with six decimals and are never rounded here. Works inside the caller's transaction, which
should read one snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from store.schema import RECORDS
from store.withdrawals import STANDING
from transforms.campaign.counting import Counting, OnlineMark
from transforms.columns import Kind

_IN_FORCE: Final = """
r.as_of <= :today AND coalesce(r.status, 'valid') NOT IN ('withdrawn', 'invalid')
AND (
    r.state = 'accepted'
    OR (
        r.state = 'superseded'
        AND EXISTS (SELECT 1 FROM {kind} s WHERE s.record_id = r.superseded_by AND s.as_of > :today)
        AND NOT EXISTS (
            SELECT 1 FROM verdict v WHERE v.record_id = r.record_id AND v.severity IN ('reject', 'hold')
        )
    )
)
AND NOT EXISTS (
    SELECT 1 FROM ({standing}) gone WHERE gone.record_id = r.record_id AND gone.effective_date <= :today
)
"""
_ATTACHED: Final = """
LEFT JOIN LATERAL (
    SELECT CASE WHEN n.grade = 'certain' THEN n.uscc END AS uscc FROM attachment n
    WHERE n.record_id = r.record_id AND n.as_of <= :today ORDER BY n.attachment_id DESC LIMIT 1
) a ON true
"""
_OF_AUTHORITY: Final = """
LEFT JOIN unnest(CAST(:codes AS text[]), CAST(:coded AS text[])) AS k (code, agency) ON k.code = r.authority_code
LEFT JOIN unnest(CAST(:names AS text[]), CAST(:named AS text[])) AS m (name, agency) ON m.name = r.authority_name
"""
_PLACES: Final = "unnest(CAST(:places AS text[]), CAST(:districts AS text[]))"
_PARTIES: Final = """
CREATE TEMP TABLE campaign_party ON COMMIT DROP AS
WITH found AS (
    SELECT r.record_id, coalesce(r.document_key, r.record_key, r.record_id::text) AS case_key, r.decision_date,
           coalesce(k.agency, m.agency, r.agency) AS agency, coalesce(a.uscc, r.subject_key, '') AS party,
           a.uscc IS NOT NULL AS certain,
           coalesce(r.fine_amount, 0) + coalesce(r.confiscated_amount, 0) AS amount,
           r.penalty_category, r.content, r.as_of, r.updated_at, r.content_hash,
           coalesce(of_register.district, of_authority.district) AS district
    FROM penalty r {attached} {authority}
    LEFT JOIN {places} AS of_register (place, district) ON of_register.place = substr(a.uscc, 3, 6)
    LEFT JOIN {places} AS of_authority (place, district) ON of_authority.place = substr(r.authority_code, 3, 6)
    WHERE r.decision_date BETWEEN :first AND :last AND {in_force} AND {online}
)
SELECT DISTINCT ON (case_key, party) f.*, w.rank,
       count(*) OVER same > 1 AND min(amount) OVER same <> max(amount) OVER same AS amounts_differ,
       min(decision_date) OVER same AS first_decided
FROM found f
CROSS JOIN LATERAL (
    SELECT coalesce(max(CASE
        WHEN word = :undecided THEN CASE WHEN f.content ~ :heavier_where THEN :heavier ELSE :lighter END
        ELSE known.rank
    END), 0) AS rank
    FROM unnest(string_to_array(f.penalty_category, ';')) AS word
    LEFT JOIN unnest(CAST(:words AS text[]), CAST(:ranks AS integer[])) AS known (text, rank) ON known.text = word
) w
WINDOW same AS (PARTITION BY case_key, party)
ORDER BY case_key, party, as_of DESC, updated_at DESC NULLS LAST, content_hash
"""
_CASES: Final = """
CREATE TEMP TABLE campaign_case ON COMMIT DROP AS
SELECT case_key, to_char(min(first_decided), 'YYYY-MM') AS month, min(agency) AS agency,
       count(DISTINCT agency) > 1 AS shared, bool_or(amounts_differ) AS amounts_differ, max(rank) AS rank,
       sum(amount) AS amount, CASE WHEN count(DISTINCT district) = 1 THEN min(district) END AS district
FROM campaign_party p
WHERE NOT EXISTS (
    SELECT 1 FROM penalty r
    WHERE r.document_key = p.case_key AND r.decision_date < :first AND {in_force}
)
GROUP BY case_key
"""
_LISTED: Final = """
WITH online AS ({online}),
listed AS (
    SELECT a.uscc, min(r.decision_date) AS listed FROM {kind} r {attached}
    WHERE r.decision_date BETWEEN :first AND :last AND {in_force} AND a.uscc IN (SELECT uscc FROM online)
    GROUP BY a.uscc
)
SELECT to_char(listed, 'YYYY-MM') AS month, district, count(*) FROM listed
LEFT JOIN {places} AS of_register (place, district) ON of_register.place = substr(uscc, 3, 6)
GROUP BY month, district
"""
_ONLINE_ENTERPRISES: Final = {
    "basic_info": """
SELECT b.uscc FROM basic_info r JOIN LATERAL (
    SELECT uscc, grade FROM attachment n WHERE n.record_id = r.record_id AND n.as_of <= :today
    ORDER BY attachment_id DESC LIMIT 1
) b ON b.grade = 'certain' WHERE r.state IN ('accepted', 'superseded') AND r.as_of <= :today""",
    "online_subject": """
SELECT operator_uscc FROM online_subject
WHERE state = 'accepted' AND snapshot_date <= :today AND operator_uscc IS NOT NULL""",
    "case": "SELECT party FROM campaign_party",
}
_UNATTACHED: Final = """
SELECT count(*) FROM {kind} r {attached}
WHERE r.decision_date BETWEEN :first AND :last AND {in_force} AND a.uscc IS NULL
"""
_NOTICES: Final = """
SELECT coalesce(k.agency, m.agency, r.agency) AS agency, to_char(r.decision_date, 'YYYY-MM') AS month, r.measure,
       count(DISTINCT coalesce(r.document_key, r.record_key, r.record_id::text))
FROM enforcement_notice r {authority}
WHERE r.decision_date BETWEEN :first AND :last AND r.measure IS NOT NULL AND {in_force}
  AND (r.site_name IS NOT NULL OR r.site_address IS NOT NULL)
GROUP BY 1, 2, 3
"""
_WAITING: Final = """
SELECT to_char(r.decision_date, 'YYYY-MM') AS month, count(DISTINCT coalesce(r.document_key, r.record_id::text))
FROM penalty r
WHERE r.decision_date BETWEEN :first AND :last AND r.as_of <= :today AND r.state IN ('review', 'returned') AND {online}
  AND NOT EXISTS (SELECT 1 FROM campaign_case c WHERE c.case_key = r.document_key)
GROUP BY month
"""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Which agency decides under a code or a name; of a decision of nobody known, who delivered it counts."""

    by_code: Mapping[str, str]
    by_name: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A derived number. ``district`` is null where none is known, or where the parties of a case lie in several."""

    month: str
    district: str | None
    number: Decimal


@dataclass(frozen=True, slots=True)
class Derived:
    """Everything that one reading of the records gives.

    ``cells`` by item; ``by_agency`` (item, month, agency); ``by_rank`` cases by (month, weight of the heaviest kind);
    ``notices`` by (agency, month, measure); ``waiting`` cases by month that a steward or the agency has in hand;
    ``shared`` and ``differing`` are decision numbers that a person should look at; ``unattached`` list entries by kind
    of which no enterprise is certain.
    """

    cells: Mapping[str, Sequence[Cell]]
    by_agency: Mapping[tuple[str, str, str], Decimal]
    by_rank: Mapping[tuple[str, int], int]
    notices: Mapping[tuple[str, str, str], int]
    waiting: Mapping[str, int]
    shared: Sequence[str]
    differing: Sequence[str]
    unattached: Mapping[str, int]


LISTS: Final = {"listed_abnormal": Kind.ABNORMAL_OPERATION, "listed_serious": Kind.SERIOUS_VIOLATION}
"""The items that count enterprises on a list, and the list."""


def derive(
    connection: sa.Connection,
    *,
    first: dt.date,
    last: dt.date,
    today: dt.date,
    authorities: Authorities,
    districts: Mapping[str, str],
    counting: Counting,
) -> Derived:
    """Derive the figures of the decisions of ``first`` to ``last`` from what was known on ``today``.

    ``districts``: district by six-digit code, retired codes included. Leaves ``campaign_party`` and ``campaign_case``
    to the transaction, for :mod:`store.campaign_cases`.
    """
    asked = _asked(first, min(last, today), today, authorities, districts) | _weights(counting)
    online, patterns = _online(counting.online)
    asked |= patterns
    told = _Asker(connection, asked, online)
    for table in ("campaign_party", "campaign_case"):
        connection.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.{table}"))
    told.run(_PARTIES, Kind.PENALTY)
    told.run(_CASES, Kind.PENALTY)
    connection.execute(sa.text("ANALYZE campaign_party"))
    connection.execute(sa.text("ANALYZE campaign_case"))
    counted = connection.execute(
        sa.text("SELECT month, district, count(*), sum(amount) FROM campaign_case GROUP BY month, district")
    ).all()
    of_agency = connection.execute(
        sa.text("SELECT month, agency, count(*), sum(amount) FROM campaign_case GROUP BY month, agency")
    ).all()
    ranks = connection.execute(sa.text("SELECT month, rank, count(*) FROM campaign_case GROUP BY month, rank"))
    cells = {
        "cases": [Cell(month, district, Decimal(number)) for month, district, number, _ in counted],
        "fines": [Cell(month, district, amount) for month, district, _, amount in counted],
    }
    for item, kind in LISTS.items():
        enterprises = " UNION ".join(_ONLINE_ENTERPRISES[by] for by in counting.online_enterprises.by)
        rows = told.run(_LISTED.replace("{online}", enterprises), kind)
        cells[item] = [Cell(month, district, Decimal(number)) for month, district, number in rows]
    return Derived(
        cells=cells,
        by_agency={("cases", month, agency): Decimal(number) for month, agency, number, _ in of_agency}
        | {("fines", month, agency): amount for month, agency, _, amount in of_agency},
        by_rank={(month, rank): number for month, rank, number in ranks},
        notices={
            (agency, month, measure): n for agency, month, measure, n in told.run(_NOTICES, Kind.ENFORCEMENT_NOTICE)
        },
        waiting=_pairs(told.run(_WAITING, Kind.PENALTY)),
        shared=_numbers(connection, "shared"),
        differing=_numbers(connection, "amounts_differ"),
        unattached={item: told.run(_UNATTACHED, kind).scalar_one() for item, kind in LISTS.items()},
    )


class _Asker:
    """Fills in what the queries share, and asks."""

    def __init__(self, connection: sa.Connection, asked: Mapping[str, Any], online: str) -> None:
        self._connection, self._asked, self._online = connection, asked, online

    def run(self, query: str, kind: Kind) -> sa.CursorResult[*tuple[Any, ...]]:
        standing = STANDING.format(kind=kind.value)
        table = RECORDS[kind].name
        text = query.format(
            kind=table, attached=_ATTACHED, authority=_OF_AUTHORITY, places=_PLACES, online=self._online,
            in_force=_IN_FORCE.format(kind=table, standing=standing),
        )  # fmt: skip
        statement = sa.text(text)
        needed = statement.compile().params
        return self._connection.execute(statement, {name: self._asked[name] for name in needed})


def _asked(
    first: dt.date, last: dt.date, today: dt.date, authorities: Authorities, districts: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "first": first, "last": last, "today": today,
        "codes": list(authorities.by_code), "coded": list(authorities.by_code.values()),
        "names": list(authorities.by_name), "named": list(authorities.by_name.values()),
        "places": list(districts), "districts": list(districts.values()),
    }  # fmt: skip


def _weights(counting: Counting) -> dict[str, Any]:
    undecided, ranked = counting.undecided_word, counting.ranked_words
    return {
        "words": list(ranked), "ranks": list(ranked.values()), "undecided": undecided.word,
        "heavier_where": undecided.heavier_where, "heavier": counting.rank(undecided.heavier),
        "lighter": counting.rank(undecided.lighter),
    }  # fmt: skip


def _online(marks: Sequence[OnlineMark]) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row ``r`` is an online case, and its parameters.

    The plain text is asked first: nearly every decision that is none is known by that alone. What is taken out leaves a
    blank, so that no word arises from the pieces beside it.
    """
    parts: list[str] = []
    asked: dict[str, Any] = {}
    for place, mark in enumerate(marks):
        plain = f"concat_ws(' ', {', '.join(f'r.{name}' for name in mark.columns)})"
        text = f"replace({plain}, coalesce(r.subject_name, ''), ' ')"
        if mark.not_in:
            text = f"regexp_replace({text}, :not_in_{place}, ' ', 'g')"
            asked[f"not_in_{place}"] = "|".join(f"(?:{each})" for each in mark.not_in)
        parts.append(
            f"(r.decision_date BETWEEN :from_{place} AND :to_{place}"
            f" AND CASE WHEN {plain} ~ :any_of_{place} THEN {text} ~ :any_of_{place} ELSE false END)"
        )
        asked |= {
            f"from_{place}": mark.from_, f"to_{place}": mark.to or dt.date.max,
            f"any_of_{place}": "|".join(f"(?:{each})" for each in mark.any_of),
        }  # fmt: skip
    return f"({' OR '.join(parts)})", asked


def _pairs(rows: sa.CursorResult[*tuple[Any, ...]]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}


def _numbers(connection: sa.Connection, mark: str) -> list[str]:
    """Return the decision numbers, as written, of the cases that bear a mark."""
    query = sa.text(
        "SELECT DISTINCT ON (case_key) coalesce(r.document_no, c.case_key) FROM campaign_case c"  # noqa: S608 (own name)
        f" JOIN campaign_party p USING (case_key) JOIN penalty r USING (record_id) WHERE c.{mark} ORDER BY case_key, 1"
    )
    return list(connection.scalars(query))
