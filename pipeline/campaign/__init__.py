"""The summary report of a special action (专项行动总结统计): figures, what contradicts them, what is missing, cases.

``filling`` an agency's return read, judged and entered · ``return_file`` a return as XLSX or CSV · ``standing`` how the
returns stand ·
``report`` what a report says · ``making`` putting one together from records and returns · ``cases`` choosing typical
cases and cutting personal data · ``missing`` which returns are missing, and when people are told · ``workbook``,
``page``, ``charts`` the report as XLSX and as one HTML page, both from what was kept in the ledger alone
"""
