"""Seeded synthetic deliveries for the bench: an enterprise register and penalties of the standard sheet.

Everything is drawn column by column for ``BATCH`` rows at a time, so memory does not grow with the number of rows,
and a given (seed, number of rows) always gives the same bytes. Codes and numbers are made from bijections of a row
number: unique without a table of what was drawn. No code, name or number stands for anybody.

Make-up of the penalties, by row (``SUBJECT_SHARES``): 80 % valid code and exact name, 5 % valid code and former name,
5 % registration number only, 5 % name only (half of them beside a 13-digit registration number of before 2007 that no
register knows, half without any code), 3 % code and name of two enterprises, 2 % an enterprise outside the register.
Apart from that 3 % of all rows carry one defect (``DEFECTS``), and a few per cent are written as people write:
full-width or lower-case codes, half-width brackets, blanks at the ends, ``无`` and ``/`` for nothing, other date forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from simulator.population import DISTRICTS

BATCH: Final = 50_000
"""Rows made at a time."""

AS_OF: Final = date(2018, 8, 21)
"""The business day that the penalties are meant for: every decision lies before it."""

AGENCY_NAME: Final = "北京市工商行政管理局"
AGENCY_CODE: Final = "11110000TE0000010U"
"""A stand-in code, not the real one."""

REGISTER_COLUMNS: Final = ("UNISCID", "ENTNAME", "REGNO", "LEREP", "DOM", "ESTDATE", "REGSTATE", "HISTNAMES")

PENALTY_COLUMNS: Final = (
    "CF_XDR_MC",
    "CF_XDR_LB",
    "CF_XDR_SHXYM",
    "CF_XDR_GSZC",
    "CF_XDR_ZZJG",
    "CF_XDR_SWDJ",
    "CF_XDR_SYDW",
    "CF_XDR_SHZZ",
    "CF_FRDB",
    "CF_FR_SFZH",
    "CF_XDR_ZJLX",
    "CF_XDR_ZJHM",
    "CF_WSH",
    "CF_WFXW",
    "CF_SY",
    "CF_YJ",
    "CF_CFLB",
    "CF_NR",
    "CF_NR_FK",
    "CF_NR_WFFF",
    "CF_NR_ZKDX",
    "CF_JDRQ",
    "CF_YXQ",
    "CF_GSJZQ",
    "CF_CFJG",
    "CF_CFJGDM",
    "CF_SJLY",
    "CF_SJLYDM",
    "BZ",
)
"""Column codes of the penalty sheet of 发改办财金〔2018〕790号, in its order."""

SUBJECT_SHARES: Final = {
    "exact": 0.80,
    "former_name": 0.05,
    "regno_only": 0.05,
    "name_only": 0.05,
    "mismatch": 0.03,
    "unknown": 0.02,
}

DEFECT_SHARE: Final = 0.03
DEFECTS: Final = ("check_digit", "missing_required", "bad_date", "bad_category", "missing_amount")

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.uint8]
Column = Any  # pa.StringArray; pyarrow carries no types

_USCC_ALPHABET: Final = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_USCC_WEIGHTS: Final = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
_USCC_VALUES: Final = np.zeros(128, dtype=np.int64)
_USCC_VALUES[_USCC_ALPHABET] = np.arange(31)
_ORG_WEIGHTS: Final = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_ORG_VALUES: Final = np.zeros(128, dtype=np.int64)
_ORG_VALUES[np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)] = np.arange(36)
_ORG_CHECK: Final = np.frombuffer(b"0X987654321", dtype=np.uint8)  # by the weighted sum mod 11
_PRIME: Final = 1_000_003

_REGIONS: Final = np.array([list(code.encode()) for code in DISTRICTS], dtype=np.uint8)
_STEM_CHARACTERS: Final = (
    "华信天宇盛安泰和鑫源博达恒远中科联创嘉润瑞丰金诚宏图伟业永兴德隆康健明辉星海云帆凯旋佳美万通百川东"
    "方正大同济世纪新锐智汇众合融启航卓越优品尚雅乐活悦途聚思飞翔蓝迪绿洲腾龙福祥顺吉昌茂荣立本元亨利贞"
)
_INDUSTRIES: Final = (
    "科技",
    "商贸",
    "电子商务",
    "网络技术",
    "信息技术",
    "文化传媒",
    "食品",
    "餐饮管理",
    "医药",
    "化妆品",
    "服装",
    "家居用品",
    "广告",
    "教育咨询",
    "物流",
    "建筑装饰",
)
_FORMS: Final = ("有限公司", "有限责任公司", "股份有限公司")
_SHOPS: Final = ("便利店", "餐馆", "服装店", "食品商店", "五金经营部", "美容美发店", "网店", "水果店")
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英建国文斌玉兰海燕志红"
_ROADS: Final = (
    "建国路",
    "中关村大街",
    "学院路",
    "西直门外大街",
    "京顺路",
    "马家堡东路",
    "科兴路",
    "荣华南路",
    "新华西街",
)
_STATES: Final = ("存续（在营、开业、在册）", "吊销，未注销", "注销")


class _Register(NamedTuple):
    """A register as written, and the numbers of the rows that have a former name."""

    table: pa.Table
    renamed: Ints


class _Case(NamedTuple):
    """What one kind of violation reads like in a decision of the 工商 organs."""

    violation: str
    facts: str
    close: str
    basis: str


_CASES: Final = (
    _Case(
        "违反《中华人民共和国广告法》第九条第（三）项",
        "在其开设的网店商品详情页面中，使用“国家级”、“最佳”、“第一品牌”等用语宣传其销售的商品，"
        "且不能提供上述用语的事实依据，涉及商品编号为",
        "上述广告由当事人自行设计、制作并发布，未支付广告费用，案发后当事人已自行删除上述广告内容。"
        "以上事实有现场检查笔录、网页截图打印件、询问笔录、营业执照复印件等证据证明。",
        "依据《中华人民共和国广告法》第五十七条第（一）项、《中华人民共和国行政处罚法》第二十七条第一款第（一）项",
    ),
    _Case(
        "违反《中华人民共和国反不正当竞争法》第八条第一款",
        "通过网络交易平台组织他人以虚构交易的方式提高其店铺的商品销量和用户评价，对其商品的销售状况作虚假的商业宣传，"
        "欺骗、误导消费者，涉及店铺编号为",
        "当事人对上述事实予以确认，并提供了交易流水、快递空包单据和聊天记录。"
        "以上事实有电子数据取证记录、询问笔录、平台经营者提供的交易明细等证据证明。",
        "依据《中华人民共和国反不正当竞争法》第二十条第一款",
    ),
    _Case(
        "违反《中华人民共和国商标法》第五十七条第（三）项",
        "未经商标注册人许可，通过互联网销售侵犯他人注册商标专用权的服装、箱包，经商标权利人鉴定均为侵权商品，"
        "现场查获的商品清单编号为",
        "当事人不能说明上述商品的合法取得途径和提供者，上述侵权商品已被依法扣押。"
        "以上事实有现场笔录、扣押财物清单、商标权利人出具的鉴定证明、销售记录等证据证明。",
        "依据《中华人民共和国商标法》第六十条第二款、《中华人民共和国商标法实施条例》第七十八条",
    ),
    _Case(
        "违反《网络交易管理办法》第八条",
        "从事网络商品交易，未在其网站首页或者从事经营活动的主页面醒目位置公开营业执照登载的信息"
        "或者其营业执照的电子链接标识，巡查记录编号为",
        "执法人员向当事人送达了责令改正通知书，当事人逾期未改正。"
        "以上事实有网络巡查记录、网页截图、责令改正通知书及送达回证、询问笔录等证据证明。",
        "依据《网络交易管理办法》第五十条",
    ),
    _Case(
        "违反《中华人民共和国消费者权益保护法》第二十条第一款",
        "在其经营的网站上对所售商品的产地、成分和用途作引人误解的宣传，实际交付的商品与页面描述不符，"
        "消费者投诉后经核查属实，投诉登记编号为",
        "当事人案发后主动与消费者达成和解并退还货款，积极配合调查，主动消除违法行为的危害后果。"
        "以上事实有消费者投诉材料、商品实物照片、检验报告、询问笔录等证据证明。",
        "依据《中华人民共和国消费者权益保护法》第五十六条第一款第（六）项",
    ),
    _Case(
        "违反《中华人民共和国产品质量法》第三十二条",
        "通过互联网销售的产品经抽样检验，其标注的执行标准项目不符合要求，属于以不合格产品冒充合格产品，检验报告编号为",
        "当事人在规定期限内未对检验结论提出异议，库存产品已全部下架封存。"
        "以上事实有抽样单、检验报告、进销货票据、当事人陈述材料等证据证明。",
        "依据《中华人民共和国产品质量法》第五十条",
    ),
)

_FINED: Final = (False, True, True, True, False, False, True, False)
_CONFISCATED: Final = (False, False, False, True, True, False, False, False)
_REVOKED: Final = (False, False, False, False, False, False, True, False)
_CATEGORIES: Final = (
    "警告",
    "罚款",
    "警告;罚款",
    "罚款;没收违法所得、没收非法财物",
    "没收违法所得、没收非法财物",
    "责令停产停业",
    "罚款;暂扣或者吊销许可证、暂扣或者吊销执照",
    "其他-责令改正",
)
_CATEGORY_SHARES: Final = (0.12, 0.46, 0.15, 0.18, 0.03, 0.01, 0.02, 0.03)
_CATEGORY_TEXTS: Final = (
    "责令改正，给予警告",
    "责令停止违法行为",
    "责令改正，给予警告",
    "责令停止违法行为",
    "责令停止违法行为",
    "责令停产停业整顿三十日",
    "责令停止违法行为",
    "责令限期改正",
)
_CHINESE_WAN: Final = ("零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖", "拾")


def write_register(path: Path, n: int, seed: int) -> None:
    """Write a register CSV of ``n`` enterprises (UTF-8, columns ``REGISTER_COLUMNS``) with valid codes and numbers.

    ``n`` is at least a few hundred, so that each kind of enterprise occurs. One in ten has a former name,
    a few of them two, joined by ``;``. One in twelve is a 个体工商户.
    """
    schema = pa.schema([(name, pa.string()) for name in REGISTER_COLUMNS])
    with _csv_writer(path, schema) as writer:
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(n, start + BATCH), dtype=np.int64)
            rng = np.random.default_rng([seed, 1, start])
            writer.write_batch(pa.record_batch(_enterprises(rows, n, seed, rng), schema=schema))


def write_penalties(path: Path, register_path: Path, n: int, seed: int) -> None:
    """Write ``n`` penalties (UTF-8 CSV, header of column codes, about 1 KB a row) on enterprises of a register.

    ``register_path`` is a file of :func:`write_register`. Each decision is one row with its own 文书号.
    """
    table = pa_csv.read_csv(
        register_path,
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in REGISTER_COLUMNS},
            include_columns=["UNISCID", "ENTNAME", "REGNO", "LEREP", "HISTNAMES"],
        ),
    ).combine_chunks()
    register = _Register(table, np.flatnonzero(pc.not_equal(table["HISTNAMES"], "").to_numpy()))
    schema = pa.schema([(name, pa.string()) for name in PENALTY_COLUMNS])
    with _csv_writer(path, schema) as writer:
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(n, start + BATCH), dtype=np.int64)
            rng = np.random.default_rng([seed, 2, start])
            columns = _penalties(rows, register, seed, rng)
            writer.write_batch(pa.record_batch([columns[name] for name in PENALTY_COLUMNS], schema=schema))


def _csv_writer(path: Path, schema: pa.Schema) -> pa_csv.CSVWriter:
    return pa_csv.CSVWriter(path, schema)


def _enterprises(rows: Ints, n: int, seed: int, rng: np.random.Generator) -> list[Column]:
    region = rng.choice(len(DISTRICTS), rows.size, p=_falling_shares(len(DISTRICTS)))
    sole_trader = rng.random(rows.size) < 1 / 12
    renamed = rng.random(rows.size)
    former = _joined(
        _where(renamed < 0.10, _names(rows + n, sole_trader, region, seed, rng), ""),
        _where(renamed < 0.01, ";", ""),
        _where(renamed < 0.01, _names(rows + 2 * n, sole_trader, region, seed, rng), ""),
    )
    established = np.datetime64("1985-01-01") + rng.integers(0, 33 * 365, rows.size).astype("timedelta64[D]")
    return [
        _uscc(rows, sole_trader, region, seed),
        _names(rows, sole_trader, region, seed, rng),
        _regno(rows, region, seed),
        _person_names(rng, rows.size),
        _joined(
            "北京市",
            _picked(tuple(DISTRICTS.values()), region),
            _picked(_ROADS, rng.integers(0, len(_ROADS), rows.size)),
            _numbers(rng.integers(1, 400, rows.size)),
            "号院",
            _numbers(rng.integers(1, 30, rows.size)),
            "号楼",
            _numbers(rng.integers(101, 2599, rows.size)),
            "室",
        ),
        pa.array(established.astype(str)),
        _picked(_STATES, rng.choice(3, rows.size, p=[0.93, 0.04, 0.03])),
        former,
    ]


def _penalties(rows: Ints, register: _Register, seed: int, rng: np.random.Generator) -> dict[str, Column]:
    size = rows.size
    shares = list(SUBJECT_SHARES.values())
    situation = rng.choice(len(shares), size, p=shares)
    is_ = {name: situation == i for i, name in enumerate(SUBJECT_SHARES)}
    defect = np.where(rng.random(size) < DEFECT_SHARE, rng.integers(0, len(DEFECTS), size), -1)
    columns = _subject(rows, is_, register, seed, rng)
    columns |= _decision(rows, columns["CF_XDR_MC"], rng)
    _spoil(columns, defect, rng)
    _write_as_people_do(columns, rng)
    return columns


def _subject(
    rows: Ints, is_: dict[str, Flags], register: _Register, seed: int, rng: np.random.Generator
) -> dict[str, Column]:
    size, enterprises = rows.size, register.table
    chosen = rng.integers(0, enterprises.num_rows, size)
    chosen = np.where(is_["former_name"], rng.choice(register.renamed, size), chosen)
    other = (chosen + 1 + rng.integers(0, enterprises.num_rows - 1, size)) % enterprises.num_rows
    outside = 3 * enterprises.num_rows + rows
    outside_region = rng.integers(0, len(DISTRICTS), size)
    company = np.zeros(size, dtype=np.bool_)

    name = enterprises["ENTNAME"].take(pa.array(np.where(is_["mismatch"], other, chosen))).combine_chunks()
    former = pc.list_element(pc.split_pattern(enterprises["HISTNAMES"].take(pa.array(chosen)), ";"), 0).combine_chunks()
    name = _where(is_["former_name"], former, name)
    name = _where(is_["unknown"], _names(outside, company, outside_region, seed, rng), name)

    uscc = enterprises["UNISCID"].take(pa.array(chosen)).combine_chunks()
    uscc = _where(is_["unknown"], _uscc(outside, company, outside_region, seed), uscc)
    sole_trader = pc.starts_with(uscc, "92")
    org_code = pc.utf8_slice_codeunits(uscc, 8, 17)
    coded = ~(is_["regno_only"] | is_["name_only"])

    regno = enterprises["REGNO"].take(pa.array(chosen)).combine_chunks()
    given_regno = is_["regno_only"] | (coded & ~is_["unknown"] & (rng.random(size) < 0.4))
    before_2007 = _joined("1101", _numbers(rng.integers(0, 10**9, size), width=9))
    regno = _where(given_regno, regno, "")
    regno = _where(is_["name_only"] & (rng.random(size) < 0.5), before_2007, regno)

    tax = rng.random(size)
    tax_no = _where(coded & (tax < 0.2), uscc, "")
    tax_no = _where(coded & (tax >= 0.2) & (tax < 0.25), _joined(pc.utf8_slice_codeunits(uscc, 2, 8), org_code), tax_no)
    empty = _repeated("", size)
    return {
        "CF_XDR_MC": name,
        "CF_XDR_LB": pc.if_else(sole_trader, "个体工商户", "法人及非法人组织"),
        "CF_XDR_SHXYM": _where(coded, uscc, ""),
        "CF_XDR_GSZC": regno,
        "CF_XDR_ZZJG": _where(coded & (rng.random(size) < 0.3), org_code, ""),
        "CF_XDR_SWDJ": tax_no,
        "CF_XDR_SYDW": empty,
        "CF_XDR_SHZZ": empty,
        "CF_FRDB": enterprises["LEREP"].take(pa.array(chosen)).combine_chunks(),
        "CF_FR_SFZH": empty,
        "CF_XDR_ZJLX": empty,
        "CF_XDR_ZJHM": empty,
    }


def _decision(rows: Ints, name: Column, rng: np.random.Generator) -> dict[str, Column]:
    size = rows.size
    case = rng.integers(0, len(_CASES), size)
    category = rng.choice(len(_CATEGORIES), size, p=_CATEGORY_SHARES)
    fined, confiscated, revoked = (np.array(flags)[category] for flags in (_FINED, _CONFISCATED, _REVOKED))
    fine, fine_text = _fines(rng, size)
    gain = np.where(rng.random(size) < 0.1, 0, rng.integers(1_000, 3_000_000, size))
    gain_text = _where(gain == 0, "没收违法物品一批", _joined("没收违法所得", _yuan(gain), "元"))
    certificate = _joined("食品经营许可证JY1110", _numbers(rng.integers(0, 10**10, size), width=10))

    decided = np.busday_offset("2018-01-02", rng.integers(0, 164, size), roll="forward")
    started = decided - rng.integers(30, 200, size).astype("timedelta64[D]")
    valid_to = decided + np.timedelta64(365, "D")
    publicity = valid_to + np.timedelta64(365, "D")
    permanent = rng.random(size) < 0.03
    publicity_given = (rng.random(size) < 0.5) & ~permanent

    def picked_of(field: str) -> Column:
        return _picked(tuple(getattr(entry, field) for entry in _CASES), case)

    return {
        "CF_WSH": _joined("京工商处字〔2018〕第", _numbers(rows + 1, width=8), "号"),
        "CF_WFXW": picked_of("violation"),
        "CF_SY": _joined(
            "经查，当事人",
            name,
            "自",
            _day_text(started),
            "起，",
            picked_of("facts"),
            _numbers(rng.integers(100_000, 10**8, size)),
            "。",
            picked_of("close"),
        ),
        "CF_YJ": picked_of("basis"),
        "CF_CFLB": _picked(_CATEGORIES, category),
        "CF_NR": _joined(
            _picked(_CATEGORY_TEXTS, category),
            _where(confiscated, _joined("，", gain_text), ""),
            _where(fined, _joined("，罚款", fine_text), ""),
            _where(revoked, _joined("，吊销", certificate), ""),
            "。",
        ),
        "CF_NR_FK": _where(fined, _wan_yuan(fine), ""),
        "CF_NR_WFFF": _where(confiscated, _wan_yuan(gain), ""),
        "CF_NR_ZKDX": _where(revoked, certificate, ""),
        "CF_JDRQ": _day_forms(decided, rng),
        "CF_YXQ": _where(permanent, "2099/12/31", _day(valid_to, "/")),
        "CF_GSJZQ": _where(publicity_given, _day(publicity, "/"), ""),
        "CF_CFJG": _repeated(AGENCY_NAME, size),
        "CF_CFJGDM": _repeated(AGENCY_CODE, size),
        "CF_SJLY": _repeated(AGENCY_NAME, size),
        "CF_SJLYDM": _repeated(AGENCY_CODE, size),
        "BZ": _where(rng.random(size) < 0.1, "网剑行动专项检查", ""),
    }


def _fines(rng: np.random.Generator, size: int) -> tuple[Ints, Column]:
    """Return fines in 分 and the way each is written in a decision."""
    form = rng.choice(4, size, p=[0.55, 0.15, 0.10, 0.20])
    tens_of_thousands = rng.integers(1, 11, size)
    fine = np.select(
        [form == 0, form == 1, form == 2],
        [rng.integers(2, 400, size) * 50_000, rng.integers(100, 20_000_000, size), tens_of_thousands * 1_000_000],
        default=rng.integers(1, 200, size) * 1_000_000,
    )
    wan_text = _joined(_wan_yuan(fine), "万元")
    text = _joined(_yuan(fine), "元")
    text = _where(form == 2, _joined("人民币", _picked(_CHINESE_WAN, tens_of_thousands), "万元整"), text)
    return fine, _where(form == 3, wan_text, text)


def _spoil(columns: dict[str, Column], defect: Ints, rng: np.random.Generator) -> None:
    """Put one defect into each row whose ``defect`` is not -1; what cannot be spoilt loses a required text instead."""
    has_code = pc.not_equal(columns["CF_XDR_SHXYM"], "").to_numpy(zero_copy_only=False)
    has_fine = pc.not_equal(columns["CF_NR_FK"], "").to_numpy(zero_copy_only=False)
    kind = {name: defect == i for i, name in enumerate(DEFECTS)}
    check_digit = kind["check_digit"] & has_code
    missing_amount = kind["missing_amount"] & has_fine
    missing = kind["missing_required"] | (kind["check_digit"] & ~has_code) | (kind["missing_amount"] & ~has_fine)

    columns["CF_XDR_SHXYM"] = _where(check_digit, _wrong_check(columns["CF_XDR_SHXYM"]), columns["CF_XDR_SHXYM"])
    bad_days = _picked(("2018/13/45", "2018-02-30", "二〇一八年八月"), rng.integers(0, 3, defect.size))
    columns["CF_JDRQ"] = _where(kind["bad_date"], bad_days, columns["CF_JDRQ"])
    columns["CF_CFLB"] = _where(kind["bad_category"], "罚金", columns["CF_CFLB"])
    columns["CF_NR_FK"] = _where(missing_amount, "", columns["CF_NR_FK"])
    required = ("CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_NR")
    lost = rng.integers(0, len(required), defect.size)
    for i, name in enumerate(required):
        columns[name] = _where(missing & (lost == i), "", columns[name])


def _write_as_people_do(columns: dict[str, Column], rng: np.random.Generator) -> None:
    """Write a few per cent of the values in forms that mean the same."""
    size = len(columns["CF_XDR_MC"])
    name, code = columns["CF_XDR_MC"], columns["CF_XDR_SHXYM"]
    hand = rng.random(size)
    half_width = pc.replace_substring(pc.replace_substring(name, "（", "("), "）", ")")
    name = _where(hand < 0.01, half_width, name)
    columns["CF_XDR_MC"] = _where((hand >= 0.01) & (hand < 0.02), _joined(" ", name, "\u3000"), name)
    full_width = code
    for digit in range(10):
        full_width = pc.replace_substring(full_width, str(digit), chr(0xFF10 + digit))
    code = _where((hand >= 0.02) & (hand < 0.025), full_width, code)
    columns["CF_XDR_SHXYM"] = _where((hand >= 0.025) & (hand < 0.035), pc.utf8_lower(code), code)
    columns["CF_XDR_SYDW"] = _where(hand > 0.98, "无", columns["CF_XDR_SYDW"])
    columns["CF_XDR_SHZZ"] = _where(hand > 0.98, "/", columns["CF_XDR_SHZZ"])


def _falling_shares(n: int) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = 1 / np.arange(3, n + 3, dtype=np.float64)
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


def _scattered(rows: Ints, modulus: int, seed: int) -> Ints:
    """Map row numbers one to one onto 0..modulus-1 (``modulus`` is no multiple of the prime)."""
    return (rows * _PRIME + seed * 7919) % modulus


def _base(numbers: Ints, alphabet: Digits, places: int) -> Digits:
    powers = len(alphabet) ** np.arange(places - 1, -1, -1, dtype=np.int64)
    digits: Digits = alphabet[(numbers[:, None] // powers) % len(alphabet)]
    return digits


def _uscc(rows: Ints, sole_trader: Flags, region: Ints, seed: int) -> Column:
    """Return valid codes of GB 32100-2015 with valid organisation codes of GB 11714-1997."""
    size = rows.size
    code = np.empty((size, 18), dtype=np.uint8)
    code[:, 0] = ord("9")
    code[:, 1] = np.where(sole_trader, ord("2"), ord("1"))
    code[:, 2:8] = _REGIONS[region]
    recent = rows % 20 < 9  # since 2015 organisation codes begin with MA
    code[:, 8:16] = _base(_scattered(rows, 10**8, seed), _USCC_ALPHABET[:10], 8)
    code[recent, 8:10] = np.frombuffer(b"MA", dtype=np.uint8)
    code[recent, 10:16] = _base(_scattered(rows[recent], 31**6, seed), _USCC_ALPHABET, 6)
    code[:, 16] = _ORG_CHECK[(_ORG_VALUES[code[:, 8:16]] @ _ORG_WEIGHTS) % 11]
    code[:, 17] = _USCC_ALPHABET[-(_USCC_VALUES[code[:, :17]] @ _USCC_WEIGHTS) % 31]
    return _strings(code)


def _wrong_check(codes: Column) -> Column:
    """Return the codes with the check digit replaced by the next of the alphabet; an empty code stays empty."""
    last = pc.utf8_slice_codeunits(codes, 17, 18)
    alphabet = _USCC_ALPHABET.tobytes().decode()
    place = pc.fill_null(pc.index_in(last, pa.array(list(alphabet))), 30)
    following = pa.array([*alphabet[1:], alphabet[0]]).take(place)
    return _where(pc.not_equal(codes, ""), _joined(pc.utf8_slice_codeunits(codes, 0, 17), following), "")


def _regno(rows: Ints, region: Ints, seed: int) -> Column:
    """Return 15-digit 工商注册号 (GS 15-2006, ISO 7064 MOD 11,10)."""
    number = np.empty((rows.size, 15), dtype=np.uint8)
    number[:, :6] = _REGIONS[region]
    number[:, 6:14] = _base(_scattered(rows, 10**8, seed + 1), _USCC_ALPHABET[:10], 8)
    product = np.full(rows.size, 10, dtype=np.int64)
    for place in range(14):
        total = (number[:, place] - ord("0") + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    number[:, 14] = (11 - product) % 10 + ord("0")
    return _strings(number)


def _names(rows: Ints, sole_trader: Flags, region: Ints, seed: int, rng: np.random.Generator) -> Column:
    """Return one name per row number; the four characters of its trade name (字号) are its own."""
    characters = len(_STEM_CHARACTERS)
    number = _scattered(rows, characters**4, seed)
    stem = _joined(*(_picked(_STEM_CHARACTERS, (number // characters**place) % characters) for place in range(4)))
    tail = _joined(
        _picked(_INDUSTRIES, rng.integers(0, len(_INDUSTRIES), rows.size)),
        _picked(_FORMS, rng.choice(3, rows.size, p=[0.85, 0.1, 0.05])),
    )
    company = _where(rng.random(rows.size) < 0.1, _joined(stem, "（北京）", tail), _joined("北京", stem, tail))
    shop = _joined(
        "北京市",
        _picked(tuple(DISTRICTS.values()), region),
        stem,
        _picked(_SHOPS, rng.integers(0, len(_SHOPS), rows.size)),
    )
    return _where(sole_trader, shop, company)


def _person_names(rng: np.random.Generator, size: int) -> Column:
    return _joined(
        _picked(_SURNAMES, rng.integers(0, len(_SURNAMES), size)),
        _picked(_GIVEN, rng.integers(0, len(_GIVEN), size)),
        _where(rng.random(size) < 0.7, _picked(_GIVEN, rng.integers(0, len(_GIVEN), size)), ""),
    )


def _wan_yuan(fen: Ints) -> Column:
    """Write amounts of 分 in 万元, exactly, with no more decimals than needed."""
    text = _joined(_numbers(fen // 1_000_000), ".", _numbers(fen % 1_000_000, width=6))
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")


def _yuan(fen: Ints) -> Column:
    cents = fen % 100
    return _joined(_numbers(fen // 100), _where(cents == 0, "", _joined(".", _numbers(cents, width=2))))


def _day(days: npt.NDArray[np.datetime64], separator: str) -> Column:
    return pc.replace_substring(pa.array(days.astype(str)), "-", separator)


def _day_forms(days: npt.NDArray[np.datetime64], rng: np.random.Generator) -> Column:
    form = rng.random(days.size)
    text = _where(form < 0.05, _day(days, "-"), _day(days, "/"))
    return _where(form > 0.98, _day(days, ""), text)


def _day_text(days: npt.NDArray[np.datetime64]) -> Column:
    iso = pa.array(days.astype(str))
    return _joined(
        pc.utf8_slice_codeunits(iso, 0, 4),
        "年",
        pc.utf8_ltrim(pc.utf8_slice_codeunits(iso, 5, 7), "0"),
        "月",
        pc.utf8_ltrim(pc.utf8_slice_codeunits(iso, 8, 10), "0"),
        "日",
    )


def _strings(characters: Digits) -> Column:
    """Turn an array (rows, width) of ASCII codes into strings of that width."""
    rows, width = characters.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def _numbers(values: Ints, width: int = 1) -> Column:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def _picked(choices: Sequence[str], index: Ints) -> Column:
    return pa.array(list(choices)).take(pa.array(index))


def _joined(*parts: Column | str) -> Column:
    return pc.binary_join_element_wise(*parts, "")


def _where(condition: Flags | Column, then: Column | str, otherwise: Column | str) -> Column:
    return pc.if_else(pa.array(condition), then, otherwise)


def _repeated(text: str, size: int) -> Column:
    return pa.repeat(pa.scalar(text), size)
