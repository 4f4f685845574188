"""One sound row of each sheet, and the way a row takes through recognising, standardising and looking."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import pyarrow as pa

from transforms.authority import Authority
from transforms.columns import DUAL_PUBLICITY, Kind, Sheet
from transforms.findings import rule_findings
from transforms.sheets import Recognition, recognise
from transforms.standardise import Standardised, standardise

AS_OF: Final = dt.date(2018, 8, 21)
USCC: Final = "91110000802100433B"
OTHER_USCC: Final = "91110108551385082Q"
REGNO: Final = "110108002734659"
AGENCY_CODE: Final = "11230500001755309F"
ADULT: Final = "110101199003070134"
"""A synthetic resident ID number that passes GB 11643."""
AUTHORITY: Final = Authority("aic", ("北京市工商行政管理局",), (AGENCY_CODE,))

_CODES_NEW: Final = {
    "SHXYM": USCC, "GSZC": "", "ZZJG": "", "SWDJ": "", "SYDW": "", "SHZZ": "",
}  # fmt: skip
_LISTED: Final = {
    "ENTNAME": "北京百度网讯科技有限公司", "XDR_LB": "法人及非法人组织", "UNISCID": USCC, "REGNO": "", "XDR_ZZJG": "",
    "XDR_SWDJ": "", "XDR_SYDW": "", "XDR_SHZZ": "", "LEREP": "", "XDR_ZJLX": "", "XDR_ZJHM": "",
}  # fmt: skip
_FROM: Final = {
    "DATADEPT": "北京市工商行政管理局", "DATADEPTDM": AGENCY_CODE, "SJC": "", "BZ": "",
}  # fmt: skip
SOUND: Final[dict[tuple[Kind, Sheet], dict[str, str]]] = {
    (Kind.PENALTY, Sheet.STANDARD): {
        "CF_XDR_MC": "北京百度网讯科技有限公司", "CF_XDR_LB": "法人及非法人组织",
        **{f"CF_XDR_{code}": value for code, value in _CODES_NEW.items()},
        "CF_FRDB": "梁某", "CF_FR_SFZH": "", "CF_XDR_ZJLX": "", "CF_XDR_ZJHM": "",
        "CF_WSH": "京工商处字〔2018〕第1号", "CF_WFXW": "发布虚假广告",
        "CF_SY": "发布虚假广告的事实", "CF_YJ": "广告法第五十五条",
        "CF_CFLB": "罚款", "CF_NR": "罚款2000元。", "CF_NR_FK": "0.2", "CF_NR_WFFF": "", "CF_NR_ZKDX": "",
        "CF_JDRQ": "2018/08/20", "CF_YXQ": "2099/12/31", "CF_GSJZQ": "", "CF_CFJG": "北京市工商行政管理局",
        "CF_CFJGDM": AGENCY_CODE, "CF_SJLY": "北京市工商行政管理局", "CF_SJLYDM": AGENCY_CODE, "BZ": "",
    },
    (Kind.PENALTY, Sheet.LEGACY): {
        "CF_WSH": "京工商处字〔2018〕第1号", "CF_CFMC": "虚假广告案", "CF_CFLB1": "罚款", "CF_CFLB2": "",
        "CF_SY": "发布虚假广告", "CF_YJ": "广告法第五十五条", "CF_XDR_MC": "北京百度网讯科技有限公司",
        "CF_XDR_SHXYM": USCC, "CF_XDR_ZDM": "", "CF_XDR_GSDJ": "", "CF_XDR_SWDJ": "", "CF_XDR_SFZ": "", "CF_FR": "",
        "CF_JG": "罚款2000元。", "CF_JDRQ": "2018/08/20", "CF_XZJG": "北京市工商行政管理局", "CF_ZT": "0",
        "DFBM": "110000", "SJC": "2018/08/20 10:00:00", "BZ": "", "CF_SYFW": "0", "CF_GSJZQ": "",
    },
    (Kind.LICENCE, Sheet.STANDARD): {
        "XK_XDR_MC": "北京百度网讯科技有限公司", "XK_XDR_LB": "法人及非法人组织",
        **{f"XK_XDR_{code}": value for code, value in _CODES_NEW.items()},
        "XK_FRDB": "梁某", "XK_FR_SFZH": "", "XK_XDR_ZJLX": "", "XK_XDR_ZJHM": "",
        "XK_XKWS": "准予许可决定书", "XK_WSH": "京工商许字〔2018〕1号", "XK_XKLB": "登记", "XK_XKZS": "", "XK_XKBH": "",
        "XK_NR": "准予登记", "XK_JDRQ": "2018/08/20", "XK_YXQZ": "2018/08/20", "XK_YXQZI": "2099/12/31",
        "XK_XKJG": "北京市工商行政管理局", "XK_XKJGDM": AGENCY_CODE, "XK_ZT": "1", "XK_LYDW": "北京市工商行政管理局",
        "XK_LYDWDM": AGENCY_CODE, "BZ": "",
    },
    (Kind.LICENCE, Sheet.LEGACY): {
        "XK_WSH": "京工商许字〔2018〕1号", "XK_XMMC": "广告发布登记", "XK_SPLB": "登记", "XK_NR": "准予登记",
        "XK_XDR": "北京百度网讯科技有限公司", "XK_XDR_SHXYM": USCC, "XK_XDR_ZDM": "", "XK_XDR_GSDJ": "",
        "XK_XDR_SWDJ": "", "XK_XDR_SFZ": "", "XK_FR": "", "XK_JDRQ": "2018/08/20", "XK_JZQ": "2020/08/19",
        "XK_XZJG": "北京市工商行政管理局", "XK_ZT": "0", "DFBM": "110000", "SJC": "2018/08/20 10:00:00", "BZ": "",
    },
    (Kind.INSPECTION, Sheet.STANDARD): {
        "PRIPID": "3B7F0001", **_LISTED, "INSID": "", "INSTYPE_CN": "年报不定向", "INSTYPE": "",
        "INSCONTENTS": "年度报告公示信息", "INSDATE": "2018/08/20", "INSRES_CN": "未发现问题", "INSRES": "",
        "INSAUTH_CN": "北京市工商行政管理局", "INSAUTH": AGENCY_CODE, **_FROM,
    },
    (Kind.ABNORMAL_OPERATION, Sheet.STANDARD): {
        "PRIPID": "3B7F0001", **_LISTED, "BUSEXCLIST": "", "SPECAUSE_CN": "登记住所无法联系", "SPECAUSE": "",
        "ABNTIME": "2018/08/20", "DECORG_CN": "北京市工商行政管理局", "DECORG": AGENCY_CODE, "REMEXCPRES_CN": "",
        "REMEXCPRES": "", "REMDATE": "", "REDECORG_CN": "", **_FROM,
    },
    (Kind.SERIOUS_VIOLATION, Sheet.STANDARD): {
        "PRIPID": "3B7F0001", **_LISTED, "ILLID": "", "SERILLREA_CN": "被列入经营异常名录届满3年仍未履行相关义务",
        "ABNTIME": "2018/08/20", "DECORG_CN": "北京市工商行政管理局", "DECORG": AGENCY_CODE,
        "DEDOCNUM": "京工商严列字〔2018〕第1号", "PEMEXCPREXS_CN": "", "REMDATE": "", "RECORG_CN": "", "RECORGNUM": "",
        **_FROM,
    },
    (Kind.ENFORCEMENT_NOTICE, Sheet.STANDARD): {
        "ZF_XDR_MC": "北京百度网讯科技有限公司", "ZF_XDR_LB": "法人及非法人组织",
        **{f"ZF_XDR_{code}": value for code, value in _CODES_NEW.items()},
        "ZF_FRDB": "", "ZF_XDR_ZJLX": "", "ZF_XDR_ZJHM": "", "ZF_WSH": "京网信约〔2018〕1号", "ZF_LB": "约谈",
        "ZF_SY": "平台内违法信息", "ZF_YJ": "网络安全法", "ZF_NR": "限期整改", "ZF_WZMC": "某网",
        "ZF_WZ": "www.example.cn", "ZF_JDRQ": "2018/08/20", "ZF_ZGQX": "2018/09/03", "ZF_LSQK": "",
        "ZF_JG": "北京市工商行政管理局",
        "ZF_JGDM": AGENCY_CODE, "ZF_SJLY": "北京市工商行政管理局", "ZF_SJLYDM": AGENCY_CODE, "SJC": "", "BZ": "",
    },
    (Kind.BASIC_INFO, Sheet.STANDARD): {
        "OPERATOR_NAME": "北京百度网讯科技有限公司", "OPERATOR_LB": "法人及非法人组织", "OPERATOR_USCC": USCC,
        "OPERATOR_REGNO": "", "OPERATOR_ZZJG": "", "OPERATOR_SWDJ": "", "OPERATOR_ZJLX": "", "OPERATOR_ZJHM": "",
        "OPERATOR_REP": "", "SUBJECT_ID": "110108-0001", "SITE_TYPE": "独立网站", "SITE_NAME": "某网",
        "URL": "https://www.example.cn/", "PLATFORM_NAME": "", "SHOP_ID": "", "ICP_NO": "京ICP备12345678号-1",
        "ICP_ORG": "", "LICENCE_SHOWN": "亮照", "SELF_OPERATED": "自营", "SITE_STATE": "正常", "DISTRICT": "110108",
        "FIRST_SEEN": "2018/01/02", "LAST_SEEN": "2018/08/19", "SNAPSHOT_DATE": "2018/08/20",
        "COLLECTED_BY": "北京市工商行政管理局", "COLLECTED_BY_CODE": AGENCY_CODE, **_FROM,
    },
}  # fmt: skip
EVERY_SHEET: Final = sorted(SOUND)
OF_DUAL_PUBLICITY: Final = [(kind, sheet) for kind, sheet in EVERY_SHEET if kind in DUAL_PUBLICITY]
NEWER_KINDS: Final = tuple(kind for kind in Kind if kind not in DUAL_PUBLICITY)
"""Kinds that have the standard sheet only."""
NAME_CODE: Final = {
    (Kind.PENALTY, Sheet.STANDARD): "CF_XDR_MC", (Kind.PENALTY, Sheet.LEGACY): "CF_XDR_MC",
    (Kind.LICENCE, Sheet.STANDARD): "XK_XDR_MC", (Kind.LICENCE, Sheet.LEGACY): "XK_XDR",
    (Kind.INSPECTION, Sheet.STANDARD): "ENTNAME", (Kind.ABNORMAL_OPERATION, Sheet.STANDARD): "ENTNAME",
    (Kind.SERIOUS_VIOLATION, Sheet.STANDARD): "ENTNAME", (Kind.ENFORCEMENT_NOTICE, Sheet.STANDARD): "ZF_XDR_MC",
    (Kind.BASIC_INFO, Sheet.STANDARD): "OPERATOR_NAME",
}  # fmt: skip


def sound(kind: Kind, sheet: Sheet, **changed: str) -> dict[str, str]:
    """The sound row with some cells changed; a column that the sheet lacks is an unknown column."""
    return SOUND[kind, sheet] | changed


def read_rows(
    kind: Kind, rows: list[dict[str, str]], delivering: Authority = AUTHORITY
) -> tuple[Standardised, Recognition]:
    """Take rows, whose keys are the header, through recognising and standardising."""
    header = list(dict.fromkeys(cell for row in rows for cell in row))
    recognition = recognise(header, kind, file="t.csv")
    columns: dict[str, pa.Array] = {"row_no": pa.array(range(2, len(rows) + 2), pa.int64())}
    columns |= {cell: pa.array([row.get(cell) for row in rows], pa.string()) for cell in header}
    return standardise(pa.RecordBatch.from_pydict(columns), recognition, delivering), recognition


def record_of(kind: Kind, row: dict[str, str]) -> dict[str, Any]:
    """The standard record of one row."""
    [record] = read_rows(kind, [row])[0].records.to_pylist()
    return dict(record)


def findings_of(
    kind: Kind, row: dict[str, str], *, delivering: Authority = AUTHORITY, as_of: dt.date = AS_OF
) -> dict[str, str]:
    """What the rules see in one row, by question; empty when nothing is wrong."""
    standardised, recognition = read_rows(kind, [row], delivering)
    found = rule_findings(standardised, recognition.definition, delivering=delivering, as_of=as_of)
    texts = {name: column[0].as_py() for name, column in found.items() if "." in name}
    return {name: text for name, text in texts.items() if text is not None}
