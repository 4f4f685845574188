"""Columns over the months of an action as SVG that stands in the page: no script draws them, and they print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 300
_HEIGHT: Final = 128
_TOP: Final = 22
_FOOT: Final = 22
_BAR: Final = 0.56
"""Share of a month's room that its column takes."""


def columns(values: Sequence[tuple[str, Decimal | None, str]], *, title: str) -> Markup:
    """Return a column per month: (label, value, value as written). A month without a value has a dash, no column."""
    most = max((value for _, value, _ in values if value is not None), default=Decimal())
    room = _WIDTH / max(1, len(values))
    parts = []
    for place, (label, value, written) in enumerate(values):
        middle = room * (place + 0.5)
        high = _long(value, most)
        top = _TOP + (_HEIGHT - high)
        if value is not None:
            parts.append(
                Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2" class="c1"/>').format(
                    middle - room * _BAR / 2, top, room * _BAR, high
                )
            )
        parts.append(_text(middle, top - 5, written, "none" if value is None else "number"))
        parts.append(_text(middle, _TOP + _HEIGHT + 16, label, "label"))
    return _svg(parts, title)


def stacked(months: Sequence[tuple[str, Mapping[str, int]]], *, parts: Sequence[tuple[str, str]], title: str) -> Markup:
    """Return a column per month (label, numbers), cut into ``parts``: (name of a number, class of its colour)."""
    most = max((sum(numbers.values()) for _, numbers in months), default=0)
    room = _WIDTH / max(1, len(months))
    drawn = []
    for place, (label, numbers) in enumerate(months):
        middle, foot = room * (place + 0.5), float(_TOP + _HEIGHT)
        for name, colour in parts:
            if not numbers.get(name):
                continue
            high = _long(Decimal(numbers[name]), Decimal(most))
            foot -= high
            bar = Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"><title>{} {:,}</title></rect>'
            )
            drawn.append(bar.format(middle - room * _BAR / 2, foot, room * _BAR, high, colour, name, numbers[name]))
        drawn.append(_text(middle, foot - 5, f"{sum(numbers.values()):,}", "number"))
        drawn.append(_text(middle, _TOP + _HEIGHT + 16, label, "label"))
    return _svg(drawn, title)


def _long(value: Decimal | None, most: Decimal) -> float:
    if not value or value < 0 or not most:
        return 0.0
    return max(1.5, float(value / most) * _HEIGHT)


def _text(x: float, y: float, text: str, of_class: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>').format(x, y, of_class, text)


def _svg(parts: Sequence[Markup], title: str) -> Markup:
    ground = Markup('<line x1="0" y1="{0}" x2="{1}" y2="{0}" class="ground"/>').format(_TOP + _HEIGHT, _WIDTH)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _TOP + _HEIGHT + _FOOT, title, Markup("").join([ground, *parts])
    )
