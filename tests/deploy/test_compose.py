"""The production topology holds what the code reads: services, environment, commands, pools, images, secrets."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.descriptor import DropFolder, agency_ids, load_agency
from connectors.endpoint import endpoint_from_environment
from dags.assets import SITES
from dags.notifying import MAIL, WEBHOOK
from feeds.server import settings_from_environment
from feeds.signature import KEY_VARIABLE
from feeds.sites import load_sites
from pipeline.airflow_runtime import RUN_ID_PATTERN
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?P<how>:\?|:-)?(?P<text>[^}]*)\}")

IN_THE_TOPOLOGY = {
    "postgres", "redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "workbench",
    "feed-server",
}  # fmt: skip
RUN_STEPS = ("worker",)
READ_BY_SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}
LEFT_AT_DEFAULT = {"DISCLOSURE_ARCHIVE_URL", "DISCLOSURE_SIGNING_KEY_FILE", "ENGINE"}
OF_AN_ADDRESS = {
    "drop_folder": ("URL",),
    "exchange_db": ("URL", "SECRET"),
    "html_list": ("URL", "CA_FILE"),
    "paged_api": ("URL", "SECRET", "CA_FILE"),
    "sftp": ("URL", "SECRET", "HOST_KEY"),
    "soap": ("URL", "SECRET", "CA_FILE"),
}
"""What an endpoint needs, by transport: a folder has no password, a database no certificate authority file, public web
pages no token, an SFTP server a host key that is known beforehand."""
READ_BY_FEED_SERVER = {
    "DISCLOSURE_FEEDS_DIR", "DISCLOSURE_FEEDS_HOST", "DISCLOSURE_FEEDS_PORT",
    *(f"DISCLOSURE_FEED_TOKEN_{site.upper()}" for site in SITES),
}  # fmt: skip
READ_BY_IMAGES = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"},
    "redis": {"REDISCLI_AUTH"},
}
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


@pytest.fixture(scope="module")
def topology() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def services(topology: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(topology["services"])


def _filled(value: str) -> str:
    """Do what compose does to a value, with a made-up environment."""
    return VARIABLE.sub(lambda m: m["text"] if m["how"] == ":-" else f"{m['name'].lower()}-{'x' * 32}", value)


def _environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def _agency_variables() -> set[str]:
    return {
        f"DISCLOSURE_{agency.upper()}_{part}"
        for agency in agency_ids()
        for stream in load_agency(agency).streams
        for part in OF_AN_ADDRESS[stream.transport.type]
    }


def test_every_process_of_the_topology_is_there_and_watched(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == IN_THE_TOPOLOGY
    for name, service in services.items():
        if name == "init":
            assert service["restart"] == "no" and "healthcheck" not in service
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
            assert service["restart"] == "unless-stopped", name


def test_ours_start_after_the_schemas_are_there_and_run_as_nobody_special(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name in READ_BY_IMAGES:
            continue
        assert service["user"] == "10001:10001" and service["cap_drop"] == ["ALL"], name
        if name != "init":
            assert service["depends_on"]["init"] == {"condition": "service_completed_successfully"}, name
    assert "USER 10001:10001" in (ROOT / "deploy/Dockerfile").read_text()


def test_steps_get_all_that_they_read(services: dict[str, dict[str, Any]]) -> None:
    for name in RUN_STEPS:
        given = set(_environment(services[name]))
        assert READ_BY_SETTINGS - given == LEFT_AT_DEFAULT
        assert _agency_variables() <= given
        assert KEY_VARIABLE in given
        assert {f"AIRFLOW_CONN_AGENCY_{agency.upper()}" for agency in agency_ids()} <= given
    assert READ_BY_SETTINGS - set(_environment(services["init"])) == LEFT_AT_DEFAULT


def test_feed_server_starts_from_its_environment(services: dict[str, dict[str, Any]]) -> None:
    given = _environment(services["feed-server"])
    assert set(given) == READ_BY_FEED_SERVER
    settings = settings_from_environment({name: _filled(value) for name, value in given.items()})
    assert set(settings.tokens) == set(load_sites())
    assert str(settings.directory) == _environment(services["worker"])["DISCLOSURE_FEEDS_DIR"]


def test_airflow_reaches_an_agency_where_the_command_line_does(services: dict[str, dict[str, Any]]) -> None:
    given = {name: _filled(value) for name, value in _environment(services["worker"]).items()}
    for agency in agency_ids():
        connection = json.loads(given[f"AIRFLOW_CONN_AGENCY_{agency.upper()}"])
        endpoint = endpoint_from_environment(agency, given)
        assert connection["host"] == endpoint.url
        assert connection.get("password") == endpoint.secret
        assert (connection.get("extra", {}).get("ca_file") or None) == endpoint.ca_file
        assert connection.get("extra", {}).get("host_key") == endpoint.host_key


def test_digests_leave_by_the_channels_that_the_dags_look_for(services: dict[str, dict[str, Any]]) -> None:
    given = _environment(services["worker"])
    example = (ROOT / "deploy/env.example").read_text(encoding="utf-8")
    for channel, connection_type in ((MAIL, "smtp"), (WEBHOOK, "generic")):
        variable = f"AIRFLOW_CONN_{channel.upper()}"
        assert VARIABLE.fullmatch(given[variable])["how"] == ":-", variable  # type: ignore[index]
        [shown] = re.findall(rf"^# {variable.removeprefix('AIRFLOW_CONN_')}_CONNECTION=(.*)$", example, re.MULTILINE)
        assert json.loads(shown)["conn_type"] == connection_type


def test_nothing_is_set_that_nobody_reads(services: dict[str, dict[str, Any]]) -> None:
    scripts = "".join(path.read_text() for path in sorted(ROOT.glob("deploy/**/*.sh")))
    for name, service in services.items():
        own = {
            variable
            for variable in _environment(service)
            if not variable.startswith(("AIRFLOW__", "AIRFLOW_CONN_")) and f'"{variable}"' not in scripts
        }
        own -= {variable for variable in own if f"${variable}" in scripts}
        read = READ_BY_IMAGES.get(name, set())
        if name in RUN_STEPS:
            read = READ_BY_SETTINGS | _agency_variables()
        elif name == "init":
            read = READ_BY_SETTINGS
        elif name == "feed-server":
            read = READ_BY_FEED_SERVER
        elif name == "workbench":
            read = READ_BY_SETTINGS | {"FORWARDED_ALLOW_IPS"}  # uvicorn's
        assert own <= read, (name, own - read)


def test_commands_and_options_are_ones_that_airflow_knows(services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    commands = [service["command"][1:] for service in services.values() if service.get("command", [""])[0] == "airflow"]
    commands += [
        check[2:]
        for service in services.values()
        if (check := service.get("healthcheck", {}).get("test", [])) and check[:2] == ["CMD", "airflow"]
    ]
    script = (ROOT / "deploy/prepare.sh").read_text()
    commands += [line.split()[1:] for line in script.splitlines() if line.startswith("airflow ")]
    options = sorted(
        {name for each in services.values() for name in _environment(each) if name.startswith("AIRFLOW__")}
    )
    assert len(commands) == 10 and len(options) > 15
    known = subprocess.run(
        [sys.executable, "-c", _ASK_AIRFLOW, json.dumps([[_filled(a) for a in c] for c in commands]), *options],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert known.returncode == 0, known.stderr[-2000:]
    assert json.loads(known.stdout.splitlines()[-1]) == {"commands": len(commands), "unknown": []}


_ASK_AIRFLOW = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
ProvidersManager().initialize_providers_configuration()
commands = json.loads(sys.argv[1])
for command in commands:
    get_parser().parse_args(command)
known = {
    f"AIRFLOW__{section}__{option}".upper()
    for section, content in conf.configuration_description.items()
    for option in content["options"]
}
print(json.dumps({"commands": len(commands), "unknown": sorted(set(sys.argv[2:]) - known)}))
"""


def test_all_processes_share_keys_and_the_execution_address(services: dict[str, dict[str, Any]]) -> None:
    airflow = [_environment(services[n]) for n in ("api-server", "scheduler", "dag-processor", "triggerer", "worker")]
    for option in (
        "API_AUTH__JWT_SECRET",
        "CORE__FERNET_KEY",
        "CORE__EXECUTION_API_SERVER_URL",
        "CORE__PLUGINS_FOLDER",
    ):
        assert len({each[f"AIRFLOW__{option}"] for each in airflow}) == 1
    first = airflow[0]
    assert first["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == (
        f"http://api-server:{first['AIRFLOW__API__PORT']}/execution/"
    )
    assert first["AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN"].replace("$$", "$") == RUN_ID_PATTERN
    bundles = json.loads(first["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert [each["kwargs"]["path"] for each in bundles] == [first["AIRFLOW__CORE__DAGS_FOLDER"]]


def test_pools_are_the_agencies_and_the_sites() -> None:
    pools = json.loads((ROOT / "deploy/pools.json").read_text(encoding="utf-8"))
    expected = {f"agency_{agency}" for agency in agency_ids()} | {f"site_{site}" for site in load_sites()}
    assert set(pools) == expected
    assert all(pool["slots"] == 1 for pool in pools.values())


def test_images_are_pinned() -> None:
    images = re.findall(r"^\s+image: (\S+)", COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)
    images += re.findall(r"^FROM (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 4
    for image in images:
        tag = image.partition(":")[2]
        assert tag.startswith("${DISCLOSURE_VERSION:?") or re.match(r"\d+\.\d+", tag), image


def test_secrets_come_from_the_environment_and_must_be_given(services: dict[str, dict[str, Any]]) -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for match in VARIABLE.finditer(text):
        if SECRET.search(match["name"]):
            assert match["how"] == ":?", match[0]
    for service in services.values():
        for name, value in _environment(service).items():
            if SECRET.search(name) and not name.endswith("_PASSWORDS_FILE"):
                assert VARIABLE.fullmatch(value), name
    assert not re.search(r"//[^/$@\s]+:[^$@\s/]+@", text), "a password stands in an address"


def test_env_example_lists_what_the_topology_asks_for_and_holds_no_value() -> None:
    asked = {m["name"]: m["how"] for m in VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8"))}
    lines = (ROOT / "deploy/env.example").read_text(encoding="utf-8").splitlines()
    required = {line.removesuffix("=") for line in lines if re.fullmatch(r"[A-Z0-9_]+=.*", line)}
    optional = {line[2:].partition("=")[0] for line in lines if re.match(r"# [A-Z0-9_]+=", line)}
    assert required == {name for name, how in asked.items() if how == ":?"}
    assert optional == {name for name, how in asked.items() if how == ":-"}


def test_volumes_are_declared_and_sites_read_feeds_only(
    topology: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    mounted = {
        name: [volume for volume in service.get("volumes", []) if not volume.startswith((".", "$"))]
        for name, service in services.items()
    }
    assert {volume.split(":")[0] for volumes in mounted.values() for volume in volumes} == set(topology["volumes"])
    assert services["feed-server"]["volumes"] == ["feeds:/var/lib/disclosure/feeds:ro"]
    folders = [_environment(services["worker"])[f"DISCLOSURE_{part}_DIR"] for part in ("ARCHIVE", "FEEDS")]
    assert all(any(volume.endswith(f":{folder}") for volume in mounted["worker"]) for folder in folders)
    folders = {volume.split(":")[-2] for volume in services["worker"]["volumes"] if "/var/lib/agencies/" in volume}
    assert folders == {f"/var/lib/agencies/{agency}" for agency in agency_ids() if _is_folder(agency)}


def _is_folder(agency: str) -> bool:
    return any(isinstance(stream.transport, DropFolder) for stream in load_agency(agency).streams)


def test_image_holds_the_rooms_and_no_registry_host() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [rooms] = re.findall(r"^root_packages = (\[.*\])", pyproject, re.MULTILINE)
    assert copied == {*json.loads(rooms), "sql"}
    assert "--require-hashes -r requirements.lock" in dockerfile
    assert "://" not in dockerfile
    for script in ROOT.glob("deploy/**/*.sh"):
        assert script.stat().st_mode & stat.S_IXUSR, script
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
