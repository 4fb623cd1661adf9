"""Where users and keys are kept: any datastore, given as itself or as the controller that serves it."""

from __future__ import annotations

import inspect
from typing import Any

from rest_kit.errors import ConfigurationError
from rest_kit.models import Model
from rest_kit.store import DataStore


def store_of(source: Any, model: type[Model] | None, owner: str) -> DataStore:
    """The datastore that is meant, bound to a model where it has none (ConfigurationError)."""
    # a controller is recognised by what it is made of: this floor does not know the class
    store = getattr(getattr(source, "spec_", None), "store", source)
    if not isinstance(store, DataStore):
        hint = f"; the class {source.__name__} is not an instance" if inspect.isclass(source) else ""
        raise ConfigurationError(f"takes a Controller class or a datastore, not {source!r}{hint}", owner=owner)
    if model is not None and store.bound_model is None:
        store.bind(model())
    return store


def label_of(source: Any, store: DataStore) -> str:
    """What a source is called: its table, or the resource of its controller; "users" for what has no name."""
    where = store.resource
    table = where.get("table") if isinstance(where, dict) else None
    name: str = getattr(getattr(source, "spec_", None), "name", "users")
    return table if isinstance(table, str) else name
