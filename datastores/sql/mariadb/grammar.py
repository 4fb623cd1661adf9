"""MariaDB's words: its text functions made exact by a collation that compares code points."""

from __future__ import annotations

from typing import Final

from datastores.sql.dialect import Ask, parameter
from datastores.sql.mariadb.catalogue import EXACT
from datastores.tables.grammar import Grammar, Write

BEST: Final = "utf8mb4_uca1400_as_cs"
"""The collation whose lower() knows every letter (MariaDB 10.10 and later)."""
OLD: Final = "utf8mb4_general_ci"
"""The one there is before that, which knows the letters of Unicode 3."""

_IS_KNOWN: Final = "SELECT count(*) FROM information_schema.collations WHERE collation_name LIKE '%uca1400_as_cs'"


def grammar(fold_text: Write) -> Grammar:
    """The words, with what ignores the case of a text."""
    return Grammar(
        parameter=parameter,
        contains=lambda text, needle: f"locate({needle}, {text}) > 0",
        starts=lambda text, needle: f"left({text}, char_length({needle})) = {needle}",
        ends=lambda text, needle: f"right({text}, char_length({needle})) = {needle}",
        fold=fold_text,
        fold_value=fold_text,
        lock="FOR UPDATE",
        gathers=True,
    )


def folding(ask: Ask) -> Write:
    """What ignores the case of a text on this server."""
    collation = BEST if ask(_IS_KNOWN, ())[0][0] else OLD

    def write(text: str) -> str:
        return f"lower(CONVERT({text} USING utf8mb4) COLLATE {collation}) COLLATE {EXACT}"

    return write
