"""The yardstick: the plain pandas + Great Expectations + COPY script that a competent team would write first.

One file, whole frames in memory: read the CSV, normalise, judge 14 expectations with row-level results, merge on code,
registration number and name, COPY records and verdicts into PostgreSQL in one transaction, write a CSV and a JSON
Lines feed. It is written to be fast as such scripts go: the Arrow CSV reader, Arrow-backed strings, vectorised code
throughout, COPY fed by the Arrow CSV writer. What it leaves out (raw archive, releases, deltas, signatures, register
versions, bounded memory) it leaves out because a first script does.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from great_expectations.data_context.types.base import ProgressBarsConfig

from bench.penalties import AS_OF, PENALTY_COLUMNS
from bench.register import REGISTER_COLUMNS

MONEY: Final = pd.ArrowDtype(pa.decimal128(18, 6))
SENTINELS: Final = ("", "无", "空", "暂无", "不详", "未知", "NULL", "null", "N/A", "-", "--", "/", "\\")
CODES: Final = ("CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_SWDJ", "CF_XDR_SYDW", "CF_XDR_SHZZ")
DATES: Final = ("CF_JDRQ", "CF_YXQ", "CF_GSJZQ")
AMOUNTS: Final = ("CF_NR_FK", "CF_NR_WFFF")
WITHHELD: Final = ("CF_FR_SFZH", "CF_XDR_ZJLX", "CF_XDR_ZJHM")

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS: Final = np.array([pow(3, i, 31) for i in range(17)])
_CATEGORY: Final = (
    "(警告|罚款|没收违法所得、没收非法财物|责令停产停业|暂扣或者吊销许可证、暂扣或者吊销执照|行政拘留|其他-.+)"
)

EXPECTATIONS: Final = (
    gxe.ExpectColumnValuesToNotBeNull(column="CF_XDR_MC", meta={"id": "R01.name", "severity": "reject"}),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_WSH", meta={"id": "R01.document_no", "severity": "reject"}),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_WFXW", meta={"id": "R01.violation", "severity": "reject"}),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_SY", meta={"id": "R01.facts", "severity": "reject"}),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_YJ", meta={"id": "R01.basis", "severity": "reject"}),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_NR", meta={"id": "R01.content", "severity": "reject"}),
    gxe.ExpectColumnValuesToBeInSet(
        column="any_code", value_set=[True], meta={"id": "R02.any_code", "severity": "reject"}
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="uscc_valid", value_set=[True], meta={"id": "R03.uscc", "severity": "reject"}
    ),
    gxe.ExpectColumnPairValuesToBeEqual(
        column_A="CF_XDR_ZZJG",
        column_B="uscc_org_code",
        ignore_row_if="either_value_is_missing",
        meta={"id": "R05.org_code", "severity": "hold"},
    ),
    gxe.ExpectColumnValuesToNotBeNull(column="CF_JDRQ", meta={"id": "R10.decision_date", "severity": "reject"}),
    gxe.ExpectColumnValuesToBeBetween(
        column="CF_JDRQ", max_value=pd.Timestamp(AS_OF), meta={"id": "R11.decision_date", "severity": "reject"}
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="CF_YXQ",
        column_B="CF_JDRQ",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        meta={"id": "R12.valid_to", "severity": "reject"},
    ),
    gxe.ExpectColumnValuesToMatchRegex(
        column="CF_CFLB",
        regex=f"^{_CATEGORY}(;{_CATEGORY})*$",
        meta={"id": "R14.category", "severity": "reject"},
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="fine_agrees", value_set=[True], meta={"id": "R16.fine", "severity": "reject"}
    ),
)

JUDGED: Final = (
    "CF_XDR_MC",
    "CF_XDR_ZZJG",
    "CF_WSH",
    "CF_WFXW",
    "CF_SY",
    "CF_YJ",
    "CF_CFLB",
    "CF_NR",
    "CF_JDRQ",
    "CF_YXQ",
    "any_code",
    "uscc_valid",
    "uscc_org_code",
    "fine_agrees",
)
"""The columns handed to Great Expectations: it hashes the whole frame of a batch, so the others would cost time."""


def run(penalties: Path, register: Path, database_url: str, out: Path) -> dict[str, Any]:
    """Do the whole job once and return rows, seconds per stage, rows/s, feed seconds and the peak memory in MB.

    ``rows_per_second`` is from the CSV file to attached records committed in PostgreSQL; reading the register is not
    in it, since a pipeline has it loaded. The tables ``peer_penalty`` and ``peer_verdict`` are replaced; ``out`` gets
    ``penalties.csv`` and ``penalties.jsonl``.
    """
    seconds: dict[str, float] = {}
    with _stage(seconds, "register"):
        enterprises = _read_register(register)
    with _stage(seconds, "read"):
        records = _read(penalties, PENALTY_COLUMNS)
    with _stage(seconds, "normalise"):
        records = _normalised(records)
    with _stage(seconds, "check"):
        verdicts = _verdicts(records[list(JUDGED)])
        records["state"] = _states(records, verdicts)
    with _stage(seconds, "attach"):
        records = _attached(records, enterprises)
    with _stage(seconds, "copy"), psycopg.connect(database_url) as connection:
        _replace(connection, "peer_penalty", records)
        _replace(connection, "peer_verdict", verdicts)
    loading = sum(seconds[name] for name in ("read", "normalise", "check", "attach", "copy"))

    out.mkdir(parents=True, exist_ok=True)
    with _stage(seconds, "feed_csv"):
        feed = _feed(records)
        feed.to_csv(out / "penalties.csv", index=False)
    with _stage(seconds, "feed_jsonl"):
        feed.to_json(out / "penalties.jsonl", orient="records", lines=True, force_ascii=False)
    return {
        "rows": len(records),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "rows_per_second": round(len(records) / loading),
        "feed_seconds": round(seconds["feed_csv"] + seconds["feed_jsonl"], 3),
        "feed_rows": len(feed),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "states": records["state"].value_counts().sort_index().to_dict(),
        "grades": records["grade"].value_counts().sort_index().to_dict(),
        "methods": records["method"].value_counts().sort_index().to_dict(),
        "verdicts": verdicts["expectation"].value_counts().sort_index().to_dict(),
    }


@contextmanager
def _stage(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    types = dict.fromkeys(columns, pa.string())
    table = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types=types))
    return table.select(list(columns)).to_pandas(self_destruct=True)  # type: ignore[no-any-return]


def _read_register(path: Path) -> pd.DataFrame:
    """Return one row per enterprise: uscc, regno, name_key and former, the list of keys of its former names."""
    register = _read(path, REGISTER_COLUMNS)
    return pd.DataFrame(
        {
            "uscc": register["UNISCID"],
            "regno": register["REGNO"],
            "name_key": _name_key(register["ENTNAME"]),
            "former": _name_key(register["HISTNAMES"]),
        }
    )


def _normalised(records: pd.DataFrame) -> pd.DataFrame:
    for column in records.columns:
        trimmed = records[column].str.strip()
        records[column] = trimmed.mask(trimmed.isin(SENTINELS))
    for column in CODES:
        records[column] = records[column].str.normalize("NFKC").str.replace(r"[\s-]", "", regex=True).str.upper()
    for column in DATES:
        records[column] = _dates(records[column])
    for column in AMOUNTS:
        readable = records[column].str.fullmatch(r"\d{1,12}(\.\d{1,6})?", na=False)
        records[column] = records[column].where(readable).astype(MONEY)
    uscc = records["CF_XDR_SHXYM"]
    records.insert(0, "row_no", np.arange(len(records)))
    records["name_key"] = _name_key(records["CF_XDR_MC"])
    records["uscc_given"] = uscc.notna()
    records["any_code"] = records[list(CODES)].notna().any(axis=1)
    records["uscc_valid"] = _check_digit_agrees(uscc).where(uscc.notna())
    records["uscc_org_code"] = uscc.str.slice(8, 17)
    fined = records["CF_CFLB"].str.contains("罚款", regex=False, na=False)
    records["fine_agrees"] = fined == (records["CF_NR_FK"] > 0).fillna(False).astype(bool)
    return records


def _name_key(names: pd.Series) -> pd.Series:
    return names.str.normalize("NFKC").str.replace(r"\s", "", regex=True).str.upper()


def _dates(texts: pd.Series) -> pd.Series:
    slashed = pd.to_datetime(texts.str.replace(r"[-.]", "/", regex=True), format="%Y/%m/%d", errors="coerce")
    return slashed.fillna(pd.to_datetime(texts, format="%Y%m%d", errors="coerce"))


def _check_digit_agrees(codes: pd.Series) -> pd.Series:
    """Say for each code whether it has the shape and the check digit of GB 32100-2015."""
    shaped = codes.str.fullmatch(f"[{_ALPHABET}]{{18}}", na=False).to_numpy(dtype=bool)
    values = np.zeros(128, dtype=np.int64)
    values[np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)
    characters = np.frombuffer("".join(codes[shaped]).encode(), dtype=np.uint8).reshape(-1, 18)
    digits = values[characters]
    agrees = np.zeros(len(codes), dtype=bool)
    agrees[shaped] = -(digits[:, :17] @ _WEIGHTS) % 31 == digits[:, 17]
    return pd.Series(agrees, index=codes.index, dtype="boolean")


def _verdicts(records: pd.DataFrame) -> pd.DataFrame:
    """Judge all expectations and return one row per failed row and expectation: row_no, expectation, severity."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    definition = (
        context.data_sources.add_pandas("peer")
        .add_dataframe_asset("penalties")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = gx.ExpectationSuite(name="peer", expectations=list(EXPECTATIONS))
    batch = definition.get_batch(batch_parameters={"dataframe": records})
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE", "include_unexpected_rows": False})
    failed = [
        pd.DataFrame(
            {
                "row_no": np.asarray(result.result.get("unexpected_index_list") or [], dtype=np.int64),
                "expectation": result.expectation_config.meta["id"],
                "severity": result.expectation_config.meta["severity"],
            }
        )
        for result in outcome.results
    ]
    return pd.concat(failed, ignore_index=True)


def _states(records: pd.DataFrame, verdicts: pd.DataFrame) -> pd.Series:
    """Return ``returned`` for a row with a reject, ``review`` for one with a hold only, else ``accepted``."""
    states = pd.Series("accepted", index=records.index)
    states.loc[verdicts.loc[verdicts["severity"] == "hold", "row_no"]] = "review"
    states.loc[verdicts.loc[verdicts["severity"] == "reject", "row_no"]] = "returned"
    return states


def _attached(records: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Add attached_uscc, method and grade: by code, then registration number, then unique current or former name.

    A code or number whose enterprise bears another name is graded ``review``; what fits nothing is graded ``none``.
    """
    renamed = register.loc[register["former"] != "", ["uscc", "former"]]
    former = renamed.assign(name_key=renamed["former"].str.split(";")).explode("name_key")[["uscc", "name_key"]]
    current = register[["uscc", "name_key"]]
    known = pd.concat(
        [current.assign(name_kind="name"), former.assign(name_kind="former_name")], ignore_index=True
    ).drop_duplicates(["uscc", "name_key"])
    by_name = known.drop_duplicates("name_key", keep=False).rename(columns={"uscc": "name_uscc"})
    by_code = register[["uscc"]].assign(code_uscc=register["uscc"]).rename(columns={"uscc": "CF_XDR_SHXYM"})
    by_regno = register[["regno", "uscc"]].drop_duplicates("regno", keep=False)
    by_regno = by_regno.rename(columns={"regno": "CF_XDR_GSZC", "uscc": "regno_uscc"})

    records = records.merge(by_code, on="CF_XDR_SHXYM", how="left")
    records = records.merge(by_regno, on="CF_XDR_GSZC", how="left")
    records = records.merge(by_name, on="name_key", how="left")
    coded, numbered, named = (records[name].notna() for name in ("code_uscc", "regno_uscc", "name_uscc"))
    records["attached_uscc"] = (
        records["code_uscc"].fillna(records["regno_uscc"]).fillna(records["name_uscc"].where(~records["uscc_given"]))
    )
    records["method"] = np.select(
        [coded, numbered, named & ~records["uscc_given"]], ["uscc", "regno", records["name_kind"]], default="none"
    )
    pairs = known.rename(columns={"uscc": "attached_uscc"})[["attached_uscc", "name_key"]].assign(bears_name=True)
    records = records.merge(pairs, on=["attached_uscc", "name_key"], how="left")
    records["grade"] = np.select(
        [records["attached_uscc"].isna(), records["bears_name"].isna()], ["none", "review"], default="certain"
    )
    return records.drop(columns=["code_uscc", "regno_uscc", "name_uscc", "name_kind", "bears_name", "uscc_given"])


def _replace(connection: psycopg.Connection[Any], name: str, frame: pd.DataFrame) -> None:
    """Create the table anew and COPY the frame into it as CSV."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = ", ".join(f'"{field.name.lower()}" {_sql_type(field.type)}' for field in table.schema)
    connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute(f"CREATE TABLE {name} ({columns})")
    with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
        for batch in table.to_batches(max_chunksize=20_000):
            buffer = io.BytesIO()
            pa_csv.write_csv(batch, buffer, write_options=pa_csv.WriteOptions(include_header=False))
            copy.write(buffer.getbuffer())


def _sql_type(column: pa.DataType) -> str:
    if pa.types.is_decimal(column):
        return "numeric(18, 6)"
    if pa.types.is_timestamp(column):
        return "date"
    if pa.types.is_boolean(column):
        return "boolean"
    return "bigint" if pa.types.is_integer(column) else "text"


def _feed(records: pd.DataFrame) -> pd.DataFrame:
    """Return what one site is shown: accepted and certainly attached records, dates and amounts as text."""
    shown = (records["state"] == "accepted") & (records["grade"] == "certain")
    feed = records.loc[shown, ["attached_uscc", *(name for name in PENALTY_COLUMNS if name not in WITHHELD)]]
    for column in DATES:
        feed[column] = feed[column].dt.strftime("%Y/%m/%d")
    for column in AMOUNTS:
        feed[column] = feed[column].astype("str")
    return feed


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: python -m bench.peer_pandas PENALTIES.csv REGISTER.csv DATABASE_URL OUT_DIRECTORY")
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])), ensure_ascii=False))
