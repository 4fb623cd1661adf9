"""Statements as the driver takes them: its own mark for each parameter, in the order in which the text names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple

_MARK = re.compile("\0([0-9]+)\0")
MAX_STATEMENTS: Final = 4096
"""How many texts are kept; beyond it, all are forgotten at once."""


class Statement(NamedTuple):
    """A text with the driver's marks, and for each of them which of the values goes there."""

    text: str
    places: tuple[int, ...]

    def parameters(self, values: Sequence[Any]) -> list[Any]:
        """The values as the driver takes them."""
        return [values[place] for place in self.places]


class StatementCache(dict[str, Statement]):
    """The statements by the text that they come from; `numbers` says that the driver marks parameters $1, $2 …"""

    def __init__(self, numbers: bool) -> None:
        super().__init__()
        self._numbers = numbers

    def __missing__(self, text: str) -> Statement:
        if len(self) >= MAX_STATEMENTS:
            self.clear()
        places = tuple(int(number) - 1 for number in _MARK.findall(text))
        made = self[text] = Statement(self._marked(text), places)
        return made

    def _marked(self, text: str) -> str:
        if not self._numbers:
            return _MARK.sub("%s", text.replace("%", "%%"))
        numbers = count(1)
        return _MARK.sub(lambda _: f"${next(numbers)}", text)
