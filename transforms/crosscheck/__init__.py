"""The cross-check (比对): what enterprises report of their sites against what the monitoring base saw (domain 5.5).

``cases`` is the decision table as data, ``pairing`` decides which row stands for which site, ``decide`` finds what
differs. Findings are leads for inspection (执法检查) and are never published.
"""
