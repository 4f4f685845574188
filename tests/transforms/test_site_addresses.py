"""Addresses as people type them: what each turns out to be, and which are the same site."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.site_address_columns import ADDRESSES, read_addresses, read_report_rows
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
        ("http://mall.jd.com/shopLevel-1234.html", "shop", "shop:jd:1234"),
        ("https://abc.tmall.com/shop/view_shop.htm?spm=1", "shop", "shop:tmall:abc"),
        ("https://z.jd.com/project/details/1.html", "unresolved", None),
        ("https://z.jd.com", "front_page", None),
        ("https://mingpai.jd.com/project/1.html", "unresolved", None),
        ("https://mingpai.jd.com/#/project/1", "unresolved", None),
        ("https://www.youzan.com/#/shop/1", "unresolved", None),
        ("www.北京abc.com", "site", "site:xn--abc-dm9d05r.com"),
        ("www.abc北京.com", "site", "site:xn--abc-gm9d05r.com"),
        ("abc北京.com", "site", "site:xn--abc-gm9d05r.com"),
        ("http://www.小米mi.com/", "site", "site:xn--mi-co1dq89i.com"),
        ("http://京东jd.com", "site", "site:xn--jd-8w2c3v.com"),
        ("http://北京.abc.com", "site", "site:abc.com"),
        ("straße.de", "site", "site:xn--strae-oqa.de"),
        ("www.abc.com官网", "site", "site:abc.com"),
        ("官网abc.com", "site", "site:abc.com"),
        ("www.abc.com_", "site", "site:abc.com"),
        ("小店shop55.taobao.com", "shop", "shop:taobao:55"),
        ("http://www.小米mi.com官网v1.0", "unresolved", None),
        ("公众号 http://www.abc.com", "site", "site:abc.com"),
        ("微信公众号名称：甲乙", "wechat", "wechat:甲乙"),
        ("甲乙商城(公众号)", "wechat", "wechat:甲乙商城"),
        ("微信公众号", "unresolved", None),
        ("微信号:13800000000", "unresolved", None),
        ("happy小店", "name_only", None),
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
        ("https://www.a-b.com 微信公众号:甲乙", ["site:a-b.com", "wechat:甲乙"]),
        ("官网 www.a-b.com 微信公众号:甲乙 APP:丙丁", ["site:a-b.com", "wechat:甲乙", "app:丙丁"]),
        ("公众号:甲乙,丙丁；示例APP", ["wechat:甲乙", "wechat:丙丁", "app:示例"]),
        ("www.a-b.com 微信:甲乙 电话010-12345678", ["site:a-b.com", "wechat:甲乙"]),
        ("www.a-b.com和c-d.cn", ["site:a-b.com", "site:c-d.cn"]),
        ("a-b.com官网www.c-d.cn", ["site:a-b.com", "site:c-d.cn"]),
        ("例子.中国 www.a-b.com", ["site:xn--fsqu00a.xn--fiqs8s", "site:a-b.com"]),
    ],
)
def test_several_in_one_cell(cell: str, keys: list[str]) -> None:
    assert [address.key for address in read_cell(cell)] == keys


def test_han_letters_before_a_domain_may_be_a_word_or_a_part_of_it() -> None:
    site, unknown = read_cell("小米mi.com")
    assert (site.key, site.text, unknown.kind) == ("site:mi.com", "小米mi.com", "unresolved")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("https://www.x-y.com/#/shop/123", "x-y.com#/shop/123"),
        ("https://x-y.com/#!/shop/123?spm=1", "x-y.com#!/shop/123"),
        ("https://x-y.com/a#/shop?id=1", "x-y.com/a#/shop?id=1"),
        ("https://x-y.com/#/", "x-y.com"),
        ("https://x-y.com/#!/index.html", "x-y.com"),
        ("https://x-y.com/#top", "x-y.com"),
        ("https://x-y.com/?sid=111&spm=2", "x-y.com?sid=111"),
        ("https://item.jd.com/1.html?from=wx", "item.jd.com/1.html"),
    ],
)
def test_what_tells_a_page_from_the_next(cell: str, text: str) -> None:
    [address] = read_cell(cell)
    assert address.text == text


def test_accounts_of_a_row_are_addresses_of_their_own() -> None:
    rows = [
        ("https://www.a-b.com", "甲乙;丙", "丁丁购"), ("无", "甲乙", None), ("甲乙", "甲乙", None),
        ("淘宝店：甲乙", "甲乙", None), (None, "无", ""), ("www.a-b.com", "www.a-b.com", "手机APP"),
        ("微信公众号：甲乙", "甲乙", "甲乙"),
    ]  # fmt: skip
    table = read_report_rows(*(pa.array(column, pa.string()) for column in zip(*rows, strict=True)))
    assert table.schema == ADDRESSES
    read: dict[int, list[str]] = {}
    for place, ordinal, kind, key in zip(
        *(table[n].to_pylist() for n in ("place", "ordinal", "kind", "key")), strict=True
    ):
        assert ordinal == len(read.setdefault(place, []))
        read[place].append(key or kind)
    assert list(read.values()) == [
        ["site:a-b.com", "wechat:甲乙", "wechat:丙", "app:丁丁购"], ["wechat:甲乙"], ["wechat:甲乙"],
        ["name_only", "wechat:甲乙"], ["none"], ["site:a-b.com", "unresolved"], ["wechat:甲乙", "app:甲乙"],
    ]  # fmt: skip


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
    "itunes.apple.com", "xn--fsqu00a.xn--fiqs8s", "z.jd.com", "abc.jd.com", "小米mi.com", "straße.de",
]  # fmt: skip
_WRITTEN = st.tuples(
    st.sampled_from(["", "http://", "HTTPS://", "http:", "//", "http:\\\\", "ht://", " ", "官网", "b@"]),
    st.sampled_from(_HOSTS),
    st.sampled_from(["", ".", ":80", ":8080", ":", "@", "_"]),
    st.sampled_from(
        [
            "",
            "/",
            "//",
            "/index.html",
            "/INDEX",
            "/index-55.html",
            "/shop/view_shop.htm",
            "/70000000/x",
            "/a,b",
            "/s/12",
            "/\x1fa",
        ]
    ),
    st.sampled_from(
        [
            "",
            "?",
            "?spm=1",
            "?userid=7&id=8",
            "#top",
            "#a?b",
            "#",
            "#/a",
            "#!/",
            "#!a",
            " ",
            "\xa0",
            "；www.c-d.cn",
            " APP",
            "(旧)",
        ]
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
