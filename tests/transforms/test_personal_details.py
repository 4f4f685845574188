"""Cards, documents, plates, home addresses are cut from running text; what only looks like one is not. All made up."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.personal_details import cut_details, has_details, pick_on
from transforms.policy import PolicyInvalid
from transforms.policy.cuts import cuts_on, read_cuts

DAY = dt.date(2018, 8, 21)


def with_check(body: str) -> str:
    """Append the digit that makes a number of a card."""
    doubled = [int(d) * (1 if place % 2 else 2) for place, d in enumerate(reversed(body))]
    return body + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def cut(text: str) -> str:
    shown: str = cut_details(pa.array([text]), DAY)[0].as_py()
    return shown


CARD = with_check("622202110311010119")
NO_CARD = CARD[:-1] + str((int(CARD[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"汇入银行卡{CARD}。", "汇入银行卡〔卡号略〕。"),
        (f"卡号:{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:16]} {CARD[16:]},", "卡号:〔卡号略〕,"),
        ("卡号" + CARD.translate(str.maketrans("0123456789", "０１２３４５６７８９")), "卡号〔卡号略〕"),
        (f"卡号{CARD[:4]}\u00a0{CARD[4:8]}‑{CARD[8:12]}\u2003{CARD[12:16]}–{CARD[16:]}。", "卡号〔卡号略〕。"),
        ("驾驶京A12345号小型客车", "驾驶〔车牌略〕号小型客车"),
        ("车牌京N·8K8K8，", "车牌〔车牌略〕，"),
        ("新能源车京AD12345停放", "新能源车〔车牌略〕停放"),
        ("冀Ｂ１２３４５货车", "〔车牌略〕货车"),
        ("张某，家住北京市朝阳区仿真路1号院2号楼，", "张某，家住〔住址略〕，"),
        ("家庭住址：北京市海淀区仿真里3号。", "家庭住址：〔住址略〕。"),
        ("户籍所在地为河北省仿真县；", "户籍所在地为〔住址略〕；"),
        ("银行卡号9558800200116929221。", "银行卡号〔卡号略〕。"),
        ("付款9558 8002 0011 6929 221，", "付款〔卡号略〕，"),
        (f"转入{with_check('601382110311010')}，", "转入〔卡号略〕，"),
        (f"转入{with_check('690755110311010')}，", "转入〔卡号略〕，"),
        (f"转入{with_check('955990110311010119')}，", "转入〔卡号略〕，"),
        (f"汇入银行卡{NO_CARD}。", "汇入银行卡〔账号略〕。"),
        ("账号：0200 0010 0901 4413 578，", "账号：〔账号略〕，"),
        ("帐号为110100-11031101。", "帐号为〔账号略〕。"),
        ("退至其账户（１２３４５６７８９０１２）", "退至其账户（〔账号略〕）"),
        ("账户：中国工商银行北京仿真支行0200001009014413578；", "账户：中国工商银行北京仿真支行〔账号略〕；"),
        ("卡号" + "1" * 45, "卡号〔账号略〕"),
        ("约翰 护照E12345678", "约翰 护照〔证件号略〕"),
        ("护照号码：ｅ１２３４５６７８，", "护照号码：〔证件号略〕，"),
        ("持护照（EA 1234567）入境", "持护照（〔证件号略〕）入境"),
        ("证件为护照，号码No.E12345678。", "证件为护照，号码No.〔证件号略〕。"),
        ("来往内地通行证H1234567801", "来往内地通行证〔证件号略〕"),
        ("外国人永久居留身份证CAN110178010101", "外国人永久居留身份证〔证件号略〕"),
        ("永久居留911124198108030024；", "永久居留〔证件号略〕；"),
        ("军官证号南字第01234567号", "军官证号南字第〔证件号略〕号"),
        ("驾驶证110105199001010000，", "驾驶证〔证件号略〕，"),
        ("身份证号码11010519900101000，", "身份证号码〔证件号略〕，"),
        ("香港居民身份证A123456（7）", "香港居民身份证〔证件号略〕"),
        ("通行证号码：H12345678(02)，", "通行证号码：〔证件号略〕，"),
        ("家住北京市朝阳区、建国路88号院3号楼501室", "家住〔住址略〕"),
        ("家住北京市朝阳区，建国路88号院3号楼501室。", "家住〔住址略〕。"),
        ("家住北京市朝阳区,仿真小区,3号楼,501", "家住〔住址略〕"),
        ("家住北京市朝阳区(建国路88号院3号楼501室)，经营食品", "家住〔住址略〕，经营食品"),
        ("家住北京市朝阳区（建国路88号院3号楼501室", "家住〔住址略〕"),
        ("家住北京市朝阳区\n建国路88号院3号楼501室\n当事人", "家住〔住址略〕\n当事人"),
        ("卡号٦٢٢٢\n021234567890123", "卡号〔账号略〕"),
        ("张某（家住北京市朝阳区建国路88号）在某市场经营", "张某（家住〔住址略〕）在某市场经营"),
        ("家住:    北京市朝阳区\n当事人", "家住:    〔住址略〕\n当事人"),
        ("当事人张某，住北京市朝阳区建国路88号院3号楼501室，无照经营", "当事人张某，住〔住址略〕，无照经营"),
        ("张某住址北京市朝阳区、仿真路1号", "张某住址〔住址略〕"),
        ("住址：北京市朝阳区建国路88号", "住址：〔住址略〕"),
        ("张小明住于仿真小区3号楼，", "张小明住于〔住址略〕，"),
        ("张某住建国路88号院", "张某住〔住址略〕"),
        ("张某住处位于北京市朝阳区仿真路1号", "张某住处位于〔住址略〕"),
        ("张某，住房山区仿真镇", "张某，住〔住址略〕"),
        ("现居住于北京市朝阳区建国路88号，", "现居住于〔住址略〕，"),
        ("居住在河北省仿真县仿真村。", "居住在〔住址略〕。"),
        ("暂住北京市丰台区仿真胡同5号", "暂住〔住址略〕"),
        ("户口所在地：河北省仿真县", "户口所在地：〔住址略〕"),
        ("户籍：河北省仿真县，现住北京市朝阳区", "户籍：〔住址略〕，现住〔住址略〕"),
        ("户籍住址：河北省仿真县仿真镇，仿真村12号", "户籍住址：〔住址略〕"),
        ("家住北京市朝阳区驾驶京A12345号货车沿线1号", "家住〔住址略〕"),
        ("家住北京市〔电话略〕朝阳区仿真路1号", "家住〔住址略〕"),
    ],
)
def test_a_detail_is_cut_and_the_rest_stays(text: str, shown: str) -> None:
    assert cut(text) == shown
    assert has_details(pa.array([text, None]), DAY).to_pylist() == [True, None]
    assert has_details(pa.array([shown]), DAY).to_pylist() == [False]


@pytest.mark.parametrize(
    "text",
    [
        f"受理编号{NO_CARD}", f"许可证编号JY{CARD}", f"统一社会信用代码{CARD}A", f"编号9{CARD}",
        "京工商朝处字〔2018〕第62220211号", "京ICP备12345678号-1", "京B2-20170012号", "粤A2-20044005号",
        "京C12345号文件", "京公网安备11010502030123号", "统一社会信用代码91110108551385082Q",
        "企业住所位于北京市朝阳区仿真路1号", "对当事人的户籍，不予核查",
        "住所：北京市朝阳区仿真路1号", "住所地北京市朝阳区仿真路1号", "经营场所北京市朝阳区仿真路1号",
        "入住北京市朝阳区某酒店",
        "将住房出租，位于北京市朝阳区", "提供住宿服务的北京市仿真宾馆", "住宅楼位于朝阳区",
        "居住建筑位于北京市朝阳区仿真路1号",
        "北京市住建委海淀区分局", "违反国家住房和城乡建设部规定", "住院部位于朝阳区仿真路1号", "占用居住地块建设",
        "员工居住在生产区内", "员工住在经营场所二层", "允许员工住在该村库房", "堵住朝阳区仿真路1号院大门",
        "人员住满三个月的市民",
        "北京住总集团在朝阳区施工", "户籍管理部门", "户口登记", "不动产居住用房", "租住房屋未登记",
        "缴至账户，罚款123456789012元", "账户余额12345678901元", "货值金额9558800200116929222元",
        "编号95588002001169292210000",
        "许可证编号JY19558800200116929221", "注册号110105012345678", "账户开立日期2018年05月12日",
        "微信账号abc123456789012",
        "护照办理收费500元", "车辆通行证12345678", "进京通行证12345678", "驾驶证被扣12分", "身份证复印件2份",
        "居留期限90日",
        "身份证110105********0000", "身份证核验设备3台", "持驾驶证驾驶，2018年8月21日", "护照2018年办理",
    ],
)  # fmt: skip
def test_numbers_of_documents_and_addresses_of_enterprises_stay(text: str) -> None:
    assert cut(text) == text
    assert has_details(pa.array([text]), DAY).to_pylist() == [False]


_PARTS = st.sampled_from(
    [
        CARD, NO_CARD, "京A12345", "家住", "家庭住址:", "北京市朝阳区", "，", " ", "号", "当事人", "6222", "京", "A",
        "住", "住址", "居住在", "户籍", "：", "(", "）", "、", "仿真路1号", "所", "房山", "卡号", "账户", "护照",
        "通行证", "E12345678",
        "〔电话略〕", "〔", "\n",
    ]
)  # fmt: skip


@given(st.lists(_PARTS, max_size=8).map("".join))
def test_what_was_cut_holds_none_and_whatever_is_cut_is_picked(text: str) -> None:
    shown = cut_details(pa.array([text]), DAY)
    assert has_details(shown, DAY).to_pylist() == [False]
    if shown[0].as_py() != text:
        assert pc.match_substring_regex(pa.array([text]), pick_on(DAY))[0].as_py()
    for each in cuts_on(DAY):
        if each.pattern.search(text):
            assert pc.match_substring_regex(pa.array([text]), each.pick)[0].as_py()


def test_what_is_cut_is_dated_and_says_where_it_comes_from() -> None:
    assert {each.id for each in cuts_on(DAY)} == {
        "home_address", "bank_card", "bank_account", "document_of_person", "vehicle_plate",
    }  # fmt: skip
    assert all("unverified" in each.source for each in cuts_on(DAY))
    before = dt.date(2018, 4, 30)
    assert cuts_on(before) == ()
    assert cut_details(pa.array(["家住北京市"]), before).to_pylist() == ["家住北京市"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{id: x, from: 2018-01-01}", "x: missing or unknown key"),
        (
            "{id: x, from: 2018-01-01, to: null, pick: a, pattern: a, luhn: false, written: w, source: s}",
            "no group cut",
        ),
        ("{id: x, from: 2018-01-01, to: null, pick: a, pattern: '(', luhn: false, written: w, source: s}", "x: "),
        (
            "{id: x, from: 2018-01-01, to: null, pick: a, pattern: '<UNKNOWN>', luhn: false, written: w, source: s}",
            "x: no word UNKNOWN",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_name(row: str, said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        read_cuts(f"cuts: [{row}]")
