"""Time the stewards' list pages with 1,000,000 rows of verdicts, 950,000 closed and 50,000 open reviews.

Run: ``python -m bench.reviews``; prints one JSON document, milliseconds per question (median and worst of 20).
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from store import embedded, reviews
from store.database import create_database, migrate, open_engine
from store.reviews import Filters

CLOSED: Final = 950_000
OPEN: Final = 50_000
AGENCIES: Final = 13
RULES: Final = 40
TODAY: Final = dt.date(2018, 9, 3)
_TIMES: Final = 20

_VERDICTS: Final = """
INSERT INTO verdict (record_id, expectation, rule, severity, field, value, finding, remedy, suite)
SELECT n, 'R' || n % :rules || '.x', 'R' || n % :rules, 'hold', 'CF_NR', 'value ' || n, 'FINDING', 'remedy', 'bench@1'
FROM generate_series(1, :rows) n
"""
_REVIEWS: Final = """
INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity, field,
                    opened, due, state, closed_as, closed_on)
SELECT 'penalty', 'agency' || n % :agencies, n / 1000, n, md5(n::text), 'no ' || n, 'name ' || n,
       'R' || n % :rules || '.x', 'hold', 'CF_NR', date '2018-07-01' + (n % 60)::int, date '2018-07-05' + (n % 60)::int,
       CASE WHEN n > :closed THEN 'open' ELSE 'closed' END, CASE WHEN n > :closed THEN NULL ELSE 'source_fixed' END,
       CASE WHEN n > :closed THEN NULL ELSE date '2018-09-01' END
FROM generate_series(1, :rows) n
"""


def fill(connection: sa.Connection) -> None:
    """Store what the questions are asked of."""
    numbers = {"rows": CLOSED + OPEN, "rules": RULES, "agencies": AGENCIES, "closed": CLOSED}
    connection.execute(sa.text(_VERDICTS), {key: numbers[key] for key in ("rows", "rules")})
    connection.execute(sa.text(_REVIEWS), numbers)


def questions(connection: sa.Connection) -> dict[str, Callable[[], Any]]:
    """What the pages ask."""
    last = reviews.list_reviews(connection, Filters(agency="agency3"), limit=1000)[-1]
    return {
        "groups of all, with samples": lambda: reviews.grouped(connection, Filters(), today=TODAY),
        "groups of one agency": lambda: reviews.grouped(connection, Filters(agency="agency3"), today=TODAY),
        "first page of all": lambda: reviews.list_reviews(connection, Filters()),
        "first page of an agency and rule": lambda: reviews.list_reviews(
            connection, Filters(agency="agency3", rule="R7.x")
        ),
        "page 20 of an agency": lambda: reviews.list_reviews(
            connection, Filters(agency="agency3"), after=(last.opened, last.review_id)
        ),
        "count of the overdue": lambda: reviews.count_reviews(connection, Filters(overdue_on=TODAY)),
    }


def main() -> None:
    """Fill a database of its own and ask."""
    with tempfile.TemporaryDirectory(prefix="disclosure-bench-") as folder:
        data = Path(folder) / "data"
        engine = open_engine(create_database(embedded.start(data), "bench"))
        try:
            migrate(engine)
            with engine.begin() as connection:
                fill(connection)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))
                answer = {name: _timed(ask) for name, ask in questions(connection).items()}
            print(json.dumps(answer, indent=2))
        finally:
            engine.dispose()
            embedded.stop(data)


def _timed(ask: Callable[[], Any]) -> dict[str, float]:
    ask()
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - started))
    return {"median_ms": round(statistics.median(taken), 1), "worst_ms": round(max(taken), 1)}


if __name__ == "__main__":
    main()
