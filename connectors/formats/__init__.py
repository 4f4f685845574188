"""File formats of deliveries: each module turns bytes into batches of text columns, and never guesses a meaning.

``reader.open_table`` is the door. What lives here: telling the format (``content``) and the encoding (``encoding``),
one module per format (``delimited``, ``workbook``, ``xml_rows``, ``html_detail``, ``json_value``, ``json_lines``), what
SOAP wraps around XML (``envelope``), the screen that every batch passes (``screening``), the bounds (``limits``) and
what is said of damage (``rules``). What may not: names of columns, sheets, kinds of record.

The contract of all formats: a file is refused as a whole (``DeliveryRefused``) or each of its rows is either in a
batch, unchanged, or in ``problems`` with its row number, once.
"""
