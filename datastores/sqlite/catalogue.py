"""What SQLite's catalogue says of a table or view: its columns, keys, unique sets and references, as values."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from datastores.sqlite.grammar import quote

PRIVATE: Final = "_rest_kit_"
"""How the names of our own tables begin."""

_SIZE = re.compile(r"\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\)")
_TOKEN = re.compile(r"""--[^\n]*|'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|\w+|[()]""")
_QUOTED_OR_COMMENT = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column: `generated` where it is computed, `key` its place in the primary key (0: none)."""

    name: str
    declared: str
    not_null: bool
    default: str | None
    key: int
    generated: bool

    @property
    def size(self) -> tuple[int, int] | None:
        """The numbers in the declared type, as in `decimal(6, 2)`, the second one 0 where there is none."""
        found = _SIZE.search(self.declared)
        return (int(found[1]), int(found[2] or 0)) if found else None

    @property
    def affinity(self) -> str:
        """The affinity that the declared type stands for (sqlite.org/datatype3.html §3.1)."""
        declared = self.declared.upper()
        for affinity, words in _AFFINITIES:
            if any(word in declared for word in words):
                return affinity
        return "NUMERIC" if declared else "BLOB"


_AFFINITIES: Final = (
    ("INTEGER", ("INT",)),
    ("TEXT", ("CHAR", "CLOB", "TEXT")),
    ("BLOB", ("BLOB",)),
    ("REAL", ("REAL", "FLOA", "DOUB")),
)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view as the catalogue describes it.

    `rowid` is the name under which the row's number can be read (None: there is none), `alias` the column that is
    that number; `keeps_ids` whether SQLite itself never hands out a number twice. `unique` holds every set of columns
    that must be unique, the primary key included; `loose` the columns that an index compares otherwise than byte by
    byte; `references` the table and column that single columns refer to, `on_delete` what SQLite does to them when that
    is deleted, `deferred` whether some reference is checked no earlier than at the commit; `encoding` is that of the
    file's texts.
    """

    name: str
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    rowid: str | None
    alias: str | None
    keeps_ids: bool
    unique: tuple[tuple[str, ...], ...]
    indexed: frozenset[str]
    loose: frozenset[str]
    references: dict[str, tuple[str, str]]
    on_delete: dict[str, str]
    deferred: bool
    encoding: str

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the declared primary key."""
        parts = sorted((column.key, column.name) for column in self.columns if column.key)
        return tuple(name for _, name in parts)

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name; SQLite's names ignore the case of ASCII letters."""
        wanted = name.lower()
        return next((column for column in self.columns if column.name.lower() == wanted), None)


def list_names(connection: sqlite3.Connection, *, views: bool = True) -> list[str]:
    """The user's tables, and views unless these are not wanted, by name."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', ?) AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY name",
        ("view" if views else "table",),
    )
    return [name for (name,) in rows if not name.startswith(PRIVATE)]


def words_in(text: str) -> set[str]:
    """The names in a piece of SQL, quoted or not, in small letters; what stands in single quotes is none."""
    return {word.strip('"`[]').lower() for word in _TOKEN.findall(text) if not word.startswith("'")}


def check_named(connection: sqlite3.Connection, table: str, name: str) -> str:
    """The condition of the table's CHECK of that name; empty where it has none."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = ? COLLATE NOCASE", (table,)).fetchone()
    tokens = _TOKEN.findall(found[0] or "") if found else []
    plain = [token.strip('"`[]').lower() for token in tokens]
    for place in range(len(tokens) - 2):
        if plain[place : place + 3] == ["constraint", name.lower(), "check"]:
            return " ".join(_within_parentheses(tokens[place + 3 :]))
    return ""


def _within_parentheses(tokens: Sequence[str]) -> Iterator[str]:
    """The tokens up to the parenthesis that closes the first one."""
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0:
            return
        yield token


def read_table(connection: sqlite3.Connection, name: str) -> TableInfo | None:
    """What the catalogue says of a table or view; None where there is none of that name."""
    found = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    if found is None:
        return None
    real, kind, sql = found
    columns = _columns(connection, real)
    indexes = _indexes(connection, real)
    rowid = None if kind == "view" else _rowid_name(connection, real, columns)
    alias = _alias(columns, indexes) if rowid else None
    words = _QUOTED_OR_COMMENT.sub("", sql or "").upper()
    return TableInfo(
        name=real,
        is_view=kind == "view",
        columns=columns,
        rowid=rowid,
        alias=alias,
        keeps_ids="AUTOINCREMENT" in words,
        unique=_unique_sets(indexes, alias),
        indexed=frozenset(index.columns[0] for index in indexes if index.columns and not index.partial),
        loose=frozenset(name for index in indexes for name in index.loose),
        references=_references(connection, real),
        on_delete=_on_delete(connection, real),
        deferred=re.search(r"INITIALLY\s+DEFERRED", words) is not None,
        encoding=connection.execute("PRAGMA encoding").fetchone()[0],
    )


def _columns(connection: sqlite3.Connection, table: str) -> tuple[ColumnInfo, ...]:
    rows = connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
        " WHERE hidden <> 1 ORDER BY cid",
        (table,),
    )
    return tuple(
        ColumnInfo(name, declared or "", bool(not_null), default, key, hidden in (2, 3))
        for name, declared, not_null, default, key, hidden in rows
    )


@dataclass(frozen=True, slots=True)
class _Index:
    """One index; a column that is an expression is left out, and makes the index useless as a promise."""

    columns: tuple[str, ...]
    unique: bool
    of_key: bool
    partial: bool
    loose: tuple[str, ...]


def _indexes(connection: sqlite3.Connection, table: str) -> list[_Index]:
    listed = connection.execute('SELECT name, "unique", origin, partial FROM pragma_index_list(?)', (table,)).fetchall()
    found = []
    for name, unique, origin, partial in listed:
        parts = connection.execute(
            "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno", (name,)
        ).fetchall()
        columns = tuple(column for column, _ in parts if column is not None)
        whole = len(columns) == len(parts) and not partial
        loose = tuple(column for column, collation in parts if column and collation.upper() != "BINARY")
        found.append(_Index(columns, bool(unique) and whole, origin == "pk", not whole, loose))
    return found


def _rowid_name(connection: sqlite3.Connection, table: str, columns: tuple[ColumnInfo, ...]) -> str | None:
    """The name that reads the row's number; None for a table WITHOUT ROWID, or where columns hide every such name."""
    taken = {column.name.lower() for column in columns}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            try:
                connection.execute(" ".join(("SELECT", name, "FROM", quote(table), "LIMIT 0")))
            except sqlite3.OperationalError:
                return None
            return name
    return None


def _alias(columns: tuple[ColumnInfo, ...], indexes: list[_Index]) -> str | None:
    """The column that is the row's number: an INTEGER PRIMARY KEY, for which SQLite needs no index."""
    keys = [column for column in columns if column.key]
    if len(keys) == 1 and keys[0].declared.upper() == "INTEGER" and not any(index.of_key for index in indexes):
        return keys[0].name
    return None


def _unique_sets(indexes: list[_Index], alias: str | None) -> tuple[tuple[str, ...], ...]:
    sets: list[tuple[str, ...]] = [(alias,)] if alias else []
    sets += [index.columns for index in indexes if index.unique]
    return tuple(dict.fromkeys(sets))


def _references(connection: sqlite3.Connection, table: str) -> dict[str, tuple[str, str]]:
    """The table and column that each column refers to; a reference of several columns at once is left out."""
    rows = connection.execute(
        'SELECT id, "from", "table", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', (table,)
    ).fetchall()
    ids = [row[0] for row in rows]
    found = {}
    for number, column, parent, target in rows:
        if ids.count(number) == 1:
            found[column] = (parent, target or _only_key(connection, parent))
    return {column: (parent, target) for column, (parent, target) in found.items() if target}


def _on_delete(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """What SQLite does to a referring column when what it refers to is deleted, as the catalogue writes it."""
    return dict(connection.execute('SELECT "from", on_delete FROM pragma_foreign_key_list(?)', (table,)).fetchall())


def _only_key(connection: sqlite3.Connection, table: str) -> str:
    """The primary key of a table, where it is one column."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,)).fetchall()
    return str(rows[0][0]) if len(rows) == 1 else ""
