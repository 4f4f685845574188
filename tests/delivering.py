"""Files as agencies and the registration authority deliver them: rows that pass every check, to be spoilt by a test."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.codes import credit_code, organisation_code, registration_number, resident_id

DAY: Final = dt.date(2018, 8, 21)
NEXT_DAY: Final = dt.date(2018, 8, 22)
AGENCY: Final = "aic"
AUTHORITY: Final = "北京市工商行政管理局"
AUTHORITY_CODE: Final = "11110000TE0000010U"
SOMEONE: Final = resident_id("110105", dt.date(1990, 3, 7), 88)
"""A well-formed ID number that belongs to nobody known: no output may hold it."""

Row = dict[str, str]


@dataclass(frozen=True)
class Company:
    """A made-up enterprise."""

    serial: int

    @property
    def organisation(self) -> str:
        return organisation_code(self.serial)

    @property
    def uscc(self) -> str:
        return credit_code("91", "110105", self.organisation)

    @property
    def regno(self) -> str:
        return registration_number("110105", self.serial)

    @property
    def name(self) -> str:
        return f"仿真第{self.serial}号(北京)科技有限公司"


def registered(company: Company, **other: str) -> Row:
    """A row of the register."""
    return {
        "UNISCID": company.uscc,
        "ENTNAME": company.name,
        "REGNO": company.regno,
        "LEREP": "仿某",
        "DOM": "北京市朝阳区仿真路1号",
        "ESTDATE": "2010-01-02",
        "REGSTATE": "存续",
        "HISTNAMES": "",
    } | other


def penalty(serial: int, subject: Company | None = None, **other: str) -> Row:
    """A penalty of the standard sheet (790号)."""
    subject = subject or Company(serial)
    return {
        "CF_XDR_MC": subject.name,
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": subject.uscc,
        "CF_XDR_GSZC": "",
        "CF_XDR_ZZJG": "",
        "CF_XDR_SWDJ": "",
        "CF_XDR_SYDW": "",
        "CF_XDR_SHZZ": "",
        "CF_FRDB": "仿某",
        "CF_FR_ZJLX": "",
        "CF_FR_ZJHM": "",
        "CF_XDR_ZJLX": "",
        "CF_XDR_ZJHM": "",
        "CF_WSH": document_no(serial),
        "CF_WFXW": "发布违法广告",
        "CF_SY": "当事人发布违法广告",
        "CF_YJ": "《中华人民共和国广告法》第五十七条",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款人民币20000元",
        "CF_NR_FK": "2",
        "CF_NR_WFFF": "",
        "CF_NR_ZKDX": "",
        "CF_JDRQ": "2018/08/01",
        "CF_YXQ": "2099/12/31",
        "CF_GSJZQ": "2019/08/01",
        "CF_CFJG": AUTHORITY,
        "CF_CFJGDM": AUTHORITY_CODE,
        "CF_SJLY": AUTHORITY,
        "CF_SJLYDM": AUTHORITY_CODE,
        "BZ": "",
    } | other


def legacy_penalty(serial: int, subject: Company | None = None, **other: str) -> Row:
    """A penalty of the sheet before 790号."""
    subject = subject or Company(serial)
    return {
        "CF_WSH": document_no(serial),
        "CF_CFMC": "发布违法广告案",
        "CF_CFLB1": "罚款",
        "CF_CFLB2": "",
        "CF_SY": "当事人发布违法广告",
        "CF_YJ": "《中华人民共和国广告法》第五十七条",
        "CF_XDR_MC": subject.name,
        "CF_XDR_SHXYM": subject.uscc,
        "CF_XDR_ZDM": "",
        "CF_XDR_GSDJ": "",
        "CF_XDR_SWDJ": "",
        "CF_XDR_SFZ": "",
        "CF_FR": "仿某",
        "CF_JG": "罚款人民币20000元",
        "CF_JDRQ": "2018-08-01",
        "CF_XZJG": AUTHORITY,
        "CF_ZT": "0",
        "DFBM": "110105",
        "SJC": "2018-08-20 10:00:00",
        "BZ": "",
        "CF_BM": "",
        "CF_SYFW": "0",
        "CF_GSJZQ": "2019-08-01",
    } | other


def licence(serial: int, subject: Company | None = None, **other: str) -> Row:
    """A licence of the standard sheet (790号)."""
    subject = subject or Company(serial)
    return {
        "XK_XDR_MC": subject.name,
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": subject.uscc,
        "XK_FRDB": "仿某",
        "XK_XKWS": "准予行政许可决定书",
        "XK_WSH": f"京工商许字〔2018〕第{serial}号",
        "XK_XKLB": "普通",
        "XK_XKZS": "食品经营许可证",
        "XK_XKBH": f"JY1110105{serial:07d}",
        "XK_NR": "准予经营预包装食品",
        "XK_JDRQ": "2018/08/01",
        "XK_YXQZ": "2018/08/01",
        "XK_YXQZI": "2023/07/31",
        "XK_XKJG": AUTHORITY,
        "XK_XKJGDM": AUTHORITY_CODE,
        "XK_ZT": "1",
        "XK_LYDW": AUTHORITY,
        "XK_LYDWDM": AUTHORITY_CODE,
        "BZ": "",
    } | other


def document_no(serial: int) -> str:
    """A document number with the brackets that the rules want."""
    return f"京工商朝处字〔2018〕第{serial}号"


def as_csv(rows: Sequence[Row], *, extra_lines: Iterable[str] = ()) -> bytes:
    """Rows as CSV in UTF-8; ``extra_lines`` follow as they are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return (text.getvalue() + "".join(f"{line}\n" for line in extra_lines)).encode()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    """Rows as JSON Lines in UTF-8."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def write(folder: Path, name: str, content: bytes) -> Path:
    """Put a file where a test can deliver it from."""
    path = folder / name
    path.write_bytes(content)
    return path
