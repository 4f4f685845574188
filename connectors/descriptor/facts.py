"""What every part of a descriptor has in common, and checks of texts that stand in more than one part."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

_CRON_FIELD: Final = r"[0-9*/,\-]+"
_CRON: Final = re.compile(rf"{_CRON_FIELD}( {_CRON_FIELD}){{4}}")


class Facts(BaseModel):
    """Reviewed facts: they do not change after loading, and a key that does not belong is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def _five_field_cron(text: str) -> str:
    if not _CRON.fullmatch(text):
        raise ValueError(f"{text!r} is not a cron line of five fields, e.g. '30 6 * * *'")
    return text


def _known_codec(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"{name!r} is not the name of a text encoding, e.g. utf-8 or gb18030") from None
    return name


def _dated_pattern(text: str) -> str:
    if text.count("{date}") != 1 or "/" in text:
        raise ValueError(f"{text!r} must be a file name with one {{date}} in it and no folder, e.g. 'XK_{{date}}*.csv'")
    return text


CronLine = Annotated[str, AfterValidator(_five_field_cron)]
Codec = Annotated[str, AfterValidator(_known_codec)]
DatedPattern = Annotated[str, AfterValidator(_dated_pattern)]
