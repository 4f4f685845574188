"""The pages that leave the office as letters do: covers of notices, mails; HTML from ``pipeline/templates``."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES: Final = Environment(
    loader=PackageLoader("pipeline"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def rendered(template: str, **told: Any) -> str:
    """Return a page with what it tells, escaped; a name that is not told is an error."""
    return _TEMPLATES.get_template(template).render(**told)
