"""The JSON Schema (draft 2020-12) of a descriptor, so that an editor completes keys and marks mistakes while typing."""

from __future__ import annotations

import json
from typing import Any, Final

from connectors.descriptor.agency import Agency

FILE_NAME: Final = "agency.schema.json"
"""Beside the descriptors, whose first line names it."""


def agency_schema() -> dict[str, Any]:
    """Return the schema of a descriptor file as it is written: keys of the file, not of the models."""
    schema = Agency.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(agency_schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
