"""Horizontal bar charts as SVG text: pure functions from numbers to markup, no library, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_LABEL_GAP: Final = 12
_TOTAL_ROOM: Final = 56
_ROW: Final = 34
_BAR: Final = 22
_CHARACTER: Final = 8.0
_WIDE_CHARACTER: Final = 14.5


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart; ``ink`` is the colour of a number written on it."""

    key: str
    label: str
    colour: str
    ink: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: its label and a length per series key."""

    label: str
    lengths: Mapping[str, int]


def text_width(text: str) -> float:
    """Estimate the width of a text in pixels at 14 px; a Chinese character is as wide as it is high."""
    return sum(_WIDE_CHARACTER if ord(character) > 0x2E7F else _CHARACTER for character in text)


def bar_chart(title: str, bars: Sequence[Bar], series: Sequence[Series]) -> str:
    """Draw stacked bars, each with its total at the end; in a mixed bar, parts with room for it carry their number."""
    left = max((text_width(bar.label) for bar in bars), default=0) + _LABEL_GAP
    totals = [sum(bar.lengths.get(each.key, 0) for each in series) for bar in bars]
    unit = (_WIDTH - left - _TOTAL_ROOM) / max([*totals, 1])
    height = _ROW * len(bars) + 6
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        'font-size="14" xmlns="http://www.w3.org/2000/svg">'
    ]
    for place, (bar, total) in enumerate(zip(bars, totals, strict=True)):
        top = place * _ROW + 6
        middle = top + _BAR / 2 + 5
        parts.append(
            f'<text x="{left - _LABEL_GAP:.1f}" y="{middle:.1f}" text-anchor="end" fill="#33413d">'
            f"{escape(bar.label)}</text>"
            f'<rect x="{left:.1f}" y="{top}" width="{_WIDTH - left - _TOTAL_ROOM:.1f}" height="{_BAR}" fill="#f1f4f3"/>'
        )
        parts += _segments(bar, series, left, top, unit)
        end = left + total * unit + 8
        parts.append(f'<text x="{end:.1f}" y="{middle:.1f}" font-weight="600" fill="#1d2b27">{total:,}</text>')
    parts.append("</svg>")
    return "".join(parts)


def _segments(bar: Bar, series: Sequence[Series], left: float, top: int, unit: float) -> list[str]:
    parts: list[str] = []
    at = left
    is_mixed = sum(1 for each in series if bar.lengths.get(each.key)) > 1
    for each in series:
        value = bar.lengths.get(each.key, 0)
        if not value:
            continue
        width = value * unit
        hint = escape(f"{bar.label}, {each.label}: {value:,}")
        parts.append(
            f'<rect x="{at:.1f}" y="{top}" width="{max(width, 1):.1f}" height="{_BAR}" fill="{each.colour}">'
            f"<title>{hint}</title></rect>"
        )
        if is_mixed and width > text_width(f"{value:,}") + 6:
            parts.append(
                f'<text x="{at + width / 2:.1f}" y="{top + _BAR / 2 + 4.5:.1f}" text-anchor="middle" '
                f'font-size="12" fill="{each.ink}">{value:,}</text>'
            )
        at += width
    return parts


def legend(series: Sequence[Series]) -> str:
    """Return the legend as a line of HTML."""
    items = (f'<li><i style="background:{each.colour}"></i>{escape(each.label)}</li>' for each in series)
    return f'<ul class="legend">{"".join(items)}</ul>'
