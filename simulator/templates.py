"""How a record is written down: columns of each kind and sheet, in their order, from the facts of a record.

Facts are texts by plain names (``name``, ``uscc``, ``content`` ...); a template lists (column code, fact). The column
codes are those of 发改办财金〔2018〕790号 (standard) and of the sheet before it (legacy), for inspections and lists
those of the national system's tables.
"""

from __future__ import annotations

from typing import Final

from transforms.columns import Kind, Sheet

Facts = dict[str, str]
Row = dict[str, str]


def _subject(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"{prefix}_XDR_MC", "name"),
        (f"{prefix}_XDR_LB", "category"),
        (f"{prefix}_XDR_SHXYM", "uscc"),
        (f"{prefix}_XDR_GSZC", "regno"),
        (f"{prefix}_XDR_ZZJG", "org_code"),
        (f"{prefix}_XDR_SWDJ", "tax_no"),
        (f"{prefix}_XDR_SYDW", "institution_no"),
        (f"{prefix}_XDR_SHZZ", "social_no"),
        (f"{prefix}_FRDB", "legal_rep"),
        (f"{prefix}_FR_SFZH", "legal_rep_id"),
        (f"{prefix}_XDR_ZJLX", "id_type"),
        (f"{prefix}_XDR_ZJHM", "id_no"),
    )


def _on_a_list(own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Columns of the national system's tables, with the subject's under their names there."""
    return (
        ("ENTNAME", "name"),
        ("XDR_LB", "category"),
        ("UNISCID", "uscc"),
        ("REGNO", "regno"),
        ("XDR_ZZJG", "org_code"),
        ("XDR_SWDJ", "tax_no"),
        ("LEREP", "legal_rep"),
        ("XDR_ZJLX", "id_type"),
        ("XDR_ZJHM", "id_no"),
        *own,
        ("DATADEPT", "source"),
        ("DATADEPTDM", "source_code"),
        ("BZ", "remarks"),
    )


TEMPLATES: Final[dict[tuple[Kind, Sheet], tuple[tuple[str, str], ...]]] = {
    (Kind.LICENCE, Sheet.STANDARD): (
        *_subject("XK"),
        ("XK_XKWS", "document_name"),
        ("XK_WSH", "document_no"),
        ("XK_XKLB", "classes"),
        ("XK_XKZS", "certificate_name"),
        ("XK_XKBH", "certificate_no"),
        ("XK_NR", "content"),
        ("XK_JDRQ", "decided"),
        ("XK_YXQZ", "valid_from"),
        ("XK_YXQZI", "valid_to"),
        ("XK_XKJG", "authority"),
        ("XK_XKJGDM", "authority_code"),
        ("XK_ZT", "status"),
        ("XK_LYDW", "source"),
        ("XK_LYDWDM", "source_code"),
        ("BZ", "remarks"),
    ),
    (Kind.PENALTY, Sheet.STANDARD): (
        *_subject("CF"),
        ("CF_WSH", "document_no"),
        ("CF_WFXW", "violation"),
        ("CF_SY", "facts"),
        ("CF_YJ", "basis"),
        ("CF_CFLB", "classes"),
        ("CF_NR", "content"),
        ("CF_NR_FK", "fine"),
        ("CF_NR_WFFF", "confiscated"),
        ("CF_NR_ZKDX", "revoked"),
        ("CF_JDRQ", "decided"),
        ("CF_YXQ", "valid_to"),
        ("CF_GSJZQ", "shown_until"),
        ("CF_CFJG", "authority"),
        ("CF_CFJGDM", "authority_code"),
        ("CF_SJLY", "source"),
        ("CF_SJLYDM", "source_code"),
        ("BZ", "remarks"),
    ),
    (Kind.LICENCE, Sheet.LEGACY): (
        ("XK_WSH", "document_no"),
        ("XK_XMMC", "document_name"),
        ("XK_SPLB", "classes"),
        ("XK_NR", "content"),
        ("XK_XDR", "name"),
        ("XK_XDR_SHXYM", "uscc"),
        ("XK_XDR_ZDM", "org_code"),
        ("XK_XDR_GSDJ", "regno"),
        ("XK_XDR_SWDJ", "tax_no"),
        ("XK_XDR_SFZ", "id_no"),
        ("XK_FR", "legal_rep"),
        ("XK_JDRQ", "decided"),
        ("XK_JZQ", "valid_to"),
        ("XK_XZJG", "authority"),
        ("XK_ZT", "status"),
        ("DFBM", "region"),
        ("SJC", "updated"),
        ("BZ", "remarks"),
    ),
    (Kind.PENALTY, Sheet.LEGACY): (
        ("CF_WSH", "document_no"),
        ("CF_CFMC", "case_name"),
        ("CF_CFLB1", "classes"),
        ("CF_CFLB2", "second_class"),
        ("CF_SY", "facts"),
        ("CF_YJ", "basis"),
        ("CF_XDR_MC", "name"),
        ("CF_XDR_SHXYM", "uscc"),
        ("CF_XDR_ZDM", "org_code"),
        ("CF_XDR_GSDJ", "regno"),
        ("CF_XDR_SWDJ", "tax_no"),
        ("CF_XDR_SFZ", "id_no"),
        ("CF_FR", "legal_rep"),
        ("CF_JG", "content"),
        ("CF_JDRQ", "decided"),
        ("CF_XZJG", "authority"),
        ("CF_ZT", "status"),
        ("DFBM", "region"),
        ("SJC", "updated"),
        ("BZ", "remarks"),
        ("CF_GSJZQ", "shown_until"),
        ("CF_QX", "shown_for"),
    ),
    (Kind.INSPECTION, Sheet.STANDARD): _on_a_list(
        (
            ("INSID", "document_no"),
            ("INSTYPE_CN", "check_type"),
            ("INSCONTENTS", "content"),
            ("INSDATE", "decided"),
            ("INSRES_CN", "result"),
            ("INSAUTH_CN", "authority"),
            ("INSAUTH", "authority_code"),
        )
    ),
    (Kind.ABNORMAL_OPERATION, Sheet.STANDARD): _on_a_list(
        (
            ("BUSEXCLIST", "document_no"),
            ("SPECAUSE_CN", "cause"),
            ("ABNTIME", "decided"),
            ("DECORG_CN", "authority"),
            ("DECORG", "authority_code"),
            ("REMEXCPRES_CN", "removal_reason"),
            ("REMDATE", "removed"),
            ("REDECORG_CN", "removal_authority"),
        )
    ),
    (Kind.SERIOUS_VIOLATION, Sheet.STANDARD): _on_a_list(
        (
            ("ILLID", "entry_no"),
            ("SERILLREA_CN", "cause"),
            ("ABNTIME", "decided"),
            ("DECORG_CN", "authority"),
            ("DECORG", "authority_code"),
            ("DEDOCNUM", "document_no"),
            ("PEMEXCPREXS_CN", "removal_reason"),
            ("REMDATE", "removed"),
            ("RECORG_CN", "removal_authority"),
            ("RECORGNUM", "removal_document_no"),
        )
    ),
    (Kind.ENFORCEMENT_NOTICE, Sheet.STANDARD): (
        ("ZF_XDR_MC", "name"),
        ("ZF_XDR_LB", "category"),
        ("ZF_XDR_SHXYM", "uscc"),
        ("ZF_XDR_GSZC", "regno"),
        ("ZF_XDR_ZZJG", "org_code"),
        ("ZF_XDR_SWDJ", "tax_no"),
        ("ZF_FRDB", "legal_rep"),
        ("ZF_XDR_ZJLX", "id_type"),
        ("ZF_XDR_ZJHM", "id_no"),
        ("ZF_WSH", "document_no"),
        ("ZF_LB", "measure"),
        ("ZF_SY", "facts"),
        ("ZF_YJ", "basis"),
        ("ZF_NR", "content"),
        ("ZF_WZMC", "site_name"),
        ("ZF_WZ", "site_address"),
        ("ZF_JDRQ", "decided"),
        ("ZF_ZGQX", "due"),
        ("ZF_LSQK", "result"),
        ("ZF_JG", "authority"),
        ("ZF_JGDM", "authority_code"),
        ("ZF_SJLY", "source"),
        ("ZF_SJLYDM", "source_code"),
        ("SJC", "updated"),
        ("BZ", "remarks"),
    ),
    (Kind.BASIC_INFO, Sheet.STANDARD): (
        ("OPERATOR_NAME", "name"),
        ("OPERATOR_LB", "category"),
        ("OPERATOR_USCC", "uscc"),
        ("OPERATOR_REGNO", "regno"),
        ("OPERATOR_ZZJG", "org_code"),
        ("OPERATOR_SWDJ", "tax_no"),
        ("OPERATOR_REP", "legal_rep"),
        ("OPERATOR_ZJLX", "id_type"),
        ("OPERATOR_ZJHM", "id_no"),
        ("SUBJECT_ID", "document_no"),
        ("SITE_TYPE", "site_type"),
        ("SITE_NAME", "site_name"),
        ("URL", "site_address"),
        ("PLATFORM_NAME", "platform_name"),
        ("SHOP_ID", "shop_id"),
        ("ICP_NO", "icp_no"),
        ("ICP_ORG", "icp_holder"),
        ("LICENCE_SHOWN", "licence_shown"),
        ("SELF_OPERATED", "self_operated"),
        ("SITE_STATE", "site_state"),
        ("DISTRICT", "region"),
        ("SNAPSHOT_DATE", "decided"),
        ("COLLECTED_BY", "authority"),
        ("COLLECTED_BY_CODE", "authority_code"),
        ("DATADEPT", "source"),
        ("DATADEPTDM", "source_code"),
        ("SJC", "updated"),
        ("BZ", "remarks"),
    ),
}


def render(facts: Facts, kind: Kind, sheet: Sheet) -> Row:
    """Write facts into the columns of a sheet; what the facts do not hold is an empty text."""
    return {code: facts.get(fact, "") for code, fact in TEMPLATES[kind, sheet]}
