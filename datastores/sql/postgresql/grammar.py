"""PostgreSQL's words: nulls that must be told to be smallest, and case ignored exactly whatever the locale."""

from __future__ import annotations

from datastores.sql.dialect import Ask, parameter
from datastores.sql.folding import cased, differences
from datastores.tables.grammar import Grammar, Write
from rest_kit.rows import fold

CANDIDATES = ("pg_c_utf8", "default", "und-x-icu", "C")
"""Collations whose lower() may do, the quickest first; the last is always there."""

_COLLATIONS = """
SELECT collname FROM pg_catalog.pg_collation
WHERE pg_catalog.pg_collation_is_visible(oid) AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
"""


def grammar(fold_text: Write) -> Grammar:
    """The words, with what ignores the case of a text."""
    return Grammar(
        parameter=parameter,
        contains=lambda text, needle: f"strpos({text}, {needle}) > 0",
        starts=lambda text, needle: f"starts_with({text}, {needle})",
        ends=lambda text, needle: f"right({text}, length({needle})) = {needle}",
        fold=fold_text,
        fold_value=fold_text,
        nulls=(" NULLS FIRST", " NULLS LAST"),
        # a value may stand in a statement four times, which holds 65,535 parameters at most
        max_values=15_000,
        lock="FOR UPDATE OF t",
        gathers=True,
    )


def folding(ask: Ask) -> Write:
    """What ignores the case of a text on this server: the collation with the fewest letters to exchange beforehand."""
    known = {name for (name,) in ask(_COLLATIONS, ())}
    found = [_exchanges(ask, name) for name in CANDIDATES if name in known]
    exchanged, collation = min(((letters, name) for letters, name in found), key=lambda one: len(one[0]))
    before, after = quoted(exchanged), quoted("".join(map(fold, exchanged)))

    def write(text: str) -> str:
        return f'lower(translate({text}, {before}, {after}) COLLATE "{collation}")'

    return write


def _exchanges(ask: Ask, collation: str) -> tuple[str, str]:
    """The letters that must be exchanged before a collation's lower(), and that collation."""
    text = f"translate({parameter(1)}, 'Σİ', 'σi')"
    lowered = ask(f'SELECT lower({text} COLLATE "{collation}")', (cased(),))
    return "Σİ" + (differences(lowered[0][0]) or ""), collation


def quoted(text: str) -> str:
    """Letters as an SQL string; none of them is a quote."""
    return f"'{text}'"
