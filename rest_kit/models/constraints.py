"""What a field may demand of a typed value beyond its kind: bounds, lengths, choices, a pattern.

Each is a marshmallow validator, so that apispec can read it; each has a stable code; and each can say itself as a
Python expression for the compiled load (`misfit`, which must agree with `holds`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import marshmallow
from marshmallow import validate as checks


class Message(str):
    """The text of one validation error, with the stable code and the path that go into the problem document."""

    __slots__ = ("code", "path")

    code: str
    path: tuple[str | int, ...]

    def __new__(cls, text: str, code: str, path: tuple[str | int, ...] = ()) -> Message:
        message = super().__new__(cls, text)
        message.code = code
        message.path = path
        return message


class Constraint:
    """One demand: `holds(value)`, the `limit` that the compiled load binds, and what is said when it does not hold."""

    code: ClassVar[str] = "invalid"
    misfit: ClassVar[str]
    """True where the value `{v}` does not fit the limit `{c}`, as a Python expression."""
    message: Message

    @property
    def limit(self) -> Any:
        """What the value is held against."""
        raise NotImplementedError

    def holds(self, value: Any) -> bool:
        """Whether the value fits."""
        raise NotImplementedError

    def say(self, text: str, shown: str) -> None:
        """Take the text of the error, in which `{code}` may stand for the limit as the user would write it."""
        self.message = Message(text.format(**{self.code: shown}), self.code)

    def __call__(self, value: Any) -> Any:
        if not self.holds(value):
            raise marshmallow.ValidationError([self.message])
        return value


class AtLeast(Constraint, checks.Range):
    """The value is not smaller than the limit."""

    code = "min"
    misfit = "{v} < {c}"

    def __init__(self, limit: Any) -> None:
        super().__init__(min=limit)

    @property
    def limit(self) -> Any:
        return self.min

    def holds(self, value: Any) -> bool:
        return bool(value >= self.min)


class AtMost(Constraint, checks.Range):
    """The value is not greater than the limit."""

    code = "max"
    misfit = "{v} > {c}"

    def __init__(self, limit: Any) -> None:
        super().__init__(max=limit)

    @property
    def limit(self) -> Any:
        return self.max

    def holds(self, value: Any) -> bool:
        return bool(value <= self.max)


class LongEnough(Constraint, checks.Length):
    """The text or list is not shorter than the limit."""

    code = "min_length"
    misfit = "len({v}) < {c}"

    def __init__(self, limit: int) -> None:
        super().__init__(min=limit)

    @property
    def limit(self) -> Any:
        return self.min

    def holds(self, value: Any) -> bool:
        return bool(len(value) >= self.limit)


class ShortEnough(Constraint, checks.Length):
    """The text or list is not longer than the limit."""

    code = "max_length"
    misfit = "len({v}) > {c}"

    def __init__(self, limit: int) -> None:
        super().__init__(max=limit)

    @property
    def limit(self) -> Any:
        return self.max

    def holds(self, value: Any) -> bool:
        return bool(len(value) <= self.limit)


class OneOf(Constraint, checks.OneOf):
    """The value is one of a few."""

    code = "choices"
    misfit = "{v} not in {c}"

    def __init__(self, choices: Iterable[Any]) -> None:
        super().__init__(tuple(choices))
        self._known = frozenset(self.choices)

    @property
    def limit(self) -> Any:
        return self._known

    def holds(self, value: Any) -> bool:
        return value in self._known


class FullMatch(Constraint, checks.Regexp):
    """The whole text matches the pattern."""

    code = "regex"
    misfit = "{c}({v}) is None"

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        super().__init__(pattern)

    @property
    def limit(self) -> Any:
        return self.regex.fullmatch

    def holds(self, value: Any) -> bool:
        return self.regex.fullmatch(value) is not None
