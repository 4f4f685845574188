"""专项行动填报: what an agency tells of a month, held against the rules before it is entered.

A figure is a text until it was read here, wherever it comes from: a form, an XLSX, a CSV. An **error** is something
that the return says wrongly by itself: no number, a fraction of a case, districts that exceed the city, two figures of
the same return that contradict each other. It is never entered. A **warning** is what does not agree with the pooled
records or with the size of such actions, or an item that is left out: the agency may be right, and says why in writing.

A plausibility rule that needs pooled records is therefore a warning here, whatever its severity in the report: records
come later than returns.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from pipeline.campaign.making import derived_figures
from pipeline.office import Office
from store import campaign_returns
from store.campaign_returns import Decision, ReturnVersion, returned_figures
from store.holds import person_key
from store.typed_text import NumberTyped, require_no_number
from transforms.campaign.plausible import WHOLE_ACTION, Evidence, Implausible, Told, implausible, whole_city
from transforms.campaign.sheets import Action, Form, Item, Rule, Severity, Sheets, sheets

Cells = Mapping[tuple[str, str], str]
"""Texts by district (six digits, or the whole city's code) and item."""

_NUMBER: Final = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_LARGEST: Final = Decimal(10) ** 15
LARGEST_FILE: Final = 4 << 20
"""Bytes of the largest file that a return is read from."""
_ALONE: Final[frozenset[Form]] = frozenset({"decimals", "districts", "pooled"})
"""Forms of rules that look at one item by itself."""


class ReturnInvalid(ValueError):
    """The return has errors, or warnings that nobody explained; ``faults`` tells them."""

    def __init__(self, why: str, faults: Sequence[Fault] = ()) -> None:
        """Say why in Chinese."""
        super().__init__(why)
        self.faults = tuple(faults)


class ReturnNotOpen(ValueError):
    """The agency or the month has no return, or the month is not over; the message says which, in Chinese."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A return that an agency owes: its figures of one month (YYYY-MM) of an action."""

    action: Action
    agency: str
    month: str

    def require_over(self, as_of: dt.date) -> None:
        """Raise ``ReturnNotOpen`` where the month is not over on a day."""
        if self.month not in self.action.ended_months(as_of):
            raise ReturnNotOpen(f"{self.month} 尚未结束 (业务日 {as_of}), 次月起填报")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, or strange, with a return. ``items`` are the codes that it is about, ``district`` the column."""

    rule: str
    severity: Severity
    items: tuple[str, ...]
    message: str
    remedy: str
    district: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """What pooled records say of an action: figures by item, month, agency; notices by agency, month, measure."""

    derived: Mapping[tuple[str, str, str], Decimal]
    notices: Mapping[tuple[str, str, str], int]

    def held(self, item: Item, of: Asked) -> Decimal | None:
        """Return what is pooled of an item; nothing where nothing of it is ever pooled."""
        if item.origin == "derived":
            return self.derived.get((item.code, of.month, of.agency), Decimal())
        if item.notices:
            return Decimal(sum(self.notices.get((of.agency, of.month, measure), 0) for measure in item.notices))
        return None


@dataclass(frozen=True, slots=True)
class Checked:
    """A return as it was read. ``figures`` by district and item; errors first among ``faults``."""

    figures: Mapping[tuple[str, str], Decimal]
    faults: tuple[Fault, ...]

    @property
    def errors(self) -> tuple[Fault, ...]:
        """What keeps the return from being entered."""
        return tuple(each for each in self.faults if each.severity == "error")

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What has to be explained."""
        return tuple(each for each in self.faults if each.severity == "warn")


def read_records(office: Office, action: Action, as_of: dt.date) -> Records:
    """Derive what pooled records say of an action on a day."""
    with office.engine.begin() as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        derived = derived_figures(connection, action, as_of)
    return Records(derived.by_agency, derived.notices)


def asked_for(action_id: str, agency: str, month: str) -> Asked:
    """Return the return that an agency owes of a month.

    Raises ``ReturnNotOpen``, and ``transforms.campaign.sheets.ActionUnknown``.
    """
    action = sheets().action(action_id)
    if agency not in sheets().agencies:
        raise ReturnNotOpen(f"{agency} 不须填报{action.title}统计表")
    if month not in action.months:
        raise ReturnNotOpen(f"{action.title}没有 {month} 的统计表: 行动自 {action.first_month} 至 {action.last_month}")
    return Asked(action, agency, month)


def check(office: Office, of: Asked, cells: Cells, records: Records, *, as_of: dt.date) -> Checked:
    """Read the texts of a return and hold them against every rule; nothing is entered. Blank texts are not told."""
    with office.engine.connect() as connection:
        counting = returned_figures(connection, of.action.id, as_of)
    others = [
        Told(each.agency, each.period, each.district, each.item, each.value)
        for each in counting
        if each.agency == of.agency and each.period != of.month
    ]
    return judged(of, cells, records, others)


def judged(of: Asked, cells: Cells, records: Records, others: Sequence[Told] = ()) -> Checked:
    """Read and judge a return; ``others`` are the agency's figures of the other months."""
    table = sheets()
    figures, faults = _read(table, of.agency, cells)
    told = [Told(of.agency, of.month, district, item, value) for (district, item), value in figures.items()]
    for item in table.required_of(of.agency):
        if item.code not in {code for (_, code), text in cells.items() if text.strip()}:
            faults.append(
                Fault(
                    "required", "warn", (item.code,), f"{item.title}未填", "没有发生的填 0; 暂时不能统计的在说明中写明"
                )
            )
    for each in told:
        faults += [
            replace(_fault(found, (each.item,)), district=each.district, value=str(each.value))
            for found in _broken(of, ("decimals",), [each], records)
        ]
    for code in sorted({each.item for each in told}):
        own = [each for each in told if each.item == code]
        faults += [_fault(found, (code,)) for found in _broken(of, ("districts", "pooled"), own, records)]
    faults += _between_figures(of, told, records, others)
    faults.sort(key=lambda each: each.severity != "error")
    return Checked(figures, tuple(faults))


def submit(
    office: Office,
    of: Asked,
    cells: Cells,
    *,
    seen: int,
    person: str,
    reason: str,
    as_of: dt.date,
    records: Records | None = None,
) -> tuple[ReturnVersion, Checked]:
    """Enter the next version of a return, after version ``seen`` (0: the first).

    Raises ``ReturnNotOpen``; ``ReturnInvalid`` for an error, a warning without a reason, an empty return, one that
    says what is entered already, or a reason with a number of a person; ``store.campaign_returns.ReturnChanged``; and
    ``ValueError`` without a name.
    """
    if not person_key(person):
        raise ValueError("a return needs the name of a person")
    of.require_over(as_of)
    _require_words(person, reason)
    checked = check(office, of, cells, records or read_records(office, of.action, as_of), as_of=as_of)
    if checked.errors:
        raise ReturnInvalid(f"有 {len(checked.errors)} 处错误, 改正后才能提交", checked.faults)
    if not checked.figures:
        raise ReturnInvalid("一项都没有填", checked.faults)
    if checked.warnings and not reason.strip():
        why = f"有 {len(checked.warnings)} 处须说明: 核对无误的, 请写明原因后提交"
        raise ReturnInvalid(why, checked.faults)
    with office.engine.begin() as connection:
        if _says_the_same(connection, of, seen, checked.figures):
            raise ReturnInvalid(f"与第 {seen} 版相同, 没有改动", checked.faults)
        entered = campaign_returns.submit(
            connection, action=of.action.id, agency=of.agency, period=of.month, seen=seen, figures=checked.figures,
            warnings=[each.rule for each in checked.warnings], person=person, reason=reason, as_of=as_of,
        )  # fmt: skip
    return entered, checked


def decide(
    office: Office,
    of: Asked,
    decision: Decision,
    *,
    version: int,
    state: str,
    person: str,
    reason: str,
    as_of: dt.date,
) -> ReturnVersion:
    """Accept a return, or send it back, which needs a reason; ``version`` and ``state`` are what the person saw.

    Raises ``ReturnInvalid``, and as ``store.campaign_returns.decide``.
    """
    _require_words(person, reason)
    if decision == "sent_back" and not reason.strip():
        raise ReturnInvalid("请写明退回的原因")
    with office.engine.begin() as connection:
        return campaign_returns.decide(
            connection, action=of.action.id, agency=of.agency, period=of.month, version=version, state=state,
            decision=decision, person=person, reason=reason, as_of=as_of,
        )  # fmt: skip


def other_person(entered: ReturnVersion, person: str) -> bool:
    """Tell whether a person is another one than who submitted a version: only another person accepts it."""
    return person_key(entered.person) != person_key(person)


def _require_words(person: str, reason: str) -> None:
    """Refuse a name or a reason that holds a number of a person. Raises ``ReturnInvalid``."""
    try:
        require_no_number("姓名", person)
        require_no_number("说明", reason)
    except NumberTyped as error:
        raise ReturnInvalid(str(error)) from None


def _says_the_same(connection: sa.Connection, of: Asked, seen: int, figures: Mapping[tuple[str, str], Decimal]) -> bool:
    """Tell whether the newest version says so already; one that was sent back may be explained anew."""
    held = campaign_returns.versions(connection, of.action.id, agency=of.agency, period=of.month)
    if not held or held[0].version != seen or held[0].state == "sent_back":
        return False
    return campaign_returns.figures_of(connection, held[0].return_id) == figures


def _read(table: Sheets, agency: str, cells: Cells) -> tuple[dict[tuple[str, str], Decimal], list[Fault]]:
    asked = {item.code: item for item in table.asked_of(agency)}
    figures: dict[tuple[str, str], Decimal] = {}
    faults: list[Fault] = []
    for (district, code), text in cells.items():
        if not text.strip():
            continue
        if code not in asked:
            faults.append(
                Fault("item", "error", (code,), f"{code} 不是本机关填报的项目", "请用本机关的空表填报", value=text)
            )
            continue
        if district != table.whole_city and (known := table.district_of(district)) is None:
            faults.append(
                Fault("district", "error", (code,), f"{district} 不是本市的区", "请用空表中的区名", district, text)
            )
            continue
        place = district if district == table.whole_city else known.code if known else district
        value = _number(text)
        if value is None:
            faults.append(
                Fault(
                    "number", "error", (code,), f"{asked[code].title}“{text.strip()}”不是可以填报的数",
                    "只填阿拉伯数字, 不带单位, 不填负数; 没有发生的填 0", place, text.strip(),
                )
            )  # fmt: skip
        elif (place, code) in figures:
            faults.append(
                Fault(
                    "district",
                    "error",
                    (code,),
                    f"{asked[code].title}的同一个区填了两次",
                    "撤并前的区计入现在的区",
                    place,
                    text,
                )
            )
        else:
            figures[place, code] = value
    return figures, faults


def _number(text: str) -> Decimal | None:
    """Read a number as people write it; full-width digits and thousands separators are theirs."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not _NUMBER.fullmatch(plain):
        return None
    value = Decimal(plain.replace(",", ""))
    return value if 0 <= value < _LARGEST else None


def _broken(of: Asked, forms: Sequence[Form], told: Sequence[Told], records: Records) -> list[Implausible]:
    """Hold figures of one item against the rules of some forms."""
    rules = [rule for rule in sheets().rules if rule.form in forms]
    return implausible(Evidence({}, told, records.notices), of.action, _with(sheets(), rules))


def _between_figures(of: Asked, told: Sequence[Told], records: Records, others: Sequence[Told]) -> list[Fault]:
    """Hold figures against each other: first those of the return alone, then with records and other months."""
    table, agency, month = sheets(), of.agency, of.month
    by_item = {
        item.code: whole_city([each for each in told if each.item == item.code], table.whole_city)
        for item in table.asked_of(agency)
        if any(each.item == item.code for each in told)
    }
    itself = {(code, month, agency): value for code, value in by_item.items() if table.item(code).origin == "derived"}
    complete = [rule for rule in table.rules if rule.form == "at_most" and {*rule.left, *rule.right} <= by_item.keys()]
    alone = [
        each
        for each in implausible(Evidence(itself, told, {}), of.action, _with(table, complete))
        if each.span == month and complete
    ]
    counted = {code for code in by_item if table.item(code).origin == "returned"}
    wider = [
        rule
        for rule in table.rules
        if (rule.form == "agree" and set(rule.left) <= by_item.keys())
        or (rule.form not in _ALONE and {*rule.left, *rule.right} & counted)
    ]
    own = {key: value for key, value in records.derived.items() if key[2] == agency}
    spans = {month, WHOLE_ACTION}
    seen = {each.rule for each in alone}
    with_records = []
    for each in implausible(Evidence(own, [*told, *others], {}), of.action, _with(table, wider)):
        if each.span in spans and each.rule not in seen:
            with_records.append(each)
            seen.add(each.rule)  # a rule that the month breaks is not told again of the whole action
    items = {rule.id: tuple(code for code in (*rule.left, *rule.right) if code in by_item) for rule in table.rules}
    return [_fault(each, items[each.rule]) for each in alone] + [
        _fault(each, items[each.rule], "warn") for each in with_records
    ]


def _with(table: Sheets, rules: Sequence[Rule]) -> Sheets:
    return table.model_copy(update={"rules": tuple(rules)})


def _fault(found: Implausible, items: tuple[str, ...], severity: Severity | None = None) -> Fault:
    span = "全行动合计" if found.span == WHOLE_ACTION else ""
    message = f"{found.sentence}: {span}{found.left}, {found.right}"
    return Fault(found.rule, severity or found.severity, items, message, found.remedy)
