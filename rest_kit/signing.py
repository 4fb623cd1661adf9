"""Keys for whatever must not be forged or guessed: cursors, entity tags, later tokens and cookies.

One secret (or several, newest first, for rotation) gives a key for each purpose. Without a secret a key is drawn from
what this machine knows and outsiders do not, so that all workers of one machine agree; several machines need a secret.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from itsdangerous import URLSafeSerializer

from rest_kit import jsonio
from rest_kit.errors import ConfigurationError

SECRET_VARIABLE: Final = "REST_KIT_SECRET"
_MACHINE_FACTS: Final = ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")


class Keys:
    """Derives one key per purpose from the application's secret or secrets (ConfigurationError for an empty one)."""

    def __init__(self, secret: str | Sequence[str] | None = None) -> None:
        if secret is not None and (not secret or not all(secret)):
            raise ConfigurationError("secret must not be empty; leave it out for a key of this machine's own")
        given = secret if secret is not None else os.environ.get(SECRET_VARIABLE)
        if not given:
            self._secrets = [machine_secret()]
        elif isinstance(given, str):
            self._secrets = [given.encode()]
        else:
            self._secrets = [one.encode() for one in given]
        self.configured = bool(given)

    def derive(self, purpose: str) -> list[bytes]:
        """A key of 32 bytes for each secret, the one to sign with first."""
        return [
            hashlib.blake2b(purpose.encode(), key=_fit(secret), digest_size=32).digest() for secret in self._secrets
        ]

    def serializer(self, purpose: str) -> URLSafeSerializer:
        """Signs JSON values for one purpose, and reads back what any of the secrets has signed."""
        oldest_first = self.derive(purpose)[::-1]
        return URLSafeSerializer(oldest_first, salt=purpose, serializer=_CompactJson)

    def __repr__(self) -> str:
        return f"Keys(configured={self.configured})"


class _CompactJson:
    """What itsdangerous needs to write payloads with, and to read them strictly."""

    @staticmethod
    def dumps(value: Any) -> str:
        return jsonio.dumps(value).decode()

    @staticmethod
    def loads(payload: str | bytes) -> Any:
        return jsonio.loads(payload if isinstance(payload, bytes) else payload.encode())


def _fit(secret: bytes) -> bytes:
    """BLAKE2b takes keys of at most 64 bytes; longer secrets are hashed first."""
    return secret if len(secret) <= 64 else hashlib.blake2b(secret).digest()


def machine_secret() -> bytes:
    """A key that every process of this user on this machine finds alike, and that no reply shows."""
    facts = [str(os.getuid()) if hasattr(os, "getuid") else "", socket.gethostname()]
    for path in _MACHINE_FACTS:
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text:
            facts.append(text)
            break
    return hashlib.blake2b("\n".join(facts).encode(), digest_size=32).digest()
