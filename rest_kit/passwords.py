"""Passwords as they are kept: hashed by scrypt, each with a salt of its own, in werkzeug's notation."""

from __future__ import annotations

import re
from typing import Final

METHOD: Final = "scrypt:32768:8:1"
"""How passwords are hashed unless it is said otherwise: some 32 MB and a twentieth of a second for each."""
NOBODY: Final = f"{METHOD}${'x' * 16}${'0' * 128}"
"""The hash of no password at all, which takes as long to be refused as any other."""

_HASH: Final = re.compile(r"(scrypt|pbkdf2)(:\w+)*\$[^$]+\$[0-9a-f]+")


def hash_password(password: str, *, method: str = METHOD) -> str:
    """A password as it is to be stored; `method` is one of werkzeug's, such as `scrypt:32768:8:1`."""
    # werkzeug loads its server and its test client too; only those who log in need any of it
    from werkzeug.security import generate_password_hash

    return generate_password_hash(password, method)


def is_hash(text: str) -> bool:
    """Whether a text has the form of what `hash_password` makes."""
    return _HASH.fullmatch(text) is not None


def check_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; None, for whoever has none, costs as much as a wrong one."""
    from werkzeug.security import check_password_hash

    if kept is not None and kept.count("$") >= 2:
        try:
            return check_password_hash(kept, password)
        except ValueError:
            pass  # what is kept there is no hash
    check_password_hash(NOBODY, password)
    return False
