"""Codes, registration numbers and names of enterprises that nobody bears, one per row number.

They are made from bijections of a row number: unique without a table of what was drawn.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.columns import Column, Digits, Flags, Ints, joined, picked, strings, where
from simulator.population import DISTRICTS

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


def _scattered(rows: Ints, modulus: int, seed: int) -> Ints:
    """Map row numbers one to one onto 0..modulus-1 (``modulus`` is no multiple of the prime)."""
    return (rows * _PRIME + seed * 7919) % modulus


def _base(numbers: Ints, alphabet: Digits, places: int) -> Digits:
    powers = len(alphabet) ** np.arange(places - 1, -1, -1, dtype=np.int64)
    digits: Digits = alphabet[(numbers[:, None] // powers) % len(alphabet)]
    return digits


def uscc_codes(rows: Ints, sole_trader: Flags, region: Ints, seed: int) -> Column:
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
    return strings(code)


def wrong_check(codes: Column) -> Column:
    """Return the codes with the check digit replaced by the next of the alphabet; an empty code stays empty."""
    last = pc.utf8_slice_codeunits(codes, 17, 18)
    alphabet = _USCC_ALPHABET.tobytes().decode()
    place = pc.fill_null(pc.index_in(last, pa.array(list(alphabet))), 30)
    following = pa.array([*alphabet[1:], alphabet[0]]).take(place)
    return where(pc.not_equal(codes, ""), joined(pc.utf8_slice_codeunits(codes, 0, 17), following), "")


def registration_numbers(rows: Ints, region: Ints, seed: int) -> Column:
    """Return 15-digit 工商注册号 (GS 15-2006, ISO 7064 MOD 11,10)."""
    number = np.empty((rows.size, 15), dtype=np.uint8)
    number[:, :6] = _REGIONS[region]
    number[:, 6:14] = _base(_scattered(rows, 10**8, seed + 1), _USCC_ALPHABET[:10], 8)
    product = np.full(rows.size, 10, dtype=np.int64)
    for place in range(14):
        total = (number[:, place] - ord("0") + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    number[:, 14] = (11 - product) % 10 + ord("0")
    return strings(number)


def enterprise_names(rows: Ints, sole_trader: Flags, region: Ints, seed: int, rng: np.random.Generator) -> Column:
    """Return one name per row number; the four characters of its trade name (字号) are its own."""
    characters = len(_STEM_CHARACTERS)
    number = _scattered(rows, characters**4, seed)
    stem = joined(*(picked(_STEM_CHARACTERS, (number // characters**place) % characters) for place in range(4)))
    tail = joined(
        picked(_INDUSTRIES, rng.integers(0, len(_INDUSTRIES), rows.size)),
        picked(_FORMS, rng.choice(3, rows.size, p=[0.85, 0.1, 0.05])),
    )
    company = where(rng.random(rows.size) < 0.1, joined(stem, "（北京）", tail), joined("北京", stem, tail))
    shop = joined(
        "北京市",
        picked(tuple(DISTRICTS.values()), region),
        stem,
        picked(_SHOPS, rng.integers(0, len(_SHOPS), rows.size)),
    )
    return where(sole_trader, shop, company)


def person_names(rng: np.random.Generator, size: int) -> Column:
    return joined(
        picked(_SURNAMES, rng.integers(0, len(_SURNAMES), size)),
        picked(_GIVEN, rng.integers(0, len(_GIVEN), size)),
        where(rng.random(size) < 0.7, picked(_GIVEN, rng.integers(0, len(_GIVEN), size)), ""),
    )
