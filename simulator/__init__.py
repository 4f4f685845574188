"""Thirteen agencies over their real protocols, seeded and with a truth file; used by the demo, the tests, the bench.

Nobody real: every enterprise has an organisation code beginning ``TE`` and a name beginning with a word for imitation.
The check characters are computed here, apart from ``transforms``, so that one can be held against the other.
"""
