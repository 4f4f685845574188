"""How every command answers: a table or one JSON document on standard output, messages on standard error."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

_WIDTH: Final = None if sys.stdout.isatty() else 200  # a pipe has no width; do not cut tables to 80 columns
out = Console(highlight=False, width=_WIDTH)
err = Console(stderr=True, highlight=False, width=_WIDTH)

STEP_FAILED, WRONG_USAGE, REFUSED, UNEXPLAINED, NOT_VERIFIED, HELD = 1, 2, 3, 4, 5, 6
"""Exit codes; their meaning is told by ``disclosure --help``'s module, ``pipeline.cli``."""

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
AsOf = Annotated[dt.datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date (业务日), YYYY-MM-DD.")]


def answer(as_json: bool, value: Any, show: Callable[[], None]) -> None:
    """Print ``value`` as JSON, or let ``show`` print it for a person."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, default=_plain, sort_keys=True))
    else:
        show()


def table(title: str, header: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a header."""
    shown = Table(*header, title=title, title_justify="left", show_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(shown)


def fail(error: Exception, code: int) -> NoReturn:
    """Say what went wrong and end with an exit code."""
    err.print(str(error), style="red")
    raise typer.Exit(code) from error


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
