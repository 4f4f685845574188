"""Which DAGs there are, how they are joined, and what each of them promises."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, CronPartitionTimetable, PartitionedAssetTimetable
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.types import DagRunType

from connectors.descriptor import agency_ids, load_agency
from dags.assets import SITES
from pipeline.airflow_runtime import RUN_ID_PATTERN

ROOT = Path(__file__).resolve().parents[2]
AGENCIES = [
    "aic", "bca", "bcom", "cac", "customs", "drc", "eitc", "fda", "ipo", "post", "pprft", "psb", "qtsb",
]  # fmt: skip
COLLECT = [f"collect__{agency}" for agency in AGENCIES]
PUBLISH = ["publish__creditbj", "publish__creditchina", "publish__gsxt", "publish__qyxy"]
ALL = sorted(
    [
        *COLLECT,
        *PUBLISH,
        "approve_held_batches",
        "attach_records",
        "campaign_report",
        "crosscheck_annual_reports",
        "cut_off_day",
        "notify_people",
        "refresh_register",
        "watch_ledger",
    ]
)


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(ROOT / "dags", bundle_path=ROOT / "dags")
    assert bag.import_errors == {}
    return dict(bag.dags)


def asset_names(condition: Any) -> Any:
    """Write an asset condition as nested lists: ["all", ...], ["any", ...] or a name."""
    if hasattr(condition, "objects"):
        kind = type(condition).__name__.removeprefix("Asset").lower()
        return [kind, *(asset_names(each) for each in condition.objects)]
    return condition.name


def test_exactly_these_dags_exist(dags: dict[str, DAG]) -> None:
    assert sorted(dags) == ALL
    assert list(agency_ids()) == AGENCIES
    assert [f"publish__{site}" for site in SITES] == PUBLISH


def test_tasks_and_their_order(dags: dict[str, DAG]) -> None:
    found = {
        dag_id: {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} for dag_id, dag in dags.items()
    }
    assert found == {
        **{dag_id: {"collect": ["close_day"], "close_day": []} for dag_id in COLLECT},
        "refresh_register": {"load_files": ["pull_from_aic"], "pull_from_aic": ["close_day"], "close_day": []},
        "attach_records": {"attach": [], "build_data_docs": []},
        "crosscheck_annual_reports": {"compare": []},
        "campaign_report": {"report": []},
        "cut_off_day": {"cut_off": []},
        "notify_people": {"send_digests": [], "tell_due_dates": []},
        "watch_ledger": {"ask_for_approvals": [], "report_silence": []},
        "approve_held_batches": {"two_people_decide": []},
        **{dag_id: {"publish": []} for dag_id in PUBLISH},
    }


def test_the_dags_are_joined_by_assets(dags: dict[str, DAG]) -> None:
    outlets = {
        f"{dag_id}.{task.task_id}": [each.name for each in task.outlets]
        for dag_id, dag in dags.items()
        for task in dag.tasks
        if task.outlets
    }
    late = "attach_now_if_the_day_is_cut_off"
    assert outlets == {
        **{f"collect__{agency}.close_day": [f"collection_closed__{agency}", late] for agency in AGENCIES},
        "refresh_register.close_day": ["register_closed", late],
        "attach_records.attach": ["records_attached"],
        "crosscheck_annual_reports.compare": ["annual_reports_compared"],
        "cut_off_day.cut_off": [late],
        "watch_ledger.ask_for_approvals": ["delivery_held"],
        **{f"publish__{site}.publish": [f"feed__{site}"] for site in ("creditbj", "creditchina", "gsxt", "qyxy")},
    }
    waits_for = {
        dag_id: asset_names(dag.timetable.asset_condition)
        for dag_id, dag in dags.items()
        if isinstance(dag.timetable, PartitionedAssetTimetable)
    }
    agencies = [f"collection_closed__{agency}" for agency in AGENCIES]
    assert waits_for == {
        "attach_records": ["any", ["all", "register_closed", *agencies], "attach_now"],
        "approve_held_batches": "delivery_held",
        **dict.fromkeys([*PUBLISH, "crosscheck_annual_reports"], "records_attached"),
    }


def test_the_clock_starts_the_register_first_and_each_agency_when_its_descriptor_says(dags: dict[str, DAG]) -> None:
    clocks = {
        dag_id: dag.timetable for dag_id, dag in dags.items() if isinstance(dag.timetable, CronPartitionTimetable)
    }
    assert {dag_id: clock.expression for dag_id, clock in clocks.items()} == {
        "refresh_register": "0 6 * * *",
        "cut_off_day": "0 9 * * *",
        "notify_people": "30 9 * * *",
        "campaign_report": "0 10 12 * *",
        "collect__aic": "30 6 * * *",
        "collect__bca": "30 7 * * *",
        "collect__bcom": "0 8 * * *",
        "collect__cac": "0 7 * * *",
        "collect__customs": "15 7 * * *",
        "collect__drc": "45 6 * * *",
        "collect__eitc": "45 7 * * *",
        "collect__fda": "0 7 * * *",
        "collect__ipo": "30 8 * * *",
        "collect__post": "0 8 * * *",
        "collect__pprft": "15 8 * * *",
        "collect__psb": "30 7 * * *",
        "collect__qtsb": "15 7 * * *",
    }
    assert {dag_id: clock.key_format for dag_id, clock in clocks.items()} == {
        **{f"collect__{agency}": f"{agency}|%Y-%m-%d" for agency in AGENCIES},
        "refresh_register": "%Y-%m-%d",
        "cut_off_day": "%Y-%m-%d",
        "notify_people": "%Y-%m-%d",
        "campaign_report": "%Y-%m-%d",
    }
    assert {str(clock.timezone) for clock in clocks.values()} == {"Asia/Shanghai"}


def test_every_agency_closes_its_hour_before_the_cut_off(dags: dict[str, DAG]) -> None:
    def minutes(dag_id: str) -> int:
        clock = dags[dag_id].timetable
        assert isinstance(clock, CronPartitionTimetable)
        minute, hour, *_ = clock.expression.split()
        return 60 * int(hour) + int(minute)

    assert max(minutes(dag_id) for dag_id in COLLECT) < minutes("cut_off_day")


def test_a_collection_tells_whose_it_is(dags: dict[str, DAG]) -> None:
    for agency in AGENCIES:
        told = dags[f"collect__{agency}"].doc_md or ""
        facts = load_agency(agency)
        assert facts.names[0].name in told
        assert all(contact.email in told for contact in facts.contacts)
        assert all(f"| {stream.id} |" in told for stream in facts.streams)


def test_a_failed_part_still_closes_and_still_fails_its_run(dags: dict[str, DAG]) -> None:
    for dag_id in [*COLLECT, "refresh_register"]:
        closing = dags[dag_id].get_task("close_day")
        assert closing.is_teardown
        assert not closing.on_failure_fail_dagrun


@pytest.mark.parametrize("dag_id", ALL)
def test_what_every_dag_promises(dags: dict[str, DAG], dag_id: str) -> None:
    dag = dags[dag_id]
    assert dag.owner == "credit-office"
    assert dag.tags
    assert dag.doc_md
    assert dag.deadline
    assert dag.catchup is False
    assert dag.max_active_runs == (64 if dag_id == "approve_held_batches" else 1)
    assert dag.dagrun_timeout is not None
    assert dag.dagrun_timeout >= timedelta(hours=3)
    for task in dag.tasks:
        assert task.retries in (2, 3)
        assert task.retry_policy is not None
        waits = task.response_timeout if isinstance(task, ApprovalOperator) else task.execution_timeout
        assert waits is not None
        assert waits < dag.dagrun_timeout


def test_every_agency_and_every_site_has_a_pool_of_its_own(dags: dict[str, DAG]) -> None:
    assert {dags[dag_id].get_task("collect").pool: dag_id for dag_id in COLLECT} == {
        f"agency_{agency}": f"collect__{agency}" for agency in AGENCIES
    }
    assert dags["refresh_register"].get_task("pull_from_aic").pool == "agency_aic"
    assert {dags[dag_id].get_task("publish").pool for dag_id in PUBLISH} == {f"site_{site}" for site in SITES}


def test_a_range_to_fill_ends_at_the_midnight_after_its_last_day(dags: dict[str, DAG]) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags["collect__fda"]))
    runs = stored.iter_dagrun_infos_between(datetime(2018, 8, 21, tzinfo=UTC), datetime(2018, 9, 1, tzinfo=UTC))
    assert [run.partition_key for run in runs] == [f"fda|2018-08-{day}" for day in range(21, 32)]


def test_airflow_accepts_the_ids_of_runs_that_bear_a_partition_key(dags: dict[str, DAG]) -> None:
    for dag_id, dag in dags.items():
        if isinstance(dag.timetable, CronPartitionTimetable):
            stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
            day = datetime(2018, 9, 1, tzinfo=UTC)
            for run in stored.iter_dagrun_infos_between(day, day + timedelta(days=31)):
                for run_type in (DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB):
                    run_id = stored.timetable.generate_run_id(
                        run_type=run_type, data_interval=None, partition_key=run.partition_key, run_after=run.run_after
                    )
                    assert re.match(RUN_ID_PATTERN, run_id), (dag_id, run_id)


@pytest.mark.parametrize("dag_id", ALL)
def test_a_dag_survives_being_stored(dags: dict[str, DAG], dag_id: str) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags[dag_id]))
    assert stored.dag_id == dag_id
    assert sorted(stored.task_ids) == sorted(dags[dag_id].task_ids)
    assert stored.deadline


def test_dag_files_import_only_the_task_sdk_at_module_level() -> None:
    for path in sorted((ROOT / "dags").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for module in modules:
                if module.startswith("airflow") and module != "airflow.providers.standard.operators.hitl":
                    assert module.startswith("airflow.sdk"), f"{path.name} imports {module}"
                assert not module.startswith(("pipeline", "store", "feeds", "expectations")), path.name
