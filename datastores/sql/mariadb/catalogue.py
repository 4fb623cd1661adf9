"""MariaDB's information_schema read into values: enumerations, JSON columns, unique indexes, references."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo, Reference, TableInfo, TableName
from datastores.sql.dialect import Ask, marked
from datastores.tables.statements import Row
from rest_kit.store import OWN_TABLES

EXACT: Final = "utf8mb4_nopad_bin"
"""The collation that compares and orders text by code point, trailing blanks included."""

_FIND: Final = marked("""
SELECT table_name, table_schema, table_type, engine FROM information_schema.tables
WHERE table_schema = coalesce($2, database()) AND table_name = $1
""")
_LIST: Final = marked("""
SELECT table_name FROM information_schema.tables
WHERE table_schema = coalesce($1, database()) AND table_type <> 'SEQUENCE' AND ($2 OR table_type NOT LIKE '%VIEW')
ORDER BY table_name COLLATE utf8mb3_bin
""")
_COLUMNS: Final = marked("""
SELECT column_name, data_type, column_type, is_nullable, column_default, character_maximum_length, numeric_precision,
  numeric_scale, character_set_name, collation_name, extra
FROM information_schema.columns WHERE table_schema = $2 AND table_name = $1 ORDER BY ordinal_position
""")
_CHECKS: Final = marked("""
SELECT constraint_name, level, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = $2 AND table_name = $1
""")
_INDEXES: Final = marked("""
SELECT index_name, non_unique, column_name, sub_part IS NOT NULL
FROM information_schema.statistics WHERE table_schema = $2 AND table_name = $1 ORDER BY index_name, seq_in_index
""")
_REFERENCES: Final = marked("""
SELECT k.constraint_name, k.referenced_table_name, k.referenced_table_schema, k.column_name, k.referenced_column_name,
  r.delete_rule
FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r
  ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name
  AND r.constraint_name = k.constraint_name
WHERE k.table_schema = $2 AND k.table_name = $1 AND k.referenced_table_name IS NOT NULL
ORDER BY k.constraint_name, k.ordinal_position
""")

_ALIASES: Final = {"tinyint(1)": "boolean", "bit(1)": "bit", **{f"bit({size})": "bits" for size in range(2, 65)}}
_LABEL: Final = re.compile(r"'((?:[^']|'')*)'")
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_NAME: Final = re.compile("`((?:[^`]|``)*)`")
_JSON: Final = re.compile(r"json_valid\(`(.*)`\)", re.IGNORECASE)


def read_table(ask: Ask, table: TableName) -> TableInfo | None:
    """What the catalogue says of a table or view; None where there is none of that name."""
    found = ask(_FIND, (table.name, table.schema))
    if not found:
        return None
    name, schema, kind, engine = found[0]
    where = (name, schema)
    indexes = _indexes(ask(_INDEXES, where))
    checks = ask(_CHECKS, where)
    valid = (_JSON.fullmatch(clause) for *_, clause in checks)
    json = {one[1] for one in valid if one}
    return TableInfo(
        name=TableName(name, schema),
        is_view="VIEW" in kind,
        columns=tuple(_columns(ask(_COLUMNS, where), json)),
        key=next((columns for index, (columns, _, _) in indexes.items() if index == "PRIMARY"), ()),
        unique={index: columns for index, (columns, unique, whole) in indexes.items() if unique and whole},
        references=_references(ask(_REFERENCES, where)),
        checks=dict(_check(name, *check) for check in checks),
        indexed=frozenset(columns[0] for columns, _, _ in indexes.values()),
        why_not="" if "VIEW" in kind or engine == "InnoDB" else f"the engine {engine} knows no transactions",
    )


def list_names(ask: Ask, schema: str | None, *, views: bool) -> list[str]:
    """The tables of a database (None: the one connected to), and its views, by name, without ours."""
    return [name for (name,) in ask(_LIST, (schema, views)) if not name.startswith(OWN_TABLES)]


def _columns(rows: Iterable[Row], json: set[str]) -> Iterable[ColumnInfo]:
    for row in rows:
        column = _column(row)
        yield replace(column, type="json") if column.name in json else column


def _column(row: tuple[Any, ...]) -> ColumnInfo:
    name, kind, declared, nullable, default, length, digits, places, charset, collation, extra = row
    extra = extra.lower()
    exact_number = kind == "decimal"
    return ColumnInfo(
        name=name,
        type=_ALIASES.get(declared.partition(" ")[0], kind),
        not_null=nullable == "NO",
        default=None if default == "NULL" else default,
        length=length if kind in ("char", "varchar") else None,
        digits=digits if exact_number else None,
        places=places if exact_number else None,
        labels=_labels(declared) if kind == "enum" else (),
        unsigned="unsigned" in declared,
        made="auto_increment" in extra,
        computed="generated" in extra,
        exact=collation is None or collation == EXACT,
        charset=charset or "",
        declared=declared if charset is None else f"{declared} CHARACTER SET {charset} COLLATE {collation}",
    )


def _labels(declared: str) -> tuple[str, ...]:
    return tuple(label.replace("''", "'") for label in _LABEL.findall(declared))


def _indexes(rows: Iterable[Row]) -> dict[str, tuple[tuple[str, ...], bool, bool]]:
    """For each index: its columns, whether it is unique, and whether it covers the whole of their values."""
    found = {}
    for name, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        whole = not any(partial or column is None for _, _, column, partial in parts)
        found[name] = (tuple(column for _, _, column, _ in parts), not parts[0][1], whole)
    return found


def _check(table: str, name: str, level: str, clause: str) -> tuple[str, tuple[str, ...]]:
    """A rule as errors name it, and the columns that it is about."""
    if level == "Column":
        return f"{table}.{name}", (name,)
    names = _NAME.findall(_TEXT.sub("", clause))
    return name, tuple(dict.fromkeys(one.replace("``", "`") for one in names))


def _references(rows: Iterable[Row]) -> dict[str, Reference]:
    found = {}
    for name, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        _, table, schema, _, _, deletion = parts[0]
        on_delete = {"CASCADE": "cascade", "SET NULL": "set_null"}.get(deletion, "restrict")
        columns, targets = (tuple(row[place] for row in parts) for place in (3, 4))
        found[name] = Reference(columns, TableName(table, schema), targets, on_delete)
    return found
