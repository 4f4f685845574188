"""Addresses as people type them: what each turns out to be, and which are the same site."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.site_address_columns import ADDRESSES, read_addresses
from transforms.site_addresses import AddressKind, read_cell
from transforms.site_platforms import platforms

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "vectors.json").read_text(encoding="utf-8"))["shop_url"]
KINDS = {"own_site": "site", "empty": "none", "not_a_url": "name_only"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["raw"])
def test_vectors(vector: dict[str, object]) -> None:
    [address] = read_cell(str(vector["raw"]))
    assert address.kind == KINDS.get(str(vector["kind"]), "shop")
    if address.kind is AddressKind.SHOP:
        assert (address.platform, address.shop_id) == (vector["platform"], vector["shop_id"])
        assert address.why.endswith(str(vector["kind"]))
    if "registrable_domain" in vector:
        assert address.domain == vector["registrable_domain"]
    if "same_as" in vector:
        [other] = read_cell(VECTORS[int(str(vector["same_as"]))]["raw"])
        assert other.key == address.key


@pytest.mark.parametrize(
    ("cell", "kind", "key"),
    [
        ("ｗｗｗ．Abc－shop．ｃｏｍ．ｃｎ", "site", "site:abc-shop.com.cn"),
        ("www。abc。com", "site", "site:abc.com"),
        ("http:\\\\www.abc.com\\", "site", "site:abc.com"),
        ("http://m.abc.cn/?spm=1.2&utm_source=x#top", "site", "site:abc.cn"),
        ("www. abc. com", "site", "site:abc.com"),
        ("例子.中国", "site", "site:xn--fsqu00a.xn--fiqs8s"),
        ("http://xn--fsqu00a.xn--fiqs8s/", "site", "site:xn--fsqu00a.xn--fiqs8s"),
        ("shop.例子.com.cn", "site", "site:xn--fsqu00a.com.cn"),
        ("1.202.3.4:8080/shop", "site", "site:1.202.3.4"),
        ("官网www.abc.com", "site", "site:abc.com"),
        ("www.taobao.com", "front_page", None),
        ("https://m.jd.com/", "front_page", None),
        ("https://item.jd.com/100012043978.html", "unresolved", None),
        ("https://detail.tmall.com/item.htm?id=12345", "unresolved", None),
        ("https://dwz.cn/abc", "unresolved", None),
        ("见店铺二维码", "unresolved", None),
        ("zhang@163.com", "email", None),
        ("没有网站", "none", None),
        ("　", "none", None),
        ("http://", "none", None),
        ("微信公众号：示例商贸", "wechat", "wechat:示例商贸"),
        ("示例APP", "app", "app:示例"),
        ("示例商贸有限公司", "name_only", None),
        ("13800000000", "unparseable", None),
        ("abcshop", "unparseable", None),
        ("a.notatld", "unparseable", None),
        ("https://mingpai.jd.com/", "shop", "shop:jd:mingpai"),
        ("https://abc.m.tmall.com", "shop", "shop:tmall:abc"),
        ("https://shop123.youzan.com/v2/x", "shop", "shop:youzan:123"),
        ("https://weidian.com/?userid=998877", "shop", "shop:weidian:998877"),
    ],
)
def test_what_people_type(cell: str, kind: str, key: str | None) -> None:
    [address] = read_cell(cell)
    assert (address.kind, address.key) == (kind, key), address


@pytest.mark.parametrize(
    ("cell", "keys"),
    [
        ("www.a-b.com；https://shop1.taobao.com/", ["site:a-b.com", "shop:taobao:1"]),
        ("www.a-b.com、www.c-d.cn", ["site:a-b.com", "site:c-d.cn"]),
        ("www.a-b.com www.c-d.cn\nwww.a-b.com", ["site:a-b.com", "site:c-d.cn"]),
        ("www.a-b.com/www.c-d.cn", ["site:a-b.com"]),
        ("官网: www.a-b.com, 邮箱 x@a-b.com", ["site:a-b.com"]),
        ("www.a-b.com 微信公众号: 甲乙", ["site:a-b.com", "wechat:甲乙"]),
    ],
)
def test_several_in_one_cell(cell: str, keys: list[str]) -> None:
    assert [address.key for address in read_cell(cell)] == keys


@given(st.text(max_size=60))
def test_any_text_is_something_and_says_why(text: str) -> None:
    read = read_cell(text)
    assert read
    assert all(address.why for address in read)


@given(
    st.sampled_from(["https://", "HTTP://", "", "//"]),
    st.from_regex(r"[a-z][a-z0-9]{2,9}\.(com|com\.cn|cn|net)", fullmatch=True),
    st.sampled_from(["www.", "", "m.", "WWW."]),
    st.sampled_from(["", "/", "/index.html", "/?spm=a.b", ":80/", "#top"]),
    st.sampled_from([" ", "", "　"]),
)
def test_the_way_of_writing_changes_nothing(scheme: str, domain: str, label: str, tail: str, blank: str) -> None:
    [plain] = read_cell(domain)
    assert read_cell(f"{blank}{scheme}{label}{domain}{tail}{blank}") == (plain,)


def test_a_column_is_read_as_its_cells_are() -> None:
    cells = ["www.a-b.com；www.c-d.cn", None, "无", "www.a-b.com；www.c-d.cn"]
    table = read_addresses(pa.chunked_array([pa.array(cells[:2]), pa.array(cells[2:], pa.string())]))
    assert table.schema == ADDRESSES
    read = [table[name].to_pylist() for name in ("place", "ordinal", "key")]
    assert list(zip(*read, strict=True)) == [
        (0, 0, "site:a-b.com"), (0, 1, "site:c-d.cn"), (2, 0, None), (3, 0, "site:a-b.com"), (3, 1, "site:c-d.cn"),
    ]  # fmt: skip


_HOSTS = [
    "www.a-b.com", "a-b.com.cn", "m.a-b.cn", "h5.cn", "www.com.cn", "www.ck", "x.ck", "1.202.3.4", "999.1.1.1",
    "a.notatld", "a_b.com", "shop55.taobao.com", "www.taobao.com", "item.taobao.com", "mall.jd.com", "m.jd.com",
    "abc.m.tmall.com", "shop.suning.com", "weidian.com", "dwz.cn", "mp.weixin.qq.com",
    "itunes.apple.com", "xn--fsqu00a.xn--fiqs8s",
]  # fmt: skip
_WRITTEN = st.tuples(
    st.sampled_from(["", "http://", "HTTPS://", "http:", "//", "http:\\\\", "ht://", " ", "官网", "b@"]),
    st.sampled_from(_HOSTS),
    st.sampled_from(["", ".", ":80", ":8080", ":", "@", "_"]),
    st.sampled_from(
        ["", "/", "//", "/index.html", "/INDEX", "/index-55.html", "/70000000/x", "/a,b", "/s/12", "/\x1fa"]
    ),
    st.sampled_from(
        ["", "?", "?spm=1", "?userid=7&id=8", "#top", "#a?b", "#", " ", "\xa0", "；www.c-d.cn", " APP", "(旧)"]
    ),
).map("".join)


@given(st.lists(st.one_of(_WRITTEN, st.none(), st.text(max_size=8)), max_size=6))
def test_a_column_says_of_each_cell_what_the_cell_says(cells: list[str | None]) -> None:
    rows = [
        (place, ordinal, read.kind, read.platform, read.text, read.key)
        for place, cell in enumerate(cells)
        if cell is not None
        for ordinal, read in enumerate(read_cell(cell))
    ]
    table = read_addresses(pa.array(cells, pa.string()))
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == rows


def test_every_form_of_the_table_says_how_sure_it_is() -> None:
    assert {form.tag for platform in platforms().by_id.values() for form in platform.shops} <= {"found", "unverified"}
