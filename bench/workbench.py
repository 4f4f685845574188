"""How quick the list pages are: ``python -m bench.workbench [--records N] [--reviews N] [--rounds N]``.

Fills a database of its own with penalties, open reviews and as many findings, attachments and a released site,
set-based, asks every list page through the whole application (session, guard, queries, template), and prints per page
the milliseconds at the median and at the 95th percentile as JSON.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import SecretStr

from pipeline import accounts
from pipeline.office import Office
from pipeline.settings import Settings
from store import embedded
from store.accounts import Role
from store.database import create_database, migrate, open_engine
from workbench.app import create_app

DAY = dt.datetime(2018, 8, 22, 1, tzinfo=dt.UTC)
AGENCIES = "ARRAY['aic','bca','bcom','cac','customs','drc','eitc','fda','ipo','post','pprft','psb','qtsb']"
RULES = "ARRAY['R03.uscc','R10.decision_date','R01.content','R09.personal_id','R16.category_amounts','R17.fine_amount']"
PER_DELIVERY = 2_000

FILL = (
    f"""INSERT INTO delivery (agency, kind, sheet, as_of, content_sha256, state, rows, suite)
    SELECT ({AGENCIES})[1 + n % 13], 'penalty', 'standard', DATE '2018-08-01' + (n / 26), n::text, 'checked',
           {PER_DELIVERY}, 'penalty.standard@bench'
    FROM generate_series(1, :records / {PER_DELIVERY}) n""",
    "INSERT INTO step_run (run_no, step, as_of) VALUES (1, 'ingest', (SELECT max(as_of) FROM delivery))",
    """INSERT INTO delivery_file (delivery_id, ordinal, name, sha256, bytes, rows)
    SELECT delivery_id, 1, 'cf.csv', content_sha256, 1, rows FROM delivery""",
    f"""INSERT INTO penalty (record_id, delivery_id, file_ordinal, row_no, agency, sheet, as_of, state, subject_name,
                         uscc, document_no, document_key, record_key, facts, content, content_hash)
    SELECT n, d.delivery_id, 1, n % {PER_DELIVERY}, d.agency, 'standard', d.as_of,
           CASE WHEN n % (:records / :reviews) = 0 THEN 'returned' ELSE 'accepted' END,
           '仿真第' || n || '号科技有限公司', '91110105TE' || lpad(n::text, 8, '0'), '京仿罚字〔2018〕第' || n || '号',
           '京仿罚字(2018)第' || n || '号', md5(n::text), repeat('事实', 20), repeat('内容', 20), md5(n::text)
    FROM generate_series(1, :records) n JOIN delivery d ON d.delivery_id = 1 + (n - 1) / {PER_DELIVERY}""",
    f"""INSERT INTO verdict (record_id, expectation, rule, severity, field, value, finding, remedy, suite)
    SELECT record_id, rule, left(rule, 3), 'reject', 'CF_XDR_SHXYM', uscc, 'CHECK', '请核对', 'penalty.standard'
    FROM (SELECT record_id, uscc, ({RULES})[1 + record_id * 7 / 20 % 6] AS rule
          FROM penalty WHERE state = 'returned') r""",
    """INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity,
                        field, opened, due)
    SELECT 'penalty', p.agency, p.delivery_id, p.record_id, p.record_key, p.document_no, p.subject_name, v.expectation,
           'reject', v.field, p.as_of, p.as_of + 3
    FROM penalty p JOIN verdict v USING (record_id)""",
    """INSERT INTO discrepancy (finding_key, event, as_of, year, uscc, enterprise_name, kind, case_no, site_url, fields,
                             confidence, evidence, clears, district, correct_until, content_hash)
    SELECT md5(n::text), 'opened', DATE '2018-08-21', 2017, '91110105TE' || lpad(n::text, 8, '0'),
           '仿真第' || n || '号科技有限公司', k.kind, k.case_no, 'https://www.fz' || n || '.com.cn/',
           json_build_object('address', json_build_array('', 'https://www.fz' || n || '.com.cn/')), k.confidence,
           '{"link": "uscc"}', '更正年报', (ARRAY['110101','110105','110108','110112'])[1 + n % 4], DATE '2018-06-30',
           md5(n::text)
    FROM generate_series(1, :reviews) n
    JOIN (VALUES (0, 'concealed', 2, 0.95), (1, 'omitted', 3, 0.9), (2, 'misreported', 4, 0.6)) k(r, kind, case_no,
                                                                                          confidence) ON k.r = n % 3""",
    """INSERT INTO finding (finding_key, discrepancy_id, year, uscc, kind, case_no, district, link, confidence, opened,
                         closed, content_hash, state)
    SELECT finding_key, discrepancy_id, year, uscc, kind, case_no, district, 'uscc', confidence, as_of, false,
           content_hash, 'open' FROM discrepancy""",
    """INSERT INTO attachment (record_id, kind, uscc, method, grade, score, evidence, register_version, as_of)
    SELECT record_id, 'penalty', uscc, 'uscc', 'certain', 1, '{}', 1, as_of FROM penalty WHERE state = 'accepted'""",
    """INSERT INTO release (site, sequence, as_of, state, after_attachment, summary)
    VALUES ('creditchina', 1, DATE '2018-08-22', 'visible', :records, '{}')""",
    """INSERT INTO disclosure (release_id, site, kind, record_id, record_key, shown, reason)
    SELECT 1, 'creditchina', 'penalty', record_id, record_key, true, 'bench' FROM penalty WHERE state = 'accepted'""",
)


def fill(office: Office, records: int, reviews: int) -> None:
    with office.engine.begin() as connection:
        for statement in FILL:
            asked = {"records": records, "reviews": reviews}
            connection.execute(sa.text(statement), {k: v for k, v in asked.items() if f":{k}" in statement})
    with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def pages(records: int) -> dict[str, str]:
    last = records // PER_DELIVERY
    return {
        "overview": "/",
        "worklist": "/worklist",
        "worklist of an agency": "/worklist?agency=aic",
        "items": "/worklist/items",
        "items of a rule": "/worklist/items?agency=aic&rule=R03.uscc",
        "items past due": "/worklist/items?overdue=true",
        "items, a later page": "/worklist/items?after=2018-08-12_20000",
        "records": "/records",
        "records of a delivery": f"/records?delivery_id={last}",
        "returned records of a delivery": f"/records?delivery_id={last}&state=returned",
        "record": f"/records/{records // 2 + 1}",
        "search by number": f"/records?q=京仿罚字〔2018〕第{records // 3}号",
        "deliveries": "/deliveries",
        "holds": "/holds",
        "rulings": "/rulings",
        "returns": "/returns",
        "releases": "/releases",
        "scorecards, counted before": "/scorecards",
        "findings": "/findings",
        "findings of a kind and district": "/findings?kind=omitted&district=110108",
        "campaign": "/campaign",
        "audit": "/audit",
    }


def measure(client: TestClient, address: str, rounds: int) -> dict[str, float]:
    client.get(address)
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        answer = client.get(address)
        taken.append((time.perf_counter() - started) * 1000)
        assert answer.status_code in (200, 303), (address, answer.status_code)
    return {"p50": round(statistics.median(taken), 1), "p95": round(sorted(taken)[int(0.95 * (rounds - 1))], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.workbench")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--reviews", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-workbench-") as folder:
        data = Path(folder) / "postgres"
        url = create_database(embedded.start(data), "bench")
        office = Office(Settings(home=Path(folder), database_url=SecretStr(url)), open_engine(url))
        migrate(office.engine)
        started = time.perf_counter()
        fill(office, given.records, given.reviews)
        filled = time.perf_counter() - started
        password = accounts.new_password()
        accounts.add_account(office, "bench", role=Role.PLATFORM, password=password)
        client = TestClient(
            create_app(office, clock=lambda: DAY), follow_redirects=False, headers={"accept": "text/html"}
        )
        client.post("/login", data={"name": "bench", "password": password})
        told = {name: measure(client, address, given.rounds) for name, address in pages(given.records).items()}
        office.engine.dispose()
        embedded.stop(data)
    asked = {"records": given.records, "reviews": given.reviews, "fill_seconds": round(filled, 1)}
    json.dump(asked | {"milliseconds": told}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
