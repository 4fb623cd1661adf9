"""marshmallow's errors as rest_kit's faults: one per message, with a stable code and the way into the body."""

from __future__ import annotations

from typing import Any, Final

from marshmallow.exceptions import SCHEMA

from rest_kit.errors import Fault
from rest_kit.models.constraints import Message

Path = tuple[str | int, ...]

MAX_FAULTS: Final = 100
"""After how many faults a list is read no further: to explain one takes longer than to write it."""


def faults_of(messages: Any, path: Path = ()) -> list[Fault]:
    """The faults in what marshmallow calls messages: a text, a list of messages, or a dict of names and messages."""
    if isinstance(messages, dict):
        found: list[Fault] = []
        for name, inner in messages.items():
            found += faults_of(inner, path if name == SCHEMA else (*path, name))
        return found
    if isinstance(messages, list | tuple | set):
        return [fault for message in messages for fault in faults_of(message, path)]
    if isinstance(messages, Message):
        return [Fault(messages.code, str(messages), (*path, *messages.path))]
    return [Fault("invalid", str(messages), path)]
