"""Read the reviewed tables, which are YAML: by libyaml, some eight times as fast as the parser in Python.

Every command and every DAG file reads dozens of tables before it does anything, so a slow parser is felt everywhere.
"""

from __future__ import annotations

from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """Return the plain values of one document; no tag of the text can make an object. Raises ``yaml.YAMLError``."""
    return yaml.load(text, Loader=yaml.CSafeLoader)
