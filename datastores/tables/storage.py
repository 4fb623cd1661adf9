"""How a field's values lie in a column, whatever the database: what goes in, what comes out, what is compared."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

Convert = Callable[[Any], Any]

MISFITS: Final = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What decoding a stored value of another form raises."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How one field lies in a column.

    `declared` is the column's type in a table of ours, `types` what the driver may hand out; `encode` and `decode` are
    None where the value goes as it is. Where the stored form is coarser than the Python type, a value to compare with
    is moved to the nearest stored one: down (`floor`, for gt and lte), up (`ceiling`, for gte and lt), or to one that
    equals none (`exact`, for equality). `collation` is the one that a comparison names, where the column's is another.
    """

    declared: str
    types: tuple[type, ...]
    encode: Convert | None = None
    decode: Convert | None = None
    exact: Convert | None = None
    floor: Convert | None = None
    ceiling: Convert | None = None
    collation: str = ""

    def probe(self, op: str) -> Convert | None:
        """How the value of a comparison by `op` is made ready to be bound."""
        if op in ("gt", "lte"):
            return self.floor or self.encode
        if op in ("gte", "lt"):
            return self.ceiling or self.encode
        return self.exact or self.encode


HEXADECIMAL_LENGTH: Final = 32
"""How many characters a column has that keeps UUIDs without dashes, as Django and SQLAlchemy do where no type is made
for them."""


def hexadecimal(text: Storage) -> Storage:
    """The storage of UUIDs as 32 digits without dashes, where `text` is that of texts."""
    return replace(text, encode=lambda value: value.hex, decode=uuid.UUID)


def successor(prefix: str) -> str | None:
    """The least text greater than every text that starts with `prefix`; None where there is no such text."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if code == 0xD800 else code)
