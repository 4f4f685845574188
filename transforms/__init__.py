"""Pure functions on tables: identifiers, names, dates, money, sheets, attachment, disclosure, feed deltas.

Nothing here reads a file, a clock, a database or the network (package data that ships beside the code is read
once at import). Row-local work takes and returns Arrow arrays, so that one definition serves a million rows, one
row in a steward's browser, and another engine; relational work is written as Ibis expressions.
"""
