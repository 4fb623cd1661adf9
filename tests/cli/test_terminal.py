"""What names that hold control characters do to a terminal: nothing."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from rest_kit.cli.terminal import printable
from tests.cli.support import COMMAND, ROOT

EVIL = "a\x1b]0;x\x07b"
"""What gives a terminal's window another title."""


def on_terminal(*arguments: str, folder: Path) -> str:
    """Run `rest-kit` on a terminal of its own, and return what that was told."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while piece := os.read(ours, 65536):
            told += piece
    except OSError:
        pass  # what Linux says when the other end is closed
    finally:
        os.close(ours)
        process.wait(30)
    return told.decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Öl, 日本\n  x", "Öl, 日本\n  x"),
        (EVIL, "a\\x1b]0;x\\x07b"),
        ("\u202egnp.exe\x9b2J\r\t", "\\u202egnp.exe\\x9b2J\\r\\t"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_name_steers_the_terminal(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute(f'CREATE TABLE "{EVIL}" (id INTEGER PRIMARY KEY)')
        connection.execute(f'INSERT INTO "{EVIL}" VALUES (1)')
        connection.commit()
    for arguments in (("copy", "x.db", "y.db"), ("copy", "x.db", "y.db"), ("serve", f"{EVIL}.csv")):
        told = on_terminal(*arguments, folder=tmp_path)
        assert "a\\x1b]0;x\\x07b" in told
        assert "\x1b]" not in told
        assert "\x07" not in told
