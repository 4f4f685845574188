"""Small charts as SVG that stands in the page: no script draws them, and they print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup, escape

_ROW: Final = 24
_LABEL: Final = 240
_NUMBER: Final = 64
_LONGEST: Final = 18


def bars(rows: Sequence[tuple[str, int, str]], *, width: int = 560, title: str) -> Markup:
    """Return horizontal bars: (label, number, address) per row, the largest as wide as the chart."""
    most = max((number for _, number, _ in rows), default=0)
    room = width - _LABEL - _NUMBER
    parts = []
    for place, (label, number, address) in enumerate(rows):
        y = place * _ROW
        long = max(2, round(room * number / most)) if number else 0
        drawn = Markup(
            '<text x="{}" y="{}" class="label"><title>{}</title>{}</text>'
            '<rect x="{}" y="{}" width="{}" height="14" rx="2"/><text x="{}" y="{}" class="number">{:,}</text>'
        ).format(_LABEL - 8, y + 16, label, _short(label), _LABEL, y + 5, long, _LABEL + long + 6, y + 16, number)
        parts.append(Markup('<a href="{}">{}</a>').format(address, drawn) if address else drawn)
    return _svg(parts, width, max(1, len(rows)) * _ROW, title)


def stacked(
    rows: Sequence[tuple[str, Mapping[str, int], str]],
    *,
    parts: Sequence[tuple[str, str]],
    width: int = 560,
    title: str,
) -> Markup:
    """Return one bar per row (label, numbers, address), cut into ``parts``: (name of a number, name of its colour)."""
    most = max((sum(numbers.values()) for _, numbers, _ in rows), default=0)
    room = width - _LABEL - _NUMBER
    bars_of_rows = []
    for place, (label, numbers, address) in enumerate(rows):
        y, x = place * _ROW, float(_LABEL)
        drawn = [
            Markup('<text x="{}" y="{}" class="label"><title>{}</title>{}</text>').format(
                _LABEL - 8, y + 16, label, _short(label)
            )
        ]
        for name, colour in parts:
            if not numbers.get(name):
                continue
            long = max(1.5, room * numbers[name] / most)
            bar = Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="14" class="{}"/>')
            drawn.append(bar.format(x, y + 5, long, colour))
            x += long
        total = Markup('<text x="{:.1f}" y="{}" class="number">{:,}</text>').format(
            x + 6, y + 16, sum(numbers.values())
        )
        bars_of_rows.append(Markup('<a href="{}">{}</a>').format(address, Markup("").join([*drawn, total])))
    return _svg(bars_of_rows, width, max(1, len(rows)) * _ROW, title)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"


def _svg(parts: Sequence[Markup], width: int, height: int, title: str) -> Markup:
    drawn = Markup("").join(parts)
    role = "group" if "<a " in drawn else "img"  # an image has no parts: a screen reader would not say its links
    return Markup(
        '<svg class="chart" role="{}" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(role, escape(title), width, height, width, height, drawn)
