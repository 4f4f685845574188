"""What goes wrong in real deliveries, each with its rate and the state in which its rows must end.

States are those of conservation: published, withheld, review, returned, superseded, duplicate. Rules (R..) are those of
the validator's catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from simulator.codes import resident_id
from simulator.decisions import FINE
from simulator.population import Enterprise, Form, person, stranger
from simulator.templates import Facts
from transforms.columns import Kind, Sheet

Outcome = list[tuple[Facts, str]]
"""The rows that a defect makes of one sound record, each with its expected state."""

SOUND: Final = "none"


@dataclass(slots=True)
class Scene:
    """What a defect may draw on: the record's subject, the register, the day."""

    rng: Random
    subject: Enterprise
    register: Sequence[Enterprise]
    twins: Sequence[Enterprise]
    kind: Kind
    sheet: Sheet
    day: date

    def other(self) -> Enterprise:
        """Another enterprise with another name."""
        while True:
            found = self.rng.choice(self.register)
            if found.name != self.subject.name:
                return found

    def synthetic_id(self) -> str:
        """A well-formed ID number of nobody."""
        born = date(1960, 1, 1) + timedelta(days=self.rng.randrange(14_000))
        return resident_id("110105", born, self.rng.randrange(1_000))


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of fault: how often (of all records), what it needs, and what it does to the facts."""

    name: str
    rate: float
    make: Callable[[Facts, Scene], Outcome]
    kinds: tuple[Kind, ...] = tuple(Kind)
    sheets: tuple[Sheet, ...] = tuple(Sheet)
    subject: Callable[[Enterprise], bool] = lambda _: True
    needs_shared_name: bool = False
    needs_fact: str = "name"  # a source that has no column for it cannot show the defect
    text_in_number: bool = False  # true: a column of numbers in a database cannot hold it
    names_its_subject: bool = True  # false: nobody can say from the row who the true subject is


def _with(state: str, **changed: str) -> Callable[[Facts, Scene], Outcome]:
    return lambda facts, _: [({**facts, **changed}, state)]


def _no_codes(facts: Facts) -> Facts:
    return {**facts, "uscc": "", "regno": "", "org_code": "", "tax_no": ""}


def _wrong_check_digit(facts: Facts, scene: Scene) -> Outcome:
    last = scene.rng.choice([char for char in "0123456789ABCDEFGH" if char != facts["uscc"][-1]])
    return [({**facts, "uscc": facts["uscc"][:-1] + last}, "returned")]


def _wrong_length(facts: Facts, scene: Scene) -> Outcome:
    uscc = facts["uscc"]
    return [({**facts, "uscc": scene.rng.choice((uscc[:-1], uscc[:-2], uscc + "0"))}, "returned")]


_REQUIRED: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.LICENCE: ("content", "decided", "authority"),
    Kind.PENALTY: ("content", "decided", "authority"),
    Kind.INSPECTION: ("result", "decided", "authority"),
    Kind.ABNORMAL_OPERATION: ("cause", "decided", "authority"),
    Kind.SERIOUS_VIOLATION: ("cause", "decided", "authority"),
    Kind.ENFORCEMENT_NOTICE: ("facts", "decided", "authority"),
    Kind.BASIC_INFO: ("site_name", "decided"),
}
"""Facts without which a row goes back; the first says most."""


def _missing(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, scene.rng.choice(_REQUIRED[scene.kind]): ""}, "returned")]


def _placeholder(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, _REQUIRED[scene.kind][0]: scene.rng.choice(("无", "--", "不详", "NULL"))}, "returned")]


def _future(facts: Facts, scene: Scene) -> Outcome:
    later = scene.day + timedelta(days=scene.rng.randint(2, 200))
    # The other dates stay behind it, so that only the future day is wrong.
    day = f"{later:%Y/%m/%d}"
    others = {"valid_from": day, "valid_to": "2099/12/31", "shown_until": "2099/12/31", "due": "2099/12/31"}
    return [({**facts, "decided": day, **{key: others[key] for key in others if key in facts}}, "returned")]


def _end_before_start(facts: Facts, scene: Scene) -> Outcome:
    ends = scene.day - timedelta(days=scene.rng.randint(400, 900))
    key = "shown_until" if scene.kind is Kind.PENALTY else "valid_to"
    return [({**facts, key: f"{ends:%Y/%m/%d}"}, "returned")]


def _fined(facts: Facts) -> Facts:
    return {
        **facts,
        "classes": FINE,
        "content": "罚款人民币20000元。",
        "fine": "2.000000",
        "confiscated": "",
        "revoked": "",
    }


def _amount_in_yuan(facts: Facts, _: Scene) -> Outcome:
    return [({**_fined(facts), "fine": "20000"}, "review")]


def _amount_with_unit(facts: Facts, scene: Scene) -> Outcome:
    return [({**_fined(facts), "fine": scene.rng.choice(("20000元", "2万元"))}, "review")]


def _fine_without_amount(facts: Facts, _: Scene) -> Outcome:
    return [({**_fined(facts), "fine": ""}, "returned")]


def _id_in_text(facts: Facts, scene: Scene) -> Outcome:
    key = "content" if "content" in facts else "remarks"
    return [({**facts, key: f"{facts.get(key, '')}经营者身份证号{scene.synthetic_id()}。"}, "review")]


def _id_in_code(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, "tax_no": scene.synthetic_id()}, "review")]


def _natural_person(facts: Facts, scene: Scene) -> Outcome:
    who = {"name": person(scene.rng), "category": "自然人", "id_no": scene.synthetic_id()}
    who |= {"id_type": "身份证", "legal_rep": "", "case_name": "个人违法经营案"}
    return [({**_no_codes(facts), **who}, "withheld")]


def _typo(facts: Facts, scene: Scene) -> Outcome:
    name = facts["name"]
    place = scene.rng.randrange(2, len(name) - 4)
    wrong = scene.rng.choice([char for char in "亿亮辰皓琪" if char != name[place]])
    return [({**facts, "name": name[:place] + wrong + name[place + 1 :]}, "review")]


def _former_name(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, "name": scene.subject.former_names[-1]}, "published")]


def _half_width(facts: Facts, _: Scene) -> Outcome:
    return [({**facts, "name": facts["name"].replace("（", "(").replace("）", ")")}, "published")]


def _blanks(facts: Facts, _: Scene) -> Outcome:
    name = facts["name"]
    return [({**facts, "name": f" {name[:2]} {name[2:]}　"}, "published")]


def _control_characters(facts: Facts, scene: Scene) -> Outcome:
    odd = scene.rng.choice(("\u200b", "\x07", "\ufeff"))
    return [({**facts, "name": f"{facts['name'][:3]}{odd}{facts['name'][3:]}"}, "published")]


def _code_of_another(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, "uscc": scene.other().uscc, "regno": "", "org_code": "", "tax_no": ""}, "review")]


def _no_code(facts: Facts, scene: Scene) -> Outcome:
    return [(_no_codes(facts), "review" if scene.kind is Kind.ENFORCEMENT_NOTICE else "returned")]


def _old_number(scene: Scene) -> str:
    """Make a 13-digit registration number of before 2007, which no register of today holds."""
    return f"1101052{scene.rng.randrange(10**6):06d}"


def _name_only(facts: Facts, scene: Scene) -> Outcome:
    replaced = len(scene.subject.regno) == 15  # what the register holds of the subject tells that the number was
    return [({**_no_codes(facts), "regno": _old_number(scene)}, "published" if replaced else "review")]


def _ambiguous_name(facts: Facts, scene: Scene) -> Outcome:
    twin = scene.rng.choice(scene.twins)
    return [({**_no_codes(facts), "name": twin.name, "regno": _old_number(scene)}, "review")]


def _regno_only(facts: Facts, scene: Scene) -> Outcome:
    return [({**_no_codes(facts), "regno": scene.subject.regno}, "published")]


def _org_code_only(facts: Facts, scene: Scene) -> Outcome:
    code = scene.subject.org_code
    return [({**_no_codes(facts), "org_code": f"{code[:8]}-{code[8]}"}, "published")]


def _tax_number_only(facts: Facts, scene: Scene) -> Outcome:
    return [({**_no_codes(facts), "tax_no": scene.subject.region + scene.subject.org_code}, "published")]


def _not_in_register(facts: Facts, scene: Scene) -> Outcome:
    body = stranger(scene.rng, scene.rng.randrange(99_999))
    who = {"name": body.name, "uscc": body.uscc, "legal_rep": body.legal_rep}
    return [({**_no_codes(facts), **who}, "review")]


def _exact_duplicate(facts: Facts, _: Scene) -> Outcome:
    return [(facts, "published"), (dict(facts), "duplicate")]


def _key_conflict(facts: Facts, scene: Scene) -> Outcome:
    """Two live rows of one document and subject that say different things (R22)."""
    key = {Kind.PENALTY: "facts", Kind.LICENCE: "content"}.get(scene.kind, "remarks")
    return [(facts, "review"), ({**facts, key: f"{facts.get(key, '')}(更正)"}, "review")]


def _removed_without_day(facts: Facts, _: Scene) -> Outcome:
    return [({**facts, "removal_reason": "已更正", "removal_authority": facts["authority"]}, "review")]


def _due_before_decided(facts: Facts, scene: Scene) -> Outcome:
    return [({**facts, "due": f"{scene.day - timedelta(days=90):%Y/%m/%d}"}, "returned")]


_LEGACY: Final = (Sheet.LEGACY,)
_STANDARD: Final = (Sheet.STANDARD,)
_PENALTY: Final = (Kind.PENALTY,)
_DECISIONS: Final = (Kind.LICENCE, Kind.PENALTY)
_LISTS: Final = (Kind.ABNORMAL_OPERATION, Kind.SERIOUS_VIOLATION)
_NOTICE: Final = (Kind.ENFORCEMENT_NOTICE,)
_BASIC_INFO: Final = (Kind.BASIC_INFO,)
_OF_PERSONS: Final = (*_DECISIONS, *_NOTICE, *_BASIC_INFO)
_CODED: Final = tuple(kind for kind in Kind if kind not in _BASIC_INFO)
_SUPERVISION: Final = tuple(kind for kind in Kind if kind not in _DECISIONS)


def _has_brackets(subject: Enterprise) -> bool:
    return "（" in subject.name


def _was_renamed(subject: Enterprise) -> bool:
    return bool(subject.former_names)


def _has_regno(subject: Enterprise) -> bool:
    return bool(subject.regno)


def _is_company(subject: Enterprise) -> bool:
    return subject.form is Form.COMPANY


DEFECTS: Final = (
    Defect("wrong_check_digit", 0.012, _wrong_check_digit),
    Defect("wrong_length_code", 0.006, _wrong_length),
    Defect("missing_required", 0.010, _missing),
    Defect("impossible_date", 0.006, _with("returned", decided="2018/13/45")),
    Defect("future_decision_date", 0.005, _future),
    Defect("end_before_start", 0.005, _end_before_start, _DECISIONS),
    Defect("amount_in_yuan", 0.010, _amount_in_yuan, _PENALTY, _STANDARD),
    Defect("amount_with_unit", 0.006, _amount_with_unit, _PENALTY, _STANDARD, text_in_number=True),
    Defect("fine_without_amount", 0.006, _fine_without_amount, _PENALTY, _STANDARD),
    Defect("unknown_category", 0.005, _with("returned", classes="特别处理", second_class=""), _DECISIONS),
    Defect("other_without_text", 0.005, _with("returned", classes="其他", second_class="", remarks=""), _DECISIONS),
    Defect("unknown_status", 0.003, _with("returned", status="9"), (Kind.LICENCE,)),
    Defect("unknown_status", 0.003, _with("returned", status="9"), _PENALTY, _LEGACY),
    Defect("placeholder", 0.006, _placeholder),
    Defect("excel_code", 0.005, _with("returned", uscc="9.11E+17", regno="", org_code="", tax_no="")),
    Defect("id_in_free_text", 0.005, _id_in_text),
    Defect("id_in_code_column", 0.005, _id_in_code, needs_fact="tax_no"),
    Defect("natural_person", 0.015, _natural_person, _OF_PERSONS, names_its_subject=False),
    Defect("name_typo", 0.010, _typo, subject=_is_company),
    Defect("former_name", 0.012, _former_name, subject=_was_renamed),
    Defect("half_width_brackets", 0.010, _half_width, subject=_has_brackets),
    Defect("blanks_in_name", 0.008, _blanks),
    Defect("control_characters", 0.005, _control_characters),
    Defect("code_of_another", 0.010, _code_of_another, names_its_subject=False),
    Defect("no_code", 0.008, _no_code, _CODED),
    Defect("name_only", 0.020, _name_only, _DECISIONS, _LEGACY),
    Defect(
        "ambiguous_name", 0.006, _ambiguous_name, _DECISIONS, _LEGACY, needs_shared_name=True, names_its_subject=False
    ),
    Defect("regno_only", 0.020, _regno_only, _DECISIONS, _LEGACY, subject=_has_regno, needs_fact="regno"),
    Defect("org_code_only", 0.015, _org_code_only, _DECISIONS, _LEGACY, needs_fact="org_code"),
    Defect("tax_number_only", 0.010, _tax_number_only, _DECISIONS, _LEGACY, needs_fact="tax_no"),
    Defect("not_in_register", 0.012, _not_in_register, names_its_subject=False),
    Defect("exact_duplicate", 0.008, _exact_duplicate),
    Defect("key_conflict", 0.005, _key_conflict),
    Defect("name_only", 0.020, _name_only, _SUPERVISION),
    Defect("regno_only", 0.020, _regno_only, _SUPERVISION, subject=_has_regno, needs_fact="regno"),
    Defect("org_code_only", 0.015, _org_code_only, _SUPERVISION, needs_fact="org_code"),
    Defect("unknown_word", 0.010, _with("review", check_type="飞行检查"), (Kind.INSPECTION,)),
    Defect("unknown_word", 0.010, _with("review", cause="其他情形"), _LISTS),
    Defect("removed_without_day", 0.010, _removed_without_day, _LISTS),
    Defect("due_before_decided", 0.010, _due_before_decided, _NOTICE),
    Defect("no_site_address", 0.010, _with("returned", site_address="", shop_id=""), _BASIC_INFO),
)
"""Every fault that the simulator knows; a name may stand twice where kinds need different sheets."""
