"""Write what a new source needs: descriptor, its office in the simulator, its conformance test.

The transport's options are those of an agency that uses the same transport already, so that what is written is valid
from the start; they are the first thing to change. A suite is not written: suites belong to a kind and a sheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import yaml

from connectors.descriptor import RecordStream, agency_ids, load_agency, load_descriptor
from expectations.suite import SUITES
from transforms.columns import Kind, Sheet
from transforms.identifiers import uscc_valid
from transforms.yaml_text import read_yaml

_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_LINE: Final = 110
_USUAL: Final = (40, 24)
"""Rows that the simulator brings on the first day and on a usual day after it."""

_SUBJECTS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.LICENCE: {"licences": [{"certificate": "行政许可证", "content": "准予许可", "class": "普通"}]},
    Kind.PENALTY: {
        "offences": [
            {
                "violation": "违反《网络交易管理办法》第八条",
                "facts": "未在网站首页公开营业执照信息",
                "basis": "《网络交易管理办法》第五十条",
            }
        ]
    },
}
"""What a made-up record of a kind is about, to begin with."""


class ScaffoldError(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """Files written, below the root; the suite that judges the rows; what remains to be done by hand."""

    written: tuple[str, ...]
    suite: str
    to_do: tuple[str, ...]


def scaffold(
    root: Path, agency_id: str, *, name: str, transport: str, kind: Kind, like: str | None = None
) -> Scaffolded:
    """Write the files of a new source below ``root``.

    With ``like`` the stream takes schedule, sheet, fields and code tables of that agency's stream of the same kind.
    Raises ``ScaffoldError`` for an id that cannot be one or is taken, for a transport that nobody uses, or where
    ``like`` has no such stream; ``DescriptorError`` where ``like`` is no agency.
    """
    if not _ID.fullmatch(agency_id):
        raise ScaffoldError(f"{agency_id!r}: an id is small letters, digits and _, e.g. water")
    files = {
        f"connectors/agencies/{agency_id}.yaml": _descriptor(agency_id, name, transport, kind, like),
        f"simulator/offices/{agency_id}.yaml": _office(agency_id, name, kind),
        f"tests/connectors/test_source_{agency_id}.py": _TEST.format(id=agency_id, name=name),
    }
    if taken := [path for path in files if (root / path).exists()]:
        raise ScaffoldError(f"there already: {', '.join(taken)}")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    stream = load_descriptor(root / f"connectors/agencies/{agency_id}.yaml").streams[0]
    suite = (SUITES / f"{kind}.{stream.sheet}.yaml").relative_to(SUITES.parent.parent)
    return Scaffolded(tuple(files), str(suite), _to_do(agency_id))


def _descriptor(agency_id: str, name: str, transport: str, kind: Kind, like: str | None) -> str:
    model, stream = _model(transport, kind, like)
    most = 500
    described: dict[str, Any] = {
        "id": str(kind),
        "kind": str(kind),
        "sheet": str(Sheet.STANDARD),
        "transport": stream["transport"],
        "format": stream["format"],
        "schedule": stream["schedule"],
        "daily_rows": {"least": 0, "most": most},
        "freshness_hours": 96,
        "mass_change": {
            "added": {"rows": 2 * most, "share": 0.5},
            "changed": {"rows": most // 2, "share": 0.1},
            "withdrawn": {"rows": most // 10, "share": 0.02},
        },
    }
    if like:
        described |= {key: stream[key] for key in ("sheet", "fields", "code_tables") if key in stream}
    content = {
        "id": agency_id,
        "names": [{"name": name}],
        "codes": [{"code": _stand_in_code(), "synthetic": True}],
        "contacts": [{"role": "数据报送联系人", "email": f"data@{agency_id}.invalid"}],
        "streams": [described],
    }
    return (
        "# yaml-language-server: $schema=agency.schema.json\n"
        f"# {name}: say here what it delivers, and mark what is not confirmed yet [unverified].\n"
        f"# Transport, format and schedule are those of {model}: put in this agency's own.\n"
        "# The real code of the agency has not been looked up; this one is a clearly synthetic stand-in.\n"
        + _yaml(content)
    )


def _model(transport: str, kind: Kind, like: str | None) -> tuple[str, Mapping[str, Any]]:
    """Return the agency whose stream is followed, and that stream as its file has it."""
    candidates = [
        (agency_id, stream)
        for agency_id in ([like] if like else agency_ids())
        for stream in load_agency(agency_id).streams
        if stream.transport.type == transport and (stream.kind is kind or not like)
    ]
    if not candidates:
        if like:
            raise ScaffoldError(f"{like} has no stream of {kind} by {transport}: leave --like out, or choose another")
        used = sorted({stream.transport.type for each in agency_ids() for stream in load_agency(each).streams})
        raise ScaffoldError(f"no agency uses transport {transport!r}; these are used: {', '.join(used)}")
    agency_id, stream = min(candidates, key=lambda each: each[1].kind is not kind)
    return agency_id, _as_written(agency_id, stream)


def _as_written(agency_id: str, stream: RecordStream) -> Mapping[str, Any]:
    text = (resources.files("connectors") / "agencies" / f"{agency_id}.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = next(each for each in read_yaml(text)["streams"] if each["id"] == stream.id)
    return found


def _stand_in_code() -> str:
    """Return the next synthetic code (prefix 11110000TE) after all that descriptors have; both check characters fit."""
    used = [code.code for each in agency_ids() for code in load_agency(each).codes if code.synthetic]
    number = 1 + max((int(code[10:16]) for code in used), default=0)
    characters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    codes = [f"11110000TE{number:06d}{inner}{outer}" for inner in "0123456789X" for outer in characters]
    valid = uscc_valid(pa.array(codes))
    return next(code for code, fits in zip(codes, valid.to_pylist(), strict=True) if fits)


def _office(agency_id: str, name: str, kind: Kind) -> str:
    content = {
        "numbers": {str(kind): f"京{agency_id}字〔2018〕{{:05d}}号"},
        "day_forms": ["%Y/%m/%d"],
        "records": {str(kind): list(_USUAL)},
        **_SUBJECTS.get(kind, {}),
    }
    return f"# {name}\n" + _yaml(content)


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: a short mapping on one line, a long one key by key."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        leaves = all(isinstance(value, yaml.ScalarNode) for _, value in node.value)
        node.flow_style = leaves and len(node.value) > 1 and len(str(mapping)) < _LINE
        return node


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def _to_do(agency_id: str) -> tuple[str, ...]:
    pool = f'"agency_{agency_id}": {{"slots": 1, "description": "...", "include_deferred": false}}'
    return (
        f"connectors/agencies/{agency_id}.yaml: the agency's own transport options, volumes, contacts, real code",
        f"simulator/offices/{agency_id}.yaml: forms of its document numbers, subjects of its records",
        f"deploy/pools.json: {pool}",
        f"docker-compose.yml, deploy/env.example: AIRFLOW_CONN_AGENCY_{agency_id.upper()}, "
        f"DISCLOSURE_{agency_id.upper()}_URL and what else its transport needs",
        f"tests/dags/test_dag_structure.py: collect__{agency_id} and its clock",
    )


_TEST: Final = '''"""{name}: its descriptor, its office in the simulator, and a sound row through the checks."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.conformance import assert_office_is_sound, assert_sound_row_is_accepted, assert_source_conforms

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTOR = ROOT / "connectors/agencies/{id}.yaml"
OFFICE = ROOT / "simulator/offices/{id}.yaml"


def test_the_descriptor_conforms() -> None:
    assert_source_conforms(DESCRIPTOR)


def test_the_simulator_can_play_it() -> None:
    assert_office_is_sound(OFFICE, DESCRIPTOR)


def test_a_sound_row_is_accepted(tmp_path: Path) -> None:
    assert_sound_row_is_accepted(DESCRIPTOR, tmp_path)
'''
