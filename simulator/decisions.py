"""Sound decisions as agencies write them: the facts of one licence or penalty about one enterprise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from simulator.population import Enterprise, Form
from simulator.templates import Facts
from transforms.columns import Kind, Sheet

FINE: Final = "罚款"
CONFISCATION: Final = "没收违法所得、没收非法财物"
REVOCATION: Final = "暂扣或者吊销许可证、暂扣或者吊销执照"


@dataclass(frozen=True, slots=True)
class Office:
    """How one agency writes: its name and stand-in code, document numbers, date forms, subjects of its decisions."""

    name: str
    code: str
    numbers: dict[Kind, str]
    day_forms: tuple[str, ...]
    licences: tuple[tuple[str, str, str], ...]  # certificate, content, class
    offences: tuple[tuple[str, str, str], ...]  # violation, facts, basis


OFFICES: Final[dict[str, Office]] = {
    "aic": Office(
        name="北京市工商行政管理局",
        code="11110000TE0000010U",
        numbers={Kind.LICENCE: "京工商登许字〔2018〕{:05d}号", Kind.PENALTY: "京工商处字〔2018〕第{:05d}号"},
        day_forms=("%Y/%m/%d",),
        licences=(
            ("营业执照", "准予变更经营范围登记", "登记"),
            ("营业执照", "准予设立分支机构登记", "登记"),
            ("广告发布登记证", "准予广告发布登记", "核准"),
        ),
        offences=(
            (
                "违反《中华人民共和国商标法》第五十七条",
                "在网店销售侵犯他人注册商标专用权的商品",
                "《中华人民共和国商标法》第六十条",
            ),
            (
                "违反《中华人民共和国广告法》第九条",
                "在自设网站发布含有“最佳”用语的广告",
                "《中华人民共和国广告法》第五十七条",
            ),
            (
                "违反《中华人民共和国反不正当竞争法》第八条",
                "以虚假交易方式提高网店销量",
                "《中华人民共和国反不正当竞争法》第二十条",
            ),
            ("违反《网络交易管理办法》第八条", "未在网站首页公开营业执照信息", "《网络交易管理办法》第五十条"),
        ),
    ),
    "fda": Office(
        name="北京市食品药品监督管理局",
        code="11110000TE0000088U",
        numbers={Kind.LICENCE: "京食药监许〔2018〕{:05d}号", Kind.PENALTY: "京食药监罚〔2018〕{:05d}号"},
        day_forms=("%Y/%m/%d", "%Y-%m-%d"),
        licences=(
            ("食品经营许可证", "预包装食品销售, 散装食品销售", "普通"),
            ("食品经营许可证", "热食类食品制售, 网络经营", "普通"),
            ("药品经营许可证", "中成药, 化学药制剂, 抗生素制剂", "核准"),
        ),
        offences=(
            (
                "违反《中华人民共和国食品安全法》第三十四条",
                "经营超过保质期的食品",
                "《中华人民共和国食品安全法》第一百二十四条",
            ),
            (
                "违反《中华人民共和国食品安全法》第三十三条",
                "餐具未洗净消毒即使用",
                "《中华人民共和国食品安全法》第一百二十六条",
            ),
            (
                "违反《中华人民共和国药品管理法》第十八条",
                "购销药品没有真实完整的购销记录",
                "《中华人民共和国药品管理法》第八十四条",
            ),
        ),
    ),
    "qtsb": Office(
        name="北京市质量技术监督局",
        code="11110000TE000007XU",
        numbers={Kind.LICENCE: "京质监许字〔2018〕{:05d}号", Kind.PENALTY: "京质监罚字〔2018〕{:05d}号"},
        day_forms=("%Y/%m/%d",),
        licences=(
            ("全国工业产品生产许可证", "危险化学品包装物、容器", "普通"),
            ("特种设备使用登记证", "电梯使用登记", "登记"),
            ("计量器具型式批准证书", "电子计价秤型式批准", "认可"),
        ),
        offences=(
            (
                "违反《中华人民共和国产品质量法》第三十九条",
                "销售不合格的儿童玩具",
                "《中华人民共和国产品质量法》第五十条",
            ),
            (
                "违反《中华人民共和国认证认可条例》第二十八条",
                "销售未经强制性产品认证的插座",
                "《中华人民共和国认证认可条例》第六十七条",
            ),
            ("违反《中华人民共和国计量法》第十七条", "使用不合格的计量器具", "《中华人民共和国计量法》第二十七条"),
        ),
    ),
}
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


def decide(rng: Random, subject: Enterprise, number: int, day: date, *, agency: str, kind: Kind, sheet: Sheet) -> Facts:
    """Make a sound record received on ``day`` (decided up to nine days before) in the given sheet's own codes."""
    office = OFFICES[agency]
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
    return facts | _penalty(rng, office, subject, decided, form=form, legacy=legacy)


def _licence(rng: Random, office: Office, number: int, decided: date, form: str) -> Facts:
    certificate, content, klass = rng.choice(office.licences)
    ends = decided + timedelta(days=365 * rng.choice((3, 5)) - 1)
    return {
        "document_name": f"{certificate}准予行政许可决定书",
        "classes": klass,
        "certificate_name": certificate,
        "certificate_no": f"SYN{number:08d}",
        "content": content,
        "valid_from": decided.strftime(form),
        "valid_to": rng.choices((ends.strftime(form), "2099/12/31", "长期"), (8, 2, 1))[0],
    }


def _penalty(rng: Random, office: Office, subject: Enterprise, decided: date, *, form: str, legacy: bool) -> Facts:
    violation, facts, basis = rng.choice(office.offences)
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
        "case_name": f"{subject.name}{facts}案",
        "violation": violation,
        "facts": f"经查, 当事人{facts}。",
        "basis": basis,
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
