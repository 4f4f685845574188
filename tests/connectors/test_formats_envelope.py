"""SOAP envelopes: the same rows, whether they stand in the envelope as elements, as text, or as CDATA."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

import pytest

from connectors.formats.reader import open_table
from transforms.problems import DeliveryRefused

ROWS = (
    "<ROWDATA><ROW><XK_WSH>京〔2018〕1号</XK_WSH><XK_NR>甲&amp;乙 &lt;丙&gt;</XK_NR></ROW>"
    "<ROW><XK_WSH>2</XK_WSH></ROW></ROWDATA>"
)
SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"


def envelope(inside: str, namespace: str = SOAP_11) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{namespace}"><soap:Body>'
        f'<ns:exportResponse xmlns:ns="urn:x"><return><code>00</code><xml>{inside}</xml></return>'
        "</ns:exportResponse></soap:Body></soap:Envelope>"
    )


def rows(content: bytes) -> list[dict[str, object]]:
    with open_table(io.BytesIO(content), file="batch.xml") as table:
        return [row for batch in table.batches() for row in batch.to_pylist()]


@pytest.mark.parametrize("namespace", [SOAP_11, SOAP_12])
@pytest.mark.parametrize(
    "inside",
    [ROWS, escape(ROWS), f"<![CDATA[{ROWS}]]>", escape(f'<?xml version="1.0" encoding="GBK"?>\n{ROWS}')],
    ids=["elements", "text", "cdata", "text with declaration"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rows_are_read_out_of_an_envelope(inside: str, namespace: str, encoding: str) -> None:
    text = envelope(inside, namespace).replace("utf-8", encoding)
    assert rows(text.encode(encoding)) == [
        {"row_no": 1, "XK_WSH": "京〔2018〕1号", "XK_NR": "甲&乙 <丙>"},
        {"row_no": 2, "XK_WSH": "2", "XK_NR": None},
    ]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (envelope(escape(ROWS[:-20])), "F09"),
        (envelope(escape(ROWS))[:-30], "F09"),
        (envelope(escape(f"<!DOCTYPE ROWDATA [<!ENTITY a 'b'>]>{ROWS}")), "F10"),
        (envelope(escape(ROWS)).replace("<code>00</code>", f"<code>{escape(ROWS)}</code>"), "F05"),
        (envelope(""), "F05"),
    ],
    ids=["inner cut off", "envelope cut off", "inner doctype", "two documents", "no rows"],
)
def test_an_envelope_that_cannot_be_read_is_refused(content: str, rule: str) -> None:
    with pytest.raises(DeliveryRefused) as caught:
        rows(content.encode())
    assert caught.value.problem.rule == rule


def test_an_undecodable_byte_inside_the_text_damages_its_row_only() -> None:
    content = envelope(escape(ROWS)).encode().replace("甲".encode(), b"\xff\xfe")
    with open_table(io.BytesIO(content), file="batch.xml") as table:
        good = [row["row_no"] for batch in table.batches() for row in batch.to_pylist()]
        assert good == [2]
        assert [(problem.rule, problem.row) for problem in table.problems] == [("F14", 1)]
