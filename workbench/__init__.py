"""The stewards' workbench (数据员工作台): what people see of the record, and every way in which they decide about it.

Pages are rendered on the server, in Chinese, with one style sheet and one script of our own: nothing is fetched from
another host, so it works in a closed network. Here live routes, templates and the questions that pages ask of the
database; what changes the record is a function of ``pipeline``, the same one that the command and Airflow call.

Contract: no route answers without a person, unless ``access.PUBLIC`` names it; ``access.MAY`` says which roles may use
each of the others, and a route that it does not name answers nobody. A form carries the token of its session. An
agency steward sees the rows of one agency. Pages show ID numbers only as they are kept: masked.
"""
