"""The report of a special action as a page: alone, on a telephone and on a screen, and for people with weak eyes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from delivering import DAY, NEXT_DAY
from playwright.sync_api import Browser, expect

from pipeline.campaign.files import write_files
from pipeline.campaign.making import make_report
from pipeline.office import Office
from store import campaign_returns
from transforms.campaign.sheets import sheets

CHECK = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@pytest.fixture
def page_file(office: Office, tmp_path: Path) -> Path:
    """A report of returns that contradict each other, of all agencies but one."""
    with office.engine.begin() as connection:
        for agency in sheets().agencies:
            if agency != "ipo":
                figures = {("110000", item.code): Decimal(12_345) for item in sheets().required_of(agency)}
                campaign_returns.submit(
                    connection, action="wj2018", agency=agency, period="2018-07", seen=0, figures=figures, warnings=[],
                    person="报送员", reason="", as_of=DAY,
                )  # fmt: skip
    _, page = write_files(make_report(office, "wj2018", as_of=NEXT_DAY, person="甲"), tmp_path)
    return page


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_needs_nothing_but_itself_and_can_be_read_at_any_width(
    chromium: Browser, page_file: Path, width: int
) -> None:
    asked: list[str] = []
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert asked == [page_file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("heading", name="2018网络市场监管专项行动（网剑行动） 情况统计")).to_be_visible()
    missing = page.locator("section", has=page.get_by_role("heading", name="未报统计表"))
    expect(missing.get_by_role("cell", name="北京市知识产权局")).to_be_visible()
    expect(page.get_by_role("img", name="网上检查网站、网店（个次）逐月")).to_be_visible()
    expect(page.get_by_text("移送公安机关的案件应不多于查处涉网违法案件").first).to_be_visible()
    page.get_by_text("分区情况 7月").click()
    expect(page.get_by_role("region", name="分区情况 7月")).to_be_visible()
    found = Axe().run(page, options={"runOnly": STANDARDS, "resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], node["html"][:140]) for each in found for node in each["nodes"]] == []
    assert page.evaluate(CHECK) == []
    page.close()
