"""What one database writes otherwise than another, as far as queries go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Write = Callable[[str], str]
Compare = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The words of one database.

    `parameter` writes the n-th value of a query, counted from 1; `contains`, `starts` and `ends` compare a text with a
    needle; `fold` ignores the case of a column's text and `fold_value` that of a value that `rows.fold` has folded.
    `nulls` is what makes nulls smallest in an ascending and in a descending order; `unlimited` what LIMIT takes for no
    limit; `lock` what ends a query whose rows stay as they are until the transaction ends.

    `gathers`: a statement costs a way to a server, so that a page is read by one of them, its total included.
    """

    parameter: Callable[[int], str]
    contains: Compare
    starts: Compare
    ends: Compare
    fold: Write
    fold_value: Write
    nulls: tuple[str, str] = ("", "")
    true: str = "TRUE"
    false: str = "FALSE"
    unlimited: int = 2**63 - 1
    max_values: int = 30_000
    lock: str = ""
    gathers: bool = False
