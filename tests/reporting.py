"""Annual reports and online subjects as the industry and commerce authority delivers them, to be spoilt by a test."""

from __future__ import annotations

from delivering import Company, Row

YEAR = 2017


def report(company: Company, *, address: str = "", **other: str) -> Row:
    """One row of the report of 2017, filed on 1 March 2018; with an address, the site that it names."""
    return {
        "ANCHEID": f"A{company.serial:08}",
        "UNISCID": company.uscc,
        "REGNO": company.regno,
        "ENTNAME": company.name,
        "ANCHEYEAR": str(YEAR),
        "ANCHEDATE": "2018-03-01",
        "ISWEB": "1" if address else "0",
        "TYPOFWEB": "1" if address else "",
        "WEBSITNAME": f"仿真{company.serial}官网" if address else "",
        "DOMAIN": address,
    } | other


def subject(company: Company, *, address: str, number: int = 0, **other: str) -> Row:
    """A snapshot of August 2018 of a site seen since 2016, with the company's licence on it."""
    return {
        "SUBJECT_ID": f"S{company.serial:06}{number:02}",
        "SNAPSHOT_DATE": "2018-08-01",
        "FIRST_SEEN": "2016-05-01",
        "LAST_SEEN": "2018-08-01",
        "SITE_TYPE": "1",
        "SITE_NAME": f"仿真{company.serial}官网",
        "URL": address,
        "PLATFORM_NAME": "",
        "SHOP_ID": "",
        "OPERATOR_NAME": company.name,
        "OPERATOR_USCC": company.uscc,
        "OPERATOR_REGNO": company.regno,
        "LICENCE_SHOWN": "1",
        "ICP_NO": f"京ICP备{company.serial:08}号-1",
        "SITE_STATE": "正常",
        "DISTRICT": "110105",
    } | other
