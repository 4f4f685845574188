"""How a record is written down: columns of each kind and sheet, in their order, from the facts of a record.

Facts are texts by plain names (``name``, ``uscc``, ``content`` ...); a template lists (column code, fact). The column
codes are those of 发改办财金〔2018〕790号 (standard) and of the sheet before it (legacy).
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
}


def render(facts: Facts, kind: Kind, sheet: Sheet) -> Row:
    """Write facts into the columns of a sheet; what the facts do not hold is an empty text."""
    return {code: facts.get(fact, "") for code, fact in TEMPLATES[kind, sheet]}
