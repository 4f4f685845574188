"""The speed and memory bench: seeded data, the plain script that a competent team would write first, and a meter.

Nothing here is imported by the pipeline. ``data`` makes a register and penalties of any size in bounded memory,
``peer_pandas`` is the yardstick, ``measure`` runs a command and reads its wall time and peak memory.
"""
