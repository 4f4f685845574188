"""The rules of the sheets held against figures: what contradicts what, with both numbers and what to do about it.

A rule never changes a figure. What an agency returned for a derived item is compared with what is derived, and counted
nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from transforms.campaign.sheets import Action, Form, Item, Rule, Severity, Sheets

WHOLE_ACTION: Final = "action"
"""Stands for the whole of the action where a month could stand."""


@dataclass(frozen=True, slots=True)
class Told:
    """A figure as an agency returned it; ``district`` is the code of the whole city where it told no district."""

    agency: str
    month: str
    district: str
    item: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules look at.

    ``derived``: by item, month and agency; their sum is the city's. ``returned``: every figure that counts.
    ``notices``: pooled notices (执法措施文书) by agency, month and measure.
    """

    derived: Mapping[tuple[str, str, str], Decimal]
    returned: Sequence[Told]
    notices: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class Implausible:
    """A rule that does not hold. ``span``: a month, or ``action``; ``agency`` where it is about one agency's figures.

    ``left`` and ``right`` tell what was compared, with the numbers.
    """

    rule: str
    severity: Severity
    span: str
    agency: str | None
    sentence: str
    left: str
    right: str
    remedy: str


def whole_city(told: Iterable[Told], city: str) -> Decimal:
    """Return one agency's figure of an item for the city: as it told it, else the sum of its districts."""
    figures = list(told)
    own = [each.value for each in figures if each.district == city]
    return sum(own, Decimal()) if own else sum((each.value for each in figures), Decimal())


def implausible(evidence: Evidence, action: Action, sheets: Sheets) -> list[Implausible]:
    """Hold every rule against the figures and return what does not hold, in the order of rules, spans and agencies.

    The answer depends on the figures, not on their order.
    """
    desk = _Desk(evidence, action, sheets)
    return [found for rule in sheets.rules for found in _FORMS[rule.form](desk, rule)]


class _Desk:
    """The figures, summed once for all rules."""

    def __init__(self, evidence: Evidence, action: Action, sheets: Sheets) -> None:
        self.action, self.sheets, self.notices = action, sheets, evidence.notices
        self.returned = sorted(evidence.returned, key=lambda each: (each.month, each.agency, each.item, each.district))
        grouped: dict[tuple[str, str, str], list[Told]] = {}
        for each in self.returned:
            grouped.setdefault((each.item, each.month, each.agency), []).append(each)
        self.by_return = {key: whole_city(told, sheets.whole_city) for key, told in grouped.items()}
        self.told_apart = grouped
        self.derived = evidence.derived

    def spans(self, rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each span of a rule: its name and its months."""
        if "month" in rule.over:
            yield from ((month, (month,)) for month in self.action.months)
        if "action" in rule.over:
            yield WHOLE_ACTION, self.action.months

    def city(self, codes: Sequence[str], months: Sequence[str]) -> Decimal | None:
        """The city's sum of some items over some months; nothing where nobody told any of it."""
        values = [
            value
            for code in codes
            for key, value in (self.derived if self._item(code).origin == "derived" else self.by_return).items()
            if key[0] == code and key[1] in months
        ]
        return sum(values, Decimal()) if values else None

    def named(self, codes: Sequence[str], value: Decimal) -> str:
        """Items and their sum as people read them."""
        titles = "、".join(self._item(code).title for code in codes)
        return f"{titles} {self.written(value, self._item(codes[0]))}"

    def written(self, value: Decimal, item: Item) -> str:
        """A figure with its unit."""
        places = max(item.decimals, 0 if value == value.to_integral_value() else 2)
        return f"{value:,.{places}f} {item.unit}"

    def _item(self, code: str) -> Item:
        return self.sheets.item(code)


def _found(
    rule: Rule, span: str, left: str, right: str, *, agency: str | None = None, remedy: str | None = None
) -> Implausible:
    return Implausible(rule.id, rule.severity, span, agency, rule.sentence, left, right, remedy or rule.remedy)


def _at_most(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    for span, months in desk.spans(rule):
        left, right = desk.city(rule.left, months), desk.city(rule.right, months) or Decimal()
        if left is not None and left > right:
            yield _found(rule, span, desk.named(rule.left, left), desk.named(rule.right, right))


def _agree(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    """Compare per agency and month: in a sum two errors may cancel each other. What differs is told in one finding."""
    [code] = rule.left
    item = desk.sheets.item(code)
    for span, months in desk.spans(rule):
        for agency in sorted({agency for of, month, agency in desk.by_return if of == code and month in months}):
            keys = [key for month in months if (key := (code, month, agency)) in desk.by_return]
            pairs = [(key[1], desk.by_return[key], desk.derived.get(key, Decimal())) for key in keys]
            apart = [each for each in pairs if abs(each[1] - each[2]) > (rule.tolerance or Decimal())]
            if apart:
                own = sum((told for _, told, _ in apart), Decimal())
                held = sum((derived for _, _, derived in apart), Decimal())
                in_months = "" if span in months else f"（{'、'.join(f'{int(month[5:])}月' for month, _, _ in apart)}）"
                yield _found(
                    rule, span, f"自报{item.title}{in_months} {desk.written(own, item)}",
                    f"归集 {desk.written(held, item)}", agency=agency,
                )  # fmt: skip


def _pooled(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    for (code, month, agency), value in sorted(desk.by_return.items(), key=lambda each: (each[0][1], *each[0])):
        item = desk.sheets.item(code)
        held = sum(desk.notices.get((agency, month, measure), 0) for measure in item.notices)
        if held and value < held:
            yield _found(
                rule, month, f"自报{item.title} {desk.written(value, item)}", f"已归集同类文书 {held:,} 件",
                agency=agency,
            )  # fmt: skip


def _decimals(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    for told in desk.returned:
        item = desk.sheets.item(told.item)
        if told.value < 0 or told.value != round(told.value, item.decimals):
            right = "整数" if item.decimals == 0 else f"{item.decimals} 位小数"
            yield _found(rule, told.month, f"{item.title} {told.value} {item.unit}", right, agency=told.agency)


def _districts(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    for (code, month, agency), told in sorted(desk.told_apart.items(), key=lambda each: (each[0][1], *each[0])):
        item = desk.sheets.item(code)
        apart = [each.value for each in told if each.district != desk.sheets.whole_city]
        if apart and len(apart) < len(told) and sum(apart) > desk.by_return[code, month, agency]:
            left = f"{item.title}各区之和 {desk.written(sum(apart, Decimal()), item)}"
            right = f"全市数 {desk.written(desk.by_return[code, month, agency], item)}"
            yield _found(rule, month, left, right, agency=agency)


def _between(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    item = desk.sheets.item(rule.left[0])
    for span, months in desk.spans(rule):
        value = desk.city(rule.left, months)
        if value is None:
            continue
        if rule.most is not None and value > rule.most:
            yield _found(rule, span, desk.named(rule.left, value), f"同类行动最多 {desk.written(rule.most, item)}")
        elif rule.least is not None and value < rule.least:
            yield _found(rule, span, desk.named(rule.left, value), f"同类行动最少 {desk.written(rule.least, item)}")


def _per(desk: _Desk, rule: Rule) -> Iterator[Implausible]:
    most = rule.most or Decimal()
    for span, months in desk.spans(rule):
        left, right = desk.city(rule.left, months), desk.city(rule.right, months)
        if left is not None and right and left > most * right:
            yield _found(rule, span, desk.named(rule.left, left), desk.named(rule.right, right))


_FORMS: Final[Mapping[Form, Callable[[_Desk, Rule], Iterator[Implausible]]]] = {
    "at_most": _at_most, "agree": _agree, "pooled": _pooled, "decimals": _decimals, "districts": _districts,
    "between": _between, "per": _per,
}  # fmt: skip
