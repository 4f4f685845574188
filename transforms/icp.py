"""ICP numbers (互联网信息服务备案号, 许可证号) in every form that sites show (domain 5.4).

A filing number names its holder by the part before the dash (备案主体号) and one site of the holder by the number after
it. A public-security number (公安备案号) is another thing and is not one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

import pyarrow as pa

from transforms.distinct import read_distinct

_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵黔粤青藏川蜀宁琼"
"""Signs of the provinces in filing numbers; the list is [unverified] in domain 5.4."""

_FILING: Final = re.compile(rf"([{_PROVINCES}])ICP(?:备案|备)(?:第)?(\d{{8}}|\d{{10}})号?(?:-(\d{{1,4}})号?)?")
_LICENCE: Final = re.compile(rf"([{_PROVINCES}])ICP证(?:第)?(\d{{6,10}})号?(?:-\d{{1,4}})?")
_TELECOM: Final = re.compile(rf"([{_PROVINCES}]?)([AB]\d?(?:[-.][AB]?\d){{0,3}})-(\d{{8}})号?(?:-\d{{1,4}})?")
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－_~", "-"))
_UNSEEN: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_LEAD: Final = re.compile(r"^(?:网站|域名|主体)?(?:备案号|备案|许可证号|许可证|ICP备案号?)[::]")


class Icp(NamedTuple):
    """One number: ``kind`` filing (备案), licence (许可证) or telecom (增值电信许可证); ``site`` only of a filing."""

    kind: str
    subject: str
    site: int | None

    @property
    def canonical(self) -> str:
        """The whole number in the one way in which it is compared."""
        return self.subject if self.site is None else f"{self.subject}-{self.site}"


def read_icp(text: str) -> Icp | None:
    """Read one number; null for what is no ICP number: bare digits, a public-security number, other text."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text).translate(_DASHES)).upper()
    plain = _LEAD.sub("", plain)
    if found := _FILING.fullmatch(plain):
        site = int(found[3]) if found[3] else None
        return Icp("filing", f"{found[1]}ICP备{found[2]}号", site)
    if found := _LICENCE.fullmatch(plain):
        return Icp("licence", f"{found[1]}ICP证{found[2]}号", None)
    if found := _TELECOM.fullmatch(plain):
        return Icp("telecom", f"{found[1]}{found[2]}-{found[3]}号", None)
    return None


def icp_numbers(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.Int64Array]:
    """Return the subject number and the site number of each text; null where there is none."""
    subject, site = read_distinct(texts, _subject_and_site, pa.string(), pa.int64())
    return subject, site


def _subject_and_site(text: str) -> tuple[str | None, int | None]:
    found = read_icp(text)
    return (found.subject, found.site) if found else (None, None)
