"""How long the special action's report takes: ``python -m bench.campaign [--records N] [--every N]``.

Fills a database of its own with penalties of the action's months, one in so many of them online, their attachments and
a released site, set-based; makes the report cold and once again; prints seconds, resident memory of this process and
cases as JSON. The figures are checked against what went in.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from pipeline.campaign.files import write_files
from pipeline.campaign.making import make_report
from pipeline.campaign.report import CampaignReport
from pipeline.office import Office
from pipeline.settings import Settings
from store import embedded
from store.database import create_database, migrate, open_engine
from transforms.campaign.plausible import WHOLE_ACTION

DAY = dt.date(2018, 12, 12)
REGIONS = "ARRAY['110101','110102','110105','110106','110108','110114','110115','110302']"
FILL = (
    f"""INSERT INTO penalty (record_id, delivery_id, file_ordinal, row_no, agency, sheet, as_of, state, subject_name,
                         subject_category, subject_key, uscc, document_no, document_key, record_key, decision_date,
                         authority_name, status, violation_type, facts, basis, content, penalty_category, fine_amount,
                         content_hash)
    SELECT n, 1, 1, n, 'aic', 'standard', DATE '2018-12-01', 'accepted', '仿真第' || n || '号商贸有限公司',
           '法人及非法人组织', '仿真第' || n || '号商贸有限公司',
           '91' || ({REGIONS})[1 + n % 8] || lpad(n::text, 10, '0'),
           '京仿罚字〔2018〕第' || n || '号', '京仿罚字(2018)第' || n || '号', md5(n::text),
           DATE '2018-07-01' + (n % 150)::integer, '北京市工商行政管理局', 'valid',
           '违反《中华人民共和国广告法》第九条',
           CASE WHEN n % :every = 0 THEN '在自设网站发布含有最佳用语的广告' ELSE '在门店发布含有最佳用语的广告' END
           || repeat('，经查证属实', 30),
           '《中华人民共和国广告法》第五十七条', '罚款人民币5000元', '警告;罚款', 0.5, md5(n::text)
    FROM generate_series(1, :records) n""",
    """INSERT INTO attachment (record_id, kind, uscc, method, grade, score, evidence, register_version, as_of)
    SELECT record_id, 'penalty', uscc, 'uscc', 'certain', 1, '{}', 1, as_of FROM penalty""",
    """INSERT INTO release (site, sequence, as_of, state, after_attachment, summary)
    VALUES ('creditbj', 1, DATE '2018-12-01', 'visible', :records, '{}')""",
    """INSERT INTO disclosure (release_id, site, kind, record_id, record_key, shown, reason)
    SELECT 1, 'creditbj', 'penalty', record_id, record_key, true, 'bench' FROM penalty""",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.campaign")
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--every", type=int, default=10, help="one record in so many is an online case")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-campaign-") as folder:
        data = Path(folder) / "postgres"
        url = create_database(embedded.start(data), "bench")
        engine = open_engine(url)
        migrate(engine)
        office = Office(Settings(home=Path(folder), database_url=SecretStr(url)), engine)
        with engine.begin() as connection:
            for statement in FILL:
                asked = {"records": given.records, "every": given.every}
                connection.execute(sa.text(statement), {k: v for k, v in asked.items() if f":{k}" in statement})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            kept = make_report(office, "wj2018", as_of=DAY, person="bench")
            write_files(kept, Path(folder) / "reports")
            seconds.append(round(time.perf_counter() - started, 2))
        report = CampaignReport.model_validate_json(kept.content)
        cases = report.line("cases").spans[WHOLE_ACTION].city
        assert cases == given.records // given.every, cases
        assert report.line("fines").spans[WHOLE_ACTION].city == cases / 2
        assert len(report.cases) == 6
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        engine.dispose()
        embedded.stop(data)
    told = {"records": given.records, "cases": int(cases), "seconds": seconds, "resident_mb": memory}
    json.dump(told, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
