"""What must not be shown as it is: secrets, minors, natural persons, details of people, wherever they stand (R26)."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
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
        ("minor personal_detail", "向16岁的中学生张小明销售香烟"),
        ("minor", "张小明（15周岁）"),
        ("minor", "张小明(１５岁)"),
        ("minor", "张三，十五岁"),
        ("minor", "欧阳小明十五岁"),
        ("minor", "张小明今年15岁"),
        ("minor", "聘用童工张小明（14岁）"),
        ("minor", "招用不满16周岁的童工张小明"),
        ("minor", "未成年人张小明"),
        ("minor", "未成年人（张小明）"),
        ("minor", "未成年人安小明"),
        ("minor", "未成年人诸葛小亮"),
        ("minor", "接纳未成年人张小明进入网吧"),
        ("minor", "系十五岁少年张小明"),
        ("minor", "向一名15岁的学生售烟"),
        ("minor", "张小明（2004年5月出生，初中二年级学生）"),
        ("minor", "张小明（2004年5月出生）"),
        ("minor", "张小明（初中二年级）"),
        ("minor", "张小明，初中二年级学生"),
        ("minor", "张小明系高中生"),
        ("minor personal_detail", "小学生张小明"),
        ("minor", "容留未满18周岁的张小明上网"),
        ("minor", "容留张小明（未满18周岁）上网"),
        ("minor", "容留未满18周岁的人员张小明上网"),
        ("minor", "接纳未满18周岁的未成年人（张小明）"),
        ("minor", "允许不满16周岁的李小红提供有偿陪侍"),
        ("minor", "容留未满18周岁张小明上网"),
        ("personal_detail", "消费者张小明投诉"),
        ("personal_detail", "消费者安小明投诉"),
        ("personal_detail", "员工赵丽"),
        ("personal_detail", "案外人孙志强"),
        ("personal_detail", "举报人诸葛小亮"),
        ("personal_detail", "举报人：诸葛小亮反映"),
        ("personal_detail", "投诉人李建国，"),
        ("personal_detail", "被害人系王小明"),
        ("personal_detail", "患者刘丽在该院就诊"),
        ("personal_detail", "户口所在地：河北省仿真县"),
        ("personal_detail", "当事人张某，住北京市朝阳区仿真路1号"),
        ("personal_detail", "护照号码E12345678"),
        ("personal_detail", "账户123456789012"),
        ("personal_detail", "退款至银行卡6222021234567890123"),
        ("personal_detail", "车牌号京A12345的小客车"),
        ("personal_detail", "家住某小区3号楼"),
        ("personal_detail", "举报人王小明，反映"),
    ],
)
def test_a_text_that_bears_a_mark_is_named_by_its_column(mark: str, text: str) -> None:
    for column in ("facts", "content", "remarks"):
        assert found(**{column: text}) == {f"R26.{each}": column for each in mark.split()}


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
        "接纳未成年人进入营业场所",
        "接纳未成年人进入游艺娱乐场所",
        "向未成年人销售烟酒",
        "向未成年人销售白酒",
        "未设置未成年人禁入标志",
        "未在显著位置张贴未成年人严禁入内标志",
        "为未成年人文身",
        "接纳未成年人时未核对身份证件",
        "《中华人民共和国未成年人保护法》",
        "禁止未满18周岁的未成年人进入",
        "未张贴未满18周岁禁止入内标志",
        "向未满18周岁的人员提供上网服务",
        "招用不满16周岁的童工",
        "招用不满十六周岁的未成年人，",
        "使用未满16周岁的童工从事生产",
        "小学生用品",
        "小学生文具",
        "中学生校服",
        "男童毛衣",
        "16岁以下",
        "3周岁以下婴幼儿玩具",
        "适用年龄14岁以上",
        "未标明适用于未满3岁儿童",
        "安全座椅适合3岁以上儿童",
        "保质期15个月，2018年5月生产",
        "成立于2004年5月1日",
        "当事人王某，男，45岁",
        "张某二十五岁",
        "组织小学三年级学生补课",
        "消费者权益",
        "消费者投诉",
        "消费者向我局投诉",
        "消费者于某日购买",
        "误导消费者易产生误解",
        "员工宿舍",
        "员工健康证",
        "员工安全培训",
        "从业人员工程款",
        "举报人奖励",
        "证人证言",
        "证人李某证言",
        "学生公寓管理",
        "患者康复治疗",
        "国家住房和城乡建设部",
        "持护照办理",
    ],
)
def test_an_offence_that_speaks_of_secrets_or_minors_is_no_secret(text: str) -> None:
    assert found(facts=text) == {}


def test_the_law_quoted_and_the_names_of_forms_are_not_looked_at() -> None:
    assert found(basis="《中华人民共和国保守国家秘密法》涉及国家秘密") == {}


def test_a_mark_counts_in_the_years_of_its_row_only() -> None:
    before = {name: pa.array(["涉及国家秘密" if name == "facts" else None], TEXT) for name in [*SUBJECT, "facts"]}
    asked = withheld_findings(before, None, dt.date(2018, 4, 30))
    assert asked.keys() == withheld_findings(before, None, DAY).keys(), "a suite names all of them, whatever the day"
    assert asked["R26.secret"].to_pylist() == [None]
    assert {mark.id for mark in content_marks()} == {"secret", "minor", "personal_detail"}


@pytest.mark.parametrize(
    "row",
    [
        "{id: a}",
        "{id: a, from: 2018-01-01, to: null, pick: a, any_of: [], not_in: [], source: s}",
        "{id: a, from: 2018-01-01, to: null, pick: a, any_of: ['<UNKNOWN>'], not_in: [], source: s}",
    ],
)
def test_a_row_that_cannot_be_used_is_named(row: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"^a:"):
        read_marks(f"marks: [{row}]")


_PARTS = st.sampled_from(
    [
        "张小明", "欧阳", "安", "（", "，", "15", "岁", "十五", "周岁", "未满", "18", "未成年人", "童工", "学生",
        "系", "的", "小", "初中",
        "年级", "2004年5月", "出生", "生", "于", "消费者", "员工", "举报人", "：", "护照", "E12345678", "账户",
        "123456789012", "家",
        "住", "址", "户籍", "京A12345", "不予", "公开", "国家", "秘密", "涉及", "个人隐私", "内部资料",
    ]
)  # fmt: skip


@given(st.lists(_PARTS, max_size=8).map("".join))
def test_whatever_bears_a_mark_is_picked(text: str) -> None:
    texts = pa.array([text])
    for mark in content_marks():
        if pc.match_substring_regex(texts, mark.any_of)[0].as_py():
            assert pc.match_substring_regex(texts, mark.pick)[0].as_py()


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
