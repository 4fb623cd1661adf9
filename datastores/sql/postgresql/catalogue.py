"""PostgreSQL's catalogue read into values: domains resolved to their types, unique indexes, references."""

from __future__ import annotations

from typing import Any, Final

from datastores.sql.catalogue import ColumnInfo, Reference, TableInfo, TableName
from datastores.sql.dialect import Ask, marked
from rest_kit.store import OWN_TABLES

_FIND: Final = marked("""
SELECT c.oid, c.relname, n.nspname, c.relkind IN ('v', 'm'), c.relkind = 'r' AND EXISTS (
  SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND CASE
  WHEN CAST($2 AS text) IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2 END
""")

_LIST: Final = marked("""
SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p', 'f') OR $2 AND c.relkind IN ('v', 'm')) AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND CASE
  WHEN CAST($1 AS text) IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1 END
ORDER BY c.relname COLLATE "C"
""")

_COLUMNS: Final = marked("""
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS size, false AS not_null
  FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod = -1 THEN b.size ELSE t.typtypmod END,
    b.not_null OR t.typnotnull
  FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT a.attname, t.typname, b.size, a.attnotnull OR b.not_null, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
  CAST(a.attidentity AS text), a.attgenerated <> '', e.typname,
  ARRAY(SELECT l.enumlabel FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder),
  CASE WHEN o.collname = 'default'
    THEN (SELECT s.datcollate IN ('C', 'POSIX') FROM pg_catalog.pg_database AS s WHERE s.datname = current_database())
    ELSE o.collname IN ('C', 'POSIX', 'ucs_basic') END,
  coalesce(o.collisdeterministic, false)
FROM pg_catalog.pg_attribute AS a
JOIN base AS b ON b.attnum = a.attnum
JOIN pg_catalog.pg_type AS t ON t.oid = b.type AND t.typtype <> 'd'
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation AS o ON o.oid = a.attcollation
WHERE a.attrelid = $1 ORDER BY a.attnum
""")

_INDEXES: Final = marked("""
SELECT c.relname, i.indisprimary, i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL,
  i.indpred IS NULL AND i.indkey[0] <> 0, ARRAY(
    SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = $1
""")

_REFERENCES: Final = marked("""
SELECT r.conname, c.relname, n.nspname,
  ARRAY(SELECT a.attname FROM unnest(r.conkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = k.number ORDER BY k.place),
  ARRAY(SELECT a.attname FROM unnest(r.confkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.confrelid AND a.attnum = k.number ORDER BY k.place),
  CAST(r.confdeltype AS text)
FROM pg_catalog.pg_constraint AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.conrelid = $1 AND r.contype = 'f' ORDER BY r.conname
""")

_DEFERRED: Final = marked("""
SELECT count(*) > 0 FROM pg_catalog.pg_constraint AS r WHERE r.condeferred AND (r.conrelid = $1 OR r.confrelid = $1)
""")

_CHECKS: Final = marked("""
SELECT r.conname, ARRAY(SELECT a.attname FROM unnest(r.conkey) AS k(number)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = k.number ORDER BY a.attnum)
FROM pg_catalog.pg_constraint AS r WHERE r.conrelid = $1 AND r.contype = 'c'
UNION ALL SELECT r.conname, ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = $1 AND a.atttypid = r.contypid AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_catalog.pg_constraint AS r
WHERE r.contypid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1)
""")

_INHERITED: Final = "other tables inherit from it, and no key tells their rows from its own"

_HEADER: Final = 4
"""What PostgreSQL adds to the sizes of texts and exact numbers."""


def read_table(ask: Ask, table: TableName) -> TableInfo | None:
    """What the catalogue says of a table or view; None where there is none of that name."""
    found = ask(_FIND, (table.name, table.schema))
    if not found:
        return None
    oid, name, schema, is_view, is_parent = found[0]
    indexes = ask(_INDEXES, (oid,))
    return TableInfo(
        name=TableName(name, schema),
        is_view=is_view,
        columns=tuple(_column(row) for row in ask(_COLUMNS, (oid,))),
        key=next((tuple(columns) for _, primary, _, _, columns in indexes if primary), ()),
        unique={name: tuple(columns) for name, _, unique, _, columns in indexes if unique},
        references={row[0]: _reference(row) for row in ask(_REFERENCES, (oid,))},
        checks={name: tuple(columns) for name, columns in ask(_CHECKS, (oid,))},
        indexed=frozenset(columns[0] for *_, whole, columns in indexes if whole and columns),
        deferred=ask(_DEFERRED, (oid,))[0][0],
        why_not=_INHERITED if is_parent else "",
    )


def list_names(ask: Ask, schema: str | None, *, views: bool) -> list[str]:
    """The tables of a schema (None: those that are found without naming one), and its views, by name, without ours."""
    return [name for (name,) in ask(_LIST, (schema, views)) if not name.startswith(OWN_TABLES)]


def _column(row: tuple[Any, ...]) -> ColumnInfo:
    name, kind, size, not_null, default, identity, computed, element, labels, exact, distinct = row
    digits, places = _precision(size) if kind == "numeric" else (None, None)
    return ColumnInfo(
        name=name,
        type=kind,
        not_null=not_null,
        default=None if computed else default,
        length=size - _HEADER if kind in ("varchar", "bpchar") and size >= _HEADER else None,
        digits=digits,
        places=places,
        labels=tuple(labels),
        element=element or "",
        made=bool(identity) or (default or "").startswith("nextval("),
        insists=identity == "a",
        computed=computed,
        exact=exact is not False,
        distinct=distinct,
    )


def _reference(row: tuple[Any, ...]) -> Reference:
    _, table, schema, columns, targets, deletion = row
    on_delete = {"c": "cascade", "n": "set_null"}.get(deletion, "restrict")
    return Reference(tuple(columns), TableName(table, schema), tuple(targets), on_delete)


def _precision(size: int) -> tuple[int | None, int | None]:
    """The digits and places of an exact number; the places are signed and 11 bits long."""
    if size < _HEADER:
        return None, None
    places = (size - _HEADER) & 0x7FF
    return (size - _HEADER) >> 16 & 0xFFFF, (places ^ 0x400) - 0x400
