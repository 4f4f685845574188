"""Sound records as agencies write them: the facts of one decision, listing or entry about one enterprise."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from simulator.offices import Office
from simulator.population import Enterprise, Form
from simulator.supervision import DETAILS, Case
from simulator.templates import Facts
from transforms.columns import Kind, Sheet

FINE: Final = "罚款"
CONFISCATION: Final = "没收违法所得、没收非法财物"
REVOCATION: Final = "暂扣或者吊销许可证、暂扣或者吊销执照"


_CAPITALS: Final = " 壹贰叁肆伍陆柒捌玖"
_YUAN: Final = (500, 1_000, 2_000, 3_000, 5_000, 8_600, 10_000, 20_000, 50_000, 90_000, 120_000, 200_000)
_PENALTY_CLASSES: Final = (
    ((FINE,), 50),
    (("警告",), 10),
    (("警告", FINE), 12),
    ((CONFISCATION, FINE), 16),
    (("责令停产停业", FINE), 5),
    ((REVOCATION,), 3),
    (("其他-责令改正",), 4),
)


def decide(
    rng: Random, subject: Enterprise, number: int, day: date, *, office: Office, kind: Kind, sheet: Sheet
) -> Facts:
    """Make a sound record received on ``day``, decided up to nine days before, in the sheet's own codes."""
    form = rng.choice(office.day_forms)
    decided = day - timedelta(days=rng.randint(1, 9))
    legacy = sheet is Sheet.LEGACY
    facts = {
        "name": subject.name,
        "category": "个体工商户" if subject.form is Form.SHOP else "法人及非法人组织",
        "uscc": subject.uscc,
        "regno": subject.regno if rng.random() < 0.5 else "",
        "org_code": subject.org_code if rng.random() < 0.5 else "",
        "tax_no": subject.uscc if rng.random() < 0.2 else "",
        "legal_rep": subject.legal_rep,
        "document_no": office.numbers[kind].format(number),
        "decided": decided.strftime(form),
        "authority": office.name,
        "authority_code": office.code,
        "source": office.name,
        "source_code": office.code,
        "status": "0" if legacy else "1",
        "region": subject.region if subject.region != "110302" else "110115",
        "updated": f"{day:%Y/%m/%d} {rng.randint(9, 17):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}",
    }
    if kind is Kind.LICENCE:
        return facts | _licence(rng, office, number, decided, form)
    if kind is Kind.PENALTY:
        return facts | _penalty(rng, office, subject, decided, form=form, legacy=legacy)
    return facts | DETAILS[kind](rng, Case(office, subject, number, decided, form))


def _licence(rng: Random, office: Office, number: int, decided: date, form: str) -> Facts:
    granted = rng.choice(office.licences)
    ends = decided + timedelta(days=365 * rng.choice((3, 5)) - 1)
    return {
        "document_name": f"{granted.certificate}准予行政许可决定书",
        "classes": granted.class_,
        "certificate_name": granted.certificate,
        "certificate_no": f"SYN{number:08d}",
        "content": granted.content,
        "valid_from": decided.strftime(form),
        "valid_to": rng.choices((ends.strftime(form), "2099/12/31", "长期"), (8, 2, 1))[0],
    }


def _penalty(rng: Random, office: Office, subject: Enterprise, decided: date, *, form: str, legacy: bool) -> Facts:
    offence = rng.choice(office.offences)
    classes = rng.choices([c for c, _ in _PENALTY_CLASSES], [weight for _, weight in _PENALTY_CLASSES])[0]
    fine = rng.choice(_YUAN) if FINE in classes else None
    taken = rng.choice(_YUAN[:8]) if CONFISCATION in classes else None
    revoked = f"食品经营许可证 SYN{rng.randrange(10**8):08d}" if REVOCATION in classes else ""
    said = [f"没收违法所得{taken}元"] if taken else []
    said += [f"罚款{_in_words(rng, fine)}"] if fine else []
    said += [f"吊销{revoked}"] if revoked else []
    said += [klass.removeprefix("其他-") for klass in classes if klass in ("警告", "责令停产停业") or "-" in klass]
    one_year_on = decided.replace(year=decided.year + 1)
    first, second = (*classes, "")[:2]
    if legacy and "-" in first:
        first, _, second = first.partition("-")
    return {
        "case_name": f"{subject.name}{offence.facts}案",
        "violation": offence.violation,
        "facts": f"经查, 当事人{offence.facts}。",
        "basis": offence.basis,
        "classes": first if legacy else ";".join(classes),
        "second_class": second,
        "content": "；".join(said) + "。",
        "fine": in_wan(fine) if fine else "",
        "confiscated": in_wan(taken) if taken else "",
        "revoked": revoked,
        "valid_to": "2099/12/31",
        "shown_until": one_year_on.strftime(form),
        "shown_for": "1年",
    }


def in_wan(yuan: int) -> str:
    """Write an amount in 万元 with six decimals, as the standard sheet wants it: 2,000 元 is 0.200000."""
    return f"{Decimal(yuan) / 10_000:.6f}"


def _in_words(rng: Random, yuan: int) -> str:
    tens, rest = divmod(yuan, 10_000)
    if not rest and tens < 10 and rng.random() < 0.3:
        return f"人民币{_CAPITALS[tens]}万元整"
    return f"人民币{yuan}元"


def as_standard(facts: Facts) -> Facts:
    """Write a decision of the legacy sheet in the codes of the standard one, as an agency does when it moves over."""
    first, second = facts["classes"], facts.get("second_class", "")
    joined = f"{first}-{second}" if first == "其他" and second else ";".join(filter(None, (first, second)))
    return {**facts, "classes": joined, "status": "1", "updated": ""}
