"""Names of people in running text, shortened to the surname and 某 (domain 3.4 [unverified]: third parties).

Found in a text are names that are known (the legal representative of the record), and what stands behind a word that
announces a person, or before 先生 and 女士; a name that nothing announces is not found. ``looks_personal`` judges whole
names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SURNAMES: Final = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘蔡余于蒋杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖"
    "贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟"
    "殷詹申耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农"
)
"""The commonest surnames; who is missed among those without a code is still seen by people, for nothing attaches."""
COMPOUND_SURNAMES: Final = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|皇甫|令狐|慕容|司徒|长孙|宇文"
)
_HAN: Final = "\u4e00-\u9fff"
_SURNAME: Final = f"(?:{COMPOUND_SURNAMES}|[{SURNAMES}])"
_NAME: Final = rf"(?P<surname>{_SURNAME})[{_HAN}]{{1,2}}"
_ENDS: Final = (
    rf"(?=[^{_HAN}]|$|的|在|与|和|及|等|先生|女士|同志|签字|确认|陈述|承认|称|系|为|说|(?:身份证|电话|手机|住址|联系))"
)
_ROLE: Final = (
    "(?:法定代表人|负责人|经营者|投资人|委托代理人|代理人|投诉人|举报人|消费者|联系人|店主|员工|职工|股东|执行董事|总经理"
    "|当事人姓名|公民|居民|用户)"
)
_LINK: Final = "(?:姓名)?(?:为|系|是|[：:、 （(])"
_ANNOUNCED: Final = re.compile(rf"(?P<role>{_ROLE})(?P<link>(?:{_LINK})?)(?!陈述){_NAME}{_ENDS}")
_SUSPECT: Final = re.compile(rf"{_ROLE}(?:{_LINK})?{_SURNAME}(?!某)[{_HAN}]")
_ADDRESSED: Final = re.compile(rf"{_NAME}(?=先生|女士)")


def may_name_someone(text: str) -> bool:
    """Tell whether, after a word that announces a person, something may stand that is a name and not shortened yet.

    Often it is none ("用户向平台投诉"): who shows a text to the public leaves it out or lets a person look.
    """
    return _SUSPECT.search(text) is not None


def shorten_names(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with every name found in it as surname and 某某; texts without one are unchanged."""
    for name in sorted({each for each in known if _is_name(each)}, key=len, reverse=True):
        text = text.replace(name, _shortened(name))
    text = _ANNOUNCED.sub(lambda found: f"{found['role']}{found['link']}{found['surname']}某某", text)
    return _ADDRESSED.sub(lambda found: f"{found['surname']}某某", text)


def _is_name(text: str) -> bool:
    return re.fullmatch(rf"[{_HAN}]{{2,4}}", text) is not None and "某" not in text


def _shortened(name: str) -> str:
    compound = re.match(COMPOUND_SURNAMES, name)
    return f"{compound[0] if compound else name[0]}某某"


_OF_A_BUSINESS: Final = "[厂店馆社部院所行局会站场铺坊屋阁楼吧室园庄校处堂斋轩苑摊队团网]$"
_PERSONAL_NAME: Final = rf"^(?:[{SURNAMES}]\p{{Han}}{{1,2}}|(?:{COMPOUND_SURNAMES})\p{{Han}}{{1,2}})$"


def looks_personal(names: pa.StringArray, where: pa.BooleanArray) -> pa.BooleanArray:
    """Tell which names look like a person's: two to four ideographs, a surname first, no word of a business last."""
    suspects = pc.indices_nonzero(where)
    found = np.zeros(len(names), np.bool_)
    if len(suspects):
        texts = names.take(suspects)
        looks = pc.and_not(
            pc.match_substring_regex(texts, _PERSONAL_NAME), pc.match_substring_regex(texts, _OF_A_BUSINESS)
        )
        found[suspects.to_numpy()] = np.asarray(pc.fill_null(looks, False))
    return pa.array(found)
