"""What an operator wants to see of an agency at night: is it reachable, what came last, what is wrong with it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from connectors.descriptor import load_agency
from connectors.endpoint import Endpoint, EndpointError, endpoint_from_environment
from pipeline.office import Office

_SECONDS: Final = 5

_PULLS: Final = """
SELECT stream, as_of, state, cursor, delivery_id, started_at FROM collection WHERE agency = :agency
ORDER BY collection_id DESC LIMIT 6
"""
_DELIVERIES: Final = """
SELECT d.delivery_id, d.kind, d.as_of, d.state, d.rows,
       (SELECT string_agg(p.rule || ' ' || p.message, '; ') FROM problem p
        WHERE p.delivery_id = d.delivery_id AND p.severity = 'refuse') AS refused_because
FROM delivery d WHERE d.agency = :agency ORDER BY d.delivery_id DESC LIMIT 6
"""
_TOP_RULES: Final = """
SELECT rule_or_reason, severity, count(*) AS rows FROM open_review WHERE agency = :agency
GROUP BY rule_or_reason, severity ORDER BY rows DESC, rule_or_reason LIMIT 8
"""


def diagnose(office: Office, agency_id: str) -> dict[str, Any]:
    """Return the state of an agency's connection, pulls, deliveries and open items; secrets never show."""
    agency = load_agency(agency_id)
    with office.engine.connect() as connection:
        parameters = {"agency": agency_id}
        ledger = {
            name: [dict(row) for row in connection.execute(sa.text(query), parameters).mappings()]
            for name, query in (("pulls", _PULLS), ("deliveries", _DELIVERIES), ("open_items", _TOP_RULES))
        }
    return {
        "agency": agency_id,
        "names": [name.name for name in agency.names],
        "streams": {stream.id: stream.transport.type for stream in agency.streams},
        "connection": _connection(agency_id),
        **ledger,
    }


def _connection(agency_id: str) -> dict[str, Any]:
    try:
        endpoint = endpoint_from_environment(agency_id)
    except EndpointError as error:
        return {"ok": False, "detail": str(error)}
    try:
        return {"ok": True, "detail": _reach(endpoint), "address": endpoint.shown}
    except (OSError, sa.exc.SQLAlchemyError, ssl.SSLError) as error:
        return {"ok": False, "detail": f"{type(error).__name__}: {_first_line(error)}", "address": endpoint.shown}


def _reach(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        with (
            socket.create_connection((parts.hostname or "", parts.port or 443), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            return f"TLS handshake done, {secured.version()}"
    if parts.scheme in ("", "file"):
        folder = Path(parts.path if parts.scheme else endpoint.url)
        return f"folder holds {sum(1 for _ in folder.iterdir())} entries"
    from connectors.transports.exchange_db import database_url  # noqa: PLC0415 (only databases need it)

    engine = sa.create_engine(database_url(endpoint), hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    finally:
        engine.dispose()
    return "database answers"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
