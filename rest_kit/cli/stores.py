"""Our stores, which are imported when a source needs them, as a package of the user's may hide them."""

from __future__ import annotations

import importlib
import sys
from typing import Any, cast

from rest_kit.cli.source import SourceError
from rest_kit.store import DataStore


def stores_module(name: str) -> Any:
    """A module of our `datastores`, unless a package of that name in the working directory hides it (SourceError)."""
    if "datastores" not in sys.modules and "" in sys.path:
        sys.path.remove("")
        sys.path.append("")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise
        raise hidden() from exc


def store(name: str) -> type[DataStore]:
    """One of our stores, by the name of its class (SourceError)."""
    found = getattr(stores_module("datastores"), name, None)
    if found is None:
        raise hidden()
    return cast("type[DataStore]", found)


def hidden() -> SourceError:
    """What to say where another package bears the name of ours."""
    other = getattr(importlib.import_module("datastores"), "__file__", "an unknown place")
    return SourceError(
        f"the package 'datastores' at {other} hides the one of rest_kit; rename it, or run from another directory"
    )
