"""Copies of the examples, so that none is written to, and the ways to run them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

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
