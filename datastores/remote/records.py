"""Rows of JSON, as a remote shows them, to typed records and back.

Nothing is believed: a row that misfits the model is the remote's failure, and the log says which member of which row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_kit.errors import RemoteError
from rest_kit.models import Field, Model
from rest_kit.types import Record


class Rows:
    """Converts the rows of one model; `names` are those of the other side, by ours."""

    def __init__(self, model: Model, names: Mapping[str, str]) -> None:
        self.model = model
        self._theirs = {name: names.get(name, name) for name in model.names}
        self._ours = {their: name for name, their in self._theirs.items()}

    def ours(self, their: str) -> str:
        """Our name of a member of the other side's."""
        return self._ours.get(their, their)

    def records(self, rows: Iterable[Any], names: Sequence[str]) -> list[Record]:
        """The rows as records of these fields, in this order (RemoteError)."""
        return [self.record(row, names, f"row {index}: ") for index, row in enumerate(rows)]

    def record(self, row: Any, names: Sequence[str], where: str = "") -> Record:
        """One row as a record of these fields (RemoteError)."""
        if not isinstance(row, dict):
            raise RemoteError(f"{where}not an object but {type(row).__name__}")
        return {name: self._value(self.model.by_name[name], row.get(self._theirs[name]), where) for name in names}

    def _value(self, field: Field, value: Any, where: str) -> Any:
        if value is None:
            if field.nullable or field.write_only:
                return None
            raise RemoteError(f"{where}{self._theirs[field.name]} is null or missing")
        try:
            return field.coerce(value)
        except ValueError as exc:
            raise RemoteError(f"{where}{self._theirs[field.name]} is {exc}"[:500]) from exc

    def row(self, record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Some fields of a record as the members of a row."""
        fields = self.model.by_name
        return {
            self._theirs[name]: None if record[name] is None else fields[name].to_stored(record[name])
            for name in names
            if name in record
        }
