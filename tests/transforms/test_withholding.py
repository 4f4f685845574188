"""What must not be shown as it is: secrets, minors, natural persons, details of people, wherever they stand (R26)."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.codes import resident_id
from transforms import personal
from transforms.columns import FREE_TEXT, NATURAL_PERSON, ORGANISATION, SOLE_TRADER, TEXT
from transforms.policy import PolicyInvalid
from transforms.policy.content_marks import content_marks, read_marks
from transforms.withholding import withheld_findings

DAY = dt.date(2018, 8, 21)
SUBJECT = {
    "subject_name": "仿真商贸有限公司", "subject_category": ORGANISATION, "uscc": "91110105MA00000000", "regno": None,
    "legal_rep": "张某",
}  # fmt: skip


def found(day: dt.date = DAY, **values: str | None) -> dict[str, str]:
    row = {**SUBJECT, **values}
    columns = {name: pa.array([value], TEXT) for name, value in row.items()}
    listed = {name: column[0].as_py() for name, column in withheld_findings(columns, None, day).items()}
    return {name: finding for name, finding in listed.items() if finding is not None}


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("secret", "本案涉及国家秘密，决定书不予公开"),
        ("secret", "内容涉及他人个人隐私"),
        ("secret", "涉及该公司商业秘密的部分"),
        ("secret", "依申请公开"),
        ("secret", "机密★3年"),
        ("minor", "当事人系未成年人"),
        ("minor", "李某，男，16周岁"),
        ("minor", "被招用的张某未满十六周岁"),
        ("personal_detail", "退款至银行卡6222021234567890123"),
        ("personal_detail", "车牌号京A12345的小客车"),
        ("personal_detail", "家住某小区3号楼"),
        ("personal_detail", "举报人王小明，反映"),
    ],
)
def test_a_text_that_bears_a_mark_is_named_by_its_column(mark: str, text: str) -> None:
    for column in ("facts", "content", "remarks"):
        assert found(**{column: text}) == {f"R26.{mark}": column}


@pytest.mark.parametrize(
    "text",
    [
        "侵犯他人商业秘密",
        "泄露国家秘密案",
        "违反《中华人民共和国未成年人保护法》",
        "接纳未成年人进入互联网上网服务营业场所",
        "向不满18周岁的人出售香烟",
        "未公示营业执照",
        "销售适用于3岁以上儿童的玩具",
        "编号BJA12345678",
        "消费者投诉后经核查属实",
        "举报人反映",
    ],
)
def test_an_offence_that_speaks_of_secrets_or_minors_is_no_secret(text: str) -> None:
    assert found(facts=text) == {}


def test_the_law_quoted_and_the_names_of_forms_are_not_looked_at() -> None:
    assert found(basis="《中华人民共和国保守国家秘密法》涉及国家秘密") == {}


def test_a_mark_counts_in_the_years_of_its_row_only() -> None:
    assert found(dt.date(2018, 4, 30), facts="涉及国家秘密") == {}
    assert {mark.id for mark in content_marks()} == {"secret", "minor", "personal_detail"}


@pytest.mark.parametrize("row", ["{id: a}", "{id: a, from: 2018-01-01, to: null, any_of: [], not_in: [], source: s}"])
def test_a_row_that_cannot_be_used_is_named(row: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"^a:"):
        read_marks(f"marks: [{row}]")


def test_every_text_is_looked_at_and_several_are_listed() -> None:
    texts = dict.fromkeys(FREE_TEXT, "涉及国家秘密")
    named = found(**texts)["R26.secret"].split(";")
    assert set(named) == set(FREE_TEXT) - {"basis", "certificate_name", "document_name"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"subject_category": NATURAL_PERSON, "subject_name": "王小明", "uscc": None}, {"R26.natural_person"}),
        ({"subject_name": "王小明", "uscc": None}, {"R26.personal_name"}),
        ({"subject_name": "欧阳小明", "uscc": None}, {"R26.personal_name"}),
        ({"subject_name": "王小明"}, set()),
        ({"subject_name": "王记店", "uscc": None}, set()),
        ({"subject_name": "仿真公司", "uscc": None}, set()),
        (
            {"subject_name": "王小明", "legal_rep": "王小明", "subject_category": SOLE_TRADER},
            {"R26.trade_name"},
        ),
        ({"subject_name": "王小明小吃店", "legal_rep": "王小明", "subject_category": SOLE_TRADER}, set()),
    ],
)
def test_a_person_is_recognised_behind_an_enterprise(values: dict[str, str | None], expected: set[str]) -> None:
    assert set(found(**values)) == expected


DAYS = st.dates(dt.date(1950, 1, 1), dt.date(2018, 8, 21))


@given(born=DAYS, decided=DAYS)
def test_a_person_is_of_age_from_the_eighteenth_birthday_on(born: dt.date, decided: dt.date) -> None:
    number = pa.array([resident_id("110105", born, 88)])
    [finding] = personal.under_age(number, pa.array([decided], pa.date32())).to_pylist()
    try:
        of_age = born.replace(year=born.year + 18)
    except ValueError:
        of_age = dt.date(born.year + 18, 3, 1)
    assert finding == ("UNDER_AGE" if born <= decided < of_age else None)


@given(st.text(alphabet="0123456789X*E-", max_size=20))
def test_what_is_no_number_tells_no_age(text: str) -> None:
    finding = personal.under_age(pa.array([text]), pa.array([DAY], pa.date32()))[0].as_py()
    assert finding is None or len(text) in (15, 18)
