"""Reading descriptor files; a mistake is reported with file, line and key in plain words."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connectors.descriptor.agency import Agency
from transforms.yaml_text import read_yaml

Location = tuple[str | int, ...]


class DescriptorError(Exception):
    """A descriptor that cannot be used; the message has one line per mistake: file, line, key and what is wrong."""


def load_descriptor(path: Path) -> Agency:
    """Read one descriptor file. Raises DescriptorError that names file, line and key of every mistake."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DescriptorError(f"{path.name} line {line}: not readable as YAML: {error.problem}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptorError(f"{path.name}: cannot be read: {error}") from error
    if not isinstance(root, MappingNode):
        raise DescriptorError(f"{path.name} line 1: must be a list of keys and values, starting with id")
    lines: dict[Location, int] = {(): 1}
    repeated = list(_walk(root, (), lines))
    if repeated:
        raise DescriptorError("\n".join(f"{path.name} line {n}: {_key(at)}: is given twice" for at, n in repeated))
    try:
        agency = Agency.model_validate(read_yaml(text))
    except ValidationError as error:
        raise DescriptorError(_in_plain_words(path.name, lines, error)) from error
    if agency.id != path.stem:
        raise DescriptorError(f"{path.name} line {lines['id',]}: id: {agency.id!r} must be the name of the file")
    return agency


@cache
def agency_name(agency_id: str) -> str:
    """Return the newest name of an agency, its id where it has no descriptor any more."""
    try:
        return load_agency(agency_id).names[0].name
    except DescriptorError:
        return agency_id


_AGENCIES: Final = resources.files("connectors") / "agencies"


@cache
def load_agency(agency_id: str) -> Agency:
    """Return a known agency. Raises DescriptorError where there is no such agency or its file has a mistake."""
    if agency_id not in agency_ids():
        raise DescriptorError(f"no agency {agency_id!r}; known are: {', '.join(agency_ids())}")
    with resources.as_file(_AGENCIES / f"{agency_id}.yaml") as path:
        return load_descriptor(path)


def agency_ids() -> tuple[str, ...]:
    """Return the ids of all agencies that have a descriptor, sorted."""
    return tuple(sorted(Path(entry.name).stem for entry in _AGENCIES.iterdir() if entry.name.endswith(".yaml")))


def _walk(node: Node, at: Location, lines: dict[Location, int]) -> list[tuple[Location, int]]:
    """Note the line of every key below a node; return the keys that stand twice in one mapping.

    Keys that are merged in (``<<``) keep the line where they are written, unless the mapping has its own.
    """
    repeated = []
    if isinstance(node, MappingNode):
        own: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else str(key.value)
            if name in own:
                repeated.append(((*at, name), key.start_mark.line + 1))
            own.add(name)
            lines[(*at, name)] = key.start_mark.line + 1
            repeated += _walk(value, (*at, name), lines)
        merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
        for value in merged:
            elsewhere: dict[Location, int] = {}
            _walk(value, at, elsewhere)
            for place, line in elsewhere.items():
                lines.setdefault(place, line)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            repeated += _walk(value, (*at, index), lines)
    return repeated


def _key(at: Location) -> str:
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the whole file"


_QUOTE: Final = "'"


def _in_plain_words(file: str, lines: dict[Location, int], error: ValidationError) -> str:
    # A list whose entries are wrong is also reported as too short: only an empty one really is.
    mistakes = [item for item in error.errors() if item["type"] != "too_short" or not item["input"]]
    return "\n".join(_plain(file, lines, item) for item in mistakes)


def _written(error: ErrorDetails, lines: dict[Location, int]) -> Location:
    """Return the place of an error as the file has it.

    A part that is not in the file is the name of a union's alternative, or of a key that is missing at the end.
    """
    written: Location = ()
    for part in error["loc"]:
        if (*written, part) in lines:
            written = (*written, part)
    return (*written, error["loc"][-1]) if error["type"] == "missing" else written


def _plain(file: str, lines: dict[Location, int], error: ErrorDetails) -> str:
    """Say one pydantic error in plain words, at the nearest line that exists in the file."""
    written = _written(error, lines)
    known = written
    while known not in lines:
        known = known[:-1]
    match error["type"]:
        case "missing":
            words = "is missing"
        case "extra_forbidden":
            words = "is not a key that belongs here (misspelt?)"
        case "union_tag_not_found":
            words = f"needs the key {error['ctx']['discriminator'].strip(_QUOTE)}"
        case "union_tag_invalid":
            context = error["ctx"]
            key = context["discriminator"].strip(_QUOTE)
            words = f"{key} is {context['tag']!r}, must be one of {context['expected_tags']}"
        case "too_short":
            words = "must not be empty"
        case "value_error":
            words = str(error["ctx"]["error"])
        case _:
            words = f"{error['msg'][0].lower()}{error['msg'][1:]}, but is {error['input']!r}"
    return f"{file} line {lines[known]}: {_key(written)}: {words}"
