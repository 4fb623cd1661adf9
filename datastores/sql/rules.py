"""What it means that the database refused a write: which rule of the table was broken, by which fields."""

from __future__ import annotations

from collections.abc import Sequence

from datastores.sql.failures import Failure, Trouble
from datastores.sql.refusals import refused
from datastores.sql.table import Table
from datastores.sql.transaction import Transaction
from rest_kit.errors import Conflict, Fault, RestKitError, Unsupported, ValidationError
from rest_kit.store import unique_conflict


def broken_rule(table: Table, transaction: Transaction, exc: BaseException, index: int | None) -> RestKitError:
    """The error for an insert or update that the database refused; `index` is the record's place in a batch."""
    if isinstance(exc, UnicodeEncodeError | OverflowError):
        return _misfit(Fault("range", "a value cannot be stored"), index)
    failure = table.database.failure(exc)
    told = _told(table, failure, index)
    return transaction.refuse(exc) if told is None else transaction.fail(told)


def deleting(table: Table, transaction: Transaction, exc: BaseException) -> RestKitError:
    """The error for a delete that the database refused."""
    if table.database.failure(exc).trouble in (Trouble.DANGLING, Trouble.RESTRICTED):
        return transaction.fail(restricted())
    return transaction.refuse(exc)


def restricted() -> Conflict:
    """The conflict for a record that others still refer to."""
    return Conflict("other records refer to this one", code="restricted")


def _told(table: Table, failure: Failure, index: int | None) -> RestKitError | None:
    """The error that names fields; None for a trouble that has nothing to do with what was written."""
    if failure.trouble is Trouble.UNIQUE:
        return _taken(table, failure, index)
    if failure.trouble is Trouble.DANGLING:
        return _dangling(table, failure, index)
    if failure.trouble is Trouble.RESTRICTED:
        return restricted()
    if failure.trouble is Trouble.REFUSED:
        return refused(index)
    if failure.trouble is Trouble.NULL:
        return _null(table, failure.column, index)
    if failure.trouble is Trouble.CHECK:
        return _breach(table, failure.constraint, index)
    if failure.trouble in _SAID:
        return _misfit(_SAID[failure.trouble], index, failure.column if failure.column in table.model.names else "")
    return None


_SAID = {
    Trouble.TOO_LONG: Fault("max_length", "is longer than the table keeps"),
    Trouble.RANGE: Fault("range", "is beyond what the table keeps"),
    Trouble.VALUE: Fault("invalid", "is not what the table keeps"),
}


def _taken(table: Table, failure: Failure, index: int | None) -> Conflict:
    columns = table.info.unique.get(failure.constraint)
    if columns is None:
        return Conflict("another record has these values already", index=index)
    return unique_conflict(_fields(table, columns), index)


def _dangling(table: Table, failure: Failure, index: int | None) -> Conflict:
    reference = table.info.references.get(failure.constraint)
    if reference is None:
        # the constraint of another table, whose records refer to the value that is about to change
        return restricted()
    fields = _fields(table, reference.columns)
    told = ", ".join(fields) or f"a reference of {table.name}"
    return Conflict(f"{told} names a record that does not exist", code="foreign_key", fields=fields, index=index)


def _null(table: Table, column: str, index: int | None) -> RestKitError:
    if column not in table.model.names:
        return Unsupported(f"{table.name} takes no new rows through this model: its column {column!r} may not be null")
    return _misfit(Fault("null", "may not be null"), index, column)


def _breach(table: Table, constraint: str, index: int | None) -> ValidationError:
    """The error for a rule that the table's owner wrote, naming the fields that it is about where it is known."""
    names = _fields(table, table.info.checks.get(constraint, ()))
    fault = Fault("invalid", "breaks a rule of the table")
    above = () if index is None else (index,)
    return ValidationError([fault.under(*above, name) for name in names] or fault.under(*above))


def _misfit(fault: Fault, index: int | None, field: str = "") -> ValidationError:
    path = (*(() if index is None else (index,)), *([field] if field else []))
    return ValidationError(fault.under(*path))


def _fields(table: Table, columns: Sequence[str]) -> list[str]:
    """The fields that lie in those columns; a column that the model does not serve has none."""
    return [name for name in columns if name in table.model.names]
