"""The text of one page: what is selected, from which rows, in which order, how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One ordering key: what is ordered by, and which way."""

    term: str
    direction: str


@dataclass(frozen=True, slots=True)
class PageText:
    """What all the statements for one page share; `total`, where there is one, comes last in every row."""

    source: str
    selected: Sequence[str]
    keys: Sequence[Key]
    limit: str
    total: str = ""
    lock: str = ""

    def read(self, where: str) -> str:
        """One statement that reads the page from the rows that fulfil a condition."""
        columns = ", ".join([*self.selected, *_some(self.total)]) or "NULL"
        order = ", ".join(f"{key.term} {key.direction}" for key in self.keys)
        parts = ["SELECT", columns, "FROM", self.source, *_some(where), "ORDER BY", order, self.limit]
        return " ".join([*parts, *_some(self.lock)])

    def union(self, wheres: Sequence[str]) -> str:
        """One statement that reads the page from several stretches of the order, the nearest first.

        Each stretch is a range of an index, of which no more than a page is read.
        """
        columns = ", ".join([*(f"c{number}" for number in range(len(self.selected))), *_some(self.total)]) or "NULL"
        order = ", ".join(["part", *(f"k{number} {key.direction}" for number, key in enumerate(self.keys))])
        stretches = " UNION ALL ".join(f"({self._stretch(number, where)})" for number, where in enumerate(wheres))
        return " ".join(["SELECT", columns, "FROM", f"({stretches}) AS u", "ORDER BY", order, self.limit])

    def _stretch(self, part: int, where: str) -> str:
        named = [f"{sql} AS c{number}" for number, sql in enumerate(self.selected)]
        named += [f"{key.term} AS k{number}" for number, key in enumerate(self.keys)]
        stretch = PageText(self.source, [*named, f"{part} AS part"], self.keys, self.limit)
        return stretch.read(where)


def _some(text: str) -> list[str]:
    return [text] if text else []
