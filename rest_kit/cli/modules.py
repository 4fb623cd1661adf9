"""Sources that are objects in modules: lists, controllers, applications. The code is the user's, and may fail."""

from __future__ import annotations

import importlib
import sys
import traceback
import types
from typing import Any

from rest_kit.cli.source import SourceError
from rest_kit.errors import RestKitError, did_you_mean


def load_object(source: str) -> Any:
    """The object that `module:NAME` names (SourceError)."""
    module_name, _, name = source.partition(":")
    if "" not in sys.path and "." not in sys.path:
        sys.path.insert(0, "")
    module = import_users(module_name, source)
    if not hasattr(module, name):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise SourceError(f"{source}: {module_name} has no {name!r}{did_you_mean(name, public)}")
    return getattr(module, name)


def import_users(name: str, source: str) -> types.ModuleType:
    """A user's module, which may fail in any way while it is imported (SourceError)."""
    try:
        return importlib.import_module(name)
    except RestKitError:
        raise
    except (Exception, SystemExit) as exc:
        # the code is the user's, and may fail with anything: it is told, and passed on as the cause
        if isinstance(exc, ModuleNotFoundError) and exc.name and f"{name}.".startswith(f"{exc.name}."):
            raise SourceError(f"{source}: there is no module {exc.name!r} here or installed") from exc
        raise SourceError(f"{source}: the module {name!r} cannot be imported: {last_line(exc)}") from exc


def last_line(exc: BaseException) -> str:
    """An error in one line: its type, its text, and the file and line where it came up."""
    if isinstance(exc, SyntaxError):
        text, place = exc.msg, f"{exc.filename}:{exc.lineno}"
    else:
        frames = [one for one in traceback.extract_tb(exc.__traceback__) if not one.filename.startswith("<frozen ")]
        text, place = str(exc), f"{frames[-1].filename}:{frames[-1].lineno}"
    told = ": ".join(filter(None, (type(exc).__name__, " ".join(text.split()))))
    return f"{told} ({place})"
