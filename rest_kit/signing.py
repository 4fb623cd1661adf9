"""Keys for whatever must not be forged or guessed: cursors, entity tags, tokens and cookies.

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

from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from rest_kit import jsonio
from rest_kit.errors import ConfigurationError

SECRET_VARIABLE: Final = "REST_KIT_SECRET"
LEAST_BYTES: Final = 16
"""How long the secret must be that signs what somebody logs in with."""
_MACHINE_FACTS: Final = ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")
_WELL_KNOWN: Final = (
    *("secret", "changeme", "change-me", "password", "passphrase", "default", "example", "insecure", "qwerty", "test"),
    *(
        "your-secret-key",
        "your-256-bit-secret",
        "supersecret",
        "super-secret",
        "mysecret",
        "my-secret",
        "s3cr3t",
        "key",
    ),
)
"""Of what secrets are made that everybody tries first."""


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
        self._timed: dict[str, URLSafeTimedSerializer] = {}
        self._labelled: dict[str, object] = {}

    def derive(self, purpose: str) -> list[bytes]:
        """A key of 32 bytes for each secret, the one to sign with first."""
        return [
            hashlib.blake2b(purpose.encode(), key=_fit(secret), digest_size=32).digest() for secret in self._secrets
        ]

    def serializer(self, purpose: str) -> URLSafeSerializer:
        """Signs JSON values for one purpose, and reads back what any of the secrets has signed."""
        oldest_first = self.derive(purpose)[::-1]
        return URLSafeSerializer(oldest_first, salt=purpose, serializer=_CompactJson)

    def timed(self, purpose: str) -> URLSafeTimedSerializer:
        """The same with the time of signing, so that what was signed can be held to an age; made once."""
        found = self._timed.get(purpose)
        if found is None:
            found = self._timed[purpose] = URLSafeTimedSerializer(
                self.derive(purpose)[::-1],
                salt=purpose,
                serializer=_CompactJson,
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
        return found

    def is_apart(self, label: str, place: object) -> bool:
        """Whether a label stands for this place alone among all that have asked; asked while an application is made."""
        return self._labelled.setdefault(label, place) is place

    def problems(self, asker: str, least: int = LEAST_BYTES) -> list[str]:
        """A sentence for everything that makes the secret unfit for what `asker` signs with it."""
        if not self.configured:
            return [f"{asker} signs, and so needs a secret: give secret= or set {SECRET_VARIABLE}"]
        return [f"{asker}: {problem}" for secret in self._secrets if (problem := weakness(secret, least))]

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


def weakness(secret: bytes, least: int = LEAST_BYTES) -> str:
    """Why a secret could be guessed; nothing where it is at least `least` bytes of something less than obvious."""
    if len(secret) < least:
        return f"a secret of {len(secret)} bytes is too short, {least} are needed; try secrets.token_urlsafe(32)"
    left = secret.lower()
    for known in sorted(_WELL_KNOWN, key=len, reverse=True):
        left = left.replace(known.encode(), b"")
    if len(set(left)) < 5:
        return "the secret is one that everybody tries; try secrets.token_urlsafe(32)"
    return ""


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
