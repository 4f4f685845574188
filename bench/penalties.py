"""Seeded synthetic penalties of the standard sheet for the bench, on the enterprises of ``bench.register``.

Everything is drawn column by column for ``BATCH`` rows at a time, so memory does not grow with the number of rows,
and a given (seed, number of rows) always gives the same bytes. No code, name or number stands for anybody.

Make-up of the penalties, by row (``SUBJECT_SHARES``): 80 % valid code and exact name, 5 % valid code and former name,
5 % registration number only, 5 % name only (half of them beside a 13-digit registration number of before 2007 that no
register knows, half without any code), 3 % code and name of two enterprises, 2 % an enterprise outside the register.
Apart from that 3 % of all rows carry one defect (``DEFECTS``), and a few per cent are written as people write:
full-width or lower-case codes, half-width brackets, blanks at the ends, ``无`` and ``/`` for nothing, other date forms.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from bench.columns import (
    Column,
    Flags,
    Ints,
    day,
    day_forms,
    day_text,
    joined,
    numbers,
    picked,
    repeated,
    wan_yuan,
    where,
    yuan,
)
from bench.identities import enterprise_names, uscc_codes, wrong_check
from bench.register import BATCH, REGISTER_COLUMNS
from simulator.population import DISTRICTS

AS_OF: Final = date(2018, 8, 21)
"""The business day that the penalties are meant for: every decision lies before it."""
AGENCY_NAME: Final = "北京市工商行政管理局"
AGENCY_CODE: Final = "11110000TE0000010U"
"""A stand-in code, not the real one."""
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
    with pa_csv.CSVWriter(path, schema) as writer:
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(n, start + BATCH), dtype=np.int64)
            rng = np.random.default_rng([seed, 2, start])
            columns = _penalties(rows, register, seed, rng)
            writer.write_batch(pa.record_batch([columns[name] for name in PENALTY_COLUMNS], schema=schema))


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
    name = where(is_["former_name"], former, name)
    name = where(is_["unknown"], enterprise_names(outside, company, outside_region, seed, rng), name)

    uscc = enterprises["UNISCID"].take(pa.array(chosen)).combine_chunks()
    uscc = where(is_["unknown"], uscc_codes(outside, company, outside_region, seed), uscc)
    sole_trader = pc.starts_with(uscc, "92")
    org_code = pc.utf8_slice_codeunits(uscc, 8, 17)
    coded = ~(is_["regno_only"] | is_["name_only"])

    regno = enterprises["REGNO"].take(pa.array(chosen)).combine_chunks()
    given_regno = is_["regno_only"] | (coded & ~is_["unknown"] & (rng.random(size) < 0.4))
    before_2007 = joined("1101", numbers(rng.integers(0, 10**9, size), width=9))
    regno = where(given_regno, regno, "")
    regno = where(is_["name_only"] & (rng.random(size) < 0.5), before_2007, regno)

    tax = rng.random(size)
    tax_no = where(coded & (tax < 0.2), uscc, "")
    tax_no = where(coded & (tax >= 0.2) & (tax < 0.25), joined(pc.utf8_slice_codeunits(uscc, 2, 8), org_code), tax_no)
    empty = repeated("", size)
    return {
        "CF_XDR_MC": name,
        "CF_XDR_LB": pc.if_else(sole_trader, "个体工商户", "法人及非法人组织"),
        "CF_XDR_SHXYM": where(coded, uscc, ""),
        "CF_XDR_GSZC": regno,
        "CF_XDR_ZZJG": where(coded & (rng.random(size) < 0.3), org_code, ""),
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
    gain_text = where(gain == 0, "没收违法物品一批", joined("没收违法所得", yuan(gain), "元"))
    certificate = joined("食品经营许可证JY1110", numbers(rng.integers(0, 10**10, size), width=10))

    decided = np.busday_offset("2018-01-02", rng.integers(0, 164, size), roll="forward")
    started = decided - rng.integers(30, 200, size).astype("timedelta64[D]")
    valid_to = decided + np.timedelta64(365, "D")
    publicity = valid_to + np.timedelta64(365, "D")
    permanent = rng.random(size) < 0.03
    publicity_given = (rng.random(size) < 0.5) & ~permanent

    def picked_of(field: str) -> Column:
        return picked(tuple(getattr(entry, field) for entry in _CASES), case)

    return {
        "CF_WSH": joined("京工商处字〔2018〕第", numbers(rows + 1, width=8), "号"),
        "CF_WFXW": picked_of("violation"),
        "CF_SY": joined(
            "经查，当事人",
            name,
            "自",
            day_text(started),
            "起，",
            picked_of("facts"),
            numbers(rng.integers(100_000, 10**8, size)),
            "。",
            picked_of("close"),
        ),
        "CF_YJ": picked_of("basis"),
        "CF_CFLB": picked(_CATEGORIES, category),
        "CF_NR": joined(
            picked(_CATEGORY_TEXTS, category),
            where(confiscated, joined("，", gain_text), ""),
            where(fined, joined("，罚款", fine_text), ""),
            where(revoked, joined("，吊销", certificate), ""),
            "。",
        ),
        "CF_NR_FK": where(fined, wan_yuan(fine), ""),
        "CF_NR_WFFF": where(confiscated, wan_yuan(gain), ""),
        "CF_NR_ZKDX": where(revoked, certificate, ""),
        "CF_JDRQ": day_forms(decided, rng),
        "CF_YXQ": where(permanent, "2099/12/31", day(valid_to, "/")),
        "CF_GSJZQ": where(publicity_given, day(publicity, "/"), ""),
        "CF_CFJG": repeated(AGENCY_NAME, size),
        "CF_CFJGDM": repeated(AGENCY_CODE, size),
        "CF_SJLY": repeated(AGENCY_NAME, size),
        "CF_SJLYDM": repeated(AGENCY_CODE, size),
        "BZ": where(rng.random(size) < 0.1, "网剑行动专项检查", ""),
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
    wan_text = joined(wan_yuan(fine), "万元")
    text = joined(yuan(fine), "元")
    text = where(form == 2, joined("人民币", picked(_CHINESE_WAN, tens_of_thousands), "万元整"), text)
    return fine, where(form == 3, wan_text, text)


def _spoil(columns: dict[str, Column], defect: Ints, rng: np.random.Generator) -> None:
    """Put one defect into each row whose ``defect`` is not -1; what cannot be spoilt loses a required text instead."""
    has_code = pc.not_equal(columns["CF_XDR_SHXYM"], "").to_numpy(zero_copy_only=False)
    has_fine = pc.not_equal(columns["CF_NR_FK"], "").to_numpy(zero_copy_only=False)
    kind = {name: defect == i for i, name in enumerate(DEFECTS)}
    check_digit = kind["check_digit"] & has_code
    missing_amount = kind["missing_amount"] & has_fine
    missing = kind["missing_required"] | (kind["check_digit"] & ~has_code) | (kind["missing_amount"] & ~has_fine)

    columns["CF_XDR_SHXYM"] = where(check_digit, wrong_check(columns["CF_XDR_SHXYM"]), columns["CF_XDR_SHXYM"])
    bad_days = picked(("2018/13/45", "2018-02-30", "二〇一八年八月"), rng.integers(0, 3, defect.size))
    columns["CF_JDRQ"] = where(kind["bad_date"], bad_days, columns["CF_JDRQ"])
    columns["CF_CFLB"] = where(kind["bad_category"], "罚金", columns["CF_CFLB"])
    columns["CF_NR_FK"] = where(missing_amount, "", columns["CF_NR_FK"])
    required = ("CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_NR")
    lost = rng.integers(0, len(required), defect.size)
    for i, name in enumerate(required):
        columns[name] = where(missing & (lost == i), "", columns[name])


def _write_as_people_do(columns: dict[str, Column], rng: np.random.Generator) -> None:
    """Write a few per cent of the values in forms that mean the same."""
    size = len(columns["CF_XDR_MC"])
    name, code = columns["CF_XDR_MC"], columns["CF_XDR_SHXYM"]
    hand = rng.random(size)
    half_width = pc.replace_substring(pc.replace_substring(name, "（", "("), "）", ")")
    name = where(hand < 0.01, half_width, name)
    columns["CF_XDR_MC"] = where((hand >= 0.01) & (hand < 0.02), joined(" ", name, "\u3000"), name)
    full_width = code
    for digit in range(10):
        full_width = pc.replace_substring(full_width, str(digit), chr(0xFF10 + digit))
    code = where((hand >= 0.02) & (hand < 0.025), full_width, code)
    columns["CF_XDR_SHXYM"] = where((hand >= 0.025) & (hand < 0.035), pc.utf8_lower(code), code)
    columns["CF_XDR_SYDW"] = where(hand > 0.98, "无", columns["CF_XDR_SYDW"])
    columns["CF_XDR_SHZZ"] = where(hand > 0.98, "/", columns["CF_XDR_SHZZ"])
