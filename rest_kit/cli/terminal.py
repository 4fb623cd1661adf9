"""What is written on a terminal: names come from files and databases, and none of them may steer it."""

from __future__ import annotations

import click


def say(text: str, *, err: bool = False) -> None:
    """Write lines on standard output, or on standard error."""
    click.echo(printable(text), err=err)


def printable(text: str) -> str:
    """A text with everything but letters, signs, spaces and line ends as escapes such as `\\x1b`."""
    return "".join(map(_shown, text))


def _shown(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
