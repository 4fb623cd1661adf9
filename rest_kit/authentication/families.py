"""Families of refresh tokens: all that descend, one from the other, from one login. Of each only the youngest is good.

The storage keeps, for each family, the id of its youngest token. To refresh is to swap that id for a new one, which of
any number of parallel attempts one does; whoever comes with an older token holds a copy, and ends the family.
"""

from __future__ import annotations

import secrets

from rest_kit.storage import Storage


def begin(storage: Storage, seconds: float) -> tuple[str, str]:
    """A new family, and the id of its first token."""
    family, first = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    storage.swap(_key(family), None, first.encode(), seconds)
    return family, first


def renew(storage: Storage, family: str, token: str, seconds: float) -> str | None:
    """The id of the token in place of this one; None, and the family is ended, where this is not the youngest."""
    new = secrets.token_urlsafe(16)
    if storage.swap(_key(family), token.encode(), new.encode(), seconds):
        return new
    end(storage, family)
    return None


def is_youngest(storage: Storage, family: str, token: str) -> bool:
    """Whether a token could be used to refresh."""
    return storage.get(_key(family)) == token.encode()


def end(storage: Storage, family: str) -> None:
    """End a family, whoever is renewing it meanwhile."""
    key = _key(family)
    while (current := storage.get(key)) is not None:
        if storage.swap(key, current, None, 0):
            return


def _key(family: str) -> str:
    return f"rest_kit.jwt.{family}"
