"""The standard record: one set of columns per kind, whatever sheet or transport a row came by.

Names are English; the codes of the sheets (发改办财金〔2018〕790号 and the sheet before it) are mapped to them in
``transforms/sheets``. Amounts are 万元 in ``decimal(18, 6)``; dates are calendar days without a zone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import pyarrow as pa

MONEY: Final = pa.decimal128(18, 6)
TEXT: Final = pa.string()
DAY: Final = pa.date32()


class Kind(StrEnum):
    """What a record states about its subject."""

    LICENCE = "licence"
    PENALTY = "penalty"
    INSPECTION = "inspection"
    ABNORMAL_OPERATION = "abnormal_operation"
    SERIOUS_VIOLATION = "serious_violation"
    ENFORCEMENT_NOTICE = "enforcement_notice"
    BASIC_INFO = "basic_info"


DUAL_PUBLICITY: Final = (Kind.LICENCE, Kind.PENALTY)
"""双公示: what 发改办财金〔2018〕790号 sets a sheet for, and the only kinds that a sheet before it exists of."""

KIND_NAMES: Final[dict[Kind, str]] = {
    Kind.LICENCE: "行政许可",
    Kind.PENALTY: "行政处罚",
    Kind.INSPECTION: "抽查检查",
    Kind.ABNORMAL_OPERATION: "经营异常名录",
    Kind.SERIOUS_VIOLATION: "严重违法失信名单",
    Kind.ENFORCEMENT_NOTICE: "约谈整改等执法措施",
    Kind.BASIC_INFO: "网络经营者基础信息",
}
"""What stewards and agencies call each kind."""


class Reference(StrEnum):
    """What records, or each other, are held against; never disclosed."""

    ANNUAL_REPORT = "annual_report"
    ONLINE_SUBJECT = "online_subject"


REFERENCE_NAMES: Final[dict[Reference, str]] = {
    Reference.ANNUAL_REPORT: "企业年报网站网店信息",
    Reference.ONLINE_SUBJECT: "网监系统主体数据",
}
"""What stewards and agencies call each reference."""

Content = Kind | Reference
"""What a delivery may hold."""


CONTENT_NAMES: Final = dict[Content, str]((*KIND_NAMES.items(), *REFERENCE_NAMES.items()))


def content_named(name: str) -> Content:
    """Return the kind or the reference of that name; ValueError where there is none."""
    return Reference(name) if name in tuple(Reference) else Kind(name)


class Sheet(StrEnum):
    """The template version of a file; the same code can mean another thing in the other sheet."""

    STANDARD = "standard"
    LEGACY = "legacy"


SUBJECT: Final[dict[str, pa.DataType]] = {
    "subject_name": TEXT,  # 行政相对人名称
    "subject_category": TEXT,  # 行政相对人类别
    "uscc": TEXT,  # 统一社会信用代码
    "regno": TEXT,  # 工商注册号
    "org_code": TEXT,  # 组织机构代码
    "tax_no": TEXT,  # 税务登记号
    "institution_no": TEXT,  # 事业单位证书号
    "social_org_no": TEXT,  # 社会组织登记证号
    "legal_rep": TEXT,  # 法定代表人
    "legal_rep_id_type": TEXT,  # never leaves this system
    "legal_rep_id_no": TEXT,  # never leaves this system, masked at rest
    "id_type": TEXT,  # 证件类型, natural persons only
    "id_no": TEXT,  # 证件号码, masked at rest, never leaves this system
}
"""Who the record is about."""

DECISION: Final[dict[str, pa.DataType]] = {
    "document_no": TEXT,  # 决定书文号 as received
    "decision_date": DAY,  # day of the decision, check, listing (列入日期), notice or recording
    "authority_name": TEXT,
    "authority_code": TEXT,
    "source_name": TEXT,  # 数据来源单位
    "source_code": TEXT,
    "status": TEXT,  # one of RECORD_STATUS
    "remarks": TEXT,
    "region_code": TEXT,  # 地方编码, legacy sheet, provenance only
    "updated_at": TEXT,  # 数据更新时间戳; ISO text, orders versions
    "usage_scope": TEXT,  # 信息使用范围, legacy sheet
    "power_code": TEXT,  # 权力编码, legacy sheet
}
"""What every kind says of the decision itself."""

PASSED_ON_BY: Final = ("source_name", "source_code", "updated_at", "region_code")
"""What says who handed a record over and when; it differs where a ministry passes on what an office decided."""

LICENCE: Final[dict[str, pa.DataType]] = {
    "document_name": TEXT,  # 许可决定文书名称
    "project_name": TEXT,  # 项目名称, legacy sheet
    "licence_category": TEXT,  # 许可类别, joined by ;
    "certificate_name": TEXT,
    "certificate_no": TEXT,
    "content": TEXT,  # 许可内容
    "valid_from": DAY,
    "valid_to": DAY,
}

PENALTY: Final[dict[str, pa.DataType]] = {
    "case_name": TEXT,  # 处罚名称, legacy sheet
    "violation_type": TEXT,  # 违法行为类型, standard sheet only
    "facts": TEXT,  # 违法事实 (standard) or 处罚事由 (legacy)
    "basis": TEXT,  # 处罚依据
    "penalty_category": TEXT,  # 处罚类别, joined by ;
    "content": TEXT,  # 处罚内容
    "fine_amount": MONEY,  # 罚款金额(万元)
    "confiscated_amount": MONEY,  # 没收金额(万元)
    "revoked_certificate": TEXT,  # 暂扣或吊销证照名称及编号
    "valid_to": DAY,  # 处罚有效期
    "publicity_until": DAY,  # 公示截止期 as the agency gave it
    "publicity_period": TEXT,  # 公示期限 (1年, 3年), legacy sheet
    "seriousness": TEXT,  # 失信严重程度, legacy sheet
}

INSPECTION: Final[dict[str, pa.DataType]] = {
    "pripid": TEXT,  # 主体身份代码
    "entry_no": TEXT,  # the source's own number of the check
    "check_type": TEXT,  # 检查类型
    "content": TEXT,  # 检查内容
    "result": TEXT,  # 检查结果, joined by ;
}

ABNORMAL_OPERATION: Final[dict[str, pa.DataType]] = {
    "pripid": TEXT,  # 主体身份代码
    "entry_no": TEXT,  # the source's own number of the listing
    "listing_cause": TEXT,  # 列入经营异常名录原因
    "removal_reason": TEXT,  # 移出原因
    "removal_date": DAY,  # 移出日期, empty while listed
    "removal_authority": TEXT,  # 作出移出决定机关
}

SERIOUS_VIOLATION: Final[dict[str, pa.DataType]] = {
    "pripid": TEXT,  # 主体身份代码
    "entry_no": TEXT,
    "listing_cause": TEXT,  # 列入严重违法失信名单原因
    "removal_reason": TEXT,
    "removal_date": DAY,
    "removal_authority": TEXT,
    "removal_document_no": TEXT,  # 移出决定文书号
}

ENFORCEMENT_NOTICE: Final[dict[str, pa.DataType]] = {
    "measure": TEXT,  # 措施类别: 约谈, 责令整改, 提请关闭网站 ...
    "facts": TEXT,  # 事由
    "basis": TEXT,  # 依据
    "content": TEXT,  # 内容和要求
    "site_name": TEXT,  # 网站（网店）名称
    "site_address": TEXT,  # 网址
    "due_date": DAY,  # 整改期限
    "result": TEXT,  # 落实情况
}

BASIC_INFO: Final[dict[str, pa.DataType]] = {
    "entry_no": TEXT,  # 主体编号 in the monitoring base
    "site_type": TEXT,  # 独立网站, 平台内网店, 交易平台, 应用程序, 公众号和小程序
    "site_name": TEXT,
    "site_address": TEXT,  # 网址
    "platform_name": TEXT,  # 所属平台
    "shop_id": TEXT,  # 平台内店铺编号
    "icp_no": TEXT,  # ICP 备案（许可）号
    "icp_holder": TEXT,  # ICP 备案主体
    "licence_shown": TEXT,  # 亮照情况
    "self_operated": TEXT,  # 自营, 非自营
    "site_state": TEXT,  # 正常, 无法访问, 已关闭, 已注销
    "district_code": TEXT,  # 所在区代码, GB/T 2260
    "first_seen": DAY,  # 首次发现日期
    "last_seen": DAY,  # 最近发现日期
}

STANDARD_COLUMNS: Final[dict[Kind, dict[str, pa.DataType]]] = {
    Kind.LICENCE: SUBJECT | DECISION | LICENCE,
    Kind.PENALTY: SUBJECT | DECISION | PENALTY,
    Kind.INSPECTION: SUBJECT | DECISION | INSPECTION,
    Kind.ABNORMAL_OPERATION: SUBJECT | DECISION | ABNORMAL_OPERATION,
    Kind.SERIOUS_VIOLATION: SUBJECT | DECISION | SERIOUS_VIOLATION,
    Kind.ENFORCEMENT_NOTICE: SUBJECT | DECISION | ENFORCEMENT_NOTICE,
    Kind.BASIC_INFO: SUBJECT | DECISION | BASIC_INFO,
}

ORGANISATION: Final = "法人及非法人组织"
SOLE_TRADER: Final = "个体工商户"
NATURAL_PERSON: Final = "自然人"

SUBJECT_CODES: Final = ("uscc", "regno", "org_code", "tax_no", "institution_no", "social_org_no")
"""行政相对人代码_1 to _6 of the new sheet."""

FREE_TEXT: Final = (
    "content", "facts", "basis", "violation_type", "case_name", "project_name", "document_name", "certificate_name",
    "revoked_certificate", "remarks", "listing_cause", "removal_reason", "result",
)  # fmt: skip
"""Running text of a decision: a telephone number in it is cut before it is shown (domain 3.4)."""

RECORD_STATUS: Final = ("valid", "invalid", "withdrawn", "disputed", "other")
"""valid 有效/正常, invalid 无效, withdrawn 撤销, disputed 异议, other 其他 (the last two go to review)."""

DERIVED: Final[dict[str, pa.DataType]] = {
    "record_key": TEXT,  # stable public id of the decision about this subject: 32 hex digits
    "document_key": TEXT,  # 文书号, or the source's own number where there is none, folded for comparison
    "subject_key": TEXT,  # name folded for comparison
    "content_hash": TEXT,  # of every standard value: equal hash = same content
    "source_text": TEXT,  # JSON of the texts that standardising changed or did not know, ID numbers masked
    "flags": TEXT,  # names of mappings that guessed or could not map, joined by ;
}
"""What standardising adds beside the columns of the sheet."""


def record_schema(kind: Kind) -> pa.Schema:
    """Return the Arrow schema of standard records of one kind: row_no, standard columns, derived columns."""
    return pa.schema([pa.field("row_no", pa.int64()), *(STANDARD_COLUMNS[kind] | DERIVED).items()])


CODE_COLUMNS: Final = (
    "uscc", "regno", "org_code", "tax_no", "institution_no", "social_org_no", "authority_code", "source_code",
    "id_no", "legal_rep_id_no",
)  # fmt: skip
"""Columns whose text is a code: folded to half width, blanks and hyphens dropped, upper case."""

ID_COLUMNS: Final = ("id_no", "legal_rep_id_no")
"""The only columns that may hold an ID number; masked at rest and never published."""
