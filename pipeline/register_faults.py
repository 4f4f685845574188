"""What looking anything up in the register may fail with: without the engines, so that a DAG's policy may name it."""

from __future__ import annotations


class NoRegister(RuntimeError):
    """Nothing can be attached before a register is loaded."""


class IndexSuspect(RuntimeError):
    """The engine failed with an index, which may be damaged: it was removed, and the next try builds another."""
