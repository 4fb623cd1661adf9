"""What it means that SQLite refused a write: which rule of the table was broken, by which fields."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from datastores.sqlite.catalogue import check_named, words_in
from datastores.sqlite.failures import is_constraint, meaning_of
from datastores.sqlite.grammar import quote
from datastores.sqlite.table import Table
from rest_kit.errors import Conflict, Fault, KeysUsedUp, RestKitError, StoreUnavailable, Unsupported, ValidationError
from rest_kit.store import unique_conflict
from rest_kit.types import INT64_MAX, Record

_TAKEN: Final = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
)


def broken_rule(
    table: Table, connection: sqlite3.Connection, exc: sqlite3.Error, record: Record, index: int | None
) -> Exception:
    """The error for a write that SQLite refused; `index` is the record's place in a batch."""
    code = getattr(exc, "sqlite_errorcode", 0)
    if code in _TAKEN:
        return _taken(table, str(exc), index)
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return told_by_trigger(exc, index)
    if code == sqlite3.SQLITE_FULL and _gave_last_key(table, connection):
        return KeysUsedUp(table.key.field)
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return _dangling(table, _orphans(table, connection, record), index)
    if _lacks_parent(exc):
        orphans = _orphans(table, connection, record)
        return _dangling(table, orphans, index) if orphans else _not_yet(table)
    if code == sqlite3.SQLITE_CONSTRAINT_NOTNULL:
        return _null(table, str(exc), index)
    if code == sqlite3.SQLITE_CONSTRAINT_CHECK:
        return _failed_check(table, connection, str(exc), index)
    if is_constraint(exc) or code == sqlite3.SQLITE_MISMATCH:
        path = () if index is None else (index,)
        return ValidationError(Fault("invalid", "breaks a rule of the table", path))
    table.database.recover(exc)
    return meaning_of(exc, table.database.name)


def _lacks_parent(exc: sqlite3.Error) -> bool:
    """Whether the table referred to is not there, or has not the key that is referred to."""
    text = str(exc)
    return text.startswith(("foreign key mismatch", "no such table: main."))


def _taken(table: Table, message: str, index: int | None) -> Conflict:
    """The conflict for values that another row has: SQLite names the columns, as we would."""
    named = message.partition(": ")[2]
    for names in (*table.info.unique, (table.key_sql,)):
        if named == ", ".join(f"{table.name}.{name}" for name in names):
            return unique_conflict(_fields(table, names), index)
    return Conflict("another record has these values already", index=index)


def _fields(table: Table, columns: Sequence[str]) -> list[str]:
    """The fields that lie in those columns; a column that the model does not serve has none."""
    wanted = {column.lower() for column in columns}
    return [name for name in table.model.names if name.lower() in wanted]


def _null(table: Table, message: str, index: int | None) -> RestKitError:
    column = message.partition(": ")[2].removeprefix(f"{table.name}.")
    if table.info.column(column) is not None and not _fields(table, [column]):
        return Unsupported(f"{table.name} takes no new rows through this model: its column {column!r} may not be null")
    path = (column,) if index is None else (index, column)
    return ValidationError(Fault("null", "may not be null", path))


def _failed_check(table: Table, connection: sqlite3.Connection, message: str, index: int | None) -> ValidationError:
    """The error for a CHECK that failed, for each field that it is about: SQLite names the rule, or says it."""
    told = message.partition(": ")[2]
    # a rule that begins with a quoted name is told by that name alone
    words = words_in(check_named(connection, table.name, told) or told) | {told.lower()}
    fields = [name for name in table.model.names if name.lower() in words]
    path = () if index is None else (index,)
    faults = [Fault("invalid", "breaks a rule of the table", (*path, name)) for name in fields]
    return ValidationError(faults or Fault("invalid", "breaks a rule of the table", path))


def _orphans(table: Table, connection: sqlite3.Connection, record: Record) -> list[str]:
    """The fields that refer to a record that does not exist."""
    targets = {column.lower(): target for column, target in table.info.references.items()}
    fields = [name for name in table.model.names if name.lower() in targets]
    return [
        name for name in fields if not _has_parent(connection, *targets[name.lower()], _stored(table, name, record))
    ]


def _stored(table: Table, name: str, record: Record) -> Any:
    value = record.get(name)
    encode = table.statements.columns[name].storage.encode
    return value if encode is None or value is None else encode(value)


def refuse_dangling(table: Table, connection: sqlite3.Connection, record: Record, index: int | None) -> None:
    """Refuse at once what a deferred reference would refuse at the commit, where nobody could say why (Conflict)."""
    if not connection.execute("PRAGMA foreign_keys").fetchone()[0]:
        return
    orphans = [name for name in _orphans(table, connection, record) if not _is_own_parent(table, name, record)]
    if orphans:
        raise _dangling(table, orphans, index)


def _is_own_parent(table: Table, name: str, record: Record) -> bool:
    parent, target = {column.lower(): to for column, to in table.info.references.items()}[name.lower()]
    return parent.lower() == table.name.lower() and record.get(target) == record[name]


def _dangling(table: Table, fields: list[str], index: int | None) -> Conflict:
    told = ", ".join(fields) or f"a reference of {table.name}"
    return Conflict(f"{told} names a record that does not exist", code="foreign_key", fields=fields, index=index)


def _not_yet(table: Table) -> StoreUnavailable:
    """The error for a table that cannot be written, whatever the values, before the one that it refers to is made."""
    parents = ", ".join(sorted({repr(parent) for parent, _ in table.info.references.values()}))
    return StoreUnavailable(f"{table.name} refers to {parents}, and SQLite wants that table to be there first")


def _has_parent(connection: sqlite3.Connection, parent: str, target: str, value: Any) -> bool:
    if value is None:
        return True
    select = " ".join(("SELECT 1 FROM", quote(parent), "AS t WHERE t." + quote(target), "= ?1 LIMIT 1"))
    try:
        return bool(connection.execute(select, (value,)).fetchall())
    except sqlite3.OperationalError:
        return False


def _gave_last_key(table: Table, connection: sqlite3.Connection) -> bool:
    """Whether SQLite itself numbers the rows, and has given out the highest number; it calls that a full disk."""
    if not table.info.keeps_ids:
        return False
    last = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", (table.name,)).fetchone()
    return bool(last[0] == INT64_MAX)


def told_by_trigger(exc: sqlite3.Error, index: int | None = None) -> Conflict:
    """The conflict for a trigger's RAISE; a reference with RESTRICT is one, to SQLite."""
    return restricted() if str(exc) == "FOREIGN KEY constraint failed" else refused(index)


def broken_by_deletion(exc: sqlite3.Error) -> Conflict:
    """The conflict for a deletion that SQLite refused."""
    is_trigger = getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_TRIGGER
    return told_by_trigger(exc) if is_trigger else restricted()


def restricted() -> Conflict:
    """The conflict for a record that others still refer to."""
    return Conflict("other records refer to this one", code="restricted")


def refused(index: int | None = None) -> Conflict:
    """The conflict for a change that a trigger does not let pass, whose text is not told."""
    return Conflict("a rule of the database refuses the change", code="refused", index=index)
