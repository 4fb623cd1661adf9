"""Copies of the examples, so that none is written to, and the ways to run them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tests.cli.support import Process

EXAMPLES = Path(__file__).parents[2] / "examples"


def copy_of(name: str, folder: Path) -> Path:
    """A copy of one file of the examples in a folder."""
    return Path(shutil.copy(EXAMPLES / name, folder / name))


def load(path: Path) -> ModuleType:
    """The file as a module of its own, anew each time."""
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def under_gunicorn(
    application: str, folder: Path, *options: str, quiet: bool = True, **environment: str
) -> Iterator[str]:
    """An application of the examples behind gunicorn, working in that folder; the URL that it listens at.

    Unless `quiet` is off, no error may be logged.
    """
    base = {"REST_KIT_SECRET": "a secret of the tests, long enough", **os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", *options, application]
    process = Process(command, folder, {**base, **environment})
    try:
        yield process.until(r"Listening at: (http://\S+)", "stderr")[1]
    finally:
        process.end()
    assert not quiet or "[ERROR]" not in process.err, process.err
