"""SQLite's words: numbered parameters, and functions and collations of ours where its own would not be exact."""

from __future__ import annotations

from typing import Final

from datastores.sqlite.values import FOLD_FUNCTION
from datastores.tables.grammar import Grammar


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _contains(text: str, needle: str) -> str:
    return f"instr({text}, {needle}) > 0"


def _starts(text: str, needle: str) -> str:
    return f"instr({text}, {needle}) = 1"


def _ends(text: str, needle: str) -> str:
    # In bytes: SQLite's length() of a text ends at a NUL, which other programs' data may hold.
    return f"substr(CAST({text} AS BLOB), -length(CAST({needle} AS BLOB))) = CAST({needle} AS BLOB)"


def _fold(text: str) -> str:
    return f"{FOLD_FUNCTION}({text})"


GRAMMAR: Final = Grammar(
    parameter=lambda number: f"?{number}",
    contains=_contains,
    starts=_starts,
    ends=_ends,
    fold=_fold,
    fold_value=str,
    true="1",
    false="0",
    unlimited=-1,
)
