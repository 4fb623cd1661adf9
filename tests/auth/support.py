"""An application with users, and what its tests log in with."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datastores import PythonListDataStore, SQLiteDataStore
from rest_kit import models
from rest_kit.authentication import Authentication, TokenModel, UserModel, Users
from rest_kit.controllers import WSGIDispatcher
from rest_kit.passwords import hash_password
from rest_kit.permissions import IsAuthenticated
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.storage import Count, Storage, Window
from rest_kit.store import DataStore
from tests.http.support import Client, over_list

SECRET = "Thirty-two bytes of pure chance, at least"
PASSWORD = "correct horse"
CHEAP = "scrypt:256:8:1"
"""How the passwords of tests are hashed, so that none of them waits for it."""
HASH = hash_password(PASSWORD, method=CHEAP)


class Note(models.Model):
    """Something that only those who are logged in may see."""

    fields = [models.PkField("id"), models.StringField("text", required=True)]


def row(pk: int, username: str, **rest: Any) -> dict[str, Any]:
    """A user's record."""
    usual = {"password": HASH, "is_active": True, "is_admin": False, "scopes": "read write"}
    return {"id": pk, "username": username, **usual, **rest}


def rows() -> list[dict[str, Any]]:
    """Ada and Bob, Zoe who is disabled, and root who is an admin."""
    return [
        row(1, "ada"),
        row(2, "bob", scopes="read"),
        row(3, "zoe", is_active=False),
        row(4, "root", is_admin=True),
    ]


class DictStorage(Storage):
    """A storage in a dict; `in_process` is False, as of one that several processes share."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def hit(self, windows: Sequence[Window], *rest: Any) -> tuple[bool, list[Count]]:
        raise AssertionError("nothing is throttled here")

    def get(self, key: str) -> bytes | None:
        value, until = self._kept.get(key, (None, 0.0))
        return value if until > time.monotonic() else None

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        with self._lock:
            if self.get(key) != expected:
                return False
            self._kept.pop(key, None)
            if value is not None:
                self._kept[key] = value, time.monotonic() + seconds
            return True

    def ping(self) -> None:
        pass

    def close(self) -> None:
        pass


class Home:
    """Where one test keeps its users and tokens: in lists, or in one SQLite file."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.path = folder / "home.db"
        self.storage = DictStorage()
        self.store = self.place("users", UserModel)
        self.store.atomic(lambda tx: tx.insert(rows()))
        self.users = Users(self.store)

    def place(self, table: str, model: type[models.Model]) -> DataStore:
        """A new store for records of a model."""
        where: Any = [] if self.kind == "list" else {"name": str(self.path), "table": table}
        store: DataStore = PythonListDataStore(where) if self.kind == "list" else SQLiteDataStore(where)
        store.bind(model())
        return store

    def tokens(self) -> DataStore:
        """A new store for tokens."""
        return self.place("tokens", TokenModel)

    def change(self, pk: int, **values: Any) -> None:
        """Change a user's record behind everybody's back."""
        self.store.atomic(lambda tx: tx.update(pk, {**tx.get(pk), **values}))

    def remove(self, pk: int) -> None:
        """Delete a user."""
        self.store.atomic(lambda tx: tx.delete(pk))

    def app(self, *authentication: Authentication, routes: Sequence[Route] = (), **options: Any) -> WSGIDispatcher:
        """An application with notes that only those who are logged in may see, and `/whoami` for everybody."""
        things = over_list(
            [{"id": 1, "text": "hidden"}],
            model=Note,
            controller={"options": {"permissions": [IsAuthenticated()]}},
        )
        options = {"secret": SECRET, "storage": self.storage, **options}
        told = Route("/whoami", whoami, methods=["GET", "POST"])
        return WSGIDispatcher([things], authentication=list(authentication), routes=[told, *routes], **options)

    def client(self, *authentication: Authentication, **options: Any) -> Client:
        """A client of that application."""
        return Client(self.app(*authentication, **options))


def whoami(request: Request) -> dict[str, Any]:
    """Who is calling."""
    user = request.user
    return {"name": user.name, "admin": user.is_admin, "scopes": sorted(user.scopes)}


def ada(**rest: Any) -> dict[str, str]:
    """What Ada logs in with."""
    return {"username": "ada", "password": PASSWORD, **rest}
